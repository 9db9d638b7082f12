package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.Nullable;

/// A GET in clear, without headers.
record PlainGet(String authority, String path) implements RequestHead {
    @Override
    public String method() {
        return "GET";
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public @Nullable CharSequence header(String name) {
        return null;
    }
}
