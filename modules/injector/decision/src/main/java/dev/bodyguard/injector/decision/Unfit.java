package dev.bodyguard.injector.decision;

/// Ends a decision with a refusal, from wherever the reason is found.
final class Unfit extends RuntimeException {
    private static final long serialVersionUID = 1;

    private final String wayOut;

    Unfit(String reason, String wayOut) {
        super(reason, null, false, false);
        this.wayOut = wayOut;
    }

    Decision.Refused refused() {
        return new Decision.Refused(String.valueOf(getMessage()), wayOut);
    }
}
