package dev.bodyguard.proxy.wire;

import io.netty.buffer.ByteBuf;
import io.netty.util.AsciiString;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/// Header or trailer fields in the order they came. Names are lowercase; a name may occur more than once.
///
/// Mutable and not thread-safe: it belongs to the exchange it is part of. Names are given in lowercase by the caller.
public final class Fields {
    private static final AsciiString[] NONE = {};

    /// Name and value by turns.
    private AsciiString[] pairs;

    private int length;
    private @Nullable Capitals capitals;

    public Fields() {
        this(NONE, 0);
    }

    /// Takes over `pairs`, of which `length` slots are in use.
    Fields(AsciiString[] pairs, int length) {
        this.pairs = pairs;
        this.length = length;
    }

    /// Names and values by turns.
    public static Fields of(String... namesAndValues) {
        if (namesAndValues.length % 2 != 0) {
            throw new IllegalArgumentException("a value for each name, got " + namesAndValues.length + " texts");
        }
        var fields = new Fields(new AsciiString[namesAndValues.length], 0);
        for (int i = 0; i < namesAndValues.length; i += 2) {
            fields.add(namesAndValues[i], namesAndValues[i + 1]);
        }
        return fields;
    }

    /// The first value under `name`.
    public @Nullable String get(String name) {
        int at = indexOf(name, 0);
        return at < 0 ? null : pairs[at + 1].toString();
    }

    /// The values under `name`, joined by commas (RFC 9110 §5.3); null where there is none.
    @Nullable
    CharSequence joined(String name) {
        int at = indexOf(name, 0);
        if (at < 0) {
            return null;
        }
        return indexOf(name, at + 2) < 0 ? pairs[at + 1] : String.join(",", all(name));
    }

    public boolean contains(String name) {
        return indexOf(name, 0) >= 0;
    }

    /// Every value under `name`, in order.
    public List<String> all(String name) {
        int at = indexOf(name, 0);
        if (at < 0) {
            return List.of();
        }
        var values = new ArrayList<String>(2);
        for (; at >= 0; at = indexOf(name, at + 2)) {
            values.add(pairs[at + 1].toString());
        }
        return values;
    }

    /// Replaces whatever stood under `name`; a first occurrence keeps its place.
    public Fields set(String name, String value) {
        int at = indexOf(name, 0);
        if (at < 0) {
            return add(name, value);
        }
        pairs[at + 1] = checkedValue(name, value);
        removeFrom(name, at + 2);
        return this;
    }

    public Fields add(String name, String value) {
        return add(checkedName(name), checkedValue(name, value));
    }

    public Fields remove(String name) {
        removeFrom(name, 0);
        return this;
    }

    /// How many fields there are, repeated names counted each time.
    public int count() {
        return length / 2;
    }

    /// Bytes of all names and values.
    public int bytes() {
        int bytes = 0;
        for (int i = 0; i < length; i++) {
            bytes += pairs[i].length();
        }
        return bytes;
    }

    public String name(int index) {
        return pairs[2 * index].toString();
    }

    public String value(int index) {
        return pairs[2 * index + 1].toString();
    }

    public void forEach(BiConsumer<String, String> visitor) {
        for (int i = 0; i < length; i += 2) {
            visitor.accept(pairs[i].toString(), pairs[i + 1].toString());
        }
    }

    public Fields copy() {
        var copy = new Fields(Arrays.copyOf(pairs, length), length);
        copy.capitals = capitals;
        return copy;
    }

    /// The names that were written with capitals, as they were, with commas between; empty where there is none.
    public String spelling() {
        var known = capitals;
        if (known == null) {
            return "";
        }
        var names = new StringBuilder();
        for (int i = 0; i < length; i += 2) {
            var spelt = known.of(pairs[i]);
            if (spelt != null && !spelt.equals(pairs[i])) {
                names.append(names.isEmpty() ? "" : ",").append(spelt);
            }
        }
        return names.toString();
    }

    /// Says how names were written; HTTP/1 is written so.
    ///
    /// @param names as [#spelling()] lists them
    public Fields spelt(String names) {
        capitals = new Capitals.Told(names);
        return this;
    }

    void spelt(Capitals known) {
        capitals = known;
    }

    /// As HTTP/1 has it.
    void writeName(ByteBuf out, int index) {
        var name = pairs[2 * index];
        if (capitals == null) {
            out.writeBytes(name.array(), name.arrayOffset(), name.length());
        } else {
            capitals.write(out, name);
        }
    }

    /// Names only: values may be secrets.
    @Override
    public String toString() {
        var names = new ArrayList<String>();
        forEach((name, _) -> names.add(name));
        return "Fields" + names;
    }

    Fields add(AsciiString name, AsciiString value) {
        if (length == pairs.length) {
            pairs = Arrays.copyOf(pairs, Math.max(16, 2 * length));
        }
        pairs[length++] = name;
        pairs[length++] = value;
        return this;
    }

    AsciiString rawName(int index) {
        return pairs[2 * index];
    }

    AsciiString rawValue(int index) {
        return pairs[2 * index + 1];
    }

    @Nullable
    AsciiString raw(AsciiString name) {
        for (int i = 0; i < length; i += 2) {
            if (pairs[i].equals(name)) {
                return pairs[i + 1];
            }
        }
        return null;
    }

    void setRaw(int index, AsciiString value) {
        pairs[2 * index + 1] = value;
    }

    void removeAt(int index) {
        System.arraycopy(pairs, 2 * index + 2, pairs, 2 * index, length - 2 * index - 2);
        length -= 2;
        pairs[length] = AsciiString.EMPTY_STRING;
        pairs[length + 1] = AsciiString.EMPTY_STRING;
    }

    /// Exactly the pairs in use, for encoders that want an array. May be the array itself.
    AsciiString[] exactly() {
        return length == pairs.length ? pairs : Arrays.copyOf(pairs, length);
    }

    private int indexOf(String name, int from) {
        for (int i = from; i < length; i += 2) {
            if (pairs[i].contentEquals(name)) {
                return i;
            }
        }
        return -1;
    }

    private void removeFrom(String name, int from) {
        int to = from;
        for (int i = from; i < length; i += 2) {
            if (!pairs[i].contentEquals(name)) {
                pairs[to] = pairs[i];
                pairs[to + 1] = pairs[i + 1];
                to += 2;
            }
        }
        Arrays.fill(pairs, to, length, AsciiString.EMPTY_STRING);
        length = to;
    }

    private static AsciiString checkedName(String name) {
        for (int i = 0; i < name.length(); i++) {
            char c = name.charAt(i);
            if (c <= ' ' || c >= 0x7f || c == ':' || (c >= 'A' && c <= 'Z')) {
                throw new IllegalArgumentException("not a lowercase field name: " + name);
            }
        }
        return new AsciiString(name);
    }

    /// A line break in a value would start a field that nobody wrote.
    private static AsciiString checkedValue(String name, String value) {
        for (int i = 0; i < value.length(); i++) {
            char c = value.charAt(i);
            if (c == '\r' || c == '\n' || c == 0) {
                throw new IllegalArgumentException("line break or NUL in the value of " + name);
            }
        }
        return new AsciiString(value);
    }
}
