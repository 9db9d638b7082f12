package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Budget;
import dev.bodyguard.proxy.engine.HeaderChanges;
import dev.bodyguard.proxy.engine.Refusal;
import dev.bodyguard.proxy.wire.Exchange;
import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.proxy.wire.Loop;
import dev.bodyguard.proxy.wire.Request;
import dev.bodyguard.proxy.wire.RequestListener;
import dev.bodyguard.proxy.wire.Reset;
import dev.bodyguard.proxy.wire.Version;
import dev.bodyguard.telemetry.record.Edge;
import io.netty.buffer.ByteBuf;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// One exchange on its way through the stages: it waits, is answered here, or is forwarded; then it is over, once.
///
/// The client is paused until somebody wants its body. Owned by the exchange's loop.
final class Call implements RequestListener {
    private final Exchange client;
    private final Request request;
    private final Facts facts;
    private final Ledger ledger;
    private @Nullable Forwarding forwarding;
    private Loop.@Nullable Timer waiting;
    private Parking.@Nullable Place place;
    private final int weight;
    private boolean over;
    private boolean inside;
    private boolean askedInHttp1;

    Call(Edge.Reporter reporter, Exchange client, Ledger ledger) {
        this.client = client;
        this.request = client.request();
        this.ledger = ledger;
        this.facts = ledger.request(reporter, client);
        this.weight = Room.weight(request);
        client.pause();
    }

    /// Takes its part of the room for requests under way, until it is over; refused where there is none.
    boolean enter() {
        inside = ledger.room().take(weight);
        if (!inside) {
            refuse(new Refusal.Full(ledger.room().bytes()));
        }
        return inside;
    }

    Exchange client() {
        return client;
    }

    Loop loop() {
        return client.loop();
    }

    /// The request as the next stage shall see it; stages change it.
    Request request() {
        return request;
    }

    Facts facts() {
        return facts;
    }

    /// What time the request, as it is now, has by itself and by its route's timeout (zero for none).
    Budget budget(Duration timeout) {
        return Budget.of(request, LocalReply.isGrpc(request), timeout, facts.startedNanos());
    }

    Ledger ledger() {
        return ledger;
    }

    boolean isOver() {
        return over;
    }

    /// A sidecar asks for a client of HTTP/1, to which the names of fields may be what they look like.
    void askedInHttp1() {
        askedInHttp1 = true;
    }

    boolean isAskedInHttp1() {
        return askedInHttp1;
    }

    /// Does `next` after a while, unless the client gives up before.
    void wait(Duration atMost, Runnable next) {
        waiting = loop().after(atMost, () -> {
            waiting = null;
            if (!over) {
                next.run();
            }
        });
    }

    /// Waits until the exit is open, or long enough, unless the client gives up before; false where there is no room
    /// to wait.
    boolean park(Parking parking, Parking.Exit exit) {
        place = parking.park(loop(), exit);
        return place != null;
    }

    void forward(Forwarding to) {
        forwarding = to;
        to.start();
    }

    void refuse(Refusal refusal) {
        facts.refused(refusal);
        sent(LocalReply.refuse(client, request, refusal));
    }

    /// Lets a peer of the mesh know that nothing came of its request, so that it may try elsewhere.
    void turnAway(Refusal refusal) {
        facts.refused(refusal);
        facts.status = refusal.status();
        client.reset(Reset.REFUSED);
        over();
    }

    /// An answer that has begun can only end; a call of gRPC ends with a status, and then was told why.
    ///
    /// @return whether it could
    boolean endWith(Refusal refusal) {
        boolean could = LocalReply.isGrpc(request) && request.version() == Version.HTTP_2;
        if (could) {
            facts.grpcStatus = LocalReply.end(client, refusal);
            over();
            client.resume();
        }
        return could;
    }

    void respond(int status, Fields fields, String body, HeaderChanges changes, String details) {
        facts.details = details;
        Headers.change(fields, changes);
        sent(LocalReply.respond(client, request, status, fields, body));
    }

    private void sent(LocalReply.Sent sent) {
        facts.status = sent.status();
        facts.grpcStatus = sent.grpcStatus();
        facts.responseBytes = sent.bytes();
        over();
        // What is left of the request goes nowhere; whether to read or to break it off is the wire's to know.
        client.resume();
    }

    /// The exchange has ended, however it did.
    void over() {
        if (!over) {
            over = true;
            if (waiting != null) {
                waiting.cancel();
                waiting = null;
            }
            if (place != null) {
                place.giveUp();
                place = null;
            }
            if (inside) {
                ledger.room().giveBack(weight);
            }
            ledger.record(facts);
        }
    }

    @Override
    public void onData(ByteBuf chunk, boolean last) {
        facts.requestBytes += chunk.readableBytes();
        if (forwarding != null && !over) {
            forwarding.requestData(chunk, last);
        } else {
            chunk.release();
        }
    }

    @Override
    public void onTrailers(Fields trailers) {
        if (forwarding != null && !over) {
            forwarding.requestTrailers(trailers);
        }
    }

    @Override
    public void onReset(Reset reason) {
        if (over) {
            return;
        }
        facts.flag("DC");
        facts.details = "downstream_remote_disconnect";
        var soon = forwarding != null && !forwarding.isAnswered()
                ? " before " + facts.upstreamHost + " had begun to answer"
                : " before it had the whole answer";
        facts.sentence = switch (reason) {
            case CANCELLED -> "the client gave up" + soon;
            case CONNECTION_LOST -> "the client's connection broke" + soon;
            case REFUSED, MALFORMED, INTERNAL, TIMED_OUT -> "the client's side ended early: " + reason;
        };
        if (forwarding != null) {
            forwarding.abandon();
        }
        over();
    }

    @Override
    public void onMalformed(int status, String sentence) {
        if (over) {
            return;
        }
        facts.refused(new Refusal.Unreadable(status, request.version() == Version.HTTP_2, sentence));
        if (status != 0) {
            facts.status = status;
        }
        if (forwarding != null) {
            forwarding.abandon();
        }
        over();
    }

    @Override
    public void onWritable() {
        if (forwarding != null && !over) {
            forwarding.clientWritable();
        }
    }
}
