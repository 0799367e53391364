"""ioredis, the client of Node.js, with the data nodes of a group as its sentinels."""

import json
import os
import shutil
import subprocess
import threading

import pytest

from group import Group
from processes import eventually

FOLDER = os.path.dirname(os.path.abspath(__file__))
OUTAGE_S = 1.5


class Follower:
    """The running client; what it printed."""

    def __init__(self, group):
        self.process = subprocess.Popen(
            ["node", os.path.join(FOLDER, "ioredis_follow.js"), group.name,
             *[node.address for node in group.nodes]],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.events = []
        self.noise = []
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        for line in self.process.stdout:
            try:
                self.events.append(json.loads(line))
            except ValueError:
                self.noise.append(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def of(self, event):
        return [entry for entry in list(self.events) if entry["event"] == event]

    def wait_acks(self, count):
        goal = len(self.of("ack")) + count
        eventually(lambda: len(self.of("ack")) >= goal, 20,
                   message=lambda: f"{self.events[-3:]} {self.noise[-5:]}")

    def end(self):
        self.process.stdin.write("end\n")
        self.process.stdin.flush()
        assert self.process.wait(15) == 0, self.noise


@pytest.fixture
def installed():
    assert shutil.which("node"), "nodejs is missing"
    assert os.path.isdir(os.path.join(FOLDER, "node_modules", "ioredis")), \
        "ioredis is missing: npm ci in tests/interop"


def test_ioredis_follows_the_primary(tmp_path, installed):
    with Group(tmp_path) as group:
        with Follower(group) as client:
            client.wait_acks(50)
            basics = client.of("basics")[0]
            assert basics == {"event": "basics", "ok": "OK", "value": "grün", "count": 42,
                              "hash": {"a": "1", "b": "2"}, "heard": "hello", "role": "master",
                              "readerRole": "slave"}
            old = group.wait_whole()
            before = len(client.of("ack"))
            old.kill()
            client.wait_acks(50)
            acks = client.of("ack")
            gap = max(b["at"] - a["at"] for a, b in zip(acks[before - 1:], acks[before:])) / 1000
            print(f"without an acknowledged write: {1000 * gap:.0f} ms")
            client.end()
            new = group.wait_primary(other_than=old)
            group.check_node(new, {f"io:{entry['number']}": f"value-{entry['number']}"
                                   for entry in client.of("ack")})
            assert gap <= OUTAGE_S
