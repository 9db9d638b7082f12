package dev.bodyguard.cli;

import dev.bodyguard.machine.LoopbackPort;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;

/// Free loopback ports that stay ours: below the range from which systems take a client's ports, so that no outgoing
/// connection sits on one while its process starts again.
final class Ports {
    private static final int FIRST = 18_000;
    private static final int LAST = 32_000;

    private final Random random;
    private final Set<Integer> taken = new HashSet<>();

    Ports(Random random) {
        this.random = random;
    }

    int next() {
        for (int attempt = 0; attempt < 1_000; attempt++) {
            int port = random.nextInt(FIRST, LAST);
            if (!taken.contains(port) && LoopbackPort.isFree(port)) {
                taken.add(port);
                return port;
            }
        }
        throw new Failure("no free port from " + FIRST + " to " + LAST + " on 127.0.0.1");
    }
}
