package dev.bodyguard.proxy.engine;

/// Hears of endpoints that are ejected, on whatever thread noticed; may not block.
public interface Ejections {
    /// Nobody listens.
    Ejections UNHEARD = new Ejections() {};

    /// It is left alone from now on.
    default void ejected(Ejection ejection) {}

    /// It is in service again; noticed by the first who looks.
    default void returned(Ejection ejection) {}

    /// It would have been ejected, and stays.
    ///
    /// @param ejection with no time
    default void spared(Ejection ejection, Reason why) {}

    /// Why an endpoint stays that failed too often.
    enum Reason {
        /// So many of its cluster's are ejected as may be.
        TOO_MANY,
        /// The policy only counts that, or does so this time.
        NOT_ENFORCED
    }
}
