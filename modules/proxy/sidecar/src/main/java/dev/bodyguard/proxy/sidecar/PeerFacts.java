package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.wire.Fields;
import dev.bodyguard.telemetry.record.Party;
import java.util.HashMap;

/// What one sidecar tells the next about the workload it speaks for, beside the identity that its certificate proves:
/// `workload=..;namespace=..;app=..;version=..;service=..`. Believed only from mutual TLS, and used for telemetry only.
final class PeerFacts {
    static final String HEADER = "x-bodyguard-peer";
    private static final int LONGEST = 1_024;

    /// Begins every header that only sidecars tell each other.
    private static final String OURS = "x-bodyguard-";

    private PeerFacts() {}

    /// Takes off whatever only a sidecar may say.
    static void strip(Fields fields) {
        for (int i = fields.count() - 1; i >= 0; i--) {
            if (i < fields.count() && fields.name(i).startsWith(OURS)) {
                fields.remove(fields.name(i));
            }
        }
    }

    static String text(Party self) {
        return "workload=" + clean(self.workload()) + ";namespace=" + clean(self.namespace()) + ";app="
                + clean(self.app()) + ";version=" + clean(self.version()) + ";service=" + clean(self.service());
    }

    static Party party(String text, String principal) {
        var facts = new HashMap<String, String>();
        if (text.length() <= LONGEST) {
            int from = 0;
            while (from < text.length()) {
                int end = text.indexOf(';', from);
                end = end < 0 ? text.length() : end;
                int equals = text.indexOf('=', from);
                if (equals > from && equals < end) {
                    facts.put(text.substring(from, equals), text.substring(equals + 1, end));
                }
                from = end + 1;
            }
        }
        return new Party(
                facts.getOrDefault("workload", ""),
                facts.getOrDefault("namespace", ""),
                principal,
                facts.getOrDefault("app", ""),
                facts.getOrDefault("version", ""),
                facts.getOrDefault("service", ""),
                "");
    }

    private static String clean(String value) {
        return value.equals("unknown")
                ? ""
                : value.replace(';', '_').replace('\n', '_').replace('\r', '_');
    }
}
