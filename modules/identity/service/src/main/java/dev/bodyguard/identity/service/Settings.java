package dev.bodyguard.identity.service;

import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.spiffe.SpiffeId;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Map;

/// What the identity service can be told, by environment variables.
///
/// @param state `BODYGUARD_STATE`: the folder with the mesh's keys (required)
/// @param trustDomain `BODYGUARD_TRUST_DOMAIN`: whose ids are issued (`cluster.local`)
/// @param host `BODYGUARD_HOST`: the address both ports listen on (`127.0.0.1`)
/// @param port `BODYGUARD_IDENTITY_PORT`: gRPC (`15013`), 0 for any
/// @param adminPort `BODYGUARD_ADMIN_PORT`: `/healthz/ready` and `/metrics` (`15019`), 0 for any
/// @param lifetimes `BODYGUARD_TTL` and `BODYGUARD_MAX_TTL`: ISO-8601 durations of certificates (`PT24H` both)
record Settings(Path state, String trustDomain, String host, int port, int adminPort, Authority.Lifetimes lifetimes) {
    Settings {
        trustDomain = new SpiffeId(trustDomain, "").trustDomain();
    }

    static Settings from(Map<String, String> environment) {
        var state = environment.get("BODYGUARD_STATE");
        if (state == null || state.isBlank()) {
            throw new IllegalArgumentException(
                    "BODYGUARD_STATE is not set: name the folder that holds (or shall hold) the mesh's keys");
        }
        var usual = duration(environment, "BODYGUARD_TTL", Duration.ofHours(24));
        var day = Duration.ofHours(24);
        var longest = duration(environment, "BODYGUARD_MAX_TTL", usual.compareTo(day) > 0 ? usual : day);
        return new Settings(
                Path.of(state),
                environment.getOrDefault("BODYGUARD_TRUST_DOMAIN", "cluster.local"),
                environment.getOrDefault("BODYGUARD_HOST", "127.0.0.1"),
                port(environment, "BODYGUARD_IDENTITY_PORT", 15013),
                port(environment, "BODYGUARD_ADMIN_PORT", 15019),
                new Authority.Lifetimes(usual, longest));
    }

    private static int port(Map<String, String> environment, String key, int usual) {
        var text = environment.get(key);
        if (text == null) {
            return usual;
        }
        try {
            var port = Integer.parseInt(text);
            if (port >= 0 && port <= 65535) {
                return port;
            }
        } catch (NumberFormatException notANumber) {
            throw new IllegalArgumentException(key + " must be a port, 0 to 65535, was '" + text + "'", notANumber);
        }
        throw new IllegalArgumentException(key + " must be a port, 0 to 65535, was '" + text + "'");
    }

    private static Duration duration(Map<String, String> environment, String key, Duration usual) {
        var text = environment.get(key);
        if (text == null) {
            return usual;
        }
        try {
            return Duration.parse(text);
        } catch (DateTimeParseException notADuration) {
            throw new IllegalArgumentException(
                    key + " must be a duration such as PT24H, was '" + text + "'", notADuration);
        }
    }
}
