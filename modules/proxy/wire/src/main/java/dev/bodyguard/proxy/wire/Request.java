package dev.bodyguard.proxy.wire;

import dev.bodyguard.proxy.engine.RequestHead;
import org.jspecify.annotations.Nullable;

/// The head of a request, the same whichever protocol it came in. Mutable, so that a handler can forward it rewritten.
///
/// One that asks for another protocol (`upgrade` in HTTP/1.1, RFC 8441 in HTTP/2) is an ordinary request until it is
/// answered: by 101, after which both sides carry that protocol's bytes, or by anything else, as any request is.
///
/// `fields` holds no pseudo header, no `host`, and nothing that belongs to one connection only (`connection` and what
/// it names, `keep-alive`, `proxy-connection`, `upgrade`, `transfer-encoding`): listeners took these off, upstreams
/// write their own.
public final class Request implements RequestHead {
    private final Version version;
    private String method;
    private String scheme;
    private String authority;
    private String path;
    private final Fields fields;
    private final @Nullable String protocol;

    public Request(Version version, String method, String scheme, String authority, String path, Fields fields) {
        this(version, method, scheme, authority, path, fields, null);
    }

    /// @param protocol that the client wants to speak from here on; null for none but this
    public Request(
            Version version,
            String method,
            String scheme,
            String authority,
            String path,
            Fields fields,
            @Nullable String protocol) {
        this.version = version;
        this.method = method;
        this.scheme = scheme;
        this.authority = authority;
        this.path = path;
        this.fields = fields;
        this.protocol = protocol;
    }

    /// The same request, to be changed without changing this one: what a retry needs.
    public Request copy() {
        return new Request(version, method, scheme, authority, path, fields.copy(), protocol);
    }

    /// What the client spoke to this listener.
    public Version version() {
        return version;
    }

    @Override
    public String method() {
        return method;
    }

    @Override
    public String scheme() {
        return scheme;
    }

    /// Host and, where it was written, port, as the client wrote it; empty where an HTTP/1.0 client named none.
    @Override
    public String authority() {
        return authority;
    }

    /// Path and query (`*` for a server-wide OPTIONS).
    @Override
    public String path() {
        return path;
    }

    public Fields fields() {
        return fields;
    }

    /// What the client wants to speak once it is answered with 101; null for nothing but this.
    public @Nullable String protocol() {
        return protocol;
    }

    /// The value under this lowercase name, several joined by a comma, null where there is none.
    @Override
    public @Nullable CharSequence header(String name) {
        return fields.joined(name);
    }

    public Request method(String value) {
        method = value;
        return this;
    }

    public Request scheme(String value) {
        scheme = value;
        return this;
    }

    public Request authority(String value) {
        authority = value;
        return this;
    }

    public Request path(String value) {
        path = value;
        return this;
    }

    @Override
    public String toString() {
        return method + " " + scheme + "://" + authority + path + " " + version.text();
    }
}
