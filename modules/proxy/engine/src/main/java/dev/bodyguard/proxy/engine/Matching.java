package dev.bodyguard.proxy.engine;

import com.google.protobuf.UInt32Value;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.QueryParameterMatcher;
import io.envoyproxy.envoy.config.route.v3.RouteMatch;
import io.envoyproxy.envoy.type.matcher.v3.PathMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.Int64Range;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// `RouteMatch`es and what else asks about a request's head, compiled.
final class Matching {
    private Matching() {}

    static Predicate<RequestHead> compile(RouteMatch match, String field) throws Invalid {
        unsupported(match.hasRuntimeFraction(), field + ".runtime_fraction");
        unsupported(match.hasTlsContext(), field + ".tls_context");
        unsupported(match.getDynamicMetadataCount() > 0, field + ".dynamic_metadata");
        unsupported(match.getFilterStateCount() > 0, field + ".filter_state");
        var all = new ArrayList<Predicate<RequestHead>>();
        Predicate<RequestHead> path = path(match, field);
        if (path != null) {
            all.add(path);
        }
        for (int i = 0; i < match.getHeadersCount(); i++) {
            all.add(header(match.getHeaders(i), field + ".headers[" + i + "]"));
        }
        for (int i = 0; i < match.getQueryParametersCount(); i++) {
            all.add(query(match.getQueryParameters(i), field + ".query_parameters[" + i + "]"));
        }
        if (match.hasGrpc()) {
            all.add(head -> {
                CharSequence type = head.header("content-type");
                return type != null && Texts.regionMatches(type, 0, "application/grpc", true);
            });
        }
        return all(all);
    }

    static Predicate<RequestHead> all(List<Predicate<RequestHead>> conditions) {
        if (conditions.size() == 1) {
            return conditions.getFirst();
        }
        @SuppressWarnings("unchecked")
        Predicate<RequestHead>[] each = conditions.toArray(Predicate[]::new);
        return head -> {
            for (Predicate<RequestHead> condition : each) {
                if (!condition.test(head)) {
                    return false;
                }
            }
            return true;
        };
    }

    private static @Nullable Predicate<RequestHead> path(RouteMatch match, String field) throws Invalid {
        boolean fold = match.hasCaseSensitive() && !match.getCaseSensitive().getValue();
        return switch (match.getPathSpecifierCase()) {
            case PREFIX -> {
                String prefix = match.getPrefix();
                if (prefix.isEmpty() || prefix.equals("/")) {
                    yield null;
                }
                yield head ->
                        prefix.length() <= pathEnd(head.path()) && Texts.regionMatches(head.path(), 0, prefix, fold);
            }
            case PATH -> {
                String wanted = match.getPath();
                yield head ->
                        wanted.length() == pathEnd(head.path()) && Texts.regionMatches(head.path(), 0, wanted, fold);
            }
            case PATH_SEPARATED_PREFIX -> {
                String prefix = match.getPathSeparatedPrefix();
                if (!prefix.startsWith("/") || prefix.endsWith("/")) {
                    throw new Invalid(
                            field + ".path_separated_prefix",
                            "must begin with a slash and not end with one, was " + prefix);
                }
                yield head -> {
                    int end = pathEnd(head.path());
                    return Texts.regionMatches(head.path(), 0, prefix, fold)
                            && (end == prefix.length()
                                    || (end > prefix.length() && head.path().charAt(prefix.length()) == '/'));
                };
            }
            case SAFE_REGEX -> {
                Predicate<CharSequence> regex = Texts.regex(match.getSafeRegex(), field + ".safe_regex");
                yield head -> regex.test(head.path().substring(0, pathEnd(head.path())));
            }
            case CONNECT_MATCHER -> head -> head.method().equals("CONNECT");
            case PATH_MATCH_POLICY, PATHSPECIFIER_NOT_SET ->
                throw new Invalid(
                        field,
                        "must match a prefix, path, path_separated_prefix or safe_regex, was "
                                + match.getPathSpecifierCase());
        };
    }

    /// Where the query begins, or the path's end.
    private static int pathEnd(String path) {
        int query = path.indexOf('?');
        return query < 0 ? path.length() : query;
    }

    static Predicate<RequestHead> path(PathMatcher matcher, String field) throws Invalid {
        Predicate<CharSequence> text = Texts.compile(Spelling.of(matcher.getPath()), field + ".path");
        return head -> {
            String path = head.path();
            int end = pathEnd(path);
            return text.test(end == path.length() ? path : path.substring(0, end));
        };
    }

    static Predicate<RequestHead> header(HeaderMatcher matcher, String field) throws Invalid {
        if (matcher.getName().isEmpty()) {
            throw new Invalid(field + ".name", "must be a header's name, was empty");
        }
        String name = matcher.getName().toLowerCase(Locale.ROOT);
        boolean invert = matcher.getInvertMatch();
        if (matcher.getHeaderMatchSpecifierCase() == HeaderMatcher.HeaderMatchSpecifierCase.PRESENT_MATCH
                || matcher.getHeaderMatchSpecifierCase()
                        == HeaderMatcher.HeaderMatchSpecifierCase.HEADERMATCHSPECIFIER_NOT_SET) {
            boolean present = matcher.getHeaderMatchSpecifierCase()
                            == HeaderMatcher.HeaderMatchSpecifierCase.HEADERMATCHSPECIFIER_NOT_SET
                    || matcher.getPresentMatch();
            return head -> ((value(head, name) != null) == present) != invert;
        }
        Predicate<CharSequence> test = headerValue(matcher, field);
        // As in Envoy: an absent header matches nothing, inverted or not, unless it is to be taken as empty.
        boolean missingIsEmpty = matcher.getTreatMissingHeaderAsEmpty();
        return head -> {
            CharSequence value = value(head, name);
            if (value == null) {
                if (!missingIsEmpty) {
                    return false;
                }
                value = "";
            }
            return test.test(value) != invert;
        };
    }

    @SuppressWarnings("deprecation") // Envoys of today still take them, and control planes of today still write them.
    private static Predicate<CharSequence> headerValue(HeaderMatcher matcher, String field) throws Invalid {
        return switch (matcher.getHeaderMatchSpecifierCase()) {
            case EXACT_MATCH ->
                Texts.compile(
                        StringMatcher.newBuilder()
                                .setExact(matcher.getExactMatch())
                                .build(),
                        field);
            case PREFIX_MATCH ->
                Texts.compile(
                        StringMatcher.newBuilder()
                                .setPrefix(matcher.getPrefixMatch())
                                .build(),
                        field);
            case SUFFIX_MATCH ->
                Texts.compile(
                        StringMatcher.newBuilder()
                                .setSuffix(matcher.getSuffixMatch())
                                .build(),
                        field);
            case CONTAINS_MATCH ->
                Texts.compile(
                        StringMatcher.newBuilder()
                                .setContains(matcher.getContainsMatch())
                                .build(),
                        field);
            case SAFE_REGEX_MATCH -> Texts.regex(matcher.getSafeRegexMatch(), field + ".safe_regex_match");
            case STRING_MATCH -> Texts.compile(matcher.getStringMatch(), field + ".string_match");
            case RANGE_MATCH -> {
                Int64Range range = matcher.getRangeMatch();
                yield text -> inRange(text, range.getStart(), range.getEnd());
            }
            case PRESENT_MATCH, HEADERMATCHSPECIFIER_NOT_SET -> throw new Invalid(field, "does not ask about a value");
        };
    }

    private static boolean inRange(CharSequence text, long start, long end) {
        try {
            long value = Long.parseLong(text, 0, text.length(), 10);
            return value >= start && value < end;
        } catch (NumberFormatException _) {
            return false;
        }
    }

    private static @Nullable CharSequence value(RequestHead head, String name) {
        return switch (name) {
            case ":method" -> head.method();
            case ":authority", "host" -> head.authority();
            case ":path" -> head.path();
            case ":scheme" -> head.scheme();
            default -> head.header(name);
        };
    }

    private static Predicate<RequestHead> query(QueryParameterMatcher matcher, String field) throws Invalid {
        String name = matcher.getName();
        return switch (matcher.getQueryParameterMatchSpecifierCase()) {
            case STRING_MATCH -> {
                Predicate<CharSequence> test = Texts.compile(matcher.getStringMatch(), field + ".string_match");
                yield head -> {
                    String value = queryValue(head.path(), name);
                    return value != null && test.test(value);
                };
            }
            case PRESENT_MATCH -> {
                boolean present = matcher.getPresentMatch();
                yield head -> (queryValue(head.path(), name) != null) == present;
            }
            case QUERYPARAMETERMATCHSPECIFIER_NOT_SET -> head -> queryValue(head.path(), name) != null;
        };
    }

    /// The first value of a query parameter, as it was written.
    static @Nullable String queryValue(String path, String name) {
        int at = path.indexOf('?');
        while (at >= 0) {
            int start = at + 1;
            int next = path.indexOf('&', start);
            int end = next < 0 ? path.length() : next;
            if (path.startsWith(name, start)) {
                int after = start + name.length();
                if (after == end) {
                    return "";
                }
                if (after < end && path.charAt(after) == '=') {
                    return path.substring(after + 1, end);
                }
            }
            at = next;
        }
        return null;
    }

    static void unsupported(boolean set, String field) throws Invalid {
        if (set) {
            throw new Invalid(field, "is not supported; leave it out");
        }
    }

    /// A number that protobuf has unsigned.
    static int number(UInt32Value value, String field) throws Invalid {
        if (value.getValue() < 0) {
            throw new Invalid(
                    field,
                    "must be " + Integer.MAX_VALUE + " or less, was " + Integer.toUnsignedString(value.getValue()));
        }
        return value.getValue();
    }
}
