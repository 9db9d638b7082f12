package dev.bodyguard.proxy.sidecar;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeoutException;
import java.util.logging.Level;
import java.util.logging.Logger;

/// A sidecar, placed where its settings say.
public final class Main {
    private static final int USAGE = 64;

    /// Held, because java.util.logging would otherwise forget its level. Netty tells of every frame that crosses a
    /// reset.
    private static final Logger NETTY = Logger.getLogger("io.netty");

    private Main() {}

    /// Runs one sidecar; the exit status is the app's, where it has started it.
    public static void main(String[] args) {
        System.setProperty("java.util.logging.SimpleFormatter.format", "%1$tT.%1$tL %4$s %5$s%6$s%n");
        NETTY.setLevel(Level.WARNING);
        System.exit(
                switch (Settings.from(List.of(args), System.getenv())) {
                    case Settings.Asked.Help _ -> {
                        System.out.print(Standalone.HELP);
                        yield 0;
                    }
                    case Settings.Asked.Mistake(var sentence) -> {
                        System.err.println(sentence);
                        yield USAGE;
                    }
                    case Settings.Asked.Run(var settings) -> run(settings);
                });
    }

    private static int run(Settings settings) {
        try {
            return switch (settings) {
                case Standalone standalone -> OnMachine.serve(standalone);
                case InPod pod -> AtPod.serve(pod);
            };
        } catch (IOException | TimeoutException failed) {
            System.err.println("bodyguard sidecar " + settings.workload() + ": " + failed.getMessage());
            return 1;
        } catch (InterruptedException _) {
            return 1;
        }
    }
}
