"""Snapshots on disk: both servers load each other's files, and what happens when a disk does not
take them, a process dies over them, or one is damaged."""

import glob
import os
import random
import resource
import subprocess
import time

import pytest
import redis

import content
from conftest import eventually
from processes import regent_command
from test_rdb import encodings, fill

MISCONF = ("MISCONF Redis is configured to save RDB snapshots, but it's currently unable to "
           "persist to disk. Commands that may modify the data set are disabled")


def saved(server):
    info = server.info("persistence")
    return not info["rdb_bgsave_in_progress"] and info["rdb_last_bgsave_status"] == "ok"


def rdb(server):
    return os.path.join(server.dir, "dump.rdb")


def check_rdb(path):
    """The exit status of Regent's and Redis' check of the file."""
    program = regent_command()[0]
    ours = subprocess.run([program, "check-rdb", path], capture_output=True, text=True, check=False)
    theirs = subprocess.run(["redis-check-rdb", path], capture_output=True, text=True, check=False)
    return ours, theirs


@pytest.mark.parametrize("command", ["SAVE", "BGSAVE", "SHUTDOWN"])
def test_both_load_what_the_other_saved(regent, redis_server, command, seed):
    server = regent(save="100 1000000")
    fill(server.client(), random.Random(seed))
    expected, forms = content.content(server), encodings(server)
    if command == "SHUTDOWN":
        with pytest.raises(redis.ConnectionError):
            server.command_reply("SHUTDOWN", "SAVE")
        assert server.wait() == 0
    else:
        server.command_reply(command)
        eventually(lambda: os.path.exists(rdb(server)) and saved(server))
        server.kill()
    ours, theirs = check_rdb(rdb(server))
    assert ours.returncode == 0, ours.stdout
    assert theirs.returncode == 0, theirs.stdout
    other = redis_server(folder=server.dir)
    assert not content.differences(expected, content.content(other))
    assert encodings(other) == forms
    other.command_reply("SAVE")
    other.kill()
    server.start()
    assert not content.differences(expected, content.content(server))
    assert encodings(server) == forms


def test_a_snapshot_holds_one_moment_while_writes_go_on(regent):
    """Every transaction adds to both counters: in the file they are equal."""
    server = regent()
    client = server.client()
    pipe = client.pipeline(transaction=False)
    for i in range(100000):
        pipe.set(f"fill:{i}", "x" * 50)
    pipe.execute()
    client.mset({"left": 0, "right": 0})
    client.bgsave()
    for _ in range(300):
        pipe = client.pipeline(transaction=True)
        pipe.incr("left")
        pipe.set(f"fill:{random.randrange(100000)}", "y")
        pipe.incr("right")
        pipe.execute()
    eventually(lambda: saved(server))
    server.kill()
    server.start()
    assert client.get("left") == client.get("right")
    assert client.dbsize() == 100002
    assert "y" not in {client.get(f"fill:{i}") for i in range(0, 100000, 1000)}


def test_save_points_fire(regent):
    server = regent(save="1 3")
    client = server.client()
    client.mset({"a": 1})
    time.sleep(2.5)
    assert not os.path.exists(rdb(server))
    client.set("b", 1)
    client.set("c", 1)
    eventually(lambda: os.path.exists(rdb(server)) and saved(server))
    assert client.info("persistence")["rdb_changes_since_last_save"] == 0
    assert "3 changes in 1 seconds. Saving..." in server.log()
    assert client.lastsave() is not None


def test_killed_in_the_middle_of_a_save(regent, seed):
    server = regent()
    client = server.client()
    client.set("old", "1")
    client.save()
    pipe = client.pipeline(transaction=False)
    for i in range(200000):
        pipe.set(f"key:{i}", os.urandom(40).hex())
    pipe.execute()
    rand = random.Random(seed)
    for _ in range(3):
        client.bgsave()
        time.sleep(rand.random() * 0.05)
        server.kill()
        server.start()
        assert client.get("old") == b"1"
        if client.dbsize() == 200001:
            break
        assert client.dbsize() == 1
        assert not glob.glob(os.path.join(server.dir, "temp-*"))
        pipe.execute()


def test_a_full_disk_and_what_comes_after(regent, small_disk):
    server = regent(folder=small_disk.path, save="1 1", logfile="")
    client = server.client()
    client.set("a", "1")
    eventually(lambda: os.path.exists(rdb(server)) and saved(server))
    with open(rdb(server), "rb") as file:
        before = file.read()
    small_disk.fill()
    client.set("b", os.urandom(8192).hex())
    eventually(lambda: client.info("persistence")["rdb_last_bgsave_status"] == "err", timeout=20)
    with pytest.raises(redis.ResponseError, match=MISCONF[8:40]) as refused:
        client.set("c", "1")
    assert str(refused.value).startswith(MISCONF)
    assert client.get("a") == b"1"
    assert not glob.glob(os.path.join(server.dir, "temp-*"))
    with open(rdb(server), "rb") as file:
        assert file.read() == before
    client.config_set("stop-writes-on-bgsave-error", "no")
    assert client.set("c", "1")
    client.config_set("stop-writes-on-bgsave-error", "yes")
    small_disk.free()
    eventually(lambda: saved(server), timeout=20)
    assert client.set("d", "1")


def test_shutdown_and_its_words(regent):
    server = regent(save="100 1000000")
    client = server.client()
    for words in (["SAVE", "NOSAVE"], ["ABORT", "NOW"], ["LATER"]):
        with pytest.raises(redis.ResponseError, match="syntax error"):
            client.execute_command("SHUTDOWN", *words)
    with pytest.raises(redis.ResponseError, match="No shutdown in progress"):
        client.execute_command("SHUTDOWN", "ABORT")
    client.set("a", 1)
    with pytest.raises(redis.ConnectionError):
        client.execute_command("SHUTDOWN", "NOSAVE")
    assert server.wait() == 0
    assert not os.path.exists(rdb(server))


def test_a_stop_waits_for_replicas_and_can_be_called_off(regent):
    primary = regent(shutdown_timeout=60)
    replica = regent(replicaof=f"127.0.0.1 {primary.port}")
    client = primary.client()
    eventually(lambda: client.info("replication").get("slave0", {}).get("state") == "online")
    client.set("a", 1)
    eventually(lambda: replica.client().get("a") == b"1")
    replica.pause()
    client.set("b", 1)
    with primary.socket() as link:
        link.sendall(b"SHUTDOWN\r\n")
        eventually(lambda: "Waiting for replicas before shutting down." in primary.log())
        assert client.get("b") == b"1"
        assert client.execute_command("SHUTDOWN", "ABORT")
        assert link.recv(100) == b"-ERR Errors trying to SHUTDOWN. Check logs.\r\n"
    assert client.set("c", 1)
    with primary.socket() as link:
        link.sendall(b"SHUTDOWN\r\n")
        time.sleep(0.3)
        assert primary.running()
        replica.resume()
        assert primary.wait() == 0
    assert replica.client().get("c") == b"1"


def test_a_stop_that_cannot_save(regent, small_disk):
    server = regent(folder=small_disk.path, save="100 1000000")
    client = server.client()
    client.set("a", os.urandom(8192).hex())
    small_disk.fill()
    with pytest.raises(redis.ResponseError, match="Errors trying to SHUTDOWN"):
        client.execute_command("SHUTDOWN", "SAVE")
    assert client.get("a") is not None
    with pytest.raises(redis.ConnectionError):
        client.execute_command("SHUTDOWN", "SAVE", "FORCE")
    assert server.wait() == 0
    small_disk.free()


def test_commands_while_a_big_file_is_loaded(regent):
    server = regent()
    client = server.client()
    value = "x" * 20
    pipe = client.pipeline(transaction=False)
    for i in range(600000):
        pipe.set(f"key:{i}", value)
        if i % 50000 == 0:
            pipe.execute()
    pipe.execute()
    client.save()
    server.kill()
    server.start(wait=False)
    seen = {}
    refused = []

    def loaded():
        with server.socket() as link:
            link.sendall(b"INFO persistence\r\nPING\r\nGET key:1\r\nSET a 1\r\nLASTSAVE\r\n")
            file = link.makefile("rb")
            text = file.read(int(file.readline()[1:]) + 2).decode()
            info = dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)
            if info["loading"] == "0":
                return True
            seen.update(info)
            refused.append([file.readline() for _ in range(3)])
            assert file.readline().startswith(b":")
        return False
    eventually(loaded, timeout=60, interval=0.001)
    # The load may end between two of the last ones.
    error = b"-LOADING Redis is loading the dataset in memory\r\n"
    assert refused and all(reply == error for one in refused[:-1] for reply in one)
    total = int(seen["loading_total_bytes"])
    assert total == os.path.getsize(rdb(server))
    assert 0 <= int(seen["loading_loaded_bytes"]) <= total
    assert 0 <= float(seen["loading_loaded_perc"]) <= 100 and "loading_eta_seconds" in seen
    client.delete("a")
    assert client.dbsize() == 600000
    assert client.info("persistence")["rdb_last_load_keys_loaded"] == 600000


def test_what_is_due_at_the_start_is_left_out(regent):
    server = regent()
    client = server.client()
    client.execute_command("DEBUG", "SET-ACTIVE-EXPIRE", "0")
    client.set("gone", 1, px=50)
    client.set("stays", 1)
    client.save()
    server.kill()
    time.sleep(0.1)
    server.start()
    info = client.info("persistence")
    assert (info["rdb_last_load_keys_loaded"], info["rdb_last_load_keys_expired"]) == (1, 1)


def test_damaged_files_are_refused(regent, seed):
    server = regent()
    client = server.client()
    client.mset({f"key:{i}": "value" for i in range(100)})
    client.save()
    server.kill()
    with open(rdb(server), "rb") as file:
        whole = file.read()
    rand = random.Random(seed)
    cut = whole[:rand.randrange(12, len(whole) - 1)]
    at = rand.randrange(len(whole) - 8, len(whole))
    flipped = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:]
    for damaged in (cut, flipped, b"REDIS9999" + whole[9:], b"no file of this kind at all"):
        with open(rdb(server), "wb") as file:
            file.write(damaged)
        ours, theirs = check_rdb(rdb(server))
        assert ours.returncode == theirs.returncode == 1, (ours.stdout, theirs.stdout)
        assert "[offset " in ours.stdout
        server.start(wait=False)
        assert server.wait() == 1
        assert "Fatal error loading the DB" in server.log()


def test_the_directory_may_change_meanwhile(regent, tmp_path):
    server = regent(enable_protected_configs="yes")
    client = server.client()
    pipe = client.pipeline(transaction=False)
    for i in range(100000):
        pipe.set(f"key:{i}", os.urandom(40).hex())
    pipe.execute()
    client.bgsave()
    client.config_set("dir", str(tmp_path))
    eventually(lambda: saved(server))
    assert os.path.exists(rdb(server)) and not os.path.exists(tmp_path / "dump.rdb")
    client.save()
    assert os.path.exists(tmp_path / "dump.rdb")


def test_a_file_too_large(regent):
    """As a quota or ulimit refuses it, in the middle of the writing."""
    server = regent(start=False)
    server.start()
    client = server.client()
    client.mset({f"key:{i}": os.urandom(100).hex() for i in range(5000)})
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (300000, resource.RLIM_INFINITY))
    with pytest.raises(redis.ResponseError):
        client.save()
    assert not glob.glob(os.path.join(server.dir, "temp-*"))
    resource.prlimit(server.pid, resource.RLIMIT_FSIZE,
                     (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    assert client.save()
    assert check_rdb(rdb(server))[1].returncode == 0


def test_replicas_and_the_file_at_once(regent):
    """A replica that comes in the middle of a save waits for a snapshot of its own."""
    primary = regent()
    client = primary.client()
    pipe = client.pipeline(transaction=False)
    for i in range(200000):
        pipe.set(f"key:{i}", os.urandom(40).hex())
    pipe.execute()
    client.bgsave()
    replicas = [regent(replicaof=f"127.0.0.1 {primary.port}") for _ in range(2)]
    client.set("last", 1)
    for replica in replicas:
        eventually(lambda r=replica: r.client().get("last") == b"1", timeout=60)
        assert replica.client().dbsize() == 200001
    eventually(lambda: saved(primary))


def test_large_values_are_saved_as_they_were_while_they_change(regent, redis_server, seed):
    """Each is written in pieces, and every one of them is changed meanwhile."""
    rand = random.Random(seed)
    count = 30000
    server = regent()
    client = server.client()
    pipe = client.pipeline(transaction=False)
    for first in range(0, count, 100):
        some = range(first, first + 100)
        pipe.sadd("set", *[f"member:{i}" for i in some])
        pipe.hset("hash", mapping={f"field:{i}": i for i in some})
        pipe.rpush("list", *[f"element:{i}" for i in some])
        pipe.zadd("zset", {f"member:{i}": i % 500 for i in some})
    pipe.mset({f"small:{i}": "old" for i in range(200)})
    pipe.execute()
    client.copy("list", "gone")
    expected = content.content(server)
    client.bgsave()
    while True:
        # The first of these change values that the walk has not come to.
        pipe = client.pipeline(transaction=False)
        pipe.delete("gone")
        for i in (rand.randrange(count) for _ in range(20)):
            pipe.srem("set", f"member:{i}")
            pipe.sadd("set", f"new:{i}")
            pipe.hset("hash", f"field:{i}", "changed")
            pipe.hdel("hash", f"field:{i + 1}")
            pipe.lset("list", i // 2, "changed")
            pipe.lpop("list")
            pipe.rpush("list", "new")
            pipe.zincrby("zset", 7, f"member:{i}")
            pipe.zrem("zset", f"member:{i + 1}")
            pipe.set(f"small:{i % 200}", "new")
        pipe.execute()
        if saved(server):
            break
    ours, theirs = check_rdb(rdb(server))
    assert ours.returncode == 0, ours.stdout
    assert theirs.returncode == 0, theirs.stdout
    server.kill()
    other = redis_server(folder=server.dir)
    assert not content.differences(expected, content.content(other))
    server.start()
    assert not content.differences(expected, content.content(server))


def test_a_replica_that_takes_a_file_is_sent_one(regent, redis_server, seed):
    server = regent(repl_diskless_sync="no")
    fill(server.client(), random.Random(seed))
    client = server.client()
    client.set("big", os.urandom(2000000))
    replicas = [redis_server(replicaof=f"{server.host} {server.port}") for _ in range(2)]
    for replica in replicas:
        eventually(lambda r=replica: r.info("replication")["master_link_status"] == "up")
    client.set("late", "1")
    for replica in replicas:
        eventually(lambda r=replica: r.client().get("late") == b"1")
        assert not content.differences(content.content(server), content.content(replica))
    eventually(lambda: not glob.glob(os.path.join(server.dir, "temp-*")))
