"""replication-durability disk and WAITAOF: what is on the disks of how many."""

import resource
import time

import pytest
import redis

from group import ROUNDS, Group, Writer
from processes import eventually
from wire import RawPrimary, RawReplica, words

UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)


def based(server):
    """The AOF holds all of the log."""
    def over():
        info = server.info("persistence")
        return info["aof_enabled"] and not info["aof_rewrite_in_progress"] and \
            not info["aof_rewrite_scheduled"]
    eventually(over)


def attach(server, primary):
    server.command_reply("REPLICAOF", primary.host, primary.port)
    eventually(lambda: server.info("replication")["master_link_status"] == "up")


def waitaof(server, *argv, write=True):
    with redis.Redis(host=server.host, port=server.port, socket_timeout=20.0) as client:
        if write:
            client.incr("writes")
        return client.execute_command("WAITAOF", *argv)


# ---- A group ----

@pytest.mark.parametrize("mode", ["semi-sync", "quorum"])
def test_a_whole_group_killed_at_once_comes_back_by_itself(tmp_path, mode):
    with Group(tmp_path, mode=mode, appendonly="yes", appendfsync="no",
               replication_durability="disk") as group, Writer(group) as writer:
        for _ in range(ROUNDS):
            eventually(lambda: all(node.group_info()["group_log_on_disk"] == "1"
                                   for node in group.nodes))
            writer.wait_acks(50)
            for node in group.nodes:
                node.kill()
            for node in group.nodes:
                node.start()
            group.check_node(group.wait_whole(), dict(writer.acked))
        writer.wait_acks(50)
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)
        assert not any("forgot-log" in node.log() for node in group.nodes)
        assert all("All that this node acknowledged is in its log on disk" in node.log()
                   for node in group.nodes)


def test_a_group_goes_over_to_disk_and_back(tmp_path):
    with Group(tmp_path) as group, Writer(group) as writer:
        writer.wait_acks(20)
        for node in group.nodes:
            node.command_reply("CONFIG", "SET", "appendonly", "yes", "replication-durability",
                               "disk")
            node.options.update(appendonly="yes", replication_durability="disk")
        eventually(lambda: all(node.group_info()["group_log_on_disk"] == "1"
                               for node in group.nodes))
        writer.wait_acks(20)
        for node in group.nodes:
            node.kill()
        for node in group.nodes:
            node.start()
        group.check_node(group.wait_whole(), dict(writer.acked))
        writer.wait_acks(20)
        assert not any("forgot-log" in node.log() for node in group.nodes)
        node = group.nodes[0]
        node.command_reply("CONFIG", "SET", "replication-durability", "memory")
        node.options.update(replication_durability="memory")
        eventually(lambda: node.group_info()["group_log_on_disk"] == "0")
        node.kill()
        node.start()
        group.wait_rejoined(node)
        assert "forgot-log" in node.log()
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)


def test_a_member_that_loses_its_log_is_not_believed(tmp_path):
    with Group(tmp_path, appendonly="yes", replication_durability="disk") as group:
        primary = group.wait_whole()
        other = group.others(primary)[0]
        primary.client().set("a", 1)
        eventually(lambda: other.group_info()["group_log_on_disk"] == "1")
        other.kill()
        other.options["appendonly"] = "no"
        other.options["replication_durability"] = "memory"
        other.start()
        group.wait_rejoined(other)
        assert "member" in other.log() and "forgot-log" in other.log()


def test_a_primary_whose_disk_is_full_hands_over(tmp_path):
    with Group(tmp_path, appendonly="yes", replication_durability="disk") as group, \
            Writer(group) as writer:
        old = group.wait_whole()
        writer.wait_acks(20)
        # Room for the state file, but not for the log.
        resource.prlimit(old.pid, resource.RLIMIT_FSIZE, (1024, resource.RLIM_INFINITY))
        new = group.wait_primary(other_than=old)
        writer.wait_acks(50)
        assert old.group_info()["group_disk_trouble"] == "1"
        resource.prlimit(old.pid, resource.RLIMIT_FSIZE, UNLIMITED)
        eventually(lambda: old.group_info()["group_disk_trouble"] == "0", 20)
        eventually(lambda: int(old.group_info()["group_held_offset"]) > 0, 20)
        writer.stopping.set()
        writer.thread.join()
        group.check_all(writer.acked)
        assert "hands over to this node" in new.log()


def test_disk_needs_the_aof(regent):
    server = regent(appendonly="yes", replication_durability="disk")
    with pytest.raises(redis.ResponseError, match="replication-durability disk needs appendonly"):
        server.command_reply("CONFIG", "SET", "appendonly", "no")
    server.command_reply("CONFIG", "SET", "appendonly", "no", "replication-durability", "memory")
    with pytest.raises(redis.ResponseError, match="replication-durability disk needs appendonly"):
        server.command_reply("CONFIG", "SET", "replication-durability", "disk")
    assert server.info("replication")["replication_durability"] == "memory"


# ---- WAITAOF ----

def test_waitaof_counts_this_disk_and_the_replicas(regent, redis_server):
    primary = regent(appendonly="yes", appendfsync="everysec")
    replica = regent(appendonly="yes", appendfsync="everysec")
    old = redis_server(appendonly="yes")  # 7.0 does not say what it has on disk
    for server in (replica, old):
        attach(server, primary)
    for server in (primary, replica):
        based(server)
    assert waitaof(primary, 1, 1, 0) == [1, 1]
    assert waitaof(primary, 0, 1, 0)[1] == 1
    assert waitaof(primary, 1, 0, 0)[0] == 1
    begin = time.monotonic()
    assert waitaof(primary, 1, 2, 300)[1] <= 1
    assert time.monotonic() - begin >= 0.25
    assert primary.command_reply("WAIT", 2, 1000) == 2
    # Who wrote nothing waits for nothing; a transaction cannot wait.
    assert waitaof(primary, 1, 2, 0, write=False) == [1, 2]
    with primary.client().pipeline() as both:
        both.incr("writes")
        both.execute_command("WAITAOF", 1, 2, 0)
        assert len(both.execute()[1]) == 2
    for server in (replica, old):
        with pytest.raises(redis.ResponseError,
                           match="WAITAOF cannot be used with replica instances"):
            waitaof(server if server is replica else replica, 0, 0, 0, write=False)


def test_waitaof_without_syncs_or_files(regent):
    server = regent(appendonly="yes", appendfsync="no")
    based(server)
    assert waitaof(server, 1, 0, 100) == [0, 0]
    server.command_reply("CONFIG", "SET", "appendfsync", "always")
    assert waitaof(server, 1, 0, 0) == [1, 0]
    server.command_reply("CONFIG", "SET", "appendfsync", "no")
    with server.socket() as link:
        file = link.makefile("rb")
        link.sendall(words("INCR", "a") + words("WAITAOF", 1, 0, 0))
        assert file.readline() == b":1\r\n"
        eventually(lambda: server.info("clients")["blocked_clients"] == 1)
        server.command_reply("CONFIG", "SET", "appendonly", "no")
        assert file.readline() == (b"-ERR WAITAOF cannot be used when numlocal is set but "
                                   b"appendonly is disabled.\r\n")
    with pytest.raises(redis.ResponseError, match="appendonly is disabled"):
        waitaof(server, 1, 0, 0)
    assert waitaof(server, 0, 0, 0) == [0, 0]


@pytest.mark.parametrize("argv, error", [
    ("x 0 0", "value is not an integer or out of range"),
    ("2 0 0", "value is out of range, value must between 0 and 1"),
    ("-1 0 0", "value is out of range, value must between 0 and 1"),
    ("1 x 0", "value is out of range, must be positive"),
    ("0 -1 0", "value is out of range, must be positive"),
    ("0 0 x", "timeout is not an integer or out of range"),
    ("0 0 -1", "timeout is negative"),
    ("0 0", "wrong number of arguments for 'waitaof' command"),
])
def test_what_waitaof_refuses(park, argv, error):
    if not park.servers:
        park.regent()
    with pytest.raises(redis.ResponseError) as refused:
        park.servers[0].command_reply("WAITAOF", *argv.split())
    assert str(refused.value) == error


def test_a_replica_of_7_2_says_what_it_has_on_disk(regent):
    primary = regent()
    replica = RawReplica(primary)
    replica.introduce()
    replica.psync()
    replica.ack()
    with primary.socket() as link:
        file = link.makefile("rb")
        link.sendall(words("SET", "a", 1) + words("WAITAOF", 0, 1, 0))
        assert file.readline() == b"+OK\r\n"
        seen = []
        while seen != [b"REPLCONF", b"GETACK", b"*"]:
            seen = replica.next()
        end = replica.offset
        replica.link.sendall(words("REPLCONF", "ACK", end, "FACK", 0))
        assert waitaof(primary, 0, 1, 50) == [0, 0]
        replica.link.sendall(words("REPLCONF", "ACK", end, "FACK", end))
        assert [file.readline() for _ in range(3)] == [b"*2\r\n", b":0\r\n", b":1\r\n"]
    replica.close()


def test_a_replica_tells_its_primary_what_it_has_on_disk(regent):
    primary = RawPrimary()
    server = regent(appendonly="yes", appendfsync="everysec")
    server.command_reply("REPLICAOF", "127.0.0.1", primary.port)
    eventually(lambda: server.info("replication")["master_link_status"] == "up")
    based(server)
    command = words("SET", "a", 1)
    primary.send(command + words("REPLCONF", "GETACK", "*"))
    end = 100 + len(command) + len(words("REPLCONF", "GETACK", "*"))
    eventually(lambda: any(argv == [b"REPLCONF", b"ACK", b"%d" % end, b"FACK", b"%d" % end]
                           for argv in primary.commands))
    primary.close()
