package dev.bodyguard.proxy.sidecar;

import static org.assertj.core.api.Assertions.assertThat;

import dev.bodyguard.xds.protocol.discovery.v1.EnrolRequest;
import dev.bodyguard.xds.protocol.discovery.v1.EnrolResponse;
import dev.bodyguard.xds.protocol.discovery.v1.RegistryGrpc;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import io.grpc.Server;
import io.grpc.Status;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.StreamObserver;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.parallel.Execution;
import org.junit.jupiter.api.parallel.ExecutionMode;

@Execution(ExecutionMode.CONCURRENT)
class EnrollerTest {
    private final List<String> heard = new CopyOnWriteArrayList<>();
    private final Readiness readiness = new Readiness();
    private Server discovery;
    private ServerSocket app;
    private volatile BooleanSupplier taken = () -> false;
    private Registration registration;
    private Enroller enroller;

    @BeforeEach
    void start() throws IOException {
        discovery = NettyServerBuilder.forAddress(loopback(0))
                .addService(new Discovery())
                .build()
                .start();
        app = listen(0);
        registration = registration();
        enroller = new Enroller(readiness, app.getLocalPort());
        readiness.met(Readiness.Need.CERTIFICATE);
        readiness.met(Readiness.Need.LISTENERS);
        readiness.met(Readiness.Need.INBOUND);
        enroller.start(registration);
        TestSidecar.eventually("it is enrolled", () -> heard.equals(List.of("enrolled")));
    }

    private Registration registration() {
        return new Registration(
                () -> NettyChannelBuilder.forAddress(loopback(discovery.getPort()))
                        .usePlaintext()
                        .build(),
                Workload.getDefaultInstance(),
                new Registration.Events() {
                    @Override
                    public void enrolled(Duration lease) {
                        heard.add("enrolled");
                    }

                    @Override
                    public void withdrawn() {
                        heard.add("withdrawn");
                    }

                    @Override
                    public void lost(String why, Duration retryIn) {
                        heard.add("lost: " + why);
                    }

                    @Override
                    public void taken(String why) {
                        heard.add("taken: " + why);
                    }
                },
                new Random(7));
    }

    @AfterEach
    void stop() throws IOException, InterruptedException {
        readiness.drain();
        registration.drain(Duration.ofSeconds(5));
        discovery.shutdownNow();
        app.close();
    }

    @Test
    void withdrawsWhileTheAppDoesNotListen() throws IOException {
        int port = app.getLocalPort();
        app.close();

        enroller.doubt();
        TestSidecar.eventually("it is withdrawn", () -> heard.equals(List.of("enrolled", "withdrawn")));
        assertThat(readiness.missing()).contains("the app does not listen on the port of --app-port");

        app = listen(port);
        TestSidecar.eventually("it is back", () -> heard.equals(List.of("enrolled", "withdrawn", "enrolled")));
        assertThat(readiness.missing()).doesNotContain("the app does not listen on the port of --app-port");
    }

    @Test
    void staysEnrolledWhenTheAppAnswersAgainAtOnce() throws IOException {
        int port = app.getLocalPort();
        app.close();
        enroller.doubt();
        app = listen(port);
        // A second doubt that ends in a withdrawal shows that the first one did not.
        TestSidecar.eventually("the doubt was looked into", () -> accepted(app));
        app.close();
        enroller.doubt();

        TestSidecar.eventually("it is withdrawn", () -> heard.equals(List.of("enrolled", "withdrawn")));
    }

    @Test
    void leavesForGoodWhileItIsWithdrawn() throws IOException, InterruptedException {
        app.close();
        enroller.doubt();
        TestSidecar.eventually("it is withdrawn", () -> heard.equals(List.of("enrolled", "withdrawn")));

        long from = System.nanoTime();
        registration.drain(Duration.ofSeconds(10));

        assertThat(Duration.ofNanos(System.nanoTime() - from)).isLessThan(Duration.ofSeconds(5));
    }

    @Test
    void doesNotComeBackOnceItHasLeft() throws InterruptedException {
        var gone = registration();

        gone.drain(Duration.ofSeconds(5));
        gone.start();
        gone.drain(Duration.ofSeconds(5));

        assertThat(heard).containsExactly("enrolled");
    }

    @Test
    void asksForATakenNameUntilItIsFreeAndTellsOnce() throws InterruptedException {
        var asked = new AtomicInteger();
        taken = () -> asked.incrementAndGet() < 5;
        var second = registration();

        second.start();

        TestSidecar.eventually(
                "it has the name",
                () -> heard.equals(List.of("enrolled", "taken: the name is taken: end the other one", "enrolled")));
        assertThat(asked).hasValue(5);
        second.drain(Duration.ofSeconds(5));
    }

    private static boolean accepted(ServerSocket app) {
        try {
            app.setSoTimeout(1_000);
            app.accept().close();
            return true;
        } catch (IOException _) {
            return false;
        }
    }

    private static ServerSocket listen(int port) throws IOException {
        var socket = new ServerSocket();
        socket.setReuseAddress(true);
        socket.bind(loopback(port));
        return socket;
    }

    private static InetSocketAddress loopback(int port) {
        return new InetSocketAddress(InetAddress.getLoopbackAddress(), port);
    }

    /// Grants a lease unless the name is taken, and lets everybody go.
    private final class Discovery extends RegistryGrpc.RegistryImplBase {
        @Override
        public StreamObserver<EnrolRequest> enrol(StreamObserver<EnrolResponse> responses) {
            return new StreamObserver<>() {
                @Override
                public void onNext(EnrolRequest request) {
                    if (request.hasEnrol() && taken.getAsBoolean()) {
                        responses.onError(Status.ALREADY_EXISTS
                                .withDescription("the name is taken: end the other one")
                                .asRuntimeException());
                    } else if (request.hasEnrol()) {
                        responses.onNext(
                                EnrolResponse.newBuilder().setLeaseMillis(5_000).build());
                    } else if (request.hasDrain()) {
                        responses.onNext(
                                EnrolResponse.newBuilder().setDrained(true).build());
                    }
                }

                @Override
                public void onError(Throwable lost) {}

                @Override
                public void onCompleted() {
                    responses.onCompleted();
                }
            };
        }
    }
}
