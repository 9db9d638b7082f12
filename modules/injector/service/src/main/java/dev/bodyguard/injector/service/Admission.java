package dev.bodyguard.injector.service;

import dev.bodyguard.injector.decision.Decision;
import dev.bodyguard.injector.decision.Injection;
import dev.bodyguard.injector.decision.JsonPatch;
import dev.bodyguard.injector.decision.Namespace;
import dev.bodyguard.injector.decision.PodTemplate;
import dev.bodyguard.injector.decision.ServiceAnnotations;
import dev.bodyguard.injector.decision.Tree;
import dev.bodyguard.injector.decision.Unreadable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// Answers one AdmissionReview (admission.k8s.io/v1).
final class Admission {
    private static final String VERSION = "admission.k8s.io/v1";
    /// The API server cuts a warning at 256 characters, and all of them at 4096.
    private static final int LONGEST_WARNING = 240;

    private static final int MOST_WARNINGS = 16;

    private final Injection injection;
    private final Namespaces namespaces;
    private final Revisions others;

    /// @param others what the other injectors of the cluster serve
    Admission(Injection injection, Namespaces namespaces, Revisions others) {
        this.injection = injection;
        this.namespaces = namespaces;
        this.others = others;
    }

    /// What was decided, for whoever counts.
    sealed interface Verdict {
        /// The word that it is counted under.
        default String result() {
            return switch (this) {
                case Patched _ -> "injected";
                case Untouched(var result) -> result;
                case Denied _ -> "refused";
                case Advised(var warnings) -> warnings.isEmpty() ? "nothing_to_say" : "warned";
            };
        }
    }

    record Patched(List<String> warnings) implements Verdict {}

    record Untouched(String result) implements Verdict {}

    record Denied(String why) implements Verdict {}

    record Advised(List<String> warnings) implements Verdict {}

    /// @param json to be sent
    /// @param object namespace and name
    record Answer(String json, String object, Verdict verdict) {}

    /// What is asked.
    private record Question(String uid, String kind, String namespace, Tree object) {
        static Question in(String body) throws Unreadable {
            var review = Tree.parse(body);
            var request = review.at("request");
            var question = new Question(
                    request.at("uid").text().orElse(""),
                    request.at("kind", "kind").text().orElse(""),
                    request.at("namespace").text().orElse(""),
                    request.at("object"));
            if (!review.at("kind").text().orElse("").equals("AdmissionReview") || question.uid.isEmpty()) {
                throw new IllegalArgumentException("the body is no AdmissionReview of " + VERSION);
            }
            return question;
        }

        String shown() {
            return namespace + "/" + name(object);
        }
    }

    /// Decides on a pod.
    ///
    /// @throws Unreadable if the body is no review
    /// @throws IOException if the cluster does not tell what is needed; the API server then does as its
    ///     `failurePolicy` says
    Answer decide(String body) throws Unreadable, IOException {
        var question = Question.in(body);
        var uid = question.uid;
        var pod = question.object;
        var name = name(pod);
        var namespace = question.namespace;
        var shown = question.shown();
        if (!question.kind.equals("Pod") || pod.isNothing() || namespace.isEmpty()) {
            return new Answer(allowed(uid, Map.of()), shown, new Untouched("not_a_pod"));
        }
        return switch (injection.decide(pod, workload(pod, name), namespaces.get(namespace))) {
            case Decision.Injected(var edits, var warnings) -> {
                var patch = JsonPatch.of(pod, edits).json().getBytes(StandardCharsets.UTF_8);
                var more = new LinkedHashMap<String, Tree>();
                more.put("patchType", new Tree.Text("JSONPatch"));
                more.put("patch", new Tree.Text(Base64.getEncoder().encodeToString(patch)));
                if (!warnings.isEmpty()) {
                    more.put("warnings", warnings(warnings));
                }
                yield new Answer(allowed(uid, more), shown, new Patched(warnings));
            }
            case Decision.NotAsked _ -> new Answer(allowed(uid, Map.of()), shown, new Untouched("not_asked"));
            case Decision.Another _ -> new Answer(allowed(uid, Map.of()), shown, new Untouched("another_revision"));
            case Decision.Already _ -> new Answer(allowed(uid, Map.of()), shown, new Untouched("already"));
            case Decision.Refused refused ->
                new Answer(denied(uid, name, refused.sentence()), shown, new Denied(refused.sentence()));
        };
    }

    /// Says what becomes of the pods of an object that makes some, or of a pod that has no sidecar, to whoever writes
    /// it; and what a Service says in vain.
    /// Nothing is changed, and nothing refused.
    ///
    /// @throws Unreadable if the body is no review
    /// @throws IOException if the cluster does not tell what is needed
    Answer advise(String body) throws Unreadable, IOException {
        var question = Question.in(body);
        var warnings =
                question.kind.equals("Service") ? ServiceAnnotations.ignored(question.object) : adviceOnPods(question);
        return new Answer(
                allowed(question.uid, warnings.isEmpty() ? Map.of() : Map.of("warnings", warnings(warnings))),
                question.shown(),
                new Advised(warnings));
    }

    private List<String> adviceOnPods(Question question) throws IOException {
        var template = PodTemplate.of(question.kind, question.object);
        return template.isEmpty() || question.namespace.isEmpty()
                ? List.of()
                : advice(template.get(), name(question.object), namespaces.get(question.namespace));
    }

    private List<String> advice(Tree pod, String workload, Namespace namespace) throws IOException {
        return switch (injection.decide(pod, workload, namespace)) {
            case Decision.Injected injected -> injected.warnings();
            case Decision.NotAsked _, Decision.Already _ -> List.of();
            case Decision.Another another ->
                others.isServed(another.revision()) ? List.of() : List.of(another.unserved());
            case Decision.Refused refused -> List.of("its pods are refused: " + refused.sentence());
        };
    }

    private static String allowed(String uid, Map<String, Tree> more) {
        var response = new LinkedHashMap<String, Tree>();
        response.put("uid", new Tree.Text(uid));
        response.put("allowed", new Tree.Word("true"));
        response.putAll(more);
        return review(new Tree.Obj(response));
    }

    private static String denied(String uid, String pod, String why) {
        return review(Tree.obj(
                "uid",
                uid,
                "allowed",
                false,
                "status",
                Tree.obj(
                        "code",
                        403,
                        "reason",
                        "Forbidden",
                        "message",
                        "pod " + pod + " is to have Bodyguard's sidecar, and cannot have it: " + why)));
    }

    private static String review(Tree response) {
        return Tree.obj("apiVersion", VERSION, "kind", "AdmissionReview", "response", response)
                .json();
    }

    private static Tree warnings(List<String> warnings) {
        boolean tooMany = warnings.size() > MOST_WARNINGS;
        int whole = tooMany ? MOST_WARNINGS - 1 : warnings.size();
        var said = warnings.stream()
                .limit(whole)
                .map(warning ->
                        warning.length() > LONGEST_WARNING ? warning.substring(0, LONGEST_WARNING) + "…" : warning);
        var rest = tooMany ? Stream.of(inShort(warnings.subList(whole, warnings.size()))) : Stream.<String>empty();
        return Tree.arr(Stream.concat(said, rest)
                .map(warning -> "bodyguard: " + warning)
                .toArray());
    }

    /// What they are about, if one line holds it.
    private static String inShort(List<String> warnings) {
        var about = warnings.stream()
                .map(warning -> warning.split(" is ignored: ", 2)[0])
                .collect(Collectors.joining(", ", "and " + warnings.size() + " more: ", ""));
        return about.length() <= LONGEST_WARNING
                ? about
                : "and " + warnings.size() + " more, which `bodyguard inject` prints for the same manifest";
    }

    private static String name(Tree pod) {
        var metadata = pod.at("metadata");
        return metadata.at("name")
                .text()
                .or(() -> metadata.at("generateName").text())
                .orElse("");
    }

    /// Whose pod it is, as far as its owner's name tells: a ReplicaSet is called after its Deployment and a hash, a Job
    /// after its CronJob and a time.
    private static String workload(Tree pod, String name) {
        for (var owner : pod.at("metadata", "ownerReferences").items()) {
            if (owner.at("controller").text().orElse("").equals("true")) {
                var called = owner.at("name").text().orElse(name);
                var hash = pod.at("metadata", "labels", "pod-template-hash").text();
                return switch (owner.at("kind").text().orElse("")) {
                    case "ReplicaSet" ->
                        hash.filter(text -> called.endsWith("-" + text))
                                .map(text -> called.substring(0, called.length() - text.length() - 1))
                                .orElse(called);
                    case "Job" -> called.replaceFirst("-[0-9]{8,10}$", "");
                    default -> called;
                };
            }
        }
        return name;
    }
}
