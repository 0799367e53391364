"""Replication between Regent and real Redis, in every pairing and both directions."""

import os
import random
import time

import pytest
import redis

import workload
from content import assert_same_content
from differential import NAMES, draw_families, random_command
from generator import Generator
from processes import HOST, eventually
from resp_client import Client

PAIRS = [("regent", "redis"), ("redis", "regent"), ("regent", "regent")]
COMMANDS = int(os.environ.get("COMMANDS", 100_000))
SLICE = 10_000

pairs = pytest.mark.parametrize("primary_kind,replica_kind", PAIRS, ids=lambda kind: kind)


def start(park, kind, **options):
    return getattr(park, kind)(**options)


def follow(replica, primary, port=None):
    replica.client().execute_command("REPLICAOF", HOST, port or getattr(primary, "port"))


def link_is_up(replica):
    return replica.info_text("replication").get("master_link_status") == "up"


def offset_of(server):
    fields = server.info_text("replication")
    return int(fields["slave_repl_offset"] if fields["role"] == "slave"
               else fields["master_repl_offset"])


def caught_up(primary, *replicas):
    """All replicas have applied all of the primary's stream."""
    def check():
        return all(link_is_up(replica) and offset_of(replica) == offset_of(primary)
                   for replica in replicas)
    return check


def wait_caught_up(primary, *replicas, timeout=30):
    def state():
        return [server.info_text("replication") for server in (primary, *replicas)]
    eventually(caught_up(primary, *replicas), timeout, message=state)


def stats(server):
    fields = server.info_text("stats")
    return {name: int(fields[name]) for name in
            ("sync_full", "sync_partial_ok", "sync_partial_err")}


def fill(server, seed, count=3000):
    workload.run(server, seed, count)
    pipe = server.client().pipeline(transaction=False)
    for number in range(500):
        pipe.set(f"fill:{number}", "x" * (number % 200))
        pipe.hset("big hash", f"field {number}", number)
    pipe.set("large", b"\x00\xff" * 200_000)
    pipe.execute_command("SET", "expires", "later", "PX", 600_000)
    pipe.execute()


def run_all_types(server, seed, count):
    """Random commands of every family, good and bad, a few families at a time. BITFIELD is left out:
    redis-server logs none that did nothing but make its string longer."""
    rng = random.Random(seed)
    client = Client(server.port)
    for _ in range(0, count, 500):
        generator = Generator(rng, draw_families(rng, NAMES))
        batch = [words for words in (random_command(generator) for _ in range(500))
                 if words[0].lower() != b"bitfield"]
        client.pipeline(batch)
        client.call("discard")
    client.close()


# ---- Full resynchronisation ----

@pytest.mark.parametrize("diskless", ["yes", "no"])
@pairs
def test_full_resync(park, seed, primary_kind, replica_kind, diskless):
    primary = start(park, primary_kind, repl_diskless_sync=diskless)
    fill(primary, seed)
    replica = start(park, replica_kind)
    replica.client().set("of the replica", "must go")
    follow(replica, primary)
    wait_caught_up(primary, replica)
    assert_same_content(primary, replica, at_least=100)
    assert stats(primary)["sync_full"] == 1
    # The stream goes on where the snapshot ended.
    workload.run(primary, seed + 1, 2000)
    wait_caught_up(primary, replica)
    assert_same_content(primary, replica)


def test_full_resync_into_memory(park, seed):
    """A redis-server that loads from the socket depends on each byte of the RDB and on its EOF mark."""
    primary = start(park, "regent", repl_diskless_sync="yes")
    fill(primary, seed)
    replica = start(park, "redis", repl_diskless_load="swapdb")
    follow(replica, primary)
    wait_caught_up(primary, replica)
    assert_same_content(primary, replica, at_least=100)


@pairs
def test_full_resync_while_writing(park, seed, primary_kind, replica_kind):
    primary = start(park, primary_kind)
    fill(primary, seed, 20000)
    writer = workload.Background(primary)
    replicas = [start(park, replica_kind) for _ in range(2)]
    for replica in replicas:
        follow(replica, primary)
    for replica in replicas:
        eventually(lambda: link_is_up(replica), 20)
    assert writer.stop() > 100
    wait_caught_up(primary, *replicas)
    for replica in replicas:
        assert_same_content(primary, replica, at_least=100)


def test_empty_primary(park):
    for primary_kind, replica_kind in PAIRS:
        primary, replica = start(park, primary_kind), start(park, replica_kind)
        follow(replica, primary)
        wait_caught_up(primary, replica)
        assert replica.client().dbsize() == 0
        primary.client().set("k", "v")
        wait_caught_up(primary, replica)
        assert replica.client().get("k") == b"v"


@pairs
def test_replicaof_directive(park, primary_kind, replica_kind):
    """A replica may be started before its primary: it goes on dialling."""
    primary = start(park, primary_kind, start=False)
    replica = start(park, replica_kind, replicaof=(HOST, primary.port))
    fields = replica.info_text("replication")
    assert (fields["role"], fields["master_link_status"]) == ("slave", "down")
    primary.start()
    primary.client().set("k", "v")
    wait_caught_up(primary, replica)
    assert replica.client().get("k") == b"v"


@pairs
def test_dump_is_saved_before_the_link_is_up(park, seed, primary_kind, replica_kind):
    """MISSION's handshake: all data transferred and saved to the replica's disk, then the ACK."""
    primary = start(park, primary_kind)
    fill(primary, seed)
    replica = start(park, replica_kind)
    path = os.path.join(replica.dir, "dump.rdb")
    assert not os.path.exists(path)
    follow(replica, primary)
    eventually(lambda: link_is_up(replica), 20, interval=0.001)
    assert os.path.exists(path), os.listdir(replica.dir)
    with open(path, "rb") as file:
        assert file.read(5) == b"REDIS"
    # The real Redis is the judge of that file.
    reader = start(park, "redis", folder=os.path.join(park.folder, "reader"), start=False)
    with open(path, "rb") as file, open(os.path.join(reader.dir, "dump.rdb"), "wb") as copy:
        copy.write(file.read())
    reader.start()
    assert_same_content(primary, reader, at_least=100)


# ---- Partial resynchronisation ----

@pairs
def test_partial_resync(park, proxy, seed, primary_kind, replica_kind):
    primary = start(park, primary_kind, repl_backlog_size="16mb")
    fill(primary, seed)
    door = proxy(primary)
    replica = start(park, replica_kind)
    follow(replica, primary, door.port)
    wait_caught_up(primary, replica)
    before = stats(primary)
    for number in range(3):
        door.block()
        eventually(lambda: not link_is_up(replica))
        workload.run(primary, seed + number, 1000)
        door.unblock()
        wait_caught_up(primary, replica)
    after = stats(primary)
    assert after["sync_partial_ok"] - before["sync_partial_ok"] >= 3
    assert after["sync_full"] == before["sync_full"] == 1
    assert_same_content(primary, replica, at_least=100)


@pairs
def test_backlog_too_small_is_a_full_resync(park, proxy, seed, primary_kind, replica_kind):
    primary = start(park, primary_kind, repl_backlog_size="16kb")
    door = proxy(primary)
    replica = start(park, replica_kind)
    follow(replica, primary, door.port)
    wait_caught_up(primary, replica)
    before = stats(primary)
    door.block()
    fill(primary, seed, 5000)
    door.unblock()
    wait_caught_up(primary, replica)
    after = stats(primary)
    assert (before["sync_full"], after["sync_full"]) == (1, 2)
    assert after["sync_partial_err"] == before["sync_partial_err"] + 1
    assert_same_content(primary, replica, at_least=100)


@pytest.mark.parametrize("backlog", ["64mb", "32kb"])
@pairs
def test_random_commands_under_disconnects(park, proxy, seed, primary_kind, replica_kind, backlog):
    """COMMANDS of all types; the stream is cut again and again, at any byte of the handshake, the snapshot and the stream;
    in the end both hold the same."""
    primary = start(park, primary_kind, repl_backlog_size=backlog)
    door = proxy(primary)
    replica = start(park, replica_kind)
    follow(replica, primary, door.port)
    wait_caught_up(primary, replica)
    dice = random.Random(seed)
    before = stats(primary)
    slices = max(10, COMMANDS // SLICE)
    count = COMMANDS // slices // 2
    for number in range(slices):
        # A replica dials anew after up to a second; each slice finds an open link to cut.
        eventually(lambda: link_is_up(replica), 30, message=lambda: stats(primary))
        door.cut_at([int(10 ** dice.uniform(1.3, 5.2)) for _ in range(3)])
        run_all_types(primary, seed + number, count)
        errors = workload.run(primary, seed + number, count, flushes=number < slices // 2)
        assert errors < count // 3
        # What the replica still lacks of the slice may be cut as well.
        eventually(lambda: door.cuts_left() == 0 or caught_up(primary, replica)(), 30)
        door.cut_at([])
        if number % 10 == 9:
            wait_caught_up(primary, replica, timeout=60)
            assert_same_content(primary, replica)
    wait_caught_up(primary, replica, timeout=60)
    keys = assert_same_content(primary, replica, at_least=100)
    assert door.cuts >= slices - 2
    after = stats(primary)
    print(f"{door.cuts} cuts, {keys} keys, {after}")
    if backlog == "64mb":
        assert after["sync_partial_ok"] >= slices - 2 and after["sync_full"] == 1, after
    else:
        assert after["sync_full"] + after["sync_partial_ok"] > before["sync_full"] + 2, after


@pairs
def test_stalled_link_times_out(park, proxy, primary_kind, replica_kind):
    """A half-open link says nothing: both ends give it up after repl-timeout, then it is resumed."""
    primary = start(park, primary_kind, repl_timeout=2, repl_ping_replica_period=1)
    door = proxy(primary)
    replica = start(park, replica_kind, repl_timeout=2)
    follow(replica, primary, door.port)
    wait_caught_up(primary, replica)
    door.stall()
    eventually(lambda: primary.info_text("replication")["connected_slaves"] == "0", 8)
    eventually(lambda: not link_is_up(replica), 8)
    primary.client().set("k", "v")
    door.go_on()
    wait_caught_up(primary, replica)
    assert replica.client().get("k") == b"v"
    assert stats(primary)["sync_full"] == 1


# ---- Chains, and a replica that takes over ----

@pytest.mark.parametrize("kinds", [("redis", "regent", "redis"), ("regent", "redis", "regent"),
                                   ("regent", "regent", "regent")], ids="-".join)
def test_chain(park, proxy, seed, kinds):
    top, middle, bottom = (start(park, kind, repl_backlog_size="16mb") for kind in kinds)
    fill(top, seed)
    door = proxy(top)
    follow(middle, top, door.port)
    follow(bottom, middle)
    wait_caught_up(top, middle, bottom)
    assert_same_content(top, bottom, at_least=100)
    ids = {server.info_text("replication")["master_replid"] for server in (top, middle, bottom)}
    assert len(ids) == 1

    # The last of the chain does not notice that the first link was lost for a moment.
    before = stats(middle)
    for number in range(3):
        door.cut()
        workload.run(top, seed + number, 1000)
        wait_caught_up(top, middle, bottom)
    assert stats(middle)["sync_full"] == before["sync_full"]
    assert stats(top)["sync_full"] == 1
    assert_same_content(top, bottom, at_least=100)

    # What the first lost in an interval longer than its backlog comes anew through both.
    top.client().config_set("repl-backlog-size", "16kb")
    door.block()
    workload.run(top, seed + 9, 3000)
    door.unblock()
    wait_caught_up(top, middle, bottom)
    assert_same_content(top, bottom, at_least=100)


@pytest.mark.parametrize("kinds", [("redis", "regent", "redis"), ("regent", "redis", "regent"),
                                   ("regent", "regent", "redis"), ("redis", "redis", "regent"),
                                   ("regent", "regent", "regent")], ids="-".join)
def test_promotion_and_siblings(park, seed, kinds):
    """After REPLICAOF NO ONE its sibling and its former primary follow it without a full resync:
    PSYNC with the former history's id (PSYNC2)."""
    old, new, sibling = (start(park, kind, repl_backlog_size="16mb",
                                repl_ping_replica_period=1000) for kind in kinds)
    fill(old, seed)
    follow(new, old)
    follow(sibling, old)
    wait_caught_up(old, new, sibling)
    former = old.info_text("replication")["master_replid"]

    time.sleep(1.2)
    # A PING or a DEL of the old one after the split would be a history of its own. The first
    # PING is due within a second of the first replica, no other is.
    for server in (old, new):
        server.client().execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    wait_caught_up(old, new, sibling)
    new.client().execute_command("REPLICAOF", "NO", "ONE")
    fields = new.info_text("replication")
    assert fields["role"] == "master"
    assert fields["master_replid2"] == former and fields["master_replid"] != former
    assert int(fields["second_repl_offset"]) == int(fields["master_repl_offset"]) + 1
    new.client().set("written by", "the new one")
    follow(sibling, new)
    wait_caught_up(new, sibling)
    follow(old, new)
    wait_caught_up(new, sibling, old)
    assert stats(new)["sync_full"] == 0, stats(new)
    assert stats(new)["sync_partial_ok"] == 2
    for server in (sibling, old):
        assert server.client().get("written by") == b"the new one"
    workload.run(new, seed + 1, 2000, flushes=False)
    wait_caught_up(new, sibling, old)
    for server in (sibling, old):
        assert_same_content(new, server, at_least=100)


@pairs
def test_diverged_primary_is_resynchronised_fully(park, primary_kind, replica_kind):
    """Writes of the former primary after the split are not served as if they had been shared."""
    old, new = start(park, primary_kind), start(park, replica_kind)
    old.client().set("shared", "1")
    follow(new, old)
    wait_caught_up(old, new)
    new.client().execute_command("REPLICAOF", "NO", "ONE")
    old.client().mset({"only": "of the old", "shared": "2", "more": "x" * 500})
    new.client().set("only of", "the new")
    follow(old, new)
    wait_caught_up(new, old)
    assert_same_content(new, old, at_least=2)
    assert stats(new)["sync_full"] == 1
    assert old.client().get("only") is None


@pairs
def test_change_of_primary(park, seed, primary_kind, replica_kind):
    """REPLICAOF to another data set drops the first; REPLICAOF to the same is no change."""
    first, second = start(park, primary_kind), start(park, primary_kind)
    fill(first, seed, 500)
    second.client().set("k", "of the second")
    replica = start(park, replica_kind)
    follow(replica, first)
    wait_caught_up(first, replica)
    follow(replica, second)
    wait_caught_up(second, replica)
    assert_same_content(second, replica, at_least=1)
    assert eventually(lambda: first.info_text("replication")["connected_slaves"] == "0")
    assert b"Already connected" in replica.command_reply("REPLICAOF", HOST, second.port)
    assert stats(second)["sync_full"] == 1


# ---- What a replica does ----

@pairs
def test_replica_is_read_only(park, primary_kind, replica_kind):
    primary, replica = start(park, primary_kind), start(park, replica_kind)
    primary.client().set("k", "v")
    follow(replica, primary)
    wait_caught_up(primary, replica)
    client = replica.client()
    for words in [("SET", "a", "b"), ("DEL", "k"), ("HSET", "h", "f", "v"), ("FLUSHALL",),
                  ("EXPIRE", "k", 10), ("GETDEL", "k")]:
        with pytest.raises(redis.exceptions.ReadOnlyError) as error:
            client.execute_command(*words)
        assert str(error.value) == "You can't write against a read only replica."
    assert client.get("k") == b"v"
    client.config_set("replica-read-only", "no")
    assert client.set("own", "write")
    assert primary.client().get("own") is None


@pairs
def test_stale_data(park, proxy, primary_kind, replica_kind):
    primary = start(park, primary_kind)
    primary.client().set("k", "v")
    door = proxy(primary)
    replica = start(park, replica_kind, replica_serve_stale_data="no")
    follow(replica, primary, door.port)
    wait_caught_up(primary, replica)
    assert replica.client().get("k") == b"v"
    door.block()
    eventually(lambda: not link_is_up(replica))
    with pytest.raises(redis.ResponseError, match="MASTERDOWN Link with MASTER is down and "
                                                  "replica-serve-stale-data is set to 'no'."):
        replica.client().get("k")
    assert replica.client().config_set("replica-serve-stale-data", "yes")
    assert replica.client().get("k") == b"v"


@pairs
def test_expiry_on_replicas(park, primary_kind, replica_kind):
    """A key is gone for a replica's readers when its time has come, and from its memory when the
    primary's DEL arrives; the replica itself deletes nothing."""
    primary, replica = start(park, primary_kind), start(park, replica_kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    client = primary.client()
    client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    client.set("stays", "1")
    for number in range(20):
        client.set(f"goes:{number}", "1", px=150)
    client.hset("h", "f", "v")
    client.pexpire("h", 150)
    wait_caught_up(primary, replica)
    reader = replica.client()
    assert reader.get("goes:1") == b"1" and 0 < reader.pttl("goes:2") <= 150
    time.sleep(0.2)
    assert reader.get("goes:1") is None and reader.exists("goes:2") == 0
    assert reader.ttl("goes:3") == -2 and reader.type("goes:4") == b"none"
    assert reader.hgetall("h") == {}
    assert reader.dbsize() == 22, "nothing told the replica to delete"
    assert list(reader.scan_iter()) == [b"stays"] and reader.keys() == [b"stays"]
    client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    eventually(lambda: reader.dbsize() == 1)
    assert client.dbsize() == 1


@pairs
def test_expired_on_access_is_replicated(park, primary_kind, replica_kind):
    primary, replica = start(park, primary_kind), start(park, replica_kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    client = primary.client()
    client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    client.set("k", "v", px=30)
    wait_caught_up(primary, replica)
    time.sleep(0.05)
    assert replica.client().dbsize() == 1
    assert client.get("k") is None
    eventually(lambda: replica.client().dbsize() == 0)


# ---- Passwords ----

@pairs
def test_masterauth(park, primary_kind, replica_kind):
    primary = start(park, primary_kind, requirepass="s3cret word")
    primary.client().set("k", "v")
    replica = start(park, replica_kind, masterauth="wrong")
    follow(replica, primary)
    time.sleep(1.5)
    assert not link_is_up(replica)
    assert primary.info_text("replication")["connected_slaves"] == "0"
    replica.client().config_set("masterauth", "s3cret word")
    wait_caught_up(primary, replica)
    assert replica.client().get("k") == b"v"


# ---- What they say about it ----

@pytest.mark.parametrize("other_kind", ["redis", "regent"])
def test_info_names_are_those_of_redis(park, other_kind):
    """Every field of redis-server's INFO replication is there, on primary and replica, before and
    while the link is up."""
    ours, theirs = park.regent(), park.redis()
    other = start(park, other_kind)

    def names(server):
        return list(server.info_text("replication"))

    def check(what):
        missing = [name for name in names(theirs) if name not in names(ours)]
        assert not missing, f"{what}: {missing}"

    check("alone")
    lonely = start(park, "redis", start=False)
    for server in (ours, theirs):
        follow(server, lonely)
    check("a replica whose primary is away")
    for server in (ours, theirs):
        follow(server, other)
    wait_caught_up(other, ours, theirs)
    check("a replica")
    for server in (ours, theirs):
        server.client().execute_command("REPLICAOF", "NO", "ONE")
    followers = [start(park, other_kind), start(park, other_kind)]
    for server, follower in zip((ours, theirs), followers):
        follow(follower, server)
        wait_caught_up(server, follower)
    check("a primary")


@pairs
def test_info_and_role(park, primary_kind, replica_kind):
    primary, replica = start(park, primary_kind), start(park, replica_kind)
    fields = primary.info_text("replication")
    assert (fields["role"], fields["connected_slaves"]) == ("master", "0")
    assert fields["master_replid2"] == "0" * 40 and fields["second_repl_offset"] == "-1"
    assert primary.command_reply("ROLE")[0] == b"master"

    follow(replica, primary)
    wait_caught_up(primary, replica)
    primary.client().set("k", "v")
    wait_caught_up(primary, replica)
    eventually(lambda: primary.info("replication")["slave0"]["offset"] == offset_of(primary))
    top, low = primary.info("replication"), replica.info("replication")
    assert top["connected_slaves"] == 1
    entry = top["slave0"]
    assert (entry["ip"], entry["port"], entry["state"]) == (HOST, replica.port, "online")
    assert 0 <= entry["lag"] <= 2
    assert top["master_replid"] == low["master_replid"] and len(top["master_replid"]) == 40
    assert top["repl_backlog_active"] == 1
    assert top["repl_backlog_size"] == 1048576
    assert top["master_repl_offset"] == top["repl_backlog_first_byte_offset"] - 1 \
        + top["repl_backlog_histlen"]
    assert top["master_failover_state"] == "no-failover"
    assert (low["role"], low["master_host"], low["master_port"]) == ("slave", HOST, primary.port)
    assert (low["master_link_status"], low["master_sync_in_progress"]) == ("up", 0)
    assert low["slave_read_repl_offset"] >= low["slave_repl_offset"] == low["master_repl_offset"]
    assert (low["slave_priority"], low["slave_read_only"]) == (100, 1)
    assert low["master_last_io_seconds_ago"] >= 0

    kind, offset, replicas = primary.command_reply("ROLE")
    assert kind == b"master" and offset >= top["master_repl_offset"]
    assert [item[:2] for item in replicas] == [[HOST.encode(), str(replica.port).encode()]]
    assert int(replicas[0][2]) <= offset
    kind, host, port, state, offset = replica.command_reply("ROLE")
    assert (kind, host, port, state) == (b"slave", HOST.encode(), primary.port, b"connected")
    assert offset >= low["slave_repl_offset"]

    # The link is lost: the fields that tell of it come.
    primary.kill()
    eventually(lambda: not link_is_up(replica))
    low = replica.info("replication")
    assert low["master_link_down_since_seconds"] >= 0
    assert replica.command_reply("ROLE")[3] in (b"connect", b"connecting")


def test_announced_address(park):
    primary = park.regent()
    replica = park.redis(replica_announce_ip="10.1.2.3", replica_announce_port=4567)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    entry = primary.info("replication")["slave0"]
    assert (entry["ip"], entry["port"]) == ("10.1.2.3", 4567)
    second = park.regent(replica_announce_ip="10.1.2.4", replica_announce_port=4568)
    observer = park.redis()
    follow(second, observer)
    wait_caught_up(observer, second)
    entry = observer.info("replication")["slave0"]
    assert (entry["ip"], entry["port"]) == ("10.1.2.4", 4568)


# ---- Restart ----

@pairs
def test_replica_restarts(park, seed, primary_kind, replica_kind):
    primary = start(park, primary_kind)
    fill(primary, seed)
    replica = start(park, replica_kind, replicaof=(HOST, primary.port))
    wait_caught_up(primary, replica)
    replica.kill()
    workload.run(primary, seed + 1, 500)
    replica.start()
    wait_caught_up(primary, replica)
    assert_same_content(primary, replica, at_least=100)


@pairs
def test_primary_restarts_empty(park, primary_kind, replica_kind):
    """A primary without persistence that comes back empty has a new history: its replica takes it."""
    primary = start(park, primary_kind)
    primary.client().set("k", "v")
    replica = start(park, replica_kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    primary.kill()
    primary.start()
    wait_caught_up(primary, replica)
    assert replica.client().dbsize() == 0
    primary.client().set("again", "v")
    wait_caught_up(primary, replica)
    assert replica.client().get("again") == b"v"


def test_bitop_on_a_writable_replica_sees_no_expired_source(park):
    """It keeps what is past its time until the primary says so, longer than the result or not."""
    primary = park.redis()
    replica = park.regent(replicaof=(primary.host, primary.port), replica_read_only="no")
    eventually(lambda: replica.info("replication")["master_link_status"] == "up")
    source = primary.client()
    source.execute_command("debug", "set-active-expire", "0")
    source.set("short", "abc")
    source.set("long", "x" * 50000, px=20)
    eventually(lambda: replica.command_reply("exists", "short"))
    eventually(lambda: replica.command_reply("exists", "long") == 0)
    assert replica.command_reply("bitop", "or", "d", "long", "short") == 3
    assert replica.command_reply("get", "d") == b"abc"
