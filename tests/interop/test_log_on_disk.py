"""Who was away for longer than the backlog in memory is served from the log on disk."""

import contextlib
import os
import shutil
import threading

import pytest
import redis

from content import assert_same_content
from group import Group
from processes import eventually
from test_aof import FOLDER, MANIFEST, check, files, folder, manifest, rewritten, synced

MEMORY = 16 * 1024
MEGABYTES = int(os.environ.get("MEGABYTES", "300"))


def link_up(replica):
    eventually(lambda: replica.info("replication")["master_link_status"] == "up", timeout=60)


def caught_up(primary, *replicas, timeout=120):
    def equal():
        end = primary.info("replication")["master_repl_offset"]
        return all(r.info("replication")["slave_repl_offset"] == end for r in replicas)
    eventually(equal, timeout=timeout)


def write(client, first, count, size=1000, transactions=True):
    """Keys in several databases, a part of them in transactions."""
    with client.pipeline(transaction=False) as pipe:
        for i in range(first, first + count):
            if transactions and i % 7 == 0:
                pipe.execute_command("MULTI")
            pipe.execute_command("SELECT", i // 50 % 3)
            pipe.set(f"key:{i % 1000}", f"{i}:" + "#TS:1\r\n" * (size // 7))
            pipe.rpush(f"list:{i % 10}", i)
            pipe.ltrim(f"list:{i % 10}", -20, -1)
            if transactions and i % 7 == 0:
                pipe.execute_command("EXEC")
        pipe.execute_command("SELECT", 0)
        pipe.execute()


def primary_of(regent, **options):
    server = regent(appendonly="yes", repl_backlog_size=MEMORY, **options)
    rewritten(server)
    return server


@pytest.mark.parametrize("timestamps", ["no", "yes"])
def test_replicas_of_both_kinds_that_were_away(regent, redis_server, timestamps):
    primary = primary_of(regent, aof_timestamp_enabled=timestamps)
    follows = {"replicaof": f"{primary.host} {primary.port}"}
    ours = regent(appendonly="yes", **follows)
    theirs = redis_server(**follows)
    client = primary.client()
    for replica in (ours, theirs):
        link_up(replica)
    write(client, 0, 200)
    caught_up(primary, ours, theirs)
    full = primary.info("stats")["sync_full"]
    for round_ in range(3):
        # The real one holds its log in memory only: it is stopped, and its link cut, instead.
        theirs.pause()
        caught_up(primary, ours)
        synced(ours)
        client.execute_command("CLIENT", "KILL", "TYPE", "replica")
        ours.kill()
        write(client, 1000 * round_, 1000)
        if round_ > 0:
            client.bgrewriteaof()
        write(client, 1000 * round_, 1000)
        theirs.resume()
        ours.start()
        write(client, 1000 * round_, 100)
        caught_up(primary, ours, theirs)
        assert_same_content(primary, ours, at_least=500)
        assert_same_content(primary, theirs, at_least=500)
    assert primary.info("stats")["sync_full"] == full
    assert "bytes of the log on disk" in primary.log()
    synced(primary)
    check(primary)
    check(ours)


def test_a_restarted_primary_serves_what_was_before(regent):
    primary = primary_of(regent)
    replica = regent(replicaof=f"{primary.host} {primary.port}")
    link_up(replica)
    client = primary.client()
    write(client, 0, 300)
    caught_up(primary, replica)
    replica.pause()
    write(client, 0, 2000)
    client.bgrewriteaof()
    rewritten(primary, 2)
    write(client, 0, 2000)
    synced(primary)
    for end in (primary.kill, primary.stop):
        end()
        primary.start()
    replica.resume()
    caught_up(primary, replica)
    assert primary.info("stats")["sync_full"] == 0
    assert_same_content(primary, replica, at_least=500)


def test_history_is_within_its_bound_and_read_by_redis(regent, redis_server):
    bound = 4_000_000
    primary = primary_of(regent, repl_disk_backlog_size="4mb", auto_aof_rewrite_percentage=0)
    client = primary.client()
    most = 0
    for round_ in range(6):
        write(client, 0, 1500)
        client.bgrewriteaof()
        rewritten(primary, round_ + 2)
        synced(primary)
        kept = sum(os.path.getsize(path) for path in files(primary, "h") if os.path.exists(path))
        most = max(most, kept)
        assert kept <= 4 << 20
    assert most > bound // 2
    info = primary.info("persistence")
    assert bound // 2 < info["repl_disk_backlog_histlen"] <= 4 << 20
    check(primary)
    names = {words[1] for words in manifest(primary)} | {MANIFEST}
    eventually(lambda: set(os.listdir(folder(primary))) == names)
    # The real one reads it, and removes the history, as always.
    copy = redis_server(appendonly="yes", start=False)
    shutil.copytree(folder(primary), folder(copy))
    copy.start()
    assert_same_content(primary, copy, at_least=500)
    eventually(lambda: not files(copy, "h"))
    client.config_set("repl-disk-backlog-size", 0)
    eventually(lambda: not files(primary, "h") and
               len(os.listdir(folder(primary))) == 1 + len(manifest(primary)))


def test_several_replicas_at_different_places_while_files_are_replaced(regent):
    primary = primary_of(regent, appendfsync="no")
    client = primary.client()
    replicas = [regent(replicaof=f"{primary.host} {primary.port}", appendonly="yes")
                for _ in range(3)]
    for replica in replicas:
        link_up(replica)
        rewritten(replica)
    for replica in replicas:
        write(client, 0, 3000)
        caught_up(primary, replica)
        synced(replica)
        replica.kill()
    write(client, 0, 5000)
    full = primary.info("stats")["sync_full"]
    ended = threading.Event()

    def go_on():
        other = redis.Redis(host=primary.host, port=primary.port, socket_timeout=20.0)
        while not ended.is_set():
            write(other, 0, 50)
            try:
                other.bgrewriteaof()
            except redis.ResponseError:
                pass  # one is under way
    thread = threading.Thread(target=go_on)
    thread.start()
    try:
        for replica in replicas:
            replica.start()
        for replica in replicas:
            link_up(replica)
    finally:
        ended.set()
        thread.join()
    caught_up(primary, *replicas)
    assert primary.info("stats")["sync_full"] == full
    for replica in replicas:
        assert_same_content(primary, replica, at_least=500)


class Filler(threading.Thread):
    """Writes to whoever is primary until so many megabytes are acknowledged."""

    def __init__(self, group, megabytes):
        super().__init__(daemon=True)
        self.group = group
        self.left = megabytes * 200
        self.value = os.urandom(5000)
        self.start()

    def run(self):
        while self.left > 0:
            with contextlib.suppress(redis.RedisError, OSError, AssertionError):
                with self.group.wait_primary(20.0).client().pipeline(transaction=False) as pipe:
                    while self.left > 0:
                        for i in range(50):
                            pipe.set(f"key:{(self.left + i) % 3000}", self.value)
                        pipe.execute()
                        self.left -= 50


@pytest.mark.parametrize("policy, end", [("everysec", "kill"), ("always", "kill"),
                                         ("everysec", "terminate")])
def test_a_group_whose_nodes_are_killed_in_turn(tmp_path, policy, end):
    """MEGABYTES go through the log; the only full resyncs are those of the beginning."""
    def full(group):
        return sum(node.log().count("Full resync of replica") for node in group.nodes)

    share = max(MEGABYTES // 7, 1)
    with Group(tmp_path, appendonly="yes", appendfsync=policy, repl_backlog_size=MEMORY,
               repl_disk_backlog_size=f"{2 * share + 64}mb",
               save="3600 1000000" if end == "terminate" else "") as group:
        Filler(group, share).join()
        group.wait_whole(300)
        for node in group.nodes:
            rewritten(node)
        begun = full(group)
        for node in group.nodes:
            group.wait_whole(300)
            # It goes on while the node dies, is away and returns. With always a primary may have on
            # its disk what it had no time to send, and that would be dropped with all else.
            filler = Filler(group, 2 * share) if policy != "always" else None
            eventually(lambda: not filler or filler.left < 2 * share * 200 - 100, 60)
            getattr(node, end)()
            filler = filler or Filler(group, 2 * share)
            eventually(lambda: filler.left < share * 100 or not filler.is_alive(), 600)
            node.start()
            filler.join()
        group.wait_whole(300)
        assert full(group) == begun
        if end == "terminate":
            assert all("The last stop was clean" in node.log() for node in group.nodes)
        assert any("of the log on disk" in node.log() for node in group.nodes)
        digests = {node.digest() for node in group.nodes}
        assert len(digests) == 1
