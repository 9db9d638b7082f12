package dev.bodyguard.proxy.engine;

import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Why a request is answered here instead of by the one it was meant for. The one place that knows statuses,
/// response flags and sentences of local replies.
public sealed interface Refusal {
    /// The HTTP status.
    default int status() {
        return code().status();
    }

    /// Envoy's response flag, `-` where there is none.
    default String flag() {
        return code().flag();
    }

    /// Envoy's word for it, `response_code_details` in an access log.
    default String details() {
        return code().details();
    }

    /// What the rule that spoke is due to, null where no rule did.
    default @Nullable String origin() {
        return null;
    }

    /// What whoever asked is told of [#origin]; null where that is nothing.
    default @Nullable String told() {
        return origin();
    }

    private RefusalCode code() {
        return switch (this) {
            case NoRoute _, NoPort _ -> new RefusalCode(404, "NR", "route_not_found");
            case Blocked blocked -> new RefusalCode(blocked.status(), "NR", "direct_response");
            case Nowhere nowhere -> new RefusalCode(nowhere.status(), "NC", "cluster_not_found");
            case NoCluster _, NotReadyYet _, NotToldYet _ -> new RefusalCode(503, "NC", "cluster_not_found");
            case NoHealthyEndpoint _ -> new RefusalCode(503, "UH", "no_healthy_upstream");
            case ConnectFailed _, AppNotListening _ -> RefusalCode.reset(503, "UF", "connection_failure");
            case NotHttp2 _ -> RefusalCode.reset(502, "UPE", "protocol_error");
            case UpstreamReset _ -> RefusalCode.reset(503, "UC", "connection_termination");
            case BrokenAnswer _, NoUpgrades _ -> RefusalCode.reset(502, "UPE", "protocol_error");
            case TurnedAway _ -> RefusalCode.reset(503, "UR", "remote_refused_stream_reset");
            case Full _ -> new RefusalCode(503, "UO", "overload");
            case Overflow _ -> RefusalCode.reset(503, "UO", "overflow");
            case HeadTooLarge _ -> new RefusalCode(431, "DPE", "request_headers_too_large");
            case TimedOut _, OutOfTime _ -> new RefusalCode(504, "UT", "response_timeout");
            case TryTimedOut _ -> new RefusalCode(504, "UT", "upstream_per_try_timeout");
            case Denied denied ->
                new RefusalCode(403, "RBAC", "rbac_access_denied_matched_policy[" + denied.matched() + "]");
            case Unproven _ -> new RefusalCode(403, "RBAC", "rbac_access_denied_no_certificate");
            case Limited limited -> new RefusalCode(limited.by.status(), "RL", "local_rate_limited");
            case OddPath _ -> new RefusalCode(400, "DPE", "path_normalization_failed");
            case Unreadable unread ->
                new RefusalCode(unread.status(), unread.status() == 408 ? "SI" : "DPE", unread.how());
            case BadRequest _ -> new RefusalCode(400, "DPE", "http1.codec_error");
            case Loop _ -> new RefusalCode(508, "DPE", "loop_detected");
            case Aborted aborted -> new RefusalCode(aborted.status(), "FI", "fault_filter_abort");
        };
    }

    /// What is wrong and what would help, for a person.
    default String sentence() {
        return switch (this) {
            case NoRoute(var host, var method, var path, var _) ->
                "no route of " + host + " matches " + method + " " + path
                        + "; add a rule for it, or one without a match";
            case NoPort(var host, var ports, var _) -> {
                int slash = host.indexOf('/');
                yield "the mesh knows " + host.substring(slash + 1) + ", but not its port "
                        + host.substring(0, Math.max(slash, 0)) + "; it has " + ports
                        + ": call one of these, or declare the port";
            }
            case Blocked(var _, var sentence, var _) -> sentence;
            case Nowhere(var _, var sentence, var _) -> sentence;
            case NoCluster(var cluster, var _) ->
                "the rule's destination " + cluster + " does not exist; is its service, port or subset defined?";
            case NotReadyYet(var host) ->
                "the endpoints of " + host + " are still on their way from the control plane; try again";
            case NotToldYet(var host) ->
                "the control plane has not said within a second how to reach " + host
                        + ", and a name that the mesh may mean is not called in plain text; try again";
            case NoHealthyEndpoint none -> none.reason();
            case ConnectFailed(var address, var cause, var _) -> "could not connect to " + address + ": " + cause;
            case AppNotListening(var address) -> "the application does not listen on " + address;
            case NotHttp2(var address, var cause, var _) ->
                "the request is HTTP/2, which " + address + " does not speak: " + cause
                        + "; gRPC needs an application that speaks HTTP/2 without TLS (h2c)";
            case UpstreamReset(var address, var cause, var _) ->
                address + " closed the connection before it answered: " + cause;
            case BrokenAnswer(var address, var cause, var _) ->
                "what " + address + " answered breaks HTTP's rules: " + cause;
            case NoUpgrades(var address, var cause, var _) ->
                "the request asks for another protocol, and " + address + " takes none: " + cause;
            case TurnedAway(var workload, var address, var cause, var _) ->
                (workload.isEmpty() ? address : "workload " + workload + " at " + address)
                        + " turned the request away unprocessed; does its application listen? (" + cause + ")";
            case Full(var bytes) ->
                "this sidecar has as many requests under way as it has memory for (" + (bytes >> 10)
                        + " KiB of heads); try again, or give it more (-Xmx)";
            case Overflow(var cluster, var limit, var _) -> cluster + " is at its limit: " + limit;
            case HeadTooLarge(var cause, var _) -> cause;
            case TimedOut(var after, var _) ->
                "no complete answer within " + after.toMillis() + " ms, the route's timeout";
            case OutOfTime(var left, var header) ->
                "no complete answer within the " + left.toMillis() + " ms that the caller has left for it (" + header
                        + ")";
            case TryTimedOut(var address, var after, var _) ->
                address + " did not answer within " + after.toMillis() + " ms, the route's time per try";
            case Denied denied -> "RBAC: " + denied.peer + " may not " + denied.what + ": " + denied.reason();
            case Unproven _ ->
                "only mutual TLS is let in here by now (STRICT), and this connection, which is older, has none: let the"
                        + " caller go through its own sidecar";
            case Limited(var peer, var by) ->
                "rate limited: " + peer + " is over " + by.quota().requests() + " per "
                        + Limited.per(by.quota().window()) + " of " + told() + "; try again in " + by.retryAfter()
                        + " s";
            case OddPath(var path) -> "the path cannot be normalised, and policies decide by it: " + path;
            case Unreadable(var _, var _, var sentence) -> sentence;
            case BadRequest(var sentence) -> sentence;
            case Loop(var address) -> "the request's destination " + address + " is this proxy itself";
            case Aborted _ -> "aborted by a fault injection rule";
        };
    }

    /// The host is known, none of its routes match.
    record NoRoute(
            String host,
            String method,
            String path,
            @Nullable String origin) implements Refusal {}

    /// The host is known, but not on this port.
    ///
    /// @param host `port/authority`
    /// @param ports that it has
    record NoPort(String host, String ports, @Nullable String origin) implements Refusal {}

    /// The host is not of the mesh, and the outbound policy lets only known ones out.
    record Blocked(int status, String sentence, @Nullable String origin) implements Refusal {}

    /// The rule leads nowhere, and the control plane has said why.
    record Nowhere(int status, String sentence, @Nullable String origin) implements Refusal {}

    /// The rule names a cluster that does not exist.
    record NoCluster(String cluster, @Nullable String origin) implements Refusal {}

    /// The host is of the mesh, but where its rules lead has not been told yet.
    ///
    /// @param host `port/authority`
    record NotReadyYet(String host) implements Refusal {}

    /// Nobody has said yet whether the host is of the mesh, but its name says that it may be.
    ///
    /// @param host `port/authority`
    record NotToldYet(String host) implements Refusal {}

    /// The destination has no endpoint that could take the request.
    ///
    /// @param unready how many it has
    /// @param ejected how many of these are ejected
    /// @param outside how many its service has that are not of its subset, 0 where that is not known
    record NoHealthyEndpoint(
            String cluster,
            int unready,
            int ejected,
            int outside,
            @Nullable String origin) implements Refusal {
        public NoHealthyEndpoint(ClusterPlan cluster, @Nullable String origin) {
            this(
                    cluster.name(),
                    cluster.endpoints().size(),
                    (int) cluster.endpoints().stream()
                            .filter(Endpoint::isEjected)
                            .count(),
                    cluster.outsideSubset(),
                    origin);
        }

        private String reason() {
            if (ejected > 0) {
                return "no endpoint of " + cluster + " is in service: of " + unready + " that it has " + ejected
                        + (ejected == 1 ? " is" : " are")
                        + " ejected, which failed too often in a row; try again, or let fewer be ejected at one time";
            }
            if (unready > 0) {
                return "no endpoint of " + cluster + " is ready, of " + unready + " that it has; try again";
            }
            return cluster + " has no endpoint now"
                    + (outside == 0
                            ? "; is a workload of it running and registered?"
                            : ": of the " + outside + " that its service has none is of this subset; start a workload"
                                    + " with its labels, or lead the rule elsewhere");
        }
    }

    /// No attempt got a connection.
    ///
    /// @param cause in a few words: `connection refused`
    record ConnectFailed(
            String address, String cause, @Nullable String origin) implements Refusal {}

    /// The workload's own application is not there.
    record AppNotListening(String address) implements Refusal {}

    /// Whoever is there does not speak HTTP/2, and the request cannot be said otherwise.
    record NotHttp2(String address, String cause, @Nullable String origin) implements Refusal {}

    /// The request asks for another protocol, and there is no way of asking the upstream.
    record NoUpgrades(
            String address, String cause, @Nullable String origin) implements Refusal {}

    /// The upstream broke off before it answered.
    record UpstreamReset(
            String address, String cause, @Nullable String origin) implements Refusal {}

    /// What the upstream answered cannot be passed on.
    record BrokenAnswer(
            String address, String cause, @Nullable String origin) implements Refusal {}

    /// The peer said that it has not processed the request, and all attempts at others were used up.
    ///
    /// @param workload empty where it is not known
    record TurnedAway(
            String workload,
            String address,
            String cause,
            @Nullable String origin) implements Refusal {}

    /// More is under way in all than this proxy has memory for.
    ///
    /// @param bytes that requests under way may hold
    record Full(long bytes) implements Refusal {}

    /// More is under way to the destination than its limits allow.
    record Overflow(String cluster, String limit, @Nullable String origin) implements Refusal {}

    /// Whoever it was to go to takes no head as large.
    record HeadTooLarge(String cause, @Nullable String origin) implements Refusal {}

    /// The time for the whole exchange ran out.
    record TimedOut(Duration after, @Nullable String origin) implements Refusal {}

    /// The caller's own time ran out, which says nothing of whom it was waited for.
    ///
    /// @param left when it came
    /// @param header by which the caller has said so
    record OutOfTime(Duration left, String header) implements Refusal {}

    /// The last attempt's own time ran out.
    record TryTimedOut(
            String address, Duration after, @Nullable String origin) implements Refusal {}

    /// Its path has no spelling that policies could be asked about.
    record OddPath(String path) implements Refusal {}

    /// It came without a certificate, where one is asked for since.
    record Unproven() implements Refusal {}

    /// Bytes that are no request, too much of one, or too late.
    ///
    /// @param status 0 where there was no answer but the stream's end
    record Unreadable(int status, boolean http2, String sentence) implements Refusal {
        private String how() {
            return switch (status) {
                case 408 -> "request_header_timeout";
                case 431 -> http2 ? "http2.too_many_headers" : "http1.headers_too_large";
                default -> http2 ? "http2.violation.of.messaging.rule" : "http1.codec_error";
            };
        }
    }

    /// Not an HTTP request one could route.
    record BadRequest(String sentence) implements Refusal {}

    /// The request came back to where it had been.
    record Loop(String address) implements Refusal {}

    /// A fault injected on purpose.
    record Aborted(int status, @Nullable String origin) implements Refusal {}

    /// Authorization says no. Who asked is told the object that decided, but not where it is written.
    ///
    /// @param what method and path
    /// @param policy that denies, or, where none does, those that do not allow; with commas between them
    /// @param denies whether the policy denies it, rather than fails to allow it
    record Denied(String peer, String what, String policy, boolean denies) implements Refusal {
        private String matched() {
            return denies ? policy.replace(' ', '_') : "none";
        }

        private String reason() {
            if (denies) {
                return "denied by " + named();
            }
            return policy.isEmpty() ? "nobody is allowed anything here" : "not allowed by any rule of " + named();
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
}
