package dev.bodyguard.proxy.wire;

import dev.bodyguard.identity.spiffe.Pem;
import io.netty.buffer.ByteBufAllocator;
import io.netty.handler.ssl.ApplicationProtocolConfig;
import io.netty.handler.ssl.ApplicationProtocolConfig.Protocol;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectedListenerFailureBehavior;
import io.netty.handler.ssl.ApplicationProtocolConfig.SelectorFailureBehavior;
import io.netty.handler.ssl.ClientAuth;
import io.netty.handler.ssl.OpenSsl;
import io.netty.handler.ssl.SslContext;
import io.netty.handler.ssl.SslContextBuilder;
import io.netty.handler.ssl.SslHandler;
import io.netty.handler.ssl.SslProvider;
import java.security.GeneralSecurityException;
import java.security.cert.X509Certificate;
import javax.net.ssl.SSLException;
import org.jspecify.annotations.Nullable;

/// TLS 1.2 and later by a certificate of the app's own, ended before the app.
public final class AppTls {
    private final SslContext context;
    private final boolean verifies;

    private AppTls(SslContext context, boolean verifies) {
        this.context = context;
        this.verifies = verifies;
    }

    /// TLS by these, all of them in PEM.
    ///
    /// @param chain certificates, the app's own first
    /// @param key its private key: PKCS #8, or as OpenSSL writes RSA and EC keys
    /// @param clients the roots by which clients prove themselves; null where they need not
    /// @throws GeneralSecurityException with a sentence, where one of them cannot be used
    public static AppTls of(String chain, String key, @Nullable String clients) throws GeneralSecurityException {
        try {
            var certificates = certificates(chain);
            var builder = SslContextBuilder.forServer(PemKey.read(key), certificates)
                    .keyStoreType(MeshTls.STORE)
                    .sslProvider(OpenSsl.isAvailable() ? SslProvider.OPENSSL : SslProvider.JDK)
                    .protocols("TLSv1.3", "TLSv1.2")
                    .applicationProtocolConfig(new ApplicationProtocolConfig(
                            Protocol.ALPN,
                            SelectorFailureBehavior.NO_ADVERTISE,
                            SelectedListenerFailureBehavior.ACCEPT,
                            "h2",
                            "http/1.1"));
            if (clients != null) {
                builder.clientAuth(ClientAuth.REQUIRE).trustManager(certificates(clients));
            }
            var context = builder.build();
            if (clients != null) {
                MeshTls.neverResume(context);
            }
            return new AppTls(context, clients != null);
        } catch (SSLException | IllegalArgumentException unusable) {
            throw new GeneralSecurityException(unusable.getMessage(), unusable);
        }
    }

    private static X509Certificate[] certificates(String pem) throws GeneralSecurityException {
        var certificates = Pem.certificates(Pem.parse(pem));
        if (certificates.isEmpty()) {
            throw new GeneralSecurityException("there is no CERTIFICATE in it");
        }
        return certificates.toArray(X509Certificate[]::new);
    }

    /// For one connection. Where clients are verified each connection's is.
    SslHandler handler(ByteBufAllocator allocator) {
        return verifies ? MeshTls.withoutTickets(context, allocator) : context.newHandler(allocator);
    }
}
