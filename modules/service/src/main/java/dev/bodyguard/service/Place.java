package dev.bodyguard.service;

import java.io.IOException;
import java.net.InetSocketAddress;

/// Where a service that is a process of its own listens: on a port for its clients, and on an admin port, which is
/// usually the same plus ten.
///
/// @param host `BODYGUARD_HOST`: the address of both
/// @param key what its own port is set by
/// @param adminPort `BODYGUARD_ADMIN_PORT`
public record Place(String host, String key, int port, int adminPort) {
    private static final String ADMIN_KEY = "BODYGUARD_ADMIN_PORT";
    private static final int ADMIN_BEYOND = 10;

    /// As the environment says.
    ///
    /// @param key what its own port is set by
    /// @param usual its own port, where nothing is set
    public static Place from(Keys keys, String key, int usual) {
        return new Place(
                keys.text("BODYGUARD_HOST", "127.0.0.1"),
                key,
                keys.port(key, usual),
                keys.port(ADMIN_KEY, usual + ADMIN_BEYOND));
    }

    /// Its own port, whose host is looked up by whoever listens.
    public InetSocketAddress address() {
        return InetSocketAddress.createUnresolved(host, port);
    }

    /// What cannot work shall be told before anything has started.
    ///
    /// @throws IOException with a sentence for people
    public void requireFree() throws IOException {
        FreePort.require(host, port, key);
        FreePort.require(host, adminPort, ADMIN_KEY);
    }

    /// Opens the admin port.
    ///
    /// @throws IOException with a sentence for people
    public Admin admin(Admin.Answers answers) throws IOException {
        return Admin.start(host, adminPort, answers);
    }

    /// `config 127.0.0.1:15012, admin 127.0.0.1:15022`, for the line that says it is ready.
    ///
    /// @param name of what listens there
    /// @param port where it really does
    public String told(String name, int port, Admin admin) {
        return name + " " + HostPort.of(host, port) + ", admin " + HostPort.of(host, admin.port());
    }
}
