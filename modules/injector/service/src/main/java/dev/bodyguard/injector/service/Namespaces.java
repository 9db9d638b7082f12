package dev.bodyguard.injector.service;

import dev.bodyguard.injector.decision.Namespace;
import java.io.IOException;

/// The cluster's namespaces, as they are now: a label that was set a moment ago holds for the next pod.
interface Namespaces {
    /// What it says now.
    ///
    /// @throws IOException with a sentence for people
    Namespace get(String name) throws IOException;
}
