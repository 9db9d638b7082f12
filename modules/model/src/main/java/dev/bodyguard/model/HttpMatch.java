package dev.bodyguard.model;

import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Conditions that must all hold of a request and of who sends it; null and empty ask nothing.
///
/// @param name the author's name for it, empty where there is none
/// @param uri of the path without its query
/// @param port the port that was asked for, 0 for any
/// @param sourceNamespace empty for any
/// @param gateways where it holds, empty: wherever its routes do
public record HttpMatch(
        String name,
        @Nullable StringMatch uri,
        boolean ignoreUriCase,
        @Nullable StringMatch scheme,
        @Nullable StringMatch method,
        @Nullable StringMatch authority,
        Map<String, StringMatch> headers,
        Map<String, StringMatch> withoutHeaders,
        Map<String, StringMatch> queryParams,
        int port,
        Map<String, String> sourceLabels,
        String sourceNamespace,
        Set<String> gateways,
        Origin origin) {
    /// The gateway that stands for all sidecars.
    public static final String MESH = "mesh";

    public HttpMatch {
        headers = Map.copyOf(headers);
        withoutHeaders = Map.copyOf(withoutHeaders);
        queryParams = Map.copyOf(queryParams);
        sourceLabels = Map.copyOf(sourceLabels);
        gateways = Set.copyOf(gateways);
    }
}
