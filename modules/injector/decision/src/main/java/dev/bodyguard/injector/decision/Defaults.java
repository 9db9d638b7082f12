package dev.bodyguard.injector.decision;

import java.util.regex.Pattern;

/// What a sidecar gets unless its pod's annotations say otherwise. Quantities are Kubernetes', such as `50m` and
/// `160Mi`.
///
/// @param cpu what the scheduler sets aside
/// @param memory what the scheduler sets aside
/// @param cpuLimit empty for none: a sidecar may use what is idle, where a limit would only make requests wait
/// @param memoryLimit beyond, the kernel ends the sidecar
/// @param traceSampling percentage of the traces that begin at it
public record Defaults(String cpu, String memory, String cpuLimit, String memoryLimit, String traceSampling) {
    private static final Pattern PERCENTAGE = Pattern.compile("100|[0-9]{1,2}([.][0-9]{1,6})?");

    /// As measured with a hundred connections, and room for a flood.
    public static final Defaults USUAL = new Defaults("50m", "160Mi", "", "320Mi", "1");

    public Defaults {
        check("CPU", cpu, cpuLimit.isEmpty() ? cpu : cpuLimit);
        check("memory", memory, memoryLimit);
        if (!PERCENTAGE.matcher(traceSampling).matches()) {
            throw new IllegalArgumentException(
                    "the share of traces must be a percentage from 0 to 100, was '" + traceSampling + "'");
        }
    }

    private static void check(String resource, String request, String limit) {
        check("the sidecar's " + resource, request);
        check("the limit on the sidecar's " + resource, limit);
        if (Quantity.isMore(request, limit)) {
            throw new IllegalArgumentException(
                    "the sidecar's " + resource + " must be at most its limit, " + limit + ", was '" + request + "'");
        }
    }

    private static void check(String what, String value) {
        if (!Quantity.isOne(value)) {
            throw new IllegalArgumentException(what + " must be a quantity such as 100m or 128Mi, was '" + value + "'");
        }
    }
}
