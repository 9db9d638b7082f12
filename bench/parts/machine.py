"""Processes pinned to cores, and what the kernel says they took."""

import atexit
import fcntl
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time

TICK = os.sysconf("SC_CLK_TCK")
MINE = sorted(os.sched_getaffinity(0))
# With two cores the second of TWO_CORES is the load's.
PROXY_CORE, LOAD_CORE, TWO_CORES = {MINE[0]}, {MINE[-1]}, set(MINE[:2])
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 1

BEGAN = time.monotonic()

running = []


def say(text):
    print(f"compare: {time.monotonic() - BEGAN:5.0f} s: {text}", file=sys.stderr, flush=True)


class Failed(Exception):
    """Nothing can be measured, and the sentence says why."""


class Process:
    """A command on some cores. What it prints goes to a file, whose end is shown where it fails."""

    def __init__(self, name, command, cores, work, environment=None, yielding=False):
        """`yielding` gives way to whoever else wants its core."""
        self.name, self.log = name, work / f"{name}.log"

        def settle():
            os.sched_setaffinity(0, cores)
            if yielding:
                os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
        with open(self.log, "ab") as log:
            # A session of its own: an interrupt is for us, who then end it in order.
            self.popen = subprocess.Popen(
                [str(word) for word in command],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
                env={**os.environ, **(environment or {})},
                preexec_fn=settle)
        self.pid = self.popen.pid
        running.append(self)

    def check(self):
        if self.popen.poll() is not None:
            end = "\n".join(self.log.read_text(errors="replace").splitlines()[-15:])
            raise Failed(f"{self.name} ended with status {self.popen.returncode}:\n{end}")

    def stop(self):
        if self in running:
            running.remove(self)
        if self.popen.poll() is None:
            self.popen.terminate()
            try:
                self.popen.wait(10)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()

    def cpu(self):
        """Seconds of user and system time so far, those of ended threads included."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / TICK

    def resident(self):
        """MB of resident memory."""
        with open(f"/proc/{self.pid}/status") as status:
            for line in status:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) / 1024
        raise Failed(f"{self.name} has no resident memory: it is gone")

    def proportional(self):
        """MB of memory, of what it shares with others its part only."""
        with open(f"/proc/{self.pid}/smaps_rollup") as rollup:
            for line in rollup:
                if line.startswith("Pss:"):
                    return int(line.split()[1]) / 1024
        raise Failed(f"{self.name} has no memory: it is gone")


def stop_all():
    for process in reversed(list(running)):
        process.stop()


def clean_up_at_the_end(work):
    """However this ends, nothing keeps running and the work folder goes."""
    def interrupted(number, frame):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, interrupted)
    atexit.register(shutil.rmtree, work, True)
    atexit.register(stop_all)


def eventually(what, holds, patience=60, pause=0.02):
    end = time.monotonic() + patience
    while not holds():
        if time.monotonic() > end:
            raise Failed(f"after {patience} s it is not true: {what}")
        time.sleep(pause)


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def raise_loopback():
    """In a new network namespace it is down."""
    with socket.socket() as any_socket:
        request = struct.pack("16sh14x", b"lo", 0)
        flags = struct.unpack("16sh14x", fcntl.ioctl(any_socket, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(any_socket, SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", flags | IFF_UP))


def busy(seconds=1.0):
    """Percent of all cores' time that somebody used, or the hypervisor took, during so many seconds."""
    def read():
        with open("/proc/stat") as stat:
            fields = [int(field) for field in stat.readline().split()[1:9]]
        return sum(fields), fields[3] + fields[4]
    before = read()
    time.sleep(seconds)
    after = read()
    return 100 * (1 - (after[1] - before[1]) / max(1, after[0] - before[0]))
