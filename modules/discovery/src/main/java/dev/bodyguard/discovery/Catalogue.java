package dev.bodyguard.discovery;

import dev.bodyguard.model.Document;
import dev.bodyguard.source.files.FileProblem;
import dev.bodyguard.xds.protocol.discovery.v1.Workload;
import dev.bodyguard.xds.snapshot.NamedResource;
import dev.bodyguard.xds.snapshot.Resources;
import dev.bodyguard.xds.snapshot.Snapshot;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Everything that is served, and the one thread that owns it. Others leave messages.
final class Catalogue implements AutoCloseable {
    /// How long a drained workload waits for slow subscribers before it may go anyway.
    private static final Duration HEAR_OF_DRAIN = Duration.ofSeconds(1);
    /// Later than this nobody wakes who was not stopped: a suspended machine, a debugger, a clock that was set.
    private static final Duration STOOD_STILL = Duration.ofSeconds(1);

    private final Events events;
    private final Leases leases;
    private final int mostWorkloads;
    private final int mostWorkloadsPerAccount;
    private final Churn churn;
    private final @Nullable Memory memory;
    private final InstantSource clock;
    private final Subscribers subscribers;
    private final BlockingQueue<Message> mailbox = new LinkedBlockingQueue<>();
    private final Thread owner = Thread.ofVirtual().name("discovery-catalogue").unstarted(this::run);

    // Owned by the thread.
    private final Map<String, Document> documents = new HashMap<>();
    private final Map<String, NamedResource> packed = new HashMap<>();
    /// Those that the source tells of, by `namespace/name`.
    private final Map<String, Workload> sourced = new HashMap<>();

    private final Map<Long, Registration> registrations = new HashMap<>();
    private final List<Draining> draining = new ArrayList<>();
    /// Whoever enrolled since the last generation. It is told so once it is served and remembered.
    private final List<Registration> welcome = new ArrayList<>();

    private long generation;
    private boolean changed = true;
    private boolean workloadsChanged;
    /// What has changed since the last generation; null if nothing has.
    private @Nullable Course course;

    private boolean closed;

    // Read by anyone.
    private volatile Resources current = Snapshot.empty();
    private volatile List<FileProblem> problems = List.of();
    private volatile List<Document> authored = List.of();
    private volatile List<Workload> registered = List.of();

    /// Whoever reads the streams that are served from here.
    interface Subscribers {
        void publish();

        Set<Long> streams();
    }

    /// A registration's stream, as seen from here. Neither method blocks.
    interface Registration {
        long stream();

        /// For people.
        String peer();

        void admitted(Duration lease);

        void drained();

        void ended(String why);

        /// Its name is another's.
        void taken(String why);
    }

    private record Draining(Registration registration, long generation, Set<Long> unaware, Instant until) {}

    sealed interface Message {}

    record SourceChanged(Source.Found changes) implements Message {}

    record Enrolled(Workload workload, Registration by) implements Message {}

    record Heard(String workload, long stream) implements Message {}

    record Drained(String workload, Registration by) implements Message {}

    record Broke(String workload, long stream) implements Message {}

    record Acknowledged(long subscriber, long generation) implements Message {}

    record SubscriberGone(long subscriber) implements Message {}

    private record Close() implements Message {}

    Catalogue(
            Leases leases,
            int mostWorkloads,
            int mostWorkloadsPerAccount,
            Churn churn,
            @Nullable Memory memory,
            Subscribers subscribers,
            Events events,
            InstantSource clock) {
        this.leases = leases;
        this.mostWorkloads = mostWorkloads;
        this.mostWorkloadsPerAccount = mostWorkloadsPerAccount;
        this.churn = churn;
        this.memory = memory;
        this.subscribers = subscribers;
        this.events = events;
        this.clock = clock;
    }

    /// Complete from the first moment on: the source as it is, and who was here before a restart.
    void start(Source.Found first, List<Workload> remembered) {
        apply(first);
        remembered.forEach(workload -> leases.remember(workload, clock.instant()));
        publish();
        owner.start();
    }

    Resources current() {
        return current;
    }

    List<FileProblem> problems() {
        return problems;
    }

    /// The documents that are served.
    List<Document> authored() {
        return authored;
    }

    /// The workloads that are served.
    List<Workload> registered() {
        return registered;
    }

    void tell(Message message) {
        mailbox.add(message);
    }

    @Override
    public void close() {
        mailbox.add(new Close());
        try {
            owner.join();
        } catch (InterruptedException hurried) {
            Thread.currentThread().interrupt();
        }
    }

    private void run() {
        try {
            while (!closed) {
                var message = next();
                while (message != null) {
                    take(message);
                    message = mailbox.poll(); // what is already here makes one generation
                }
                expire();
                publish();
            }
        } catch (InterruptedException stopped) {
            Thread.currentThread().interrupt();
        }
    }

    private @Nullable Message next() throws InterruptedException {
        Optional<Instant> due = leases.next();
        for (var waiting : draining) {
            due = due.isEmpty() || waiting.until.isBefore(due.get()) ? Optional.of(waiting.until) : due;
        }
        if (due.isEmpty()) {
            return mailbox.take();
        }
        long nanos = Math.max(0, Duration.between(clock.instant(), due.get()).toNanos());
        var message = mailbox.poll(nanos, TimeUnit.NANOSECONDS);
        var now = clock.instant();
        if (now.isAfter(due.get().plus(STOOD_STILL))) {
            leases.listensAgain(now);
        }
        return message;
    }

    private void take(Message message) {
        switch (message) {
            case SourceChanged(var changes) -> apply(changes);
            case Enrolled(var workload, var by) -> enrol(workload, by);
            case Heard(var workload, var stream) -> leases.heard(workload, stream, clock.instant());
            case Drained(var workload, var by) -> drain(workload, by);
            case Broke(var workload, var stream) -> {
                registrations.remove(stream);
                draining.removeIf(waiting -> waiting.registration.stream() == stream);
                leases.broke(workload, stream, clock.instant());
            }
            case Acknowledged(var subscriber, var reached) ->
                heardOfDrains(waiting -> {
                    if (reached >= waiting.generation) {
                        waiting.unaware.remove(subscriber);
                    }
                });
            case SubscriberGone(var subscriber) -> heardOfDrains(waiting -> waiting.unaware.remove(subscriber));
            case Close _ -> closed = true;
        }
    }

    private void apply(Source.Found changes) {
        for (String key : changes.removed()) {
            documents.remove(key);
            packed.remove(key);
        }
        for (Document document : changes.put()) {
            documents.put(document.key(), document);
            packed.put(document.key(), Wire.resource(document));
        }
        if (!changes.put().isEmpty() || !changes.removed().isEmpty()) {
            changed = true;
            authored = List.copyOf(documents.values());
            events.documentsChanged(changes.put().size(), changes.removed().size(), documents.size());
        }
        changes.gone().forEach(sourced::remove);
        for (var workload : changes.workloads()) {
            var wire = Wire.workload(workload);
            sourced.put(Leases.name(wire), wire);
        }
        if (!changes.workloads().isEmpty() || !changes.gone().isEmpty()) {
            changed = true;
            events.clusterWorkloads(changes.workloads().size(), changes.gone().size(), sourced.size());
        }
        var before = new HashSet<>(problems);
        var unreadable = changes.problems().stream()
                .filter(problem -> !before.contains(problem))
                .toList();
        unreadable.forEach(events::unreadable);
        var mended = files(problems);
        mended.removeAll(files(changes.problems()));
        mended.forEach(events::readableAgain);
        problems = changes.problems();
        events.problems(problems.size());
        changes(Course.of(changes, unreadable));
    }

    private void changes(Course next) {
        course = course == null ? next : course.and(next);
    }

    private void workloadChanges() {
        workloadsChanged = true;
        changes(Course.ofWorkload(System.nanoTime()));
    }

    private static Set<String> files(List<FileProblem> problems) {
        var files = new TreeSet<String>();
        problems.forEach(problem -> files.add(problem.at().file()));
        return files;
    }

    private void enrol(Workload workload, Registration by) {
        String name = Leases.name(workload);
        boolean known = leases.knows(name);
        if (!known && leases.size() >= mostWorkloads) {
            refuse(by, "there are " + mostWorkloads + " workloads already, which is the most this discovery keeps");
            return;
        }
        if (!known && leases.of(workload.getNamespace(), workload.getServiceAccount()) >= mostWorkloadsPerAccount) {
            refuse(
                    by,
                    "service account " + workload.getNamespace() + "/" + workload.getServiceAccount() + " has "
                            + mostWorkloadsPerAccount + " workloads already, which is the most that one may have;"
                            + " drain some, or raise the limit");
            return;
        }
        var holder = leases.holder(name);
        if (holder.isPresent() && !holder.get().getServiceAccount().equals(workload.getServiceAccount())) {
            refuse(
                    by,
                    "workload " + name + " belongs to service account "
                            + holder.get().getServiceAccount() + ", not to " + workload.getServiceAccount()
                            + "; choose another --name");
            return;
        }
        var taken = leases.taken(workload, clock.instant());
        if (taken.isPresent()) {
            refuse(by, name, taken.get());
            return;
        }
        // Who comes back as he was, after a broken stream or our own restart, changes nothing for anybody.
        boolean changes = !holder.equals(Optional.of(workload));
        if (changes && !churn.take(workload.getNamespace() + "/" + workload.getServiceAccount(), clock.instant())) {
            refuse(
                    by,
                    "the workloads of service account " + workload.getNamespace() + "/"
                            + workload.getServiceAccount() + " come and change more often than " + churn.perSecond()
                            + " times a second; try again in a moment");
            return;
        }
        leases.enrol(workload, by.stream(), clock.instant()).ifPresent(stream -> {
            var replaced = registrations.remove(stream);
            if (replaced != null) {
                replaced.taken(
                        "the name " + name + " is taken: the sidecar at " + place(workload) + " enrolled with it");
            }
        });
        registrations.put(by.stream(), by);
        welcome.add(by);
        if (changes) {
            workloadChanges();
        }
        events.enrolled(workload, known, leases.size());
    }

    private void refuse(Registration by, String why) {
        events.refused(by.peer(), why);
        by.ended(why);
    }

    /// Whoever waits for the name asks again and again, which is told once.
    private void refuse(Registration by, String name, Leases.Taken taken) {
        String why = "the name " + name + " is taken: the sidecar at " + place(taken.by()) + " has it since "
                + taken.since().truncatedTo(ChronoUnit.SECONDS)
                + " and renews its lease; end that one, or choose another --name";
        if (taken.again()) {
            events.refusedAgain();
        } else {
            events.refused(by.peer(), why);
        }
        by.taken(why);
    }

    private static String place(Workload workload) {
        return workload.getPortsMap().values().stream()
                .sorted()
                .distinct()
                .map(port -> workload.getAddress() + ":" + port)
                .collect(Collectors.joining(", "));
    }

    private void drain(String name, Registration by) {
        var gone = leases.drain(name, by.stream());
        if (gone.isPresent()) {
            workloadChanges();
            events.left(gone.get(), Leases.Why.DRAINED, leases.size());
        }
        // Published with the next generation, which is this one's number plus one.
        draining.add(new Draining(
                by,
                generation + 1,
                new HashSet<>(subscribers.streams()),
                clock.instant().plus(HEAR_OF_DRAIN)));
    }

    private void heardOfDrains(Consumer<Draining> news) {
        draining.forEach(news);
        settleDrains();
    }

    private void settleDrains() {
        Instant now = clock.instant();
        draining.removeIf(waiting -> {
            if (waiting.unaware.isEmpty() || !waiting.until.isAfter(now)) {
                waiting.registration.drained();
                return true;
            }
            return false;
        });
    }

    private void expire() {
        for (var lost : leases.expire(clock.instant())) {
            workloadChanges();
            events.left(lost.workload(), lost.why(), leases.size());
            var registration = registrations.remove(lost.stream());
            if (registration != null) {
                registration.ended("workload " + Leases.name(lost.workload()) + " is out: " + lost.why());
            }
        }
    }

    private void publish() {
        boolean news = changed || workloadsChanged;
        if (news) {
            var all = new ArrayList<>(packed.values());
            var alive = leases.alive();
            // Whoever registered under a pod's name is not served: the API server knows better.
            var workloads = new LinkedHashMap<>(sourced);
            alive.forEach(workload -> workloads.putIfAbsent(Leases.name(workload), workload));
            registered = List.copyOf(workloads.values());
            workloads.forEach((name, workload) -> all.add(NamedResource.of(name, workload)));
            generation++;
            current = Snapshot.of(Long.toString(generation), all);
            subscribers.publish();
            if (workloadsChanged && memory != null) {
                try {
                    memory.write(alive);
                } catch (IOException e) {
                    events.memoryFailed(e);
                }
            }
            changed = false;
            workloadsChanged = false;
        }
        if (course != null) {
            events.served(course, news ? generation : 0, documents.size(), problems.size());
            course = null;
        }
        welcome.forEach(by -> by.admitted(leases.lease()));
        welcome.clear();
        settleDrains();
    }
}
