/// SPIFFE ids, trust bundles and the verification of a peer's certificate chain; join tokens. Knows nothing of how a
/// certificate is made, of gRPC or of Netty.
module dev.bodyguard.identity.spiffe {
    requires static transitive org.jspecify;

    exports dev.bodyguard.identity.spiffe;
}
