"""Heartbeats, acknowledgements, WAIT, and the replication modes without a group."""

import statistics
import time

import pytest
import redis

from processes import HOST, eventually
from test_replication import follow, offset_of, pairs, start, wait_caught_up
from wire import RawPrimary, RawReplica, words

KINDS = pytest.mark.parametrize("kind", ["redis", "regent"])


@pytest.fixture
def raw(park):
    """Raw ends that are closed with the test."""
    ends = []

    def make(kind, *args, **options):
        ends.append(kind(*args, **options))
        return ends[-1]
    yield make
    for end in ends:
        end.close()


# ---- The wire, seen by a replica made of a socket ----

@pytest.mark.parametrize("capabilities", [("eof", "psync2"), ("psync2",), ()], ids=repr)
def test_handshake_of_a_replica(regent, raw, capabilities):
    server = regent(repl_ping_replica_period=1)
    server.client().set("k", "v")
    replica = raw(RawReplica, server)
    replica.introduce(4321, capabilities)
    line, rdb = replica.psync()
    assert line.startswith(b"+FULLRESYNC ") and len(replica.replid) == 40
    assert rdb.startswith(b"REDIS00") and rdb[-9] == 0xff
    replica.ack()
    entry = eventually(lambda: server.info("replication").get("slave0"))
    assert (entry["ip"], entry["port"]) == (HOST, 4321)
    server.client().set("after", "it")
    assert replica.next_but("PING") == [b"SELECT", b"0"]
    assert replica.next_but("PING") == [b"SET", b"after", b"it"]
    eventually(lambda: server.info("replication")["slave0"]["state"] == "online")
    replica.ack()
    eventually(lambda: server.info("replication")["slave0"]["offset"] == replica.offset)

    # A second one resumes in the middle of the stream, at any byte that is there.
    server.client().set("more", "1")
    second = raw(RawReplica, server)
    second.introduce()
    line, rdb = second.psync(replica.replid, replica.offset + 1)
    assert rdb is None and line.startswith(b"+CONTINUE")
    assert second.next_but("PING")[:2] == [b"SET", b"more"]
    # An offset that does not exist yet, and an id that never was.
    for replid, offset in [(replica.replid, 10_000_000), ("b" * 40, 1), (replica.replid, 0)]:
        third = raw(RawReplica, server)
        third.introduce()
        assert third.psync(replid, offset)[0].startswith(b"+FULLRESYNC ")


def test_old_sync(regent, raw):
    server = regent()
    server.client().set("k", "v")
    replica = raw(RawReplica, server)
    assert replica.sync().startswith(b"REDIS")
    server.client().set("more", "1")
    assert replica.next_but("PING") == [b"SELECT", b"0"]
    assert replica.next_but("PING") == [b"SET", b"more", b"1"]


def test_nothing_follows_the_eof_mark_unasked(regent, raw):
    """redis-server looks for the mark at the end of each read: until its first ACK it gets no more."""
    server = regent(repl_diskless_sync="yes")
    replica = raw(RawReplica, server)
    replica.introduce()
    assert replica.psync()[0].startswith(b"+FULLRESYNC")
    server.client().set("k", "v")
    replica.link.settimeout(0.3)
    with pytest.raises(TimeoutError):
        replica.link.recv(1)
    replica.link.settimeout(10)
    replica.ack()
    expected = words("SELECT", 0) + words("SET", "k", "v")
    data = b""
    while len(data) < len(expected):
        data += replica.link.recv(100)
    assert data.startswith(expected)


def test_primary_pings(regent, raw):
    server = regent(repl_ping_replica_period=1)
    replica = raw(RawReplica, server)
    replica.introduce()
    replica.psync()
    replica.ack()
    started = time.monotonic()
    for _ in range(3):
        assert replica.next() == [b"PING"]
        replica.ack()
    assert 1.5 < time.monotonic() - started < 5


def test_replica_acknowledges_each_second(regent, raw):
    primary = raw(RawPrimary, offset=100)
    replica = regent()
    replica.client().execute_command("REPLICAOF", HOST, primary.port)
    eventually(lambda: replica.info_text("replication")["master_link_status"] == "up")
    names = [argv[0].upper() for argv in primary.handshake]
    assert names[0] == b"PING" and b"REPLCONF" in names
    options = [argv[1].lower() for argv in primary.handshake if argv[0].upper() == b"REPLCONF"]
    assert b"listening-port" in options and b"capa" in options
    assert primary.psyncs[0] == [b"?", b"-1"] or len(primary.psyncs[0][0]) == 40
    time.sleep(3.2)
    assert 3 <= len(primary.acks()) <= 6 and set(primary.acks()) == {100}
    # Applied bytes count, an unfinished command's do not; GETACK is answered at once.
    command = words("SET", "k", "v")
    primary.send(command[:10])
    time.sleep(0.1)
    assert replica.client().get("k") is None
    primary.send(command[10:])
    eventually(lambda: replica.client().get("k") == b"v")
    count = len(primary.acks())
    ask = words("REPLCONF", "GETACK", "*")
    primary.send(ask)
    eventually(lambda: len(primary.acks()) > count, 0.5)
    assert max(primary.acks()) in (100 + len(command), 100 + len(command) + len(ask))
    eventually(lambda: primary.acks()[-1] == 100 + len(command) + len(ask), 3)
    assert offset_of(replica) == 100 + len(command) + len(ask)


@pytest.mark.parametrize("eof", [True, False])
def test_snapshot_and_stream_in_one_piece(regent, raw, eof):
    """The stream may begin in the same packet in which the snapshot ends."""
    class Hasty(RawPrimary):
        def _snapshot(self, link):
            super()._snapshot(link)
            link.sendall(words("SELECT", 1) + words("SET", "k", "v") + words("PING"))
    primary = raw(Hasty, eof=eof)
    replica = regent()
    replica.client().execute_command("REPLICAOF", HOST, primary.port)
    eventually(lambda: replica.client(db=1).get("k") == b"v")


# ---- WAIT ----

@KINDS
def test_wait(park, kind):
    primary = park.regent()
    replicas = [start(park, kind) for _ in range(2)]
    for replica in replicas:
        follow(replica, primary)
    wait_caught_up(primary, *replicas)
    client = primary.client()
    assert client.wait(0, 100) in (0, 1, 2)
    for number in range(20):
        client.set("k", number)
        started = time.monotonic()
        assert client.wait(2, 5000) == 2
        assert time.monotonic() - started < 0.9, "WAIT asks, it does not wait for the heartbeat"
        assert all(replica.client().get("k") == b"%d" % number for replica in replicas)
    replicas[0].pause()
    client.set("k", "x")
    started = time.monotonic()
    assert client.wait(2, 300) == 1
    assert 0.25 < time.monotonic() - started < 2
    # A blocked WAIT does not hold up others; it ends as soon as the replica is back.
    with primary.socket() as link:
        link.sendall(b"SET k y\r\nWAIT 2 0\r\n")
        assert link.recv(100).startswith(b"+OK")
        assert client.get("k") == b"y"
        replicas[0].resume()
        assert link.recv(100) == b":2\r\n"


def test_wait_on_a_replica_is_an_error(park):
    primary, replica = park.regent(), park.regent()
    follow(replica, primary)
    wait_caught_up(primary, replica)
    with pytest.raises(redis.ResponseError,
                       match="WAIT cannot be used with replica instances"):
        replica.client().wait(1, 10)


# ---- Modes without a group ----

def uncertain():
    return pytest.raises(redis.ResponseError, match="^UNCERTAIN ")


@pytest.mark.parametrize("mode", ["semi-sync", "sync", "quorum"])
def test_without_replicas_no_write_counts(regent, mode):
    server = regent(replication_mode=mode, replication_timeout=300)
    client = server.client()
    started = time.monotonic()
    with uncertain():
        client.set("k", "v")
    assert 0.25 < time.monotonic() - started < 2
    client.config_set("replication-mode", "async")
    assert client.set("k", "v") and client.get("k") == b"v"


@KINDS
def test_semi_sync_waits_for_one(park, kind):
    primary = park.regent(replication_mode="semi-sync", replication_timeout=700)
    replicas = [start(park, kind) for _ in range(2)]
    for replica in replicas:
        follow(replica, primary)
    wait_caught_up(primary, *replicas)
    client = primary.client()
    times = []
    for number in range(200):
        started = time.monotonic()
        assert client.set("k", number)
        times.append(time.monotonic() - started)
        assert any(replica.client().get("k") == b"%d" % number for replica in replicas[:1]) \
            or replicas[1].client().get("k") == b"%d" % number
    assert statistics.median(times) < 0.1, "real replicas are asked for their offset"

    replicas[0].pause()
    assert client.set("k", "one is enough")
    replicas[1].pause()
    with uncertain():
        client.set("k", "nobody has it")
    # Who reads what was not acknowledged waits as well, and other clients are not held up by it.
    with pytest.raises(redis.ResponseError):
        client.get("k")
    replicas[1].resume()
    assert eventually(lambda: client.get("k") == b"nobody has it")
    assert client.set("k", "again")


@KINDS
def test_sync_waits_for_all(park, kind):
    primary = park.regent(replication_mode="sync", replication_timeout=700)
    replicas = [start(park, kind) for _ in range(2)]
    for replica in replicas:
        follow(replica, primary)
    wait_caught_up(primary, *replicas)
    client = primary.client()
    for number in range(50):
        assert client.set("k", number)
        for replica in replicas:
            assert replica.client().get("k") == b"%d" % number
    replicas[0].pause()
    with uncertain():
        client.set("k", "one lacks it")
    replicas[0].resume()
    assert eventually(lambda: client.set("k", "all have it"))
    for replica in replicas:
        assert replica.client().get("k") == b"all have it"


@KINDS
def test_quorum_waits_for_a_majority(park, kind):
    primary = park.regent(replication_mode="quorum", replication_timeout=700)
    replicas = [start(park, kind) for _ in range(4)]
    for replica in replicas:
        follow(replica, primary)
    wait_caught_up(primary, *replicas)
    client = primary.client()
    assert client.set("k", 1)
    replicas[0].pause()
    replicas[1].pause()
    assert client.set("k", "three of five")
    replicas[2].pause()
    with uncertain():
        client.set("k", "two of five")
    replicas[0].resume()
    assert eventually(lambda: client.set("k", "three again"))


@KINDS
def test_pipelines_in_semi_sync(park, kind):
    """Replies stay in order and none is lost, with reads in between, for many clients at a time."""
    primary = park.regent(replication_mode="semi-sync")
    replica = start(park, kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    clients = [primary.client() for _ in range(10)]
    for number, client in enumerate(clients):
        pipe = client.pipeline(transaction=False)
        for step in range(300):
            pipe.set(f"p{number}", step)
            pipe.get(f"p{number}")
            pipe.incr(f"c{number}")
        replies = pipe.execute()
        assert replies[0::3] == [True] * 300
        assert replies[1::3] == [b"%d" % step for step in range(300)]
        assert replies[2::3] == list(range(1, 301))


def test_mode_of_one_connection(park):
    """A connection may ask for more than the server's mode."""
    primary = park.regent(replication_timeout=300)
    client = redis.Redis(HOST, primary.port, single_connection_client=True)
    assert client.set("k", "v")
    assert client.execute_command("CLIENT", "REPLICATION-MODE", "semi-sync") in (b"OK", True)
    with uncertain():
        client.set("k", "w")
    assert primary.client().set("k", "x"), "the others go on"
    assert client.execute_command("CLIENT", "REPLICATION-MODE", "default") in (b"OK", True)
    assert client.set("k", "y")
    client.close()


def test_min_replicas_to_write(park):
    primary = park.regent(min_replicas_to_write=1, min_replicas_max_lag=2)
    with pytest.raises(redis.ResponseError, match="NOREPLICAS Not enough good replicas to write."):
        primary.client().set("k", "v")
    assert primary.client().get("k") is None
    replica = park.redis()
    follow(replica, primary)
    wait_caught_up(primary, replica)
    eventually(lambda: primary.client().set("k", "v"))
    replica.pause()
    eventually(lambda: primary.info_text("replication")["min_slaves_good_slaves"] == "0", 8)
    with pytest.raises(redis.ResponseError, match="NOREPLICAS"):
        primary.client().set("k", "w")
