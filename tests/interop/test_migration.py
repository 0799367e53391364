"""docs/migration.md, step by step, while a client writes and reads: from Redis to Regent and back."""

import threading
import time

import pytest
import redis

import workload
from content import assert_same_content
from processes import HOST, eventually
from test_replication import link_is_up, offset_of, run_all_types, stats, wait_caught_up


class Client:
    """Writes a number and reads it back, again and again, wherever the primary is. It moves when it
    is told that it talks to a replica, as clients with Sentinel support do."""

    def __init__(self, *servers):
        self.links = [server.client(socket_timeout=60) for server in servers]
        self.written = 0
        self.moves = 0
        self.trouble = []
        self.longest_s = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        at, last = 0, time.monotonic()
        while not self._stop.is_set():
            try:
                number = self.links[at].incr("client:counter")
                if number != self.written + 1:
                    self.trouble.append(f"{number} after {self.written}")
                self.written = number
                seen = int(self.links[at].get("client:counter"))
                if seen != number:
                    self.trouble.append(f"read {seen} after {number} was acknowledged")
            except redis.exceptions.ReadOnlyError:
                at = (at + 1) % len(self.links)
                self.moves += 1
                time.sleep(0.005)
                continue
            except redis.RedisError as error:
                self.trouble.append(f"{type(error).__name__}: {error}")
            now = time.monotonic()
            self.longest_s, last = max(self.longest_s, now - last), now

    def go_on(self, count=50):
        goal = self.written + count
        eventually(lambda: self.written >= goal, 30)

    def stop(self):
        self._stop.set()
        self._thread.join(60)
        assert not self.trouble, self.trouble[:10]
        return self.written


def by_failover(old, new):
    assert old.command_reply("FAILOVER", "TO", HOST, new.port, "TIMEOUT", "20000") == b"OK"
    eventually(lambda: new.info_text("replication")["role"] == "master", 30)


def by_hand(old, new):
    old.command_reply("CLIENT", "PAUSE", "20000", "WRITE")
    eventually(lambda: offset_of(new) == offset_of(old))
    new.command_reply("REPLICAOF", "NO", "ONE")
    old.command_reply("REPLICAOF", HOST, new.port)
    old.command_reply("CLIENT", "UNPAUSE")


def write_some(server, prefix):
    """Of every type; what it changes is none of the client's."""
    pipe = server.client().pipeline(transaction=True)
    for number in range(100):
        pipe.set(f"{prefix}:s:{number}", number, ex=600)
        pipe.rpush(f"{prefix}:l", number)
        pipe.sadd(f"{prefix}:set", number)
        pipe.zadd(f"{prefix}:z", {str(number): number / 3})
        pipe.hset(f"{prefix}:h", number, number)
        pipe.pfadd(f"{prefix}:hll", number)
    pipe.execute()


@pytest.mark.parametrize("change_places", [by_failover, by_hand], ids=["failover", "by-hand"])
def test_there_and_back(park, seed, change_places):
    theirs = park.redis(repl_backlog_size="64mb")
    run_all_types(theirs, seed, 3000)
    workload.run(theirs, seed, 3000)
    theirs.client().hset("kept", mapping={"a": "1", "b": "2"})
    client = Client(theirs)
    client.go_on()

    # 1 and 2: Regent follows.
    ours = park.regent(replicaof=(HOST, theirs.port), repl_backlog_size="64mb")
    client.links.append(ours.client(socket_timeout=60))
    eventually(lambda: link_is_up(ours), 30)
    client.go_on()

    # 3 to 5: Regent leads, Redis follows it; and back.
    for old, new in ((theirs, ours), (ours, theirs)):
        syncs = [stats(server)["sync_full"] for server in (old, new)]
        change_places(old, new)
        client.go_on()
        eventually(lambda: link_is_up(old), 30)
        assert [stats(server)["sync_full"] for server in (old, new)] == syncs
        write_some(new, old.name)
    last = client.stop()
    print(f"{last} writes, {client.moves} moves, at most {client.longest_s * 1000:.0f} ms apart")
    wait_caught_up(theirs, ours)
    assert client.moves >= 2
    for server in (theirs, ours):
        assert int(server.client().get("client:counter")) == last
        assert server.client().hgetall("kept") == {b"a": b"1", b"b": b"2"}
    assert_same_content(theirs, ours, at_least=50)
    # Both waited no longer than a few round trips and a redial, here on a machine that does much else.
    assert client.longest_s < 15


def test_into_a_group(tmp_path, park):
    """The member that brings a file becomes the first primary of a new group."""
    import os
    import shutil
    from group import Group
    single = park.regent()
    single.client().mset({f"k:{number}": number for number in range(1000)})
    link = single.socket()
    link.sendall(b"SHUTDOWN SAVE\r\n")
    assert single.wait() == 0
    with Group(tmp_path / "group", wait=False) as group:
        for node in group.nodes:
            node.kill()
        for node in group.nodes:
            node.wipe()
        shutil.copy(os.path.join(single.dir, "dump.rdb"), group.nodes[1].dir)
        for node in group.nodes:
            node.start(wait=False)
        primary = group.wait_whole()
        assert primary is group.nodes[1]
        assert primary.client().dbsize() == 1000
        for node in group.others(primary):
            assert node.client().get("k:999") == b"999"
