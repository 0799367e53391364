#!/usr/bin/env python3
"""Sends the same random commands to two servers and compares every reply.

    differential.py --port-a 6379 --port-b 6380 [--commands 20000] [--seed N] [--families set,hash]

The commands are those of the families, with good and bad arguments, in RESP2 and RESP3; each round
mixes a few of them. A family is a module commands_<family>.py with

    command(generator)  a random command as a list of words; its keys are generator.key(family)
    COMPARABLE          optional: by name in lower case, what makes of (command, reply) a value that
                        is equal for two servers that behave alike (comparison.py has some); the
                        others must be equal in type and value
    READERS             optional: by type as TYPE replies it, what makes of (client, key) the key's
                        value in such a form

A reply without an order (HGETALL, KEYS, SCAN …) is compared as one; a random one by what it may
hold; a time to live within the time that the two servers' replies may lie apart. Every round begins
with FLUSHALL and ends with a comparison of all keys, and of what each server restores of the other's
dumps. Exits with 1 at the first round that differs, after showing its differences; the seed printed
repeats it.
"""

import argparse
import glob
import importlib
import os
import random
import sys

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


def random_command(generator):
    words = FAMILIES[generator.pick(generator.families)].command(generator)
    if generator.rng.random() < 0.01 and words[0] != "spop":
        # SPOP without its count would draw: the two sets would go different ways.
        words = words[: generator.rng.randint(1, len(words))]
    if generator.rng.random() < 0.01:
        words = ["select", generator.db()]
    return [word.encode("latin-1") for word in words]


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


def dump(client):
    """Every key of every database: type, value, and whether and about when it expires."""
    content = {}
    for db in range(DATABASES):
        client.call("select", db)
        for key in client.call("keys", "*"):
            kind = bytes(client.call("type", key))
            value = READERS[kind](client, key)
            content[db, key] = kind, value, client.call("pexpiretime", key)
    client.call("select", 0)
    return content


def same_entry(a, b):
    return a is not None and b is not None and a[:2] == b[:2] and \
        (a[2] > 0) == (b[2] > 0) and abs(a[2] - b[2]) <= 1000


SPARE = b"\x00restored"


def exchange(source, target):
    """Whether what one dumps is the same value when the other has restored it."""
    differences = 0
    for db in range(DATABASES):
        source.call("select", db)
        target.call("select", db)
        for key in source.call("keys", "*"):
            kind, payload = bytes(source.call("type", key)), source.call("dump", key)
            if payload is None or kind not in READERS:
                continue
            reply = target.call("restore", SPARE, 0, payload, "replace")
            if READERS[kind](source, key) != READERS[kind](target, SPARE):
                differences += 1
                print("restored from database %d, key %r: %.300r" % (db, key, reply))
        target.call("del", SPARE)
    source.call("select", 0)
    target.call("select", 0)
    return differences


def run_round(clients, generator, commands, proto):
    differences = 0
    for client in clients:
        Client(client.sock.getpeername()[1]).close()  # Generator.out_of_range says why
        client.call("select", 0)
        client.call("hello", proto)
        client.call("flushall")
    batch = [random_command(generator) for _ in range(commands)]
    replies = [client.pipeline(batch) for client in clients]
    for index, command in enumerate(batch):
        a, b = replies[0][index], replies[1][index]
        if not equal(command, a, b):
            differences += 1
            if differences <= 5:
                print("command %d: %r\n  a: %.300r\n  b: %.300r" % (index, command, a, b))
    for client in clients:
        client.call("discard")
    contents = [dump(client) for client in clients]
    for key in sorted(set(contents[0]) | set(contents[1])):
        a, b = (content.get(key) for content in contents)
        if not same_entry(a, b):
            differences += 1
            print("database %d, key %r\n  a: %.300r\n  b: %.300r" % (*key, a, b))
    return differences + exchange(*clients) + exchange(*clients[::-1])


def draw_families(rng, names):
    """Few at a time, so that their values grow; those of all keys always."""
    drawn = rng.sample(names, min(FAMILIES_PER_ROUND, len(names)))
    return sorted(set(drawn) | {"generic"})


def compare(clients, commands, seed, names, per_round=300):
    rng = random.Random(seed)
    done = 0
    while done < commands:
        generator = Generator(rng, draw_families(rng, names))
        differences = run_round(clients, generator, min(per_round, commands - done),
                                2 + done // per_round % 2)
        done += per_round
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
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().getrandbits(32)
    print("seed %d: differential.py --port-a %d --port-b %d --commands %d --seed %d "
          "--families %s"
          % (seed, args.port_a, args.port_b, args.commands, seed, args.families))
    clients = [Client(args.port_a), Client(args.port_b)]
    same = compare(clients, args.commands, seed, args.families.split(","))
    print("%s after %d commands" % ("alike" if same else "different", args.commands))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
