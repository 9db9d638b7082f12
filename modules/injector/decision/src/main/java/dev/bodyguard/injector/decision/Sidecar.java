package dev.bodyguard.injector.decision;

import java.util.Objects;
import java.util.regex.Pattern;

/// What is injected, the same for every pod.
///
/// @param hub where the images are, such as `registry.example/bodyguard`
/// @param tag of the images
/// @param revision of the control plane, as `istio.io/rev` names it
/// @param shape unless a pod's annotation says otherwise
public record Sidecar(String hub, String tag, String revision, String trustDomain, Shape shape, Defaults defaults) {
    /// The namespace of the control plane.
    public static final String NAMESPACE = "bodyguard-system";

    private static final Pattern HUB = Pattern.compile("[a-z0-9][a-z0-9.:/_-]{0,200}");
    private static final Pattern TAG = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}");
    private static final Pattern LABEL = Pattern.compile("[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?");
    private static final Pattern DOMAIN = Pattern.compile("[a-z0-9._-]{1,255}");

    /// How it stands beside the app.
    public enum Shape {
        /// An init container that restarts, so that it starts before the app, ends after it, and a Job still finishes.
        /// Kubernetes 1.29 and later.
        NATIVE,
        /// An ordinary container, the first, that holds the others until it is ready.
        CLASSIC
    }

    public Sidecar {
        check(HUB, "the hub", hub, "a registry and path such as registry.example/bodyguard");
        check(TAG, "the tag", tag, "an image's tag such as 1.2.0");
        check(LABEL, "the revision", revision, "lower-case letters, digits and '-'");
        check(DOMAIN, "the trust domain", trustDomain, "a name such as cluster.local");
        Objects.requireNonNull(shape);
        Objects.requireNonNull(defaults);
    }

    private static void check(Pattern pattern, String what, String value, String must) {
        if (!pattern.matcher(value).matches()) {
            throw new IllegalArgumentException(what + " must be " + must + ", was '" + value + "'");
        }
    }

    String image(String name) {
        return hub + "/" + name + ":" + tag;
    }
}
