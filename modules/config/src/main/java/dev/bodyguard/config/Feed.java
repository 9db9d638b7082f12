package dev.bodyguard.config;

import com.google.protobuf.InvalidProtocolBufferException;
import dev.bodyguard.model.Document;
import dev.bodyguard.model.Workload;
import dev.bodyguard.xds.client.Applied;
import dev.bodyguard.xds.client.Sink;
import dev.bodyguard.xds.snapshot.TypeUrls;
import io.envoyproxy.envoy.service.discovery.v3.Resource;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.function.BiConsumer;

/// Discovery's stream, decoded. Runs on the client's thread.
final class Feed implements Sink {
    private final BiConsumer<Mesher.Message, String> mesher;
    private String generation = "";

    /// @param mesher is told each change, and the generation of discovery's that it is of
    Feed(BiConsumer<Mesher.Message, String> mesher) {
        this.mesher = mesher;
    }

    /// What comes next is of this generation of discovery's.
    void is(String discovery) {
        generation = discovery;
    }

    @Override
    public Applied apply(String typeUrl, List<Resource> updated, List<String> removed) {
        var rejected = new HashMap<String, String>();
        switch (typeUrl) {
            case TypeUrls.DOCUMENT ->
                mesher.accept(
                        new Mesher.DocumentsChanged(decode(updated, Feed::document, rejected), removed), generation);
            case TypeUrls.WORKLOAD ->
                mesher.accept(
                        new Mesher.WorkloadsChanged(decode(updated, Feed::workload, rejected), removed), generation);
            default -> updated.forEach(resource -> rejected.put(resource.getName(), "not asked for"));
        }
        return new Applied(rejected);
    }

    private interface Decoder<T> {
        T decode(Resource resource) throws InvalidProtocolBufferException;
    }

    private static Document document(Resource resource) throws InvalidProtocolBufferException {
        return Wire.document(resource.getResource());
    }

    private static Workload workload(Resource resource) throws InvalidProtocolBufferException {
        return Wire.workload(resource.getResource());
    }

    private static <T> Map<String, T> decode(
            List<Resource> resources, Decoder<T> decoder, Map<String, String> rejected) {
        var decoded = new HashMap<String, T>();
        for (Resource resource : resources) {
            try {
                decoded.put(resource.getName(), decoder.decode(resource));
            } catch (InvalidProtocolBufferException | RuntimeException broken) {
                rejected.put(resource.getName(), "cannot be read: " + broken.getMessage());
            }
        }
        return decoded;
    }
}
