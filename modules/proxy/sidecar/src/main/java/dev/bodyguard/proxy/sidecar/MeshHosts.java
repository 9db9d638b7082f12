package dev.bodyguard.proxy.sidecar;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/// Hosts that are never taken for strangers', which would be spoken to in plain text, as long as config has not said
/// that they are: names that only the mesh can mean, and whatever it once had rules for. From any thread.
final class MeshHosts {
    /// More than the names that an app is remembered to use, so that one that is forgotten there is still known here.
    private static final int MOST = 4 * Hosts.MOST;

    private static final String SERVICE = ".svc";
    private static final String IN_CLUSTER = SERVICE + ".cluster.local";

    private final Set<String> seen = ConcurrentHashMap.newKeySet();

    /// @param keys of virtual hosts that have rules
    void saw(Set<String> keys) {
        for (var key : keys) {
            if (!seen.contains(key)) {
                if (seen.size() >= MOST) {
                    seen.remove(seen.iterator().next());
                }
                seen.add(key);
            }
        }
    }

    boolean claim(Authority host) {
        return onlyTheMeshMeans(host.host()) || seen.contains(host.key());
    }

    /// A single label, or what ends as the names of services do. This machine itself is no service.
    static boolean onlyTheMeshMeans(String host) {
        var name = host.endsWith(".") ? host.substring(0, host.length() - 1) : host;
        if (name.equals("localhost") || name.indexOf(':') >= 0) {
            return false;
        }
        return name.indexOf('.') < 0 || name.endsWith(SERVICE) || name.endsWith(IN_CLUSTER);
    }
}
