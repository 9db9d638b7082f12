package dev.bodyguard.config;

import dev.bodyguard.identity.client.Membership;
import dev.bodyguard.model.OutboundPolicy;
import dev.bodyguard.model.PeerAuthentication;
import dev.bodyguard.service.Keys;
import dev.bodyguard.service.Place;
import dev.bodyguard.xds.server.Connections;
import dev.bodyguard.xds.server.GrpcServer;

/// What config can be told as a process of its own, by environment variables.
///
/// @param service what it can be told anywhere
/// @param carriage `BODYGUARD_XDS_TRANSPORT`, `BODYGUARD_MOST_CONNECTIONS` and `…_PER_ADDRESS`
/// @param membership `BODYGUARD_STATE`, `BODYGUARD_TOKEN`, `BODYGUARD_ROOT`, `BODYGUARD_IDENTITY` and
///     `BODYGUARD_TRUST_DOMAIN`
/// @param place `BODYGUARD_HOST`, `BODYGUARD_XDS_PORT` and `BODYGUARD_ADMIN_PORT`
record ProcessSettings(Settings service, GrpcServer.Carriage carriage, Membership membership, Place place) {
    static final String USAGE = """
        usage: bodyguard service config, with environment variables:
          BODYGUARD_STATE                    folder with identity's root.pem and join/config.bodyguard-system.token;
                                             keeps the SVID, and over a restart the last good versions of
                                             documents whose newest is a mistake; required
          BODYGUARD_TOKEN                    file of a Kubernetes token of its service account, audience bodyguard; with
                                             it no join token is needed
          BODYGUARD_ROOT                     file with the roots, beside BODYGUARD_TOKEN instead of root.pem
          BODYGUARD_IDENTITY                 where identity is (127.0.0.1:15013)
          BODYGUARD_DISCOVERY                where discovery is (127.0.0.1:15014)
          BODYGUARD_TRUST_DOMAIN             (cluster.local)
          BODYGUARD_HOST                     the address to listen on (127.0.0.1)
          BODYGUARD_XDS_PORT                 ADS, mutual TLS (15012; 0: any free one)
          BODYGUARD_ADMIN_PORT               /healthz/ready, /metrics, /problems, /proxies (15022; 0: any free one)
          BODYGUARD_XDS_TRANSPORT            netty or helidon (netty)
          BODYGUARD_MOST_CONNECTIONS         connections beyond are closed (10000)
          BODYGUARD_MOST_CONNECTIONS_PER_ADDRESS
                                             the same for one host; netty only (2000)
          BODYGUARD_OUTBOUND_TRAFFIC_POLICY  ALLOW_ANY or REGISTRY_ONLY (ALLOW_ANY)
          BODYGUARD_PEER_TLS                 STRICT, PERMISSIVE or DISABLE: what is asked of callers where no
                                             PeerAuthentication says (STRICT)
          OTEL_EXPORTER_OTLP_ENDPOINT        where spans of its own work go, by OTLP; OpenTelemetry's other variables
                                             about traces hold too, such as OTEL_EXPORTER_OTLP_PROTOCOL (none: no spans)
        """;

    static ProcessSettings from(Keys keys) {
        var place = Place.from(keys, "BODYGUARD_XDS_PORT", 15012);
        var membership = Membership.from(keys::text);
        return new ProcessSettings(
                new Settings(
                        keys.text("BODYGUARD_DISCOVERY", "127.0.0.1:15014"),
                        place.address(),
                        membership.trustDomain(),
                        keys.choice("BODYGUARD_OUTBOUND_TRAFFIC_POLICY", OutboundPolicy.Mode.ALLOW_ANY),
                        keys.choice("BODYGUARD_PEER_TLS", PeerAuthentication.Mode.STRICT),
                        membership.state().resolve("config").resolve("last-good")),
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
