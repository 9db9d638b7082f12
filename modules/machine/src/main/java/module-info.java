/// What this machine tells of itself: who has a port, and whether a process runs. Knows nothing of meshes.
module dev.bodyguard.machine {
    requires static transitive org.jspecify;

    exports dev.bodyguard.machine;
}
