package dev.bodyguard.injector.service;

import java.time.Duration;

/// What can happen here.
interface Events {
    /// A pod was decided on.
    ///
    /// @param pod namespace and name, as far as it has one yet
    /// @param took since it was asked for
    void decided(String pod, Admission.Verdict verdict, Duration took);

    /// A request got no answer of use.
    ///
    /// @param who asked
    void failed(String who, String why);

    /// The API server knows us by these roots from now on.
    void authorityWritten(String webhook);

    /// It may not, and whoever needs a sidecar waits.
    void authorityNotWritten(String webhook, String why);
}
