"""The replication stream: the same commands to Regent and to redis-server send the same commands to
their replicas, MULTI and EXEC included, but for moments in time."""

import random
import re

from differential import NAMES, draw_families, random_command
from generator import Generator
from resp_client import Client, Error


class Stream:
    """A replica that only listens."""

    def __init__(self, server):
        self.client = Client(server.port)
        self.client.send("sync")
        header = b"\n"
        while header.strip() == b"":
            header = self.client.file.readline()
        assert header.startswith(b"$"), header
        self.client.file.read(int(header[1:]))
        self.db = 0

    def until(self, mark):
        """The commands up to PUBLISH mark, each with its database where it has one: redis-server
        selects one for PUBLISH too."""
        commands = []
        while True:
            words = self.client.read()
            name = words[0].lower()
            if name == b"publish" and words[1:] == [b"mark", b"%d" % mark]:
                return commands
            if name == b"select":
                self.db = int(words[1])
            elif name not in (b"ping", b"replconf"):
                db = None if name in (b"publish", b"multi", b"exec") else self.db
                # The conditions held; redis-server leaves them in.
                words = words[:3] if name == b"pexpireat" else words
                commands.append((db, name, [comparable(word) for word in words[1:]]))


def comparable(word):
    """A Unix time in milliseconds lies where the server's clock put it; an integer that no double
    holds is the next one that does; the case of an option says nothing."""
    if re.fullmatch(rb"1[6-9]\d{11}|[2-9]\d{12}", word):
        return b"time"
    if re.fullmatch(rb"\d{16,17}", word):
        return float(word)
    return word.upper() if word.upper() in (b"NX", b"XX", b"KEEPTTL") else word


def streams_of(server, commands):
    client, stream = Client(server.port), Stream(server)
    client.call("select", 0)
    client.call("flushall")
    batch = [words for index, command in enumerate(commands)
             for words in (command, [b"publish", b"mark", b"%d" % index])]
    replies = client.pipeline(batch)[::2]
    if replies[-1] == b"QUEUED":
        client.call("discard")
    return replies, stream


def test_streams_are_alike(park, seed, rounds):
    rng = random.Random(seed)
    ours, theirs = park.regent(), park.redis()
    names = [name for name in NAMES if name != "transaction"]
    for _ in range(8 * rounds):
        generator = Generator(rng, draw_families(rng, names))
        commands = [random_command(generator) for _ in range(200)]
        (replies, stream), (their_replies, their_stream) = (streams_of(server, commands)
                                                            for server in (ours, theirs))
        for index, command in enumerate(commands):
            if isinstance(replies[index], Error) != isinstance(their_replies[index], Error):
                break  # test_differential.py is the judge of replies
            a, b = stream.until(index), their_stream.until(index)
            if b == [] and command[0].lower() == b"bitfield":
                continue  # it made a string or made one longer, which redis-server keeps to itself
            assert a == b, f"seed {seed}, command {index}: {command}"


def test_units(park):
    lines = [line.split() for line in """
        multi
        set a 1
        exec
        multi
        set a 1
        select 3
        incr b
        get a
        publish channel message
        exec
        multi
        get a
        exec
        multi
        publish channel message
        exec
        multi
        set a 1
        discard
        select 0
        mset x 1 y 2
        rename x z
    """.strip().splitlines()]
    streams = []
    for server in (park.regent(), park.redis()):
        client, stream = Client(server.port), Stream(server)
        for line in lines:
            client.call(*line)
        client.call("publish", "mark", 0)
        streams.append(stream.until(0))
    assert streams[0] == streams[1]
