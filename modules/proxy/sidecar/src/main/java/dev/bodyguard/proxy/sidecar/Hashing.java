package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.proxy.engine.Hash;
import dev.bodyguard.proxy.engine.RequestHead;
import dev.bodyguard.proxy.engine.RouteRule.HashInput;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.List;
import java.util.random.RandomGenerator;
import org.jspecify.annotations.Nullable;

/// What a route hashes by, out of a request; by chance where a request has nothing of it, as Envoy has it, so
/// that those without a key do not all go to one endpoint.
final class Hashing {
    private Hashing() {}

    static long of(RequestHead head, SocketAddress client, List<HashInput> inputs, RandomGenerator random) {
        if (inputs.isEmpty()) {
            return 0;
        }
        var text = new StringBuilder();
        boolean any = false;
        for (var input : inputs) {
            CharSequence key = switch (input) {
                case HashInput.Header(var name) -> head.header(name);
                case HashInput.Cookie(var name) -> cookie(head, name);
                case HashInput.Query(var name) -> query(head.path(), name);
                case HashInput.SourceAddress() ->
                    client instanceof InetSocketAddress inet ? inet.getAddress().getHostAddress() : client.toString();
            };
            any |= key != null;
            text.append('\n').append(key == null ? "" : key);
        }
        return any ? Hash.of(text) : random.nextLong();
    }

    private static @Nullable String cookie(RequestHead head, String name) {
        CharSequence cookies = head.header("cookie");
        for (String pair : cookies == null ? new String[0] : cookies.toString().split("[;,]", -1)) {
            String one = pair.strip();
            if (one.startsWith(name) && one.length() > name.length() && one.charAt(name.length()) == '=') {
                return one.substring(name.length() + 1);
            }
        }
        return null;
    }

    private static @Nullable String query(String path, String name) {
        int mark = path.indexOf('?');
        if (mark < 0) {
            return null;
        }
        for (String pair : path.substring(mark + 1).split("&", -1)) {
            if (pair.startsWith(name) && pair.length() > name.length() && pair.charAt(name.length()) == '=') {
                return pair.substring(name.length() + 1);
            }
        }
        return null;
    }
}
