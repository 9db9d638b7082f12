package dev.bodyguard.proxy.engine;

import java.util.Locale;
import org.jspecify.annotations.Nullable;

/// A word of Envoy's `x-envoy-retry-on` and `x-envoy-retry-grpc-on`.
public enum RetryOn {
    SERVER_ERROR("5xx"),
    GATEWAY_ERROR("gateway-error"),
    RESET("reset"),
    RESET_BEFORE_REQUEST("reset-before-request"),
    CONNECT_FAILURE("connect-failure"),
    REFUSED_STREAM("refused-stream"),
    RETRIABLE_4XX("retriable-4xx"),
    RETRIABLE_STATUS_CODES("retriable-status-codes"),
    GRPC_CANCELLED("cancelled"),
    GRPC_DEADLINE_EXCEEDED("deadline-exceeded"),
    GRPC_INTERNAL("internal"),
    GRPC_RESOURCE_EXHAUSTED("resource-exhausted"),
    GRPC_UNAVAILABLE("unavailable");

    private final String word;

    RetryOn(String word) {
        this.word = word;
    }

    /// As it is written in a `retry_on`.
    public String word() {
        return word;
    }

    static @Nullable RetryOn of(String text) {
        String wanted = text.strip().toLowerCase(Locale.ROOT);
        for (RetryOn on : values()) {
            if (on.word.equals(wanted)) {
                return on;
            }
        }
        return null;
    }
}
