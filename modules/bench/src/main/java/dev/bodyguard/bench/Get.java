package dev.bodyguard.bench;

import dev.bodyguard.proxy.engine.RequestHead;
import org.jspecify.annotations.Nullable;

/// A GET as the engine sees it.
///
/// @param key of the virtual host, `port/authority`
record Get(String key, String path) implements RequestHead {
    @Override
    public String method() {
        return "GET";
    }

    @Override
    public String scheme() {
        return "http";
    }

    @Override
    public String authority() {
        return key.substring(key.indexOf('/') + 1);
    }

    @Override
    public @Nullable CharSequence header(String name) {
        return null;
    }
}
