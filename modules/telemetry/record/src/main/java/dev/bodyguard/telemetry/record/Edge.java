package dev.bodyguard.telemetry.record;

/// Who talks to whom, as one of the two proxies sees it: the labels that all exchanges between them share.
///
/// @param destinationService the service's host name, `payment-service.default.svc.cluster.local`
/// @param security as Istio has it, always unknown where the source reports
public record Edge(
        Reporter reporter,
        Party source,
        Party destination,
        String destinationService,
        String destinationServiceName,
        String destinationServiceNamespace,
        Protocol protocol,
        Security security) {
    public Edge {
        destinationService = Party.orUnknown(destinationService);
        destinationServiceName = Party.orUnknown(destinationServiceName);
        destinationServiceNamespace = Party.orUnknown(destinationServiceNamespace);
        if (reporter == Reporter.SOURCE) {
            security = Security.UNKNOWN;
        }
    }

    /// Which side counts.
    public enum Reporter {
        SOURCE("source"),
        DESTINATION("destination");

        final String word;

        Reporter(String word) {
            this.word = word;
        }
    }

    /// What is spoken.
    public enum Protocol {
        HTTP("http"),
        GRPC("grpc"),
        TCP("tcp");

        final String word;

        Protocol(String word) {
            this.word = word;
        }
    }

    /// How the connection between the workloads is protected.
    public enum Security {
        MUTUAL_TLS("mutual_tls"),
        NONE("none"),
        UNKNOWN("unknown");

        final String word;

        Security(String word) {
            this.word = word;
        }
    }
}
