package dev.bodyguard.xds.compile;

import com.google.protobuf.BoolValue;
import com.google.protobuf.Duration;
import com.google.protobuf.UInt32Value;
import dev.bodyguard.model.RateLimit.Quota;
import dev.bodyguard.model.RateLimit.Rule;
import dev.bodyguard.model.StringMatch;
import io.envoyproxy.envoy.config.core.v3.RuntimeFractionalPercent;
import io.envoyproxy.envoy.config.route.v3.HeaderMatcher;
import io.envoyproxy.envoy.config.route.v3.RateLimit;
import io.envoyproxy.envoy.config.route.v3.RateLimit.Action;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.LocalRateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.RateLimitDescriptor;
import io.envoyproxy.envoy.extensions.common.ratelimit.v3.XRateLimitHeadersRFCVersion;
import io.envoyproxy.envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit;
import io.envoyproxy.envoy.type.matcher.v3.RegexMatcher;
import io.envoyproxy.envoy.type.matcher.v3.StringMatcher;
import io.envoyproxy.envoy.type.v3.FractionalPercent;
import io.envoyproxy.envoy.type.v3.HttpStatus;
import io.envoyproxy.envoy.type.v3.StatusCode;
import io.envoyproxy.envoy.type.v3.TokenBucket;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.stream.Collectors;

/// One rule of a rate limit as Envoy's local rate limit filter, in fields that every Envoy has. What it counts by are
/// descriptors: the rule, which is its origin, and where callers are told apart the peer's URI SAN.
final class RateLimits {
    private static final String RULE = "rule";
    private static final String PRINCIPAL = "principal";
    private static final String PEER = "%DOWNSTREAM_PEER_URI_SAN%";
    /// Identities that a proxy tells apart for each rule.
    private static final int IDENTITIES = 1_024;

    private static final RuntimeFractionalPercent ALWAYS = RuntimeFractionalPercent.newBuilder()
            .setDefaultValue(FractionalPercent.newBuilder().setNumerator(100))
            .build();
    /// What no descriptor is about is not limited; Envoy wants a bucket for it all the same, whose interval divides all
    /// others'.
    private static final TokenBucket UNLIMITED = TokenBucket.newBuilder()
            .setMaxTokens(-1)
            .setTokensPerFill(UInt32Value.of(-1))
            .setFillInterval(Duration.newBuilder().setSeconds(1))
            .build();

    private final Settings settings;

    RateLimits(Settings settings) {
        this.settings = settings;
    }

    LocalRateLimit filter(Rule rule) {
        var filter = LocalRateLimit.newBuilder()
                .setStatPrefix("rate_limit")
                .setStatus(HttpStatus.newBuilder().setCode(StatusCode.forNumber(rule.status())))
                .setTokenBucket(UNLIMITED)
                .setAlwaysConsumeDefaultTokenBucket(BoolValue.of(false))
                .setFilterEnabled(ALWAYS)
                .setFilterEnforced(ALWAYS)
                .setEnableXRatelimitHeaders(XRateLimitHeadersRFCVersion.DRAFT_VERSION_03)
                .setRateLimitedAsResourceExhausted(true)
                .setMaxDynamicDescriptors(UInt32Value.of(IDENTITIES))
                .addRateLimits(actions(rule));
        new TreeMap<>(rule.overrides())
                .forEach((account, quota) ->
                        filter.addDescriptors(descriptor(rule, Wire.identity(settings.trustDomain(), account), quota)));
        if (rule.quota() != null) {
            filter.addDescriptors(descriptor(rule, "", rule.quota()));
        }
        return filter.build();
    }

    private static RateLimit actions(Rule rule) {
        var actions = RateLimit.newBuilder();
        var name = rule.origin().toString();
        var match = Action.HeaderValueMatch.newBuilder().setDescriptorKey(RULE).setDescriptorValue(name);
        if (!rule.methods().isEmpty()) {
            match.addHeaders(matching(
                    ":method",
                    new TreeSet<>(rule.methods()).stream().map(Wire::quoted).collect(Collectors.joining("|"))));
        }
        if (rule.path() != null) {
            match.addHeaders(matching(":path", path(rule.path())));
        }
        if (match.getHeadersCount() > 0) {
            actions.addActions(Action.newBuilder().setHeaderValueMatch(match));
        } else {
            actions.addActions(Action.newBuilder()
                    .setGenericKey(Action.GenericKey.newBuilder()
                            .setDescriptorKey(RULE)
                            .setDescriptorValue(name)));
        }
        if (rule.each()) {
            actions.addActions(Action.newBuilder()
                    .setGenericKey(Action.GenericKey.newBuilder()
                            .setDescriptorKey(PRINCIPAL)
                            .setDescriptorValue(PEER)));
        }
        return actions.build();
    }

    /// The path header has the query too.
    private static String path(StringMatch path) {
        return switch (path) {
            case StringMatch.Exact(var whole) -> Wire.quoted(whole) + "(\\?.*)?";
            case StringMatch.Prefix(var prefix) -> Wire.quoted(prefix) + ".*";
            case StringMatch.Under(var parent) -> parent.equals("/") ? ".*" : Wire.quoted(parent) + "([/?].*)?";
            case StringMatch.Regex(var expression) -> expression;
            case StringMatch.Present _ -> ".*";
        };
    }

    private static HeaderMatcher matching(String header, String expression) {
        return HeaderMatcher.newBuilder()
                .setName(header)
                .setStringMatch(StringMatcher.newBuilder()
                        .setSafeRegex(RegexMatcher.newBuilder().setRegex(expression)))
                .build();
    }

    /// @param caller empty for any
    private static LocalRateLimitDescriptor descriptor(Rule rule, String caller, Quota quota) {
        var descriptor = LocalRateLimitDescriptor.newBuilder()
                .addEntries(entry(RULE, rule.origin().toString()))
                .setTokenBucket(TokenBucket.newBuilder()
                        .setMaxTokens((int) quota.burst())
                        .setTokensPerFill(UInt32Value.of((int) quota.requests()))
                        .setFillInterval(Wire.duration(quota.per())));
        if (rule.each()) {
            // An entry without a value is about every value, each for itself.
            descriptor.addEntries(entry(PRINCIPAL, caller));
        }
        return descriptor.build();
    }

    private static RateLimitDescriptor.Entry entry(String key, String value) {
        return RateLimitDescriptor.Entry.newBuilder()
                .setKey(key)
                .setValue(value)
                .build();
    }
}
