package dev.bodyguard.injector.decision;

import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Puts sidecars into the text of manifests, YAML or JSON, and takes them out again: any number of documents, lists of
/// objects, other kinds in between.
///
/// Characters that an edit does not need stay as they are. `uninject(inject(text))` is `text`, byte by byte: what
/// could not be taken out again is not put in. Whatever is refused stays as it was; the report says why.
public final class Manifests {
    private Manifests() {}

    /// A text, and what was done to the objects in it.
    public record Result(String text, List<Report> reports) {
        public Result {
            reports = List.copyOf(reports);
        }

        public boolean refused() {
            return reports.stream().anyMatch(report -> report.outcome() instanceof Report.Outcome.Refused);
        }
    }

    /// Gives every pod a sidecar that does not decline it.
    ///
    /// @param file the text's name, for reports of what cannot be read
    public static Result inject(String file, String text, Injection injection) {
        var usual = each(file, text, new Injecting(injection, false));
        // One that does not come out as it went in, or one that has had a sidecar before: look at each.
        return uninject(file, usual.text).text.equals(text) ? usual : each(file, text, new Injecting(injection, true));
    }

    /// Takes every sidecar out.
    public static Result uninject(String file, String text) {
        return each(file, text, Manifests::removed);
    }

    /// What to do with one object that has a pod.
    private interface Work {
        Done with(String text, Workload workload, Node.Mapping pod);

        /// What the author of an object without pods should know.
        default List<String> saidOf(Workload other) {
            return List.of();
        }
    }

    private record Done(List<Splice> splices, Report report) {}

    private static Result each(String file, String text, Work work) {
        var reports = new ArrayList<Report>();
        var splices = new ArrayList<Splice>();
        var parts = Source.parts(text);
        for (int i = 0; i < parts.size(); i++) {
            int until = i + 1 < parts.size() ? parts.get(i + 1) : text.length();
            try {
                for (var document : Source.read(text, parts.get(i), until)) {
                    for (var workload : Workload.in(document.root())) {
                        var done = done(text, workload, document.tied(), file, work);
                        splices.addAll(done.splices);
                        reports.add(done.report);
                    }
                }
            } catch (Unreadable broken) {
                reports.add(Report.refused(
                        file + ":" + Lines.number(text, broken.offset()), "cannot be read: " + broken.getMessage()));
            }
        }
        return new Result(Splice.apply(text, splices), reports);
    }

    private static Done done(String text, Workload workload, @Nullable Unreadable tied, String file, Work work) {
        var pod = workload.pod();
        if (!PodTemplate.PATHS.containsKey(workload.kind())) {
            return new Done(List.of(), Report.left(workload, "skipped: not a workload", work.saidOf(workload)));
        }
        if (pod == null) {
            return refused(workload, "it has no pod template; write spec.template with metadata and spec");
        }
        if (tied != null) {
            return refused(workload, file + ":" + Lines.number(text, tied.offset()) + ": " + tied.getMessage());
        }
        try {
            return work.with(text, workload, pod);
        } catch (Unfit unfit) {
            return refused(workload, unfit.refused().sentence());
        }
    }

    private static Done refused(Workload workload, String why) {
        return new Done(List.of(), Report.refused(workload.shown(), why));
    }

    private static Done removed(String text, Workload workload, Node.Mapping pod) {
        var splices = Removal.of(text, pod);
        return splices == null
                ? new Done(List.of(), Report.left(workload, "skipped: no sidecar in it"))
                : new Done(splices, Report.changed(workload, "uninjected", List.of()));
    }

    /// @param checked whether each is taken out again, to see that it can be
    private record Injecting(Injection injection, boolean checked) implements Work {
        @Override
        public Done with(String text, Workload workload, Node.Mapping pod) {
            var decision = injection.decide(pod.tree(), workload.name(), Namespace.optedIn(workload.namespace()));
            return switch (decision) {
                case Decision.Injected(var edits, var warnings) -> {
                    var splices = Insertion.of(text, pod, workload.podOf(), edits);
                    if (checked) {
                        requireReversible(text, workload, splices);
                    }
                    yield new Done(splices, Report.changed(workload, "injected", warnings));
                }
                case Decision.NotAsked(var why) -> new Done(List.of(), Report.left(workload, "skipped: " + why));
                case Decision.Another another ->
                    new Done(
                            List.of(),
                            Report.left(
                                    workload,
                                    "skipped: " + another.by() + ", and the revision to inject is " + another.ours()));
                case Decision.Already(var revision) ->
                    new Done(List.of(), Report.left(workload, "unchanged: it has the sidecar of revision " + revision));
                case Decision.Refused refused -> Manifests.refused(workload, refused.sentence());
            };
        }

        @Override
        public List<String> saidOf(Workload other) {
            return other.kind().equals("Service") ? ServiceAnnotations.ignored(other.object()) : List.of();
        }

        private static void requireReversible(String text, Workload workload, List<Splice> splices) {
            var injected = Splice.apply(text, splices);
            var back = again(injected, workload);
            if (back == null || !Splice.apply(injected, back).equals(text)) {
                throw new Unfit(
                        "its text is laid out so that the sidecar could not be taken out again",
                        "write metadata, spec and the lists in them as blocks");
            }
        }

        private static @Nullable List<Splice> again(String injected, Workload workload) {
            var parts = Source.parts(injected);
            try {
                for (int i = 0; i < parts.size(); i++) {
                    int until = i + 1 < parts.size() ? parts.get(i + 1) : injected.length();
                    if (parts.get(i) <= workload.start() && workload.start() < until) {
                        for (var document : Source.read(injected, parts.get(i), until)) {
                            for (var one : Workload.in(document.root())) {
                                if (one.start() == workload.start() && one.pod() != null) {
                                    return Removal.of(injected, one.pod());
                                }
                            }
                        }
                    }
                }
            } catch (Unreadable broken) {
                return null;
            }
            return null;
        }
    }
}
