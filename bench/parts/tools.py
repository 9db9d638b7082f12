"""What a comparison needs, fetched into .cache/bench where the machine has it not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from parts.machine import Failed, say

ROOT = Path(__file__).resolve().parents[2]
CACHE = ROOT / ".cache" / "bench"
FORTIO = "1.66.5"


class Tools:
    """Paths of the product and of what it is measured with."""

    def __init__(self):
        self.bodyguard = ROOT / "distribution" / "target" / "bodyguard" / "bodyguard"
        self.benchmarks = ROOT / "modules" / "bench" / "run"
        self.fortio = CACHE / "bin" / "fortio"
        self.nginx = from_debian("nginx", "usr/sbin/nginx")
        self.haproxy = from_debian("haproxy", "usr/sbin/haproxy")
        self.wrk = from_debian("wrk", "usr/bin/wrk")
        self.h2load = from_debian("h2load", "usr/bin/h2load", "nghttp2-client")
        self.nghttp = self.h2load.parent / "nghttp"
        # What was taken out of a package finds its libraries there.
        self.libraries = {"LD_LIBRARY_PATH": ":".join(str(folder) for folder in (CACHE / "debian").glob("usr/lib/*-linux-*"))}
        self.envoy = Path(quiet([ROOT / "conformance" / "tools" / "envoy"], BODYGUARD_CHECKOUT=str(ROOT)).strip())

    def bring(self, benchmarks):
        """Fetches and builds what is missing, JMH's benchmarks only where asked for; later calls find it done."""
        if not self.fortio.exists():
            go = shutil.which("go") or "/usr/local/go/bin/go"
            if not os.access(go, os.X_OK):
                raise Failed("fortio is built by Go, and there is none: install it (go.dev/dl, or your package manager)")
            say(f"building fortio {FORTIO}")
            quiet([go, "install", f"fortio.org/fortio@v{FORTIO}"], GOBIN=str(self.fortio.parent))
        # In a checkout the launcher builds; what is measured is what it built, as a user unpacks it.
        subprocess.run([ROOT / "bodyguard", "--version"], check=True, stdout=sys.stderr)
        if benchmarks:
            # JMH lists them; what matters is that they are built, as inside there is no network to build by.
            say("building the benchmarks")
            quiet([self.benchmarks, "-l"])
        # Maven does not train; whoever unpacks a distribution may.
        home = self.bodyguard.parent
        origin = home / "trained" / "origin"
        if not origin.exists() or not origin.read_text().endswith((home / "conf" / "jars.sha256").read_text()):
            say("training what is measured")
            subprocess.run([ROOT / "bodyguard", "train"], check=True, stdout=sys.stderr)
        return self


def from_debian(name, path, package=None):
    """Where a program is: of this machine, or out of its Debian package, with whatever libraries this machine lacks."""
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin")
    if found:
        return Path(found)
    folder = CACHE / "debian"
    if not (folder / path).exists():
        if not shutil.which("apt-get"):
            raise Failed(f"{name} is not installed, and there is no apt-get to bring it")
        say(f"fetching {name} (Debian package)")
        (folder / "partial").mkdir(parents=True, exist_ok=True)
        # Only downloaded, so root is not needed, and so no lock.
        download = ["apt-get", "install", "-qq", "-y", "--no-install-recommends", "--download-only",
                    "-o", f"Dir::Cache::archives={folder}", "-o", "Debug::NoLocking=true", package or name]
        try:
            quiet(download)
        except Failed:
            quiet(["apt-get", "update", "-qq"])
            quiet(download)
        for archive in sorted(folder.glob("*.deb")):
            quiet(["dpkg", "-x", archive, folder])
            archive.unlink()
    return folder / path


def quiet(command, cwd=None, **environment):
    done = subprocess.run([str(word) for word in command], cwd=cwd, env={**os.environ, **environment},
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise Failed(f"{' '.join(str(word) for word in command)} failed:\n{done.stderr[-2000:]}")
    return done.stdout
