package dev.bodyguard.proxy.sidecar;

import java.io.BufferedInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;

/// An HTTP/1.1 application of a few lines: one thread per connection, answers by a function.
final class App implements AutoCloseable {
    /// Says what to answer; may read the body, and wait.
    interface Handler {
        void handle(Http1.Message request, Answer answer) throws IOException, InterruptedException;
    }

    /// Where the answer goes.
    record Answer(OutputStream out, Socket socket) {
        void send(int status, String body) throws IOException {
            raw("HTTP/1.1 " + status + " Because\r\ncontent-length: " + body.length() + "\r\n\r\n" + body);
        }

        void raw(String bytes) throws IOException {
            out.write(bytes.getBytes(StandardCharsets.US_ASCII));
            out.flush();
        }
    }

    private final ServerSocket listener;
    private final Handler handler;
    private final List<Socket> open = new CopyOnWriteArrayList<>();
    final List<Http1.Message> seen = new CopyOnWriteArrayList<>();
    final CountDownLatch cancelled = new CountDownLatch(1);

    App(Handler handler) throws IOException {
        this.handler = handler;
        this.listener = new ServerSocket(0, 100, InetAddress.getLoopbackAddress());
        // Not a virtual thread, which may accept one more after `close` has returned.
        Thread.ofPlatform().daemon().start(this::accept);
    }

    int port() {
        return listener.getLocalPort();
    }

    /// Answers nothing until its caller is gone.
    void hang(Answer answer) throws IOException {
        if (answer.socket().getInputStream().read() < 0) {
            cancelled.countDown();
        }
    }

    private void accept() {
        while (true) {
            try {
                var socket = listener.accept();
                open.add(socket);
                Thread.ofVirtual().start(() -> serve(socket));
            } catch (IOException _) {
                return;
            }
        }
    }

    private void serve(Socket socket) {
        try (socket) {
            InputStream in = new BufferedInputStream(socket.getInputStream());
            while (true) {
                var request = Http1.read(in, false);
                if (request == null) {
                    return;
                }
                seen.add(request);
                handler.handle(request, new Answer(socket.getOutputStream(), socket));
            }
        } catch (IOException _) {
            cancelled.countDown();
        } catch (InterruptedException _) {
            Thread.currentThread().interrupt();
        }
    }

    @Override
    public void close() throws IOException {
        listener.close();
        for (var socket : open) {
            socket.close();
        }
    }
}
