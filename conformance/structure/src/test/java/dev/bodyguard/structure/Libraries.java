package dev.bodyguard.structure;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;

/// Module names as the libraries they belong to: several modules of one library, and what it is used through, count
/// once.
final class Libraries {
    /// Those that parse, match or encrypt, and do nothing else.
    static final Set<String> PURE = Set.of("bouncycastle", "protobuf", "re2j", "snakeyaml");

    /// Prefix of a module's name to library. gRPC on Netty is one library with its transport,
    /// Kubernetes' client with what it parses and logs by.
    private static final List<Map.Entry<String, String>> NAMES = List.of(
            Map.entry("com.fasterxml.jackson", "kubernetes-client"),
            Map.entry("com.google.protobuf", "protobuf"),
            Map.entry("io.fabric8.kubernetes", "kubernetes-client"),
            Map.entry("io.grpc", "grpc-netty"),
            Map.entry("io.helidon", "helidon"),
            Map.entry("io.netty", "grpc-netty"),
            Map.entry("io.opentelemetry", "opentelemetry"),
            Map.entry("kubernetes.", "kubernetes-client"),
            Map.entry("org.bouncycastle", "bouncycastle"),
            Map.entry("org.slf4j", "kubernetes-client"),
            Map.entry("org.snakeyaml", "snakeyaml"),
            Map.entry("tools.jackson", "kubernetes-client"));

    private static final Set<String> OF_THE_JDK_OR_MARKS = Set.of("java", "jdk", "org.jspecify");

    private Libraries() {}

    static Set<String> of(Collection<String> modules) {
        var libraries = new TreeSet<String>();
        for (String module : modules) {
            if (OF_THE_JDK_OR_MARKS.stream()
                    .noneMatch(known -> module.equals(known) || module.startsWith(known + "."))) {
                libraries.add(NAMES.stream()
                        .filter(name -> module.startsWith(name.getKey()))
                        .findFirst()
                        .map(Map.Entry::getValue)
                        .orElse(module));
            }
        }
        return libraries;
    }
}
