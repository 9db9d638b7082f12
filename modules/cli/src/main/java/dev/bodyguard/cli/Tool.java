package dev.bodyguard.cli;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;

/// A program of the user's that we run rather than do its work again.
enum Tool {
    HELM("helm", "helm.sh/docs/intro/install"),
    KUBECTL("kubectl", "kubernetes.io/docs/tasks/tools");

    private static final int LINES_OF_A_COMPLAINT = 10;

    private final String name;
    private final String where;

    Tool(String name, String where) {
        this.name = name;
        this.where = where;
    }

    /// Ends the command with a sentence where it is not there.
    void require() {
        var _ = path(System.getenv("PATH"))
                .orElseThrow(() -> new Failure("needs " + name + ", which is not on the PATH: get it from " + where));
    }

    /// The first program of that name.
    Optional<Path> path(String searched) {
        return Arrays.stream(searched.split(":", -1))
                .filter(folder -> !folder.isEmpty())
                .map(folder -> Path.of(folder, name))
                .filter(Files::isExecutable)
                .findFirst();
    }

    /// Runs it to its end; Ctrl-C ends both.
    ///
    /// @param progress hears each line it writes to standard error
    /// @return what it wrote to standard output
    /// @throws Failure with its own last words where it did not succeed
    String run(List<String> arguments, Consumer<String> progress) throws InterruptedException {
        require();
        var command = new ArrayList<String>();
        command.add(name);
        command.addAll(arguments);
        Process process;
        try {
            process = new ProcessBuilder(command)
                    .redirectInput(
                            ProcessBuilder.Redirect.from(Path.of("/dev/null").toFile()))
                    .start();
        } catch (IOException cannot) {
            throw new Failure(name + " cannot be started: " + cannot.getMessage());
        }
        Deque<String> complaint = new ArrayDeque<>();
        var listener = Thread.ofVirtual().start(() -> listen(process, complaint, progress));
        try {
            var output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
            int status = process.waitFor();
            listener.join();
            if (status != 0) {
                throw new Failure(name + " " + arguments.getFirst() + " ended with status " + status + ":\n"
                        + String.join("\n", complaint));
            }
            return output;
        } catch (IOException broken) {
            throw new Failure(name + " cannot be read from: " + broken.getMessage());
        } finally {
            process.destroy();
        }
    }

    private static void listen(Process process, Deque<String> complaint, Consumer<String> progress) {
        try (var lines = process.errorReader(StandardCharsets.UTF_8)) {
            for (var line = lines.readLine(); line != null; line = lines.readLine()) {
                complaint.add(line);
                if (complaint.size() > LINES_OF_A_COMPLAINT) {
                    complaint.remove();
                }
                progress.accept(line);
            }
        } catch (IOException _) {
            // It has ended.
        }
    }
}
