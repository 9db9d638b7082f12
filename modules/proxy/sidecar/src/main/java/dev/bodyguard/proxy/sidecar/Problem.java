package dev.bodyguard.proxy.sidecar;

/// What is wrong here, as an operator is told.
record Problem(About about, Severity severity, String sentence) {
    enum About {
        APP,
        CERTIFICATE,
        CONTROL_PLANE,
        UPSTREAM
    }

    enum Severity {
        /// Not yet too late.
        WARNING,
        ERROR
    }

    static Problem warning(About about, String sentence) {
        return new Problem(about, Severity.WARNING, sentence);
    }

    static Problem error(About about, String sentence) {
        return new Problem(about, Severity.ERROR, sentence);
    }
}
