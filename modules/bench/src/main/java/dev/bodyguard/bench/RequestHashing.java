package dev.bodyguard.bench;

import dev.bodyguard.proxy.engine.Hashing;
import dev.bodyguard.proxy.engine.RequestHead;
import dev.bodyguard.proxy.engine.RouteRule.HashInput;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;

/// What a request is hashed by, read and hashed, where the route hashes.
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@Fork(1)
public class RequestHashing {
    private static final String USER = "5b1f0c8e-7f0e-4b52-9f0e-1d2c3b4a5968";
    private static final RequestHead REQUEST = new RequestHead() {
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
            return "payment-service";
        }

        @Override
        public String path() {
            return "/pay?currency=EUR&amount=17&user=" + USER;
        }

        @Override
        public @Nullable CharSequence header(String name) {
            return switch (name) {
                case "cookie" -> "theme=dark; consent=all; lb=\"" + USER + "\"; last=1";
                case "x-user" -> USER;
                default -> null;
            };
        }
    };

    /// By what.
    public enum Key {
        /// A header.
        HEADER(new HashInput.Header("x-user")),
        /// A cookie among others.
        COOKIE(new HashInput.Cookie("lb", "; HttpOnly")),
        /// A query parameter among others.
        QUERY(new HashInput.Query("user")),
        /// The client's address.
        SOURCE(new HashInput.SourceAddress()),
        /// Something that the request does not have.
        ABSENT(new HashInput.Header("x-tenant"));

        private final List<HashInput> inputs;

        Key(HashInput input) {
            this.inputs = List.of(input);
        }
    }

    private final InetSocketAddress client = new InetSocketAddress("10.0.0.7", 40_000);
    private long fresh;

    /// Set by JMH.
    @Param
    public Key key = Key.HEADER;

    /// One request, and whether it is to have a cookie.
    @Benchmark
    public long hash() {
        fresh++;
        return Hashing.of(REQUEST, client, key.inputs, fresh)
                + (Hashing.cookies(REQUEST, key.inputs, fresh).isEmpty() ? 0 : 1);
    }
}
