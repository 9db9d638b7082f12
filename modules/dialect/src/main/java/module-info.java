/// What authors write, turned into parts of a mesh: one document at a time, without any memory. Every field is in
/// force or reported. Knows nothing of files, of Kubernetes clients or of xDS.
module dev.bodyguard.dialect {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.model;
    requires re2j;

    exports dev.bodyguard.dialect;
}
