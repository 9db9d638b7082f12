package dev.bodyguard.discovery;

import dev.bodyguard.source.files.FileProblem;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;

/// What can happen here. Called on the thread that it happens on; must not block.
interface Events {
    void documentsChanged(int put, int removed, int now);

    /// A change is with the subscribers.
    ///
    /// @param generation that it is in; 0 where nothing of it is to be served
    void served(Course course, long generation, int documents, int problems);

    /// A file, or part of one, cannot be read.
    void unreadable(FileProblem problem);

    /// Nothing is wrong with this file any more.
    void readableAgain(String file);

    /// The number of files, or parts of them, that cannot be read now.
    void problems(int now);

    /// Workloads of a cluster came, changed or went.
    void clusterWorkloads(int put, int gone, int now);

    /// Kinds of objects that an API server no longer tells of; what was last read stays.
    void clusterLost(String what, String why);

    void clusterBack();

    /// The cluster has a kind of document.
    void clusterHas(String what);

    void clusterHasNoMore(String what);

    /// An object of the cluster is as good as not there.
    void leftOut(String object, String why);

    /// A document's status cannot be written.
    void statusRefused(String document, String why);

    /// The source can no longer be read at all.
    void sourceLost(String source, Exception why);

    /// A workload registered.
    ///
    /// @param known it was there already: it came back, or was replaced
    void enrolled(Workload workload, boolean known, int now);

    void left(Workload workload, Leases.Why why, int now);

    /// A registration or a subscription was refused.
    void refused(String peer, String why);

    /// A registration was refused for a reason that was told already.
    void refusedAgain();

    /// A subscriber asks faster than it is answered, and is held back by its transport.
    void heldBack(String peer, int waitingBytes);

    /// Workloads of before a restart, believed in for three leases.
    void remembered(int workloads, int gone);

    /// What should survive a restart could not be read or written.
    void memoryFailed(Exception why);

    /// What broken files said before could not be read or written; after a restart nothing of them is in force.
    void lastReadFailed(Exception why);
}
