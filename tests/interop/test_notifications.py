"""Keyspace events: the same commands to Regent and to redis-server, and the same stream of events,
command by command, for the commands of every family that differential.py knows."""

import random
import time

import pytest

from differential import NAMES, draw_families, random_command
from generator import Generator
from processes import eventually
from resp_client import Client, Error

EVERYTHING = "AKEmn"


class Listener:
    """A subscriber of all keyspace events, and of marks that say which command they belong to."""

    def __init__(self, server, patterns=("__key*__:*",)):
        self.client = Client(server.port)
        for pattern in patterns:
            self.client.call("psubscribe", pattern)
        self.client.call("subscribe", "mark")

    def until(self, mark):
        """(channel, message) of each event up to the mark."""
        events = []
        while True:
            message = self.client.read()
            if message[0] == b"message" and message[2] == b"%d" % mark:
                return events
            if message[0] == b"pmessage":
                events.append((message[2], message[3]))


@pytest.fixture
def pair(park):
    return park.regent(notify_keyspace_events=EVERYTHING), \
        park.redis(notify_keyspace_events=EVERYTHING)


def events_of(client, listener, commands):
    """Of each command, but for keys that expire meanwhile: when they go is up to the server."""
    batch = [words for index, command in enumerate(commands)
             for words in (command, [b"publish", b"mark", b"%d" % index])]
    replies = client.pipeline(batch)[::2]
    events = [[event for event in listener.until(index)
               if event[1] != b"expired" and not event[0].endswith(b":expired")]
              for index in range(len(commands))]
    return replies, events


def compare(clients, listeners, commands, seed):
    (replies, ours), (their_replies, theirs) = (events_of(client, listener, commands)
                                                for client, listener in zip(clients, listeners))
    for index, command in enumerate(commands):
        if isinstance(replies[index], Error) != isinstance(their_replies[index], Error):
            return  # test_differential.py is the judge of replies; from here on the data differ
        if command[0].lower() == b"bitfield" and ours[index] and \
                theirs[index] == ours[index][:len(theirs[index])]:
            continue  # a string that only grew is a change here, and goes to the replicas
        if command[0].lower().startswith(b"sort"):
            # It looks its elements' keys up in the order of a set, which is any.
            ours[index].sort()
            theirs[index].sort()
        assert ours[index] == theirs[index], \
            f"seed {seed}, command {index}: {command}, before it {commands[max(0, index - 8):index]}"


def test_events_are_alike(pair, seed, rounds):
    rng = random.Random(seed)
    clients = [Client(server.port) for server in pair]
    listeners = [Listener(server) for server in pair]
    names = [name for name in NAMES if name != "transaction"]
    for _ in range(12 * rounds):
        for client in clients:
            client.call("select", 0)
            client.call("flushall")
        generator = Generator(rng, draw_families(rng, names))
        compare(clients, listeners, [random_command(generator) for _ in range(200)], seed)


def words(text):
    return [word.encode() for line in text.strip().splitlines() for word in [line.strip()] if word]


def test_order_of_events(pair):
    """What Redis says, in its order, where the order is worth a look."""
    lines = [line.split() for line in words("""
        set a 1 ex 100
        setex a 100 1
        psetex b 100000 1
        set a 2 get
        getset nokey x
        getset a y
        getex a persist
        getex a ex 100
        getex a exat 1
        mset m1 1 m2 2 m1 3
        msetnx m1 1
        append new text
        setrange fresh 3 x
        incr n
        incrbyfloat n 1.5
        hset h f v g w
        hincrby h n 5
        hdel h f g n
        hset h f v
        rename h i
        set dst x
        rename i dst
        renamenx dst dst2
        copy dst2 dst3
        copy dst2 dst3 replace
        move dst3 5
        expire dst2 100
        persist dst2
        expire dst2 -1
        get nosuch
        exists nosuch other
        type nosuch
        ttl nosuch
        object encoding nosuch
        del m1 m2 m3
        unlink n
        set gone 1
        getdel gone
        swapdb 0 1
        flushall
    """)]
    clients = [Client(server.port) for server in pair]
    compare(clients, [Listener(server) for server in pair], lines, 0)


def test_events_of_a_transaction(pair):
    lines = [[b"multi"], [b"set", b"a", b"1"], [b"incr", b"a"], [b"del", b"a"]]
    streams = []
    for server in pair:
        client, listener = Client(server.port), Listener(server)
        client.pipeline(lines)
        client.call("exec")
        client.call("publish", "mark", 1)
        streams.append(listener.until(1))
    assert streams[0] == streams[1]
    assert len(streams[0]) == 8


def test_expired_keys(pair):
    streams = []
    for server in pair:
        client, listener = Client(server.port), Listener(server)
        client.call("set", "soon", "1", "px", 20)
        eventually(lambda: client.call("dbsize") == 0)
        client.call("debug", "set-active-expire", "0")
        client.call("set", "later", "1", "px", 20)
        time.sleep(0.05)
        client.call("get", "later")
        client.call("set", "third", "1", "px", 20)
        time.sleep(0.05)
        client.call("set", "third", "2")
        client.call("publish", "mark", 1)
        streams.append(listener.until(1))
    assert streams[0] == streams[1]


@pytest.mark.parametrize("flags", ["", "K", "Eg", "Kx", "KEg$", "KA", "Em", "KEn", "A", "Klh"])
def test_flags_choose(park, flags):
    streams = []
    for server in (park.regent(), park.redis()):
        client, listener = Client(server.port), Listener(server)
        assert client.call("config", "set", "notify-keyspace-events", flags) == b"OK"
        for line in ("set a 1", "hset h f v", "del a", "get a", "expire h 100"):
            client.call(*line.split())
        client.call("publish", "mark", 1)
        streams.append((client.call("config", "get", "notify-keyspace-events"),
                        listener.until(1)))
    assert streams[0] == streams[1]


def test_bad_flags(park):
    replies = [[Client(server.port).call("config", "set", "notify-keyspace-events", flags)
                for flags in ("Q", "KEg?", "gg", "AKE", "g$lshzxetd", "nmK")]
               for server in (park.regent(), park.redis())]
    assert replies[0] == replies[1]
    assert isinstance(replies[0][0], Error)


def test_replicas_tell_of_what_they_apply(park):
    """An event is told where it happens: a replica tells its own subscribers."""
    streams = []
    for start in (park.regent, park.redis):
        primary = start(notify_keyspace_events="KEA")
        replica = start(notify_keyspace_events="KEA", replicaof=("127.0.0.1", primary.port))
        client, reader = Client(primary.port), Client(replica.port)
        eventually(lambda: b"master_link_status:up" in reader.call("info", "replication"))
        listener = Listener(replica)
        for line in ("set a 1 ex 1000", "hset h f v", "incr a", "del h", "set soon 1 px 30"):
            client.call(*line.split())
        eventually(lambda: client.call("exists", "soon") == 0)
        client.call("publish", "mark", 1)
        streams.append(listener.until(1))
    assert streams[0] == streams[1]
