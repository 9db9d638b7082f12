package dev.bodyguard.discovery;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.model.Location;
import dev.bodyguard.source.files.Changes;
import dev.bodyguard.source.files.FileProblem;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import dev.bodyguard.xds.snapshot.TypeUrls;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class CatalogueTest {
    private static final long SUBSCRIBER = 7;

    private final Diary diary = new Diary();
    private final AtomicReference<Instant> now = new AtomicReference<>(Instant.parse("2026-01-31T12:00:00Z"));
    private final Catalogue catalogue = new Catalogue(
            new Leases(Duration.ofMinutes(1), Duration.ofMinutes(1)),
            3,
            2,
            new Churn(4, 1),
            null,
            new Catalogue.Subscribers() {
                @Override
                public void publish() {
                    diary.note("published");
                }

                @Override
                public Set<Long> streams() {
                    return Set.of(SUBSCRIBER);
                }
            },
            diary,
            () -> now.get());

    @BeforeEach
    void start() throws InterruptedException {
        catalogue.start(Source.Found.in(new Changes(List.of(), Set.of(), List.of(), 0)), List.of());
        diary.readTo("published");
    }

    @AfterEach
    void close() {
        catalogue.close();
    }

    @Test
    void aFileIsReadableAgainOnceNothingIsWrongWithIt() throws InterruptedException {
        wrong(problem("a.yaml", 3, "a bracket is open"), problem("a.yaml", 9, "a quote is open"));
        assertThat(diary.readTo("problems: 2"))
                .containsExactly(
                        "unreadable: a.yaml:3:1: a bracket is open",
                        "unreadable: a.yaml:9:1: a quote is open",
                        "problems: 2");

        wrong(problem("a.yaml", 4, "a bracket is open"));
        assertThat(diary.readTo("problems: 1"))
                .containsExactly("unreadable: a.yaml:4:1: a bracket is open", "problems: 1");

        wrong();
        assertThat(diary.readTo("problems: 0")).containsExactly("readable again: a.yaml", "problems: 0");
        assertThat(catalogue.problems()).isEmpty();
    }

    @Test
    void aWorkloadIsServedFromEnrolmentToDrain() throws InterruptedException {
        catalogue.tell(new Catalogue.Enrolled(workload("pay-1"), registration(1)));
        diary.readTo("admitted 1");
        assertThat(catalogue.current().names(TypeUrls.WORKLOAD)).containsExactly("default/pay-1");

        catalogue.tell(new Catalogue.Drained("default/pay-1", registration(1)));

        assertThat(diary.readTo("published")).containsExactly("left: pay-1, it drained, now 0", "published");
        assertThat(catalogue.current().names(TypeUrls.WORKLOAD)).isEmpty();
    }

    @Test
    void aPodIsServedAndNobodyRegistersInItsPlace() throws InterruptedException {
        var pod = dev.bodyguard.model.Workload.registered(
                "default", "pay-1", "", "pay", Map.of(), "10.0.0.1", Map.of(), true);
        catalogue.tell(new Catalogue.SourceChanged(
                new Source.Found(List.of(), Set.of(), List.of(pod), Set.of(), List.of(), 0, 0)));
        diary.readTo("published");

        catalogue.tell(new Catalogue.Enrolled(workload("pay-1", "thief"), registration(1)));
        diary.readTo("admitted 1");
        assertThat(catalogue.registered())
                .singleElement()
                .satisfies(one -> assertThat(one.getServiceAccount()).isEqualTo("pay"));

        catalogue.tell(new Catalogue.SourceChanged(
                new Source.Found(List.of(), Set.of(), List.of(), Set.of("default/pay-1"), List.of(), 0, 0)));
        diary.readTo("published");
        assertThat(catalogue.registered())
                .singleElement()
                .satisfies(one -> assertThat(one.getServiceAccount()).isEqualTo("thief"));
    }

    @Test
    void aDrainIsOverOnceItsSubscribersKnow() throws InterruptedException {
        catalogue.tell(new Catalogue.Enrolled(workload("pay-1"), registration(1)));
        diary.readTo("admitted 1");

        catalogue.tell(new Catalogue.Drained("default/pay-1", registration(1)));
        diary.readTo("published");
        catalogue.tell(new Catalogue.Acknowledged(
                SUBSCRIBER, Long.parseLong(catalogue.current().generation())));

        assertThat(diary.readTo("drained 1")).containsExactly("drained 1");
    }

    @Test
    void aSubscriberThatLeftNeedNotKnow() throws InterruptedException {
        catalogue.tell(new Catalogue.Enrolled(workload("pay-1"), registration(1)));
        diary.readTo("admitted 1");

        catalogue.tell(new Catalogue.Drained("default/pay-1", registration(1)));
        catalogue.tell(new Catalogue.SubscriberGone(SUBSCRIBER));

        diary.readTo("drained 1");
    }

    @Test
    void aWorkloadThatComesBackOnAnotherStreamKeepsItsName() throws InterruptedException {
        catalogue.tell(new Catalogue.Enrolled(at(9001), registration(1)));
        diary.readTo("admitted 1");

        catalogue.tell(new Catalogue.Enrolled(at(9001), registration(2)));

        // Nothing is published: for everybody else it is what it was.
        assertThat(diary.readTo("admitted 2"))
                .containsExactly(
                        "taken 1: the name default/pay-1 is taken: the sidecar at 127.0.0.1:9001 enrolled with it",
                        "back: pay-1, now 1",
                        "admitted 2");
        assertThat(catalogue.current().names(TypeUrls.WORKLOAD)).containsExactly("default/pay-1");
    }

    @Test
    void aSecondSidecarOfANameIsRefusedAndThatIsToldOnce() throws InterruptedException {
        catalogue.tell(new Catalogue.Enrolled(at(9001), registration(1)));
        diary.readTo("admitted 1");

        var why = "the name default/pay-1 is taken: the sidecar at 127.0.0.1:9001 has it since 2026-01-31T12:00:00Z and"
                + " renews its lease; end that one, or choose another --name";
        catalogue.tell(new Catalogue.Enrolled(at(9002), registration(2)));
        assertThat(diary.readTo("taken 2: " + why)).containsExactly("refused peer 2: " + why, "taken 2: " + why);
        catalogue.tell(new Catalogue.Enrolled(at(9002), registration(3)));
        assertThat(diary.readTo("taken 3: " + why)).containsExactly("refused again", "taken 3: " + why);
        assertThat(catalogue.registered()).containsExactly(at(9001));

        catalogue.tell(new Catalogue.Drained("default/pay-1", registration(1)));
        catalogue.tell(new Catalogue.Enrolled(at(9002), registration(4)));
        diary.readTo("admitted 4");
        assertThat(catalogue.registered()).containsExactly(at(9002));
    }

    @Test
    void aNameStaysWithItsServiceAccount() throws InterruptedException {
        var own = workload("pay-1").toBuilder().setServiceAccount("pay").build();
        catalogue.tell(new Catalogue.Enrolled(own, registration(1)));
        diary.readTo("admitted 1");

        catalogue.tell(new Catalogue.Enrolled(
                own.toBuilder().setServiceAccount("thief").build(), registration(2)));

        diary.readTo(
                "ended 2: workload default/pay-1 belongs to service account pay, not to thief; choose another --name");
        assertThat(catalogue.current().names(TypeUrls.WORKLOAD)).containsExactly("default/pay-1");
    }

    @Test
    void thereIsAMostOfWorkloads() throws InterruptedException {
        for (int i = 1; i <= 3; i++) {
            catalogue.tell(new Catalogue.Enrolled(workload("pay-" + i, "account-" + i), registration(i)));
            diary.readTo("admitted " + i);
        }

        catalogue.tell(new Catalogue.Enrolled(workload("pay-4", "account-4"), registration(4)));

        var why = "there are 3 workloads already, which is the most this discovery keeps";
        assertThat(diary.readTo("ended 4: " + why)).containsExactly("refused peer 4: " + why, "ended 4: " + why);
        assertThat(catalogue.current().names(TypeUrls.WORKLOAD)).hasSize(3);
    }

    @Test
    void oneServiceAccountCannotTakeThePlaceOfAll() throws InterruptedException {
        for (int i = 1; i <= 2; i++) {
            catalogue.tell(new Catalogue.Enrolled(workload("greedy-" + i, "greedy"), registration(i)));
            diary.readTo("admitted " + i);
        }

        catalogue.tell(new Catalogue.Enrolled(workload("greedy-3", "greedy"), registration(3)));
        var why = "service account default/greedy has 2 workloads already, which is the most that one may have; drain"
                + " some, or raise the limit";
        assertThat(diary.readTo("ended 3: " + why)).containsExactly("refused peer 3: " + why, "ended 3: " + why);
        catalogue.tell(new Catalogue.Enrolled(workload("pay-1", "pay"), registration(4)));
        diary.readTo("admitted 4");

        assertThat(catalogue.current().names(TypeUrls.WORKLOAD))
                .containsExactlyInAnyOrder("default/greedy-1", "default/greedy-2", "default/pay-1");
    }

    @Test
    void oneServiceAccountCannotComeAndGoAsOftenAsItLikes() throws InterruptedException {
        for (int i = 1; i <= 4; i++) {
            catalogue.tell(new Catalogue.Enrolled(workload("restless", "restless"), registration(i)));
            diary.readTo("admitted " + i);
            catalogue.tell(new Catalogue.Drained("default/restless", registration(i)));
            diary.readTo("published");
        }

        catalogue.tell(new Catalogue.Enrolled(workload("restless", "restless"), registration(5)));
        var why = "the workloads of service account default/restless come and change more often than 1 times a second;"
                + " try again in a moment";
        assertThat(diary.readTo("ended 5: " + why)).containsExactly("refused peer 5: " + why, "ended 5: " + why);
        catalogue.tell(new Catalogue.Enrolled(workload("pay-1", "pay"), registration(6)));

        diary.readTo("admitted 6");
    }

    @Test
    void isToldThatItIsInOnceItIsServed() throws InterruptedException {
        catalogue.tell(new Catalogue.Enrolled(workload("pay-1"), registration(1)));

        assertThat(diary.readTo("admitted 1")).containsExactly("enrolled: pay-1, now 1", "published", "admitted 1");
    }

    @Test
    void whenItStoodStillItselfItFirstListensAgain() throws InterruptedException {
        catalogue.tell(new Catalogue.Enrolled(workload("pay-1"), registration(1)));
        diary.readTo("admitted 1");

        // The lease is a minute.
        now.set(now.get().plus(Duration.ofMinutes(10)));
        wrong(problem("a.yaml", 3, "a bracket is open"));

        assertThat(diary.readTo("problems: 1")).noneMatch(line -> line.startsWith("left"));
        now.set(now.get().plus(Duration.ofMillis(30_500)));
        wrong();
        diary.readTo("left: pay-1, nothing was heard from it for the length of its lease, now 0");
    }

    private void wrong(FileProblem... problems) {
        catalogue.tell(
                new Catalogue.SourceChanged(Source.Found.in(new Changes(List.of(), Set.of(), List.of(problems), 0))));
    }

    private static FileProblem problem(String file, int line, String message) {
        return new FileProblem(new Location(file, line, 1), message);
    }

    /// Reached by its peers on this port.
    private static Workload at(int port) {
        return workload("pay-1").toBuilder()
                .setAddress("127.0.0.1")
                .putPorts(8080, port)
                .build();
    }

    private static Workload workload(String name) {
        return workload(name, "");
    }

    private static Workload workload(String name, String account) {
        return Workload.newBuilder()
                .setNamespace("default")
                .setName(name)
                .setServiceAccount(account)
                .build();
    }

    private Catalogue.Registration registration(long stream) {
        return new Catalogue.Registration() {
            @Override
            public long stream() {
                return stream;
            }

            @Override
            public String peer() {
                return "peer " + stream;
            }

            @Override
            public void admitted(Duration lease) {
                diary.note("admitted " + stream);
            }

            @Override
            public void drained() {
                diary.note("drained " + stream);
            }

            @Override
            public void ended(String why) {
                diary.note("ended " + stream + ": " + why);
            }

            @Override
            public void taken(String why) {
                diary.note("taken " + stream + ": " + why);
            }
        };
    }
}
