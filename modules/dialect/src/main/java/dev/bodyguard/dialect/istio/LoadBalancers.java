package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.model.BackendPolicy.Attribute;
import dev.bodyguard.model.BackendPolicy.Given;
import dev.bodyguard.model.BackendPolicy.HashKey;
import dev.bodyguard.model.BackendPolicy.HashTable;
import dev.bodyguard.model.BackendPolicy.LoadBalancer;
import dev.bodyguard.model.BackendPolicy.Localities;
import dev.bodyguard.model.BackendPolicy.Warmup;
import java.math.BigInteger;
import java.time.Duration;
import java.util.List;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// A DestinationRule's `loadBalancer`: how clients pick an instance.
final class LoadBalancers {
    /// Envoy's, as all bounds here.
    private static final long RING = 1_024;

    private static final long MOST_RING = 8_388_608;
    private static final long TABLE = 65_537;
    private static final long MOST_TABLE = 5_000_011;
    private static final int CERTAINTY = 50;
    private static final Duration SECOND = Duration.ofSeconds(1);
    private static final Duration MILLISECOND = Duration.ofMillis(1);
    private static final double LEAST_PERCENT = 10;
    private static final int MOST_AGGRESSION = 1_000;

    /// A name in HTTP (RFC 9110 §5.6.2).
    private static final Pattern TOKEN = Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+");

    /// What may stand in an attribute of a cookie (RFC 6265 §4.1.1).
    private static final Pattern IN_COOKIE = Pattern.compile("[ -:<-~]*");

    private LoadBalancers() {}

    /// What stands there, as far as it does.
    record Balancing(
            @Nullable LoadBalancer balancer, @Nullable Localities localities) {}

    static Balancing read(Fields balancer) {
        balancer.unsupported("zoneAwareLbSetting", "backendUtilization");
        return new Balancing(balancer(balancer), balancer.object("localityLbSetting", LocalitySettings::read));
    }

    private static @Nullable LoadBalancer balancer(Fields balancer) {
        var warmup = warmup(balancer);
        var simple = balancer.word(
                "simple", "UNSPECIFIED", "LEAST_REQUEST", "LEAST_CONN", "ROUND_ROBIN", "RANDOM", "PASSTHROUGH");
        var hashed = balancer.object("consistentHash", LoadBalancers::consistentHash);
        if (balancer.has("simple") && balancer.has("consistentHash")) {
            balancer.error("consistentHash", "cannot stand beside simple; keep one of the two");
        }
        if (hashed != null || "RANDOM".equals(simple)) {
            for (var field : List.of("warmup", "warmupDurationSecs")) {
                if (balancer.has(field)) {
                    balancer.warning(
                            field,
                            "has no effect with " + (hashed == null ? "RANDOM" : "consistentHash")
                                    + ", only with LEAST_REQUEST and ROUND_ROBIN");
                }
            }
        }
        if (hashed != null) {
            return hashed;
        }
        return switch (simple) {
            case "LEAST_REQUEST", "LEAST_CONN" -> new LoadBalancer.LeastRequest(warmup);
            case "ROUND_ROBIN" -> new LoadBalancer.RoundRobin(warmup);
            case "RANDOM" -> new LoadBalancer.Random();
            case "PASSTHROUGH" -> {
                balancer.warning("simple", "PASSTHROUGH is not supported yet; LEAST_REQUEST is in force");
                yield warmup == null ? null : new LoadBalancer.LeastRequest(warmup);
            }
            case null, default -> warmup == null ? null : new LoadBalancer.LeastRequest(warmup);
        };
    }

    private static @Nullable Warmup warmup(Fields balancer) {
        // The older way to say so, which counts where the newer one is not there.
        var older = balancer.duration("warmupDurationSecs", MILLISECOND);
        var newer = balancer.object("warmup", warmup -> {
            var time = warmup.duration("duration", MILLISECOND);
            if (!warmup.has("duration")) {
                warmup.missing("duration", "is required; add it, such as 30s");
            }
            double aggression = warmup.fraction("aggression", MOST_AGGRESSION, 1);
            if (aggression == 0) {
                warmup.error("aggression", "must be above 0, was 0; with 1 the share grows evenly");
            }
            return time == null ? null : new Warmup(time, warmup.percent("minimumPercent", LEAST_PERCENT), aggression);
        });
        if (newer != null || older == null) {
            return newer;
        }
        return new Warmup(older, LEAST_PERCENT, 1);
    }

    private static @Nullable LoadBalancer consistentHash(Fields hash) {
        var header = name(hash, "httpHeaderName", "a header");
        var cookie = hash.object("httpCookie", LoadBalancers::cookie);
        boolean bySource = hash.bool("useSourceIp", false);
        var parameter = hash.text("httpQueryParameterName");
        var keys = Stream.of(
                        header.isEmpty() ? null : new HashKey.Header(header),
                        cookie,
                        bySource ? new HashKey.SourceAddress() : null,
                        parameter.isEmpty() ? null : new HashKey.Query(parameter))
                .<HashKey>mapMulti((key, to) -> {
                    if (key != null) {
                        to.accept(key);
                    }
                })
                .toList();
        if (keys.isEmpty()) {
            hash.missing(
                    "httpHeaderName",
                    "must say what requests are hashed by; add httpHeaderName, httpCookie,"
                            + " httpQueryParameterName or useSourceIp: true",
                    "httpCookie",
                    "httpQueryParameterName",
                    "useSourceIp");
        } else if (keys.size() > 1) {
            hash.error(
                    "httpHeaderName",
                    "must be the only one of httpHeaderName, httpCookie, httpQueryParameterName and useSourceIp, but "
                            + keys.size() + " are there; keep one");
        }
        var table = table(hash);
        return keys.isEmpty() ? null : new LoadBalancer.ConsistentHash(keys.getFirst(), table);
    }

    private static HashKey cookie(Fields cookie) {
        var name = name(cookie, "name", "a cookie");
        if (!cookie.has("name")) {
            cookie.missing("name", "is required; add it");
        }
        var ttl = cookie.duration("ttl", Duration.ZERO);
        if (ttl != null && ttl.isPositive() && ttl.compareTo(SECOND) < 0) {
            cookie.warning("ttl", "counts in whole seconds: the cookie lives as long as its client's session");
        }
        var attributes = cookie.list(
                "attributes", one -> new Attribute(name(one, "name", "an attribute"), inCookie(one, "value")));
        if (ttl == null && (cookie.has("path") || !attributes.isEmpty())) {
            cookie.warning(
                    cookie.has("path") ? "path" : "attributes",
                    "has no effect without ttl, as nobody is given a cookie; add ttl: 0s for one that lives as long as"
                            + " its client's session");
        }
        var path = inCookie(cookie, "path");
        return new HashKey.Cookie(name, ttl == null ? null : new Given(ttl, path, attributes));
    }

    private static HashTable table(Fields hash) {
        // The older place for the ring's, which counts where the newer one says nothing.
        var older = hash.number("minimumRingSize", 0, MOST_RING);
        var ring = hash.<Long>object("ringHash", one -> orElse(one.number("minimumRingSize", 0, MOST_RING), 0));
        var slots = hash.<Long>object("maglev", LoadBalancers::slots);
        if (ring != null && slots != null) {
            hash.error("maglev", "cannot stand beside ringHash; keep one of the two");
        }
        if (slots != null) {
            return new HashTable.Maglev(slots);
        }
        return new HashTable.Ring(orElse(ring, orElse(older, RING)));
    }

    private static long slots(Fields maglev) {
        long slots = orElse(maglev.number("tableSize", 0, MOST_TABLE), TABLE);
        if (!isPrime(slots)) {
            maglev.error("tableSize", "must be a prime, was " + slots + "; " + nextPrime(slots) + " is one");
        }
        return slots;
    }

    private static boolean isPrime(long number) {
        return BigInteger.valueOf(number).isProbablePrime(CERTAINTY);
    }

    private static long nextPrime(long number) {
        return BigInteger.valueOf(number).nextProbablePrime().longValue();
    }

    /// Nothing and 0 are the same, as in Istio.
    private static long orElse(@Nullable Long number, long otherwise) {
        return number == null || number == 0 ? otherwise : number;
    }

    /// Empty where there is none.
    private static String name(Fields fields, String field, String whose) {
        var name = fields.text(field);
        if (fields.has(field) && !TOKEN.matcher(name).matches()) {
            fields.error(field, "must be the name of " + whose + ", was '" + name + "'");
        }
        return name;
    }

    private static String inCookie(Fields fields, String field) {
        var text = fields.text(field);
        if (!IN_COOKIE.matcher(text).matches()) {
            fields.error(
                    field,
                    "must be printable ASCII without a semicolon, was '" + text.replaceAll("\\p{Cntrl}", "?") + "'");
        }
        return text;
    }
}
