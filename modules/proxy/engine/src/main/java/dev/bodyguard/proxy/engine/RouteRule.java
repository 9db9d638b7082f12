package dev.bodyguard.proxy.engine;

import java.time.Duration;
import java.util.List;
import java.util.function.UnaryOperator;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// What to do with the requests that matched a route.
///
/// @param name the route's name, empty where it has none
/// @param origin what the rule is due to, as its author would look for it
/// @param request changes to the request's headers
/// @param response changes to the response's headers
/// @param fault a fault to inject first, null for none
public record RouteRule(
        String name,
        @Nullable String origin,
        Action action,
        HeaderChanges request,
        HeaderChanges response,
        @Nullable Fault fault) {

    /// What a route leads to.
    public sealed interface Action {}

    /// On to one of the clusters.
    ///
    /// @param timeout for the whole exchange, retries included; zero for none
    public record Forward(Split split, Duration timeout, RetryPolicy retries, Rewrite rewrite, List<HashInput> hash)
            implements Action {
        public Forward {
            hash = List.copyOf(hash);
        }
    }

    /// An answer made here.
    public record Respond(int status, String body) implements Action {}

    /// No destination that could be led to, as the control plane found: nobody's wish, so said like any refusal.
    public record Refuse(Refusal.Nowhere refusal) implements Action {}

    /// A redirection, made here: a null part stays as the client asked.
    ///
    /// @param prefix length of the matched prefix that `path` replaces, -1 where it replaces the whole path
    public record Redirect(
            int status,
            @Nullable String scheme,
            @Nullable String host,
            int port,
            @Nullable String path,
            int prefix,
            boolean stripQuery)
            implements Action {
        /// The value of the `location` header.
        public String location(RequestHead head) {
            String authority = head.authority();
            int colon = authority.lastIndexOf(':');
            boolean hasPort = colon > authority.lastIndexOf(']') && colon >= 0;
            String to = scheme == null ? head.scheme() : scheme;
            var location = new StringBuilder(to).append("://");
            if (host != null) {
                location.append(host);
            } else {
                location.append(hasPort ? authority.substring(0, colon) : authority);
            }
            if (port > 0) {
                location.append(':').append(port);
            } else if (host == null && scheme == null && hasPort) {
                location.append(authority, colon, authority.length());
            }
            String asked = head.path();
            int query = asked.indexOf('?');
            String askedPath = query < 0 ? asked : asked.substring(0, query);
            if (path == null) {
                location.append(askedPath);
            } else if (prefix < 0) {
                location.append(path);
            } else {
                location.append(path).append(askedPath, Math.min(prefix, askedPath.length()), askedPath.length());
            }
            if (query >= 0 && !stripQuery) {
                location.append(asked, query, asked.length());
            }
            return location.toString();
        }
    }

    /// Clusters and how much of the traffic each one gets.
    public record Split(List<Share> shares) {
        public Split {
            shares = List.copyOf(shares);
            long total = 0;
            for (Share share : shares) {
                total += share.weight();
            }
            if (total <= 0 || total > Integer.MAX_VALUE) {
                throw new IllegalArgumentException("weights must add up to 1 to 4294967295, was " + total);
            }
        }

        /// One of the shares, by chance and in proportion to the weights.
        public Share draw(RandomGenerator random) {
            if (shares.size() == 1) {
                return shares.getFirst();
            }
            int total = 0;
            for (int i = 0; i < shares.size(); i++) {
                total += shares.get(i).weight();
            }
            int ticket = random.nextInt(total);
            for (int i = 0; i < shares.size(); i++) {
                ticket -= shares.get(i).weight();
                if (ticket < 0) {
                    return shares.get(i);
                }
            }
            throw new AssertionError("a ticket below the total always meets a share");
        }
    }

    /// A cluster's share of a split.
    public record Share(String cluster, int weight, HeaderChanges request, HeaderChanges response) {
        public Share {
            if (weight < 0) {
                throw new IllegalArgumentException("weight must be 0 or more, was " + weight);
            }
        }
    }

    /// Changes to the request line. Null and -1 parts stay as they are.
    ///
    /// @param host the new authority
    /// @param prefix length of the matched prefix that `path` replaces, -1 where it replaces the whole path
    /// @param path the new path or prefix
    /// @param substitution makes a new path, without its query, of the old one; never together with `path`
    public record Rewrite(
            @Nullable String host,
            int prefix,
            @Nullable String path,
            @Nullable UnaryOperator<String> substitution) {
        /// Leaves everything as it is.
        public static final Rewrite NONE = new Rewrite(null, -1, null, null);

        /// The path to send, the query kept.
        public String path(String asked) {
            int query = asked.indexOf('?');
            int end = query < 0 ? asked.length() : query;
            if (substitution != null) {
                return substitution.apply(asked.substring(0, end)) + asked.substring(end);
            }
            if (path == null) {
                return asked;
            }
            String rest = prefix < 0 ? "" : asked.substring(Math.min(prefix, end), end);
            String joined = path + rest;
            if (joined.startsWith("//") && path.equals("/")) {
                // `/api` rewritten to `/`: `/api/x` is `/x`, and must not turn into an authority.
                joined = joined.substring(1);
            }
            if (!joined.startsWith("/")) {
                joined = "/" + joined;
            }
            return query < 0 ? joined : joined + asked.substring(query);
        }
    }

    /// A fault on purpose.
    ///
    /// @param delayPercent 0 to 100
    /// @param abortPercent 0 to 100
    /// @param abortStatus what an aborted request is answered with
    public record Fault(Duration delay, double delayPercent, int abortStatus, double abortPercent) {
        /// Whether this request is delayed.
        public boolean delays(RandomGenerator random) {
            return delayPercent > 0 && random.nextDouble(100) < delayPercent;
        }

        /// Whether this request is aborted.
        public boolean aborts(RandomGenerator random) {
            return abortPercent > 0 && random.nextDouble(100) < abortPercent;
        }
    }

    /// What a request is hashed by, where the cluster's balancer hashes.
    public sealed interface HashInput {
        /// A header's value.
        record Header(String name) implements HashInput {}

        /// A cookie's value.
        ///
        /// @param attributes what follows name and value in the `set-cookie` of an answer to a request that
        /// lacks it, such as `; Max-Age=60; Path=/; HttpOnly`; null where nobody is given one
        record Cookie(String name, @Nullable String attributes) implements HashInput {}

        /// A query parameter's value.
        record Query(String name) implements HashInput {}

        /// The client's address.
        record SourceAddress() implements HashInput {}
    }
}
