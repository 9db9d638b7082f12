package dev.bodyguard.discovery;

import dev.bodyguard.identity.client.Membership;
import dev.bodyguard.service.Keys;
import dev.bodyguard.service.Place;
import dev.bodyguard.xds.server.Connections;
import dev.bodyguard.xds.server.GrpcServer;

/// What discovery can be told as a process of its own, by environment variables.
///
/// @param service what it can be told anywhere
/// @param carriage `BODYGUARD_XDS_TRANSPORT`, `BODYGUARD_MOST_CONNECTIONS` and `…_PER_ADDRESS`
/// @param membership `BODYGUARD_STATE`, `BODYGUARD_TOKEN`, `BODYGUARD_ROOT`, `BODYGUARD_IDENTITY` and
///     `BODYGUARD_TRUST_DOMAIN`
/// @param place `BODYGUARD_HOST`, `BODYGUARD_DISCOVERY_PORT` and `BODYGUARD_ADMIN_PORT`
record ProcessSettings(Settings service, GrpcServer.Carriage carriage, Membership membership, Place place) {
    static final String USAGE = """
        usage: bodyguard service discovery, with environment variables:
          BODYGUARD_SOURCE           where documents come from: files, or kubernetes: the API server of the cluster that
                                     this runs in, or of KUBECONFIG (files)
          BODYGUARD_FILES            the directory with the mesh's YAML and JSON documents, watched; required for files
          BODYGUARD_STATE            folder with identity's root.pem and join/discovery.bodyguard-system.token; keeps
                                     the registrations of workloads and the SVID; required
          BODYGUARD_TOKEN            file of a Kubernetes token of its service account, audience bodyguard; with
                                     it no join token is needed
          BODYGUARD_ROOT             file with the roots, beside BODYGUARD_TOKEN instead of root.pem
          BODYGUARD_IDENTITY         where identity is (127.0.0.1:15013)
          BODYGUARD_TRUST_DOMAIN     (cluster.local)
          BODYGUARD_HOST             the address to listen on (127.0.0.1)
          BODYGUARD_DISCOVERY_PORT   gRPC, mutual TLS (15014; 0: any free one)
          BODYGUARD_ADMIN_PORT       /healthz/ready, /metrics, /problems, /workloads (15024; 0: any free one)
          BODYGUARD_XDS_TRANSPORT    netty or helidon (netty)
          BODYGUARD_MOST_CONNECTIONS connections beyond are closed (10000)
          BODYGUARD_MOST_CONNECTIONS_PER_ADDRESS
                                     the same for one host; netty only (2000)
          BODYGUARD_LEASE            how long a workload is believed in without a word from it (PT10S)
          BODYGUARD_GRACE            how long it may take to come back after its stream broke (PT2S)
          BODYGUARD_MOST_WORKLOADS   registrations beyond are refused (10000)
          BODYGUARD_MOST_WORKLOADS_PER_ACCOUNT
                                     the same for one service account (1000)
          BODYGUARD_REGISTRATIONS_PER_SECOND
                                     how often workloads of one service account may come or change, after as many at
                                     once as it may have (10)
          OTEL_EXPORTER_OTLP_ENDPOINT
                                     where spans of its own work go, by OTLP; OpenTelemetry's other variables
                                     about traces hold too, such as OTEL_EXPORTER_OTLP_PROTOCOL (none: no spans)
        """;

    static ProcessSettings from(Keys keys) {
        var place = Place.from(keys, "BODYGUARD_DISCOVERY_PORT", 15014);
        var membership = Membership.from(keys::text);
        var usual = Settings.of(
                From.told(keys),
                place.address(),
                membership.trustDomain(),
                membership.state().resolve("discovery").resolve("workloads"));
        return new ProcessSettings(
                new Settings(
                        usual.documents(),
                        usual.listen(),
                        usual.trustDomain(),
                        keys.duration("BODYGUARD_LEASE", usual.lease()),
                        keys.duration("BODYGUARD_GRACE", usual.grace()),
                        usual.memory(),
                        keys.count("BODYGUARD_MOST_WORKLOADS", usual.mostWorkloads()),
                        keys.count("BODYGUARD_MOST_WORKLOADS_PER_ACCOUNT", usual.mostWorkloadsPerAccount()),
                        keys.count("BODYGUARD_REGISTRATIONS_PER_SECOND", usual.registrationsPerSecond())),
                carriage(keys),
                membership,
                place);
    }

    private static GrpcServer.Carriage carriage(Keys keys) {
        var usual = Connections.ordinary();
        return new GrpcServer.Carriage(
                keys.choice("BODYGUARD_XDS_TRANSPORT", GrpcServer.Transport.NETTY),
                new Connections(
                        keys.count("BODYGUARD_MOST_CONNECTIONS", usual.all()),
                        keys.count("BODYGUARD_MOST_CONNECTIONS_PER_ADDRESS", usual.perAddress())));
    }
}
