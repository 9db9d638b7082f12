package dev.bodyguard.samples.authority;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.identity.spiffe.Pem;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class IssueTest {
    @Test
    void theAuthorityIsTheSameOneNextTime(@TempDir Path folder) throws Exception {
        var first = Pem.certificates(Pem.parse(issue(folder, "checkout")));
        var second = Pem.certificates(Pem.parse(issue(folder, "payment-service")));

        var root = first.getLast();
        first.getFirst().verify(root.getPublicKey());
        second.getFirst().verify(root.getPublicKey());
        assertThat(second.getFirst().getSubjectAlternativeNames())
                .anyMatch(name -> name.contains("spiffe://example.org/ns/shop/sa/payment-service"));
    }

    private static String issue(Path folder, String account) throws Exception {
        var printed = new ByteArrayOutputStream();
        var before = System.out;
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        try {
            Issue.main(new String[] {folder.toString(), "shop", account});
        } finally {
            System.setOut(before);
        }
        return printed.toString(StandardCharsets.UTF_8);
    }
}
