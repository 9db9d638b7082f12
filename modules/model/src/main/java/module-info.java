/// What a mesh is, in records: authored documents and where each field stands, services, workloads, routes,
/// policies; and the mesh they make together. Knows nothing of YAML, xDS or Kubernetes clients.
module dev.bodyguard.model {
    requires static transitive org.jspecify;

    exports dev.bodyguard.model;
}
