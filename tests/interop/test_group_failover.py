"""Real processes, killed, halted and cut off: no acknowledged write is lost, a primary that was
replaced acknowledges nothing and shows nothing stale, and another serves within a moment.

ROUNDS says how often each fault strikes (2, in a soak 20)."""

import contextlib
import random
import threading
import time

import pytest
import redis

from group import ROUNDS, Group, Task, Witness, Writer, sentinel, tell
from netns import have_namespaces
from processes import eventually

needs_namespaces = pytest.mark.skipif(not have_namespaces(), reason="needs network namespaces")

KILL_MEDIAN_S = 0.5
SILENCE_MEDIAN_S = 2.5
HAND_OVER_MEDIAN_S = 0.1


# ---- The primary dies ----

@pytest.mark.parametrize("mode, backend", [("quorum", "auto"), ("semi-sync", "auto"),
                                           ("quorum", "epoll")])
def test_kill(tmp_path, mode, backend):
    outages = []
    with Group(tmp_path, mode=mode, io_backend=backend) as group, Writer(group) as writer:
        for _ in range(ROUNDS):
            old = group.wait_whole()
            writer.wait_acks(50)
            begin = time.monotonic()
            old.kill()
            new = group.wait_primary(other_than=old)
            writer.wait_acks(50)
            outages.append(writer.outage(begin))
            group.check_node(new, dict(writer.acked))
            old.start()
            group.wait_rejoined(old)
            assert "forgot-log" in old.log()
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)
        print(f"{len(writer.times)} writes acknowledged, {writer.unknown} unknown {writer.errors}")
    assert tell(f"without an acknowledged write after kill -9, {mode}", outages) <= KILL_MEDIAN_S


def test_kill_in_sync_mode(tmp_path):
    """Every node holds a write, so that nothing is acknowledged while one is dead, and all goes on
    when it is back."""
    with Group(tmp_path, mode="sync", replication_timeout=300) as group, Writer(group) as writer:
        for _ in range(ROUNDS):
            old = group.wait_whole()
            writer.wait_acks(30)
            old.kill()
            killed = time.monotonic()
            eventually(lambda: len([n for n in group.primaries() if n is not old]) == 1)
            time.sleep(0.5)
            late = [when for when in writer.times if when > killed]
            assert not late, f"{len(late)} writes acknowledged while a member was dead"
            old.start()
            group.wait_rejoined(old)
            writer.wait_acks(30)
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)


def test_kill_of_a_follower(tmp_path):
    """A majority is left: writes go on, and nobody is deposed."""
    with Group(tmp_path) as group, Writer(group) as writer:
        primary = group.wait_whole()
        term = group.term(primary)
        for follower in group.others(primary):
            writer.wait_acks(30)
            begin = time.monotonic()
            follower.kill()
            writer.wait_acks(100)
            assert writer.outage(begin) < 0.5
            follower.start()
            group.wait_rejoined(follower)
        assert group.wait_primary() is primary and group.term(primary) == term
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)


# ---- The primary halts ----

class Parked(Task):
    """Sends a write and a read to a process that is halted, and takes what it says when it wakes."""

    def __init__(self, group, node, number):
        super().__init__()
        self.node = node
        self.key = f"parked:{number}"
        with group.inside(node):
            self.link = node.socket(timeout=30.0)
        self.replies = []

    def run(self):
        self.link.sendall(f"SET {self.key} late\r\nGET canary\r\n".encode())
        data = b""
        with contextlib.suppress(OSError):
            while data.count(b"\r\n") < 3:
                piece = self.link.recv(4096)
                if not piece:
                    break
                data += piece
        self.replies = data.decode().split("\r\n")
        self.link.close()


def test_stop(tmp_path):
    outages = []
    with Group(tmp_path) as group, Writer(group) as writer:
        for number in range(ROUNDS):
            old = group.wait_whole()
            writer.wait_acks(50)
            with Witness(group, old, writer) as witness:
                eventually(lambda: len(witness.times) > 20)
                parked = Parked(group, old, number)
                begin = time.monotonic()
                old.pause()
                with parked:
                    new = group.wait_primary(other_than=old)
                    writer.wait_acks(50)
                    outages.append(writer.outage(begin))
                    group.check_node(new, dict(writer.acked))
                    acked = time.monotonic()
                    old.resume()
                    group.wait_rejoined(old)
                writer.wait_acks(20)
            # What the halted process was asked meanwhile it does not acknowledge, nor answer
            # from before its replacement.
            assert "+OK" not in parked.replies, parked.replies
            assert not any(reply.isdigit() and int(reply) < writer.canary_before(begin)
                           for reply in parked.replies), parked.replies
            assert witness.acked_between(acked, time.monotonic()) == 0
            witness.check()
            writer.acked.update(witness.acked)
        writer.stopping.set()
        writer.thread.join()
        primary = group.check_all(writer.acked)
        assert not [n for n in range(ROUNDS) if primary.client().exists(f"parked:{n}")]
    assert tell("without an acknowledged write after SIGSTOP", outages) <= SILENCE_MEDIAN_S


def test_busy_primary_is_not_deposed(tmp_path):
    with Group(tmp_path) as group, Writer(group, timeout=2.0) as writer:
        primary = group.wait_whole()
        term = group.term(primary)
        for _ in range(ROUNDS):
            writer.wait_acks(30)
            assert primary.command_reply("DEBUG", "SLEEP", "0.5") == b"OK"
            writer.wait_acks(30)
            assert group.wait_primary() is primary
            assert {group.term(node) for node in group.nodes} == {term}
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)


# ---- The primary is cut off ----

@needs_namespaces
@pytest.mark.parametrize("mode", ["quorum", "semi-sync"])
def test_cut(tmp_path, mode):
    outages = []
    with Group(tmp_path, mode=mode, net=True, replication_timeout=2000) as group, \
            Writer(group) as writer:
        for _ in range(ROUNDS):
            old = group.wait_whole()
            writer.wait_acks(50)
            with Witness(group, old, writer) as witness:
                eventually(lambda: len(witness.times) > 20)
                begin = time.monotonic()
                group.cut(old)
                new = group.wait_primary(other_than=old)
                writer.wait_acks(50)
                outages.append(writer.outage(begin))
                group.check_node(new, dict(writer.acked))
                first = min(when for when in writer.times if when > begin + 0.3)
                time.sleep(1.0)
                healed = time.monotonic()
                group.heal(old)
                group.wait_rejoined(old)
            assert witness.acked_between(first, healed) == 0
            witness.check()
            print(f"the one who stayed: {len(witness.acked)} writes, {len(witness.reads)} reads, "
                  f"{witness.errors}")
            # What it was told before the cut took effect is as safe as anybody's.
            writer.acked.update(witness.acked)
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)
    assert tell(f"without an acknowledged write after a cut, {mode}", outages) <= SILENCE_MEDIAN_S


@needs_namespaces
def test_cut_of_a_follower(tmp_path):
    """It must not come back with a greater term and unseat a primary that serves."""
    with Group(tmp_path, net=True) as group, Writer(group) as writer:
        primary = group.wait_whole()
        term = group.term(primary)
        follower = group.others(primary)[0]
        writer.wait_acks(30)
        group.cut(follower)
        begin = time.monotonic()
        writer.wait_acks(100)
        time.sleep(3.0)
        group.heal(follower)
        writer.wait_acks(100)
        group.wait_rejoined(follower)
        assert writer.outage(begin) < 0.5
        assert group.wait_primary() is primary and group.term(primary) == term
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)


@needs_namespaces
def test_all_cut_apart(tmp_path):
    """Nobody has a majority: nobody serves, and all is there after the heal."""
    with Group(tmp_path, net=True, replication_timeout=1000) as group, Writer(group) as writer:
        old = group.wait_whole()
        writer.wait_acks(50)
        for node in group.nodes:
            group.cut(node)
        time.sleep(1.5)
        with group.inside(old), pytest.raises(redis.RedisError):
            old.client(socket_timeout=5.0).set("nobody", "hears")
        with group.inside(old), pytest.raises(redis.RedisError):
            old.client(socket_timeout=5.0).get("canary")
        for node in group.nodes:
            group.heal(node)
        writer.wait_acks(50)
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)


# ---- Everything at once ----

class Chaos:
    """Draws faults, of which some overlap. Only one node at a time forgets: where two do, the group
    rightly waits for an operator (test_two_killed)."""

    def __init__(self, group, seed):
        self.group = group
        self.rand = random.Random(seed)
        self.told = []

    def strike(self):
        fault = self.rand.choice([self.kill, self.wipe, self.pause, self.pause, self.cut, self.cut,
                                  self.pause_and_cut, self.cut_apart, self.hand_over, self.flap])
        fault()

    def wait(self, longest):
        time.sleep(self.rand.uniform(0.05, longest))

    def some(self):
        """Mostly the primary."""
        primaries = self.group.primaries()
        if primaries and self.rand.random() < 0.7:
            return primaries[0]
        return self.rand.choice(self.group.nodes)

    def say(self, *words):
        self.told.append(" ".join(str(word) for word in words))

    def kill(self, wipe=False):
        self.group.wait_whole(20)
        node = self.some()
        self.say("kill and wipe" if wipe else "kill", node.name)
        node.kill()
        if wipe:
            node.wipe()
        self.wait(0.6)
        node.start()
        self.group.wait_rejoined(node, 20)

    def wipe(self):
        self.kill(wipe=True)

    def pause(self):
        node = self.some()
        self.say("pause", node.name)
        node.pause()
        self.wait(2.0)
        node.resume()

    def cut(self):
        node = self.some()
        self.say("cut", node.name)
        self.group.cut(node)
        self.wait(2.0)
        self.group.heal(node)

    def pause_and_cut(self):
        one, other = self.rand.sample(self.group.nodes, 2)
        self.say("pause", one.name, "and cut", other.name)
        one.pause()
        self.wait(0.5)
        self.group.cut(other)
        self.wait(1.5)
        one.resume()
        self.wait(0.5)
        self.group.heal(other)

    def cut_apart(self):
        self.say("cut all")
        for node in self.group.nodes:
            self.group.cut(node)
        self.wait(2.0)
        for node in self.rand.sample(self.group.nodes, 3):
            self.group.heal(node)
            self.wait(0.2)

    def flap(self):
        node = self.some()
        self.say("flap", node.name)
        for _ in range(5):
            self.group.cut(node)
            self.wait(0.4)
            self.group.heal(node)
            self.wait(0.4)

    def hand_over(self):
        self.say("hand over")
        with contextlib.suppress(redis.RedisError, OSError):
            self.some().command_reply("GROUP", "FAILOVER", "TIMEOUT", "1000")


@needs_namespaces
@pytest.mark.parametrize("mode", ["quorum", "semi-sync"])
def test_random_faults(tmp_path, mode, seed):
    with Group(tmp_path, mode=mode, net=True, replication_timeout=1000) as group, \
            Writer(group) as writer, contextlib.ExitStack() as stack:
        witnesses = [stack.enter_context(Witness(group, node, writer)) for node in group.nodes]
        chaos = Chaos(group, seed)
        try:
            for _ in range(4 * ROUNDS):
                writer.wait_acks(10, 30.0)
                chaos.strike()
            group.wait_whole(30.0)
            writer.wait_acks(50, 30.0)
        finally:
            print("; ".join(chaos.told))
        for task in [writer, *witnesses]:
            task.stopping.set()
        for task in [writer, *witnesses]:
            task.thread.join(60)
        for witness in witnesses:
            witness.check()
            writer.acked.update(witness.acked)
        group.check_all(writer.acked, 30.0)
        print(f"{len(writer.acked)} writes acknowledged")


# ---- Hand-over and stops ----

def test_hand_over(tmp_path):
    outages = []
    with Group(tmp_path) as group, Writer(group, pace=0.002) as writer:
        for number in range(10):
            old = group.wait_whole()
            writer.wait_acks(30)
            target = group.others(old)[number % 2]
            words = ["TO", target.host, str(target.port)] if number % 3 else []
            begin = time.monotonic()
            assert old.command_reply("GROUP", "FAILOVER", *words) == b"OK"
            new = group.wait_primary(other_than=old)
            assert not words or new is target
            writer.wait_acks(20)
            outages.append(writer.outage(begin))
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)
        print(f"{len(writer.times)} writes acknowledged, {writer.unknown} unknown {writer.errors}")
    assert tell("without an acknowledged write in a hand-over", outages) < HAND_OVER_MEDIAN_S


class Ticker(Task):
    """Keys that expire all the time, messages, and reads that find expired keys: whatever adds to a
    primary's log beside writes."""

    def __init__(self, group):
        super().__init__()
        self.group = group
        self.rounds = 0

    def run(self):
        client = sentinel(self.group).master_for(self.group.name, socket_timeout=0.5)
        while not self.stopping.is_set():
            with contextlib.suppress(redis.RedisError):
                self.rounds += 1
                pipe = client.pipeline(transaction=False)
                for i in range(50):
                    pipe.set(f"gone:{i}", "x", px=1 + i % 7)
                for i in range(50):
                    pipe.get(f"gone:{i}")
                pipe.publish("channel", "message")
                pipe.execute()
        client.close()


def test_hand_over_beside_expiry(tmp_path):
    """Nothing may be added to the log once the successor was told to take it over: every single
    hand-over succeeds."""
    with Group(tmp_path, repl_ping_replica_period=1) as group, Ticker(group) as ticker, \
            Writer(group, pace=0.001) as writer:
        for _ in range(5 * ROUNDS):
            old = group.wait_whole()
            writer.wait_acks(20)
            assert old.command_reply("GROUP", "FAILOVER") == b"OK"
            group.wait_primary(other_than=old)
        ticker.stopping.set()
        writer.stopping.set()
        writer.thread.join()
        ticker.thread.join()
        assert ticker.rounds > 10
        time.sleep(0.1)
        group.check_all(writer.acked)


def test_hand_over_errors(tmp_path):
    with Group(tmp_path) as group:
        primary = group.wait_whole()
        follower, dead = group.others(primary)
        with pytest.raises(redis.ReadOnlyError, match="not the group's primary"):
            follower.command_reply("GROUP", "FAILOVER")
        with pytest.raises(redis.ResponseError, match="TO names no member"):
            primary.command_reply("GROUP", "FAILOVER", "TO", "127.0.0.1", "1")
        dead.kill()
        eventually(lambda: "link=down" in primary.info_text("group")[f"member{member(primary, dead)}"])
        with pytest.raises(redis.ResponseError, match="[Nn]o member can take over"):
            primary.command_reply("GROUP", "FAILOVER", "TO", dead.host, str(dead.port))
        assert group.wait_primary() is primary
        assert primary.command_reply("SET", "k", "v")


def member(asked, node):
    """The number that the asked node gives another one."""
    info = asked.info_text("group")
    for name, text in info.items():
        if name.startswith("member") and f"address={node.address}," in text:
            return int(name[len("member"):])
    raise AssertionError(f"{node} is not in {info}")


def test_rolling_restart(tmp_path):
    """SIGTERM of each node in turn, under load, data saved or not."""
    outages = []
    with Group(tmp_path, save=["3600", "1"]) as group, Writer(group) as writer:
        for node in list(group.nodes):
            group.wait_whole()
            writer.wait_acks(30)
            begin = time.monotonic()
            assert node.terminate() == 0
            writer.wait_acks(50)
            outages.append(writer.outage(begin))
            node.start()
            group.wait_rejoined(node)
            assert "The last stop was clean" in node.log()
        # The primary last, so that at least one of the stops was that of a primary.
        primary = group.wait_whole()
        begin = time.monotonic()
        assert primary.terminate() == 0
        writer.wait_acks(50)
        outages.append(writer.outage(begin))
        primary.start()
        group.wait_rejoined(primary)
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)
    tell("without an acknowledged write in a rolling restart", outages)
    assert max(outages) < 1.0


def test_restart_of_all(tmp_path):
    """A clean stop of the whole group keeps its data, and it elects again."""
    with Group(tmp_path, save=["3600", "1"]) as group:
        primary = group.wait_whole()
        acked = {f"k{i}": f"v{i}" for i in range(200)}
        client = primary.client()
        for key, value in acked.items():
            client.set(key, value)
        term = group.term(primary)
        for node in group.others(primary) + [primary]:
            assert node.terminate() == 0
        for node in group.nodes:
            node.start()
        primary = group.check_all(acked)
        assert group.term(primary) > term
        assert primary.command_reply("SET", "more", "1")


def test_restart_of_all_at_once(tmp_path):
    """All get SIGTERM in the same moment, while one writes."""
    with Group(tmp_path, save=["3600", "1"]) as group:
        with Writer(group) as writer:
            group.wait_whole()
            writer.wait_acks(100)
            threads = [threading.Thread(target=node.terminate) for node in group.nodes]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        for node in group.nodes:
            node.start()
        primary = group.check_all(writer.acked)
        assert primary.command_reply("SET", "more", "1")


# ---- Forgetting ----

def test_all_killed(tmp_path):
    """In memory only: acknowledged writes may be gone, so that no node may guess; an operator
    decides."""
    with Group(tmp_path) as group:
        primary = group.wait_whole()
        primary.client().set("k", "v")
        for node in group.nodes:
            node.kill()
        for node in group.nodes:
            node.start()
        eventually(lambda: all("GROUP RECOVER on the member" in node.log()
                               for node in group.nodes))
        time.sleep(1.0)
        assert group.primaries() == []
        for node in group.nodes:
            info = node.group_info()
            assert info["group_state"] == "forgot-log" and info["group_stuck"] == "1"
            with pytest.raises(redis.RedisError):
                node.command_reply("SET", "k", "w")
        chosen = group.nodes[1]
        assert chosen.command_reply("GROUP", "RECOVER") == b"OK"
        assert group.wait_whole() is chosen
        assert chosen.command_reply("SET", "k", "again")
        with pytest.raises(redis.ResponseError, match="Nothing to recover"):
            chosen.command_reply("GROUP", "RECOVER")


def test_killed_after_a_clean_stop(tmp_path):
    """The file of an earlier clean stop is not all that the killed node acknowledged: it neither
    leads with it nor serves it."""
    with Group(tmp_path, save=["3600", "1"]) as group:
        acked = {}
        with Writer(group, prefix="before") as writer:
            writer.wait_acks(100)
        acked.update(writer.acked)
        for node in group.others(group.wait_whole()) + [group.wait_primary()]:
            assert node.terminate() == 0
        for node in group.nodes:
            node.start()
        with Writer(group, prefix="after") as writer:
            for _ in range(ROUNDS):
                old = group.wait_whole()
                writer.wait_acks(50)
                old.kill()
                old.start()  # at once: it has data, and its term
                writer.wait_acks(50)
                group.wait_rejoined(old)
                assert "forgot-log" in old.log()
        acked.update(writer.acked)
        group.check_all(acked)


def test_two_killed(tmp_path):
    """The one that remembers does not suffice to elect, and alone knows all: it is named to the
    operator with its position, and GROUP RECOVER on it brings everything back."""
    with Group(tmp_path) as group:
        with Writer(group) as writer:
            primary = group.wait_whole()
            writer.wait_acks(100)
        group.wait_whole()
        kept = group.others(primary)[0]
        for node in group.others(kept):
            node.kill()
        for node in group.others(kept):
            node.start()
        eventually(lambda: "GROUP RECOVER on the member" in kept.log())
        assert group.primaries() == []
        assert kept.command_reply("GROUP", "RECOVER") == b"OK"
        assert group.wait_primary() is kept
        group.check_all(writer.acked)


def test_empty_node_wipes_nobody(tmp_path):
    """A node that comes back without its files: as a follower, and even where it was primary."""
    with Group(tmp_path) as group, Writer(group) as writer:
        for _ in range(ROUNDS):
            old = group.wait_whole()
            writer.wait_acks(50)
            old.kill()
            old.wipe()
            old.start()  # at once: the others may still be electing
            writer.wait_acks(50)
            group.wait_rejoined(old)
            assert group.wait_primary() is not old
        follower = group.others(group.wait_whole())[0]
        follower.kill()
        follower.wipe()
        follower.start()
        group.wait_rejoined(follower)
        writer.stopping.set()
        writer.thread.join()
        assert len(writer.acked) > 50
        group.check_all(writer.acked)


# ---- Modes ----

def test_mode_is_carried(tmp_path):
    with Group(tmp_path, mode="async") as group:
        primary = group.wait_whole()
        for mode in ["quorum", "sync", "semi-sync"]:
            assert primary.command_reply("CONFIG", "SET", "replication-mode", mode)
            for node in group.nodes:
                eventually(lambda n=node, m=mode: n.group_info()["group_mode"] == m and
                           n.command_reply("CONFIG", "GET", "replication-mode")[1] == m.encode())
        assert primary.command_reply("CONFIG", "SET", "replication-mode", "quorum")
        # The next primary goes on with it, whatever its file says.
        with Writer(group) as writer:
            writer.wait_acks(50)
            primary.kill()
            new = group.wait_primary(other_than=primary)
            assert new.group_info()["group_mode"] == "quorum"
            writer.wait_acks(50)
            primary.start()
            group.wait_rejoined(primary)
            eventually(lambda: primary.group_info()["group_mode"] == "quorum")
        group.check_all(writer.acked)


def test_mode_is_the_primarys_to_change(tmp_path):
    """On a follower it would be a promise of nobody: the mode in force is the log's."""
    with Group(tmp_path, mode="quorum") as group:
        primary = group.wait_whole()
        follower = group.others(primary)[0]
        with contextlib.suppress(redis.ResponseError):
            follower.command_reply("CONFIG", "SET", "replication-mode", "async")
        assert primary.group_info()["group_mode"] == "quorum"
        assert follower.group_info()["group_mode"] == "quorum"
        assert group.wait_primary() is primary


def test_a_follower_reads_only(tmp_path):
    with Group(tmp_path) as group:
        primary = group.wait_whole()
        primary.client().set("k", "v")
        for follower in group.others(primary):
            assert follower.command_reply("GET", "k") == b"v"
            with pytest.raises(redis.ReadOnlyError):
                follower.command_reply("SET", "k", "w")


def test_no_majority_no_writes(tmp_path):
    """Alone, a primary refuses or does not answer; it never says OK."""
    with Group(tmp_path, replication_timeout=500) as group:
        primary = group.wait_whole()
        client = sentinel(group).master_for(group.name, socket_timeout=10.0)
        assert client.set("k", "v")
        for node in group.others(primary):
            node.kill()
        with pytest.raises(redis.RedisError):
            client.set("k", "w")
        with pytest.raises(redis.RedisError):
            client.get("k")
