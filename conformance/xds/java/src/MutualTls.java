import io.grpc.ChannelCredentials;
import io.grpc.TlsChannelCredentials;
import io.grpc.util.AdvancedTlsX509KeyManager;
import io.grpc.xds.XdsCredentialsProvider;
import java.io.File;
import java.io.IOException;
import java.security.GeneralSecurityException;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;

/// The channel credentials `tls` of a bootstrap, with the files that gRFC A65 lets them name. grpc-java's own (1.85.1)
/// know no files, so this takes their place: a program that joins needs a class like it until they do.
public final class MutualTls extends XdsCredentialsProvider {
    @Override
    protected ChannelCredentials newChannelCredentials(Map<String, ?> config) {
        try {
            var keys = new AdvancedTlsX509KeyManager();
            // Read again as they are renewed; the thread is a daemon's.
            keys.updateIdentityCredentials(
                    file(config, "certificate_file"),
                    file(config, "private_key_file"),
                    10,
                    TimeUnit.SECONDS,
                    Executors.newSingleThreadScheduledExecutor(
                            Thread.ofPlatform().daemon().factory()));
            return TlsChannelCredentials.newBuilder()
                    .keyManager(keys)
                    .trustManager(file(config, "ca_certificate_file"))
                    .build();
        } catch (IOException | GeneralSecurityException unusable) {
            throw new IllegalArgumentException("the bootstrap's tls credentials cannot be used: " + unusable, unusable);
        }
    }

    private static File file(Map<String, ?> config, String key) {
        return new File(String.valueOf(config.get(key)));
    }

    @Override
    protected String getName() {
        return "tls";
    }

    @Override
    public boolean isAvailable() {
        return true;
    }

    /// Above grpc-java's own.
    @Override
    public int priority() {
        return 6;
    }
}
