#!/usr/bin/python3
"""BGSAVE beside a steady write load: Regent and redis-server in the same run.

    bench/snapshot.py [--keys 10000000] [--rate 20000] [--rounds 3] [--port 21710]

Fills both servers with keys; then, in each round and for one after the other, writes random ones at
a steady rate over a few connections, without and with a snapshot under way. Reported are medians of
the rounds: the latency's percentiles, the longest turn of the server's loop in processor time (what
else the machine does is not in it), how long the snapshot took, and how far the process' memory
rose above what it was before (forked children count with what they do not share).
"""

import argparse
import asyncio
import mmap
import os
import random
import shutil
import statistics
import struct
import subprocess
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def command(*words):
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


async def connect(port):
    for _ in range(1000):
        try:
            return await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.02)
    raise RuntimeError("the server does not come up")


async def ask(port, *words):
    reader, writer = await connect(port)
    writer.write(command(*words))
    line = await reader.readline()
    if line.startswith(b"$"):
        line = await reader.readexactly(int(line[1:]) + 2)
    writer.close()
    return line


async def persistence(port):
    text = (await ask(port, "INFO", "persistence")).decode()
    return dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)


async def fill(port, keys, size):
    reader, writer = await connect(port)
    step = 10000
    for first in range(0, keys, step):
        writer.write(b"".join(command("SET", b"key:%010d" % i, os.urandom(size // 2).hex())
                              for i in range(first, min(first + step, keys))))
        await reader.readexactly(5 * min(step, keys - first))
    writer.close()


def memory_bytes(pid):
    """What the process and its children hold for themselves."""
    total = 0
    children = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True,
                              check=False).stdout.split()
    for number, one in enumerate([str(pid), *children]):
        field = "Pss:" if children else "Rss:"
        try:
            with open(f"/proc/{one}/smaps_rollup", encoding="ascii") as file:
                total += sum(int(line.split()[1]) for line in file if line.startswith(field)) * 1024
        except OSError:
            assert number > 0, "the server is gone"
    return total


def build(folder, name, *flags):
    target = os.path.join(folder, name)
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", target,
                    os.path.join(ROOT, "bench", f"{name}.c"), *flags], check=True)
    return target


class Turns:
    """The figures that turns.c keeps."""
    FORMAT = "=QQQQ"

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(struct.calcsize(self.FORMAT)))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 0)

    def take(self):
        """Count, longest in ms, over 1 ms, over 2 ms, since the last call."""
        count, longest, over_1, over_2 = struct.unpack(self.FORMAT, self.map[:])
        self.map[:] = bytes(len(self.map))
        return count, longest / 1e6, over_1, over_2


class Server:
    def __init__(self, name, argv, port, folder, args):
        self.name, self.port, self.args = name, port, args
        self.folder = os.path.join(folder, name)
        os.mkdir(self.folder)
        self.out = os.path.join(self.folder, "latencies")
        turns = os.path.join(self.folder, "turns")
        self.turns = Turns(turns)
        self.process = subprocess.Popen(
            [*argv, "--port", str(port), "--save", "", "--dir", self.folder, "--bind", "127.0.0.1"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            env={**os.environ, "LD_PRELOAD": args.shim, "TURNS": turns})
        self.rounds = []

    def load(self, seconds):
        return subprocess.Popen([self.args.writer, str(self.port), str(self.args.keys),
                                 str(self.args.size), str(self.args.rate), str(seconds), self.out])

    def latencies(self):
        samples = sorted(read_latencies(self.out))
        at = lambda share: samples[min(len(samples) - 1, int(len(samples) * share))] * 1000
        return {"p50": at(.5), "p99": at(.99), "p99.9": at(.999), "max": samples[-1] * 1000}

    async def snapshot(self):
        """Seconds that it took, and the most memory meanwhile."""
        began = time.monotonic()
        assert b"started" in await ask(self.port, "BGSAVE")
        peak = 0
        while (await persistence(self.port))["rdb_bgsave_in_progress"] == "1":
            peak = max(peak, memory_bytes(self.process.pid))
            await asyncio.sleep(0.1)
        took = time.monotonic() - began
        assert (await persistence(self.port))["rdb_last_bgsave_status"] == "ok"
        return took, peak

    async def round(self):
        self.turns.take()
        await asyncio.to_thread(self.load(self.args.quiet).wait)
        without = self.latencies()
        quiet_turn = self.turns.take()
        before = memory_bytes(self.process.pid)
        busy = self.load(3600)
        await asyncio.sleep(0.5)
        self.turns.take()
        took, peak = await self.snapshot()
        turn = self.turns.take()
        busy.terminate()
        await asyncio.to_thread(busy.wait)
        during = self.latencies()
        one = {**{f"without {key}": value for key, value in without.items()},
               **{f"during {key}": value for key, value in during.items()},
               "p99.9 ratio": during["p99.9"] / without["p99.9"],
               "turn without": quiet_turn[1], "turn during": turn[1], "turns over 1 ms": turn[2],
               "turns over 2 ms": turn[3], "seconds": took, "memory MB": before / 2**20,
               "memory +%": (peak - before) * 100 / before}
        self.rounds.append(one)
        print(f"{self.name}: p99.9 {without['p99.9']:.3f} -> {during['p99.9']:.3f} ms, longest turn "
              f"{quiet_turn[1]:.3f} -> {turn[1]:.3f} ms, {took:.1f} s", flush=True)

    def medians(self):
        return {key: statistics.median(one[key] for one in self.rounds) for key in self.rounds[0]}


def table(servers):
    results = [server.medians() for server in servers]
    print(f"\n{'medians (latencies and turns in ms)':36}" +
          "".join(f"{server.name:>12}" for server in servers))
    for key in results[0]:
        print(f"{key:36}" + "".join(f"{result[key]:12.3f}" for result in results))


async def measure(args, folder):
    regent = os.environ.get("REGENT") or os.path.join(ROOT, "build", "regent")
    # The same way of waiting for both, which turns.c knows.
    kinds = [("regent", [regent, "server", "--io-backend", "epoll"]), ("redis", ["redis-server"])]
    servers = [Server(name, argv, args.port + number, folder, args)
               for number, (name, argv) in enumerate(kinds) if args.only in (None, name)]
    try:
        for server in servers:
            began = time.monotonic()
            await fill(server.port, args.keys, args.size)
            print(f"{server.name}: {args.keys} keys in {time.monotonic() - began:.1f} s", flush=True)
        for _ in range(args.rounds):
            for server in servers:
                await server.round()
        table(servers)
    finally:
        for server in servers:
            server.process.kill()
            server.process.wait()


def read_latencies(path):
    with open(path, encoding="ascii") as file:
        return [int(line) / 1e6 for line in file]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rate", type=int, default=20000, help="writes a second")
    parser.add_argument("--quiet", type=int, default=10, help="seconds without a snapshot")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--port", type=int, default=21710, help="and the one above it")
    parser.add_argument("--only", choices=["regent", "redis"])
    args = parser.parse_args()
    folder = tempfile.mkdtemp(prefix="snapshot-", dir=os.environ.get("TMPDIR", "/var/tmp"))
    try:
        args.writer = build(folder, "steady")
        args.shim = build(folder, "turns", "-shared", "-fPIC")
        asyncio.run(measure(args, folder))
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    random.seed(1)
    main()
