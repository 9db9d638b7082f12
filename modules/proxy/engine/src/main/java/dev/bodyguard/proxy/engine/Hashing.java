package dev.bodyguard.proxy.engine;

import dev.bodyguard.proxy.engine.RouteRule.HashInput;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;

/// What a route hashes by, out of a request. By chance where a request has nothing of it, as Envoy has it, so
/// that those without a key do not all go to one endpoint. Allocates only where it makes a cookie.
public final class Hashing {
    private static final long NOWHERE = -1;

    private Hashing() {}

    /// The hash of what a request has of a route's keys.
    ///
    /// @param client who sends it
    /// @param fresh by chance, another for every request: the hash where it has none of them, and the value of
    /// cookies that it is to have from now on
    public static long of(RequestHead head, SocketAddress client, List<HashInput> inputs, long fresh) {
        boolean any = false;
        long hash = Hash.START;
        for (int i = 0; i < inputs.size(); i++) {
            hash = Hash.onto(hash, "\n");
            switch (inputs.get(i)) {
                case HashInput.Header(var name) -> {
                    CharSequence value = head.header(name);
                    if (value != null) {
                        hash = Hash.onto(hash, value);
                        any = true;
                    }
                }
                case HashInput.Cookie cookie -> {
                    CharSequence cookies = head.header("cookie");
                    long place = cookies == null ? NOWHERE : cookie(cookies, cookie.name());
                    if (cookies != null && place != NOWHERE) {
                        hash = Hash.onto(hash, cookies, begin(place), end(place));
                        any = true;
                    } else if (cookie.attributes() != null) {
                        hash = Hash.onto(hash, value(fresh));
                        any = true;
                    }
                }
                case HashInput.Query(var name) -> {
                    long place = query(head.path(), name);
                    if (place != NOWHERE) {
                        hash = Hash.onto(hash, head.path(), begin(place), end(place));
                        any = true;
                    }
                }
                case HashInput.SourceAddress() -> {
                    hash ^= address(client);
                    any = true;
                }
            }
        }
        return any ? Hash.mix(hash) : fresh;
    }

    /// The hash of who sends bytes that are no HTTP, as of who sends a request where nothing else counts.
    public static long of(SocketAddress client) {
        return Hash.mix(Hash.onto(Hash.START, "\n") ^ address(client));
    }

    /// Of an IPv4 address it is the address; its text would have to be made.
    private static int address(SocketAddress client) {
        return client instanceof InetSocketAddress inet && inet.getAddress() != null
                ? inet.getAddress().hashCode()
                : client.hashCode();
    }

    /// Cookies that a request lacks and that its client is to send from now on, as changes to the answer.
    ///
    /// @param fresh as of [#of]
    public static HeaderChanges cookies(RequestHead head, List<HashInput> inputs, long fresh) {
        HeaderChanges made = HeaderChanges.NONE;
        for (int i = 0; i < inputs.size(); i++) {
            if (inputs.get(i) instanceof HashInput.Cookie(var name, var attributes) && attributes != null) {
                CharSequence cookies = head.header("cookie");
                if (cookies == null || cookie(cookies, name) == NOWHERE) {
                    var put = new ArrayList<>(made.put());
                    put.add(new HeaderChanges.Put(
                            "set-cookie", name + "=\"" + value(fresh) + "\"" + attributes, HeaderChanges.How.APPEND));
                    made = new HeaderChanges(List.of(), put);
                }
            }
        }
        return made;
    }

    private static String value(long fresh) {
        return HexFormat.of().toHexDigits(fresh);
    }

    /// Where a cookie's value is, without quotes around it. One without a value is none, as Envoy has it.
    private static long cookie(CharSequence cookies, String name) {
        int length = cookies.length();
        for (int from = 0; from < length; from++) {
            int end = from;
            while (end < length && cookies.charAt(end) != ';' && cookies.charAt(end) != ',') {
                end++;
            }
            int begin = from;
            while (begin < end && isBlank(cookies.charAt(begin))) {
                begin++;
            }
            if (isNamed(cookies, begin, end, name)) {
                return unquoted(cookies, begin + name.length() + 1, end);
            }
            from = end;
        }
        return NOWHERE;
    }

    private static long unquoted(CharSequence text, int from, int to) {
        int begin = from;
        int end = to;
        while (end > begin && isBlank(text.charAt(end - 1))) {
            end--;
        }
        if (end - begin >= 2 && text.charAt(begin) == '"' && text.charAt(end - 1) == '"') {
            begin++;
            end--;
        }
        return begin == end ? NOWHERE : place(begin, end);
    }

    private static boolean isBlank(char one) {
        return one == ' ' || one == '\t';
    }

    /// Where the first parameter of a name has its value, which may be empty.
    private static long query(String path, String name) {
        int mark = path.indexOf('?');
        for (int from = mark + 1; mark >= 0 && from <= path.length(); from++) {
            int end = path.indexOf('&', from);
            end = end < 0 ? path.length() : end;
            if (isNamed(path, from, end, name)) {
                return place(from + name.length() + 1, end);
            }
            from = end;
        }
        return NOWHERE;
    }

    /// Whether there is `name=` and perhaps more.
    private static boolean isNamed(CharSequence text, int begin, int end, String name) {
        int equals = begin + name.length();
        if (equals >= end || text.charAt(equals) != '=') {
            return false;
        }
        for (int i = 0; i < name.length(); i++) {
            if (text.charAt(begin + i) != name.charAt(i)) {
                return false;
            }
        }
        return true;
    }

    private static long place(int begin, int end) {
        return (long) begin << 32 | end;
    }

    private static int begin(long place) {
        return (int) (place >>> 32);
    }

    private static int end(long place) {
        return (int) place;
    }
}
