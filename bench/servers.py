"""The servers that are measured: started on one core, their CPU time and memory read from /proc."""

import glob
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent
SERVER_CORE = "0"
CLIENT_CORE = "1"


class Server:
    """A server on a port of its own in a directory of its own, pinned to a core."""

    def __init__(self, kind, command, port, core=SERVER_CORE):
        self.kind = kind
        self.port = port
        self.dir = tempfile.mkdtemp(prefix=f"regent-bench-{kind}-")
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", core] + command, cwd=self.dir, stdout=log,
                stderr=subprocess.STDOUT)
        self.wait()

    def wait(self):
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                socket.create_connection(("127.0.0.1", self.port)).close()
                return
            except OSError:
                time.sleep(0.02)
        raise RuntimeError(f"{self.kind} does not listen; see {self.dir}/log")

    def cpu_ns(self):
        """CPU time of all threads in nanoseconds, the kernel's work for them included."""
        total = 0
        for path in glob.glob(f"/proc/{self.process.pid}/task/*/schedstat"):
            with open(path, encoding="ascii") as file:
                total += int(file.read().split()[0])
        return total

    def rss_bytes(self):
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as file:
            for line in file:
                if line.startswith("VmRSS:"):
                    return int(line.split()[1]) * 1024
        raise RuntimeError("no VmRSS")

    def call(self, *words):
        """One command, its reply as raw bytes up to the first end of line."""
        request = b"*%d\r\n" % len(words)
        for word in words:
            word = word.encode() if isinstance(word, str) else word
            request += b"$%d\r\n%s\r\n" % (len(word), word)
        with socket.create_connection(("127.0.0.1", self.port)) as conn:
            conn.sendall(request)
            return conn.makefile("rb").readline()

    def stop(self):
        self.process.terminate()
        self.process.wait()
        shutil.rmtree(self.dir, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()


def start(kind, port, regent):
    """kind: "regent", "redis", "floor-uring" or "floor-epoll"; persistence is off in all."""
    port_text = str(port)
    commands = {
        "regent": [str(regent), "server", "--port", port_text, "--save", ""],
        "redis": ["redis-server", "--port", port_text, "--save", "", "--appendonly", "no"],
        "floor-uring": [str(HERE / "build" / "floor"), port_text, "uring"],
        "floor-epoll": [str(HERE / "build" / "floor"), port_text, "epoll"],
    }
    return Server(kind, commands[kind], port)


CLIENT_LIMIT_S = 600


def client(*words, **kwargs):
    """Runs a client on the clients' core; returns its output. TimeoutExpired: it hangs."""
    kwargs.setdefault("timeout", CLIENT_LIMIT_S)
    done = subprocess.run(["taskset", "-c", CLIENT_CORE] + [str(w) for w in words],
                          capture_output=True, text=True, check=True, **kwargs)
    return done.stdout


def build_tools():
    """The load generator and the floor, by the compiler alone: they stand outside the project."""
    out = HERE / "build"
    out.mkdir(exist_ok=True)
    for name, libs in (("load", []), ("floor", ["-luring"])):
        source = HERE / f"{name}.c"
        target = out / name
        if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
            subprocess.run(["cc", "-O2", "-std=gnu17", "-Wall", "-Wextra", "-Werror", "-o",
                            str(target), str(source)] + libs, check=True)
    return out
