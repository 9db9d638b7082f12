package dev.bodyguard.config;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Problem;
import dev.bodyguard.xds.server.Client;
import dev.bodyguard.xds.snapshot.Heard;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Writes down what happened, in the words that the tests are about.
final class Diary implements Events {
    private final List<String> entries = new ArrayList<>();

    private synchronized void note(String entry) {
        entries.add(entry);
    }

    /// What was noted since the last call.
    synchronized List<String> read() {
        var all = List.copyOf(entries);
        entries.clear();
        return all;
    }

    @Override
    public void refused(Problem problem, Documents.InForce standing) {
        note("refused, " + standing.name() + ": " + problem);
    }

    @Override
    public void warned(Problem problem) {
        note("warned: " + problem);
    }

    @Override
    public void applied(Document document) {
        note("applied: " + document.name());
    }

    @Override
    public void removed(Document document) {
        note("removed: " + document.name());
    }

    @Override
    public void unguarded(Document document) {
        note("unguarded: " + document.name());
    }

    @Override
    public void notRecalled(Path file, String why) {
        note("not recalled: " + file.getFileName() + ": " + why);
    }

    @Override
    public void notRemembered(Path file, String why) {
        note("not remembered: " + file.getFileName() + ": " + why);
    }

    @Override
    public void contradicted(Problem problem) {
        note("contradicted: " + problem);
    }

    @Override
    public void published(Course course, long generation, int documents, int workloads, int problems) {
        note("published " + generation + ": " + documents + " documents, " + workloads + " workloads, " + problems
                + " problems");
    }

    @Override
    public void discoveryConnected() {}

    @Override
    public void discoveryLost(String why, Duration retryIn) {}

    @Override
    public void ready() {
        note("ready");
    }

    @Override
    public void proxyConnected(String proxy, int now) {}

    @Override
    public void proxyGone(Client client, String why, int now) {}

    @Override
    public void proxyPushed(Client client, String generation, int responses) {}

    @Override
    public void proxyRefused(String proxy, String why) {}

    @Override
    public void proxyHeldBack(String proxy, int waitingBytes) {}

    @Override
    public void viewNotRemembered(String account, int remembered) {
        note("not remembered: " + account + " beyond " + remembered);
    }

    @Override
    public void proxyAcked(Client client, Heard.Acked what, @Nullable Duration sincePublished) {}

    @Override
    public void proxyNacked(Client client, Heard.Nacked what) {}

    @Override
    public void failed(String doing, Throwable defect) {
        note("failed " + doing + ": " + defect);
    }
}
