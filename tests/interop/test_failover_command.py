"""FAILOVER: a primary and a replica change places, Regent and redis-server in both parts."""

import threading
import time

import pytest
import redis

import workload
from content import assert_same_content
from processes import HOST, eventually
from test_replication import PAIRS, follow, link_is_up, start, stats, wait_caught_up

pairs = pytest.mark.parametrize("primary_kind,replica_kind", PAIRS, ids=lambda kind: kind)


def state(server):
    return server.info_text("replication")["master_failover_state"]


def role(server):
    return server.info_text("replication")["role"]


def error_of(server, *words):
    with pytest.raises(redis.ResponseError) as error:
        server.command_reply(*words)
    return str(error.value)


class Counter:
    """Counts up wherever the primary is; what was acknowledged is there for good."""

    def __init__(self, *servers):
        self.clients = [server.client(socket_timeout=60) for server in servers]
        self.acknowledged = 0
        self.errors = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        at = 0
        while not self._stop.is_set():
            try:
                self.acknowledged = self.clients[at].incr("counter")
            except redis.exceptions.ReadOnlyError:
                at = (at + 1) % len(self.clients)
                time.sleep(0.005)
            except redis.RedisError as error:
                self.errors.add(f"{type(error).__name__}: {error}")

    def stop(self):
        self._stop.set()
        self._thread.join(60)
        return self.acknowledged


@pairs
def test_they_change_places(park, seed, primary_kind, replica_kind):
    """Under a client that writes: nothing acknowledged is lost, nothing is sent anew, and a second
    FAILOVER brings all back."""
    primary, replica = start(park, primary_kind), start(park, replica_kind)
    workload.run(primary, seed, 3000)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    other = start(park, primary_kind)
    follow(other, primary)
    wait_caught_up(primary, other)
    counter = Counter(primary, replica)
    eventually(lambda: counter.acknowledged > 50)
    for old, new in ((primary, replica), (replica, primary)):
        syncs = [stats(server)["sync_full"] for server in (old, new)]
        assert old.command_reply("FAILOVER", "TO", HOST, new.port) == b"OK"
        eventually(lambda: role(new) == "master" and link_is_up(old), 30)
        assert state(old) == state(new) == "no-failover"
        goal = counter.acknowledged + 50
        eventually(lambda: counter.acknowledged > goal, 30)
        assert [stats(server)["sync_full"] for server in (old, new)] == syncs
    last = counter.stop()
    assert not counter.errors
    assert int(primary.client().get("counter")) == last
    wait_caught_up(primary, replica)
    assert_same_content(primary, replica, at_least=100)
    # The third one heard nothing of it but a new replication id, and has all.
    eventually(lambda: link_is_up(other), 30)
    assert other.info_text("replication")["master_port"] == str(primary.port)
    eventually(lambda: int(other.client().get("counter")) == last, 30)
    assert stats(primary)["sync_full"] == 2


@pairs
def test_any_replica(park, primary_kind, replica_kind):
    primary = start(park, primary_kind)
    replicas = [start(park, replica_kind) for _ in range(2)]
    for replica in replicas:
        follow(replica, primary)
    wait_caught_up(primary, *replicas)
    primary.client().set("k", "v")
    assert primary.command_reply("FAILOVER", "TIMEOUT", "20000") == b"OK"
    new = eventually(lambda: [server for server in replicas if role(server) == "master"], 20)
    assert len(new) == 1
    wait_caught_up(new[0], primary)
    # The clock of the timeout does not run on.
    assert state(primary) == "no-failover" and new[0].client().get("k") == b"v"
    assert error_of(primary, "FAILOVER", "ABORT") == "No failover in progress."


@pairs
def test_a_replica_that_hangs(park, primary_kind, replica_kind):
    """Writes wait meanwhile, reads do not; ABORT and TIMEOUT let them go on; FORCE does not wait
    for the replica, and ABORT makes a primary again even then."""
    primary, replica = start(park, primary_kind), start(park, replica_kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    client = primary.client()
    replica.pause()
    client.set("k", "1")
    assert client.execute_command("FAILOVER") == b"OK"
    assert state(primary) == "waiting-for-sync" and role(primary) == "master"
    assert error_of(primary, "FAILOVER") == "FAILOVER already in progress."
    assert error_of(primary, "REPLICAOF", "NO", "ONE") == \
        "REPLICAOF not allowed while failing over."
    assert client.get("k") == b"1"
    held = primary.client(socket_timeout=0.4, retry_on_timeout=False)
    with pytest.raises(redis.TimeoutError):
        held.set("k", "2")
    assert client.execute_command("CLIENT", "UNPAUSE") == b"OK"
    with pytest.raises(redis.TimeoutError):
        held.set("k", "3")
    assert client.execute_command("FAILOVER", "ABORT") == b"OK"
    assert state(primary) == "no-failover" and client.set("k", "4")

    assert client.execute_command("FAILOVER", "TIMEOUT", "300") == b"OK"
    assert client.set("k", "5"), "held until the timeout"
    assert state(primary) == "no-failover" and role(primary) == "master"

    assert client.execute_command("FAILOVER", "TO", HOST, replica.port, "FORCE", "TIMEOUT",
                                  "100") == b"OK"
    eventually(lambda: state(primary) == "failover-in-progress")
    fields = primary.info_text("replication")
    assert (fields["role"], fields["master_port"]) == ("slave", str(replica.port))
    with pytest.raises(redis.exceptions.ReadOnlyError):
        client.set("k", "6")
    assert client.execute_command("FAILOVER", "ABORT") == b"OK"
    fields = primary.info_text("replication")
    assert (fields["role"], fields["master_failover_state"]) == ("master", "no-failover")
    assert client.set("k", "7")
    replica.resume()
    wait_caught_up(primary, replica)
    assert replica.client().get("k") == b"7"


@pairs
def test_force(park, primary_kind, replica_kind):
    """The replica took over without having all: what it lacks is given up."""
    primary, replica = start(park, primary_kind), start(park, replica_kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    replica.pause()
    primary.client().set("k", "only here" * 1000)
    assert primary.command_reply("FAILOVER", "TO", HOST, replica.port, "FORCE", "TIMEOUT",
                                 "50") == b"OK"
    eventually(lambda: state(primary) == "failover-in-progress")
    replica.resume()
    eventually(lambda: role(replica) == "master", 20)
    replica.client().set("other", "v")
    wait_caught_up(replica, primary)
    assert primary.client().get("other") == b"v"
    assert_same_content(primary, replica, at_least=1)


def test_errors_are_those_of_redis(park):
    """Whatever is wrong: the same words, in the same precedence."""
    lines = ["failover abort", "failover", "failover to a", "failover to 127.0.0.1 1",
             "failover timeout 0", "failover timeout -1", "failover timeout abc",
             "failover abort timeout 3", "failover timeout 3 abort", "failover force",
             "failover to 127.0.0.1 x", "failover to 127.0.0.1 99999999999999999999",
             "failover abort abort", "failover timeout 1 timeout 2", "failover timeout",
             "failover to a 1 to b 2", "failover force force", "failover nonsense",
             "failover to 127.0.0.1 1 force timeout 10", "failover to localhost 1",
             "psync x 1 failover", "psync x y failover"]
    ours, theirs = park.regent(), park.redis()

    def check(what):
        for line in lines:
            replies = [error_of(server, *line.split()) for server in (ours, theirs)]
            assert replies[0] == replies[1], f"{what}: {line}"

    check("alone")
    for server in (ours, theirs):
        replica = park.redis()
        follow(replica, server)
        wait_caught_up(server, replica)
    lines = [line for line in lines if line not in ("failover",)]
    check("with a replica")
    top = park.redis()
    for server in (ours, theirs):
        follow(server, top)
        wait_caught_up(top, server)
    lines.append("failover")
    check("a replica")


def test_a_link_that_never_comes_up_can_be_given_up(park):
    """The chosen one is gone for good after the turn."""
    primary, replica = park.regent(), park.redis()
    follow(replica, primary)
    wait_caught_up(primary, replica)
    replica.pause()
    primary.client().set("k", "v")
    assert primary.command_reply("FAILOVER", "TO", HOST, replica.port, "FORCE", "TIMEOUT",
                                 "10") == b"OK"
    eventually(lambda: state(primary) == "failover-in-progress")
    replica.kill()
    client = primary.client()
    with pytest.raises(redis.exceptions.ReadOnlyError):
        client.set("k", "w")
    assert primary.info_text("replication")["master_link_status"] == "down"
    assert primary.command_reply("FAILOVER", "ABORT") == b"OK"
    assert role(primary) == "master" and client.set("k", "x")


def test_in_a_group_it_is_another_command(tmp_path):
    from group import Group
    with Group(tmp_path) as group:
        primary = group.wait_whole()
        assert "Use GROUP FAILOVER" in error_of(primary, "FAILOVER")
