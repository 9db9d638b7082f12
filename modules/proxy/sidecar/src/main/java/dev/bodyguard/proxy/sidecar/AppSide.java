package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.ClusterPlan;
import dev.bodyguard.proxy.engine.Transport;
import dev.bodyguard.proxy.wire.Connection;
import dev.bodyguard.proxy.wire.Target;
import java.net.InetSocketAddress;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// The app beside this sidecar: which of its ports a connection is for, and how it is reached there. From any loop.
sealed interface AppSide {
    int port(Connection connection);

    /// The way to the app; null after the last place where it could be.
    ///
    /// @param cluster what the plan says about it
    /// @param place 0 for the first; others follow where nobody listened
    @Nullable
    Way way(Connection connection, ClusterPlan cluster, Generation now, Transport spoken, int place);

    /// Somebody took the connection.
    void found(Connection connection, ClusterPlan cluster, int place);

    /// There was something of an answer.
    void answered();

    /// Nobody was anywhere.
    void gone();

    /// Somebody was asked, and given up before there was anything of an answer.
    void unanswered();

    /// What is wrong with it, in sentences.
    List<String> problems();

    /// One port, where the plan says.
    ///
    /// @param doubts told of each time that nobody listened
    /// @param stopped what the kernel says of whoever has the port, as far as it can be asked
    record OnePort(int port, Runnable doubts, AppSilence silence, Supplier<Optional<String>> stopped)
            implements AppSide {
        @Override
        public int port(Connection connection) {
            return port;
        }

        @Override
        public @Nullable Way way(
                Connection connection, ClusterPlan cluster, Generation now, Transport spoken, int place) {
            return place == 0 ? new Way.Balanced(cluster, now, 0, spoken) : null;
        }

        @Override
        public void found(Connection connection, ClusterPlan cluster, int place) {}

        @Override
        public void answered() {
            silence.answered();
        }

        @Override
        public void gone() {
            doubts.run();
        }

        @Override
        public void unanswered() {
            silence.unanswered();
        }

        @Override
        public List<String> problems() {
            // One that was stopped is silent too, which then says less.
            return stopped.get().or(silence::sentence).stream().toList();
        }
    }

    /// Every port of a pod, where the caller meant to go. Whether the app is there at all, and answers, is the
    /// kubelet's to ask.
    record OfPod(AppPlace place) implements AppSide {
        @Override
        public int port(Connection connection) {
            return meant(connection).getPort();
        }

        @Override
        public @Nullable Way way(
                Connection connection, ClusterPlan cluster, Generation now, Transport spoken, int attempt) {
            return place.of(meant(connection, cluster), attempt)
                    .map(there -> new Way.Straight(
                            new Target(
                                    there,
                                    spoken,
                                    cluster.connectTimeout(),
                                    place.from(there.getAddress()).orElse(null)),
                            Authority.of(there).toString()))
                    .orElse(null);
        }

        @Override
        public void found(Connection connection, ClusterPlan cluster, int attempt) {
            place.of(meant(connection, cluster), attempt).ifPresent(place::found);
        }

        @Override
        public void answered() {}

        @Override
        public void gone() {}

        @Override
        public void unanswered() {}

        @Override
        public List<String> problems() {
            return List.of();
        }

        /// The address that was called, and the port that the plan leads it to; the same where the plan has none.
        private static InetSocketAddress meant(Connection connection, ClusterPlan cluster) {
            var meant = meant(connection);
            return cluster.endpoints().isEmpty()
                    ? meant
                    : new InetSocketAddress(
                            meant.getAddress(), cluster.endpoints().getFirst().port());
        }

        private static InetSocketAddress meant(Connection connection) {
            var meant = connection.captured();
            if (meant == null) {
                throw new IllegalStateException("only captured connections come to a pod's app");
            }
            return meant;
        }
    }
}
