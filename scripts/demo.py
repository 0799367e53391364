#!/usr/bin/python3
"""Three nodes, a client that writes, a primary that is killed: is every acknowledged write there?

HOLD=1 leaves the group up for the reader to play with.
"""

import os
import re
import shutil
import signal
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
sys.dont_write_bytecode = True

import redis  # noqa: E402

import nodes  # noqa: E402

WRITES_PER_SECOND = 200
HOLD = os.environ.get("HOLD", "") not in ("", "0")


def say(text):
    print(f"\n== {text}", flush=True)


class Writer(threading.Thread):
    """Writes demo:0, demo:1, … at a steady pace through redis-py's Sentinel client, as any
    application would, and keeps what was acknowledged. A write that failed is tried again under its
    own name; until it is acknowledged nobody was promised anything."""

    def __init__(self, group):
        super().__init__(daemon=True)
        self.client = group.writer_client()
        self.acknowledged = 0
        self.times = []
        self.errors = {}
        self.ending = threading.Event()

    def run(self):
        while not self.ending.is_set():
            begin = time.monotonic()
            try:
                self.client.set(f"demo:{self.acknowledged}", f"value-{self.acknowledged}")
                self.acknowledged += 1
                self.times.append(time.monotonic())
            except (redis.RedisError, OSError) as error:
                text = str(error).split(".")[0]
                self.errors[text] = self.errors.get(text, 0) + 1
                time.sleep(0.005)
                continue
            time.sleep(max(0.0, 1 / WRITES_PER_SECOND - (time.monotonic() - begin)))

    def longest_gap(self, begin):
        times = [t for t in self.times if t >= begin - 0.1]
        return max((b - a for a, b in zip(times, times[1:])), default=float("inf"))

    def wait_for(self, more, timeout=20):
        goal = self.acknowledged + more
        nodes.wait_until(lambda: self.acknowledged >= goal, timeout, "writes are acknowledged")

    def end(self):
        self.ending.set()
        self.join(10)


class Narrator:
    """Prints what the nodes log, as it happens."""

    def __init__(self, group):
        self.files = [(node, open(node.log_path, encoding="utf-8", errors="replace"))
                      for node in group.nodes]
        for _, file in self.files:
            file.seek(0, os.SEEK_END)

    def tell(self):
        """Lines of all nodes since the last call, in the order of their times."""
        lines = [(line.rstrip(), node.port) for node, file in self.files for line in file]
        for line, port in sorted(lines, key=self.time_of):
            print(f"   {port}| {line}", flush=True)

    @staticmethod
    def time_of(entry):
        match = re.search(r"\d\d:\d\d:\d\d\.\d{3}", entry[0])
        return match.group(0) if match else ""


def lost_writes(group, writer):
    primary = group.wait_primary()
    client = primary.client()
    lost = []
    for start in range(0, writer.acknowledged, 1000):
        numbers = range(start, min(start + 1000, writer.acknowledged))
        values = client.mget([f"demo:{number}" for number in numbers])
        lost += [n for n, value in zip(numbers, values) if value != f"value-{n}".encode()]
    return lost


def play(group):
    """Returns the number of lost writes."""
    say("three nodes start, and elect their first primary")
    group.start()
    for node in group.nodes:
        print("".join(f"   {node.port}| {line}\n" for line in node.log().splitlines()
                      if "group:" in line), end="")
    narrator = Narrator(group)
    print()
    print(group.status())

    say(f"a client writes, {WRITES_PER_SECOND} a second, through redis-py's Sentinel client")
    writer = Writer(group)
    writer.start()
    writer.wait_for(WRITES_PER_SECOND * 2)
    narrator.tell()
    print(group.status())

    primary = group.wait_primary()
    say(f"kill -9 {primary.process.pid}: the primary, {primary.address}")
    killed_at = time.monotonic()
    primary.kill()
    nodes.wait_until(lambda: narrator.tell() or group.primary() not in (None, primary), 20,
                     "another primary")
    writer.wait_for(WRITES_PER_SECOND)
    narrator.tell()
    gap = writer.longest_gap(killed_at)
    print()
    print(group.status())

    say(f"the old primary, {primary.address}, is started again, and rejoins")
    primary.start()
    nodes.wait_until(lambda: narrator.tell() or sum(
        state == "healthy" for _, _, state in group.roles().values()) == 3, 20, "three healthy nodes")
    writer.wait_for(WRITES_PER_SECOND)
    writer.end()
    narrator.tell()
    print()
    print(group.status())

    say("every acknowledged write is looked up on the primary")
    lost = lost_writes(group, writer)
    print(f"writes acknowledged:   {writer.acknowledged}")
    print(f"lost:                  {len(lost)}" + (f"  ({lost[:10]} …)" if lost else ""))
    print(f"time without a primary: {gap * 1000:.0f} ms (between two acknowledged writes)")
    if writer.errors:
        print("what the client saw meanwhile, and tried again: "
              + "; ".join(f"{text} ({count}x)" for text, count in writer.errors.items()))
    return len(lost)


def hold(group, folder):
    pids = " ".join(str(node.process.pid) for node in group.nodes)
    port = group.nodes[0].port
    say("HOLD=1: the group stays up")
    print(f"""nodes:      {', '.join(f'{n.address} (pid {n.process.pid})' for n in group.nodes)}
files:      {folder}
the table:  build/regent status 127.0.0.1:{port} --watch
hand over:  build/regent failover 127.0.0.1:{port}
talk:       redis-cli -p {port} sentinel get-master-addr-by-name {group.name}
end it:     kill {pids}; rm -r {folder}""", flush=True)


def main():
    folder = tempfile.mkdtemp(prefix="regent-demo-")
    group = nodes.Group(folder, name="demo")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    held = False
    try:
        lost = play(group)
        if HOLD and lost == 0:
            hold(group, folder)
            held = True
        return 1 if lost else 0
    except (AssertionError, redis.RedisError, OSError) as error:
        print(f"\ndemo: {error}", file=sys.stderr)
        for node in group.nodes:
            print(f"\n-- the end of {node.address}'s log:\n" + node.log()[-2000:], file=sys.stderr)
        return 1
    finally:
        if not held:
            for node in group.nodes:
                node.kill()
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
