package dev.bodyguard.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `bodyguard install --set profile=demo`
@Command(
        name = "install",
        description = {
            "Installs the mesh on the cluster of the current kubectl context, or brings it up to date.",
            "It runs helm with the charts of this distribution, and waits until everything is ready."
        },
        mixinStandardHelpOptions = true)
final class InstallCommand implements Callable<Integer> {
    @Option(
            names = "--set",
            paramLabel = "KEY=VALUE",
            description = {
                "A value of the chart, such as profile=default|demo|minimal; as helm takes it.",
                "kinds.istio=false, and likewise linkerd and smi: these kinds are here already, and stay another mesh's."
            })
    private List<String> set = List.of();

    @Option(
            names = {"-f", "--values"},
            paramLabel = "FILE",
            description = "A file of values; as helm takes it.")
    private List<String> files = List.of();

    @Option(names = "--timeout", defaultValue = "5m", description = "How long it may take (${DEFAULT-VALUE}).")
    private String timeout = "5m";

    @Override
    public Integer call() throws InterruptedException {
        var charts = Charts.ofInstallation();
        Tool.HELM.require();
        var rollout = new Rollout(System.err, Boolean.getBoolean("bodyguard.terminal"));
        rollout.step("installing the kinds it understands");
        var _ = Tool.HELM.run(charts.upgrade(Charts.KINDS, timeout, Charts.set(set, true)), rollout::heard);
        rollout.step("installing the control plane");
        var _ = Tool.HELM.run(charts.upgrade(Charts.MESH, timeout, values()), rollout::heard);
        rollout.done("the mesh is ready in namespace " + Charts.NAMESPACE);
        System.out.println("""
            Put a sidecar beside every pod of a namespace, from its next start on:
              kubectl label namespace NAME istio-injection=enabled
              kubectl -n NAME rollout restart deployment""");
        return 0;
    }

    private List<String> values() {
        var arguments = new ArrayList<String>();
        for (var file : files) {
            arguments.addAll(List.of("--values", file));
        }
        arguments.addAll(Charts.set(set, false));
        return arguments;
    }
}
