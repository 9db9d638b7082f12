package dev.bodyguard.injector.service;

/// What can happen here.
interface Events {
    /// A pod was decided on.
    ///
    /// @param pod namespace and name, as far as it has one yet
    void decided(String pod, Admission.Verdict verdict);

    /// A request got no answer of use.
    ///
    /// @param who asked
    void failed(String who, String why);

    /// The API server knows us by these roots from now on.
    void authorityWritten(String webhook);

    /// It may not, and whoever needs a sidecar waits.
    void authorityNotWritten(String webhook, String why);
}
