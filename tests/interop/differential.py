#!/usr/bin/env python3
"""Sends the same random commands to two servers and compares every reply.

    differential.py --port-a 6379 --port-b 6380 [--commands 20000] [--seed N]

The commands are those of strings, hashes and keys, and of every module commands_<family>.py beside
this one, with good and bad arguments, in RESP2 and RESP3.
A reply without an order (HGETALL, KEYS, SCAN …) is compared as one; a random one by what it may
hold; a time to live within the time that the two servers' replies may lie apart. Every round begins
with FLUSHALL and ends with a comparison of all keys. Exits with 1 at the first round that differs,
after showing its differences; the seed printed repeats it.

A family's module has
  command(gen)  one random command of the family as a list of words, made with the Generator gen
  COMPARABLE    optional: by name in lower case, what makes of (command, reply) a value that is
                equal for two servers that behave alike; for replies without an order or at random
  READERS       optional: by type as TYPE replies it, what makes of (client, key) the key's value
                in such a form
"""

import argparse
import functools
import glob
import importlib
import os
import random
import sys
import time

from resp_client import Client, Error, Map

KEYS = ["k%d" % i for i in range(8)]
FIELDS = ["f%d" % i for i in range(6)] + ["", "a long field name that no packed form likes" * 2]
INTEGERS = ["0", "1", "-1", "2", "10", "-7", "100", "9223372036854775807", "-9223372036854775808"]
NOT_INTEGERS = ["abc", "", " 1", "1 ", "01", "+1", "-0", "1.0", "9223372036854775808", "0x10"]
FLOATS = ["0", "1.5", "-2.25", "3e2", "1e-3", "0.1", "1e17", "-0", "5.0e3"]
NOT_FLOATS = ["abc", "", " 1", "1 ", "nan", "inf", "-inf", "1.5x"]
TEXTS = ["", "a", "hello", "x" * 44, "y" * 45, "z" * 70, "bin\x00\r\n\xff", "ohmytext", "mynewtext"]
PATTERNS = ["*", "k*", "?1", "k[0-3]", "k[^0]", "\\k1", "f*", "nothing", "[", "k[5-2]", "*1"]
DATABASES = 16

FAMILIES = [importlib.import_module(os.path.basename(path)[:-3]) for path in sorted(
    glob.glob(os.path.join(os.path.dirname(os.path.abspath(__file__)), "commands_*.py")))]
COMPARABLE = {name: make for family in FAMILIES
              for name, make in getattr(family, "COMPARABLE", {}).items()}
READERS = {kind: read for family in FAMILIES
           for kind, read in getattr(family, "READERS", {}).items()}

UNORDERED = {"hkeys", "hvals", "keys"}
UNORDERED_PAIRS = {"hgetall"}


class Generator:
    def __init__(self, rng):
        self.rng = rng
        self.families = [self.string_command, self.hash_command, self.key_command]
        self.families += [functools.partial(family.command, self) for family in FAMILIES]

    def pick(self, values):
        return self.rng.choice(values)

    def case(self, word):
        return self.pick([word, word.lower(), word.capitalize()])

    def key(self):
        return self.pick(KEYS)

    def integer(self):
        if self.rng.random() < 0.1:
            return self.pick(NOT_INTEGERS)
        return self.pick(INTEGERS) if self.rng.random() < 0.6 else str(self.rng.randint(-50, 50))

    def number(self):
        return self.pick(NOT_FLOATS) if self.rng.random() < 0.1 else self.pick(FLOATS + INTEGERS)

    def value(self):
        return self.pick([self.pick(TEXTS), self.integer(), self.number()])

    def maybe(self, *words, chance=0.5):
        return list(words) if self.rng.random() < chance else []

    def many(self, make, least=1, most=4):
        return [w for _ in range(self.rng.randint(least, most)) for w in make()]

    def seconds(self):
        """Far ahead, clearly past, or no time at all: nothing that may expire between replies."""
        return self.pick([self.ahead(1000)] * 3 + ["0", "-1", "abc", "9223372036854775807"])

    def ahead(self, unit):
        """Hardly ever the same twice: GT and LT would hang on a millisecond between two servers."""
        return str(self.rng.randrange(unit, 10000 * unit))

    def future(self, milliseconds):
        now = int(time.time())
        at = now + self.rng.randrange(5000, 7000000)
        at = self.pick([at, at, at, 1, 0, -5])
        return str(at * 1000 if milliseconds else at)

    def millis(self):
        return self.pick([self.ahead(1000000)] * 2 + ["0", "-1", "abc", "9223372036854775807"])

    def expiry_option(self):
        choice = self.rng.randrange(7)
        if choice == 0:
            return [self.case("EX"), self.seconds()]
        if choice == 1:
            return [self.case("PX"), self.millis()]
        if choice == 2:
            return [self.case("EXAT"), self.future(False)]
        if choice == 3:
            return [self.case("PXAT"), self.future(True)]
        if choice == 4:
            return [self.case("KEEPTTL")]
        if choice == 5:
            return [self.case("PERSIST")]
        return [self.pick(["EX", "PX", "bogus"])]

    def conditions(self):
        return self.many(lambda: [self.case(self.pick(["NX", "XX", "GT", "LT", "bad"]))], 0, 2)

    def db(self):
        return self.pick(["0", "1", "2", "15", "16", "-1", "abc", "99999999999"])

    def string_command(self):
        key, rng = self.key(), self.rng
        return self.pick([
            lambda: ["append", key, self.value()],
            lambda: ["decr", key],
            lambda: ["decrby", key, self.integer()],
            lambda: ["get", key],
            lambda: ["getdel", key],
            lambda: ["getex", key] + (self.expiry_option() if rng.random() < 0.8 else []),
            lambda: ["getrange", key, self.integer(), self.integer()],
            lambda: ["getset", key, self.value()],
            lambda: ["incr", key],
            lambda: ["incrby", key, self.integer()],
            lambda: ["incrbyfloat", key, self.number()],
            lambda: ["lcs", key, self.key()]
            + self.maybe(self.case("LEN"), chance=0.2)
            + self.maybe(self.case("IDX"))
            + self.maybe(self.case("MINMATCHLEN"), self.integer(), chance=0.3)
            + self.maybe(self.case("WITHMATCHLEN"), chance=0.3),
            lambda: ["mget"] + self.many(lambda: [self.key()]),
            lambda: ["mset"] + self.many(lambda: [self.key(), self.value()])
            + self.maybe("odd", chance=0.05),
            lambda: ["msetnx"] + self.many(lambda: [self.key(), self.value()], 1, 2),
            lambda: ["psetex", key, self.millis(), self.value()],
            lambda: ["set", key, self.value()],
            lambda: ["set", key, self.value()]
            + self.maybe(self.case("NX"), chance=0.3)
            + self.maybe(self.case("GET"), chance=0.3)
            + (self.expiry_option() if rng.random() < 0.6 else [])
            + self.maybe(self.case("XX"), chance=0.3),
            lambda: ["setex", key, self.seconds(), self.value()],
            lambda: ["setnx", key, self.value()],
            lambda: ["setrange", key, self.pick(["0", "1", "5", "30", "-1", "x", "536870912"]),
                     self.value()],
            lambda: ["strlen", key],
            lambda: ["substr", key, self.integer(), self.integer()],
        ])()

    def hash_command(self):
        key, rng = self.key(), self.rng
        field = self.pick(FIELDS)
        pair = lambda: [self.pick(FIELDS), self.value()]
        return self.pick([
            lambda: ["hdel", key] + self.many(lambda: [self.pick(FIELDS)]),
            lambda: ["hexists", key, field],
            lambda: ["hget", key, field],
            lambda: ["hgetall", key],
            lambda: ["hincrby", key, field, self.integer()],
            lambda: ["hincrbyfloat", key, field, self.number()],
            lambda: ["hkeys", key],
            lambda: ["hlen", key],
            lambda: ["hmget", key] + self.many(lambda: [self.pick(FIELDS)]),
            lambda: ["hmset", key] + self.many(pair) + self.maybe("odd", chance=0.05),
            lambda: ["hrandfield", key],
            lambda: ["hrandfield", key, self.pick(["0", "3", "100", "-4", "abc"])]
            + self.maybe(self.case("WITHVALUES"), chance=0.4)
            + self.maybe("bad", chance=0.1),
            lambda: ["hscan", key, "0", self.case("COUNT"),
                     self.pick(["1000", "1000", "1000", "0", "-1", "abc"])]
            + self.maybe(self.case("MATCH"), self.pick(PATTERNS)),
            lambda: ["hset", key] + self.many(pair) + self.maybe("odd", chance=0.05),
            lambda: ["hset", key] + self.many(lambda: ["g%d" % rng.randrange(300), "v"], 60, 90),
            lambda: ["hsetnx", key, field, self.value()],
            lambda: ["hstrlen", key, field],
            lambda: ["hvals", key],
        ])()

    def key_command(self):
        key = self.key()
        return self.pick([
            lambda: ["del"] + self.many(lambda: [self.key()], 1, 2),
            lambda: ["unlink"] + self.many(lambda: [self.key()], 1, 2),
            lambda: ["exists"] + self.many(lambda: [self.key()]),
            lambda: ["type", key],
            lambda: ["expire", key, self.seconds()] + self.conditions(),
            lambda: ["pexpire", key, self.millis()] + self.conditions(),
            lambda: ["expireat", key, self.future(False)] + self.conditions(),
            lambda: ["pexpireat", key, self.future(True)] + self.conditions(),
            lambda: [self.pick(["ttl", "pttl", "expiretime", "pexpiretime"]), key],
            lambda: ["persist", key],
            lambda: ["keys", self.pick(PATTERNS)],
            lambda: ["scan", self.pick(["0", "0", "0", "0", "abc", "1x"]), self.case("COUNT"),
                     self.pick(["1000", "1000", "1000", "0", "abc"])]
            + self.maybe(self.case("MATCH"), self.pick(PATTERNS))
            + self.maybe(self.case("TYPE"), self.pick(["string", "hash", "HASH", "list", "set", "zset", "no"])),
            lambda: ["rename", key, self.key()],
            lambda: ["renamenx", key, self.key()],
            lambda: ["copy", key, self.key()]
            + self.maybe(self.case("DB"), self.db(), chance=0.3)
            + self.maybe(self.case("REPLACE"))
            + self.maybe("bad", chance=0.05),
            lambda: ["randomkey"],
            lambda: ["dbsize"],
            lambda: ["move", key, self.db()],
            lambda: ["touch"] + self.many(lambda: [self.key()]),
            lambda: ["object", self.pick(["refcount", "idletime"]), "missing"],
            lambda: ["object", self.case("ENCODING"), key],
            lambda: ["object", "freq", key],
            lambda: ["swapdb", self.db(), self.db()],
        ] + ([lambda: ["flushdb"] + self.maybe(self.pick(["ASYNC", "sync", "bad"]))]
             if self.rng.random() < 0.2 else []))()

    def command(self):
        command = self.pick(self.families)()
        if self.rng.random() < 0.01:
            command = command[: self.rng.randint(1, len(command))]
        if self.rng.random() < 0.01:
            command = ["select", self.db()]
        return [self.encode(word) for word in command]

    @staticmethod
    def encode(word):
        return word.encode("latin-1")


def pairs(flat):
    return sorted(zip(flat[::2], flat[1::2]))


def comparable(command, reply):
    """The reply in a form in which two servers that behave alike give equal values."""
    name = command[0].decode().lower()
    kind = type(reply).__name__
    if isinstance(reply, Error) or reply is None:
        return kind, reply
    if name in COMPARABLE:
        return kind, COMPARABLE[name](command, reply)
    if name in UNORDERED:
        return kind, sorted(reply)
    if name in UNORDERED_PAIRS:
        return kind, sorted(reply) if isinstance(reply, Map) else pairs(reply)
    if name == "scan":
        return kind, reply[0], sorted(reply[1])
    if name == "hscan":
        return kind, reply[0], pairs(reply[1])
    if name == "hrandfield":
        return kind, len(reply) if isinstance(reply, list) else "a field"
    if name == "randomkey":
        return kind, "a key"
    if name in ("ttl", "pttl") and reply > 0:
        return kind, "time"
    if name in ("expiretime", "pexpiretime") and reply > 0:
        return kind, "time"
    return kind, typed(reply)


def typed(reply):
    """Types count: an integer is not the bulk that looks like it."""
    if isinstance(reply, list):
        return [type(reply).__name__] + [typed(item) for item in reply]
    return type(reply).__name__, reply


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
            if kind == b"string":
                value = client.call("get", key)
            elif kind in READERS:
                value = READERS[kind](client, key)
            else:
                reply = client.call("hgetall", key)
                value = sorted(reply) if isinstance(reply, Map) else pairs(reply)
            content[db, key] = kind, value, client.call("pexpiretime", key)
    client.call("select", 0)
    return content


def same_entry(a, b):
    return a is not None and b is not None and a[:2] == b[:2] and \
        (a[2] > 0) == (b[2] > 0) and abs(a[2] - b[2]) <= 1000


def run_round(clients, generator, commands, proto):
    differences = 0
    for client in clients:
        client.call("select", 0)
        client.call("hello", proto)
        client.call("flushall")
    batch = [generator.command() for _ in range(commands)]
    replies = [client.pipeline(batch) for client in clients]
    for index, command in enumerate(batch):
        a, b = replies[0][index], replies[1][index]
        if not equal(command, a, b):
            differences += 1
            if differences <= 5:
                print("command %d: %r\n  a: %.300r\n  b: %.300r" % (index, command, a, b))
    contents = [dump(client) for client in clients]
    for key in sorted(set(contents[0]) | set(contents[1])):
        a, b = (content.get(key) for content in contents)
        if not same_entry(a, b):
            differences += 1
            print("database %d, key %r\n  a: %.300r\n  b: %.300r" % (*key, a, b))
    return differences


def compare(clients, commands, seed, per_round=200):
    rng = random.Random(seed)
    done = 0
    while done < commands:
        differences = run_round(clients, Generator(rng), min(per_round, commands - done),
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
    args = parser.parse_args()
    seed = args.seed if args.seed is not None else random.SystemRandom().getrandbits(32)
    print("seed %d: differential.py --port-a %d --port-b %d --commands %d --seed %d"
          % (seed, args.port_a, args.port_b, args.commands, seed))
    clients = [Client(args.port_a), Client(args.port_b)]
    same = compare(clients, args.commands, seed)
    print("%s after %d commands" % ("alike" if same else "different", args.commands))
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
