package dev.bodyguard.proxy.sidecar;

import static io.netty.handler.codec.http.HttpHeaderNames.CONNECTION;
import static io.netty.handler.codec.http.HttpHeaderNames.CONTENT_LENGTH;
import static io.netty.handler.codec.http.HttpHeaderNames.CONTENT_TYPE;

import io.netty.bootstrap.ServerBootstrap;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInitializer;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.channel.nio.NioIoHandler;
import io.netty.channel.socket.nio.NioServerSocketChannel;
import io.netty.channel.socket.nio.NioSocketChannel;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.FullHttpRequest;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObjectAggregator;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpServerCodec;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.QueryStringDecoder;
import io.netty.handler.flow.FlowControlHandler;
import io.netty.handler.timeout.ReadTimeoutHandler;
import io.netty.util.concurrent.DefaultThreadFactory;
import java.net.BindException;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Executor;
import java.util.function.Function;

/// Answers operators: a few small pages, on a loop of its own, with a bound on everything a caller can make it keep.
final class AdminServer implements AutoCloseable {
    private static final int MAX_CONNECTIONS = 64;
    private static final int MAX_REQUEST = 4_096;
    private static final int MAX_PARAMETERS = 64;
    private static final int IDLE_SECONDS = 60;

    /// @param method and path, such as `GET /metrics`
    record Page(String method, String path) {}

    /// What stands behind a path's question mark.
    record Query(Map<String, List<String>> parameters) {
        /// The only value under a name.
        ///
        /// @throws IllegalArgumentException where there is none, or there are several
        String one(String name) {
            var values = all(name);
            if (values.size() != 1) {
                throw new IllegalArgumentException(
                        "the parameter " + name + " must be there once, was there " + values.size() + " times");
            }
            return values.getFirst();
        }

        String one(String name, String otherwise) {
            return all(name).isEmpty() ? otherwise : one(name);
        }

        List<String> all(String name) {
            return parameters.getOrDefault(name, List.of());
        }
    }

    record Reply(int status, String contentType, String body) {
        static Reply text(int status, String body) {
            return new Reply(status, "text/plain; charset=utf-8", body);
        }

        static Reply json(String body) {
            return new Reply(200, "application/json", body);
        }
    }

    private final Channel listener;
    private final MultiThreadIoEventLoopGroup loop;

    private AdminServer(Channel listener, MultiThreadIoEventLoopGroup loop) {
        this.listener = listener;
        this.loop = loop;
    }

    static AdminServer start(InetSocketAddress address, Map<Page, Function<Query, Reply>> pages) throws BindException {
        return start(address, pages, _ -> Runnable::run);
    }

    /// @param answering where the page of a path is made: away from the loop where it takes its time
    static AdminServer start(
            InetSocketAddress address, Map<Page, Function<Query, Reply>> pages, Function<String, Executor> answering)
            throws BindException {
        var loop =
                new MultiThreadIoEventLoopGroup(1, new DefaultThreadFactory("admin", true), NioIoHandler.newFactory());
        var connections = new Connections();
        var bound = new ServerBootstrap()
                .group(loop)
                .channel(NioServerSocketChannel.class)
                .childHandler(new ChannelInitializer<NioSocketChannel>() {
                    @Override
                    protected void initChannel(NioSocketChannel channel) {
                        if (!connections.admit(channel)) {
                            var _ = channel.close();
                            return;
                        }
                        channel.pipeline()
                                .addLast(new Idle())
                                .addLast(new HttpServerCodec())
                                .addLast(new HttpObjectAggregator(MAX_REQUEST))
                                .addLast(new FlowControlHandler())
                                .addLast(new Answering(pages, answering));
                    }
                })
                .bind(address)
                .awaitUninterruptibly();
        if (!bound.isSuccess()) {
            throw new BindException(String.valueOf(bound.cause().getMessage()));
        }
        return new AdminServer(bound.channel(), loop);
    }

    int port() {
        return ((InetSocketAddress) listener.localAddress()).getPort();
    }

    @Override
    public void close() {
        listener.close().awaitUninterruptibly();
        var _ = loop.shutdownGracefully();
    }

    /// Owned by the one admin loop.
    private static final class Connections {
        private int open;

        boolean admit(Channel channel) {
            if (open >= MAX_CONNECTIONS) {
                return false;
            }
            open++;
            channel.closeFuture().addListener(_ -> open--);
            return true;
        }
    }

    /// Closes a connection on which nobody asks anything; whoever waits for an answer has asked.
    static final class Idle extends ReadTimeoutHandler {
        Idle() {
            super(IDLE_SECONDS);
        }

        @Override
        protected void readTimedOut(ChannelHandlerContext context) throws Exception {
            if (context.channel().config().isAutoRead()) {
                super.readTimedOut(context);
            }
        }
    }

    private static final String UNREADABLE = "not an HTTP request, or a longer one than is read here\n";

    private static final class Answering extends SimpleChannelInboundHandler<FullHttpRequest> {
        private final Map<Page, Function<Query, Reply>> pages;
        private final Function<String, Executor> answering;

        Answering(Map<Page, Function<Query, Reply>> pages, Function<String, Executor> answering) {
            this.pages = pages;
            this.answering = answering;
        }

        @Override
        protected void channelRead0(ChannelHandlerContext context, FullHttpRequest request) {
            boolean readable = request.decoderResult().isSuccess();
            var page = new Page(request.method().name(), request.uri());
            boolean stays = HttpUtil.isKeepAlive(request);
            // One at a time, whoever sends more without waiting.
            context.channel().config().setAutoRead(false);
            answering.apply(page.path()).execute(() -> {
                try {
                    var reply = readable ? answer(page) : Reply.text(400, UNREADABLE);
                    context.executor().execute(() -> {
                        write(context, reply, stays);
                        context.channel().config().setAutoRead(true);
                    });
                } catch (RuntimeException | Error broken) {
                    var _ = context.close();
                    throw broken;
                }
            });
        }

        private static void write(ChannelHandlerContext context, Reply reply, boolean stays) {
            byte[] body = reply.body().getBytes(StandardCharsets.UTF_8);
            var response = new DefaultFullHttpResponse(
                    HttpVersion.HTTP_1_1, HttpResponseStatus.valueOf(reply.status()), Unpooled.wrappedBuffer(body));
            response.headers().set(CONTENT_TYPE, reply.contentType()).setInt(CONTENT_LENGTH, body.length);
            if (stays) {
                var _ = context.writeAndFlush(response);
            } else {
                response.headers().set(CONNECTION, HttpHeaderValues.CLOSE);
                context.writeAndFlush(response).addListener(ChannelFutureListener.CLOSE);
            }
        }

        private Reply answer(Page asked) {
            try {
                var uri = new QueryStringDecoder(asked.path(), StandardCharsets.UTF_8, true, MAX_PARAMETERS);
                var page = pages.get(new Page(asked.method(), uri.path()));
                return page == null ? listed() : page.apply(new Query(uri.parameters()));
            } catch (IllegalArgumentException wrong) {
                return Reply.text(400, wrong.getMessage() + "\n");
            }
        }

        private Reply listed() {
            var listed = new StringBuilder("no such page; there are:\n");
            pages.keySet().stream()
                    .map(known -> "  " + known.method() + " " + known.path() + "\n")
                    .sorted()
                    .forEach(listed::append);
            return Reply.text(404, listed.toString());
        }

        @Override
        public void exceptionCaught(ChannelHandlerContext context, Throwable cause) {
            var _ = context.close();
        }
    }
}
