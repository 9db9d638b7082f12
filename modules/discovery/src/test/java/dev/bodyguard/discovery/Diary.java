package dev.bodyguard.discovery;

import dev.bodyguard.source.files.FileProblem;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

/// Writes down what happened, in the words that the tests are about.
final class Diary implements Events {
    private static final Duration PATIENCE = Duration.ofSeconds(30);

    private final List<String> entries = new ArrayList<>();

    synchronized void note(String entry) {
        entries.add(entry);
        notifyAll();
    }

    /// All that was noted up to and with this entry, as soon as it is there; those are then forgotten.
    synchronized List<String> readTo(String last) throws InterruptedException {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (!entries.contains(last)) {
            long left = (until - System.nanoTime()) / 1_000_000;
            if (left <= 0) {
                throw new AssertionError("never '" + last + "' but " + entries);
            }
            wait(left);
        }
        var read = entries.subList(0, entries.indexOf(last) + 1);
        var copy = List.copyOf(read);
        read.clear();
        return copy;
    }

    @Override
    public void documentsChanged(int put, int removed, int now) {
        note("documents: " + now);
    }

    /// Each of the other notes says what it is about.
    @Override
    public void served(Course course, long generation, int documents, int problems) {}

    @Override
    public void unreadable(FileProblem problem) {
        note("unreadable: " + problem);
    }

    @Override
    public void readableAgain(String file) {
        note("readable again: " + file);
    }

    @Override
    public void problems(int now) {
        note("problems: " + now);
    }

    @Override
    public void clusterWorkloads(int put, int gone, int now) {
        note("cluster's workloads: " + now);
    }

    @Override
    public void clusterLost(String what, String why) {}

    @Override
    public void clusterBack() {}

    @Override
    public void clusterHas(String what) {}

    @Override
    public void clusterHasNoMore(String what) {}

    @Override
    public void leftOut(String object, String why) {}

    @Override
    public void statusRefused(String document, String why) {}

    @Override
    public void sourceLost(String source, Exception why) {}

    @Override
    public void enrolled(Workload workload, boolean known, int now) {
        note((known ? "back: " : "enrolled: ") + workload.getName() + ", now " + now);
    }

    @Override
    public void left(Workload workload, Leases.Why why, int now) {
        note("left: " + workload.getName() + ", " + why + ", now " + now);
    }

    @Override
    public void refused(String peer, String why) {
        note("refused " + peer + ": " + why);
    }

    @Override
    public void refusedAgain() {
        note("refused again");
    }

    @Override
    public void heldBack(String peer, int waitingBytes) {}

    @Override
    public void remembered(int workloads, int gone) {}

    @Override
    public void memoryFailed(Exception why) {}

    @Override
    public void lastReadFailed(Exception why) {
        note("last read failed");
    }
}
