package dev.bodyguard.cli;

import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;

/// Where the launcher found us: the distribution's folder, and the built sample services.
record Installation(Path home, Path samples) {
    static Installation fromLauncher() {
        return new Installation(distribution(), folder("bodyguard.samples"));
    }

    /// The distribution's folder.
    static Path distribution() {
        return folder("bodyguard.home");
    }

    private static Path folder(String property) {
        var value = System.getProperty(property);
        if (value == null || !Files.isDirectory(Path.of(value))) {
            throw new Failure(property + " names no folder; start this through the launcher script, ./bodyguard");
        }
        return Path.of(value);
    }

    /// The command line of one of our own processes: `run` or `sidecar`, with the flags the launcher gives it.
    List<String> process(String kind, List<String> arguments) {
        var java = Path.of(System.getProperty("java.home"));
        var command = new ArrayList<String>();
        command.add(java.resolve("bin").resolve("java").toString());
        command.addAll(List.of("-p", modules(kind), "-Dbodyguard.home=" + home));
        if (isTrained(kind, java)) {
            command.addAll(List.of("-XX:AOTCache=" + trained(kind), "-Xlog:aot=off", "-Xlog:cds=off"));
        }
        command.add("-Djava.util.logging.config.file=" + home.resolve("conf").resolve("logging.properties"));
        command.add("@" + home.resolve("conf").resolve(kind + ".args"));
        command.addAll(arguments);
        return command;
    }

    /// Whether a training by this JDK, with these jars, has left a cache for this kind of process: the launcher says in
    /// `trained/origin` of what it is.
    boolean isTrained(String kind, Path java) {
        try {
            return Files.exists(trained(kind))
                    && Files.readString(home.resolve("trained").resolve("origin"))
                            .equals(Files.readString(java.resolve("release"))
                                    + Files.readString(home.resolve("conf").resolve("jars.sha256")));
        } catch (IOException _) {
            return false;
        }
    }

    private Path trained(String kind) {
        return home.resolve("trained").resolve(kind + ".aot");
    }

    /// A sidecar has jars of its own, listed by the build; every other process has all of them.
    private String modules(String kind) {
        var lib = home.resolve("lib");
        if (!kind.equals("sidecar")) {
            return lib.toString();
        }
        var list = home.resolve("conf").resolve("sidecar.jars");
        try (var jars = Files.lines(list)) {
            return jars.map(jar -> lib.resolve(jar).toString()).collect(Collectors.joining(File.pathSeparator));
        } catch (IOException | UncheckedIOException unreadable) {
            throw new Failure(list + " cannot be read: " + unreadable.getMessage() + "; unpack the distribution again");
        }
    }

    List<String> sample(String name, List<String> arguments) {
        var command = new ArrayList<String>();
        command.add(samples.resolve(name).toString());
        command.addAll(arguments);
        return command;
    }

    Path mesh(Wording wording) {
        return home.resolve("samples").resolve("payments").resolve(wording.folder());
    }
}
