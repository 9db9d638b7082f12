package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.sidecar.AdminServer.Reply;
import dev.bodyguard.proxy.sidecar.Probe.Question;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;

/// Asks the app what the kubelet would have asked it, past the mesh; blocks meanwhile.
final class Prober {
    private static final int MOST_STATUS_LINE = 8 << 10;

    private final AppPlace place;
    private final GrpcHealth grpc;

    Prober(AppPlace place, GrpcHealth grpc) {
        this.place = place;
        this.grpc = grpc;
    }

    /// What the kubelet is to be told: the app's own status, or 503 with a sentence.
    Reply ask(Probe probe) {
        try {
            return switch (probe.question()) {
                case Question.HttpGet get -> {
                    int status = status(get, probe.patience());
                    yield Reply.text(status, "the app answered " + status + "\n");
                }
                case Question.TcpSocket tcp -> {
                    try (var _ = connect(tcp, probe.patience())) {
                        yield Reply.text(200, "the app listens\n");
                    }
                }
                case Question.Grpc asked -> {
                    var answer = grpc.check(address(asked), asked.service(), probe.patience());
                    yield answer == GrpcHealth.SERVING
                            ? Reply.text(200, "the app serves\n")
                            : Reply.text(503, "the app's health is " + answer + ", not SERVING (1)\n");
                }
            };
        } catch (SocketTimeoutException _) {
            return Reply.text(
                    503, "the app did not answer within " + probe.patience().toMillis() + " ms\n");
        } catch (IOException failed) {
            return Reply.text(503, "the app cannot be asked: " + failed.getMessage() + "\n");
        }
    }

    private InetSocketAddress address(Question question) throws IOException {
        return question.host().isEmpty()
                ? new InetSocketAddress(place.own(), question.port())
                : new InetSocketAddress(InetAddress.getByName(question.host()), question.port());
    }

    private Socket connect(Question question, Duration patience) throws IOException {
        var address = address(question);
        var socket = new Socket();
        try {
            place.from(address.getAddress()).ifPresent(own -> bind(socket, own));
            socket.setSoTimeout(millis(patience));
            socket.connect(address, millis(patience));
            return socket;
        } catch (IOException | IllegalStateException failed) {
            socket.close();
            throw failed instanceof IOException known ? known : new IOException(failed.getMessage(), failed);
        }
    }

    private static void bind(Socket socket, InetAddress own) {
        try {
            socket.bind(new InetSocketAddress(own, 0));
        } catch (IOException gone) {
            throw new IllegalStateException("no way to the app from " + own.getHostAddress() + ": " + gone, gone);
        }
    }

    private int status(Question.HttpGet get, Duration patience) throws IOException {
        long until = System.nanoTime() + patience.toNanos();
        byte[] head = head(get).getBytes(StandardCharsets.UTF_8);
        try (var socket = connect(get, patience)) {
            if (!get.tls()) {
                socket.getOutputStream().write(head);
                return status(line(socket.getInputStream()::read, until));
            }
            try (var tls = new ProbeTls(socket, until)) {
                tls.send(head);
                return status(line(tls::read, until));
            }
        }
    }

    private String head(Question.HttpGet get) throws IOException {
        var address = address(get);
        var head = new StringBuilder("GET " + get.path() + " HTTP/1.1\r\n");
        boolean host = false;
        boolean agent = false;
        boolean accept = false;
        for (var header : get.headers()) {
            host |= header.name().equalsIgnoreCase("host");
            agent |= header.name().equalsIgnoreCase("user-agent");
            accept |= header.name().equalsIgnoreCase("accept");
            if (!header.name().equalsIgnoreCase("connection")) {
                head.append(header.name()).append(": ").append(header.value()).append("\r\n");
            }
        }
        if (!host) {
            head.append("Host: ").append(Authority.of(address)).append("\r\n");
        }
        head.append(agent ? "" : "User-Agent: kube-probe/bodyguard\r\n").append(accept ? "" : "Accept: */*\r\n");
        return head.append("Connection: close\r\n\r\n").toString();
    }

    private interface Bytes {
        int read() throws IOException;
    }

    private static String line(Bytes in, long until) throws IOException {
        var line = new ByteArrayOutputStream();
        for (int b = in.read(); b != '\n'; b = in.read()) {
            if (b < 0 || line.size() > MOST_STATUS_LINE) {
                throw new IOException("it answered with no HTTP");
            }
            if (System.nanoTime() > until) {
                throw new SocketTimeoutException();
            }
            line.write(b);
        }
        return line.toString(StandardCharsets.ISO_8859_1);
    }

    private static int status(String line) throws IOException {
        if (!line.startsWith("HTTP/1.") || !line.matches("HTTP/1\\.[01] [1-9][0-9]{2}( .*)?\r?")) {
            throw new IOException("it answered with no HTTP");
        }
        return Integer.parseInt(line.substring(9, 12));
    }

    private static int millis(Duration patience) {
        return Math.clamp(patience.toMillis(), 1, Integer.MAX_VALUE);
    }
}
