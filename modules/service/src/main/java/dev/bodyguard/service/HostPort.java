package dev.bodyguard.service;

/// An address as it is written and read again everywhere: an IPv6 one stands in brackets (RFC 3986 §3.2.2).
public final class HostPort {
    private HostPort() {}

    /// `127.0.0.1:15013`, `[::]:15013`
    public static String of(String host, int port) {
        return (host.indexOf(':') < 0 ? host : "[" + host + "]") + ":" + port;
    }
}
