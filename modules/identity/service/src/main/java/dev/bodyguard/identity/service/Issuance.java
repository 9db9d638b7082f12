package dev.bodyguard.identity.service;

import com.google.protobuf.ByteString;
import dev.bodyguard.identity.authority.Authority;
import dev.bodyguard.identity.authority.ServerNames;
import dev.bodyguard.identity.authority.Signing;
import dev.bodyguard.identity.spiffe.SpiffeId;
import dev.bodyguard.xds.protocol.identity.v1.IdentityGrpc;
import dev.bodyguard.xds.protocol.identity.v1.SignRequest;
import dev.bodyguard.xds.protocol.identity.v1.SignResponse;
import io.grpc.Status;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.security.cert.CertificateEncodingException;
import java.security.cert.X509Certificate;
import java.time.Duration;
import java.time.InstantSource;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.Supplier;

/// `bodyguard.identity.v1.Identity`: signs for whoever bears a token, and only what the token is good for.
///
/// A plain gRPC service; any transport may carry it that proves the server and hides the token, that is TLS.
final class Issuance extends IdentityGrpc.IdentityImplBase {
    static final List<Status.Code> REFUSALS = List.of(
            Status.Code.UNAUTHENTICATED,
            Status.Code.PERMISSION_DENIED,
            Status.Code.INVALID_ARGUMENT,
            Status.Code.RESOURCE_EXHAUSTED,
            Status.Code.UNAVAILABLE,
            Status.Code.INTERNAL);

    private static final int LONGEST_SHOWN = 80;

    private final Authority authority;
    private final Tokens tokens;
    private final Events events;
    private final Supplier<String> peer;
    /// A sidecar that renews its certificate of 10 s, and restarts in between, needs far less.
    private final Allowance allowance;

    /// For one authority.
    ///
    /// @param peer the caller's address, asked for on the thread that serves the call
    Issuance(Authority authority, Tokens tokens, Events events, Supplier<String> peer, InstantSource clock) {
        this.authority = Objects.requireNonNull(authority);
        this.tokens = Objects.requireNonNull(tokens);
        this.events = Objects.requireNonNull(events);
        this.peer = Objects.requireNonNull(peer);
        this.allowance = new Allowance(100, Duration.ofMillis(100), clock);
    }

    /// What is answered.
    private sealed interface Answer {}

    private record Granted(SignResponse response) implements Answer {}

    private record Denied(Status.Code code, String why) implements Answer {}

    @Override
    public void sign(SignRequest request, StreamObserver<SignResponse> response) {
        var from = peer.get();
        var wanted = printable(request.getNamespace() + "/" + request.getServiceAccount());
        Answer answer;
        long asked = System.nanoTime();
        try {
            answer = decide(request, from, asked);
        } catch (IOException | CertificateEncodingException | RuntimeException ours) {
            events.failed(wanted, ours, from, since(asked));
            response.onError(Status.INTERNAL
                    .withDescription("the identity service could not sign; its log says why")
                    .asRuntimeException());
            return;
        }
        switch (answer) {
            case Granted(var signed) -> {
                response.onNext(signed);
                response.onCompleted();
            }
            case Denied(var code, var why) -> {
                events.refused(wanted, code, why, from);
                response.onError(code.toStatus().withDescription(why).asRuntimeException());
            }
        }
    }

    private Answer decide(SignRequest request, String from, long asked)
            throws IOException, CertificateEncodingException {
        return switch (tokens.judge(request.getJoinToken(), from)) {
            case Tokens.Refused(var why) -> new Denied(Status.Code.UNAUTHENTICATED, why);
            case Tokens.Unknown(var why) -> new Denied(Status.Code.UNAVAILABLE, why);
            case Tokens.Admitted(var namespace, var account, var bearer) -> {
                if (!namespace.equals(request.getNamespace()) || !account.equals(request.getServiceAccount())) {
                    yield new Denied(
                            Status.Code.PERMISSION_DENIED,
                            "the token is good for " + namespace + "/" + account + ", not for "
                                    + printable(request.getNamespace() + "/" + request.getServiceAccount()));
                }
                if (!allowance.take(namespace + "/" + account)) {
                    yield new Denied(
                            Status.Code.RESOURCE_EXHAUSTED,
                            namespace + "/" + account + " asks for certificates too often; ask again in a second");
                }
                yield signed(
                        request,
                        SpiffeId.ofServiceAccount(trustDomain(), namespace, account),
                        bearer.isEmpty() ? from : from + ", " + bearer,
                        asked);
            }
        };
    }

    private Answer signed(SignRequest request, SpiffeId id, String from, long asked)
            throws IOException, CertificateEncodingException {
        // An unsigned 32-bit number on the wire.
        var wished = Duration.ofSeconds(Integer.toUnsignedLong(request.getTtlSeconds()));
        return switch (authority.sign(request.getCsr().toByteArray(), id, wished, names(id, tokens))) {
            case Signing.Rejected(var why) -> new Denied(Status.Code.INVALID_ARGUMENT, why);
            case Signing.Signed(var chain, var serial, var until) -> {
                events.issued(id, serial, until, from, since(asked));
                yield new Granted(SignResponse.newBuilder()
                        .addAllChain(der(chain))
                        .addAllTrustBundle(der(authority.bundle().roots()))
                        .setTrustDomain(trustDomain())
                        .build());
            }
        };
    }

    /// A service of the control plane is also called by clients that check host names, such as a Kubernetes API server
    /// that calls a webhook: it is certified for the Service that has its account's name.
    ///
    /// Where members join by a state folder, proxyless gRPC on the same machine calls it by a name of loopback.
    static ServerNames names(SpiffeId id, Tokens tokens) {
        if (!ServerSvid.NAMESPACE.equals(id.namespace())) {
            return ServerNames.NONE;
        }
        var host = "bodyguard-" + id.serviceAccount() + "." + ServerSvid.NAMESPACE + ".svc";
        var ofService = List.of(host, host + ".cluster.local");
        return switch (tokens) {
            case ClusterTokens _ -> new ServerNames(ofService, List.of());
            case JoinTokens _ -> {
                var loopback = ServerNames.loopback();
                var all = new ArrayList<>(ofService);
                all.addAll(loopback.dns());
                yield new ServerNames(all, loopback.addresses());
            }
        };
    }

    private static Duration since(long nanoTime) {
        return Duration.ofNanos(System.nanoTime() - nanoTime);
    }

    private String trustDomain() {
        return authority.bundle().trustDomain();
    }

    private static List<ByteString> der(List<X509Certificate> certificates) throws CertificateEncodingException {
        var encoded = new ArrayList<ByteString>();
        for (var certificate : certificates) {
            encoded.add(ByteString.copyFrom(certificate.getEncoded()));
        }
        return encoded;
    }

    /// A stranger's text, for one line of a log.
    private static String printable(String text) {
        var shown = new StringBuilder();
        text.codePoints().limit(LONGEST_SHOWN).forEach(c -> shown.append(c > ' ' && c < 0x7f ? (char) c : '?'));
        return text.length() > LONGEST_SHOWN ? shown.append('…').toString() : shown.toString();
    }
}
