package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.InboundRule;
import dev.bodyguard.proxy.wire.Admittance;
import java.net.InetSocketAddress;

/// What may be spoken to each of a pod's ports, as the plan in force says.
record Admitting(InForce<Generation> inForce, Certificates certificates) implements Admittance {
    private static final Speech.MutualTls MUTUAL_TLS = new Speech.MutualTls(null);
    private static final Speech.Plaintext PLAINTEXT = new Speech.Plaintext();

    @Override
    public Speech of(InetSocketAddress meant) {
        var rule = inForce.get().plan().inbound(meant.getPort());
        return rule == null
                ? new Speech.Nothing("the control plane has not said yet what is let in to port " + meant.getPort())
                : speech(rule);
    }

    /// What may be spoken to a listener that has one port of the app behind it: mutual TLS, until anything is known.
    Admittance before(int appPort) {
        return _ -> {
            var rule = inForce.get().plan().inbound(appPort);
            return rule == null ? MUTUAL_TLS : speech(rule);
        };
    }

    private Speech speech(InboundRule rule) {
        var asked = rule.security();
        var ending = rule.ending();
        if (ending != null) {
            return switch (certificates.of(ending.certificate())) {
                case Certificates.Found.Ready(var tls) ->
                    ending.forAnybody() ? new Speech.EndedTls(tls, asked.announced()) : new Speech.MutualTls(tls);
                case Certificates.Found.Missing(var sentence) -> new Speech.Nothing(sentence);
            };
        }
        if (!asked.tls()) {
            return PLAINTEXT;
        }
        return asked.plaintext() ? new Speech.Anything(asked.announced()) : MUTUAL_TLS;
    }
}
