package dev.bodyguard.proxy.sidecar;

/// The configuration in force. One writer, many event loops.
final class InForce<C> {
    private volatile C current;

    InForce(C initial) {
        current = initial;
    }

    C get() {
        return current;
    }

    void replace(C next) {
        current = next;
    }
}
