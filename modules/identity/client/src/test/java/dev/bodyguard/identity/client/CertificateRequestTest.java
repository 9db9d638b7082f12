package dev.bodyguard.identity.client;

import static org.assertj.core.api.Assertions.assertThat;

import java.security.SecureRandom;
import org.bouncycastle.operator.jcajce.JcaContentVerifierProviderBuilder;
import org.bouncycastle.pkcs.jcajce.JcaPKCS10CertificationRequest;
import org.junit.jupiter.api.RepeatedTest;

class CertificateRequestTest {
    /// Repeated, since the DER of a signature differs in length from one to the next.
    @RepeatedTest(20)
    void isReadAndVerifiedByAnIndependentImplementation() throws Exception {
        var random = new SecureRandom();
        var key = CertificateRequest.newKey(random);

        var encoded = CertificateRequest.encode(key, random);

        var read = new JcaPKCS10CertificationRequest(encoded);
        assertThat(read.getEncoded()).isEqualTo(encoded);
        assertThat(read.getPublicKey()).isEqualTo(key.getPublic());
        assertThat(read.getSubject().getRDNs()).isEmpty();
        assertThat(read.getAttributes()).isEmpty();
        assertThat(read.isSignatureValid(new JcaContentVerifierProviderBuilder().build(key.getPublic())))
                .isTrue();
    }
}
