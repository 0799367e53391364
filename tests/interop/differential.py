#!/usr/bin/env python3
"""Sends the same random commands to two servers, Regent (a) and redis-server (b), and compares every
reply.

    differential.py --port-a 6379 --port-b 6380 [--commands 20000] [--seed N] [--families set,hash]
                    [--replica-a 6381 --replica-b 6382]

The commands are those of the families, with good and bad arguments, in RESP2 and RESP3; each round
mixes a few of them. A family is a module commands_<family>.py with

    command(generator)  a random command as a list of words; its keys are generator.key(family)
    COMPARABLE          optional: by name in lower case, what makes of (command, reply) a value that
                        is equal for two servers that behave alike (comparison.py has some); the
                        others must be equal in type and value
    READERS             optional: by type as TYPE replies it, what makes of a key the command that
                        reads its value, itself one of those compared

A reply without an order (HGETALL, KEYS, SCAN …) is compared as one; a random one by what it may
hold; a time to live within the time that the two servers' replies may lie apart. Every round begins
with FLUSHALL and ends with a comparison of all keys, of those of the two servers' replicas where
there are any, and of what each server restores of the other's dumps. Exits with 1 at the first round that differs,
after showing its differences; the seed printed repeats it.
"""

import argparse
import glob
import importlib
import os
import random
import sys
import time

from comparison import typed
from generator import DATABASES, Generator
from resp_client import Client, Error, Simple

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = sorted(os.path.basename(path)[len("commands_"):-len(".py")]
               for path in glob.glob(os.path.join(HERE, "commands_*.py")))
FAMILIES = {name: importlib.import_module("commands_" + name) for name in NAMES}
COMPARABLE = {name: form for family in FAMILIES.values()
           for name, form in getattr(family, "COMPARABLE", {}).items()}
READERS = {kind: read for family in FAMILIES.values()
           for kind, read in getattr(family, "READERS", {}).items()}
FAMILIES_PER_ROUND = 3
PER_ROUND = 500
OURS = 0  # of the two servers
FIELDS_BITS = 2048  # no field that a command names is behind
# Without its last words SPOP would draw, so that the two sets went different ways, and a scan would
# stop after a few elements, which are others where the tables are others.
WHOLE = {"spop", "scan", "sscan", "hscan", "zscan"}


def random_command(generator):
    words = FAMILIES[generator.pick(generator.families)].command(generator)
    if generator.rng.random() < 0.01 and words[0] not in WHOLE:
        words = words[: generator.rng.randint(1, len(words))]
    if generator.rng.random() < 0.01:
        words = ["select", generator.db()]
    return [word.encode("latin-1") for word in words]


def random_commands(generator, count, followed):
    commands = []
    while len(commands) < count:
        command = random_command(generator)
        if followed and command[0] == b"bitfield" and len(command) > 1:
            # Redis logs no BITFIELD that did nothing but make its string, or make it longer. It does
            # nothing more than that to one that is this long.
            commands.append([b"setbit", command[1], b"%d" % (FIELDS_BITS - 1), b"0"])
        commands.append(command)
    return commands


def comparable(command, reply):
    kind = type(reply).__name__
    form = COMPARABLE.get(command[0].decode().lower())
    if form is None or isinstance(reply, (Error, Simple)) or reply is None:
        return kind, typed(reply)
    return kind, form(command, reply)


TIME_SLACK = {"ttl": 1, "pttl": 1000, "expiretime": 1, "pexpiretime": 1000}


def times_close(command, a, b):
    slack = TIME_SLACK.get(command[0].decode().lower())
    if slack is None or not isinstance(a, int) or not isinstance(b, int):
        return True
    return abs(a - b) <= slack


# A result of floating point arithmetic is bytes to Redis until it is written again, and an integer
# here where it looks like one; the value is the same.
def encodings_alike(command, a, b):
    return command[0].lower() == b"object" and {a, b} == {b"embstr", b"int"}


def equal(command, a, b):
    if comparable(command, a) == comparable(command, b):
        return times_close(command, a, b)
    return not isinstance(a, (list, Error)) and not isinstance(b, (list, Error)) \
        and encodings_alike(command, a, b)


def names_of(client):
    """(database, key) of every key."""
    replies = client.pipeline([words for db in range(DATABASES)
                               for words in (("select", db), ("keys", "*"))])
    return [(db, key) for db, keys in enumerate(replies[1::2]) for key in sorted(keys)]


def kinds_of(client, names):
    replies = client.pipeline([words for db, key in names
                               for words in (("select", db), ("type", key))])
    return [bytes(reply) for reply in replies[1::2]]


def unsigned_zero(item):
    """A score of -0 loses its sign where a sorted set is packed, in both, but not at the same times."""
    if isinstance(item, (list, tuple)):
        if len(item) == 2 and item[1] == b"-0":
            return (item[0], b"0")
        return type(item)(map(unsigned_zero, item))
    return item


def form_of(kind, value, encoding):
    command = [READERS[kind]("")[0].encode()]
    value = comparable(command, value)
    # What a string is kept as hangs on how it came about: encodings_alike() says why. Redis unpacks a
    # sorted set that SORT looks at; the encodings of sorted sets have tests of their own.
    return unsigned_zero(value) if kind == b"zset" else value, \
        None if kind in (b"string", b"zset") else encoding


def read_all(client, wanted, before=lambda db, key: ()):
    """Of every (database, key, type): its form, as (value, encoding). What `before` gives for it is
    sent before it is read."""
    batch, ends = [], []
    for db, key, kind in wanted:
        batch += [("select", db), *before(db, key)]
        name = SPARE if before(db, key) else key
        batch += [READERS[kind](name), ("object", "encoding", name)]
        ends.append(len(batch))
    replies = client.pipeline(batch)
    return [form_of(kind, replies[end - 2], replies[end - 1])
            for (_, _, kind), end in zip(wanted, ends)]


def dump(client):
    """Every key of every database: type, value, and whether and about when it expires."""
    names = names_of(client)
    kinds = kinds_of(client, names)
    values = read_all(client, [(*name, kind) for name, kind in zip(names, kinds)])
    expiries = client.pipeline([words for db, key in names
                                for words in (("select", db), ("pexpiretime", key))])[1::2]
    client.call("select", 0)
    return {name: ((kind, value), expiry)
            for name, kind, value, expiry in zip(names, kinds, values, expiries)}


def same_entry(a, b, slack_ms):
    return a is not None and b is not None and a[0] == b[0] and \
        (a[1] > 0) == (b[1] > 0) and abs(a[1] - b[1]) <= slack_ms


SPARE = b"\x00restored"


def exchange(source, target):
    """Whether what one dumps becomes the same in both when it is restored. It may differ from what
    was dumped in its encoding: what has shrunk is packed again."""
    names = names_of(source)
    wanted = [(*name, kind) for name, kind in zip(names, kinds_of(source, names))]
    dumped = source.pipeline([words for db, key in names
                              for words in (("select", db), ("dump", key))])[1::2]
    payloads = dict(zip(names, dumped))

    def restored(db, key):
        return [("restore", SPARE, 0, payloads[db, key], "replace")]

    results = [read_all(server, wanted, restored) for server in (source, target)]
    differences = 0
    for name, original, here, there in zip(names, read_all(source, wanted), *results):
        if here != there or original[0] != here[0]:
            differences += 1
            print("dump of database %d, key %r: %.300r\n  restored where it was dumped: %.300r\n"
                  "  restored by the other: %.300r" % (*name, original, here, there))
    for server in (source, target):
        server.pipeline([words for db in range(DATABASES)
                         for words in (("select", db), ("del", SPARE))] + [("select", 0)])
    return differences


def compare_contents(a, b, slack_ms):
    """slack_ms: how far apart the two may have taken one command whose expiry counts from then."""
    differences = 0
    for name in sorted(set(a) | set(b)):
        if not same_entry(a.get(name), b.get(name), slack_ms):
            differences += 1
            print("database %d, key %r\n  a: %.300r\n  b: %.300r" % (*name, a.get(name), b.get(name)))
    return differences


def half_done(reply):
    """Redis keeps what a PFADD did before it found its key corrupted, and logs nothing of it."""
    return isinstance(reply, Error) and reply.startswith(b"INVALIDOBJ") or \
        isinstance(reply, list) and any(map(half_done, reply))


def without_strings(content):
    return {name: entry for name, entry in content.items() if entry[0][0] != b"string"}


def compare_replica(primary, replica, content, with_strings):
    """A replica that followed the round holds what its primary does."""
    if primary.call("wait", 1, 20000) < 1:
        print("the replica did not follow within 20 s")
        return 1
    followed = dump(replica)
    if not with_strings:
        content, followed = without_strings(content), without_strings(followed)
    differences = compare_contents(content, followed, 1000)
    if differences > 0:
        print("(a: the primary on port %d, b: its replica)" % primary.port)
    return differences


def expires_when_asked(client):
    """What is past its time goes when it is asked for, and not at some moment between commands."""
    reply = client.call("debug", "set-active-expire", 0)
    if reply != b"OK":
        sys.exit("port %d: enable-debug-command must be yes: %s" % (client.port, reply.decode()))


def run_round(clients, generator, commands, proto, replicas=()):
    differences = 0
    for client in clients:
        Client(client.port).close()  # Generator.out_of_range says why
        client.call("select", 0)
        client.call("flushall")
        expires_when_asked(client)
    for client in [*clients, *replicas]:
        client.call("hello", proto)
    batch = random_commands(generator, commands, followed=len(replicas) > 0)
    began = time.monotonic()
    for client in clients:
        client.send_all(batch)  # both work at the same time
    replies = [client.read_all(batch) for client in clients]
    slack_ms = 1000 + 1000 * (time.monotonic() - began)
    for index, command in enumerate(batch):
        a, b = replies[0][index], replies[1][index]
        if not equal(command, a, b):
            differences += 1
            if differences <= 5:
                print("command %d: %r\n  a: %.300r\n  b: %.300r" % (index, command, a, b))
    for client in clients:
        client.call("discard")
    contents = [dump(client) for client in clients]
    differences += compare_contents(*contents, slack_ms)
    for side, (primary, replica, content) in enumerate(zip(clients, replicas, contents)):
        with_strings = side == OURS or not any(map(half_done, replies[side]))
        differences += compare_replica(primary, replica, content, with_strings)
    return differences + exchange(*clients) + exchange(*clients[::-1])


def draw_families(rng, names):
    """Few at a time, so that their values grow; those of all keys always."""
    drawn = rng.sample(names, min(FAMILIES_PER_ROUND, len(names)))
    return sorted(set(drawn) | {"generic"})


def compare(clients, commands, seed, names, replicas=()):
    rng = random.Random(seed)
    packed_max = int(clients[0].call("config", "get", "zset-max-listpack-entries")[1])
    done = 0
    while done < commands:
        generator = Generator(rng, draw_families(rng, names), packed_max)
        differences = run_round(clients, generator, min(PER_ROUND, commands - done),
                                2 + done // PER_ROUND % 2, replicas)
        done += PER_ROUND
        if differences > 0:
            print("%d differences in the round up to command %d" % (differences, done))
            return False
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port-a", type=int, required=True)
    parser.add_argument("--port-b", type=int, required=True)
    parser.add_argument("--commands", type=int, default=20000)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--families", default=",".join(NAMES))
    parser.add_argument("--replica-a", type=int)
    parser.add_argument("--replica-b", type=int)
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().getrandbits(32)
    print("seed %d: differential.py --port-a %d --port-b %d --commands %d --seed %d "
          "--families %s"
          % (seed, args.port_a, args.port_b, args.commands, seed, args.families))
    clients = [Client(args.port_a), Client(args.port_b)]
    replicas = [Client(port) for port in (args.replica_a, args.replica_b) if port is not None]
    if len(replicas) == 1:
        parser.error("a replica of one alone")
    same = compare(clients, args.commands, seed, args.families.split(","), replicas)
    print("%s after %d commands" % ("alike" if same else "different", args.commands))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
