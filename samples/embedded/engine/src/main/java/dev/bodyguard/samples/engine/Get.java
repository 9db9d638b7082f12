package dev.bodyguard.samples.engine;

import dev.bodyguard.proxy.engine.RequestHead;
import org.jspecify.annotations.Nullable;

/// A GET without headers, as the engine sees it.
record Get(String authority, String path) implements RequestHead {
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
