package dev.bodyguard.proxy.wire;

import io.netty.handler.codec.http2.DefaultHttp2Headers;
import io.netty.handler.codec.http2.Http2Headers;
import io.netty.handler.codec.http2.ReadOnlyHttp2Headers;
import io.netty.util.AsciiString;
import io.netty.util.NetUtil;
import java.util.Map;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// HTTP/2 header blocks to heads and back.
final class Heads {
    private static final AsciiString COOKIE = AsciiString.cached("cookie");
    private static final AsciiString PROTOCOL = AsciiString.cached(":protocol");
    /// The status of an answer that did not grant the protocol, though HTTP/2 would understand it so.
    private static final String UNGRANTED = "x-bodyguard-ungranted";

    private static final AsciiString LENGTH = AsciiString.cached("content-length");
    private static final AsciiString HOST = AsciiString.cached("host");
    private static final AsciiString[] STATUSES = new AsciiString[1000];

    static {
        for (int i = 0; i < STATUSES.length; i++) {
            STATUSES[i] = AsciiString.cached(Integer.toString(i));
        }
    }

    private static final Pattern PORT = Pattern.compile("[0-9]{1,5}");
    private static final int LONGEST_SHOWN = 260;

    private Heads() {}

    /// The head of an HTTP/2 request; `Malformed` where a stream error is due.
    static Request request(Http2Headers headers) {
        var method = headers.method();
        var path = headers.path();
        var scheme = headers.scheme();
        var authority = headers.authority();
        if (method == null) {
            throw new Malformed(400, "an HTTP/2 request without :method");
        }
        var protocol = headers.get(PROTOCOL);
        if (protocol != null) {
            // RFC 8441 §4: the stream becomes what `upgrade` would have made of a connection, which is asked by GET.
            if (!method.toString().equals("CONNECT") || !Upgrades.isProtocol(protocol)) {
                throw new Malformed(400, "a :protocol that is none, or without CONNECT");
            }
            method = "GET";
        } else if (isConnect(headers)) {
            throw new Malformed(501, "CONNECT is not granted here");
        }
        if (path == null || path.isEmpty() || scheme == null) {
            throw new Malformed(400, "an HTTP/2 request without :path or :scheme");
        }
        checkLine(method, path);
        if (path.charAt(0) != '/' && !path.toString().equals("*")) {
            throw new Malformed(400, "a :path that begins with no slash");
        }
        var fields = fields(headers);
        var host = fields.raw(HOST);
        if (host != null) {
            // RFC 9113 §8.3.1: they must not differ.
            if (authority != null && !host.contentEqualsIgnoreCase(authority)) {
                throw new Malformed(400, ":authority and host differ");
            }
            fields.remove("host");
        }
        var name = authority != null ? authority.toString() : host != null ? host.toString() : "";
        checkAuthority(name);
        return new Request(
                Version.HTTP_2,
                method.toString(),
                scheme.toString(),
                name,
                path.toString(),
                fields,
                protocol == null ? null : protocol.toString());
    }

    /// Whether a tunnel is asked for, rather than a resource or another protocol.
    static boolean isConnect(Http2Headers headers) {
        var method = headers.method();
        return method != null && method.toString().equals("CONNECT") && headers.get(PROTOCOL) == null;
    }

    /// The `host:port` of a CONNECT (RFC 9113 §8.5); `Malformed` where a stream error is due.
    static String destination(Http2Headers headers) {
        if (headers.path() != null || headers.scheme() != null) {
            throw new Malformed(400, "a CONNECT with :path or :scheme");
        }
        var authority = headers.authority();
        var host = headers.get(HOST);
        if (authority == null) {
            throw new Malformed(400, "a CONNECT without :authority");
        }
        if (host != null && !AsciiString.contentEqualsIgnoreCase(host, authority)) {
            throw new Malformed(400, ":authority and host differ");
        }
        checkDestination(authority.toString());
        return authority.toString();
    }

    /// What HTTP/1.1 could not say on one line must not come out as another line there (RFC 9113 §8.2.1, §10.3).
    private static void checkLine(CharSequence method, CharSequence path) {
        for (int i = 0; i < method.length(); i++) {
            if (!Http1Parser.isToken(method.charAt(i))) {
                throw new Malformed(400, "a :method that is no token");
            }
        }
        for (int i = 0; i < path.length(); i++) {
            char c = path.charAt(i);
            if (c <= ' ' || c == 0x7f) {
                throw new Malformed(400, "a :path with a blank or a control character");
            }
        }
        if (method.isEmpty()) {
            throw new Malformed(400, "an empty :method");
        }
    }

    static Response response(Http2Headers headers) {
        var text = headers.status();
        int status = 0;
        if (text != null && text.length() == 3) {
            for (int i = 0; i < 3; i++) {
                int digit = text.charAt(i) - '0';
                status = digit < 0 || digit > 9 ? -1000 : 10 * status + digit;
            }
        }
        if (status < 100) {
            throw new Malformed(502, "an HTTP/2 answer without a :status of three digits");
        }
        return new Response(Version.HTTP_2, status, fields(headers));
    }

    /// Whether there is more to come than a head; the length was found to be a number before.
    static boolean announcesBody(Fields fields) {
        var length = fields.raw(LENGTH);
        if (length == null) {
            return false;
        }
        for (int i = 0; i < length.length(); i++) {
            if (length.charAt(i) != '0') {
                return true;
            }
        }
        return false;
    }

    static Fields checkCount(Fields fields, int most) {
        if (fields.count() > most) {
            throw new Malformed(431, "more than " + most + " fields");
        }
        return fields;
    }

    /// Everything but pseudo headers; crumbs of cookies as one (RFC 9113 §8.2.3).
    static Fields fields(Http2Headers headers) {
        var fields = new Fields(new AsciiString[2 * headers.size()], 0);
        int cookie = -1;
        for (Map.Entry<CharSequence, CharSequence> header : headers) {
            var name = AsciiString.of(header.getKey());
            if (name.isEmpty() || name.byteAt(0) == ':') {
                continue;
            }
            var value = AsciiString.of(header.getValue());
            if (name.equals(COOKIE)) {
                if (cookie >= 0) {
                    fields.setRaw(cookie, new AsciiString(fields.rawValue(cookie) + "; " + value));
                    continue;
                }
                cookie = fields.count();
            }
            fields.add(name, value);
        }
        return fields;
    }

    static Http2Headers block(Request request) {
        if (request.protocol() != null) {
            return connect(request, request.protocol());
        }
        return ReadOnlyHttp2Headers.clientHeaders(
                false,
                AsciiString.of(request.method()),
                AsciiString.of(request.path()),
                AsciiString.of(request.scheme()),
                AsciiString.of(request.authority()),
                request.fields().exactly());
    }

    static Http2Headers block(Response response) {
        return ReadOnlyHttp2Headers.serverHeaders(
                false, STATUSES[response.status()], response.fields().exactly());
    }

    private static Http2Headers connect(Request request, String protocol) {
        var block = new DefaultHttp2Headers(false)
                .method("CONNECT")
                .scheme(request.scheme())
                .authority(request.authority())
                .path(request.path())
                .add(PROTOCOL, protocol);
        for (int i = 0; i < request.fields().count(); i++) {
            block.add(request.fields().rawName(i), request.fields().rawValue(i));
        }
        return block;
    }

    /// The answer to a request for another protocol. Any 2xx would grant it (RFC 9113 §8.5), so that one by which a
    /// server has not done so travels as a refusal, which a peer like this one takes back.
    static Http2Headers answerToConnect(Response response) {
        int status = response.status();
        if (status == 101) {
            return block(Response.of(200, response.fields()));
        }
        if (status / 100 != 2) {
            return block(response);
        }
        return block(Response.of(501, response.fields().set(UNGRANTED, Integer.toString(status))));
    }

    /// What such an answer says; as 101 where the protocol is granted.
    static Response answeredToConnect(Response response) {
        if (response.status() / 100 == 2) {
            return new Response(response.version(), 101, response.fields());
        }
        var meant = response.fields().get(UNGRANTED);
        if (meant != null) {
            response.fields().remove(UNGRANTED);
            if (meant.matches("2[0-9][0-9]")) {
                return response.status(Integer.parseInt(meant));
            }
        }
        return response;
    }

    static Http2Headers trailers(Fields fields) {
        return ReadOnlyHttp2Headers.trailers(false, fields.exactly());
    }

    /// A host and a port that one could dial: once the client is told that it has its tunnel, nobody can say no.
    static void checkDestination(String destination) {
        checkAuthority(destination);
        int colon = destination.lastIndexOf(':');
        if (colon <= 0 || !isHost(destination.substring(0, colon)) || !isPort(destination.substring(colon + 1))) {
            var shown = destination.length() > LONGEST_SHOWN ? destination.substring(0, LONGEST_SHOWN) : destination;
            throw new Malformed(
                    400,
                    "CONNECT needs host:port, with [] around an IPv6 address and a port of 1 to 65535, was " + shown);
        }
    }

    private static boolean isHost(String host) {
        return host.startsWith("[")
                ? host.endsWith("]") && NetUtil.isValidIpV6Address(host.substring(1, host.length() - 1))
                : host.indexOf(':') < 0 && host.indexOf('[') < 0 && host.indexOf(']') < 0;
    }

    private static boolean isPort(String port) {
        return PORT.matcher(port).matches() && Integer.parseInt(port) >= 1 && Integer.parseInt(port) <= 65_535;
    }

    /// Host and port only: what could be read as something else is refused.
    static void checkAuthority(@Nullable String authority) {
        if (authority == null) {
            return;
        }
        for (int i = 0; i < authority.length(); i++) {
            char c = authority.charAt(i);
            if (c <= ' ' || c >= 0x7f || "/?#@\\,<>\"".indexOf(c) >= 0) {
                throw new Malformed(400, "an authority that is no host and port");
            }
        }
    }
}
