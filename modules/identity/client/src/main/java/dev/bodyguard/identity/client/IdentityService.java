package dev.bodyguard.identity.client;

import com.google.protobuf.ByteString;
import dev.bodyguard.identity.spiffe.PeerRefused;
import dev.bodyguard.identity.spiffe.Pem;
import dev.bodyguard.identity.spiffe.TrustBundle;
import dev.bodyguard.xds.protocol.identity.v1.IdentityGrpc;
import dev.bodyguard.xds.protocol.identity.v1.SignRequest;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.security.cert.CertificateException;
import java.security.cert.X509Certificate;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;

/// The mesh's identity service, called over a channel that lives for one call: the next one is hours away.
final class IdentityService implements Issuer {
    private static final int DEADLINE_SECONDS = 10;

    private final Enrolment enrolment;
    private final WayToIdentity way;

    IdentityService(Enrolment enrolment, WayToIdentity way) {
        this.enrolment = enrolment;
        this.way = way;
    }

    @Override
    public Issued sign(byte[] csr) throws Failed {
        String token;
        try {
            token = enrolment.token().read().text();
        } catch (IOException unreadable) {
            throw new Failed("cannot read the join token: " + unreadable, unreadable);
        }
        var channel = open();
        try {
            var response = IdentityGrpc.newBlockingStub(channel)
                    .withDeadlineAfter(DEADLINE_SECONDS, TimeUnit.SECONDS)
                    .sign(SignRequest.newBuilder()
                            .setCsr(ByteString.copyFrom(csr))
                            .setNamespace(Objects.requireNonNull(enrolment.id().namespace()))
                            .setServiceAccount(
                                    Objects.requireNonNull(enrolment.id().serviceAccount()))
                            .setJoinToken(token)
                            .setTtlSeconds((int) enrolment.life().toSeconds())
                            .build());
            return new Issued(
                    certificates(response.getChainList()),
                    new TrustBundle(response.getTrustDomain(), certificates(response.getTrustBundleList())));
        } catch (StatusRuntimeException refused) {
            var why = PeerRefused.in(refused)
                    .map(verdict -> "the identity service is not the one expected: " + verdict.sentence())
                    .orElseGet(() -> described(refused.getStatus()));
            throw new Failed(why, refused);
        } catch (CertificateException | IllegalArgumentException broken) {
            throw new Failed("the identity service's answer cannot be used: " + broken.getMessage(), broken);
        } finally {
            channel.shutdownNow();
        }
    }

    private ManagedChannel open() throws Failed {
        try {
            return way.open();
        } catch (IOException nowhere) {
            throw new Failed(String.valueOf(nowhere.getMessage()), nowhere);
        }
    }

    private static String described(Status status) {
        if (status.getCode() == Status.Code.DEADLINE_EXCEEDED) {
            return "the identity service has not answered within " + DEADLINE_SECONDS + " s";
        }
        var description = status.getDescription();
        var cause = status.getCause();
        return "the identity service answers " + status.getCode()
                // Below the first line gRPC lists its channel's handlers.
                + (description == null
                        ? ""
                        : ": " + description.lines().findFirst().orElse(""))
                + (cause == null ? "" : " (" + cause + ")");
    }

    private static List<X509Certificate> certificates(List<ByteString> encoded) throws CertificateException {
        var certificates = new ArrayList<X509Certificate>();
        for (var der : encoded) {
            certificates.add(Pem.certificate(der.toByteArray()));
        }
        return certificates;
    }
}
