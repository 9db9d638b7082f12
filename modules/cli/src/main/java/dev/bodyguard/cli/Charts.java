package dev.bodyguard.cli;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The two charts as releases in the mesh's own namespace.
///
/// @param folder `charts/` of the distribution
record Charts(Path folder) {
    static final String NAMESPACE = "bodyguard-system";
    /// In the order in which they are installed.
    static final String KINDS = "bodyguard-crds";

    static final String MESH = "bodyguard";

    static Charts ofInstallation() {
        return new Charts(Installation.distribution().resolve("charts"));
    }

    /// Arguments for helm that install a chart or bring what is there up to date, and wait until all of it is ready.
    List<String> upgrade(String release, String timeout, List<String> values) {
        var arguments = new ArrayList<>(List.of(
                "upgrade",
                release,
                folder.resolve(release).toString(),
                "--install",
                "--namespace",
                NAMESPACE,
                "--create-namespace",
                "--wait",
                "--timeout",
                timeout,
                "--debug"));
        arguments.addAll(values);
        return List.copyOf(arguments);
    }

    /// Arguments for helm that set values of one chart.
    ///
    /// @param values KEY=VALUE, of both charts; only that of kinds has a key `kinds`
    static List<String> set(List<String> values, boolean ofKinds) {
        return values.stream()
                .filter(value -> value.startsWith("kinds.") == ofKinds)
                .flatMap(value -> Stream.of("--set", value))
                .toList();
    }

    /// Arguments for helm that take a release away.
    static List<String> uninstall(String release) {
        return List.of("uninstall", release, "--namespace", NAMESPACE, "--ignore-not-found", "--wait");
    }
}
