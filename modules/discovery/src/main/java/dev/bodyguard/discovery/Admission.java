package dev.bodyguard.discovery;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import dev.bodyguard.xds.server.Peer;
import java.net.InetAddress;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Decides whether a peer may register what it says it is. Pure.
final class Admission {
    private static final Pattern NAME = Pattern.compile("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?");
    private static final int MOST_LABELS = 64;
    private static final int LONGEST_LABEL = 256;
    private static final int MOST_PORTS = 64;

    private final String trustDomain;

    Admission(String trustDomain) {
        this.trustDomain = trustDomain;
    }

    sealed interface Answer {}

    record Admitted(Workload workload) implements Answer {}

    /// Not admitted.
    ///
    /// @param who is to blame: the peer's proof, or what it said
    record Refused(Blame who, String why) implements Answer {}

    enum Blame {
        IDENTITY,
        CONTENT
    }

    Answer decide(Workload workload, Peer peer) {
        String complaint = complaint(workload);
        if (complaint != null) {
            return new Refused(Blame.CONTENT, complaint);
        }
        String wanted = SpiffeId.ofServiceAccount(trustDomain, workload.getNamespace(), workload.getServiceAccount())
                .toString();
        if (!peer.uris().contains(wanted) || peer.uris().size() != 1) {
            return new Refused(
                    Blame.IDENTITY,
                    "workload " + Leases.name(workload) + " says it is " + wanted + ", but its certificate says "
                            + (peer.uris().isEmpty() ? "nothing" : String.join(", ", peer.uris()))
                            + "; start its sidecar with the join token of that service account");
        }
        // Otherwise anyone in the mesh could stand in for any service.
        if (!workload.getService().equals(workload.getServiceAccount())) {
            return new Refused(
                    Blame.IDENTITY,
                    "workload " + Leases.name(workload) + " of service account " + workload.getServiceAccount()
                            + " may not register for service " + workload.getService()
                            + "; only service account " + workload.getService() + " may");
        }
        return new Admitted(workload);
    }

    private static @Nullable String complaint(Workload workload) {
        for (var named : Map.of(
                        "namespace", workload.getNamespace(),
                        "name", workload.getName(),
                        "service", workload.getService(),
                        "service_account", workload.getServiceAccount())
                .entrySet()) {
            if (!NAME.matcher(named.getValue()).matches()) {
                return "workload: " + named.getKey() + ": must be lower-case letters, digits, '-' and '.', was "
                        + printable(named.getValue());
            }
        }
        String who = "workload " + Leases.name(workload) + ": ";
        if (workload.getLabelsCount() > MOST_LABELS) {
            return who + "labels: must be " + MOST_LABELS + " or fewer, were " + workload.getLabelsCount();
        }
        for (var label : workload.getLabelsMap().entrySet()) {
            if (label.getKey().isEmpty()
                    || label.getKey().length() > LONGEST_LABEL
                    || label.getValue().length() > LONGEST_LABEL) {
                return who + "labels: " + printable(label.getKey()) + ": keys and values must have at most "
                        + LONGEST_LABEL + " characters, and keys at least one";
            }
        }
        try {
            var _ = InetAddress.ofLiteral(workload.getAddress());
        } catch (IllegalArgumentException e) {
            return who + "address: must be an IP address, was " + printable(workload.getAddress());
        }
        if (workload.getPortsCount() > MOST_PORTS) {
            return who + "ports: must be " + MOST_PORTS + " or fewer, were " + workload.getPortsCount();
        }
        for (var port : workload.getPortsMap().entrySet()) {
            if (!isPort(port.getKey()) || !isPort(port.getValue())) {
                return who + "ports: must be 1 to 65535, was " + port.getKey() + ": " + port.getValue();
            }
        }
        if (workload.getServicePortsCount() > 0 || workload.getContainerPortsCount() > 0 || workload.getUnready()) {
            return who + "service_ports, container_ports and unready: only an API server says these; leave them out";
        }
        return null;
    }

    private static boolean isPort(int port) {
        return port >= 1 && port <= 65_535;
    }

    private static String printable(String text) {
        String shown = text.length() > 80 ? text.substring(0, 80) + "…" : text;
        return "'" + shown.replaceAll("\\p{Cntrl}", "?") + "'";
    }
}
