"""The log on disk: what survives, what each server reads of the other, and what goes on afterwards."""

import os
import resource
import shutil
import subprocess
import threading
import time

import pytest
import redis

import workload
from content import assert_same_content
from processes import eventually, regent_command

FOLDER = "appendonlydir"
MANIFEST = "appendonly.aof.manifest"


def folder(server):
    return os.path.join(server.dir, FOLDER)


def manifest(server):
    with open(os.path.join(folder(server), MANIFEST), encoding="utf-8") as file:
        return [line.split() for line in file]


def files(server, kind):
    return [os.path.join(folder(server), words[1]) for words in manifest(server)
            if words[5] == kind]


def check(server):
    """redis-check-aof finds nothing wrong."""
    done = subprocess.run(["redis-check-aof", os.path.join(folder(server), MANIFEST)],
                          capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "All AOF files and manifest are valid" in done.stdout, \
        done.stdout + done.stderr


def rewritten(server, at_least=1):
    """A rewrite of this process has come to its end."""
    def over():
        info = server.info("persistence")
        busy = info["aof_rewrite_in_progress"] or info["aof_rewrite_scheduled"]
        return int(info["aof_rewrites"]) >= at_least and not busy
    eventually(over)


def synced(server):
    """All of the log is on disk."""
    eventually(lambda: server.info("persistence")["aof_durable_offset"] ==
               server.info("replication")["master_repl_offset"])


class Writers:
    """Clients that set keys of their own to rising numbers, and know what was acknowledged."""

    def __init__(self, server, count=8):
        self.acked = [0] * count
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(server, i)) for i in range(count)]
        for thread in self.threads:
            thread.start()

    def write(self, server, i):
        client = redis.Redis(host=server.host, port=server.port, socket_timeout=20.0)
        number = 0
        try:
            while not self.ended.is_set():
                number += 1
                client.set(f"writer:{i}", number)
                self.acked[i] = number
        except (redis.RedisError, OSError):
            pass

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join()


@pytest.mark.parametrize("preamble", ["rdb", "aof"])
def test_each_reads_what_the_other_wrote(regent, redis_server, preamble):
    theirs = redis_server(appendonly="yes",
                          aof_use_rdb_preamble="yes" if preamble == "rdb" else "no")
    ours = regent(appendonly="yes")
    rewritten(ours)
    for server, seed in ((theirs, 1), (ours, 1)):
        workload.run(server, seed, 1500, flushes=False)
        server.command_reply("BGREWRITEAOF")
        rewritten(server, 2 if server is ours else 1)
        workload.run(server, seed + 1, 500, flushes=False)
    theirs.stop()
    ours.stop()
    check(ours)
    # Each directory is started by the other kind, and by its own again.
    for source, make in ((theirs, regent), (ours, redis_server)):
        copy = make(appendonly="yes", start=False)
        shutil.copytree(folder(source), folder(copy))
        source.start()
        copy.start()
        assert_same_content(source, copy, at_least=50)


def test_an_old_single_file_becomes_a_base(regent, redis_server):
    source = redis_server(appendonly="yes")
    client = source.client()
    for i in range(100):
        client.set(f"k{i}", i)
    client.bgrewriteaof()
    rewritten(source)
    for i in range(100):
        client.rpush("list", i)
    source.stop()
    server = regent(appendonly="yes")
    server.stop()
    for name in os.listdir(folder(server)):
        os.unlink(os.path.join(folder(server), name))
    # As Redis 5 and 6 wrote it: an RDB with commands behind it.
    with open(os.path.join(server.dir, "appendonly.aof"), "wb") as old:
        for kind in "bi":
            for path in files(source, kind):
                with open(path, "rb") as file:
                    old.write(file.read())
    server.start()
    assert server.client().dbsize() == 101 and server.client().llen("list") == 100
    assert not os.path.exists(os.path.join(server.dir, "appendonly.aof"))
    assert manifest(server)[0][1] == "appendonly.aof"
    server.client().set("more", 1)
    server.restart()
    assert server.client().dbsize() == 102
    check(server)


def test_a_torn_tail_is_cut_or_refused(regent):
    server = regent(appendonly="yes")
    client = server.client()
    rewritten(server)
    client.set("a", 1)
    with client.pipeline(transaction=True) as pipe:
        pipe.set("b", 1)
        pipe.set("c", 1)
        pipe.execute()
    synced(server)
    server.kill()
    path = files(server, "i")[-1]
    size = os.path.getsize(path)
    # In the middle of the transaction: none of it is there.
    os.truncate(path, size - 20)
    server.options["aof_load_truncated"] = "no"
    server.start(wait=False)
    assert server.wait() == 1
    assert "Unexpected end of file" in server.log()
    server.options["aof_load_truncated"] = "yes"
    server.start()
    client = server.client()
    assert client.mget("a", "b", "c") == [b"1", None, None]
    assert "Truncating the AOF" in server.log()
    client.set("d", 1)
    server.restart()
    assert server.client().mget("a", "b", "d") == [b"1", None, b"1"]
    check(server)


def test_a_damaged_middle_is_refused_with_its_place(regent):
    server = regent(appendonly="yes")
    rewritten(server)
    client = server.client()
    for i in range(50):
        client.set(f"k{i}", "x" * 50)
    server.stop()
    path = files(server, "i")[-1]
    with open(path, "r+b") as file:
        data = file.read()
        at = data.index(b"k20") - 10
        at = data.rindex(b"*3", 0, at)
        file.seek(at)
        file.write(b"!")
    server.start(wait=False)
    assert server.wait() == 1
    assert f"at offset {at}" in server.log() and os.path.basename(path) in server.log()


def test_appendonly_is_turned_on_while_it_runs(regent, redis_server):
    server = regent()
    workload.run(server, 3, 800, flushes=False)
    client = server.client()
    assert client.config_set("appendonly", "yes")
    rewritten(server)
    client.set("behind", 1)
    client.config_set("appendonly", "no")
    client.set("not", "there")
    client.config_set("appendonly", "yes")
    rewritten(server, 2)
    size = client.dbsize()
    server.kill()
    server.options["appendonly"] = "yes"
    server.start()
    assert server.client().dbsize() == size
    assert [words[5] for words in manifest(server)] == ["b", "i"]
    check(server)


def test_rewrites_under_load_lose_nothing(regent):
    server = regent(appendonly="yes", appendfsync="always", repl_disk_backlog_size=0)
    rewritten(server)
    writers = Writers(server)
    for round_ in range(5):
        server.command_reply("BGREWRITEAOF")
        rewritten(server, round_ + 2)
    server.kill()
    writers.stop()
    check(server)
    server.start()
    for i, acked in enumerate(writers.acked):
        assert int(server.client().get(f"writer:{i}") or 0) >= acked
    assert len(manifest(server)) == 2
    assert sorted(os.listdir(folder(server))) == sorted([MANIFEST] + [w[1] for w in manifest(server)])


def test_a_log_that_grew_is_rewritten_by_itself(regent):
    server = regent(appendonly="yes", auto_aof_rewrite_min_size="1mb",
                    auto_aof_rewrite_percentage=0, repl_disk_backlog_size=0)
    rewritten(server)
    client = server.client()

    def write(count):
        with client.pipeline(transaction=False) as pipe:
            for i in range(count):
                pipe.set(f"k{i % 300}", f"{i}:" + "x" * 1000)
            pipe.execute()
    write(2000)
    synced(server)
    assert server.info("persistence")["aof_rewrites"] == 1
    client.config_set("auto-aof-rewrite-percentage", 100)
    eventually(lambda: server.info("persistence")["aof_rewrites"] == 2)
    assert "Starting automatic rewriting of AOF on" in server.log()

    def rewrites():
        write(1000)
        return server.info("persistence")["aof_rewrites"] >= 5
    eventually(rewrites, timeout=60)
    rewritten(server)
    size = client.dbsize()
    server.kill()
    check(server)
    assert sum(os.path.getsize(path) for kind in "bi" for path in files(server, kind)) < 8 << 20
    server.start()
    assert server.client().dbsize() == size


def test_the_log_goes_on_after_a_kill(regent, redis_server):
    """Primary and replica find together again without a full resync, whichever of them is killed."""
    primary = regent(appendonly="yes", appendfsync="always")
    replica = regent(appendonly="yes", replicaof=f"{primary.host} {primary.port}")
    theirs = redis_server(replicaof=f"{primary.host} {primary.port}")
    client = primary.client()
    for server in (replica, theirs):
        eventually(lambda s=server: s.info("replication")["master_link_status"] == "up")
    for i in range(200):
        client.set(f"k{i}", i)
    client.wait(2, 5000)
    rewritten(replica)  # also behind the full resync, which makes the first base useless
    replica.kill()
    for i in range(200):
        client.set(f"l{i}", i)
    replica.start()
    eventually(lambda: replica.info("replication")["master_link_status"] == "up")
    assert primary.info("stats")["sync_full"] == 2
    client.wait(2, 5000)
    primary.kill()
    primary.start()
    client = primary.client()
    client.set("after", 1)
    for server in (replica, theirs):
        eventually(lambda s=server: s.client().get("after") == b"1")
    stats = primary.info("stats")
    assert (stats["sync_full"], stats["sync_partial_ok"]) == (0, 2)
    assert_same_content(primary, replica, at_least=400)
    assert_same_content(primary, theirs, at_least=400)


def check_aof(*words, answer=""):
    """regent check-aof: its status and what it says."""
    done = subprocess.run(regent_command()[:1] + ["check-aof", *words], input=answer,
                          capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def test_check_aof_tells_and_mends(regent):
    server = regent(appendonly="yes")
    rewritten(server)
    client = server.client()
    client.set("a", 1)
    with client.pipeline(transaction=True) as pipe:
        pipe.set("b", 1)
        pipe.set("c", 1)
        pipe.execute()
    server.stop()
    path = os.path.join(folder(server), MANIFEST)
    status, text = check_aof(path)
    assert status == 0 and "All AOF files and manifest are valid" in text
    last = files(server, "i")[-1]
    os.truncate(last, os.path.getsize(last) - 20)
    status, text = check_aof(path)
    assert status == 1 and "Reached EOF before reading EXEC" in text
    status, text = check_aof("--fix", path, answer="n\n")
    assert status == 1 and "Aborting" in text
    status, text = check_aof("--fix", path, answer="y\n")
    assert status == 0 and "Successfully truncated AOF" in text
    check(server)
    server.options["aof_load_truncated"] = "no"
    server.start()
    assert server.client().mget("a", "b", "c") == [b"1", None, None]
    # A base cannot be mended, and says where it is wrong.
    server.stop()
    base = files(server, "b")[0]
    with open(base, "r+b") as file:
        file.seek(20)
        file.write(b"\xff\xff")
    status, text = check_aof("--fix", path, answer="y\n")
    assert status == 1 and "offset" in text


def test_check_aof_cuts_to_a_time(regent, redis_server):
    server = regent(appendonly="yes", aof_timestamp_enabled="yes")
    rewritten(server)
    client = server.client()
    client.set("early", 1)
    time.sleep(1.1)
    moment = int(time.time()) - 1
    time.sleep(1.1)
    client.set("late", 1)
    server.stop()
    status, text = check_aof("--truncate-to-timestamp", str(moment),
                             os.path.join(folder(server), MANIFEST))
    assert status == 0 and "Successfully truncated AOF" in text, text
    server.start()
    assert server.client().mget("early", "late") == [b"1", None]
    server.stop()
    other = redis_server(appendonly="yes", start=False)
    shutil.copytree(folder(server), folder(other))
    other.start()
    assert other.client().mget("early", "late") == [b"1", None]


def test_a_full_disk_refuses_writes_until_there_is_room(regent):
    """The limit of the size of files stands for a full disk: an append ends in the middle."""
    server = regent(appendonly="yes", appendfsync="everysec")
    rewritten(server)
    client = server.client()
    client.set("before", 1)
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (4096, resource.RLIM_INFINITY))
    acked = 0

    def refused():
        nonlocal acked
        try:
            client.set(f"k{acked}", "x" * 100)
            acked += 1
        except redis.ResponseError as error:
            return str(error).startswith("MISCONF Errors writing to the AOF file")
        return False
    eventually(refused)
    assert client.get("before") == b"1"
    assert server.info("persistence")["aof_last_write_status"] == "err"
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    eventually(lambda: client.set("after", 1))
    server.stop()
    check(server)
    server.start()
    assert server.client().dbsize() == acked + 2
