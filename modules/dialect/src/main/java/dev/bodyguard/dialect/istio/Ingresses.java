package dev.bodyguard.dialect.istio;

import dev.bodyguard.dialect.reading.Fields;
import dev.bodyguard.dialect.reading.Protocols;
import dev.bodyguard.model.Ingress;
import dev.bodyguard.model.Service.Protocol;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// `Sidecar.ingress`: what a workload's ports mean to whoever calls them.
final class Ingresses {
    private static final Pattern ENDPOINT =
            Pattern.compile("(?:127\\.0\\.0\\.1|0\\.0\\.0\\.0|\\[::1]|\\[::]):([1-9][0-9]{0,4})");
    private static final Pattern SECRET = Pattern.compile("[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?");
    private static final Pattern FILE = Pattern.compile("/[^~\\x00-\\x1f]{1,400}");

    private Ingresses() {}

    static @Nullable Ingress read(Fields ingress, String namespace, Map<String, String> selector) {
        ingress.unsupported("bind", "connectionPool");
        if (!ingress.has("port")) {
            ingress.missing("port", "is required; add port: {number: …, protocol: …}");
        }
        var said = ingress.<Said>object("port", port -> {
            port.elsewhere("targetPort");
            int number = port.number("number", 1, 65535, 0);
            if (number == 0 && !port.has("number")) {
                port.missing("number", "is required; add it");
            }
            return new Said(number, Protocols.read(port, "protocol", port.text("name")));
        });
        if ("NONE".equals(ingress.word("captureMode", "DEFAULT", "IPTABLES", "NONE"))) {
            ingress.error(
                    "captureMode", "NONE is not supported: what comes in is handed over by capture; leave it out");
        }
        int number = said == null ? 0 : said.number();
        int appPort = endpoint(ingress, number);
        var certificate = ingress.<Ingress.Certificate>object("tls", Ingresses::certificate);
        if (certificate != null && said != null && said.protocol() == Protocol.TCP) {
            ingress.error(
                    "tls",
                    "ends TLS before requests only, so port.protocol must be HTTPS, was TCP; leave tls out to let the"
                            + " application end it");
        }
        return number == 0 ? null : new Ingress(namespace, selector, number, appPort, certificate, ingress.origin());
    }

    private record Said(int number, Protocol protocol) {}

    private static int endpoint(Fields ingress, int otherwise) {
        var text = ingress.text("defaultEndpoint");
        if (text.isEmpty()) {
            return otherwise;
        }
        if (text.startsWith("unix:")) {
            ingress.error(
                    "defaultEndpoint",
                    "must be 127.0.0.1:PORT, was " + text + ": a sidecar is a container of its own, which has none of"
                            + " the application's sockets in its file system; let it listen on a port");
            return otherwise;
        }
        var form = ENDPOINT.matcher(text);
        if (!form.matches() || Integer.parseInt(form.group(1)) > 65_535) {
            ingress.error("defaultEndpoint", "must be a port of this workload such as 127.0.0.1:8080, was " + text);
            return otherwise;
        }
        return Integer.parseInt(form.group(1));
    }

    private static Ingress.@Nullable Certificate certificate(Fields tls) {
        tls.unsupported("httpsRedirect", "minProtocolVersion", "maxProtocolVersion", "cipherSuites");
        for (var stricter : new String[] {
            "subjectAltNames",
            "verifyCertificateSpki",
            "verifyCertificateHash",
            "caCrl",
            "credentialNames",
            "tlsCertificates",
            "caCertCredentialName"
        }) {
            if (tls.has(stricter)) {
                tls.error(stricter, "is not supported yet, and would not be obeyed; leave it out");
            }
        }
        var mode = tls.word("mode", "SIMPLE", "MUTUAL");
        if (!tls.has("mode")) {
            tls.missing("mode", "is required; write SIMPLE, or MUTUAL to ask clients for a certificate too");
        }
        boolean mutual = "MUTUAL".equals(mode);
        var secret = tls.text("credentialName");
        var chain = file(tls, "serverCertificate");
        var key = file(tls, "privateKey");
        var roots = file(tls, "caCertificates");
        if (secret.isEmpty()) {
            if (chain.isEmpty() || key.isEmpty()) {
                tls.missing(
                        "credentialName",
                        "is required, or serverCertificate and privateKey are; add it",
                        "serverCertificate",
                        "privateKey");
            }
            if (mutual && roots.isEmpty()) {
                tls.missing("caCertificates", "is required for MUTUAL; add it");
            }
            return new Ingress.Certificate("file-cert:" + chain + "~" + key, mutual ? "file-root:" + roots : null);
        }
        if (!SECRET.matcher(secret).matches()) {
            tls.error("credentialName", "must be the name of a Secret of the workload's namespace, was " + secret);
        }
        if (!chain.isEmpty() || !key.isEmpty() || !roots.isEmpty()) {
            tls.error("credentialName", "cannot stand beside files; remove one of the two");
        }
        return new Ingress.Certificate("kubernetes://" + secret, mutual ? "kubernetes://" + secret + "-cacert" : null);
    }

    private static String file(Fields tls, String field) {
        var path = tls.text(field);
        if (!path.isEmpty() && !FILE.matcher(path).matches()) {
            tls.error(field, "must be the absolute path of a file in the sidecar's container, was " + path);
        }
        return path;
    }
}
