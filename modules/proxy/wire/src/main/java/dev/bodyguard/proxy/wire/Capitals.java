package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// How the names of fields were written where that was not in lowercase: there are clients and servers of HTTP/1 that
/// tell `X-Name` from `x-name`, though RFC 9110 §5.1 has them not to.
sealed interface Capitals {
    /// As it was written; null where that is not known.
    @Nullable
    AsciiString of(AsciiString name);

    /// Writes the name as it was written.
    default void write(ByteBuf out, AsciiString name) {
        var spelt = of(name);
        var written = spelt == null ? name : spelt;
        out.writeBytes(written.array(), written.arrayOffset(), written.length());
    }

    /// Of names that are parts of a message's head.
    final class InHead implements Capitals {
        private final byte[] head;
        private final byte[] written;

        /// @param head in which the names were brought to lowercase
        /// @param written the same as it came
        InHead(byte[] head, byte[] written) {
            this.head = head;
            this.written = written;
        }

        /// A part of that very head, and no equal one.
        @SuppressWarnings("ReferenceEquality")
        private boolean isOurs(AsciiString name) {
            return name.array() == head;
        }

        @Override
        public @Nullable AsciiString of(AsciiString name) {
            return isOurs(name) ? new AsciiString(written, name.arrayOffset(), name.length(), false) : null;
        }

        @Override
        public void write(ByteBuf out, AsciiString name) {
            out.writeBytes(isOurs(name) ? written : name.array(), name.arrayOffset(), name.length());
        }
    }

    /// As somebody else has told.
    final class Told implements Capitals {
        private static final int MOST = 100;

        private final List<AsciiString> names = new ArrayList<>();

        /// @param list with commas between the names; what is none is left out
        Told(String list) {
            for (int from = 0; from < list.length() && names.size() < MOST; ) {
                int comma = list.indexOf(',', from);
                int to = comma < 0 ? list.length() : comma;
                if (isName(list, from, to)) {
                    names.add(new AsciiString(list.substring(from, to)));
                }
                from = to + 1;
            }
        }

        private static boolean isName(String text, int from, int to) {
            for (int i = from; i < to; i++) {
                if (!Http1Parser.isToken(text.charAt(i))) {
                    return false;
                }
            }
            return from < to;
        }

        @Override
        public @Nullable AsciiString of(AsciiString name) {
            for (int i = 0; i < names.size(); i++) {
                if (names.get(i).contentEqualsIgnoreCase(name)) {
                    return names.get(i);
                }
            }
            return null;
        }
    }
}
