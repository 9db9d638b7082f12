package dev.bodyguard.proxy.sidecar;

/// What is wrong here, as an operator is told.
record Problem(About about, Severity severity, String sentence) {
    enum About {
        APP,
        CERTIFICATE
    }

    enum Severity {
        /// Not yet too late.
        WARNING,
        ERROR
    }
}
