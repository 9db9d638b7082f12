package dev.bodyguard.standalone;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Collectors;

/// `bodyguard run`.
public final class Main {
    private Main() {}

    static void main(String[] args) throws InterruptedException {
        if (List.of(args).contains("--help") || List.of(args).contains("-h")) {
            System.out.println(Settings.USAGE);
            return;
        }
        Settings settings;
        try {
            settings = Settings.from(args);
        } catch (IllegalArgumentException wrong) {
            System.err.println("bodyguard run: " + wrong.getMessage());
            System.exit(2);
            return;
        }
        LineFormat.install();
        ControlPlane plane;
        try {
            plane = ControlPlane.start(settings);
        } catch (IOException failed) {
            System.err.println("bodyguard run: " + failed.getMessage());
            System.exit(1);
            return;
        } catch (RuntimeException defect) {
            // Threads of what had started already must not keep a control plane alive that serves nobody.
            defect.printStackTrace();
            System.exit(1);
            return;
        }
        Runtime.getRuntime().addShutdownHook(new Thread(() -> {
            plane.close();
            System.err.println("bodyguard run: ended");
            // A signal that was asked for is no failure: without this the JVM would answer 143 or 130.
            Runtime.getRuntime().halt(0);
        }));
        System.err.println("bodyguard run: ready: "
                + plane.addresses().entrySet().stream()
                        .map(service -> service.getKey() + " " + service.getValue())
                        .collect(Collectors.joining(", "))
                + "; state in " + settings.state());
        new CountDownLatch(1).await(); // the hook ends it
    }
}
