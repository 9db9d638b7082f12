/// Signs certificates in a folder of its own; nothing else of the mesh is there.
module dev.bodyguard.samples.authority {
    requires static org.jspecify;
    requires dev.bodyguard.identity.authority;
    requires dev.bodyguard.identity.spiffe;
}
