package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Exchange;
import dev.bodyguard.proxy.wire.Failure;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Limits;
import dev.bodyguard.proxy.wire.Listener;
import dev.bodyguard.proxy.wire.ListenerEvents;
import dev.bodyguard.proxy.wire.Loop;
import dev.bodyguard.proxy.wire.Loops;
import dev.bodyguard.proxy.wire.MeshTls;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.RequestListener;
import dev.bodyguard.proxy.wire.Reset;
import dev.bodyguard.proxy.wire.Response;
import dev.bodyguard.proxy.wire.ResponseListener;
import dev.bodyguard.proxy.wire.Target;
import dev.bodyguard.proxy.wire.Tunnel;
import dev.bodyguard.proxy.wire.TunnelListener;
import dev.bodyguard.proxy.wire.Upstreams;
import dev.bodyguard.proxy.wire.Version;
import dev.bodyguard.telemetry.record.Meters;
import dev.bodyguard.telemetry.record.Party;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.InstantSource;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/// Requests that a new sidecar sends itself, through its own outbound and inbound path over loopback, so that the app's
/// first ones find classes loaded and code compiled; a JVM interprets a method some hundred times before. They go one
/// after the other without a pause while there is nothing to do but to wait for config, and so seldom from then on that
/// they take a twentieth of a core, less on a machine that has no time. They give way to the app's, are counted and
/// told
/// nowhere, and come to an end.
final class WarmUp {
    /// Between two, once somebody may come, at least; otherwise so many times what the last one took.
    private static final Duration PAUSE = Duration.ofMillis(20);

    private static final int REST = 19;

    /// Config that has not come by then is long in coming, maybe because this machine has no time.
    private static final Duration IN_HASTE = Duration.ofMillis(300);

    /// Until it is looked again, while somebody is there.
    private static final Duration GIVE_WAY = Duration.ofMillis(250);

    /// Then it ends, however little it has got to: an app that always has a request under way is warm.
    private static final Duration AT_MOST = Duration.ofMinutes(2);

    private static final Duration TO_CLOSE = Duration.ofMillis(100);
    private static final Duration TO_CONNECT = Duration.ofSeconds(5);
    private static final byte[] BODY = "x".repeat(1 << 10).getBytes(StandardCharsets.US_ASCII);

    private final Pace pace;
    private final Loop loop;
    private final Upstreams upstreams;
    private final Target outbound;
    private final List<Listener> listeners;
    private final CompletableFuture<Ended> ended = new CompletableFuture<>();

    private final long began = System.nanoTime();
    // Owned by the loop.
    private int answered;
    private long asked;

    private WarmUp(Pace pace, Loop loop, Upstreams upstreams, Target outbound, List<Listener> listeners) {
        this.pace = pace;
        this.loop = loop;
        this.upstreams = upstreams;
        this.outbound = outbound;
        this.listeners = listeners;
    }

    /// What else this process does; asked before each request, on the loop.
    interface Pace {
        /// Whether config has come, so that the app's requests may.
        boolean isInService();

        /// Whether somebody else's request is under way.
        boolean isBusy();

        /// Whether after so many requests what they go through is compiled.
        boolean isEnough(int answered);
    }

    /// @param answered requests
    /// @param trouble why it were not more, where something went wrong
    record Ended(int answered, Optional<String> trouble) {}

    /// Begins. What it opens is on 127.0.0.1, leads to nothing but an answer of its own, and is closed at the end.
    ///
    /// @throws IOException where no port can be opened
    static WarmUp begin(Settings settings, SpiffeId id, Party self, MeshTls tls, Loops loops, Pace pace)
            throws IOException {
        var clock = InstantSource.system();
        var nowhere = new Ledger(new Meters(), List.of(), () -> false, Room.ofHeap(), clock);
        var certificates = new Certificates(settings.certificates(), _ -> {});
        var upstreams = Upstreams.on(loops, Limits.DEFAULTS, tls);
        var inForce = new InForce<>(new Generation(Plan.EMPTY));
        var resolver = new Resolver();
        var trail = new Trail(0);
        var app = Listener.outbound(loops, loopback(), Limits.DEFAULTS, WarmUp::answer, WarmUp::refuse, UNTOLD);
        int port = app.address().getPort();
        var inbound = Listener.inbound(
                loops,
                loopback(),
                Limits.DEFAULTS,
                tls,
                new Admitting(inForce, certificates).before(port),
                new InboundPath(
                        inForce,
                        settings,
                        id,
                        self,
                        upstreams,
                        resolver,
                        nowhere,
                        trail,
                        new AppSide.OnePort(port, () -> {}, new AppSilence("", clock, UNHEARD), Optional::empty),
                        new AppSpeech(System::nanoTime)),
                WarmUp::refuse,
                UNTOLD);
        inForce.replace(new Generation(new MeshOfOne(id, inbound.address().getPort(), port).plan()));
        var nobodyToAsk = new Planner(inForce, new Loads(), Duration.ZERO, (_, _) -> {});
        nobodyToAsk.close();
        var parking = new Parking(loops.all(), Duration.ZERO, 0);
        var outbound = Listener.outbound(
                loops,
                loopback(),
                Limits.DEFAULTS,
                new OutboundPath(
                        inForce,
                        new Hosts(nobodyToAsk, 1),
                        parking,
                        upstreams,
                        resolver,
                        nowhere,
                        trail,
                        self,
                        () -> 0),
                WarmUp::refuse,
                UNTOLD);
        var warmUp = new WarmUp(
                pace,
                loops.all().getFirst(),
                upstreams,
                new Target(outbound.address(), new Transport.Plaintext(false), TO_CONNECT),
                List.of(outbound, inbound, app));
        warmUp.loop.execute(warmUp::next);
        return warmUp;
    }

    /// Where it listens.
    List<Integer> ports() {
        return listeners.stream().map(listener -> listener.address().getPort()).toList();
    }

    /// Once it is over.
    CompletionStage<Ended> ended() {
        return ended.minimalCompletionStage();
    }

    private void next() {
        if (System.nanoTime() - began > AT_MOST.toNanos()) {
            end(Optional.empty());
            return;
        }
        if (pace.isBusy()) {
            loop.after(GIVE_WAY, this::next);
            return;
        }
        asked = System.nanoTime();
        boolean withBody = answered % 4 == 3;
        var fields = Fields.of("accept", "*/*", "user-agent", "warm-up");
        if (withBody) {
            fields.add("content-length", BODY.length + "");
        }
        var request = new Request(
                Version.HTTP_1_1,
                withBody ? "POST" : "GET",
                "http",
                MeshOfOne.HOST.host(),
                "/warm?up=" + answered,
                fields);
        var stream = upstreams.open(loop, outbound, request, !withBody, new Answer());
        if (withBody) {
            stream.data(Unpooled.wrappedBuffer(BODY), true);
        }
    }

    private void answered() {
        answered++;
        if (pace.isEnough(answered)) {
            end(Optional.empty());
        } else if (pace.isInService() || asked - began > IN_HASTE.toNanos()) {
            loop.after(rest(Duration.ofNanos(System.nanoTime() - asked)), this::next);
        } else {
            loop.execute(this::next);
        }
    }

    private static Duration rest(Duration took) {
        var rest = took.multipliedBy(REST);
        return rest.compareTo(PAUSE) > 0 ? rest : PAUSE;
    }

    private void end(Optional<String> trouble) {
        listeners.forEach(listener -> listener.drain(TO_CLOSE));
        ended.complete(new Ended(answered, trouble));
    }

    private final class Answer implements ResponseListener {
        private int status;

        @Override
        public void onHead(Response head, boolean last) {
            status = head.status();
            if (last) {
                over();
            }
        }

        @Override
        public void onData(ByteBuf chunk, boolean last) {
            chunk.release();
            if (last) {
                over();
            }
        }

        @Override
        public void onTrailers(Fields trailers) {
            over();
        }

        @Override
        public void onFailure(Failure failure) {
            end(Optional.of(failure.reason()));
        }

        @Override
        public void onWritable() {}

        private void over() {
            if (status == 200) {
                answered();
            } else {
                end(Optional.of("its own answer was " + status));
            }
        }
    }

    /// What an app would do.
    private static RequestListener answer(Exchange asked) {
        if (asked.bodyless()) {
            answerNow(asked);
        }
        return new RequestListener() {
            @Override
            public void onData(ByteBuf chunk, boolean last) {
                chunk.release();
                if (last) {
                    answerNow(asked);
                }
            }

            @Override
            public void onTrailers(Fields trailers) {
                answerNow(asked);
            }

            @Override
            public void onReset(Reset reason) {}

            @Override
            public void onWritable() {}
        };
    }

    private static void answerNow(Exchange asked) {
        var fields = Fields.of("content-type", "text/plain", "content-length", BODY.length + "");
        asked.head(Response.of(200, fields), false);
        asked.data(Unpooled.wrappedBuffer(BODY), true);
    }

    /// Whoever else has found a port of this is told nothing.
    private static TunnelListener refuse(Tunnel tunnel) {
        tunnel.close();
        return new TunnelListener() {};
    }

    private static final ListenerEvents UNTOLD = new ListenerEvents() {};

    private static final AppSilence.Events UNHEARD = new AppSilence.Events() {
        @Override
        public void began(String sentence) {}

        @Override
        public void ended(Duration after) {}
    };

    private static InetSocketAddress loopback() {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), 0);
    }
}
