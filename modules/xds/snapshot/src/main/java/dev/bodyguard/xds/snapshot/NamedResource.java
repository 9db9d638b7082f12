package dev.bodyguard.xds.snapshot;

import com.google.protobuf.Any;
import com.google.protobuf.ByteString;
import com.google.protobuf.CodedOutputStream;
import com.google.protobuf.Message;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.List;

/// A resource ready to be sent.
///
/// @param name what it is called in responses
/// @param version equal exactly if the content is equal: clients name it when they come back
/// @param body the packed message; its type URL is the resource's type
/// @param aliases other names under which it may be subscribed to
public record NamedResource(String name, String version, Any body, List<String> aliases) {
    private static final int VERSION_BYTES = 12;

    public NamedResource {
        if (name.isEmpty() || name.equals("*")) {
            throw new IllegalArgumentException("a resource's name must be neither empty nor '*', was '" + name + "'");
        }
        if (version.isEmpty()) {
            throw new IllegalArgumentException("resource " + name + " must have a version");
        }
        if (body.getTypeUrl().isEmpty()) {
            throw new IllegalArgumentException("resource " + name + " must have a type URL");
        }
        aliases = List.copyOf(aliases);
    }

    /// Packs a message. The version is a hash of what is sent, the same in every process and on every day.
    public static NamedResource of(String name, Message message, String... aliases) {
        return of(name, message, List.of(aliases));
    }

    public static NamedResource of(String name, Message message, List<String> aliases) {
        var value = deterministicBytes(message);
        var body = Any.newBuilder().setTypeUrl(typeUrl(message)).setValue(value).build();
        return new NamedResource(name, version(value, aliases), body, aliases);
    }

    /// `type.googleapis.com/` and the message's full name.
    public static String typeUrl(Message message) {
        return "type.googleapis.com/" + message.getDescriptorForType().getFullName();
    }

    public String typeUrl() {
        return body.getTypeUrl();
    }

    // Map entries have no order of their own; sorted, equal messages become equal bytes.
    private static ByteString deterministicBytes(Message message) {
        var bytes = new byte[message.getSerializedSize()];
        var out = CodedOutputStream.newInstance(bytes);
        out.useDeterministicSerialization();
        try {
            message.writeTo(out);
        } catch (IOException impossible) {
            throw new UncheckedIOException("an array of the message's own size was too small", impossible);
        }
        out.checkNoSpaceLeft();
        return ByteString.copyFrom(bytes);
    }

    /// Names a text by its content.
    static String version(String text) {
        return version(ByteString.copyFromUtf8(text), List.of());
    }

    private static String version(ByteString value, List<String> aliases) {
        MessageDigest digest;
        try {
            digest = MessageDigest.getInstance("SHA-256");
        } catch (NoSuchAlgorithmException impossible) {
            throw new IllegalStateException("every Java platform has SHA-256", impossible);
        }
        digest.update(value.asReadOnlyByteBuffer());
        for (var alias : aliases) {
            digest.update((byte) 0);
            digest.update(alias.getBytes(StandardCharsets.UTF_8));
        }
        return HexFormat.of().formatHex(digest.digest(), 0, VERSION_BYTES);
    }
}
