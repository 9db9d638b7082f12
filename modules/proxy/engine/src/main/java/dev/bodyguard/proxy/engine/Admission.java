package dev.bodyguard.proxy.engine;

import org.jspecify.annotations.Nullable;

/// Whether a request is within the limits of whom it is for.
public sealed interface Admission {
    /// It is.
    ///
    /// @param tightest of the quotas it counted against; null where callers need not be told, or there is none
    record Admitted(@Nullable Quota tightest) implements Admission {}

    /// It is not.
    ///
    /// @param rule what set the limit
    /// @param status of the refusal
    /// @param retryAfter seconds until another request would pass
    record Exceeded(Quota quota, String rule, int status, long retryAfter) implements Admission {}

    /// A limit that is about a request, and how it stands.
    ///
    /// @param rule what set the limit
    /// @param status of a refusal
    record Limit(String rule, int status, Quota quota) {}

    /// What a caller may still do.
    ///
    /// @param name of the limit
    /// @param limit how many requests may come at once
    /// @param requests how many are granted in each window
    /// @param window in seconds
    /// @param remaining how many may come now
    /// @param reset seconds until all of `limit` may come again
    record Quota(String name, long limit, long requests, long window, long remaining, long reset) {}
}
