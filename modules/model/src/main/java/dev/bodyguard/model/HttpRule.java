package dev.bodyguard.model;

import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// One rule: if any of the matches holds, this is what happens to the request.
///
/// @param name the author's name for it, empty where there is none
/// @param matches empty: every request
/// @param timeout for the whole exchange; zero where there is none by the author's word, null where nothing was said,
///     which means none too
public record HttpRule(
        String name,
        List<HttpMatch> matches,
        Action action,
        @Nullable Duration timeout,
        Retries retries,
        @Nullable Rewrite rewrite,
        HeaderEdits headers,
        @Nullable Delay delay,
        @Nullable Abort abort,
        Origin origin) {
    public HttpRule {
        matches = List.copyOf(matches);
    }

    /// This rule for one of its matches.
    HttpRule only(HttpMatch match) {
        return new HttpRule(name, List.of(match), action, timeout, retries, rewrite, headers, delay, abort, origin);
    }

    /// This rule, with another answer.
    HttpRule leadingTo(Action other) {
        return new HttpRule(name, matches, other, timeout, retries, rewrite, headers, delay, abort, origin);
    }

    /// This rule, with another word on how long, and how often, is tried.
    HttpRule tried(@Nullable Duration atMost, Retries again) {
        return new HttpRule(name, matches, action, atMost, again, rewrite, headers, delay, abort, origin);
    }

    /// What answers.
    public sealed interface Action {
        /// One of these, drawn by weight; all weights 0 never happens.
        record Forward(List<Weighted> destinations) implements Action {
            public Forward {
                destinations = List.copyOf(destinations);
                if (destinations.stream().mapToLong(Weighted::weight).sum() <= 0) {
                    throw new IllegalArgumentException("some destination must have a weight above 0");
                }
            }
        }

        /// The client is sent elsewhere; null parts stay as they were.
        ///
        /// @param path replaces the whole path
        /// @param prefix replaces what the match's prefix matched; never together with `path`
        record Redirect(
                @Nullable String path,
                @Nullable String prefix,
                @Nullable String authority,
                @Nullable String scheme,
                RedirectPort port,
                int status)
                implements Action {}

        /// The proxy itself answers.
        ///
        /// @param body empty: none
        record Respond(int status, String body) implements Action {}

        /// There is nowhere to lead to, and requests are told so.
        record Refuse(int status, String sentence) implements Action {}
    }

    /// The port in a redirect's location.
    public sealed interface RedirectPort {
        /// None written, unless the request's authority had one.
        record AsRequested() implements RedirectPort {}

        /// This one.
        record Fixed(int port) implements RedirectPort {}

        /// The one on which the request arrived.
        record OfRequest() implements RedirectPort {}

        /// 80 or 443, after the scheme.
        record OfScheme() implements RedirectPort {}

        /// The one on which the request arrived, and none written where that is what the scheme means anyway.
        record Kept() implements RedirectPort {}
    }

    /// Some of the instances of a service.
    ///
    /// @param host full name, lower case
    /// @param subset one that a backend policy defines; empty: all
    /// @param port 0: the service's only port, or the one that was asked for
    /// @param origin where the subset is written, the host where there is none
    /// @param hostAt where the host is written
    /// @param portAt where the port is written, null where none is
    public record Destination(
            String host,
            String subset,
            int port,
            Origin origin,
            Origin hostAt,
            @Nullable Origin portAt) {
        /// All instances of a service.
        public Destination(String host, int port, Origin origin) {
            this(host, "", port, origin, origin, port == 0 ? null : origin);
        }

        /// Where an author looks for the port.
        public Origin portPlace() {
            return portAt == null ? hostAt : portAt;
        }
    }

    /// A destination and its share.
    public record Weighted(Destination destination, int weight, HeaderEdits headers) {
        public Weighted {
            if (weight < 0) {
                throw new IllegalArgumentException("weight must be 0 or more, was " + weight);
            }
        }
    }

    /// How often, and when, a request is sent again.
    public sealed interface Retries {
        /// The author said nothing: twice, and only what surely was not processed.
        record Unsaid() implements Retries {}

        /// Never.
        record Never() implements Retries {}

        /// What the author asked for.
        ///
        /// @param attempts 1 or more
        /// @param perTry null where only the whole exchange is limited
        /// @param conditions retryOn words as written; empty: the payment-safe default
        /// @param statuses status codes among the conditions; without conditions, what fails in place of 5xx
        /// @param backoff the first pause, null for the default
        /// @param elsewhere prefers instances that were not tried yet
        record Explicit(
                int attempts,
                @Nullable Duration perTry,
                List<String> conditions,
                Set<Integer> statuses,
                @Nullable Duration backoff,
                boolean elsewhere)
                implements Retries {
            public Explicit {
                if (attempts < 1) {
                    throw new IllegalArgumentException("attempts must be 1 or more, was " + attempts);
                }
                conditions = List.copyOf(conditions);
                statuses = Set.copyOf(statuses);
            }

            /// The same, whatever the status.
            public Explicit withoutStatuses() {
                return new Explicit(attempts, perTry, conditions, Set.of(), backoff, elsewhere);
            }
        }
    }

    /// What the upstream sees in place of what the client sent; null parts stay as they were.
    ///
    /// @param path replaces the whole path
    /// @param prefix replaces what the match's prefix matched, or all of an exact path; never together with `path`
    public record Rewrite(
            @Nullable String path,
            @Nullable String prefix,
            @Nullable String authority) {}

    /// Header changes on the way in and on the way back.
    public record HeaderEdits(HeaderEdit request, HeaderEdit response) {
        /// Nothing changes.
        public static final HeaderEdits NONE = new HeaderEdits(HeaderEdit.NONE, HeaderEdit.NONE);
    }

    /// Header changes in one direction.
    public record HeaderEdit(Map<String, String> set, Map<String, String> add, List<String> remove) {
        /// Nothing changes.
        public static final HeaderEdit NONE = new HeaderEdit(Map.of(), Map.of(), List.of());

        public HeaderEdit {
            set = Map.copyOf(set);
            add = Map.copyOf(add);
            remove = List.copyOf(remove);
        }
    }

    /// Holds up some of the requests.
    ///
    /// @param percent 0 to 100
    public record Delay(Duration pause, double percent) {}

    /// Refuses some of the requests.
    ///
    /// @param percent 0 to 100
    public record Abort(int status, double percent) {}
}
