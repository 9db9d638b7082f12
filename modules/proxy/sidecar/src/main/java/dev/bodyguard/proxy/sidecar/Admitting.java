package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.InboundRule;
import dev.bodyguard.proxy.wire.Admittance;
import java.net.InetSocketAddress;

/// What may be spoken to each of a pod's ports, as the plan in force says.
record Admitting(InForce<Generation> inForce) implements Admittance {
    private static final Speech.MutualTls MUTUAL_TLS = new Speech.MutualTls();
    private static final Speech.Anything ANYTHING = new Speech.Anything();
    private static final Speech.Plaintext PLAINTEXT = new Speech.Plaintext();

    @Override
    public Speech of(InetSocketAddress meant) {
        var rule = inForce.get().plan().inbound(meant.getPort());
        return rule == null
                ? new Speech.Nothing("the control plane has not said yet what is let in to port " + meant.getPort())
                : speech(rule.security());
    }

    /// What may be spoken to a listener that has one port of the app behind it: mutual TLS, until anything is known.
    Admittance before(int appPort) {
        return _ -> {
            var rule = inForce.get().plan().inbound(appPort);
            return rule == null ? MUTUAL_TLS : speech(rule.security());
        };
    }

    private static Speech speech(InboundRule.Security asked) {
        if (!asked.tls()) {
            return PLAINTEXT;
        }
        return asked.plaintext() ? ANYTHING : MUTUAL_TLS;
    }
}
