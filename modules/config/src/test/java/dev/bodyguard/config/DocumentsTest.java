package dev.bodyguard.config;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.ServiceAccount;
import java.util.List;
import org.junit.jupiter.api.Test;

class DocumentsTest {
    private final Diary diary = new Diary();
    private final Documents documents = new Documents(new Plain(), diary);

    @Test
    void theNewestGoodVersionIsInForce() {
        documents.put(Plain.document("a", "one"));
        documents.put(Plain.document("a", "two", "three"));

        assertThat(inForce()).containsExactly("two", "three");
        assertThat(documents.problems()).isEmpty();
        assertThat(diary.read()).isEmpty();
    }

    @Test
    void aRefusedVersionLeavesTheLastGoodOneInForce() {
        documents.put(Plain.document("a", "one"));

        documents.put(Plain.document("a", "two", "wrong"));

        assertThat(inForce()).containsExactly("one");
        assertThat(documents.problems())
                .extracting(Object::toString)
                .containsExactly("a.yaml:2:3: Plain default/a: means[1]: must be right, was wrong");
        assertThat(diary.read())
                .containsExactly("refused, GOOD: a.yaml:2:3: Plain default/a: means[1]: must be right, was" + " wrong");
    }

    @Test
    void severalRefusedVersionsInARowLeaveTheSameOneInForce() {
        documents.put(Plain.document("a", "one"));
        documents.put(Plain.document("a", "wrong"));

        documents.put(Plain.document("a", "two", "wrong"));

        assertThat(inForce()).containsExactly("one");
        assertThat(documents.problems()).hasSize(1);
        assertThat(diary.read()).hasSize(2).allMatch(line -> line.startsWith("refused, GOOD: "));
    }

    @Test
    void aCorrectedVersionAppliesAndIsSaid() {
        documents.put(Plain.document("a", "one"));
        documents.put(Plain.document("a", "wrong"));
        diary.read();

        documents.put(Plain.document("a", "two"));

        assertThat(inForce()).containsExactly("two");
        assertThat(documents.problems()).isEmpty();
        assertThat(diary.read()).containsExactly("applied: a");
    }

    @Test
    void aDocumentThatWasNeverGoodIsNotInForce() {
        documents.put(Plain.document("a", "one", "wrong"));

        assertThat(inForce()).isEmpty();
        assertThat(diary.read()).singleElement().asString().startsWith("refused, NOTHING: ");
    }

    @Test
    void anEmptyVersionIsAGoodOneToo() {
        documents.put(Plain.document("a"));
        documents.put(Plain.document("a", "wrong"));

        assertThat(inForce()).isEmpty();
        assertThat(diary.read()).singleElement().asString().startsWith("refused, GOOD: ");
    }

    @Test
    void oneBadDocumentDoesNotBlockAnother() {
        documents.put(Plain.document("a", "wrong"));
        documents.put(Plain.document("b", "one"));
        documents.put(Plain.document("b", "two"));

        assertThat(inForce()).containsExactly("two");
        assertThat(documents.size()).isEqualTo(2);
    }

    @Test
    void aDefectOfADialectRefusesThatDocumentOnly() {
        documents.put(Plain.document("a", "one"));
        documents.put(Plain.document("b", "two"));

        documents.put(Plain.document("a", "defect"));

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
        documents.put(Plain.document("a", "one"));
        var refused = Plain.document("a", "wrong");
        documents.put(refused);
        documents.put(Plain.document("b", "two"));

        documents.remove(refused.key());

        assertThat(inForce()).containsExactly("two");
        assertThat(documents.problems()).isEmpty();
        assertThat(documents.size()).isOne();
    }

    @Test
    void aDocumentThatComesBackRefusedHasNoLastGoodVersion() {
        var good = Plain.document("a", "one");
        documents.put(good);
        documents.remove(good.key());

        documents.put(Plain.document("a", "wrong"));

        assertThat(inForce()).isEmpty();
        assertThat(diary.read()).singleElement().asString().startsWith("refused, NOTHING: ");
    }

    @Test
    void aWarningIsSaidOnceAndKeepsTheDocumentInForce() {
        documents.put(Plain.document("a", "odd", "one"));
        documents.put(Plain.document("a", "odd", "two"));

        assertThat(inForce()).containsExactly("two");
        assertThat(documents.problems()).hasSize(1);
        assertThat(diary.read()).containsExactly("warned: a.yaml:2:3: Plain default/a: means[0]: has no effect");
    }

    @Test
    void theSameVersionAgainIsNoNews() {
        documents.put(Plain.document("a", "wrong"));
        diary.read();

        documents.put(Plain.document("a", "wrong"));

        assertThat(diary.read()).isEmpty();
    }

    private List<String> inForce() {
        return documents.inForce().stream()
                .map(ServiceAccount.class::cast)
                .map(ServiceAccount::name)
                .toList();
    }
}
