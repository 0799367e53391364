#!/usr/bin/python3
"""BGSAVE beside a steady write load: Regent and redis-server in the same run.

    bench/snapshot.py [--keys 10000000] [--rate 20000] [--port 21710]

Fills each server with keys, writes random ones at a steady rate over a few connections, and takes a
snapshot in the middle. Reported for each: the latency's percentiles without and with the snapshot,
the longest stall, how long the snapshot took, and how far the process' memory rose above what it
was before it began (forked children count with what they do not share).
"""

import argparse
import asyncio
import os
import random
import shutil
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


def report(name, samples):
    samples = sorted(samples)
    at = lambda share: samples[min(len(samples) - 1, int(len(samples) * share))] * 1000
    print(f"  {name}: {len(samples)} writes, p50 {at(.5):.3f} p99 {at(.99):.3f} "
          f"p99.9 {at(.999):.3f} max {samples[-1] * 1000:.3f} ms")
    return at(.999)


def build_writer(folder):
    program = os.path.join(folder, "steady")
    subprocess.run(["cc", "-O2", "-D_GNU_SOURCE", "-o", program,
                    os.path.join(ROOT, "bench", "steady.c")], check=True)
    return program


def load(args, seconds, out):
    return subprocess.Popen([args.writer, str(args.port), str(args.keys), str(args.size),
                             str(args.rate), str(seconds), out])


async def measure(name, argv, args, folder):
    server = subprocess.Popen([*argv, "--port", str(args.port), "--save", "", "--dir", folder,
                               "--bind", "127.0.0.1"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        began = time.monotonic()
        await fill(args.port, args.keys, args.size)
        print(f"{name}: {args.keys} keys in {time.monotonic() - began:.1f} s")
        out = os.path.join(folder, "latencies")
        quiet = load(args, args.quiet, out)
        await asyncio.to_thread(quiet.wait)
        without = report("without", read_latencies(out))
        before = memory_bytes(server.pid)
        busy = load(args, 3600, out)
        await asyncio.sleep(0.5)
        began = time.monotonic()
        await ask(args.port, "BGSAVE")
        peak = before
        while (await persistence(args.port))["rdb_bgsave_in_progress"] == "1":
            peak = max(peak, memory_bytes(server.pid))
            await asyncio.sleep(0.2)
        took = time.monotonic() - began
        busy.terminate()
        await asyncio.to_thread(busy.wait)
        status = (await persistence(args.port))["rdb_last_bgsave_status"]
        during = report("during", read_latencies(out))
        print(f"  snapshot: {took:.1f} s, {status}; memory {before >> 20} MB, "
              f"+{(peak - before) * 100 / before:.1f} % at the peak; "
              f"p99.9 {during / without:.2f} times")
    finally:
        server.kill()
        server.wait()


def read_latencies(path):
    with open(path, encoding="ascii") as file:
        return [int(line) / 1e6 for line in file]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--keys", type=int, default=10_000_000)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--rate", type=int, default=20000, help="writes a second")
    parser.add_argument("--quiet", type=int, default=10, help="seconds without a snapshot")
    parser.add_argument("--port", type=int, default=21710)
    parser.add_argument("--only", choices=["regent", "redis"])
    args = parser.parse_args()
    regent = [os.environ.get("REGENT") or os.path.join(ROOT, "build", "regent"), "server"]
    for name, argv in (("regent", regent), ("redis", ["redis-server"])):
        if args.only not in (None, name):
            continue
        folder = tempfile.mkdtemp(prefix="snapshot-", dir=os.environ.get("TMPDIR", "/var/tmp"))
        try:
            args.writer = build_writer(folder)
            asyncio.run(measure(name, argv, args, folder))
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    random.seed(1)
    main()
