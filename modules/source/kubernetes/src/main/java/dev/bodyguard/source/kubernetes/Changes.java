package dev.bodyguard.source.kubernetes;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Workload;
import java.util.List;
import java.util.Set;

/// What happened in a cluster since it was last asked.
///
/// @param put documents that are new or say something else than before
/// @param removed keys of documents that are gone
/// @param workloads those that are new or differ from before
/// @param gone `namespace/name` of workloads that are gone
public record Changes(List<Document> put, Set<String> removed, List<Workload> workloads, Set<String> gone) {
    public Changes {
        put = List.copyOf(put);
        removed = Set.copyOf(removed);
        workloads = List.copyOf(workloads);
        gone = Set.copyOf(gone);
    }

    boolean isEmpty() {
        return put.isEmpty() && removed.isEmpty() && workloads.isEmpty() && gone.isEmpty();
    }
}
