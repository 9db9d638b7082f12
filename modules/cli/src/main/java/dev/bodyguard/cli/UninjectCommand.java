package dev.bodyguard.cli;

import dev.bodyguard.injector.decision.Manifests;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/// `bodyguard uninject FILE… | kubectl replace -f -`
@Command(
        name = "uninject",
        description = {
            "Takes the sidecar out of Kubernetes manifests again: what inject wrote comes out as it went in.",
            "kubectl get deployment web -o yaml | bodyguard uninject - | kubectl replace -f -"
        },
        mixinStandardHelpOptions = true)
final class UninjectCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "FILE",
            arity = "1..*",
            description = "Files, folders (all .yaml, .yml, .json below), or - for standard input.")
    private List<String> files = List.of();

    @Override
    public Integer call() {
        return ManifestFiles.rewrite(files, System.in, System.out, System.err, Manifests::uninject);
    }
}
