/// What this machine tells of itself: who has a port. Knows nothing of meshes.
module dev.bodyguard.machine {
    requires static transitive org.jspecify;

    exports dev.bodyguard.machine;
}
