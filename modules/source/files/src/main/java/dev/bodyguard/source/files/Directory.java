package dev.bodyguard.source.files;

import dev.bodyguard.model.Location;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.ClosedWatchServiceException;
import java.nio.file.FileVisitOption;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.StandardWatchEventKinds;
import java.nio.file.WatchEvent;
import java.nio.file.WatchKey;
import java.nio.file.WatchService;
import java.nio.file.attribute.BasicFileAttributes;
import java.time.Duration;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// A directory of `*.yaml`, `*.yml` and `*.json` files, in whatever case, sub-folders included, watched while people
/// edit them.
/// Names that begin with a dot are left alone: editors and Kubernetes volumes keep their own things there.
///
/// Every call to [#next] happens on the one thread that owns the directory; only [#close] may come from another.
public final class Directory implements AutoCloseable {
    /// Editors and copies write in several steps, some tens of milliseconds apart, and half a file is a file without
    /// its last documents: nothing is read before the directory was quiet for this long …
    private static final Duration QUIET = Duration.ofMillis(100);
    /// … or busy for this long, which leaves more than half of the second in which an edit is to be in force.
    private static final Duration LONGEST_WAIT = Duration.ofMillis(400);
    /// By then a file that is never still is read as it is: somebody puts a new one into its place all the time.
    private static final Duration RESTLESS = Duration.ofSeconds(5);
    /// A file without any document is mostly the first half of a rewrite, so where it had some it has to be still for
    /// this long.
    private static final Duration EMPTIED = Duration.ofSeconds(1);
    /// The directory is looked through this often without any event: some file systems have none.
    private static final Duration LOOK_AGAIN = Duration.ofSeconds(2);

    private static final int DEEPEST = 8;
    private static final int MOST_FILES = 10_000;

    private final Path root;
    private final WatchService watch;
    private final Recollection recollection;
    private final Map<Path, WatchKey> watched = new HashMap<>();
    private final Map<Path, Stamp> stamps = new HashMap<>();
    private final Contents contents = new Contents();
    private final Set<Path> touched = new HashSet<>();
    /// Files that changed and are not read yet.
    private final Map<Path, Restless> restless = new HashMap<>();

    private boolean first = true;
    private boolean lookAtAll;
    private List<FileProblem> aboutTheDirectory = List.of();
    private List<FileProblem> reported = List.of();

    private Directory(Path root, WatchService watch, Recollection recollection) {
        this.root = root;
        this.watch = watch;
        this.recollection = recollection;
    }

    /// Opens a directory.
    ///
    /// @param recollection what was in force of files before a restart, which is so again where they have a problem
    /// @throws IOException if it is not there or cannot be watched, with a message for people
    public static Directory open(Path root, Recollection recollection) throws IOException {
        if (!Files.exists(root)) {
            throw new NoSuchFileException(root + " does not exist; create it, or name the folder that holds the YAML");
        }
        if (!Files.isDirectory(root)) {
            throw new NotDirectoryException(root + " is a file; name the folder that it is in");
        }
        return new Directory(root, root.getFileSystem().newWatchService(), recollection);
    }

    /// The first call answers what there is; later ones wait until that has changed.
    ///
    /// @throws IOException if the directory was closed
    public Changes next() throws IOException, InterruptedException {
        try {
            if (first) {
                long began = System.nanoTime();
                look();
                first = false;
                Contents.Difference found = contents.difference();
                reported = problems();
                return new Changes(found.put(), found.removed(), reported, began);
            }
            long noticed = awaitEvents();
            while (true) {
                look();
                Contents.Difference found = contents.difference();
                List<FileProblem> problems = problems();
                if (!found.isEmpty() || !problems.equals(reported)) {
                    reported = problems;
                    return new Changes(found.put(), found.removed(), problems, noticed);
                }
                // A file that is still being written was noticed before.
                boolean goesOn = !restless.isEmpty();
                long woken = awaitEvents();
                noticed = goesOn ? noticed : woken;
            }
        } catch (ClosedWatchServiceException e) {
            throw new IOException("closed", e);
        }
    }

    @Override
    public void close() throws IOException {
        watch.close();
    }

    private List<FileProblem> problems() {
        var all = new ArrayList<>(aboutTheDirectory);
        all.addAll(contents.problems());
        return List.copyOf(all);
    }

    /// @return when the first event came, or the directory was looked through without one
    private long awaitEvents() throws InterruptedException {
        // Whoever asked has what is new by now: a disk may be slow.
        recollection.keep(contents.goodTexts());
        Duration patience = restless.isEmpty() ? LOOK_AGAIN : QUIET;
        WatchKey key = watch.poll(patience.toNanos(), TimeUnit.NANOSECONDS);
        long began = System.nanoTime();
        while (key != null) {
            take(key);
            long left = LONGEST_WAIT.toNanos() - (System.nanoTime() - began);
            key = left <= 0 ? watch.poll() : watch.poll(Math.min(left, QUIET.toNanos()), TimeUnit.NANOSECONDS);
            if (left <= 0 && key != null) {
                take(key);
                return began;
            }
        }
        return began;
    }

    private void take(WatchKey key) {
        Path folder = (Path) key.watchable();
        for (WatchEvent<?> event : key.pollEvents()) {
            if (event.kind().equals(StandardWatchEventKinds.OVERFLOW)) {
                lookAtAll = true;
            } else if (event.context() instanceof Path name) {
                Path file = folder.resolve(name);
                touched.add(file);
                if (isDocument(file) && !hidden(file)) {
                    var _ = stir(file, Stamp.orNull(file));
                }
            }
        }
        if (!key.reset()) {
            watched.remove(folder);
        }
    }

    private Restless stir(Path file, @Nullable Stamp stamp) {
        long now = System.nanoTime();
        Restless before = restless.get(file);
        var it = new Restless(stamp, before == null ? now : before.began, now);
        restless.put(file, it);
        return it;
    }

    /// Whether a file that changed has been left alone for a while, so that it is not the half of one.
    ///
    /// @param read what it was when it was read
    private boolean isStill(Path file, Stamp stamp, @Nullable Stamp read, Duration quiet) {
        Restless it = restless.get(file);
        if (it == null ? !stamp.equals(read) : !stamp.equals(it.stamp)) {
            it = stir(file, stamp); // no event told of it
        }
        long now = System.nanoTime();
        return it == null || now - it.still >= quiet.toNanos() || now - it.began >= RESTLESS.toNanos();
    }

    /// Brings the contents up to what the directory holds now.
    private void look() {
        var files = new TreeMap<String, Path>();
        if (first) {
            recollection.texts().forEach(contents::read);
        }
        try {
            aboutTheDirectory = walk(files);
        } catch (IOException e) {
            // Somebody is replacing the whole directory, or unmounted it: not a wish to run without any rule.
            restless.clear();
            aboutTheDirectory = List.of(new FileProblem(
                    new Location(root.toString(), 1, 1),
                    "this directory cannot be read (" + reason(e)
                            + "); what was last read stays in force until it can be"));
            return;
        }
        files.forEach(this::read);
        var there = new HashSet<>(files.values());
        restless.keySet().retainAll(there);
        // A file that appears and is not read yet may be one of those that are gone, under its new name.
        if (stamps.keySet().containsAll(restless.keySet())) {
            contents.keepOnly(files.keySet());
            stamps.keySet().retainAll(there);
        }
        touched.clear();
        touched.addAll(restless.keySet());
        lookAtAll = false;
    }

    private void read(String name, Path file) {
        try {
            Stamp stamp = Stamp.of(file);
            Stamp before = stamps.get(file);
            if (!lookAtAll && !touched.contains(file) && stamp.equals(before) && !stamp.young()) {
                return;
            }
            if (!Files.isRegularFile(file)) {
                unreadable(name, file, "is no file; put the file back, or remove this");
                return;
            }
            if (!first && !isStill(file, stamp, before, QUIET)) {
                return;
            }
            byte[] bytes = upTo(Yaml.LARGEST_FILE + 1, file);
            if (!first && contents.empties(name, bytes) && !isStill(file, stamp, before, EMPTIED)) {
                return;
            }
            restless.remove(file);
            stamps.put(file, stamp);
            contents.read(name, bytes);
        } catch (NoSuchFileException e) {
            if (Files.isSymbolicLink(file)) {
                unreadable(name, file, "is a link to a file that is not there; correct or remove the link");
            } else {
                // Gone between the walk and now; its removal is an event of its own.
                touched.add(file);
            }
        } catch (IOException e) {
            unreadable(name, file, "cannot be read (" + reason(e) + "); make it readable for this user");
        }
    }

    private void unreadable(String name, Path file, String why) {
        stamps.remove(file);
        restless.remove(file);
        contents.unreadable(name, why);
    }

    private static byte[] upTo(int most, Path file) throws IOException {
        try (InputStream in = Files.newInputStream(file)) {
            return in.readNBytes(most);
        }
    }

    private static String reason(IOException e) {
        return e.getClass().getSimpleName() + ": " + e.getMessage();
    }

    private List<FileProblem> walk(SortedMap<String, Path> files) throws IOException {
        var problems = new ArrayList<FileProblem>();
        Files.walkFileTree(root, EnumSet.of(FileVisitOption.FOLLOW_LINKS), DEEPEST, new SimpleFileVisitor<>() {
            @Override
            public FileVisitResult preVisitDirectory(Path folder, BasicFileAttributes attributes) throws IOException {
                if (!folder.equals(root) && hidden(folder)) {
                    return FileVisitResult.SKIP_SUBTREE;
                }
                String name = root.relativize(folder).toString();
                if (contents.knows(name)) {
                    files.put(name, folder); // no removal either
                }
                WatchKey key = watched.get(folder);
                if (key == null || !key.isValid()) {
                    // Before it is listed: what comes later is an event.
                    watched.put(
                            folder,
                            folder.register(
                                    watch,
                                    StandardWatchEventKinds.ENTRY_CREATE,
                                    StandardWatchEventKinds.ENTRY_MODIFY,
                                    StandardWatchEventKinds.ENTRY_DELETE));
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFile(Path file, BasicFileAttributes attributes) {
                // What is no file, or leads nowhere, is no removal: reading it says why.
                if (!hidden(file) && isDocument(file)) {
                    if (files.size() == MOST_FILES) {
                        problems.add(new FileProblem(
                                new Location(root.toString(), 1, 1),
                                "more than " + MOST_FILES + " files; the others are left out, put several documents"
                                        + " into one file"));
                        return FileVisitResult.TERMINATE;
                    }
                    files.put(root.relativize(file).toString(), file);
                }
                return FileVisitResult.CONTINUE;
            }

            @Override
            public FileVisitResult visitFileFailed(Path file, IOException e) throws IOException {
                if (file.equals(root)) {
                    throw e;
                }
                if (isDocument(file) && Files.exists(file)) {
                    files.put(root.relativize(file).toString(), file); // reading it says why
                }
                return FileVisitResult.CONTINUE;
            }
        });
        return problems;
    }

    private static boolean hidden(Path path) {
        return path.getFileName() != null && path.getFileName().toString().startsWith(".");
    }

    private static boolean isDocument(Path path) {
        String name = String.valueOf(path.getFileName()).toLowerCase(Locale.ROOT);
        return name.endsWith(".yaml") || name.endsWith(".yml") || name.endsWith(".json");
    }

    /// A file that changed and is not read yet. Times are of [System#nanoTime()].
    ///
    /// @param stamp when it changed last; null where it was not there
    /// @param began when it changed first
    /// @param still since when it did not change
    private record Restless(@Nullable Stamp stamp, long began, long still) {}

    /// What tells without reading that a file is the one that was read.
    private record Stamp(long modified, long size, @Nullable Object key, long takenAt) {
        static Stamp of(Path file) throws IOException {
            var attributes = Files.readAttributes(file, BasicFileAttributes.class);
            return new Stamp(
                    attributes.lastModifiedTime().toMillis(),
                    attributes.size(),
                    attributes.fileKey(),
                    System.currentTimeMillis());
        }

        static @Nullable Stamp orNull(Path file) {
            try {
                return of(file);
            } catch (IOException gone) {
                return null;
            }
        }

        /// Modified so shortly ago that a second modification may bear the same time.
        boolean young() {
            return takenAt - modified < 1_000;
        }

        @Override
        public boolean equals(@Nullable Object other) {
            return other instanceof Stamp that
                    && modified == that.modified
                    && size == that.size
                    && Objects.equals(key, that.key);
        }

        @Override
        public int hashCode() {
            return Objects.hash(modified, size, key);
        }
    }
}
