package dev.bodyguard.proxy.sidecar;

import java.util.function.Function;

/// Where the control plane's services listen at this time, each as `host:port`; empty where that is not known.
interface Whereabouts {
    String identity();

    String config();

    String discovery();

    /// Where telemetry is taken.
    String telemetry();

    /// As a control plane on the same machine tells: it may come back on other ports.
    record InFolder(StateFolder state) implements Whereabouts {
        @Override
        public String identity() {
            return told(StateFolder.ControlPlane::identity);
        }

        @Override
        public String config() {
            return told(StateFolder.ControlPlane::xds);
        }

        @Override
        public String discovery() {
            return told(StateFolder.ControlPlane::discovery);
        }

        @Override
        public String telemetry() {
            return told(StateFolder.ControlPlane::otlp);
        }

        private String told(Function<StateFolder.ControlPlane, String> which) {
            var now = state.controlPlane();
            return now.isEmpty() ? "" : which.apply(now.get());
        }
    }

    /// As written down once: behind names of services, which do not move. Nobody enrols where pods are watched.
    record Fixed(String identity, String config, String telemetry) implements Whereabouts {
        @Override
        public String discovery() {
            return "";
        }
    }
}
