/// Decides who gets which certificate: the bearer of a token that of the token's service account, nobody another's.
///
/// [dev.bodyguard.identity.service.MeshState] is what it keeps in a folder,
/// [dev.bodyguard.identity.service.ClusterState] what in a Kubernetes cluster, which alone loads classes of the
/// Kubernetes
/// client, [dev.bodyguard.identity.service.Issuance]
/// the decision as a gRPC service, [dev.bodyguard.identity.service.IdentityServer] its port. Calls run on Helidon's
/// virtual threads and share nothing but the authority, which may be used from any. It does not know which services
/// exist, nor what the certificates are used for.
@NullMarked
package dev.bodyguard.identity.service;

import org.jspecify.annotations.NullMarked;
