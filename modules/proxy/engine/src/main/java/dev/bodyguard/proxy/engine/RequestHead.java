package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.Nullable;

/// What matching may ask about a request. The wire implements it over its own headers; nothing is copied.
public interface RequestHead {
    /// `GET`, as received.
    String method();

    /// `http` or `https`.
    String scheme();

    /// Host and, if the client wrote one, port: `payment-service:80`.
    String authority();

    /// Path with query, beginning with a slash, or `*`.
    String path();

    /// A header's value, null where there is none; several values are joined by a comma.
    ///
    /// @param name the name in lower case; never a pseudo header
    @Nullable
    CharSequence header(String name);

    /// A GET in clear, without headers: for whoever asks what would be decided.
    ///
    /// @param path with query
    static RequestHead get(String authority, String path) {
        return new PlainGet(authority, path);
    }
}
