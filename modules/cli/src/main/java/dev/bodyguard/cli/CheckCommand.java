package dev.bodyguard.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.jspecify.annotations.Nullable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `bodyguard check --state DIR`: one line a check, status 1 if one fails.
@Command(
        name = "check",
        description = "Checks a mesh on this machine, one line a check; ends with status 1 if one of them fails.",
        mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
    private static final double CERTIFICATE_IS_SHORT = 3;

    @Option(names = "--state", paramLabel = "DIR", required = true, description = "The control plane's state folder.")
    private @Nullable Path state;

    @Override
    public Integer call() {
        if (state == null) {
            throw new Failure("check needs --state DIR");
        }
        var findings = findings(LocalMesh.read(state));
        findings.forEach(finding -> System.out.println(finding.line()));
        long failed =
                findings.stream().filter(finding -> !finding.wayOut().isEmpty()).count();
        System.out.println(failed == 0 ? "all is well" : failed + " of " + findings.size() + " checks failed");
        return failed == 0 ? 0 : 1;
    }

    /// One check and, where it failed, what it found and what to do about it.
    record Finding(String what, String wayOut) {
        String line() {
            return wayOut.isEmpty() ? "ok    " + what : "FAIL  " + what + ": " + wayOut;
        }
    }

    static List<Finding> findings(LocalMesh mesh) {
        var findings = new ArrayList<Finding>();
        findings.add(new Finding("only its owner may read the state folder", secrets(mesh.state())));
        findings.add(new Finding("the control plane is ready", mesh.plane()));
        findings.add(new Finding(
                "what authors wrote is in force",
                String.join(
                        "; ",
                        mesh.problems().stream()
                                .filter(problem -> problem.severity().equals("ERROR"))
                                .map(LocalMesh.Problem::sentence)
                                .toList())));
        for (var proxy : mesh.proxies()) {
            var process = proxy.process();
            if (process == null) {
                findings.add(new Finding(inForce(proxy), ofOther(proxy)));
                continue;
            }
            findings.add(new Finding(proxy.name() + " runs and is ready", String.join("; ", proxy.troubles())));
            if (process.alive()) {
                findings.add(new Finding(
                        inForce(proxy),
                        proxy.inSync() ? "" : "it has not, or not yet; its log says why (" + process.admin() + ")"));
                findings.add(new Finding(
                        proxy.name() + " has a certificate for a while",
                        process.certificateSeconds() > CERTIFICATE_IS_SHORT
                                ? ""
                                : "its life is " + StatusCommand.expiry(process.certificateSeconds())
                                        + "; is the identity service reachable?"));
            }
        }
        return findings;
    }

    private static String inForce(LocalMesh.Proxy proxy) {
        return (proxy.process() == null ? proxy.kind() + " " : "") + proxy.name()
                + " has all that the control plane sent in force";
    }

    private static String ofOther(LocalMesh.Proxy proxy) {
        if (proxy.inSync()) {
            return "";
        }
        return proxy.troubles().isEmpty()
                ? "it has not answered yet all that it was sent"
                : String.join("; ", proxy.troubles());
    }

    private static String secrets(Path state) {
        try {
            var mode = PosixFilePermissions.toString(Files.getPosixFilePermissions(state));
            return mode.equals("rwx------") ? "" : "it is " + mode + "; `chmod 700 " + state + "`";
        } catch (IOException unreadable) {
            return "its mode cannot be read: " + unreadable.getMessage();
        }
    }
}
