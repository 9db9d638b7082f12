import io.grpc.CallOptions;
import io.grpc.Channel;
import io.grpc.Grpc;
import io.grpc.InsecureChannelCredentials;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.Marshaller;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.stub.ClientCalls;
import io.grpc.xds.XdsChannelCredentials;
import java.io.BufferedReader;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.util.concurrent.TimeUnit;

/// A proxyless gRPC client, in state of the world: it prints one line for each kind of call that succeeded, and makes
/// one more call for each line that it reads. Speaks to gRPC's own interop server, whose few messages it writes by
/// hand.
public final class Client {
    private static final Marshaller<byte[]> BYTES = new Marshaller<>() {
        @Override
        public InputStream stream(byte[] value) {
            return new ByteArrayInputStream(value);
        }

        @Override
        public byte[] parse(InputStream stream) {
            try {
                return stream.readAllBytes();
            } catch (IOException broken) {
                throw new UncheckedIOException(broken);
            }
        }
    };

    public static void main(String[] args) throws IOException, InterruptedException {
        // Without TLS only where the mesh says that the other side has none.
        var credentials = XdsChannelCredentials.create(InsecureChannelCredentials.create());
        var channel = Grpc.newChannelBuilder(args[0], credentials).build();
        try {
            call(channel);
            System.out.println("unary");

            // StreamingOutputCallRequest.response_parameters, three of size = 10
            byte[] three = {0x12, 2, 0x08, 10, 0x12, 2, 0x08, 10, 0x12, 2, 0x08, 10};
            var answers = ClientCalls.blockingServerStreamingCall(
                    channel, method("StreamingOutputCall", MethodType.SERVER_STREAMING), patient(), three);
            int count = 0;
            for (; answers.hasNext(); count++) {
                require(answers.next().length > 10, "an answer of a stream is cut off");
            }
            require(count == 3, count + " answers of a stream of three");
            System.out.println("streaming");
            var asked = new BufferedReader(new InputStreamReader(System.in));
            while (asked.readLine() != null) {
                call(channel);
                System.out.println("again");
            }
        } finally {
            channel.shutdownNow().awaitTermination(5, TimeUnit.SECONDS);
        }
    }

    private static void call(Channel channel) {
        // SimpleRequest.response_size = 100
        var answer = ClientCalls.blockingUnaryCall(
                channel, method("UnaryCall", MethodType.UNARY), patient(), new byte[] {0x10, 100});
        require(answer.length > 100, "a unary answer of " + answer.length + " bytes");
    }

    private static CallOptions patient() {
        return CallOptions.DEFAULT.withDeadlineAfter(30, TimeUnit.SECONDS).withWaitForReady();
    }

    private static MethodDescriptor<byte[], byte[]> method(String name, MethodType type) {
        return MethodDescriptor.newBuilder(BYTES, BYTES)
                .setType(type)
                .setFullMethodName("grpc.testing.TestService/" + name)
                .build();
    }

    private static void require(boolean holds, String otherwise) {
        if (!holds) {
            throw new AssertionError(otherwise);
        }
    }
}
