package dev.bodyguard.xds.snapshot;

import static org.assertj.core.api.Assertions.assertThat;

import com.google.protobuf.StringValue;
import com.google.rpc.Code;
import com.google.rpc.Status;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryRequest;
import io.envoyproxy.envoy.service.discovery.v3.DeltaDiscoveryResponse;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// A conversation with a delta session, written down: `>` is what the client says, `<` what it is told, `#` what was
/// heard. Types are written by their last word, versions as the text that the resource carries.
final class Transcript {
    private final DeltaSession session;
    private final List<String> lines = new ArrayList<>();

    Transcript(Resources resources) {
        this(resources, Limits.ordinary());
    }

    Transcript(Resources resources, Limits limits) {
        session = new DeltaSession(resources, limits);
    }

    DeltaSession session() {
        return session;
    }

    static NamedResource resource(String typeUrl, String name, String text, String... aliases) {
        var made = NamedResource.of(name, StringValue.of(text), aliases);
        return new NamedResource(
                name, "v" + text, made.body().toBuilder().setTypeUrl(typeUrl).build(), made.aliases());
    }

    static DeltaDiscoveryRequest.Builder request(String typeUrl) {
        return DeltaDiscoveryRequest.newBuilder().setTypeUrl(typeUrl);
    }

    static Status complaint(String message) {
        return Status.newBuilder()
                .setCode(Code.INVALID_ARGUMENT_VALUE)
                .setMessage(message)
                .build();
    }

    Transcript subscribe(String typeUrl, String... names) {
        return says(request(typeUrl).addAllResourceNamesSubscribe(List.of(names)));
    }

    Transcript unsubscribe(String typeUrl, String... names) {
        return says(request(typeUrl).addAllResourceNamesUnsubscribe(List.of(names)));
    }

    Transcript acks(String typeUrl, String nonce) {
        return says(request(typeUrl).setResponseNonce(nonce));
    }

    Transcript nacks(String typeUrl, String nonce, String why) {
        return says(request(typeUrl).setResponseNonce(nonce).setErrorDetail(complaint(why)));
    }

    Transcript says(DeltaDiscoveryRequest.Builder request) {
        var said = new StringBuilder("> ").append(word(request.getTypeUrl()));
        request.getResourceNamesSubscribeList()
                .forEach(name -> said.append(" +").append(name));
        request.getResourceNamesUnsubscribeList()
                .forEach(name -> said.append(" -").append(name));
        request.getInitialResourceVersionsMap()
                .forEach((name, version) ->
                        said.append(" has ").append(name).append('=').append(version));
        if (!request.getResponseNonce().isEmpty()) {
            said.append(request.hasErrorDetail() ? " nack " : " ack ").append(request.getResponseNonce());
        }
        lines.add(said.toString());
        return record(session.hear(request.build()));
    }

    Transcript offered(Resources next) {
        lines.add("> generation " + next.generation());
        return record(session.offer(next));
    }

    private Transcript record(Reaction<DeltaDiscoveryResponse> reaction) {
        switch (reaction) {
            case Reaction.Refusal<DeltaDiscoveryResponse>(var why) -> lines.add("! " + why);
            case Reaction.Answer<DeltaDiscoveryResponse>(var send, var heard) -> {
                for (var each : heard) {
                    lines.add(
                            switch (each) {
                                case Heard.Acked acked -> "# " + word(acked.typeUrl()) + " acked " + acked.generation();
                                case Heard.Nacked nacked ->
                                    "# " + word(nacked.typeUrl()) + " nacked " + nacked.names() + ": " + nacked.why();
                            });
                }
                for (var response : send) {
                    lines.add("< " + word(response.getTypeUrl()) + " #" + response.getNonce()
                            + response.getResourcesList().stream()
                                    .map(Transcript::text)
                                    .sorted()
                                    .collect(Collectors.joining())
                            + response.getRemovedResourcesList().stream()
                                    .sorted()
                                    .map(name -> " -" + name)
                                    .collect(Collectors.joining()));
                }
            }
        }
        return this;
    }

    private static String text(Resource resource) {
        return " " + resource.getName() + "=" + resource.getVersion();
    }

    private static String word(String typeUrl) {
        return typeUrl.substring(typeUrl.lastIndexOf('.') + 1);
    }

    void reads(String expected) {
        assertThat(String.join("\n", lines)).isEqualTo(expected.strip());
    }
}
