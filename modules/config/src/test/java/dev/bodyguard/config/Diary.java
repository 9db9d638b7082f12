package dev.bodyguard.config;

import dev.bodyguard.model.Document;
import dev.bodyguard.model.Problem;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;

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
    public void contradicted(Problem problem) {
        note("contradicted: " + problem);
    }

    @Override
    public void published(long generation, int documents, int workloads, int problems) {
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
    public void proxyGone(String proxy, String why, int now) {}

    @Override
    public void proxyRefused(String proxy, String why) {}

    @Override
    public void proxyHeldBack(String proxy, int waitingBytes) {}

    @Override
    public void viewNotRemembered(String account, int remembered) {
        note("not remembered: " + account + " beyond " + remembered);
    }

    @Override
    public void proxyAcked(String typeUrl, Duration sincePublished) {}

    @Override
    public void proxyNacked(String proxy, String typeUrl, String why) {}

    @Override
    public void failed(String doing, Throwable defect) {
        note("failed " + doing + ": " + defect);
    }
}
