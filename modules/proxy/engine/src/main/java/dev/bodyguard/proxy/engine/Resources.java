package dev.bodyguard.proxy.engine;

import com.google.protobuf.Any;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// What the control plane sent, each resource in its last good form. Owned by one thread.
public interface Resources {
    /// Takes one response of a type.
    ///
    /// @param type the type URL; an unknown one has every resource rejected
    /// @param changed resources by the name they were subscribed by
    /// @param removed names that are answered not to exist (any more)
    /// @return the resources that are invalid, to be named in a NACK; all others are applied
    List<Rejected> apply(String type, Map<String, Any> changed, Collection<String> removed);

    /// What is in force now. A new virtual host is left out, and the one before it stays, while clusters or endpoints
    /// that it mentions were not answered yet.
    Plan plan();

    /// What listeners and hosts mention, and so has to be subscribed to.
    Wanted wanted();

    /// Virtual hosts that wait for their clusters or endpoints.
    Set<String> warming();

    /// Puts a warming virtual host in force as it is: it waited long enough.
    void force(String host);
}
