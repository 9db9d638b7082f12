package dev.bodyguard.cli;

import dev.bodyguard.identity.spiffe.Pem;
import dev.bodyguard.identity.spiffe.PrivateFiles;
import dev.bodyguard.identity.spiffe.Svid;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.stream.Collectors;

/// An SVID in the files that other programs watch. Each is replaced in one step, so nobody reads half of one.
///
/// gRPC's file watcher waits until both key and certificate are new. Envoy would take each change of a file for itself,
/// so what it reads holds key and certificate together.
record SvidFolder(Path path) {
    void write(Svid svid) throws IOException {
        var key = Pem.encode(svid.key());
        var chain = svid.chain().stream().map(Pem::encode).collect(Collectors.joining());
        var roots = svid.bundle().toPem();
        write("key.pem", key);
        write("cert.pem", chain);
        write("root.pem", roots);
        write("sds-rootca.yaml", secret("ROOTCA", "validation_context:\n" + inline("trusted_ca", roots)));
        write(
                "sds-default.yaml",
                secret(
                        "default",
                        "tls_certificate:\n" + inline("certificate_chain", chain) + inline("private_key", key)));
    }

    private void write(String name, String content) throws IOException {
        PrivateFiles.write(path.resolve(name), content.getBytes(StandardCharsets.US_ASCII));
    }

    /// A discovery response, as Envoy reads it from a file.
    private static String secret(String name, String body) {
        return "resources:\n- \"@type\": type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret\n  name: "
                + name + "\n" + body.indent(2);
    }

    private static String inline(String field, String pem) {
        return "  " + field + ":\n    inline_string: |\n" + pem.indent(6);
    }
}
