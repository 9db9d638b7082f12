package dev.bodyguard.config;

import com.google.protobuf.Any;
import com.google.protobuf.InvalidProtocolBufferException;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Origin;
import dev.bodyguard.model.Value;
import dev.bodyguard.model.Workload;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Discovery's messages as records of the model.
final class Wire {
    private Wire() {}

    static Document document(Any packed) throws InvalidProtocolBufferException {
        var wire = packed.unpack(dev.bodyguard.xds.protocol.discovery.v1.Document.class);
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

    private static @Nullable Location location(String file, int line, int column) {
        return file.isEmpty() || line < 1 || column < 1 ? null : new Location(file, line, column);
    }
}
