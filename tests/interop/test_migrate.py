"""MIGRATE from Regent and from redis-server, to Regent and to redis-server: replies, what arrives,
what stays, what replicas get; and that the others are served meanwhile."""

import socket
import threading

import pytest

from content import assert_same_content, content
from processes import eventually, free_port
from resp_client import Client

KINDS = ["regent", "redis"]


def make(park, kind, **options):
    return getattr(park, kind)(**options)


def fill(client):
    client.pipeline([
        ["set", "s", "text"], ["set", "n", "12", "ex", "1000"], ["rpush", "l", "a", "b", "c"],
        ["sadd", "ints", "1", "2"], ["sadd", "words", "x", "y"], ["zadd", "z", "1.5", "m"],
        ["hset", "h", "f", "v"], ["set", "big", "x" * 3000000], ["pfadd", "p", "1", "2"]])


ALL = ["s", "n", "l", "ints", "words", "z", "h", "big", "p"]


def assert_alike(before, after):
    """Types and values, and expiries but for the time on the way."""
    assert {name: item[:2] for name, item in after.items()} == \
        {name: item[:2] for name, item in before.items()}
    for name, (_, _, expiry) in after.items():
        assert (expiry > 0) == (before[name][2] > 0) and abs(expiry - before[name][2]) < 30000


@pytest.mark.parametrize("source", KINDS)
@pytest.mark.parametrize("target", KINDS)
def test_keys_arrive_and_go(park, source, target):
    source, target = make(park, source), make(park, target)
    a, b = Client(source.port), Client(target.port)
    fill(a)
    before = content(source)
    assert a.call("migrate", "127.0.0.1", target.port, "s", 0, 5000) == b"OK"
    assert a.call("exists", "s") == 0
    assert a.call("migrate", "127.0.0.1", target.port, "s", 0, 5000) == b"NOKEY"
    assert a.call("migrate", "127.0.0.1", target.port, "", 0, 5000, "COPY", "KEYS", *ALL) == b"OK"
    assert a.call("exists", *ALL) == len(ALL) - 1
    refused = a.call("migrate", "127.0.0.1", target.port, "l", 0, 5000)
    assert refused.startswith(b"ERR Target instance replied with error: BUSYKEY")
    a.call("rpush", "l", "d")
    assert a.call("migrate", "127.0.0.1", target.port, "", 0, 5000, "REPLACE", "KEYS",
                  *ALL) == b"OK"
    assert a.call("exists", *ALL) == 0
    before[0, b"l"] = (b"list", [b"a", b"b", b"c", b"d"], -1)
    assert_alike(before, content(target))
    a.call("set", "elsewhere", "1")
    assert a.call("migrate", "127.0.0.1", target.port, "elsewhere", 3, 5000) == b"OK"
    b.call("select", 3)
    assert b.call("get", "elsewhere") == b"1"


def test_what_is_wrong_is_said_alike(park):
    ours, theirs, target = park.regent(), park.redis(), park.redis(requirepass="word")
    closed = free_port()
    requests = [
        "{closed} k 0 100", "x k 0 100", "{open} k x 100", "{open} k 0 x", "{open} k 0 100 bad",
        "{open} k 0 100 auth", "{open} k 0 100 auth2 a", "{open} k 0 100 keys k", "{open} none 0 100",
        "{open} k 0 100", "{open} k 0 100 auth wrong", "{open} k 0 -1 auth word", "{open} k 99 100 auth word",
        "{open} k 0 100 auth2 default word copy replace", "{open} k 0 100 copy auth word",
        "{open} k 0 100 auth2 nobody word", "{open} k 0", "{open} none 0 100 bad",
    ]
    for request in requests:
        replies = []
        for server in (ours, theirs):
            client = Client(server.port)
            client.call("set", "k", "v")
            words = request.format(open=target.port, closed=closed).split()
            replies.append((client.call("migrate", "127.0.0.1", *words), client.call("get", "k")))
            flush = Client(target.port)
            flush.call("auth", "word")
            flush.call("flushall")
        assert replies[0] == replies[1], request
    client = Client(ours.port)
    words = ["migrate", "127.0.0.1", target.port, "", 0, 1000, "auth", "word", "keys"]
    assert client.call(*words) == b"NOKEY"
    assert client.call(*words, "k", "none", "k2") == b"OK"


def test_what_arrived_goes_though_another_key_was_refused(park):
    ours, target = park.regent(), park.redis()
    client = Client(ours.port)
    client.call("mset", "a", "1", "b", "2", "c", "3")
    target.command_reply("set", "b", "in the way")
    reply = client.call("migrate", "127.0.0.1", target.port, "", 0, 5000, "keys", "a", "b", "c")
    assert reply.startswith(b"ERR Target instance replied with error: BUSYKEY")
    assert client.call("keys", "*") == [b"b"]


class Silent:
    """A server that takes connections and answers when it is told to."""

    def __init__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]

    def accept(self):
        self.link, _ = self.listener.accept()
        self.link.settimeout(10)
        return self.link


def test_others_read_and_wait_with_changes(park):
    ours, silent = park.regent(), Silent()
    mover, reader, writer = (Client(ours.port) for _ in range(3))
    reader.pipeline([["set", "k", "v"], ["set", "other", "1"]])
    mover.send("migrate", "127.0.0.1", silent.port, "k", 0, 20000)
    link = silent.accept()
    assert b"RESTORE" in link.recv(65536)
    writer.send_all([["get", "k"], ["incr", "other"], ["get", "k"]])
    assert writer.read() == b"v"
    assert reader.call("get", "k") == b"v"
    assert reader.call("get", "other") == b"1"
    link.sendall(b"+OK\r\n+O")
    assert reader.call("get", "k") == b"v"
    link.sendall(b"K\r\n")
    assert mover.read() == b"OK"
    assert (writer.read(), writer.read()) == (2, None)
    assert reader.call("exists", "k") == 0


def test_silence_and_the_end_of_the_link_are_errors(park):
    ours, silent = park.regent(), Silent()
    client = Client(ours.port)
    client.call("set", "k", "v")
    client.send("migrate", "127.0.0.1", silent.port, "k", 0, 50)
    silent.accept()
    assert client.read() == b"IOERR error or timeout reading from target instance"
    client.send("migrate", "127.0.0.1", silent.port, "k", 0, 20000)
    silent.accept().close()
    assert client.read().startswith(b"IOERR error or timeout ")
    client.send("migrate", "127.0.0.1", silent.port, "k", 0, 20000)
    silent.accept().sendall(b"$5\r\n")
    assert client.read() == b"IOERR error or timeout reading from target instance"
    assert client.call("get", "k") == b"v"
    other = Client(ours.port)  # who asked leaves, and it goes on
    other.send("migrate", "127.0.0.1", silent.port, "k", 0, 20000)
    link = silent.accept()
    other.close()
    link.sendall(b"+OK\r\n+OK\r\n")
    eventually(lambda: client.call("exists", "k") == 0)
    assert client.pipeline([["multi"], ["migrate", "127.0.0.1", "1", "k", "0", "1"],
                            ["exec"]])[2][0].startswith(b"ERR MIGRATE")


def test_replicas_delete_it_and_wait_counts_it(park):
    ours, target = park.regent(), park.redis()
    replicas = [park.redis(replicaof=(ours.host, ours.port)),
                park.regent(replicaof=(ours.host, ours.port))]
    client = Client(ours.port)
    for replica in replicas:
        eventually(lambda server=replica: server.info("replication")["master_link_status"] == "up")
    fill(client)
    assert client.call("migrate", "127.0.0.1", target.port, "", 0, 5000, "keys", "s", "l") == b"OK"
    assert client.call("wait", 2, 10000) == 2
    for replica in replicas:
        assert_same_content(ours, replica, at_least=len(ALL) - 2)


def test_a_role_that_is_lost_ends_it(park):
    ours, silent, other = park.regent(), Silent(), park.redis()
    client = Client(ours.port)
    client.call("set", "k", "v")
    client.send("migrate", "127.0.0.1", silent.port, "k", 0, 20000)
    silent.accept()
    ours.command_reply("replicaof", other.host, other.port)
    assert client.read().startswith(b"UNBLOCKED")
    eventually(lambda: ours.info("replication")["master_link_status"] == "up")


def test_several_at_once_take_turns(park):
    ours, target = park.regent(), park.regent()
    client = Client(ours.port)
    client.pipeline([["set", "k%d" % i, "v" * i] for i in range(200)])

    def move(first):
        link = Client(ours.port)
        replies.extend(link.pipeline([["migrate", "127.0.0.1", str(target.port), "k%d" % i, "0",
                                       "10000"] for i in range(first, 200, 4)]))

    replies = []
    threads = [threading.Thread(target=move, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert replies == [b"OK"] * 200
    assert (client.call("dbsize"), Client(target.port).call("dbsize")) == (0, 200)
