package dev.bodyguard.proxy.wire;

/// How the kernel hands over what comes in.
public enum Interception {
    /// The destination is translated to the listener's address; the original one is asked for.
    REDIRECT,
    /// The destination stays, and the listener accepts for it: opened with IP_TRANSPARENT, which needs CAP_NET_ADMIN or
    /// CAP_NET_RAW.
    TPROXY
}
