package dev.bodyguard.injector.decision;

import java.util.Map;

/// What the tests of this module begin with.
final class Given {
    private Given() {}

    static Sidecar sidecar() {
        return sidecar(Sidecar.Shape.NATIVE);
    }

    static Sidecar sidecar(Sidecar.Shape shape) {
        return new Sidecar("bodyguard", "1.0.0", "default", "cluster.local", shape, Defaults.USUAL);
    }

    static Namespace plain() {
        return new Namespace("shop", Map.of(), Map.of());
    }

    static Tree json(String text) {
        try {
            return Source.readOne(text).tree();
        } catch (Unreadable broken) {
            throw new AssertionError(broken);
        }
    }
}
