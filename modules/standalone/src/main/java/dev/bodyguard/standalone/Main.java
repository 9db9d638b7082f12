package dev.bodyguard.standalone;

import dev.bodyguard.service.Keys;
import dev.bodyguard.service.Lifecycle;
import java.util.stream.Collectors;

/// `bodyguard run`.
public final class Main {
    private Main() {}

    static void main(String[] args) throws InterruptedException {
        Lifecycle.run(
                "bodyguard run",
                Settings.USAGE,
                args,
                () -> Settings.from(new Keys(System.getenv()), args),
                (settings, running) -> {
                    var plane = running.open(ControlPlane.start(settings));
                    return plane.addresses().entrySet().stream()
                                    .map(service -> service.getKey() + " " + service.getValue())
                                    .collect(Collectors.joining(", "))
                            + "; state in " + settings.state();
                });
    }
}
