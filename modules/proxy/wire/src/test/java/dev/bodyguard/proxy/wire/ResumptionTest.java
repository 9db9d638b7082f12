package dev.bodyguard.proxy.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.AcceptedPeers;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.identity.spiffe.SvidTrustManager;
import dev.bodyguard.identity.spiffe.SvidVerifier;
import java.security.KeyStore;
import java.security.cert.X509Certificate;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicInteger;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import org.junit.jupiter.api.Test;

/// Whose a connection is was verified in its own handshake, not in one of long ago.
class ResumptionTest {
    @Test
    void givesACallerNothingToResumeBy() throws Exception {
        try (var rig = new Rig()) {
            var verified = new AtomicInteger();
            var caller = caller(rig.svid("checkout"), verified);
            var inbound = rig.inbound(Rig.echo()).address();
            for (int connections = 1; connections <= 3; connections++) {
                try (var socket =
                        (SSLSocket) caller.getSocketFactory().createSocket(inbound.getAddress(), inbound.getPort())) {
                    var asH2 = socket.getSSLParameters();
                    asH2.setApplicationProtocols(new String[] {"h2"});
                    socket.setSSLParameters(asH2);
                    // A ticket would have come before the server's first frame.
                    Frames.client(socket).next(Frames.SETTINGS);

                    assertThat(socket.getSession().getProtocol()).isEqualTo("TLSv1.3");
                }

                // Of a session that is resumed no side sees a certificate.
                assertThat(verified).hasValue(connections);
            }
        }
    }

    /// A client that would resume, and counts the certificates that it is shown.
    private static SSLContext caller(Svid svid, AtomicInteger verified) throws Exception {
        var keys = KeyStore.getInstance(KeyStore.getDefaultType());
        keys.load(null);
        keys.setKeyEntry("svid", svid.key(), new char[0], svid.chain().toArray(X509Certificate[]::new));
        var managers = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
        managers.init(keys, new char[0]);
        var verifier = new SvidVerifier(
                () -> {
                    verified.incrementAndGet();
                    return svid.bundle();
                },
                InstantSource.system());
        var trust = new SvidTrustManager(verifier, new AcceptedPeers.EveryMember(), _ -> {});
        var context = SSLContext.getInstance("TLS");
        context.init(managers.getKeyManagers(), new TrustManager[] {trust}, null);
        return context;
    }
}
