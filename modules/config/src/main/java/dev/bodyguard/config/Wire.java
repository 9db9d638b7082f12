package dev.bodyguard.config;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Value;
import dev.bodyguard.model.Workload;
import dev.bodyguard.xds.protocol.discovery.v1.Mapping;
import dev.bodyguard.xds.protocol.discovery.v1.Null;
import dev.bodyguard.xds.protocol.discovery.v1.Sequence;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Discovery's messages as records of the model; and documents as discovery writes them.
final class Wire {
    private Wire() {}

    static Document document(Any packed) throws InvalidProtocolBufferException {
        return document(packed.unpack(dev.bodyguard.xds.protocol.discovery.v1.Document.class));
    }

    /// The next document of several, each after its length; null at the end.
    ///
    /// @throws IOException where that is no document
    static @Nullable Document read(InputStream in) throws IOException {
        var wire = dev.bodyguard.xds.protocol.discovery.v1.Document.parseDelimitedFrom(in);
        return wire == null ? null : document(wire);
    }

    /// Adds a document to several, after its length.
    static void write(Document document, OutputStream out) throws IOException {
        var at = document.root().at();
        dev.bodyguard.xds.protocol.discovery.v1.Document.newBuilder()
                .setApiVersion(document.apiVersion())
                .setKind(document.kind())
                .setNamespace(document.namespace())
                .setName(document.name())
                .setFile(at == null ? "" : at.file())
                .setResourceVersion(document.resourceVersion() == null ? "" : document.resourceVersion())
                .setRoot(message(document.root()))
                .build()
                .writeDelimitedTo(out);
    }

    private static Document document(dev.bodyguard.xds.protocol.discovery.v1.Document wire)
            throws InvalidProtocolBufferException {
        if (!(value(wire.getRoot(), wire.getFile()) instanceof Value.Mapping root)) {
            throw new InvalidProtocolBufferException("the root of a document must be a mapping");
        }
        return new Document(
                wire.getApiVersion(),
                wire.getKind(),
                wire.getNamespace(),
                wire.getName(),
                wire.getResourceVersion().isEmpty() ? null : wire.getResourceVersion(),
                root);
    }

    static Workload workload(Any packed) throws InvalidProtocolBufferException {
        var wire = packed.unpack(dev.bodyguard.xds.protocol.discovery.v1.Workload.class);
        return new Workload(
                wire.getNamespace(),
                wire.getName(),
                wire.getService(),
                wire.getServiceAccount(),
                wire.getLabelsMap(),
                wire.getAddress(),
                wire.getPortsMap(),
                wire.getServicePortsMap(),
                wire.getContainerPortsMap(),
                !wire.getUnready(),
                wire.getMeshed(),
                0,
                new Origin("Workload", wire.getNamespace(), wire.getName(), "", null));
    }

    private static Value value(dev.bodyguard.xds.protocol.discovery.v1.Value wire, String file)
            throws InvalidProtocolBufferException {
        var at = location(file, wire.getLine(), wire.getColumn());
        return switch (wire.getKindCase()) {
            case NULL -> new Value.Null(at);
            case BOOLEAN -> new Value.Bool(wire.getBoolean(), at);
            case INTEGER -> new Value.Int(wire.getInteger(), at);
            case DECIMAL -> new Value.Decimal(wire.getDecimal(), at);
            case TEXT -> new Value.Text(wire.getText(), at);
            case SEQUENCE -> {
                List<Value> items = new ArrayList<>();
                for (var item : wire.getSequence().getItemsList()) {
                    items.add(value(item, file));
                }
                yield new Value.Sequence(items, at);
            }
            case MAPPING -> {
                var entries = new ArrayList<Value.Entry>();
                for (var entry : wire.getMapping().getEntriesList()) {
                    entries.add(new Value.Entry(
                            entry.getKey(),
                            value(entry.getValue(), file),
                            location(file, entry.getLine(), entry.getColumn())));
                }
                yield new Value.Mapping(entries, at);
            }
            case KIND_NOT_SET -> throw new InvalidProtocolBufferException("a value without a kind");
        };
    }

    private static dev.bodyguard.xds.protocol.discovery.v1.Value message(Value value) {
        var wire = dev.bodyguard.xds.protocol.discovery.v1.Value.newBuilder()
                .setLine(line(value.at()))
                .setColumn(column(value.at()));
        switch (value) {
            case Value.Null _ -> wire.setNull(Null.getDefaultInstance());
            case Value.Bool bool -> wire.setBoolean(bool.value());
            case Value.Int integer -> wire.setInteger(integer.value());
            case Value.Decimal decimal -> wire.setDecimal(decimal.value());
            case Value.Text text -> wire.setText(text.value());
            case Value.Sequence sequence -> {
                var items = Sequence.newBuilder();
                sequence.items().forEach(item -> items.addItems(message(item)));
                wire.setSequence(items);
            }
            case Value.Mapping mapping -> {
                var entries = Mapping.newBuilder();
                mapping.entries()
                        .forEach(entry -> entries.addEntries(dev.bodyguard.xds.protocol.discovery.v1.Entry.newBuilder()
                                .setKey(entry.key())
                                .setValue(message(entry.value()))
                                .setLine(line(entry.keyAt()))
                                .setColumn(column(entry.keyAt()))));
                wire.setMapping(entries);
            }
        }
        return wire.build();
    }

    private static int line(@Nullable Location at) {
        return at == null ? 0 : at.line();
    }

    private static int column(@Nullable Location at) {
        return at == null ? 0 : at.column();
    }

    private static @Nullable Location location(String file, int line, int column) {
        return file.isEmpty() || line < 1 || column < 1 ? null : new Location(file, line, column);
    }
}
