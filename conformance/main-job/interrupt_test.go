package mainjob

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	. "dev.bodyguard/conformance/harness"
)

// Ctrl-C on a terminal ends the build of the first use, and all that it has started.
func TestInterruptedBuildLeavesNothing(t *testing.T) {
	clone := t.TempDir()
	copied := exec.Command("sh", "-c", `git ls-files -z | tar --null -T - -cf - | tar -xf - -C "$0"`, clone)
	copied.Dir = Root
	if output, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("copying the sources: %v\n%s", err, output)
	}
	terminal := onTerminal(t, filepath.Join(clone, "bodyguard"), "demo")
	Eventually(t, 5*time.Minute, "the compiler runs", func() bool { return terminal.runs("javac") })

	terminal.interrupt()

	terminal.isLeft(t)
}

// Ctrl-C ends the demo while it starts, whatever has started by then.
func TestInterruptedStartLeavesNothing(t *testing.T) {
	for _, started := range []string{"java", "payment-service", "checkout"} {
		t.Run(started, func(t *testing.T) {
			state := filepath.Join(t.TempDir(), "state")
			terminal := onTerminal(t, filepath.Join(Root, "bodyguard"), "demo", "--state", state)
			Eventually(t, 2*time.Minute, started+" runs", func() bool { return terminal.runs(started) })

			terminal.interrupt()

			terminal.isLeft(t)
		})
	}
}

// Ctrl-C ends the training, whatever it is at by then, and the cache that was in force stays so.
func TestInterruptedTrainingLeavesNothing(t *testing.T) {
	home := installed(t)
	trained := filepath.Join(home, "trained")
	cache := filepath.Join(trained, "sidecar.aot")
	if err := errors.Join(os.Mkdir(trained, 0o755), os.WriteFile(cache, []byte("of before"), 0o600)); err != nil {
		t.Fatal(err)
	}
	for name, reached := range map[string]string{
		"the control plane starts": "*/mesh",
		"the sidecar is asked":     "*/state/sidecars/training/sidecar.json",
		"the caches are assembled": "*/run",
	} {
		t.Run(name, func(t *testing.T) {
			work := t.TempDir()
			t.Setenv("TMPDIR", work)
			terminal := onTerminal(t, filepath.Join(home, "bodyguard"), "train")
			Eventually(t, time.Minute, reached+" is there", func() bool {
				found, _ := filepath.Glob(filepath.Join(work, reached))
				// A JVM that records makes its file when it starts, and fills it when it ends.
				return len(found) > 0 && isFilled(found[0]) && terminal.runs("java")
			})

			terminal.interrupt()

			terminal.isLeft(t)
			if status := terminal.script.ProcessState.ExitCode(); status != 130 {
				t.Errorf("it ended with status %d, want 130", status)
			}
			if content, err := os.ReadFile(cache); err != nil || string(content) != "of before" {
				t.Errorf("the cache in force is %d bytes, %v", len(content), err)
			}
			for _, pattern := range []string{filepath.Join(home, ".trained*"), filepath.Join(work, "tmp.*")} {
				if left, _ := filepath.Glob(pattern); len(left) > 0 {
					t.Errorf("left behind: %v", left)
				}
			}
		})
	}
}

func isFilled(file string) bool {
	state, err := os.Stat(file)
	return err == nil && state.Size() > 0
}

// Ctrl-C ends the training that follows a build, too. What Maven would build is there already.
func TestInterruptedTrainingAfterABuildLeavesNothing(t *testing.T) {
	checkout, tools, work := t.TempDir(), t.TempDir(), t.TempDir()
	stand := `#!/bin/sh
mkdir -p distribution/target && cp -a "` + filepath.Join(Root, "distribution", "target", "bodyguard") + `" distribution/target/ &&
	rm -rf distribution/target/bodyguard/trained && touch distribution/target/built
`
	for file, content := range map[string]string{filepath.Join(tools, "mvn"): stand, filepath.Join(checkout, "pom.xml"): "<project/>"} {
		if err := os.WriteFile(file, []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, folder := range []string{"modules", "distribution", "charts"} {
		if err := os.Mkdir(filepath.Join(checkout, folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if output, err := exec.Command("cp", filepath.Join(Root, "bodyguard"), checkout).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	t.Setenv("PATH", tools+":"+os.Getenv("PATH"))
	t.Setenv("TMPDIR", work)
	terminal := onTerminal(t, filepath.Join(checkout, "bodyguard"), "--version")
	Eventually(t, time.Minute, "the sidecar is asked", func() bool {
		found, _ := filepath.Glob(filepath.Join(work, "*/state/sidecars/training/sidecar.json"))
		return len(found) > 0
	})

	terminal.interrupt()

	terminal.isLeft(t)
	if left, _ := filepath.Glob(filepath.Join(checkout, "distribution/target/bodyguard/*trained*")); len(left) > 0 {
		t.Errorf("a cache is in force: %v", left)
	}
	if left, _ := filepath.Glob(filepath.Join(work, "tmp.*")); len(left) > 0 {
		t.Errorf("left behind: %v", left)
	}
}

// `bodyguard train` says what it did, and the next processes load what it left.
func TestTrain(t *testing.T) {
	home := installed(t)
	output, err := exec.Command(filepath.Join(home, "bodyguard"), "train").CombinedOutput()
	t.Log(string(output))
	trained := filepath.Join(home, "trained")
	line := `^bodyguard: trained in \d+ s: sidecars, the control plane and commands map what is in ` + regexp.QuoteMeta(trained) +
		` \(\d+ MiB\) when they start\.\n$`
	if err != nil || !Compile(line).Match(output) {
		t.Fatalf("%v, and not %s", err, line)
	}

	mains := map[string]string{"sidecar": `dev\.bodyguard\.proxy\.sidecar`, "run": `dev\.bodyguard\.standalone`, "check": `dev\.bodyguard\.cli`}
	for kind, main := range mains {
		if classes := loaded(t, home, kind); !Compile(main + `\.Main source: shared objects file`).MatchString(classes) {
			t.Errorf("the Main of %s comes from elsewhere:\n%s", kind, Tail(classes, 5))
		}
	}

	// Another JDK finds its own classes where it always does, not a cache that it could not map.
	if err := os.WriteFile(filepath.Join(trained, "origin"), []byte("JAVA_VERSION=\"25.0.99\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for kind, main := range mains {
		classes := loaded(t, home, kind)
		if !Compile(`java\.lang\.Object source: shared objects file`).MatchString(classes) ||
			Compile(main+`\.Main source: shared objects file`).MatchString(classes) {
			t.Errorf("%s starts otherwise than by the JDK's shared classes alone:\n%s", kind, Tail(classes, 5))
		}
	}
}

// What a process loads to print its help, and from where.
func loaded(t *testing.T, home, kind string) string {
	t.Helper()
	list := filepath.Join(t.TempDir(), "loaded")
	command := exec.Command(filepath.Join(home, "bodyguard"), kind, "--help")
	command.Env = append(os.Environ(), "BODYGUARD_JAVA_OPTS=-Xlog:class+load:file="+list)
	if output, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	classes, err := os.ReadFile(list)
	if err != nil {
		t.Fatal(err)
	}
	return string(classes)
}

// A distribution as it is unpacked, without what training has left beside it.
func installed(t *testing.T) string {
	t.Helper()
	home := filepath.Join(t.TempDir(), "bodyguard")
	copied := exec.Command("cp", "-a", filepath.Join(Root, "distribution", "target", "bodyguard"), home)
	if output, err := copied.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, output)
	}
	if err := os.RemoveAll(filepath.Join(home, "trained")); err != nil {
		t.Fatal(err)
	}
	return home
}

// A command in the foreground of a terminal of its own, and every process that came of it: the demo takes its own out
// of the terminal's session.
type terminal struct {
	script *exec.Cmd
	keys   io.Writer
	ended  chan struct{}
	known  map[process]bool
}

func onTerminal(t *testing.T, command ...string) *terminal {
	t.Helper()
	opened := &terminal{
		script: exec.Command("script", "-qefc", strings.Join(command, " "), "/dev/null"),
		ended:  make(chan struct{}),
		known:  map[process]bool{},
	}
	opened.script.Stdout = io.Discard
	keys, err := opened.script.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	opened.keys = keys
	if err := opened.script.Start(); err != nil {
		t.Fatal(err)
	}
	go func() { _ = opened.script.Wait(); close(opened.ended) }()
	t.Cleanup(func() {
		for _, p := range opened.running() {
			_ = syscall.Kill(p.pid, syscall.SIGKILL)
		}
	})
	return opened
}

func (s *terminal) interrupt() { _, _ = io.WriteString(s.keys, "\x03") }

func (s *terminal) runs(name string) bool {
	for _, p := range s.running() {
		if p.name == name {
			return true
		}
	}
	return false
}

func (s *terminal) isLeft(t *testing.T) {
	t.Helper()
	Eventually(t, 30*time.Second, "it ends", func() bool {
		s.running() // what starts meanwhile belongs to it too
		select {
		case <-s.ended:
			return true
		default:
			return false
		}
	})
	for _, p := range s.running() {
		t.Errorf("left behind: %d %s", p.pid, p.name)
	}
}

// Those that run now; a process is known from when it was seen below one that is known.
func (s *terminal) running() []process {
	parents, now := processes()
	started := map[int]uint64{}
	for p := range now {
		started[p.pid] = p.started
	}
	known := map[int]bool{s.script.Process.Pid: true}
	for p := range s.known {
		// Its name may be another by now, and its number another's.
		known[p.pid] = known[p.pid] || started[p.pid] == p.started
	}
	for p := range now {
		for above, ok := p.pid, true; ok; above, ok = parents[above] {
			if known[above] {
				s.known[p] = true
				break
			}
		}
	}
	var running []process
	for p := range s.known {
		if now[p] {
			running = append(running, p)
		}
	}
	return running
}

// A process, told from a later one of the same number by when it started.
type process struct {
	pid     int
	started uint64
	name    string
}

// Every process of the machine but those that have ended and wait for their parents, and all parents (proc(5), stat).
func processes() (parents map[int]int, running map[process]bool) {
	parents, running = map[int]int{}, map[process]bool{}
	files, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			continue // it has just ended
		}
		text := string(content)
		name := text[strings.IndexByte(text, '(')+1 : strings.LastIndexByte(text, ')')]
		fields := strings.Fields(text[strings.LastIndexByte(text, ')')+1:])
		pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(file)))
		parent, _ := strconv.Atoi(fields[1])
		started, _ := strconv.ParseUint(fields[19], 10, 64)
		if fields[0] != "Z" {
			parents[pid] = parent
			running[process{pid, started, name}] = true
		}
	}
	return parents, running
}
