package dev.bodyguard.injector.service;

import java.io.IOException;

/// The control planes that the cluster has beside this one.
interface Revisions {
    /// Whether a webhook of another one asks for the pods of a revision.
    ///
    /// @throws IOException with a sentence for people
    boolean isServed(String revision) throws IOException;
}
