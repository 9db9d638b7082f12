package dev.bodyguard.xds.snapshot;

import java.util.Collection;
import java.util.Optional;

/// One generation of everything that a client may see. Immutable: a new generation is a new object.
///
/// Implementations may compute a resource when it is first asked for, so long as the answer to one question never
/// changes during the life of the object.
public interface Resources {
    /// Names this generation in logs and in `system_version_info`; nothing is decided by it.
    String generation();

    /// The resource that a subscription to `name` means: the one of that name, or one that has it as an alias.
    Optional<NamedResource> find(String typeUrl, String name);

    /// The names (not the aliases) of all resources of a type: what a wildcard subscription receives.
    Collection<String> names(String typeUrl);
}
