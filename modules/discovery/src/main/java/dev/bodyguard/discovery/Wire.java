package dev.bodyguard.discovery;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Location;
import dev.bodyguard.model.Value;
import dev.bodyguard.model.Workload;
import dev.bodyguard.xds.protocol.discovery.v1.Entry;
import dev.bodyguard.xds.protocol.discovery.v1.Mapping;
import dev.bodyguard.xds.protocol.discovery.v1.Null;
import dev.bodyguard.xds.protocol.discovery.v1.Sequence;
import dev.bodyguard.xds.snapshot.NamedResource;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Documents and workloads as discovery's protocol writes them.
final class Wire {
    private Wire() {}

    static NamedResource resource(Document document) {
        return NamedResource.of(name(document), message(document));
    }

    static dev.bodyguard.xds.protocol.discovery.v1.Workload workload(Workload workload) {
        return dev.bodyguard.xds.protocol.discovery.v1.Workload.newBuilder()
                .setNamespace(workload.namespace())
                .setName(workload.name())
                .setService(workload.service())
                .setServiceAccount(workload.serviceAccount())
                .putAllLabels(workload.labels())
                .setAddress(workload.address())
                .putAllPorts(workload.ports())
                .putAllServicePorts(workload.namedPorts())
                .putAllContainerPorts(workload.containerPorts())
                .setUnready(!workload.ready())
                .setMeshed(workload.meshed())
                .build();
    }

    private static String name(Document document) {
        return document.apiVersion() + "/" + document.kind() + "/" + document.namespace() + "/" + document.name();
    }

    private static dev.bodyguard.xds.protocol.discovery.v1.Document message(Document document) {
        Location at = document.root().at();
        return dev.bodyguard.xds.protocol.discovery.v1.Document.newBuilder()
                .setApiVersion(document.apiVersion())
                .setKind(document.kind())
                .setNamespace(document.namespace())
                .setName(document.name())
                .setFile(at == null ? "" : at.file())
                .setResourceVersion(document.resourceVersion() == null ? "" : document.resourceVersion())
                .setRoot(value(document.root()))
                .build();
    }

    private static dev.bodyguard.xds.protocol.discovery.v1.Value value(Value value) {
        var wire = dev.bodyguard.xds.protocol.discovery.v1.Value.newBuilder()
                .setLine(line(value.at()))
                .setColumn(column(value.at()));
        switch (value) {
            case Value.Null _ -> wire.setNull(Null.getDefaultInstance());
            case Value.Bool bool -> wire.setBoolean(bool.value());
            case Value.Int integer -> wire.setInteger(integer.value());
            case Value.Decimal decimal -> wire.setDecimal(decimal.value());
            case Value.Text text -> wire.setText(text.value());
            case Value.Sequence sequence -> wire.setSequence(sequence(sequence.items()));
            case Value.Mapping mapping -> wire.setMapping(mapping(mapping.entries()));
        }
        return wire.build();
    }

    private static Sequence sequence(List<Value> items) {
        var wire = Sequence.newBuilder();
        items.forEach(item -> wire.addItems(value(item)));
        return wire.build();
    }

    private static Mapping mapping(List<Value.Entry> entries) {
        var wire = Mapping.newBuilder();
        for (var entry : entries) {
            wire.addEntries(Entry.newBuilder()
                    .setKey(entry.key())
                    .setValue(value(entry.value()))
                    .setLine(line(entry.keyAt()))
                    .setColumn(column(entry.keyAt())));
        }
        return wire.build();
    }

    private static int line(@Nullable Location at) {
        return at == null ? 0 : at.line();
    }

    private static int column(@Nullable Location at) {
        return at == null ? 0 : at.column();
    }
}
