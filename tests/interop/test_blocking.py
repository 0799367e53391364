"""Clients that wait for keys: the same steps against Regent and against redis-server, with the same
replies. A step is a client's name and its words; what is served is read where the server has had
time for it, in the order in which clients began to wait."""

import time

import pytest

from processes import eventually
from resp_client import Client, Error, NullArray


@pytest.fixture(params=["regent", "redis"])
def server(request, park):
    """Each test runs against both: what holds for Redis holds here."""
    return getattr(park, request.param)()


class Waiter(Client):
    def __init__(self, server, *words):
        super().__init__(server.port)
        self.server = server
        self.id = self.call("client", "id")
        if words:
            self.wait(*words)

    def wait(self, *words):
        """Sends the command, and comes back when the server has it waiting."""
        self.send(*words)
        watch = Client(self.server.port)
        eventually(lambda: b"flags=b" in watch.call("client", "list", "id", self.id))
        watch.close()

    def quiet(self):
        self.sock.settimeout(0.15)
        try:
            return not self.sock.recv(1)
        except TimeoutError:
            return True
        finally:
            self.sock.settimeout(30)


def test_first_come_first_served(server):
    waiters = [Waiter(server, "blpop", "k", "0") for _ in range(3)]
    client = Client(server.port)
    assert client.call("rpush", "k", "a", "b") == 2
    assert waiters[0].read() == [b"k", b"a"]
    assert waiters[1].read() == [b"k", b"b"]
    assert waiters[2].quiet()
    assert client.call("exists", "k") == 0
    client.call("rpush", "k", "c")
    assert waiters[2].read() == [b"k", b"c"]


def test_the_key_that_became_ready_first(server):
    waiter = Waiter(server, "blpop", "a", "b", "0")
    client = Client(server.port)
    client.pipeline([["multi"], ["rpush", "b", "1"], ["rpush", "a", "2"], ["exec"]])
    assert waiter.read() == [b"b", b"1"]
    assert client.call("lrange", "a", 0, -1) == [b"2"]


def test_served_after_the_transaction(server):
    waiter = Waiter(server, "blpop", "k", "0")
    client = Client(server.port)
    replies = client.pipeline([["multi"], ["rpush", "k", "1"], ["rpush", "k", "2"], ["lpop", "k"],
                               ["exec"]])
    assert replies[-1] == [1, 2, b"1"]
    assert waiter.read() == [b"k", b"2"]


def test_gone_before_the_transaction_ends(server):
    waiter = Waiter(server, "blpop", "k", "0")
    client = Client(server.port)
    client.pipeline([["multi"], ["rpush", "k", "1"], ["del", "k"], ["exec"]])
    assert waiter.quiet()
    client.call("rpush", "k", "2")
    assert waiter.read() == [b"k", b"2"]


def test_another_type_is_no_error_while_it_waits(server):
    waiter = Waiter(server, "blpop", "k", "0")
    client = Client(server.port)
    client.call("set", "k", "string")
    assert waiter.quiet()
    client.call("del", "k")
    client.call("lpush", "k", "x")
    assert waiter.read() == [b"k", b"x"]


@pytest.mark.parametrize("steps", [
    [["rpush", "other", "x"], ["rename", "other", "k"]],
    [["rpush", "other", "x"], ["copy", "other", "k"]],
    [["select", "1"], ["rpush", "k", "x"], ["move", "k", "0"]],
    [["select", "1"], ["rpush", "k", "x"], ["swapdb", "0", "1"]],
    [["rpush", "other", "x"], ["lmove", "other", "k", "left", "left"]],
    [["rpush", "other", "x"], ["sort", "other", "alpha", "store", "k"]],
])
def test_keys_come_in_many_ways(server, steps):
    waiter = Waiter(server, "blpop", "k", "0")
    Client(server.port).pipeline(steps)
    assert waiter.read() == [b"k", b"x"]


def test_databases_are_apart(server):
    waiter = Waiter(server)
    waiter.call("select", "3")
    waiter.wait("blpop", "k", "0")
    client = Client(server.port)
    client.call("rpush", "k", "zero")
    assert waiter.quiet()
    client.call("select", "3")
    client.call("rpush", "k", "three")
    assert waiter.read() == [b"k", b"three"]


def test_one_serves_the_next(server):
    last = Waiter(server, "blpop", "c", "0")
    middle = Waiter(server, "blmove", "b", "c", "left", "right", "0")
    first = Waiter(server, "brpoplpush", "a", "b", "0")
    Client(server.port).call("rpush", "a", "x")
    assert first.read() == b"x"
    assert middle.read() == b"x"
    assert last.read() == [b"c", b"x"]


@pytest.mark.parametrize("proto", [2, 3])
@pytest.mark.parametrize("words", [
    ["blpop", "k", "l", "0.05"], ["brpop", "k", "0.05"], ["blmove", "k", "l", "left", "left", "0.05"],
    ["brpoplpush", "k", "l", "0.05"], ["blmpop", "0.05", "2", "k", "l", "left"],
    ["bzpopmin", "k", "l", "0.05"], ["bzpopmax", "k", "0.05"], ["bzmpop", "0.05", "1", "k", "min"],
])
def test_time_is_over(park, proto, words):
    replies = []
    for server in (park.regent(), park.redis()):
        client = Client(server.port)
        client.call("hello", proto)
        began = time.monotonic()
        replies.append(client.call(*words))
        assert time.monotonic() - began >= 0.05
        assert client.call("ping") == b"PONG"
    assert replies[0] == replies[1] and type(replies[0]) is type(replies[1])


def test_pipelined_commands_wait_behind_it(server):
    waiter = Waiter(server)
    waiter.call("set", "n", "0")
    waiter.wait("blpop", "k", "0")
    waiter.send("incr", "n")
    assert waiter.quiet()
    Client(server.port).call("rpush", "k", "x")
    assert waiter.read() == [b"k", b"x"]
    assert waiter.read() == 1


def test_client_unblock(server):
    client = Client(server.port)
    waiter = Waiter(server, "blpop", "k", "0")
    assert client.call("client", "unblock", waiter.id) == 1
    assert waiter.read() == NullArray()
    waiter.wait("blpop", "k", "0")
    assert client.call("client", "unblock", waiter.id, "error") == 1
    assert waiter.read() == b"UNBLOCKED client unblocked via CLIENT UNBLOCK"
    assert client.call("client", "unblock", waiter.id) == 0
    assert client.call("client", "unblock", 123456) == 0
    assert isinstance(client.call("client", "unblock", "x"), Error)
    client.call("rpush", "k", "x")
    assert client.call("llen", "k") == 1


def test_who_leaves_takes_nothing(server):
    client = Client(server.port)
    gone, killed = Waiter(server, "blpop", "k", "0"), Waiter(server, "blpop", "k", "0")
    stays = Waiter(server, "blpop", "k", "0")
    gone.close()
    assert client.call("client", "kill", "id", killed.id) == 1
    eventually(lambda: b"blocked_clients:1\r" in client.call("info", "clients"))
    client.call("rpush", "k", "x")
    assert stays.read() == [b"k", b"x"]
    assert b"blocked_clients:0\r" in client.call("info", "clients")


def test_no_waiting_in_a_transaction(server):
    client = Client(server.port)
    replies = client.pipeline([["multi"], ["blpop", "k", "0"], ["blmove", "k", "l", "left", "left",
                                                                "0"], ["exec"]])
    assert replies[-1][0] == NullArray()


def test_becoming_a_replica_ends_the_wait(server, park):
    waiter = Waiter(server, "blpop", "k", "0")
    Client(server.port).call("replicaof", "127.0.0.1", park.redis().port)
    assert waiter.read().startswith(b"UNBLOCKED ")
    with pytest.raises(ConnectionError):
        waiter.call("ping")


def test_a_replica_refuses_first(server, park):
    client = Client(server.port)
    client.call("replicaof", "127.0.0.1", park.redis().port)
    assert client.call("blpop", "k", "0").startswith(b"READONLY")


def test_statistics(server):
    client = Client(server.port)
    waiter = Waiter(server, "blpop", "k", "0")
    client.call("rpush", "k", "x")
    waiter.read()
    assert b"cmdstat_blpop:calls=1," in client.call("info", "commandstats")
    listed = client.call("client", "list", "id", waiter.id)
    assert b"cmd=blpop" in listed and b"flags=N" in listed


def test_replicas_hold_what_was_served(server, park):
    """What waited is replicated as what it did: a real replica follows."""
    replica = park.redis(replicaof=("127.0.0.1", server.port))
    reader = Client(replica.port)
    eventually(lambda: b"master_link_status:up" in reader.call("info", "replication"))
    client = Client(server.port)
    waiters = [Waiter(server, "blpop", "k", "0"),
               Waiter(server, "blmove", "k", "m", "left", "left", "0")]
    client.pipeline([["multi"], ["rpush", "k", "1", "2", "3"], ["set", "s", "1"], ["exec"]])
    assert waiters[0].read() == [b"k", b"1"]
    assert waiters[1].read() == b"2"
    client.call("set", "end", "1")
    eventually(lambda: reader.call("exists", "end") == 1)
    assert reader.call("lrange", "k", 0, -1) == [b"3"]
    assert reader.call("lrange", "m", 0, -1) == [b"2"]


def test_many_wait_for_keys_of_their_own(server):
    waiters = [Client(server.port) for _ in range(60)]
    for number, waiter in enumerate(waiters):
        waiter.send("blpop", *["k%d-%d" % (number, i) for i in range(20)], "0")
    client = Client(server.port)
    eventually(lambda: b"blocked_clients:60\r" in client.call("info", "clients"))
    for number in range(len(waiters)):
        client.call("rpush", "k%d-%d" % (number, number % 20), "x")
    for number, waiter in enumerate(waiters):
        assert waiter.read() == [b"k%d-%d" % (number, number % 20), b"x"]


@pytest.mark.parametrize("words, reply", [
    (["bzpopmin", "l", "k", "0"], [b"k", b"a", b"1"]),
    (["bzpopmax", "k", "0"], [b"k", b"b", b"2"]),
    (["bzmpop", "0", "2", "l", "k", "max", "count", "5"], [b"k", [[b"b", b"2"], [b"a", b"1"]]]),
])
@pytest.mark.parametrize("way", [
    [["zadd", "k", "1", "a", "2", "b"]],
    [["zadd", "other", "1", "a", "2", "b"], ["zunionstore", "k", "1", "other"]],
    [["zadd", "other", "1", "a", "2", "b"], ["zrangestore", "k", "other", "0", "-1"]],
    [["zadd", "other", "1", "a", "2", "b"], ["rename", "other", "k"]],
])
def test_sorted_sets(server, words, reply, way):
    waiter = Waiter(server, *words)
    Client(server.port).pipeline(way)
    assert waiter.read() == reply


def test_who_waits_for_another_type_waits_on(server):
    scores, elements = Waiter(server, "bzpopmin", "k", "0"), Waiter(server, "blpop", "k", "0")
    client = Client(server.port)
    client.call("rpush", "k", "x")
    assert elements.read() == [b"k", b"x"]
    assert scores.quiet()
    client.call("zadd", "k", "1", "m")
    assert scores.read() == [b"k", b"m", b"1"]


def test_restored(server):
    client = Client(server.port)
    client.call("rpush", "other", "x")
    payload = client.call("dump", "other")
    waiter = Waiter(server, "brpop", "k", "0")
    client.call("restore", "k", "0", payload)
    assert waiter.read() == [b"k", b"x"]


def test_waiting_for_very_many_keys_begins_at_once(park):
    """A client may name any number of keys, some twice; others do not wait for its sake."""
    server = park.regent()
    names = [f"k{i}" for i in range(200_000)]
    with server.socket(60.0) as link:
        words = [b"blpop", *(name.encode() for name in names + names[:10]), b"0"]
        link.sendall(b"*%d\r\n" % len(words)
                     + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words))
        other = server.client(socket_timeout=60.0)
        began = time.monotonic()
        while server.info("clients")["blocked_clients"] != 1:
            pass
        assert time.monotonic() - began < 5
        other.rpush("k199999", "v")
        assert link.makefile("rb").read(24) == b"*2\r\n$7\r\nk199999\r\n$1\r\nv\r\n"
