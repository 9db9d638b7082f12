package dev.bodyguard.injector.service;

import java.time.Duration;

/// What can happen here.
interface Events {
    /// A pod was decided on, or what makes pods.
    ///
    /// @param object namespace and name, as far as it has one yet
    /// @param took since it was asked for
    void decided(String object, Admission.Verdict verdict, Duration took);

    /// A request got no answer of use.
    ///
    /// @param who asked
    void failed(String who, String why);

    /// The API server knows us by these roots from now on.
    ///
    /// @param configuration of webhooks: its kind and name
    void authorityWritten(String configuration);

    /// It may not, and whoever needs us waits. Told once for each reason.
    void authorityNotWritten(String configuration, String why);
}
