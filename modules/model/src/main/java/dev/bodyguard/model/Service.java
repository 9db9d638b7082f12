package dev.bodyguard.model;

import java.util.List;
import java.util.Map;
import java.util.Optional;

/// A name that clients call, its ports and who stands behind it.
///
/// @param host the full name, lower case: `payment-service.default.svc.cluster.local`, `api.example.com`
/// @param namespace where it was declared
/// @param name its short name; the host where there is none shorter
/// @param ports at least one
/// @param addresses virtual addresses by which it is also called
/// @param external outside the mesh by its author's word; a workload with a sidecar behind it is spoken to as any other
/// @param subjectAltNames further identities that its instances may show
/// @param visibility who can call it by name
public record Service(
        String host,
        String namespace,
        String name,
        List<Port> ports,
        List<String> addresses,
        Backing backing,
        boolean external,
        List<String> subjectAltNames,
        Visibility visibility,
        Origin origin)
        implements Part {
    public Service {
        ports = List.copyOf(ports);
        addresses = List.copyOf(addresses);
        subjectAltNames = List.copyOf(subjectAltNames);
    }

    /// The full name of a service in a namespace of this mesh.
    public static String host(String name, String namespace) {
        return name + "." + namespace + Mesh.SERVICE_SUFFIX;
    }

    /// The port of this number.
    public Optional<Port> port(int number) {
        return ports.stream().filter(port -> port.number() == number).findFirst();
    }

    /// A port of a service.
    ///
    /// @param name empty where its author named none
    /// @param target the port of the application behind it
    public record Port(int number, String name, Protocol protocol, Target target) {
        public Port {
            if (number < 1 || number > 65535) {
                throw new IllegalArgumentException("a port is 1 to 65535, was " + number);
            }
        }
    }

    /// What is spoken on a port.
    public enum Protocol {
        /// Not said: the bytes tell.
        DETECTED,
        HTTP,
        HTTP2,
        GRPC,
        TLS,
        TCP;

        /// HTTP/2 without having to ask first.
        public boolean http2() {
            return this == HTTP2 || this == GRPC;
        }
    }

    /// Which of an application's ports a service's port means.
    public sealed interface Target {
        /// This one.
        record Exactly(int port) implements Target {}

        /// A container's port of this name, each pod's own; a workload that registered has no such names, so there it
        /// means what [Implied] does.
        record Named(String name) implements Target {}

        /// Not said: the same number if the workload has it, else the only one it has.
        record Implied() implements Target {}
    }

    /// Who stands behind a service.
    public sealed interface Backing {
        /// Workloads that registered for it by name.
        record Registered() implements Backing {}

        /// Workloads of its namespace that carry these labels.
        ///
        /// @param unreadyToo also those that are not ready (`publishNotReadyAddresses`)
        record Selected(Map<String, String> labels, boolean unreadyToo) implements Backing {
            public Selected(Map<String, String> labels) {
                this(labels, false);
            }

            public Selected {
                labels = Map.copyOf(labels);
            }
        }

        /// Workloads listed with it, by address.
        record Listed(List<Workload> workloads) implements Backing {
            public Listed {
                workloads = List.copyOf(workloads);
            }
        }

        /// Whatever these workloads' names resolve to.
        record Resolved(List<Workload> workloads) implements Backing {
            public Resolved {
                workloads = List.copyOf(workloads);
            }
        }

        /// Wherever the client was going.
        record OriginalDestination() implements Backing {}
    }
}
