package dev.bodyguard.injector.decision;

import java.math.BigDecimal;
import java.util.regex.Pattern;

/// Amounts of a resource as Kubernetes writes them, such as `50m`, `0.5`, `1e3` and `160Mi`; none is negative here.
final class Quantity {
    private static final Pattern WRITTEN = Pattern.compile("\\+?(?<number>[0-9]{1,20}(\\.[0-9]{0,20})?|\\.[0-9]{1,20})"
            + "(?:(?<unit>[numkMGTPE])|(?<binary>[KMGTPE])i|[eE](?<exponent>[+-]?[0-9]{1,2}))?");

    /// Each is a thousand of the one before, or 1024.
    private static final String UNITS = "num kMGTPE";

    private static final String BINARY_UNITS = " KMGTPE";

    private Quantity() {}

    static boolean isOne(String text) {
        return WRITTEN.matcher(text).matches();
    }

    /// Whether the one is more than the other; `1Gi` and `1024Mi` are the same.
    ///
    /// @throws IllegalArgumentException where one is none
    static boolean isMore(String one, String other) {
        return amount(one).compareTo(amount(other)) > 0;
    }

    private static BigDecimal amount(String text) {
        var written = WRITTEN.matcher(text);
        if (!written.matches()) {
            throw new IllegalArgumentException("no quantity: '" + text + "'");
        }
        var number = new BigDecimal(written.group("number"));
        var unit = written.group("unit");
        var binary = written.group("binary");
        var exponent = written.group("exponent");
        if (unit != null) {
            return number.scaleByPowerOfTen(3 * (UNITS.indexOf(unit) - UNITS.indexOf(' ')));
        }
        if (binary != null) {
            return number.multiply(BigDecimal.valueOf(1_024).pow(BINARY_UNITS.indexOf(binary)));
        }
        return exponent == null ? number : number.scaleByPowerOfTen(Integer.parseInt(exponent));
    }
}
