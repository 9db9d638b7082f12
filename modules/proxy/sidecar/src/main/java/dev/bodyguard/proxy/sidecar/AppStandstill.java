package dev.bodyguard.proxy.sidecar;

import dev.bodyguard.machine.PortOwner;
import dev.bodyguard.machine.ProcessState;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Function;
import java.util.function.Supplier;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Whether the app was stopped, as SIGSTOP and debuggers do: the kernel goes on taking connections for it, but it also
/// says so, and needs no request to be lost first, as [AppSilence] does. It is seen where sidecar and app share a
/// machine, a user and their view of processes, which containers of a pod do not.
///
/// One thread looks, any may ask.
final class AppStandstill {
    private static final Duration BETWEEN_LOOKS = Duration.ofSeconds(1);

    /// To find who has the port every process of the machine is asked, in vain where it is another user's.
    private static final int LOOKS_BETWEEN_SEARCHES = 30;

    /// Hears of it, once when it begins and once when it is over.
    interface Events {
        void began(String sentence);

        void ended(Duration after);
    }

    private final String app;
    private final Supplier<List<Long>> search;
    private final Function<Long, ProcessState> kernel;
    private final InstantSource clock;
    private final Events events;

    // Owned by the thread that looks.
    private List<Long> owners = List.of();
    private Map<Long, ProcessState> before = Map.of();
    private int looksUntilSearch;

    /// Null while it runs.
    private volatile @Nullable Standstill standstill;

    private record Standstill(Instant since, String who) {}

    /// @param app where it listens
    /// @param search who listens there
    AppStandstill(String app, Supplier<List<Long>> search, InstantSource clock, Events events) {
        this(app, search, ProcessState::of, clock, events);
    }

    AppStandstill(
            String app,
            Supplier<List<Long>> search,
            Function<Long, ProcessState> kernel,
            InstantSource clock,
            Events events) {
        this.app = app;
        this.search = search;
        this.kernel = kernel;
        this.clock = clock;
        this.events = events;
    }

    /// Looks from now on, once a second.
    ///
    /// @param wanted whether anybody would notice
    void watch(BooleanSupplier wanted) {
        Thread.ofPlatform().name("app-standstill").daemon(true).start(() -> {
            try {
                while (true) {
                    Thread.sleep(BETWEEN_LOOKS);
                    if (standstill != null || wanted.getAsBoolean()) {
                        look();
                    }
                }
            } catch (InterruptedException _) {
                // The process ends.
            }
        });
    }

    /// Once.
    void look() {
        var states = states(owners);
        if (states.containsValue(new ProcessState.Gone())) {
            owners = List.of();
        }
        // Of those who had the port when it was last looked for: that they have it still is made sure of before it is
        // said.
        if (owners.isEmpty() ? looksUntilSearch-- <= 0 : stopped(states)) {
            looksUntilSearch = LOOKS_BETWEEN_SEARCHES;
            owners = search.get();
            states = states(owners);
        }
        var told = standstill;
        if (stopped(states)) {
            if (told == null) {
                standstill = new Standstill(clock.instant(), named(states));
                sentence().ifPresent(events::began);
            }
        } else if (told != null) {
            standstill = null;
            events.ended(Duration.between(told.since, clock.instant()));
        }
        before = states;
    }

    private Map<Long, ProcessState> states(List<Long> pids) {
        var states = new HashMap<Long, ProcessState>();
        pids.forEach(pid -> states.put(pid, kernel.apply(pid)));
        return states;
    }

    /// All who could answer. A tracer stops a process for a moment again and again, so that has to last.
    private boolean stopped(Map<Long, ProcessState> states) {
        return !states.isEmpty()
                && states.entrySet().stream().allMatch(process -> switch (process.getValue()) {
                    case ProcessState.Gone _, ProcessState.Live _ -> false;
                    case ProcessState.Halted halted ->
                        halted.by() == ProcessState.By.SIGNAL || halted.equals(before.get(process.getKey()));
                });
    }

    private static String named(Map<Long, ProcessState> states) {
        return states.entrySet().stream()
                .sorted(Map.Entry.comparingByKey())
                .map(process -> PortOwner.process(process.getKey())
                        + (process.getValue() instanceof ProcessState.Halted(var by, var _)
                                        && by == ProcessState.By.TRACER
                                ? " by a debugger"
                                : " by a signal, as SIGSTOP is; `kill -CONT " + process.getKey() + "` lets it go on"))
                .collect(Collectors.joining(", "));
    }

    /// What is wrong; empty while it runs.
    Optional<String> sentence() {
        var now = standstill;
        if (now == null) {
            return Optional.empty();
        }
        return Optional.of("the app on " + app + " accepts connections and answers nobody: it is stopped, "
                + now.who + ", for "
                + Duration.between(now.since, clock.instant()).toSeconds() + " s (since "
                + now.since.truncatedTo(ChronoUnit.SECONDS) + ")");
    }
}
