package dev.bodyguard.proxy.engine;

import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Why a request is answered here instead of by the one it was meant for. The one place that knows statuses,
/// response flags and sentences of local replies.
public sealed interface Refusal {
    /// The HTTP status.
    int status();

    /// Envoy's response flag, `-` where there is none.
    String flag();

    /// Envoy's word for it, `response_code_details` in an access log.
    String details();

    /// What is wrong and what would help, for a person.
    String sentence();

    /// What the rule that spoke is due to, null where no rule did.
    @Nullable
    String origin();

    /// What whoever asked is told of [#origin]; null where that is nothing.
    default @Nullable String told() {
        return origin();
    }

    /// The host is known, none of its routes match.
    record NoRoute(
            String host,
            String method,
            String path,
            @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 404;
        }

        @Override
        public String flag() {
            return "NR";
        }

        @Override
        public String details() {
            return "route_not_found";
        }

        @Override
        public String sentence() {
            return "no route of " + host + " matches " + method + " " + path
                    + "; add a rule for it, or one without a match";
        }
    }

    /// The host is known, but not on this port.
    ///
    /// @param host `port/authority`
    /// @param ports that it has
    record NoPort(String host, String ports, @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 404;
        }

        @Override
        public String flag() {
            return "NR";
        }

        @Override
        public String details() {
            return "route_not_found";
        }

        @Override
        public String sentence() {
            int slash = host.indexOf('/');
            return "the mesh knows " + host.substring(slash + 1) + ", but not its port "
                    + host.substring(0, Math.max(slash, 0)) + "; it has " + ports
                    + ": call one of these, or declare the port";
        }
    }

    /// The rule names a cluster that does not exist.
    record NoCluster(String cluster, @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 503;
        }

        @Override
        public String flag() {
            return "NC";
        }

        @Override
        public String details() {
            return "cluster_not_found";
        }

        @Override
        public String sentence() {
            return "the rule's destination " + cluster + " does not exist; is its service or subset defined?";
        }
    }

    /// The destination has no endpoint that could take the request.
    record NoHealthyEndpoint(String cluster, @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 503;
        }

        @Override
        public String flag() {
            return "UH";
        }

        @Override
        public String details() {
            return "no_healthy_upstream";
        }

        @Override
        public String sentence() {
            return "no endpoint of " + cluster + " is ready; is a workload of it running and registered?";
        }
    }

    /// No attempt got a connection.
    ///
    /// @param cause in a few words: `connection refused`
    record ConnectFailed(
            String address, String cause, @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 503;
        }

        @Override
        public String flag() {
            return "UF";
        }

        @Override
        public String details() {
            return "upstream_reset_before_response_started{connection_failure}";
        }

        @Override
        public String sentence() {
            return "could not connect to " + address + ": " + cause;
        }
    }

    /// The workload's own application is not there.
    record AppNotListening(String address) implements Refusal {
        @Override
        public int status() {
            return 503;
        }

        @Override
        public String flag() {
            return "UF";
        }

        @Override
        public String details() {
            return "upstream_reset_before_response_started{connection_failure}";
        }

        @Override
        public String sentence() {
            return "the application does not listen on " + address;
        }

        @Override
        public @Nullable String origin() {
            return null;
        }
    }

    /// The time for the whole exchange ran out.
    record TimedOut(Duration after, @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 504;
        }

        @Override
        public String flag() {
            return "UT";
        }

        @Override
        public String details() {
            return "response_timeout";
        }

        @Override
        public String sentence() {
            return "no complete answer within " + after.toMillis() + " ms, the route's timeout";
        }
    }

    /// The last attempt's own time ran out.
    record TryTimedOut(
            String address, Duration after, @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 504;
        }

        @Override
        public String flag() {
            return "UT";
        }

        @Override
        public String details() {
            return "upstream_per_try_timeout";
        }

        @Override
        public String sentence() {
            return address + " did not answer within " + after.toMillis() + " ms, the route's time per try";
        }
    }

    /// The upstream broke off before it answered.
    record UpstreamReset(
            String address, String cause, @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 503;
        }

        @Override
        public String flag() {
            return "UC";
        }

        @Override
        public String details() {
            return "upstream_reset_before_response_started{connection_termination}";
        }

        @Override
        public String sentence() {
            return address + " closed the connection before it answered: " + cause;
        }
    }

    /// The peer said that it has not processed the request, and all attempts at others were used up.
    ///
    /// @param workload empty where it is not known
    record TurnedAway(
            String workload,
            String address,
            String cause,
            @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 503;
        }

        @Override
        public String flag() {
            return "UR";
        }

        @Override
        public String details() {
            return "upstream_reset_before_response_started{remote_refused_stream_reset}";
        }

        @Override
        public String sentence() {
            return (workload.isEmpty() ? address : "workload " + workload + " at " + address)
                    + " turned the request away unprocessed; does its application listen? (" + cause + ")";
        }
    }

    /// The host is of the mesh, but where its rules lead has not been told yet.
    ///
    /// @param host `port/authority`
    record NotReadyYet(String host) implements Refusal {
        @Override
        public int status() {
            return 503;
        }

        @Override
        public String flag() {
            return "NC";
        }

        @Override
        public String details() {
            return "cluster_not_found";
        }

        @Override
        public String sentence() {
            return "the endpoints of " + host + " are still on their way from the control plane; try again";
        }

        @Override
        public @Nullable String origin() {
            return null;
        }
    }

    /// More is under way to the destination than its limits allow.
    record Overflow(String cluster, String limit, @Nullable String origin) implements Refusal {
        @Override
        public int status() {
            return 503;
        }

        @Override
        public String flag() {
            return "UO";
        }

        @Override
        public String details() {
            return "upstream_reset_before_response_started{overflow}";
        }

        @Override
        public String sentence() {
            return cluster + " is at its limit: " + limit;
        }
    }

    /// The host is not of the mesh, and the outbound policy lets only known ones out.
    record Blocked(int status, String sentence, @Nullable String origin) implements Refusal {
        @Override
        public String flag() {
            return "NR";
        }

        @Override
        public String details() {
            return "direct_response";
        }
    }

    /// Authorization says no. Who asked is told the object that decided, but not where it is written.
    ///
    /// @param what method and path
    /// @param policy that denies, or, where none does, those that do not allow; with commas between them
    /// @param denies whether the policy denies it, rather than fails to allow it
    record Denied(String peer, String what, String policy, boolean denies) implements Refusal {
        @Override
        public int status() {
            return 403;
        }

        @Override
        public String flag() {
            return "RBAC";
        }

        @Override
        public String details() {
            return "rbac_access_denied_matched_policy[" + (denies ? policy.replace(' ', '_') : "none") + "]";
        }

        @Override
        public String sentence() {
            return "RBAC: " + peer + " may not " + what + ": "
                    + (denies
                            ? "denied by " + named()
                            : policy.isEmpty()
                                    ? "nobody is allowed anything here"
                                    : "not allowed by any rule of " + named());
        }

        @Override
        public @Nullable String origin() {
            return policy.isEmpty() ? null : policy;
        }

        @Override
        public @Nullable String told() {
            return policy.isEmpty() ? null : named();
        }

        private String named() {
            return Arrays.stream(policy.split(", ", -1))
                    .map(denies ? Texts::withoutPlace : Texts::object)
                    .distinct()
                    .collect(Collectors.joining(", "));
        }
    }

    /// More requests came than a limit allows. Who asked is told the object that set it, but not where it is written.
    record Limited(String peer, Admission.Exceeded by) implements Refusal {
        @Override
        public int status() {
            return by.status();
        }

        @Override
        public String flag() {
            return "RL";
        }

        @Override
        public String details() {
            return "local_rate_limited";
        }

        @Override
        public String sentence() {
            var quota = by.quota();
            return "rate limited: " + peer + " is over " + quota.requests() + " per " + per(quota.window()) + " of "
                    + told() + "; try again in " + by.retryAfter() + " s";
        }

        private static String per(long seconds) {
            return switch ((int) Math.min(seconds, Integer.MAX_VALUE)) {
                case 1 -> "second";
                case 60 -> "minute";
                case 3_600 -> "hour";
                default -> seconds + " s";
            };
        }

        @Override
        public String origin() {
            return by.rule();
        }

        @Override
        public String told() {
            return Texts.withoutPlace(by.rule());
        }
    }

    /// Its path has no spelling that policies could be asked about.
    record OddPath(String path) implements Refusal {
        @Override
        public int status() {
            return 400;
        }

        @Override
        public String flag() {
            return "DPE";
        }

        @Override
        public String details() {
            return "path_normalization_failed";
        }

        @Override
        public String sentence() {
            return "the path cannot be normalised, and policies decide by it: " + path;
        }

        @Override
        public @Nullable String origin() {
            return null;
        }
    }

    /// The request came back to where it had been.
    record Loop(String address) implements Refusal {
        @Override
        public int status() {
            return 508;
        }

        @Override
        public String flag() {
            return "DPE";
        }

        @Override
        public String details() {
            return "loop_detected";
        }

        @Override
        public String sentence() {
            return "the request's destination " + address + " is this proxy itself";
        }

        @Override
        public @Nullable String origin() {
            return null;
        }
    }

    /// Not an HTTP request one could route.
    record BadRequest(String sentence) implements Refusal {
        @Override
        public int status() {
            return 400;
        }

        @Override
        public String flag() {
            return "DPE";
        }

        @Override
        public String details() {
            return "http1.codec_error";
        }

        @Override
        public @Nullable String origin() {
            return null;
        }
    }

    /// A fault injected on purpose.
    record Aborted(int status, @Nullable String origin) implements Refusal {
        @Override
        public String flag() {
            return "FI";
        }

        @Override
        public String details() {
            return "fault_filter_abort";
        }

        @Override
        public String sentence() {
            return "aborted by a fault injection rule";
        }
    }
}
