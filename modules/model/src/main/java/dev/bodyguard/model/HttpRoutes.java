package dev.bodyguard.model;

import java.time.Instant;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// An author's rules for requests to some hosts, in the order in which they are asked.
///
/// @param namespace where they were written; short host names in them are of this namespace
/// @param hosts full names, lower case, `*.example.com` for every name below, `*` for all
/// @param gateways where the rules hold, [HttpMatch#MESH] for sidecars
/// @param created when the API server first saw them, null where they come from a file
public record HttpRoutes(
        String namespace,
        List<String> hosts,
        Set<String> gateways,
        Visibility visibility,
        List<HttpRule> rules,
        @Nullable Instant created,
        Origin origin)
        implements Part {
    public HttpRoutes {
        hosts = List.copyOf(hosts);
        gateways = Set.copyOf(gateways);
        rules = List.copyOf(rules);
    }
}
