package dev.bodyguard.standalone;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Queue;
import java.util.concurrent.ConcurrentLinkedQueue;

/// Carries bytes to an address and back until it is cut: then both ends see their connection break, as when the other
/// process was killed.
final class Cable implements AutoCloseable {
    static final String HOST = "127.0.0.1";

    private final ServerSocket end;
    private final String target;
    private final Queue<Socket> connections = new ConcurrentLinkedQueue<>();

    Cable(String target) throws IOException {
        this.target = target;
        this.end = new ServerSocket(0, 50, InetAddress.ofLiteral(HOST));
        // Not a virtual thread, which may accept one more after `close` has returned.
        Thread.ofPlatform().daemon().start(this::accept);
    }

    String address() {
        return HOST + ":" + end.getLocalPort();
    }

    private void accept() {
        try {
            while (true) {
                var near = end.accept();
                connections.add(near);
                var far = new Socket(InetAddress.ofLiteral(HOST), Integer.parseInt(target.replaceAll(".*:", "")));
                connections.add(far);
                if (end.isClosed()) {
                    cut();
                }
                Thread.startVirtualThread(() -> carry(near, far));
                Thread.startVirtualThread(() -> carry(far, near));
            }
        } catch (IOException _) {
            // it was cut
        }
    }

    private static void carry(Socket from, Socket to) {
        try (from;
                to) {
            from.getInputStream().transferTo(to.getOutputStream());
        } catch (IOException _) {
            // one end is gone, and now the other
        }
    }

    void cut() {
        try {
            end.close();
            for (var connection : connections) {
                connection.close();
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Override
    public void close() {
        cut();
    }
}
