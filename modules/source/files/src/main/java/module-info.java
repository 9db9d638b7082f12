/// Authored documents from a directory of YAML and JSON files, with the place of every field, kept up to date
/// while people edit them. Knows no kind of document: a head and a tree is all it reads.
module dev.bodyguard.source.files {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.model;
    requires org.snakeyaml.engine;

    exports dev.bodyguard.source.files;
}
