package dev.bodyguard.identity.service;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.service.Keys;
import dev.bodyguard.service.Place;
import java.nio.file.Path;
import java.time.Duration;

/// What the identity service can be told, by environment variables.
///
/// @param keeper `BODYGUARD_CA`: where the root is kept
/// @param state `BODYGUARD_STATE`: the folder with the mesh's keys
/// @param trustDomain `BODYGUARD_TRUST_DOMAIN`: whose ids are issued
/// @param place `BODYGUARD_HOST`, `BODYGUARD_IDENTITY_PORT` and `BODYGUARD_ADMIN_PORT`
/// @param lifetimes `BODYGUARD_TTL` and `BODYGUARD_MAX_TTL`: of certificates
record Settings(Keeper keeper, Path state, String trustDomain, Place place, Authority.Lifetimes lifetimes) {
    static final String USAGE = """
        usage: bodyguard service identity, with environment variables:
          BODYGUARD_CA             folder, or secret: the root is kept in Kubernetes' Secret bodyguard-ca, its certificate
                                   in the ConfigMap bodyguard-root of every namespace, and clients prove themselves by
                                   tokens of their service accounts, audience bodyguard (folder)
          BODYGUARD_STATE          the folder that holds (or shall hold) the mesh's keys, with secret only the journal;
                                   required
          BODYGUARD_TRUST_DOMAIN   (cluster.local)
          BODYGUARD_HOST           the address to listen on (127.0.0.1)
          BODYGUARD_IDENTITY_PORT  gRPC (15013; 0: any free one)
          BODYGUARD_ADMIN_PORT     /healthz/ready, /metrics (15023; 0: any free one)
          BODYGUARD_TTL            usual life of a certificate (PT24H)
          BODYGUARD_MAX_TTL        longest life that may be asked for (the longer of PT24H and BODYGUARD_TTL)
          OTEL_EXPORTER_OTLP_ENDPOINT
                                   where spans of its own work go, by OTLP; OpenTelemetry's other variables
                                   about traces hold too, such as OTEL_EXPORTER_OTLP_PROTOCOL (none: no spans)
        With folder it writes root.pem and join/{discovery,config,telemetry}.bodyguard-system.token into that folder: what
        the other services join with. With secret the cluster is the one of the pod that this runs in, or of KUBECONFIG.
        """;

    Settings {
        trustDomain = new SpiffeId(trustDomain, "").trustDomain();
    }

    static Settings from(Keys keys) {
        var usual = keys.duration("BODYGUARD_TTL", Duration.ofHours(24));
        var day = Duration.ofHours(24);
        return new Settings(
                keys.choice("BODYGUARD_CA", Keeper.FOLDER),
                keys.path("BODYGUARD_STATE", "the folder that holds (or shall hold) the mesh's keys"),
                keys.text("BODYGUARD_TRUST_DOMAIN", "cluster.local"),
                Place.from(keys, "BODYGUARD_IDENTITY_PORT", 15013),
                new Authority.Lifetimes(
                        usual, keys.duration("BODYGUARD_MAX_TTL", usual.compareTo(day) > 0 ? usual : day)));
    }
}
