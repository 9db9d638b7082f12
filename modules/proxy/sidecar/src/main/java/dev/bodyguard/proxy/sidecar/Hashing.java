package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Hash;
import dev.bodyguard.proxy.engine.RequestHead;
import dev.bodyguard.proxy.engine.RouteRule.HashInput;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What a route hashes by, out of a request.
final class Hashing {
    private Hashing() {}

    static long of(RequestHead head, SocketAddress client, List<HashInput> inputs) {
        if (inputs.isEmpty()) {
            return 0;
        }
        var text = new StringBuilder();
        for (var input : inputs) {
            text.append('\n')
                    .append(
                            switch (input) {
                                case HashInput.Header(var name) -> nonNull(head.header(name));
                                case HashInput.Cookie(var name) -> cookie(head, name);
                                case HashInput.Query(var name) -> query(head.path(), name);
                                case HashInput.SourceAddress() ->
                                    client instanceof InetSocketAddress inet
                                            ? inet.getAddress().getHostAddress()
                                            : client.toString();
                            });
        }
        return Hash.of(text);
    }

    private static CharSequence nonNull(@Nullable CharSequence text) {
        return text == null ? "" : text;
    }

    private static String cookie(RequestHead head, String name) {
        for (String pair : nonNull(head.header("cookie")).toString().split("[;,]", -1)) {
            String one = pair.strip();
            if (one.startsWith(name) && one.length() > name.length() && one.charAt(name.length()) == '=') {
                return one.substring(name.length() + 1);
            }
        }
        return "";
    }

    private static String query(String path, String name) {
        int mark = path.indexOf('?');
        if (mark < 0) {
            return "";
        }
        for (String pair : path.substring(mark + 1).split("&", -1)) {
            if (pair.startsWith(name) && pair.length() > name.length() && pair.charAt(name.length()) == '=') {
                return pair.substring(name.length() + 1);
            }
        }
        return "";
    }
}
