package dev.bodyguard.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;

/// `bodyguard check`: one line a check, status 1 if one fails; a warning does not.
@Command(
        name = "check",
        description = "Checks a mesh on this machine, one line a check; ends with status 1 if one of them fails.",
        mixinStandardHelpOptions = true)
final class CheckCommand implements Callable<Integer> {
    private static final String IN_FORCE = " has all that the control plane sent in force";

    @Mixin
    private StateFolder state = new StateFolder();

    @Override
    public Integer call() {
        var findings = findings(LocalMesh.read(state.folder()));
        findings.forEach(finding -> System.out.println(finding.line()));
        System.out.println(summary(findings));
        return count(findings, Result.FAIL) == 0 ? 0 : 1;
    }

    enum Result {
        OK("ok    "),
        /// Somebody should look, and may find that it is meant.
        WARN("WARN  "),
        FAIL("FAIL  ");

        private final String word;

        Result(String word) {
            this.word = word;
        }
    }

    /// One check and, unless all is well, what it found and what to do about it.
    record Finding(Result result, String what, String wayOut) {
        /// Fails where there is anything to say.
        static Finding of(String what, String wayOut) {
            return new Finding(wayOut.isEmpty() ? Result.OK : Result.FAIL, what, wayOut);
        }

        /// As bad as the worst of the troubles.
        static Finding of(String what, List<LocalMesh.Trouble> troubles) {
            var worst = Result.OK;
            for (var trouble : troubles) {
                var result = switch (trouble.severity()) {
                    case WARNING -> Result.WARN;
                    case ERROR -> Result.FAIL;
                };
                worst = result.compareTo(worst) > 0 ? result : worst;
            }
            return new Finding(
                    worst,
                    what,
                    String.join(
                            "; ",
                            troubles.stream().map(LocalMesh.Trouble::sentence).toList()));
        }

        String line() {
            return result.word + what + (result == Result.OK ? "" : ": " + wayOut);
        }
    }

    static String summary(List<Finding> findings) {
        long failed = count(findings, Result.FAIL);
        long warned = count(findings, Result.WARN);
        var warnings = warned == 0 ? "" : ", " + warned + (warned == 1 ? " warning" : " warnings");
        return (failed == 0 ? "all is well" : failed + " of " + findings.size() + " checks failed") + warnings;
    }

    private static long count(List<Finding> findings, Result result) {
        return findings.stream().filter(finding -> finding.result() == result).count();
    }

    static List<Finding> findings(LocalMesh mesh) {
        var findings = new ArrayList<Finding>();
        findings.add(Finding.of("only its owner may read the state folder", secrets(mesh.state())));
        findings.add(Finding.of("the control plane is ready", mesh.plane().trouble()));
        findings.add(written(mesh.plane()));
        for (var proxy : mesh.proxies()) {
            var process = proxy.process();
            if (process == null) {
                findings.add(ofOther(proxy));
                continue;
            }
            findings.add(Finding.of(proxy.name() + " runs and is ready", proxy.troubles()));
            if (process.alive()) {
                findings.add(Finding.of(
                        proxy.name() + IN_FORCE,
                        proxy.inSync() ? "" : "it has not, or not yet; its log says why (" + process.admin() + ")"));
                findings.add(certificate(proxy));
            }
        }
        return findings;
    }

    private static Finding written(LocalMesh.Plane plane) {
        var what = "what authors wrote is in force";
        return switch (plane) {
            case LocalMesh.Plane.Answers(var _, var _, var problems) -> Finding.of(what, problems);
            case LocalMesh.Plane.Silent _ -> Finding.of(what, "nobody knows as long as no control plane answers");
        };
    }

    private static Finding ofOther(LocalMesh.Proxy proxy) {
        var who = proxy.kind() + " " + proxy.name();
        if (!proxy.connected()) {
            return Finding.of(who + " is connected", proxy.troubles());
        }
        if (proxy.inSync() || !proxy.troubles().isEmpty()) {
            return Finding.of(who + IN_FORCE, proxy.troubles());
        }
        return Finding.of(who + IN_FORCE, "it has not answered yet all that it was sent");
    }

    private static Finding certificate(LocalMesh.Proxy proxy) {
        var what = proxy.name() + " has a certificate that is renewed in time";
        return switch (proxy.certificate()) {
            case LocalMesh.Certificate.Left(var _, var troubles) -> Finding.of(what, troubles);
            case LocalMesh.Certificate.CameWith _, LocalMesh.Certificate.Unknown _ ->
                Finding.of(what, "nobody knows until when it is good: its sidecar has not said");
        };
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
