package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.tuple;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Mesh;
import dev.bodyguard.model.Problem;
import dev.bodyguard.model.ServiceAccount;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class DocumentsTest {
    private final Diary diary = new Diary();
    private final Documents documents = new Documents(new Plain(), diary);
    private final Names names = new Names();
    private Mesh mesh = Mesh.of(List.of());

    @Test
    void theNewestGoodVersionIsInForce() {
        put(Plain.document("a", "one"), 1);
        put(Plain.document("a", "two", "three"), 1);

        assertThat(inForce()).containsExactly("two", "three");
        assertThat(documents.problems()).isEmpty();
        assertThat(diary.read()).isEmpty();
    }

    @Test
    void aRefusedVersionLeavesTheLastGoodOneInForce() {
        put(Plain.document("a", "one"), 1);

        put(Plain.document("a", "two", "wrong"), 1);

        assertThat(inForce()).containsExactly("one");
        assertThat(documents.problems())
                .extracting(Object::toString)
                .containsExactly("a.yaml:2:3: Plain default/a: means[1]: must be right, was wrong");
        assertThat(diary.read())
                .containsExactly("refused, GOOD: a.yaml:2:3: Plain default/a: means[1]: must be right, was" + " wrong");
    }

    @Test
    void severalRefusedVersionsInARowLeaveTheSameOneInForce() {
        put(Plain.document("a", "one"), 1);
        put(Plain.document("a", "wrong"), 1);

        put(Plain.document("a", "two", "wrong"), 1);

        assertThat(inForce()).containsExactly("one");
        assertThat(documents.problems()).hasSize(1);
        assertThat(diary.read()).hasSize(2).allMatch(line -> line.startsWith("refused, GOOD: "));
    }

    @Test
    void saysHowEachOfAnApiServersDocumentsFares() {
        put(ofApiServer("a", "one"), 1);
        put(ofApiServer("b", "wrong"), 2);
        put(ofApiServer("c", "one", "odd"), 2);
        put(Plain.document("of-a-file", "one"), 2);
        var lost = new Problem(
                Problem.Severity.WARNING, ofApiServer("a", "one").origin(), "not in force for host x: b speaks for it");

        assertThat(documents.standings(List.of(lost)))
                .extracting(
                        one -> one.document().name(),
                        Standing::accepted,
                        Standing::why,
                        Standing::overridden,
                        Standing::since)
                .containsExactly(
                        tuple("a", true, "", "not in force for host x: b speaks for it", 1L),
                        tuple("b", false, "means[0]: must be right, was wrong", "", 2L),
                        tuple("c", true, "means[1]: has no effect", "", 2L));
    }

    private static Document ofApiServer(String name, String... means) {
        var document = Plain.document(name, means);
        return new Document(
                document.apiVersion(), document.kind(), document.namespace(), document.name(), "7", document.root());
    }

    @Test
    void aCorrectedVersionAppliesAndIsSaid() {
        put(Plain.document("a", "one"), 1);
        put(Plain.document("a", "wrong"), 1);
        diary.read();

        put(Plain.document("a", "two"), 1);

        assertThat(inForce()).containsExactly("two");
        assertThat(documents.problems()).isEmpty();
        assertThat(diary.read()).containsExactly("applied: a");
    }

    @Test
    void aDocumentThatWasNeverGoodIsNotInForce() {
        put(Plain.document("a", "one", "wrong"), 1);

        assertThat(inForce()).isEmpty();
        assertThat(diary.read()).singleElement().asString().startsWith("refused, NOTHING: ");
    }

    @Test
    void anEmptyVersionIsAGoodOneToo() {
        put(Plain.document("a"), 1);
        put(Plain.document("a", "wrong"), 1);

        assertThat(inForce()).isEmpty();
        assertThat(diary.read()).singleElement().asString().startsWith("refused, GOOD: ");
    }

    @Test
    void oneBadDocumentDoesNotBlockAnother() {
        put(Plain.document("a", "wrong"), 1);
        put(Plain.document("b", "one"), 1);
        put(Plain.document("b", "two"), 1);

        assertThat(inForce()).containsExactly("two");
        assertThat(documents.size()).isEqualTo(2);
    }

    @Test
    void aDefectOfADialectRefusesThatDocumentOnly() {
        put(Plain.document("a", "one"), 1);
        put(Plain.document("b", "two"), 1);

        put(Plain.document("a", "defect"), 1);

        assertThat(inForce()).containsExactly("one", "two");
        assertThat(documents.problems())
                .singleElement()
                .asString()
                .startsWith("a.yaml:1:1: Plain default/a: cannot be translated, by a defect here: ");
        assertThat(diary.read())
                .satisfiesExactly(
                        failed -> assertThat(failed).startsWith("failed translating Plain default/a (a.yaml:1:1)"),
                        refused -> assertThat(refused).startsWith("refused, GOOD: "));
    }

    @Test
    void aRemovedDocumentTakesItsLastGoodVersionAlong() {
        put(Plain.document("a", "one"), 1);
        var refused = Plain.document("a", "wrong");
        put(refused, 1);
        put(Plain.document("b", "two"), 1);

        remove(refused);

        assertThat(inForce()).containsExactly("two");
        assertThat(documents.problems()).isEmpty();
        assertThat(documents.size()).isOne();
    }

    @Test
    void aDocumentThatComesBackRefusedHasNoLastGoodVersion() {
        var good = Plain.document("a", "one");
        put(good, 1);
        remove(good);

        put(Plain.document("a", "wrong"), 1);

        assertThat(inForce()).isEmpty();
        assertThat(diary.read()).singleElement().asString().startsWith("refused, NOTHING: ");
    }

    @Test
    void aWarningIsSaidOnceAndKeepsTheDocumentInForce() {
        put(Plain.document("a", "odd", "one"), 1);
        put(Plain.document("a", "odd", "two"), 1);

        assertThat(inForce()).containsExactly("two");
        assertThat(documents.problems()).hasSize(1);
        assertThat(diary.read()).containsExactly("warned: a.yaml:2:3: Plain default/a: means[0]: has no effect");
    }

    @Test
    void theSameVersionAgainIsNoNews() {
        put(Plain.document("a", "wrong"), 1);
        diary.read();

        put(Plain.document("a", "wrong"), 1);

        assertThat(diary.read()).isEmpty();
    }

    private void put(Document document, long generation) {
        documents.take(Map.of(document.key(), document), List.of());
        mesh = documents.settle(List.of(), names, generation);
    }

    private void remove(Document document) {
        documents.take(Map.of(), List.of(document.key()));
        mesh = documents.settle(List.of(), names, 1);
    }

    private List<String> inForce() {
        return mesh.serviceAccounts().stream().map(ServiceAccount::name).toList();
    }
}
