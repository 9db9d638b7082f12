package dev.bodyguard.injector.service;

import java.time.Duration;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/// Events, to be waited for.
final class Heard implements Events {
    final BlockingQueue<String> lines = new LinkedBlockingQueue<>();

    @Override
    public void decided(String pod, Admission.Verdict verdict, Duration took) {
        lines.add(pod + " " + verdict.result());
    }

    @Override
    public void failed(String who, String why) {
        lines.add("failed: " + why);
    }

    @Override
    public void authorityWritten(String webhook) {
        lines.add("written " + webhook);
    }

    @Override
    public void authorityNotWritten(String webhook, String why) {
        lines.add("not written " + webhook + ": " + why);
    }

    /// The next line that is told, which must come within half a minute.
    String next() throws InterruptedException {
        var line = lines.poll(30, TimeUnit.SECONDS);
        return line == null ? "nothing was told" : line;
    }
}
