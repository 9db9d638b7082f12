package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.dialect.Dialects;
import dev.bodyguard.model.AuthorizationPolicy;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Workload;
import dev.bodyguard.source.files.Yaml;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What is in force after a restart of config, by the YAML of files and by what is remembered in one.
class RestartTest {
    private static final String RULE = """
            apiVersion: networking.istio.io/v1
            kind: DestinationRule
            metadata: {name: pay}
            spec:
              host: pay
              subsets:
                - {name: v1, labels: {version: v1}}
                - {name: v2, labels: {version: v2}}
            """;
    private static final String ROUTE = """
            ---
            apiVersion: networking.istio.io/v1
            kind: VirtualService
            metadata: {name: pay}
            spec:
              hosts: [pay]
              http:
                - route:
                    - destination:
                        host: pay
                        subset: v2
            """;
    private static final String POLICY = """
            apiVersion: security.istio.io/v1
            kind: AuthorizationPolicy
            metadata: {name: pay}
            spec:
              selector: {matchLabels: {app: pay}}
              rules: [{from: [{source: {serviceAccounts: [checkout]}}]}]
            """;
    private static final String PAY = "pay.default.svc.cluster.local";
    private static final String STAYS = "refused, GOOD: ";

    private final Diary diary = new Diary();
    /// The YAML by file.
    private final Map<String, String> files = new TreeMap<>();

    private List<Workload> workloads = List.of(workload("pay"));
    private Path file;
    private Config config;

    @BeforeEach
    void start(@TempDir Path state) {
        file = state.resolve("config").resolve("last-good");
        config = new Config();
    }

    @AfterEach
    void close() {
        config.close();
    }

    @Test
    void aRefusedVersionLeavesTheLastGoodOneInForceOverRestarts() throws IOException {
        save("a.yaml", RULE + ROUTE);
        save("a.yaml", RULE + ROUTE.replace("subset: v2", "subste: v2"));
        var told = diary.read();

        restart();

        assertThat(leads()).containsExactly("pay v2");
        assertThat(diary.read()).isEqualTo(told).singleElement().asString().startsWith(STAYS + "a.yaml:19:");
        assertThat(config.documents.size()).isEqualTo(2);
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                .isEqualTo("rw-------");

        restart();

        assertThat(leads()).as("after one more").containsExactly("pay v2");
        assertThat(diary.read()).isEqualTo(told);

        save("a.yaml", RULE + ROUTE.replace("subset: v2", "subset: v1"));

        assertThat(leads()).containsExactly("pay v1");
        assertThat(diary.read()).containsExactly("applied: pay");
    }

    @Test
    void aMistakeThatIsMadeWhileNoConfigRunsTakesNothingAway() {
        save("a.yaml", RULE + ROUTE);
        save("b.yaml", POLICY);

        config.close();
        files.put("a.yaml", RULE.replace("{name: v2", "{name: v22") + ROUTE.replace("subset: v2", "subste: v2"));
        files.put("b.yaml", POLICY.replace("from: [{source", "from: [{sauce"));
        begin();

        assertThat(leads()).containsExactly("pay v2");
        assertThat(config.mesh.subsets(PAY)).containsExactly("v1", "v2");
        assertThat(policies()).containsExactly("ALLOW by pay");
        assertThat(diary.read()).hasSize(3).allMatch(line -> line.startsWith(STAYS));

        restart();

        assertThat(leads()).as("after one more").containsExactly("pay v2");
    }

    @Test
    void ofAnApiServerOnlyWhatItHasNoMoreIsRemembered() throws IOException {
        config.stored = true;
        save("a.yaml", RULE + ROUTE);
        config.close();
        assertThat(file).doesNotExist();

        begin();
        config.stored = true;
        save("a.yaml", RULE + ROUTE.replace("subset: v2", "subste: v2"));
        config.close();

        try (var reads = new LastGood(file, diary)) {
            assertThat(reads.read()).extracting(Document::kind).containsExactly("VirtualService");
        }
    }

    @Test
    void whatIsBrokenOnceMoreKeepsTheVersionThatWasInForceLast() {
        save("a.yaml", RULE + ROUTE);
        save("a.yaml", RULE + ROUTE.replace("subset: v2", "subste: v2"));
        save("a.yaml", RULE + ROUTE.replace("subset: v2", "subset: v1"));
        save("a.yaml", RULE + ROUTE.replace("subset: v2", "subste: v1"));

        restart();

        assertThat(leads()).containsExactly("pay v1");
    }

    @Test
    void aVersionThatWaitsGoesOnToWait() {
        save("a.yaml", RULE + ROUTE);
        save("a.yaml", RULE + ROUTE.replace("  host: pay", "  host: pai").replace("            subset: v2\n", ""));
        var told = diary.read();

        restart();

        assertThat(leads()).containsExactly("pay v2");
        assertThat(diary.read()).isEqualTo(told).singleElement().asString().contains("; did you mean pay?");

        workloads = List.of(workload("pay"), workload("pai"));
        config.settle();

        assertThat(diary.read()).containsExactly("applied: pay");
        assertThat(leads()).containsExactly("pai ");
    }

    @Test
    void aVersionForWhichItIsTimeByNowIsApplied() {
        save("a.yaml", RULE + ROUTE);
        save("a.yaml", RULE + ROUTE.replace("  host: pay", "  host: pai").replace("            subset: v2\n", ""));
        diary.read();
        workloads = List.of(workload("pay"), workload("pai"));

        restart();

        assertThat(leads()).containsExactly("pai ");
        assertThat(diary.read()).isEmpty();
    }

    @Test
    void aSubsetThatWasRenamedStaysWhileRoutesLeadToIt() {
        save("a.yaml", RULE + ROUTE);
        save("a.yaml", RULE.replace("{name: v2", "{name: v22") + ROUTE);

        restart();

        assertThat(config.mesh.subsets(PAY)).containsExactly("v1", "v2");
        assertThat(config.mesh.problems()).isEmpty();
    }

    @Test
    void whatIsGoneFromAFileThatStaysIsStillMissed() {
        save("a.yaml", ROUTE + "---\n" + RULE);
        save("a.yaml", ROUTE);
        var told = diary.read();

        restart();

        assertThat(config.mesh.subsets(PAY)).containsExactly("v1", "v2");
        assertThat(diary.read()).isEqualTo(told).singleElement().asString().contains("is gone from its file, but ");

        save("a.yaml", ROUTE.replace("            subset: v2\n", ""));

        assertThat(config.mesh.subsets(PAY)).isEmpty();
        assertThat(diary.read()).containsExactly("removed: pay");
    }

    @Test
    void aPolicyThatIsRenamedAndBrokenAtOnceStays() {
        save("a.yaml", POLICY);
        save("a.yaml", POLICY.replace("{name: pay}", "{name: payers}").replace("rules", "ruls"));
        var told = diary.read();

        restart();

        assertThat(policies()).contains("ALLOW by pay");
        assertThat(diary.read()).isEqualTo(told).anyMatch(line -> line.contains("is gone from its file, in which"));

        save("a.yaml", POLICY.replace("{name: pay}", "{name: payers}"));

        assertThat(policies()).containsExactly("ALLOW by payers");
        assertThat(config.documents.problems()).isEmpty();
    }

    @Test
    void aRefusedPolicyLetsInWhomTheLastGoodOneLetsIn() {
        save("a.yaml", POLICY);
        save("a.yaml", POLICY.replace("from: [{source", "from: [{sauce"));

        restart();

        assertThat(policies()).containsExactly("ALLOW by pay");
        assertThat(diary.read()).hasSize(2).allMatch(line -> line.startsWith(STAYS));
    }

    @Test
    void aPolicyThatTurnsToNobodyWhileNoConfigRunsHoldsForThoseBeforeToo() {
        save("a.yaml", POLICY);

        config.close();
        files.put("a.yaml", POLICY.replace("app: pay", "app: pey"));
        workloads = List.of();
        begin();

        assertThat(diary.read())
                .singleElement()
                .asString()
                .startsWith(STAYS + "a.yaml:5:27: ")
                .contains("namespace default has no workload");
        workloads = List.of(workload("pay"));
        config.settle();
        assertThat(diary.read()).isEmpty();
        assertThat(policies()).containsExactly("ALLOW by pay");
    }

    @Test
    void aPolicyThatIsRemovedWhileNoConfigRunsIsToldToo() {
        save("a.yaml", POLICY + "---\n" + RULE);

        config.close();
        files.put("a.yaml", RULE);
        begin();

        assertThat(diary.read()).containsExactly("unguarded: pay");
        assertThat(policies()).isEmpty();
    }

    @Test
    void aPolicyThatWasNeverGoodLetsNobodyInAfterARestartEither() {
        save("a.yaml", POLICY.replace("from: [{source", "from: [{sauce"));

        restart();

        assertThat(policies()).containsExactly("DENY by pay");
        config.close();
        assertThat(file).doesNotExist();
    }

    @Test
    void aMisspeltKindIsAVersionOfWhatWasMeantAfterARestartToo() {
        save("a.yaml", RULE + ROUTE);
        save("a.yaml", RULE + ROUTE.replace("VirtualService", "VirtualServce"));

        restart();

        assertThat(leads()).containsExactly("pay v2");
        assertThat(config.documents.size()).isEqualTo(2);
    }

    @Test
    void aFileThatWentMeanwhileTakesItsDocumentsAlong() {
        save("a.yaml", RULE + ROUTE);
        save("a.yaml", RULE + ROUTE.replace("subset: v2", "subste: v2"));
        save("b.yaml", POLICY);
        diary.read();

        config.close();
        files.remove("a.yaml");
        begin();

        assertThat(leads()).isEmpty();
        assertThat(config.documents.size()).isOne();
        assertThat(diary.read()).isEmpty();
    }

    @Test
    void whatWasMendedMeanwhileIsInForce() {
        save("a.yaml", RULE + ROUTE);
        save("a.yaml", RULE + ROUTE.replace("subset: v2", "subste: v2"));
        diary.read();

        config.close();
        files.put("a.yaml", RULE + ROUTE.replace("subset: v2", "subset: v1"));
        begin();

        assertThat(leads()).containsExactly("pay v1");
        assertThat(config.documents.problems()).isEmpty();
        assertThat(diary.read()).isEmpty();
    }

    @Test
    void whatWasTurnedBackMeanwhileIsOfThisGeneration() {
        save("a.yaml", RULE + ROUTE);
        save("a.yaml", RULE + ROUTE.replace("subset: v2", "subste: v2"));
        config.close();
        files.put("a.yaml", RULE + ROUTE);

        config = new Config();
        config.stored = true;
        config.deliver();

        assertThat(leads()).containsExactly("pay v2");
        assertThat(config.documents.standings(List.of())).hasSize(2).allMatch(standing -> standing.since() == 1);
    }

    @Test
    void aMemoryThatIsBrokenIsToldAndReplaced() throws IOException {
        save("a.yaml", POLICY);
        save("a.yaml", POLICY.replace("from: [{source", "from: [{sauce"));
        config.close();
        diary.read();
        var content = Files.readAllBytes(file);
        Files.write(file, List.of("this is no memory, and has been one never"));

        begin();

        assertThat(policies()).containsExactly("DENY by pay");
        assertThat(diary.read()).hasSize(2).first().asString().startsWith("not recalled: last-good: Protocol message ");
        config.close();
        assertThat(file).doesNotExist();

        Files.write(file, Arrays.copyOf(content, content.length - 1));
        begin();

        assertThat(policies()).as("of one that is cut off").containsExactly("DENY by pay");
        assertThat(diary.read()).first().asString().startsWith("not recalled: last-good: ");
    }

    @Test
    void whatCannotBeWrittenIsToldOnceAndNotHalfRemembered() throws IOException {
        Files.createDirectories(file.resolve("in-the-way"));
        save("a.yaml", POLICY);
        save("a.yaml", POLICY.replace("from: [{source", "from: [{sauce"));
        config.settle();
        config.close();

        assertThat(diary.read())
                .filteredOn(line -> line.startsWith("not remembered"))
                .singleElement()
                .asString()
                .startsWith("not remembered: last-good: java.nio.file.FileSystemException: ")
                .endsWith("; what it says is out of date, remove it");
    }

    @Test
    void whatDoesNotFitIsNotRemembered() throws IOException {
        var documents = Yaml.parse("a.yaml", RULE + ROUTE).documents();
        try (var large = new LastGood(file, diary)) {
            large.keep(documents);
        }
        int size = (int) Files.size(file);

        try (var small = new LastGood(file, size - 1, diary)) {
            assertThat(small.read()).isEmpty();
            assertThat(diary.read())
                    .containsExactly("not recalled: last-good: must be " + (size - 1) + " bytes at most, was " + size);
            small.keep(documents);
        }
        assertThat(diary.read())
                .containsExactly("not remembered: last-good: must be " + (size - 1)
                        + " bytes at most, which 1 of 2 documents fill");
        try (var reads = new LastGood(file, diary)) {
            assertThat(reads.read()).isEqualTo(documents.subList(0, 1));
        }
    }

    @Test
    void everyValueIsReadAsItWasWritten() {
        var parsed = Yaml.parse("a.yaml", """
                apiVersion: test/v1
                kind: Plain
                metadata: {name: all}
                spec: {none: null, yes: true, many: 9007199254740993, some: 0.1, list: [[], {}, "text"], "": ''}
                """).documents();
        var documents = new ArrayList<>(parsed);
        parsed.forEach(document -> documents.add(stored(document)));

        try (var writes = new LastGood(file, diary)) {
            writes.keep(documents);
        }

        try (var reads = new LastGood(file, diary)) {
            assertThat(reads.read()).isEqualTo(documents);
        }
        assertThat(diary.read()).isEmpty();
    }

    /// One life of config.
    private final class Config implements AutoCloseable {
        private final LastGood lastGood = new LastGood(file, diary);
        private final Documents documents = new Documents(Dialects.all(), diary);
        private final Names names = new Names();
        private Map<String, Document> delivered = Map.of();
        private Mesh mesh = Mesh.of(List.of());
        private long generation;
        /// Documents come as an API server has them.
        private boolean stored;

        Config() {
            documents.recall(lastGood.read());
        }

        void deliver() {
            var now = new HashMap<String, Document>();
            files.forEach((name, yaml) -> {
                var parsed = Yaml.parse(name, yaml);
                assertThat(parsed.problems()).isEmpty();
                parsed.documents()
                        .forEach(document -> now.put(
                                document.apiVersion() + "/" + document.key(), stored ? stored(document) : document));
            });
            var removed = new ArrayList<>(delivered.keySet());
            removed.removeAll(now.keySet());
            delivered = now;
            documents.take(now, removed);
            settle();
        }

        void settle() {
            mesh = documents.settle(workloads, names, ++generation);
            lastGood.keep(documents.lastGood());
        }

        @Override
        public void close() {
            lastGood.close();
        }
    }

    private void save(String name, String yaml) {
        files.put(name, yaml);
        config.deliver();
    }

    private void restart() {
        config.close();
        begin();
    }

    private void begin() {
        config = new Config();
        config.deliver();
    }

    private List<String> leads() {
        return config.mesh.destinations().stream()
                .map(to -> to.host().replace(".default.svc.cluster.local", "") + " " + to.subset())
                .toList();
    }

    private List<String> policies() {
        return config.mesh.authorizationPolicies("default", "pay", Map.of(), 80).stream()
                .map(RestartTest::shown)
                .toList();
    }

    private static String shown(AuthorizationPolicy policy) {
        return policy.action() + " by " + policy.origin().name();
    }

    private static Document stored(Document document) {
        return new Document(
                document.apiVersion(), document.kind(), document.namespace(), document.name(), "7", document.root());
    }

    private static Workload workload(String service) {
        return Workload.registered(
                "default", service + "-1", service, service, Map.of(), "127.0.0.1", Map.of(80, 8080), true);
    }
}
