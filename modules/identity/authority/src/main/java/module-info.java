/// The mesh's certificate authority: its root, and what it signs. Knows nothing of who asks, or over which protocol;
/// the only module that knows BouncyCastle.
module dev.bodyguard.identity.authority {
    requires static transitive org.jspecify;
    requires transitive dev.bodyguard.identity.spiffe;
    requires org.bouncycastle.pkix;
    requires org.bouncycastle.provider;

    exports dev.bodyguard.identity.authority;
}
