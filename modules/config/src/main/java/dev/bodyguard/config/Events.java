package dev.bodyguard.config;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Problem;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.snapshot.Heard;
import java.nio.file.Path;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// What can happen here. Called on the thread that it happens on; must not block.
interface Events {
    /// A document's new version is refused.
    ///
    /// @param standing what is in force of it
    void refused(Problem problem, Documents.InForce standing);

    /// A document is in force, though not as its author may think.
    void warned(Problem problem);

    /// A document that was refused is in force again.
    void applied(Document document);

    /// A document that is gone from its file, and stayed in force, no longer does.
    void removed(Document document);

    /// A document that said who may come in, how, or how often, is gone and out of force.
    void unguarded(Document document);

    /// Last good versions of before a restart cannot be read; their documents have none.
    void notRecalled(Path file, String why);

    /// Last good versions cannot be kept for the next restart.
    void notRemembered(Path file, String why);

    /// Two documents that are right each for itself contradict each other.
    void contradicted(Problem problem);

    /// A new generation is about to be offered to the proxies.
    void published(Course course, long generation, int documents, int workloads, int problems);

    void discoveryConnected();

    void discoveryLost(String why, Duration retryIn);

    /// Everything is known once; proxies are answered from now on.
    void ready();

    void proxyConnected(String proxy, int now);

    void proxyGone(Client client, String why, int now);

    void proxyRefused(String proxy, String why);

    /// It asks faster than it is answered, and is held back by its transport.
    void proxyHeldBack(String proxy, int waitingBytes);

    /// A proxy's account has as many views as are remembered of one: this one is compiled anew for it alone.
    void viewNotRemembered(String account, int remembered);

    /// A new generation changes something for a proxy.
    ///
    /// @param responses that it is sent, each of which it will answer
    void proxyPushed(Client client, String generation, int responses);

    /// A proxy took a response.
    ///
    /// @param sincePublished null where it is about a generation that is no longer the newest
    void proxyAcked(Client client, Heard.Acked what, @Nullable Duration sincePublished);

    /// It refused (part of) one.
    void proxyNacked(Client client, Heard.Nacked what);

    /// A defect of ours.
    void failed(String doing, Throwable defect);
}
