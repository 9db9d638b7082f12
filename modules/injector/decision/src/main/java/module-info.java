/// What becomes of a pod that may want a sidecar, and how that is written: as a patch for the API server, or into the
/// text of its author and out of it again. Knows no cluster, no socket and no file.
module dev.bodyguard.injector.decision {
    requires static transitive org.jspecify;
    requires org.snakeyaml.engine;

    exports dev.bodyguard.injector.decision;
}
