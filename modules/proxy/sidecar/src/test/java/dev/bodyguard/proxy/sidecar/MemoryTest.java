package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.protobuf.Any;
import com.google.protobuf.Message;
import dev.bodyguard.identity.spiffe.Svid;
import dev.bodyguard.proxy.engine.Loads;
import dev.bodyguard.proxy.engine.Plan;
import dev.bodyguard.proxy.engine.Resources;
import dev.bodyguard.telemetry.record.Meters;
import dev.bodyguard.xds.protocol.sidecar.v1.RememberedPlan;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Duration;
import java.time.InstantSource;
import java.util.Collection;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class MemoryTest {
    private static final int APP_PORT = 8080;
    private static final String HOST = "80/payment-service";

    @TempDir
    private Path folder;

    private TestAuthority authority;
    private Svid svid;

    @BeforeEach
    void startAuthority() throws IOException {
        authority = new TestAuthority("cluster.local");
        svid = authority.svid("checkout");
    }

    @Test
    void aSidecarStartsWithThePlanOfItsFormerLife() throws IOException {
        try (var former = new Life(true)) {
            former.memory.apply(Resources.CLUSTER, List.of(resource(Given.CLUSTER, Given.cluster("a"))), List.of());
            former.memory.apply(Resources.ASSIGNMENT, List.of(resource(Given.CLUSTER, Given.meshed(1))), List.of());
            former.memory.apply(
                    Resources.VIRTUAL_HOST,
                    List.of(resource(HOST, Given.host(HOST, Given.route(Given.to(Given.CLUSTER))))),
                    List.of());
            former.memory.apply(
                    Resources.LISTENER, List.of(resource(Planner.INBOUND, Given.inbound(APP_PORT))), List.of());
        }

        try (var next = new Life(false)) {
            assertThat(next.memory.resume(svid.bundle())).hasValue(List.of(HOST));
            assertThat(next.inForce.get().plan().hosts()).contains(HOST);
            assertThat(next.inForce.get().plan().inbound(APP_PORT)).isNotNull();
        }
        assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(folder.resolve("plan"))))
                .isEqualTo("rw-------");
    }

    @Test
    void whatWasRemovedOrGivenUpIsNotRemembered() throws IOException {
        try (var former = new Life(true)) {
            former.memory.apply(
                    Resources.VIRTUAL_HOST,
                    List.of(resource(HOST, Given.host(HOST)), resource("80/ledger", Given.host("80/ledger"))),
                    List.of());
            former.memory.apply(Resources.VIRTUAL_HOST, List.of(), List.of(HOST));
            former.memory.behind(NOBODY).unsubscribe(Resources.VIRTUAL_HOST, List.of("80/ledger"));
        }

        try (var next = new Life(false)) {
            assertThat(next.memory.resume(svid.bundle())).hasValue(List.of());
        }
    }

    @Test
    void whatWasOnlyRememberedIsNotWrittenAsIfItHadBeenConfirmed() throws IOException {
        try (var former = new Life(true)) {
            former.memory.apply(Resources.VIRTUAL_HOST, List.of(resource(HOST, Given.host(HOST))), List.of());
        }
        var written = Files.readAllBytes(folder.resolve("plan"));

        try (var next = new Life(false)) {
            next.memory.resume(svid.bundle());
        }

        assertThat(Files.readAllBytes(folder.resolve("plan"))).isEqualTo(written);
    }

    @Test
    void changesAfterTheFirstAreWrittenSeldomUnlessConfigIsLost() throws IOException {
        try (var life = new Life(true, new Memory.Pace(Duration.ofMillis(1), Duration.ofDays(1), Duration.ofDays(1)))) {
            life.has("80/first");
            TestSidecar.eventually(
                    "the first change is written", () -> written().contains("80/first"));
            life.has("80/second");
            life.has("80/third");
            assertThat(written()).doesNotContain("80/second");

            life.memory.settle();
            TestSidecar.eventually(
                    "what was said last is written", () -> written().contains("80/third"));

            life.has("80/fourth");
            assertThat(written()).doesNotContain("80/fourth");
        }
        assertThat(written()).as("at the end").contains("80/fourth");
    }

    @Test
    void whatConfigHasNotChangedIsConfirmedAsLongAsItIsFollowed() throws IOException, InterruptedException {
        var pace = new Memory.Pace(Duration.ofMillis(1), Duration.ofDays(1), Duration.ofMillis(50));
        try (var life = new Life(true, pace)) {
            life.has(HOST);
            TestSidecar.eventually("it is written", () -> written().contains(HOST));
            Files.delete(folder.resolve("plan"));
            TestSidecar.eventually("it is written again", () -> written().contains(HOST));
        }
        var before = written();
        try (var next = new Life(false, pace)) {
            next.memory.resume(svid.bundle());
            Thread.sleep(Duration.ofMillis(300));
        }
        assertThat(written()).as("while nobody is followed").isEqualTo(before);
    }

    private String written() {
        try {
            return Files.readString(folder.resolve("plan"), StandardCharsets.ISO_8859_1);
        } catch (IOException _) {
            return "";
        }
    }

    @Test
    void changedBytesAreNotBelieved() throws IOException {
        file(InstantSource.system()).write(List.of(kind()), svid);
        var path = folder.resolve("plan");
        var text = Files.readString(path, StandardCharsets.ISO_8859_1);
        assertThat(text).contains(HOST);
        Files.writeString(path, text.replace(HOST, HOST.replace('/', ':')), StandardCharsets.ISO_8859_1);

        assertThatThrownBy(() -> file(InstantSource.system()).read(svid.bundle()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("its seal does not fit what is written");
        try (var next = new Life(false)) {
            assertThat(next.memory.resume(svid.bundle())).isEmpty();
        }
    }

    @Test
    void anothersSealIsNotBelieved() throws IOException {
        file(InstantSource.system()).write(List.of(kind()), authority.svid("intruder"));

        assertThatThrownBy(() -> file(InstantSource.system()).read(svid.bundle()))
                .hasMessageContaining("intruder")
                .hasMessageContaining("its seal is not ours");
    }

    @Test
    void aSealOfAnotherRootIsNotBelieved() throws IOException {
        file(InstantSource.system()).write(List.of(kind()), new TestAuthority("cluster.local").svid("checkout"));

        assertThatThrownBy(() -> file(InstantSource.system()).read(svid.bundle()))
                .hasMessageContaining("does not lead to a root of trust domain cluster.local");
    }

    @Test
    void anOldPlanIsNotBelieved() throws IOException {
        file(InstantSource.system()).write(List.of(kind()), svid);
        var tomorrow = InstantSource.offset(InstantSource.system(), PlanFile.LONGEST_LIFE.plus(Duration.ofMinutes(1)));

        assertThatThrownBy(() -> file(tomorrow).read(svid.bundle())).hasMessageContaining("more than 24 h ago");
    }

    @Test
    void aPlanOutlivesTheCertificateThatSealedIt() throws IOException {
        file(InstantSource.system()).write(List.of(kind()), svid);
        var certificateIsOver = InstantSource.offset(InstantSource.system(), Duration.ofHours(2));

        assertThat(file(certificateIsOver).read(svid.bundle())).isPresent();
    }

    private static final Planner.Subscriptions NOBODY = new Planner.Subscriptions() {
        @Override
        public void subscribe(String type, Collection<String> names) {}

        @Override
        public void unsubscribe(String type, Collection<String> names) {}
    };

    private PlanFile file(InstantSource clock) {
        return new PlanFile(folder, authority.id("checkout"), clock);
    }

    private static RememberedPlan.Kind kind() {
        return RememberedPlan.Kind.newBuilder()
                .setTypeUrl(Resources.VIRTUAL_HOST)
                .addResources(resource(HOST, Given.host(HOST)))
                .build();
    }

    private static Resource resource(String name, Message content) {
        return Resource.newBuilder()
                .setName(name)
                .setVersion("1")
                .setResource(Any.pack(content))
                .build();
    }

    /// A sidecar's planner and memory, from start to end.
    private final class Life implements AutoCloseable {
        private final InForce<Generation> inForce = new InForce<>(new Generation(Plan.EMPTY));
        private final Planner planner = new Planner(inForce, new Loads(), Duration.ofSeconds(2), (_, _) -> {});
        private final Memory memory;

        Life(boolean followsConfig) {
            this(followsConfig, new Memory.Pace(Duration.ofSeconds(1), Duration.ofSeconds(10), Duration.ofHours(1)));
        }

        Life(boolean followsConfig, Memory.Pace pace) {
            memory = new Memory(
                    planner,
                    file(InstantSource.system()),
                    () -> svid,
                    () -> followsConfig,
                    new SidecarLog(System.getLogger("test"), new Meters(), new Outages(InstantSource.system())),
                    pace);
        }

        void has(String host) {
            memory.apply(Resources.VIRTUAL_HOST, List.of(resource(host, Given.host(host))), List.of());
        }

        @Override
        public void close() {
            memory.close();
            planner.close();
        }
    }
}
