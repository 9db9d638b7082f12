package dev.bodyguard.cli;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;

/// `bodyguard uninstall`
@Command(
        name = "uninstall",
        description = {
            "Removes the mesh from the cluster of the current kubectl context.",
            "The control plane goes, its namespace, its root of trust, and the kinds it brought. A kind of which there"
                    + " are documents stays with them, and so does the namespace where it holds some; both are named."
                    + " Pods that have a sidecar keep it until they start again.",
            "Where templates hold the sidecar, as inject writes it, nothing is removed, for their pods could not start"
                    + " again; each is named with the command that takes it out."
        },
        mixinStandardHelpOptions = true)
final class UninstallCommand implements Callable<Integer> {
    private static final int MOST_SHOWN = 10;

    @Option(
            names = "--with-documents",
            description = "Also the kinds and the namespace that hold documents: these are deleted with them.")
    private boolean withDocuments;

    @Override
    public Integer call() throws InterruptedException {
        Tool.HELM.require();
        Tool.KUBECTL.require();
        var templates = InjectedTemplate.in(Tool.KUBECTL.run(InjectedTemplate.LISTING, _ -> {}));
        if (!templates.isEmpty()) {
            throw new Failure(InjectedTemplate.refusal(templates));
        }
        var rollout = new Rollout(System.err, Boolean.getBoolean("bodyguard.terminal"));
        rollout.step("removing the control plane");
        var _ = Tool.HELM.run(Charts.uninstall(Charts.MESH), _ -> {});
        rollout.step("looking for documents");
        var listing = Tool.KUBECTL.run(BroughtKind.LISTING, _ -> {});
        var kinds = kinds(listing);
        var staying = withDocuments
                ? List.<BroughtKind>of()
                : kinds.stream().filter(BroughtKind::isInUse).toList();
        var root = new RootNamespace(withDocuments ? List.of() : documents(RootNamespace.kinds(listing)));
        rollout.step("removing the kinds");
        // The chart tells helm to keep them, as helm does not ask whether there are documents.
        var _ = Tool.HELM.run(Charts.uninstall(Charts.KINDS), _ -> {});
        var going = kinds.stream()
                .filter(kind -> !staying.contains(kind))
                .map(BroughtKind::name)
                .toList();
        if (!going.isEmpty()) {
            var _ = Tool.KUBECTL.run(BroughtKind.deletion(going), _ -> {});
        }
        rollout.step("removing the roots from every namespace");
        var _ = Tool.KUBECTL.run(
                List.of(
                        "delete",
                        "configmaps",
                        "--all-namespaces",
                        "--field-selector=metadata.name=bodyguard-root",
                        "--selector=app.kubernetes.io/managed-by=bodyguard"),
                _ -> {});
        rollout.step("removing " + (root.isInUse() ? "the root of trust" : "namespace " + Charts.NAMESPACE));
        var _ = Tool.KUBECTL.run(root.removal(), _ -> {});
        rollout.done("the mesh is gone");

        staying.forEach(kind -> System.out.println(kind.stays()));
        if (root.isInUse()) {
            System.out.println(root.stays());
        }
        var pods = stillInjected();
        if (!pods.isEmpty()) {
            System.out.println(pods.size() + " pods still have a sidecar, until they start again"
                    + " (kubectl -n NAME rollout restart deployment):\n" + some(pods));
        }
        return 0;
    }

    /// What the chart of kinds brought, whichever of its versions did, and what there is of each.
    private static List<BroughtKind> kinds(String listing) throws InterruptedException {
        var kinds = new ArrayList<BroughtKind>();
        for (var name : BroughtKind.ours(listing)) {
            kinds.add(new BroughtKind(name, lines(Tool.KUBECTL.run(BroughtKind.documents(name), _ -> {}))));
        }
        return kinds;
    }

    /// What users wrote for the whole mesh.
    private static List<String> documents(List<String> kinds) throws InterruptedException {
        return kinds.isEmpty() ? List.of() : lines(Tool.KUBECTL.run(RootNamespace.documents(kinds), _ -> {}));
    }

    /// `namespace/name` of every pod with a sidecar.
    private static List<String> stillInjected() throws InterruptedException {
        return lines(Tool.KUBECTL.run(
                List.of(
                        "get",
                        "pods",
                        "--all-namespaces",
                        "--ignore-not-found",
                        "-o",
                        "jsonpath={range .items[?(@.metadata.annotations.bodyguard\\.dev/status)]}"
                                + "{.metadata.namespace}/{.metadata.name}{\"\\n\"}{end}"),
                _ -> {}));
    }

    private static List<String> lines(String text) {
        return text.lines().filter(line -> !line.isBlank()).toList();
    }

    private static String some(List<String> all) {
        var shown = all.stream().limit(MOST_SHOWN).map(one -> "  " + one);
        var rest = all.size() > MOST_SHOWN
                ? Stream.of("  and " + (all.size() - MOST_SHOWN) + " more")
                : Stream.<String>empty();
        return String.join("\n", Stream.concat(shown, rest).toList());
    }
}
