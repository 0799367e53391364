#!/usr/bin/env python3
"""How long a file takes to load: files that redis-server writes, loaded by it and by Regent.

Each kind of value has a file of its own. Both servers load it in turn, pinned to one core, and the
best of the rounds counts: wall time until the first PING that is answered, CPU time and used_memory
beyond those of an empty server.
"""

import argparse
import os
import pathlib
import shutil
import socket
import subprocess
import tempfile
import time

import servers

# Per kind: how many keys or elements at scale 1, and a script that makes those from ARGV[1] up to
# ARGV[2].
KINDS = {
    "strings": (1000000, "redis.call('set', 'key:'..i, 'value:'..i)"),
    "hashes of 20 texts": (60000, "local a = {} for j = 1, 20 do a[2*j-1] = 'field:'..j "
                                  "a[2*j] = 'value:'..(i*j) end redis.call('hset', 'h:'..i, unpack(a))"),
    "hashes of 20 numbers": (60000, "local a = {} for j = 1, 20 do a[2*j-1] = 'field:'..j "
                                    "a[2*j] = i*j end redis.call('hset', 'h:'..i, unpack(a))"),
    "zsets of 10 texts": (100000, "local a = {} for j = 1, 10 do a[2*j-1] = i+j "
                                  "a[2*j] = 'member:'..(i*j) end redis.call('zadd', 'z:'..i, unpack(a))"),
    "zsets of 100 numbers": (20000, "local a = {} for j = 1, 100 do a[2*j-1] = j "
                                    "a[2*j] = 10000000+i*j end redis.call('zadd', 'z:'..i, unpack(a))"),
    "zsets of 10 fractions": (100000, "local a = {} for j = 1, 10 do a[2*j-1] = (i+j)/7 "
                                      "a[2*j] = 'member:'..(i*j) end redis.call('zadd', 'z:'..i, unpack(a))"),
    "sets of 10 texts": (100000, "local a = {} for j = 1, 10 do a[j] = 'member:'..(i*j) end "
                                 "redis.call('sadd', 's:'..i, unpack(a))"),
    "sets of 20 numbers": (100000, "local a = {} for j = 1, 20 do a[j] = i*j end "
                                   "redis.call('sadd', 's:'..i, unpack(a))"),
    "lists of 10 texts": (100000, "local a = {} for j = 1, 10 do a[j] = 'element:'..(i*j) end "
                                  "redis.call('rpush', 'l:'..i, unpack(a))"),
    "lists of 10 numbers": (100000, "local a = {} for j = 1, 10 do a[j] = i*j end "
                                    "redis.call('rpush', 'l:'..i, unpack(a))"),
    "list of texts": (1000000, "redis.call('rpush', 'list', 'element:'..i)"),
    "list of small numbers": (1000000, "redis.call('rpush', 'list', i % 100)"),
    "list of 8 digits": (1000000, "redis.call('rpush', 'list', 10000000+i)"),
    "hash": (500000, "redis.call('hset', 'hash', 'field:'..i, 'value:'..i)"),
    "set": (500000, "redis.call('sadd', 'set', 'member:'..i)"),
    "zset": (500000, "redis.call('zadd', 'zset', i*7 % 1000003, 'member:'..i)"),
}
STEP = 5000


class Loading:
    """One server with one file in its directory."""

    def __init__(self, kind, port, regent, file):
        port += kind == "regent"
        self.dir = tempfile.mkdtemp(prefix="regent-loading-")
        if file is not None:
            os.link(file, os.path.join(self.dir, "dump.rdb"))
        command = {"regent": [str(regent), "server"], "redis": ["redis-server"]}[kind]
        started = time.monotonic()
        with open(os.path.join(self.dir, "log"), "wb") as log:
            self.process = subprocess.Popen(
                ["taskset", "-c", servers.SERVER_CORE] + command +
                ["--port", str(port), "--save", "", "--dir", self.dir,
                 "--proto-max-bulk-len", "536870912"],
                cwd=self.dir, stdout=log, stderr=subprocess.STDOUT)
        self.port = port
        while not self.ready():
            if self.process.poll() is not None or time.monotonic() > started + 120:
                raise RuntimeError(f"{kind} does not answer; see {self.dir}/log")
            time.sleep(0.002)
        self.wall_s = time.monotonic() - started
        self.cpu_s = servers.Server.cpu_ns(self) / 1e9

    def ready(self):
        try:
            return self.call("PING").startswith(b"+PONG")
        except OSError:
            return False

    def call(self, *words):
        request = b"*%d\r\n" % len(words)
        for word in words:
            request += b"$%d\r\n%s\r\n" % (len(str(word)), str(word).encode())
        with socket.create_connection(("127.0.0.1", self.port)) as conn:
            conn.sendall(request)
            file = conn.makefile("rb")
            line = file.readline()
            if line.startswith(b"$") and not line.startswith(b"$-"):
                line = file.read(int(line[1:]))
            return line

    def memory(self):
        for line in self.call("INFO", "memory").split(b"\r\n"):
            if line.startswith(b"used_memory:"):
                return int(line.split(b":")[1])
        raise RuntimeError("no used_memory")

    def stop(self):
        self.process.kill()
        self.process.wait()
        time.sleep(0.1)  # a ring's sockets go a moment after their process
        shutil.rmtree(self.dir, ignore_errors=True)


def make_file(path, count, body, port, compress):
    """A file of that kind, made by redis-server."""
    server = Loading("redis", port, None, None)
    try:
        server.call("CONFIG", "SET", "rdbcompression", "yes" if compress else "no")
        script = f"for i = ARGV[1], ARGV[2] do {body} end"
        for first in range(1, count + 1, STEP):
            reply = server.call("EVAL", script, 0, first, min(count, first + STEP - 1))
            if reply.startswith(b"-"):
                raise RuntimeError(reply)
        if not server.call("SAVE").startswith(b"+OK"):
            raise RuntimeError("SAVE failed")
        shutil.move(os.path.join(server.dir, "dump.rdb"), path)
    finally:
        server.stop()


def measure(kind, path, args):
    """The best wall and CPU seconds of the rounds, and the memory."""
    best = None
    for _ in range(args.rounds):
        server = Loading(kind, args.port, args.regent, path)
        row = (server.wall_s, server.cpu_s, server.memory())
        server.stop()
        best = row if best is None else tuple(min(pair) for pair in zip(best, row))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--regent", default=servers.ROOT / "build" / "regent")
    parser.add_argument("--port", type=int, default=7391)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--files", default=tempfile.gettempdir() + "/regent-loading-files",
                        help="where the files are kept for the next time")
    parser.add_argument("--plain", action="store_true", help="rdbcompression no")
    parser.add_argument("kinds", nargs="*", help="parts of names; all without")
    args = parser.parse_args()
    pathlib.Path(args.files).mkdir(parents=True, exist_ok=True)
    empty = {kind: measure(kind, None, args) for kind in ("redis", "regent")}
    print(f"{'':24}{'redis ms':>10}{'regent ms':>10}{'faster':>8}{'cpu':>7}"
          f"{'redis MB':>10}{'regent MB':>10}{'memory':>8}")
    for name, (count, body) in KINDS.items():
        if args.kinds and not any(part in name for part in args.kinds):
            continue
        count = int(count * args.scale)
        file = f"{name.replace(' ', '-')}-{count}{'-plain' if args.plain else ''}.rdb"
        path = os.path.join(args.files, file)
        if not os.path.exists(path):
            make_file(path, count, body, args.port, not args.plain)
        redis = measure("redis", path, args)
        regent = measure("regent", path, args)
        cpu, data = ([row[i] - empty[kind][i] for kind, row in
                      (("redis", redis), ("regent", regent))] for i in (1, 2))
        print(f"{name:24}{redis[0] * 1e3:10.0f}{regent[0] * 1e3:10.0f}"
              f"{redis[0] / regent[0]:8.2f}{cpu[0] / max(cpu[1], 1e-4):7.2f}"
              f"{data[0] / 1e6:10.2f}{data[1] / 1e6:10.2f}{data[1] / data[0]:8.2f}",
              flush=True)


if __name__ == "__main__":
    main()
