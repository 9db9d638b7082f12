package dev.bodyguard.xds.compile;

import java.util.Optional;

/// What a cluster's name says.
sealed interface Names {
    /// `outbound|80|v2|payment-service.default.svc.cluster.local`
    record Outbound(int port, String subset, String host) implements Names {
        @Override
        public String toString() {
            return "outbound|" + port + "|" + subset + "|" + host;
        }
    }

    /// `inbound|8080||`
    record Inbound(int appPort) implements Names {
        @Override
        public String toString() {
            return "inbound|" + appPort + "||";
        }
    }

    static Optional<Names> of(String cluster) {
        var parts = cluster.split("\\|", -1);
        if (parts.length != 4) {
            return Optional.empty();
        }
        var port = port(parts[1]);
        return switch (parts[0]) {
            case "outbound" ->
                port.filter(_ -> !parts[3].isEmpty()).map(number -> new Outbound(number, parts[2], parts[3]));
            case "inbound" ->
                port.filter(_ -> parts[2].isEmpty() && parts[3].isEmpty()).map(Inbound::new);
            default -> Optional.empty();
        };
    }

    /// A port in its only spelling.
    static Optional<Integer> port(String text) {
        if (!text.matches("[1-9][0-9]{0,4}")) {
            return Optional.empty();
        }
        int number = Integer.parseInt(text);
        return number > 65535 ? Optional.empty() : Optional.of(number);
    }
}
