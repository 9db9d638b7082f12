package dev.bodyguard.telemetry.record;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/// Writes protobuf's wire format. A message within a message is opened, written and closed: its length takes four
/// bytes, which every reader takes for the varint that it is.
final class ProtobufWriter {
    private static final int VARINT = 0;
    private static final int FIXED_64 = 1;
    private static final int LENGTH = 2;
    private static final int FIXED_32 = 5;
    private static final int LENGTH_BYTES = 4;

    private byte[] bytes;
    private int size;

    ProtobufWriter(int room) {
        bytes = new byte[room];
    }

    int size() {
        return size;
    }

    byte[] toBytes() {
        return Arrays.copyOf(bytes, size);
    }

    /// Begins a message; what is returned closes it.
    int open(int field) {
        tag(field, LENGTH);
        reserve(LENGTH_BYTES);
        size += LENGTH_BYTES;
        return size;
    }

    void close(int opened) {
        int length = size - opened;
        for (int i = 0; i < LENGTH_BYTES; i++) {
            int more = i < LENGTH_BYTES - 1 ? 0x80 : 0;
            bytes[opened - LENGTH_BYTES + i] = (byte) (((length >>> (7 * i)) & 0x7f) | more);
        }
    }

    void text(int field, String value) {
        tag(field, LENGTH);
        byte[] utf8 = value.getBytes(StandardCharsets.UTF_8);
        varint(utf8.length);
        reserve(utf8.length);
        System.arraycopy(utf8, 0, bytes, size, utf8.length);
        size += utf8.length;
    }

    /// Bytes made of longs, the most significant byte first.
    void id(int field, long... parts) {
        tag(field, LENGTH);
        varint(8L * parts.length);
        reserve(8 * parts.length);
        for (long part : parts) {
            for (int shift = 56; shift >= 0; shift -= 8) {
                bytes[size++] = (byte) (part >>> shift);
            }
        }
    }

    void number(int field, long value) {
        tag(field, VARINT);
        varint(value);
    }

    void flag(int field, boolean value) {
        number(field, value ? 1 : 0);
    }

    void fixed64(int field, long value) {
        tag(field, FIXED_64);
        little(value, 8);
    }

    void fixed32(int field, int value) {
        tag(field, FIXED_32);
        little(value, 4);
    }

    void real(int field, double value) {
        fixed64(field, Double.doubleToRawLongBits(value));
    }

    void packed(int field, long[] values) {
        tag(field, LENGTH);
        varint(8L * values.length);
        for (long value : values) {
            little(value, 8);
        }
    }

    void packed(int field, double[] values) {
        tag(field, LENGTH);
        varint(8L * values.length);
        for (double value : values) {
            little(Double.doubleToRawLongBits(value), 8);
        }
    }

    private void tag(int field, int type) {
        varint(((long) field << 3) | type);
    }

    private void varint(long value) {
        reserve(10);
        long rest = value;
        while ((rest & ~0x7fL) != 0) {
            bytes[size++] = (byte) ((rest & 0x7f) | 0x80);
            rest >>>= 7;
        }
        bytes[size++] = (byte) rest;
    }

    private void little(long value, int count) {
        reserve(count);
        for (int i = 0; i < count; i++) {
            bytes[size++] = (byte) (value >>> (8 * i));
        }
    }

    private void reserve(int more) {
        if (bytes.length - size < more) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, size + more));
        }
    }
}
