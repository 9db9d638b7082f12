package dev.bodyguard.proxy.engine;

import dev.bodyguard.proxy.engine.Admission.Quota;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.RateLimit;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.XRateLimitHeadersRFCVersion;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.TokenBucket;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/// The `LocalRateLimit` filters of one listener's chain, compiled. A request has to find a token in every bucket that
/// counts it; where one is empty, those taken before go back.
final class RateLimits {
    /// What stands for the caller's identity in a descriptor.
    static final String PRINCIPAL = "%DOWNSTREAM_PEER_URI_SAN%";

    private static final Admission FREE = new Admission.Admitted(null);
    private static final String RULE = "rule";
    /// What Envoy's formatter makes of a caller without a certificate: all such are one.
    private static final String NOBODY = "-";

    private static final long NANOS = 1_000_000_000L;
    private static final long UNLIMITED = 0xffffffffL;
    /// Envoy's own default.
    private static final int ROOM = 20;

    private final List<Limit> limits;

    RateLimits(List<Limit> limits) {
        this.limits = List.copyOf(limits);
    }

    /// What one list of actions leads to.
    ///
    /// @param everybody the bucket where the caller does not matter, null where it does
    /// @param known callers that have a bucket of their own by name
    /// @param others the other callers' buckets, null where they are not limited
    record Limit(
            String rule,
            int status,
            boolean told,
            Predicate<RequestHead> about,
            @Nullable Bucket everybody,
            Map<String, Bucket> known,
            @Nullable IdentityBuckets others) {
        @Nullable
        Bucket bucket(@Nullable String peer, long now) {
            if (everybody != null) {
                return everybody;
            }
            String who = peer == null ? NOBODY : peer;
            Bucket own = known.get(who);
            return own != null ? own : others == null ? null : others.of(who, now);
        }

        /// How it stands for a caller, null where it does not limit that one.
        @Nullable
        Quota standing(@Nullable String peer, long now) {
            String who = peer == null ? NOBODY : peer;
            Bucket own = everybody == null ? known.get(who) : everybody;
            if (own != null) {
                return quota(own, own.lacking(now));
            }
            if (others == null) {
                return null;
            }
            Bucket standing = others.standing(who, now);
            return quota(others.rate(), standing == null ? 0 : standing.lacking(now));
        }

        Quota quota(Bucket bucket, long lacking) {
            return quota(bucket.rate(), lacking);
        }

        private Quota quota(Bucket.Rate rate, long lacking) {
            return new Quota(
                    Texts.object(rule),
                    rate.most(),
                    rate.perFill(),
                    Math.max(1, rate.fill() / NANOS),
                    (rate.depth() - lacking) / rate.each(),
                    (lacking + NANOS - 1) / NANOS);
        }
    }

    boolean isEmpty() {
        return limits.isEmpty();
    }

    Admission admit(@Nullable String peer, RequestHead head, long now) {
        if (limits.isEmpty()) {
            return FREE;
        }
        var taken = new ArrayList<Bucket>(limits.size());
        Quota tightest = null;
        for (Limit limit : limits) {
            Bucket bucket = limit.about.test(head) ? limit.bucket(peer, now) : null;
            if (bucket == null) {
                continue;
            }
            long lacking = bucket.take(now);
            if (lacking < 0) {
                taken.forEach(Bucket::giveBack);
                return new Admission.Exceeded(
                        limit.quota(bucket, bucket.rate().depth()),
                        limit.rule,
                        limit.status,
                        (-lacking + NANOS - 1) / NANOS);
            }
            taken.add(bucket);
            if (limit.told) {
                var quota = limit.quota(bucket, lacking);
                if (tightest == null || quota.remaining() < tightest.remaining()) {
                    tightest = quota;
                }
            }
        }
        return tightest == null ? FREE : new Admission.Admitted(tightest);
    }

    List<Admission.Limit> about(@Nullable String peer, RequestHead head, long now) {
        var about = new ArrayList<Admission.Limit>();
        for (Limit limit : limits) {
            var quota = limit.about.test(head) ? limit.standing(peer, now) : null;
            if (quota != null) {
                about.add(new Admission.Limit(limit.rule, limit.status, quota));
            }
        }
        return List.copyOf(about);
    }

    // -- from resources

    /// @param used takes what the limits count with
    static List<Limit> compile(LocalRateLimit filter, String field, Rates rates, Set<Rates.Key> used) throws Invalid {
        if (!isOn(filter.getFilterEnabled(), field + ".filter_enabled")
                || !isOn(filter.getFilterEnforced(), field + ".filter_enforced")) {
            return List.of();
        }
        Matching.unsupported(filter.getStage() != 0, field + ".stage");
        Matching.unsupported(
                filter.getLocalRateLimitPerDownstreamConnection(),
                field + ".local_rate_limit_per_downstream_connection");
        Matching.unsupported(filter.hasLocalClusterRateLimit(), field + ".local_cluster_rate_limit");
        Matching.unsupported(filter.getResponseHeadersToAddCount() > 0, field + ".response_headers_to_add");
        int status = filter.hasStatus() ? filter.getStatus().getCodeValue() : 429;
        if (status < 400 || status > 599) {
            throw new Invalid(field + ".status", "must be 400 to 599, was " + status);
        }
        boolean told = filter.getEnableXRatelimitHeaders() == XRateLimitHeadersRFCVersion.DRAFT_VERSION_03;
        int room = filter.hasMaxDynamicDescriptors()
                ? Matching.number(filter.getMaxDynamicDescriptors(), field + ".max_dynamic_descriptors")
                : ROOM;
        var all = new ArrayList<Limit>();
        for (int i = 0; i < filter.getRateLimitsCount(); i++) {
            var reading = new Reading(
                    filter, actions(filter.getRateLimits(i), field + ".rate_limits[" + i + "]"), field, rates, used);
            var limit = reading.limit(status, told, room);
            if (limit != null) {
                all.add(limit);
            }
        }
        if (filter.hasTokenBucket()
                && Integer.toUnsignedLong(filter.getTokenBucket().getMaxTokens()) < UNLIMITED) {
            if (filter.getRateLimitsCount() > 0) {
                throw new Invalid(
                        field + ".token_bucket", "must be 4294967295 tokens beside rate_limits, which have their own");
            }
            var key = new Rates.Key(
                    filter.getStatPrefix(), "", rate(filter.getTokenBucket(), field + ".token_bucket"), 0);
            used.add(key);
            all.add(new Limit(filter.getStatPrefix(), status, told, _ -> true, rates.bucket(key), Map.of(), null));
        }
        return all;
    }

    private static boolean isOn(RuntimeFractionalPercent given, String field) throws Invalid {
        FractionalPercent percent = given.getDefaultValue();
        long whole = switch (percent.getDenominator()) {
            case HUNDRED, UNRECOGNIZED -> 100;
            case TEN_THOUSAND -> 10_000;
            case MILLION -> 1_000_000;
        };
        long share = Integer.toUnsignedLong(percent.getNumerator());
        if (share != 0 && share < whole) {
            throw new Invalid(field, "must be all or nothing, was " + share + " of " + whole);
        }
        return share != 0;
    }

    /// A list of actions: when it yields a descriptor, and which.
    ///
    /// @param entries key to value; the caller's identity as [#PRINCIPAL]
    private record Actions(Predicate<RequestHead> about, List<Map.Entry<String, String>> entries) {}

    private static Actions actions(RateLimit limit, String field) throws Invalid {
        Matching.unsupported(limit.hasStage() && limit.getStage().getValue() != 0, field + ".stage");
        Matching.unsupported(limit.hasLimit(), field + ".limit");
        Matching.unsupported(!limit.getDisableKey().isEmpty(), field + ".disable_key");
        var conditions = new ArrayList<Predicate<RequestHead>>();
        var entries = new ArrayList<Map.Entry<String, String>>();
        for (int i = 0; i < limit.getActionsCount(); i++) {
            RateLimit.Action action = limit.getActions(i);
            String at = field + ".actions[" + i + "]";
            switch (action.getActionSpecifierCase()) {
                case GENERIC_KEY -> {
                    var generic = action.getGenericKey();
                    String value = generic.getDescriptorValue();
                    if (value.contains("%") && !value.equals(PRINCIPAL)) {
                        throw new Invalid(at, "must be a plain text or " + PRINCIPAL + ", was " + value);
                    }
                    entries.add(Map.entry(or(generic.getDescriptorKey(), "generic_key"), value));
                }
                case HEADER_VALUE_MATCH -> {
                    var match = action.getHeaderValueMatch();
                    var headers = new ArrayList<Predicate<RequestHead>>();
                    for (HeaderMatcher header : match.getHeadersList()) {
                        headers.add(Matching.header(header, at + ".headers"));
                    }
                    var all = Matching.all(headers);
                    conditions.add(
                            match.hasExpectMatch() && !match.getExpectMatch().getValue() ? all.negate() : all);
                    entries.add(Map.entry(or(match.getDescriptorKey(), "header_match"), match.getDescriptorValue()));
                }
                default -> throw new Invalid(at, "action is not supported: " + action.getActionSpecifierCase());
            }
        }
        return new Actions(conditions.isEmpty() ? _ -> true : Matching.all(conditions), entries);
    }

    private static String or(String text, String otherwise) {
        return text.isEmpty() ? otherwise : text;
    }

    /// The descriptors that one list of actions may lead to.
    private record Reading(LocalRateLimit filter, Actions actions, String field, Rates rates, Set<Rates.Key> used) {
        @Nullable
        Limit limit(int status, boolean told, int room) throws Invalid {
            String rule = filter.getStatPrefix();
            boolean byCaller = false;
            for (var entry : actions.entries) {
                if (entry.getKey().equals(RULE)) {
                    rule = entry.getValue();
                }
                byCaller |= entry.getValue().equals(PRINCIPAL);
            }
            Bucket everybody = null;
            var known = new HashMap<String, Bucket>();
            IdentityBuckets others = null;
            for (int i = 0; i < filter.getDescriptorsCount(); i++) {
                LocalRateLimitDescriptor descriptor = filter.getDescriptors(i);
                String caller = caller(descriptor.getEntriesList());
                if (caller == null) {
                    continue;
                }
                var rate = rate(descriptor.getTokenBucket(), field + ".descriptors[" + i + "].token_bucket");
                var key =
                        new Rates.Key(Texts.withoutPlace(rule), caller, rate, byCaller && caller.isEmpty() ? room : 0);
                used.add(key);
                if (!byCaller) {
                    everybody = rates.bucket(key);
                } else if (caller.isEmpty()) {
                    others = rates.identities(key);
                } else {
                    known.put(caller, rates.bucket(key));
                }
            }
            return everybody == null && known.isEmpty() && others == null
                    ? null
                    : new Limit(rule, status, told, actions.about, everybody, known, others);
        }

        /// The caller that a descriptor is about, empty for any; null where these actions never lead to it.
        private @Nullable String caller(List<RateLimitDescriptor.Entry> wanted) {
            if (wanted.size() != actions.entries.size()) {
                return null;
            }
            String caller = "";
            for (int i = 0; i < wanted.size(); i++) {
                var entry = wanted.get(i);
                var given = actions.entries.get(i);
                if (!entry.getKey().equals(given.getKey())) {
                    return null;
                }
                if (given.getValue().equals(PRINCIPAL)) {
                    caller = entry.getValue();
                } else if (!entry.getValue().isEmpty() && !entry.getValue().equals(given.getValue())) {
                    return null;
                }
            }
            return caller;
        }
    }

    private static Bucket.Rate rate(TokenBucket bucket, String field) throws Invalid {
        long most = Integer.toUnsignedLong(bucket.getMaxTokens());
        long perFill = bucket.hasTokensPerFill()
                ? Integer.toUnsignedLong(bucket.getTokensPerFill().getValue())
                : 1;
        long fill;
        try {
            fill = Hosts.duration(bucket.getFillInterval(), field + ".fill_interval")
                    .toNanos();
        } catch (ArithmeticException _) {
            fill = 0;
        }
        if (most < 1 || most > 1_000_000_000 || perFill < 1 || fill < 1 || fill > 86_400 * NANOS) {
            throw new Invalid(
                    field,
                    "must be of 1 to 1000000000 tokens that refill within a day, was " + most + ", " + perFill + " per "
                            + fill + " ns");
        }
        if (fill / perFill > Long.MAX_VALUE / 4 / most) {
            throw new Invalid(field, "takes longer to fill than anybody will wait");
        }
        return new Bucket.Rate(most, perFill, fill);
    }
}
