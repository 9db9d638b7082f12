package dev.bodyguard.source.files;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Value;
import java.util.Objects;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class YamlTest {
    private static final String PAY = """
        # the payment service
        apiVersion: networking.istio.io/v1alpha3
        kind: VirtualService
        metadata:
          name: payment-vs
        spec:
          hosts: [payment-service]
          http:
          - route:
            - destination: {host: payment-service, subset: v2}
              weight: 100
        """;

    @Test
    void knowsWhereEveryKeyAndValueStands() {
        var document = only(Yaml.parse("pay.yaml", PAY));

        assertThat(document.key()).isEqualTo("networking.istio.io/VirtualService/default/payment-vs");
        assertThat(document.root().at()).isEqualTo(new Location("pay.yaml", 2, 1));
        var spec = (Value.Mapping) under(document.root(), "spec");
        var http = (Value.Sequence) under(spec, "http");
        var route = (Value.Mapping) http.items().getFirst();
        var split =
                (Value.Mapping) ((Value.Sequence) under(route, "route")).items().getFirst();
        assertThat(split.get("weight")).isEqualTo(new Value.Int(100, new Location("pay.yaml", 11, 15)));
        assertThat(split.entries().get(1).keyAt()).isEqualTo(new Location("pay.yaml", 11, 7));
    }

    @Test
    void countsLinesThroughAllDocumentsOfAFile() {
        var parsed = Yaml.parse(
                "two.yaml", "---\n" + PAY + "---\n# nothing\n--- # again\n" + PAY.replace("payment-vs", "b"));

        assertThat(parsed.problems()).isEmpty();
        assertThat(parsed.documents()).extracting(Document::name).containsExactly("payment-vs", "b");
        assertThat(parsed.documents().getLast().root().at()).isEqualTo(new Location("two.yaml", 17, 1));
    }

    @Test
    void readsADocumentBesideABrokenOne() {
        var parsed = Yaml.parse("two.yaml", "apiVersion: v1\nkind: [\n---\n" + PAY);

        assertThat(parsed.documents()).extracting(Document::name).containsExactly("payment-vs");
        assertThat(parsed.problems()).hasSize(1);
        assertThat(parsed.problems().getFirst().at().file()).isEqualTo("two.yaml");
    }

    @Test
    void unfoldsLists() {
        var parsed = Yaml.parse("list.json", """
            {"apiVersion": "v1", "kind": "List", "items": [
            \t{"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "shop"}},
            \t{"apiVersion": "v1", "kind": "ServiceList", "items": [{"metadata": {"name": "b"}}]}
            ]}
            """);

        assertThat(parsed.problems()).isEmpty();
        assertThat(parsed.documents())
                .extracting(Document::key)
                .containsExactly("/Service/shop/a", "/Service/default/b");
    }

    @Test
    void namesACharacterThatMayNotStandInYamlAtItsPlace() {
        var parsed = Yaml.parse("a.yaml", """
            apiVersion: v1
            kind: A
            metadata: {name: a}
            ---
            apiVersion: v1
            kind: B
            metadata: {name: b\u0007c}
            """);

        assertThat(parsed.documents()).extracting(Document::name).containsExactly("a");
        assertThat(parsed.problems())
                .extracting(problem -> problem.at() + ": " + problem.message())
                .containsExactly("a.yaml:7:19: the character U+0007 may not stand in YAML; remove it");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', textBlock = """
        5           | Int
        -0          | Int
        007         | Text
        1.10        | Decimal
        1e3         | Decimal
        1.2.3       | Text
        .inf        | Text
        true        | Bool
        True        | Bool
        yes         | Text
        ~           | Null
        null        | Null
        !!str 5     | Text
        '"5"'       | Text
        2s          | Text
        """)
    void readsScalarsAsKubernetesDoes(String scalar, String type) {
        var document =
                only(Yaml.parse("a.yaml", "apiVersion: v1\nkind: A\nmetadata: {name: a}\nvalue: " + scalar + "\n"));

        assertThat(under(document.root(), "value").getClass().getSimpleName()).isEqualTo(type);
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', quoteCharacter = '`', textBlock = """
        a: b: c             | bad.yaml:4:5: mapping values are not allowed here; quote the value before it, or correct the indentation
        a: 1\\na: 2         | bad.yaml:5:1: key a stands here a second time, first at line 4; remove one of the two
        a: *b               | bad.yaml:4:4: *b has no anchor &b before it in this document
        a: !java.util.Date 1| bad.yaml:4:4: tag !java.util.Date is not known here; remove it
        <<: {a: b}          | bad.yaml:4:1: merge keys (<<) are not supported; write the fields out
        [a]: b              | bad.yaml:4:1: a key must be a plain word, not a list, an object or an alias
        a: 99999999999999999999 | bad.yaml:4:4: must fit 64 bits, was 99999999999999999999; quote it if it is a name
        """)
    void saysWhereAFileIsBrokenAndTheWayOut(String line, String problem) {
        var parsed = Yaml.parse(
                "bad.yaml", "apiVersion: v1\nkind: A\nmetadata: {name: a}\n" + line.replace("\\n", "\n") + "\n");

        assertThat(parsed.documents()).isEmpty();
        assertThat(parsed.problems()).extracting(FileProblem::toString).containsExactly(problem);
    }

    @ParameterizedTest
    @CsvSource(
            delimiter = '|',
            value = {
                "apiVersion|apiversion|a.yaml:1:1: apiversion: there is no such field; did you mean apiVersion?",
                "kind|knid|a.yaml:2:1: knid: there is no such field; did you mean kind?",
                "metadata|metdata|a.yaml:3:1: metdata: there is no such field; did you mean metadata?",
                "name:|nane:|a.yaml:3:12: nane: there is no such field; did you mean name?",
                "metadata|meta|a.yaml:1:1: A: metadata.name: is required and must be a non-empty string; quote it if it"
                        + " looks like a number"
            })
    void namesAKeyThatStandsInPlaceOfTheHeads(String right, String wrong, String problem) {
        var yaml = "apiVersion: v1\nkind: A\nmetadata: {name: a}\nspec: {}\n".replace(right, wrong);

        assertThat(Yaml.parse("a.yaml", yaml).problems())
                .extracting(FileProblem::toString)
                .containsExactly(problem);
    }

    @Test
    void wantsAHeadOnEveryObject() {
        assertThat(Yaml.parse("a.yaml", "kind: A\n").problems())
                .extracting(FileProblem::toString)
                .containsExactly("a.yaml:1:1: apiVersion: is required and must be a non-empty string, such as"
                        + " networking.istio.io/v1");
        assertThat(Yaml.parse("a.yaml", "apiVersion: v1\nkind: A\nmetadata:\n  name: 12\n")
                        .problems())
                .extracting(FileProblem::toString)
                .containsExactly("a.yaml:4:3: A: metadata.name: is required and must be a non-empty string; quote it"
                        + " if it looks like a number");
        assertThat(Yaml.parse("a.yaml", "hello\n").problems()).hasSize(1);
    }

    @Test
    void boundsNesting() {
        var parsed = Yaml.parse("deep.yaml", "a: " + "[".repeat(1_000_000));

        assertThat(parsed.problems().getFirst())
                .hasToString("deep.yaml:1:104: nested deeper than 100 levels; flatten it");
    }

    @Test
    void boundsWhatAliasesExpandTo() {
        var text = new StringBuilder("a0: &a0 [x,x,x,x,x,x,x,x,x,x]\n");
        for (int i = 1; i < 9; i++) {
            text.append(
                    "a%d: &a%d [%s]\n".formatted(i, i, "*a%d,".formatted(i - 1).repeat(10)));
        }

        var parsed = Yaml.parse("bomb.yaml", text.toString());

        assertThat(parsed.problems()).hasSize(1);
        assertThat(parsed.problems().getFirst().message()).contains("more than 200000 values");
    }

    /// Whatever stands in a file, reading it answers; the seed is the run's.
    @Test
    void neverThrows() {
        long seed = System.nanoTime();
        var random = new Random(seed);
        String alphabet = "ab:-[]{},&*!|>'\"%#@?\n\n  \t\u0000\u0085\uD800";
        for (int run = 0; run < 3_000; run++) {
            var text = new StringBuilder(run % 2 == 0 ? PAY : "");
            for (int i = random.nextInt(40); i >= 0; i--) {
                text.insert(random.nextInt(text.length() + 1), alphabet.charAt(random.nextInt(alphabet.length())));
            }

            var parsed = Yaml.parse("fuzz.yaml", text.toString());

            assertThat(parsed).as("seed %d run %d", seed, run).isNotNull();
        }
    }

    private static Value under(Value.Mapping mapping, String key) {
        return Objects.requireNonNull(mapping.get(key), key);
    }

    private static Document only(Parsed parsed) {
        assertThat(parsed.problems()).isEmpty();
        assertThat(parsed.documents()).hasSize(1);
        return parsed.documents().getFirst();
    }
}
