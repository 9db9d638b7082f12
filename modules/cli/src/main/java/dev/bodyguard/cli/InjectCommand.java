package dev.bodyguard.cli;

import dev.bodyguard.injector.decision.Defaults;
import dev.bodyguard.injector.decision.Injection;
import dev.bodyguard.injector.decision.Manifests;
import dev.bodyguard.injector.decision.Sidecar;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `bodyguard inject FILE… | kubectl apply -f -`
@Command(
        name = "inject",
        description = {
            "Puts the sidecar into the pods of Kubernetes manifests, YAML or JSON, and changes nothing else in them.",
            "bodyguard inject deployment.yaml | kubectl apply -f -",
            "What was done is told on standard error. If one pod cannot have a sidecar nothing is written.",
            "No cluster is asked: where the mesh was installed with a hub, tag, revision or trustDomain of its own,"
                    + " say them here too. Resources are the chart's usual ones; a pod's annotations say others.",
            "What holds a sidecar stays as it is. After an upgrade of the mesh:"
                    + " bodyguard uninject FILE | bodyguard inject - | kubectl apply -f -"
        },
        mixinStandardHelpOptions = true)
final class InjectCommand implements Callable<Integer> {
    @Parameters(
            paramLabel = "FILE",
            arity = "1..*",
            description = "Files, folders (all .yaml, .yml, .json below), or - for standard input.")
    private List<String> files = List.of();

    @Option(names = "--hub", defaultValue = "bodyguard", description = "Where the images are (${DEFAULT-VALUE}).")
    private String hub = "bodyguard";

    @Option(names = "--tag", description = "Tag of the images (this command's own version).")
    private String tag = Version.number();

    @Option(
            names = "--revision",
            defaultValue = "default",
            description = "The control plane's revision, as istio.io/rev names it (${DEFAULT-VALUE}).")
    private String revision = "default";

    @Option(names = "--trust-domain", defaultValue = "cluster.local", description = "The mesh's (${DEFAULT-VALUE}).")
    private String trustDomain = "cluster.local";

    @Option(names = "--classic", description = "An ordinary container, for Kubernetes before 1.29.")
    private boolean classic;

    @Override
    public Integer call() {
        Sidecar sidecar;
        try {
            sidecar = new Sidecar(
                    hub,
                    tag,
                    revision,
                    trustDomain,
                    classic ? Sidecar.Shape.CLASSIC : Sidecar.Shape.NATIVE,
                    Defaults.USUAL);
        } catch (IllegalArgumentException wrong) {
            throw new Failure(String.valueOf(wrong.getMessage()));
        }
        var injection = new Injection(sidecar);
        return ManifestFiles.rewrite(
                files, System.in, System.out, System.err, (name, text) -> Manifests.inject(name, text, injection));
    }
}
