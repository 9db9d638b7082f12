package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Endpoint;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Loop;
import dev.bodyguard.proxy.wire.Target;
import dev.bodyguard.telemetry.record.Party;
import java.net.InetSocketAddress;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// Where each attempt goes: another endpoint than before, as long as there is one. Owned by one loop.
final class Picking {
    private final Way way;
    private final boolean avoidTried;
    private final Resolver resolver;
    private final Loop loop;
    private final List<Endpoint> tried = new ArrayList<>(2);

    Picking(Way way, boolean avoidTried, Resolver resolver, Loop loop) {
        this.way = way;
        this.avoidTried = avoidTried;
        this.resolver = resolver;
        this.loop = loop;
    }

    /// A place to try.
    ///
    /// @param endpoint null where the address is the request's own
    record Pick(@Nullable Endpoint endpoint, String address) {}

    /// What the place is to be dialled at.
    sealed interface Dial {
        record To(Target target) implements Dial {}

        /// Nowhere.
        ///
        /// @param sentence why
        record Impossible(String sentence) implements Dial {}
    }

    /// Null where no endpoint is ready.
    @Nullable
    Pick next() {
        return switch (way) {
            case Way.Straight(var _, var name) -> new Pick(null, name);
            case Way.Balanced balanced -> {
                var endpoint = balanced.cluster().pick(avoidTried ? tried : List.of(), loop.random(), balanced.hash());
                if (endpoint == null) {
                    yield null;
                }
                tried.add(endpoint);
                yield new Pick(endpoint, endpoint.address());
            }
        };
    }

    /// Who is at an endpoint of this way, as far as is known.
    Party party(Endpoint endpoint) {
        return switch (way) {
            case Way.Straight _ -> Party.UNKNOWN;
            case Way.Balanced balanced ->
                balanced.generation().place(balanced.cluster(), endpoint).party();
        };
    }

    /// Finds out where to dial; answers on this loop, at once where no name has to be resolved.
    void find(Pick pick, Consumer<Dial> then) {
        switch (way) {
            case Way.Straight(var target, var _) -> then.accept(new Dial.To(target));
            case Way.Balanced balanced -> {
                var endpoint = pick.endpoint();
                if (endpoint == null) {
                    throw new IllegalArgumentException("a pick of another way");
                }
                var target = balanced.generation()
                        .place(balanced.cluster(), endpoint)
                        .target();
                if (target != null) {
                    then.accept(new Dial.To(as(balanced.spoken(), target)));
                } else {
                    resolve(balanced, endpoint, then);
                }
            }
        }
    }

    private void resolve(Way.Balanced balanced, Endpoint endpoint, Consumer<Dial> then) {
        resolver.resolve(
                endpoint.host(),
                answer -> loop.execute(() -> then.accept(
                        switch (answer) {
                            case Resolver.Answer.Found(var address) ->
                                new Dial.To(as(
                                        balanced.spoken(),
                                        new Target(
                                                new InetSocketAddress(address, endpoint.port()),
                                                endpoint.transport(),
                                                balanced.cluster().connectTimeout())));
                            case Resolver.Answer.Missing(var sentence) -> new Dial.Impossible(sentence);
                        })));
    }

    private static Target as(@Nullable Transport spoken, Target target) {
        return spoken == null || spoken.equals(target.transport())
                ? target
                : new Target(target.address(), spoken, target.connectTimeout());
    }
}
