"""What each directive of replication does, by Regent and by redis-server alike."""

import os
import time

import pytest
import redis

from content import assert_same_content
from processes import HOST, eventually
from test_replication import (PAIRS, fill, follow, link_is_up, offset_of, start, stats,
                              wait_caught_up)

pairs = pytest.mark.parametrize("primary_kind,replica_kind", PAIRS, ids=lambda kind: kind)
kinds = pytest.mark.parametrize("kind", ["regent", "redis"])


def pour(server, megabytes):
    client = server.client()
    for number in range(megabytes):
        client.set(f"m:{number % 8}", b"x" * 1_000_000)


def connected(server):
    return int(server.info_text("replication")["connected_slaves"])


# ---- Full resynchronisation ----

@pairs
def test_diskless_sync_delay(park, primary_kind, replica_kind):
    """Who asks first waits for others, and one snapshot serves all."""
    primary = start(park, primary_kind, repl_diskless_sync_delay=2)
    primary.client().set("k", "v")
    replicas = [start(park, replica_kind) for _ in range(3)]
    began = time.monotonic()
    for replica in replicas:
        follow(replica, primary)
    eventually(lambda: connected(primary) == 3)
    states = {primary.info("replication")[f"slave{i}"]["state"] for i in range(3)}
    if time.monotonic() - began < 1:
        assert states == {"wait_bgsave"}
    wait_caught_up(primary, *replicas)
    assert time.monotonic() - began > 1.5
    assert stats(primary)["sync_full"] == 3
    walks = primary.log().count("Snapshot at offset" if primary_kind == "regent"
                                else "Starting BGSAVE for SYNC")
    assert walks == 1, primary.log(30)


@pairs
def test_diskless_sync_max_replicas(park, primary_kind, replica_kind):
    primary = start(park, primary_kind, repl_diskless_sync_delay=3600,
                    repl_diskless_sync_max_replicas=2)
    replicas = [start(park, replica_kind) for _ in range(2)]
    follow(replicas[0], primary)
    eventually(lambda: connected(primary) == 1)
    assert not link_is_up(replicas[0])
    follow(replicas[1], primary)
    wait_caught_up(primary, *replicas)


@pytest.mark.parametrize("load", ["disabled", "on-empty-db", "swapdb"])
@pairs
def test_diskless_load(park, seed, primary_kind, replica_kind, load):
    """Where the snapshot passes the disk by, no file of it is there."""
    primary = start(park, primary_kind)
    fill(primary, seed, 500)
    for filled in (False, True):
        replica = start(park, replica_kind, repl_diskless_load=load)
        if filled:
            replica.client().set("of the replica", "must go")
        follow(replica, primary)
        wait_caught_up(primary, replica)
        assert_same_content(primary, replica, at_least=100)
        on_disk = os.path.exists(os.path.join(replica.dir, "dump.rdb"))
        assert on_disk == (load == "disabled" or (load == "on-empty-db" and filled))


# ---- Limits ----

@pairs
def test_output_buffer_limit(park, primary_kind, replica_kind):
    """A replica that takes nothing is let go at the hard limit, or some time behind the soft one;
    one below the size of the backlog counts as that."""
    primary = start(park, primary_kind, repl_backlog_size="1mb")
    replica = start(park, replica_kind)
    for limit, seconds in (("replica 16mb 0 0", 0), ("replica 0 16mb 2", 1.5)):
        primary.client().config_set("client-output-buffer-limit", limit)
        follow(replica, primary)
        wait_caught_up(primary, replica)
        replica.pause()
        began = time.monotonic()
        # Below the limit it stays: what lies in the sockets' buffers comes on top.
        pour(primary, 10)
        assert connected(primary) == 1
        pour(primary, 30)
        eventually(lambda: connected(primary) == 0, 15)
        assert time.monotonic() - began > seconds
        replica.resume()
        wait_caught_up(primary, replica)
        assert_same_content(primary, replica, at_least=8)


@pairs
def test_min_replicas(park, primary_kind, replica_kind):
    primary = start(park, primary_kind, min_replicas_to_write=1, min_replicas_max_lag=2)
    client = primary.client()

    def refused():
        try:
            return not client.set("k", "refused")
        except redis.ResponseError as error:
            return str(error) == "NOREPLICAS Not enough good replicas to write."

    assert refused() and client.get("k") is None
    replica = start(park, replica_kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    eventually(lambda: client.set("k", "v"))
    assert primary.info_text("replication")["min_slaves_good_slaves"] == "1"
    replica.pause()
    eventually(refused)
    assert primary.info_text("replication")["min_slaves_good_slaves"] == "0"
    replica.resume()
    eventually(lambda: client.set("k", "w"))
    client.config_set("min-replicas-max-lag", 0)
    replica.kill()
    assert client.set("k", "x"), "no lag is no rule"


@pairs
def test_backlog_ttl(park, primary_kind, replica_kind):
    """Without a replica the log is given up after a while, with the id that it was known by."""
    primary = start(park, primary_kind, repl_backlog_ttl=1)
    replica = start(park, replica_kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    primary.client().set("k", "v")
    wait_caught_up(primary, replica)
    before = primary.info_text("replication")
    replica.pause()
    primary.client().execute_command("CLIENT", "KILL", "TYPE", "replica")
    eventually(lambda: primary.info_text("replication")["repl_backlog_active"] == "0")
    after = primary.info_text("replication")
    assert after["master_replid"] != before["master_replid"]
    assert after["repl_backlog_histlen"] == "0"
    primary.client().set("k", "w")
    assert offset_of(primary) == int(before["master_repl_offset"])
    replica.resume()
    wait_caught_up(primary, replica)
    assert replica.client().get("k") == b"w" and stats(primary)["sync_full"] == 2


@kinds
def test_backlog_size_zero_ttl_stays(park, kind):
    primary, replica = start(park, kind, repl_backlog_ttl=0), start(park, "redis")
    follow(replica, primary)
    wait_caught_up(primary, replica)
    replica.kill()
    time.sleep(1.5)
    assert primary.info_text("replication")["repl_backlog_active"] == "1"


# ---- SHUTDOWN ----

def shut_down(server, *words):
    link = server.socket(timeout=30)
    link.sendall(b" ".join([b"SHUTDOWN", *words]) + b"\r\n")
    return link


@pairs
def test_shutdown_waits_for_replicas(park, primary_kind, replica_kind):
    """A replica that is behind gets what it lacks before its primary ends."""
    primary = start(park, primary_kind, shutdown_timeout=20)
    replica = start(park, replica_kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    replica.pause()
    primary.client().set("k", "last words")
    link = shut_down(primary)
    left = eventually(lambda: primary.info_text("server").get("shutdown_in_milliseconds"))
    assert 0 < int(left) <= 20000
    # It is called off, and asked for again.
    assert primary.command_reply("SHUTDOWN", "ABORT")
    assert link.recv(100) == b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n"
    assert "shutdown_in_milliseconds" not in primary.info_text("server")
    shut_down(primary)
    eventually(lambda: "shutdown_in_milliseconds" in primary.info_text("server"))
    replica.resume()
    assert primary.wait(20) == 0
    assert eventually(lambda: replica.client().get("k")) == b"last words"


@pairs
def test_shutdown_timeout_and_now(park, primary_kind, replica_kind):
    primary = start(park, primary_kind, shutdown_timeout=1)
    replica = start(park, replica_kind)
    for words in ([], [b"NOW"]):
        follow(replica, primary)
        wait_caught_up(primary, replica)
        replica.pause()
        primary.client().set("k", "v")
        began = time.monotonic()
        shut_down(primary, *words)
        assert primary.wait(20) == 0
        assert words or time.monotonic() - began > 0.9
        replica.resume()
        primary.start()


# ---- CLIENT PAUSE ----

@pairs
def test_pause_lets_replicas_catch_up(park, primary_kind, replica_kind):
    """The recipe of a switch by hand: pause, wait, promote."""
    primary, replica = start(park, primary_kind), start(park, replica_kind)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    client = primary.client()
    client.set("goes", "v", px=200)
    client.set("k", "v")
    assert client.execute_command("CLIENT", "PAUSE", "20000", "WRITE") == b"OK"
    held = primary.client(socket_timeout=0.3, retry_on_timeout=False)
    with pytest.raises(redis.TimeoutError):
        held.set("k", "w")
    time.sleep(0.3)
    # Nothing is added meanwhile, not even an expiry; reads do not see what is past its time.
    assert client.get("goes") is None and client.get("k") == b"v"
    eventually(lambda: offset_of(replica) == offset_of(primary))
    end = offset_of(primary)
    time.sleep(0.3)
    assert offset_of(primary) == end
    assert client.execute_command("CLIENT", "UNPAUSE") == b"OK"
    assert client.set("k", "x")
    wait_caught_up(primary, replica)
    eventually(lambda: replica.client().dbsize() == 1)


# ---- What a replica tells ----

@pairs
def test_what_a_replica_tells_of_itself(park, primary_kind, replica_kind):
    primary = start(park, primary_kind)
    replica = start(park, replica_kind, replica_announced="no", replica_priority=7)
    follow(replica, primary)
    wait_caught_up(primary, replica)
    fields = replica.info_text("replication")
    assert (fields["replica_announced"], fields["slave_priority"]) == ("0", "7")
    assert replica.info_text("persistence")["async_loading"] == "0"


@pairs
def test_user_and_password(park, primary_kind, replica_kind):
    primary = start(park, primary_kind, requirepass="s3cret word")
    primary.client().set("k", "v")
    replica = start(park, replica_kind, masteruser="default", masterauth="s3cret word",
                    replicaof=(HOST, primary.port))
    wait_caught_up(primary, replica)
    assert replica.client().get("k") == b"v"


@kinds
def test_rdb_only(park, tmp_path, kind):
    """redis-cli --rdb takes a snapshot and leaves."""
    import subprocess
    server = start(park, kind)
    server.client().mset({f"k:{number}": "v" * 100 for number in range(1000)})
    path = tmp_path / "copy.rdb"
    done = subprocess.run(["redis-cli", "-p", str(server.port), "--rdb", str(path)],
                          capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert subprocess.run(["redis-check-rdb", str(path)], capture_output=True,
                          check=False).returncode == 0
    eventually(lambda: connected(server) == 0)


@pairs
def test_expiry_on_a_writable_replica(park, primary_kind, replica_kind):
    """What its own clients wrote there goes by itself; what came from the primary waits for it."""
    primary = start(park, primary_kind)
    replica = start(park, replica_kind, replica_read_only="no")
    follow(replica, primary)
    wait_caught_up(primary, replica)
    primary.client().execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    primary.client().set("of the primary", "v", px=100)
    primary.client().set("stays", "v")
    wait_caught_up(primary, replica)
    client = replica.client()
    other = replica.client(db=3)
    client.set("own", "v", px=150)
    client.hset("own hash", "f", "v")
    client.pexpire("own hash", 150)
    client.set("longer", "v", px=150)
    other.set("elsewhere", "v", px=150)
    client.pexpire("longer", 600_000)
    tracked = int(replica.info_text("stats")["slave_expires_tracked_keys"])
    assert tracked == 4 or int(client.dbsize()) < 5, "they may be gone already"
    eventually(lambda: client.dbsize() == 3 and other.dbsize() == 0)
    assert sorted(client.scan_iter()) == [b"longer", b"stays"], "one is hidden, not gone"
    eventually(lambda: replica.info_text("stats")["slave_expires_tracked_keys"] == "1")
    primary.client().execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "1")
    eventually(lambda: client.dbsize() == 2)
