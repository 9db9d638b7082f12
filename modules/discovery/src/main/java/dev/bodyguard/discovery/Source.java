package dev.bodyguard.discovery;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Workload;
import dev.bodyguard.source.files.Changes;
import dev.bodyguard.source.files.Directory;
import dev.bodyguard.source.files.FileProblem;
import dev.bodyguard.source.files.Recollection;
import dev.bodyguard.xds.protocol.discovery.v1.Verdict;
import java.io.IOException;
import java.util.List;
import java.util.Set;

/// What is read: a directory or an API server. One thread asks; only [#close] may come from another.
interface Source extends AutoCloseable {
    /// The first call answers everything there is; later ones wait until that has changed.
    ///
    /// @throws IOException once it is closed
    Found next() throws IOException, InterruptedException;

    @Override
    void close() throws IOException;

    /// How a document fares, for its author to read where he wrote it, if there is a place for that. Must not block.
    default void report(Verdict verdict) {}

    /// What happened since it was last asked.
    ///
    /// @param put documents that are new or differ from before
    /// @param removed keys of documents that are gone
    /// @param workloads new ones and those that differ from before
    /// @param gone `namespace/name` of workloads that are gone
    /// @param problems everything that cannot be read now, not only what is new
    /// @param noticed when the first sign of it was seen, by [System#nanoTime()]
    /// @param read when all of it was read, by the same
    record Found(
            List<Document> put,
            Set<String> removed,
            List<Workload> workloads,
            Set<String> gone,
            List<FileProblem> problems,
            long noticed,
            long read) {
        /// What a directory tells.
        static Found in(Changes directory) {
            return new Found(
                    directory.put(),
                    directory.removed(),
                    List.of(),
                    Set.of(),
                    directory.problems(),
                    directory.noticed(),
                    System.nanoTime());
        }
    }

    /// Opens what documents come from.
    ///
    /// @param recollection what files said before a restart, for those that are broken after it
    static Source open(From from, Recollection recollection, Events events) throws IOException {
        return switch (from) {
            case From.Files(var path) -> new OfFiles(Directory.open(path, recollection));
            case From.Kubernetes _ -> OfKubernetes.open(events);
        };
    }

    /// A directory.
    record OfFiles(Directory directory) implements Source {
        @Override
        public Found next() throws IOException, InterruptedException {
            return Found.in(directory.next());
        }

        @Override
        public void close() throws IOException {
            directory.close();
        }
    }
}
