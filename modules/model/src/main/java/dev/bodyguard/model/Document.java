package dev.bodyguard.model;

import org.jspecify.annotations.Nullable;

/// One authored object as it was read: its Kubernetes head and its tree, nothing interpreted yet.
///
/// @param apiVersion group and version, `networking.istio.io/v1alpha3` or `v1`
/// @param namespace `default` where the author wrote none
/// @param resourceVersion the API server's version, null where the object came from a file
/// @param root the whole object, head included
public record Document(
        String apiVersion,
        String kind,
        String namespace,
        String name,
        @Nullable String resourceVersion,
        Value.Mapping root) {

    /// What tells objects apart, whatever their version of the API: `networking.istio.io/VirtualService/default/pay`.
    public String key() {
        int slash = apiVersion.indexOf('/');
        String group = slash < 0 ? "" : apiVersion.substring(0, slash);
        return group + "/" + kind + "/" + namespace + "/" + name;
    }

    /// The API server's count of what its author changed, 0 where there is none.
    public long generation() {
        return root.get("metadata") instanceof Value.Mapping head
                        && head.get("generation") instanceof Value.Int generation
                ? generation.value()
                : 0;
    }

    /// The origin of a field of this document.
    public Origin origin(String field, @Nullable Location at) {
        return new Origin(kind, namespace, name, field, at);
    }

    /// The origin of the document as a whole.
    public Origin origin() {
        return origin("", root.at());
    }
}
