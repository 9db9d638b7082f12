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
    static final Pattern QUANTITY = Pattern.compile("[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?");
    private static final Pattern PERCENTAGE = Pattern.compile("100|[0-9]{1,2}([.][0-9]{1,6})?");

    /// As measured with a hundred connections, and room for a flood.
    public static final Defaults USUAL = new Defaults("50m", "160Mi", "", "320Mi", "1");

    public Defaults {
        check("the sidecar's CPU", cpu);
        check("the sidecar's memory", memory);
        check("the limit on the sidecar's memory", memoryLimit);
        if (!cpuLimit.isEmpty()) {
            check("the limit on the sidecar's CPU", cpuLimit);
        }
        if (!PERCENTAGE.matcher(traceSampling).matches()) {
            throw new IllegalArgumentException(
                    "the share of traces must be a percentage from 0 to 100, was '" + traceSampling + "'");
        }
    }

    private static void check(String what, String value) {
        if (!QUANTITY.matcher(value).matches()) {
            throw new IllegalArgumentException(what + " must be a quantity such as 100m or 128Mi, was '" + value + "'");
        }
    }
}
