package dev.bodyguard.dialect.linkerd;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.model.HttpRule.Action.Forward;
import dev.bodyguard.model.HttpRule.Destination;
import dev.bodyguard.model.HttpRule.HeaderEdits;
import dev.bodyguard.model.HttpRule.Weighted;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Service;
import java.util.Optional;

/// Services and their weights, which are quantities: `1`, `"500m"`.
final class Shares {
    private Shares() {}

    private record Share(Destination destination, long thousandths) {}

    /// What a list says, empty where it says nothing or a mistake was found.
    ///
    /// @param name the field that names the service
    static Optional<Forward> read(String namespace, Fields fields, String list, String name) {
        var shares = fields.list(list, one -> {
            var authority = one.required(name);
            if (!one.has("weight")) {
                one.missing("weight", "is required; add it");
            }
            var weight = one.thousandths("weight");
            return new Share(
                    new Destination(host(authority, namespace), port(authority), one.origin(name)),
                    weight == null ? 1 : weight);
        });
        if (shares.isEmpty()) {
            return Optional.empty();
        }
        long unit = 0;
        for (var share : shares) {
            unit = greatestCommonDivisor(unit, share.thousandths());
        }
        if (unit == 0) {
            fields.error(list, "must give some service a weight above 0, were all 0");
            return Optional.empty();
        }
        long sum = 0;
        for (var share : shares) {
            sum += share.thousandths() / unit;
        }
        if (sum > Integer.MAX_VALUE) {
            fields.error(list, "has weights too far apart; take smaller numbers in the same proportion");
            return Optional.empty();
        }
        long by = unit;
        return Optional.of(new Forward(shares.stream()
                .map(share -> new Weighted(share.destination(), (int) (share.thousandths() / by), HeaderEdits.NONE))
                .toList()));
    }

    private static long greatestCommonDivisor(long a, long b) {
        return b == 0 ? a : greatestCommonDivisor(b, a % b);
    }

    /// The full name: a name without a dot is one of the namespace.
    static String host(String authority, String namespace) {
        var host = Mesh.hostOf(authority);
        if (!host.isEmpty() && host.indexOf('.') < 0) {
            return Service.host(host, namespace);
        }
        return host.endsWith(".svc") ? host + ".cluster.local" : host;
    }

    private static int port(String authority) {
        int colon = authority.lastIndexOf(':');
        return colon >= 0 && authority.substring(colon + 1).matches("[1-9][0-9]{0,4}")
                ? Math.min(Integer.parseInt(authority.substring(colon + 1)), 65535)
                : 0;
    }
}
