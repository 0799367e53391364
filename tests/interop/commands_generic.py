"""Commands of keys, whatever they hold."""

from comparison import random_choice, scan, time_left, unordered
from generator import PATTERNS


def command(g):
    key = g.key()
    return g.pick([
        lambda: ["del"] + g.many(lambda: [g.key()], 1, 2),
        lambda: ["unlink"] + g.many(lambda: [g.key()], 1, 2),
        lambda: ["exists"] + g.many(lambda: [g.key()]),
        lambda: ["type", key],
        lambda: ["expire", key, g.seconds()] + g.conditions(),
        lambda: ["pexpire", key, g.millis()] + g.conditions(),
        lambda: ["expireat", key, g.future(False)] + g.conditions(),
        lambda: ["pexpireat", key, g.future(True)] + g.conditions(),
        lambda: [g.pick(["ttl", "pttl", "expiretime", "pexpiretime"]), key],
        lambda: ["persist", key],
        lambda: ["keys", g.pick(PATTERNS)],
        lambda: ["scan", g.pick(["0", "0", "0", "0", "abc", "1x"]), g.case("COUNT"),
                 g.pick(["1000", "1000", "1000", "0", "abc"])]
        + g.maybe(g.case("MATCH"), g.pick(PATTERNS))
        + g.maybe(g.case("TYPE"), g.pick(["string", "hash", "HASH", "zset", "list", "set", "bad"])),
        lambda: ["rename", key, g.key()],
        lambda: ["renamenx", key, g.key()],
        lambda: ["copy", key, g.key()]
        + g.maybe(g.case("DB"), g.db(), chance=0.3)
        + g.maybe(g.case("REPLACE"))
        + g.maybe("bad", chance=0.05),
        lambda: ["randomkey"] if g.draws_keys else ["touch", key],
        lambda: ["dbsize"],
        lambda: ["move", key, g.db()],
        lambda: ["touch"] + g.many(lambda: [g.key()]),
        lambda: ["object", g.pick(["refcount", "idletime"]), "missing"],
        lambda: ["object", g.case("ENCODING"), key],
        lambda: ["object", "freq", key],
        lambda: ["swapdb", g.db(), g.db()],
    ] + ([lambda: ["flushdb"] + g.maybe(g.pick(["ASYNC", "sync", "bad"]))]
         if g.rng.random() < 0.2 else []))()


COMPARABLE = {
    "expiretime": time_left,
    "keys": unordered,
    "pexpiretime": time_left,
    "pttl": time_left,
    "randomkey": random_choice,
    "scan": scan,
    "ttl": time_left,
}
