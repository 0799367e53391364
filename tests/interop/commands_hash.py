"""Commands of hashes."""

from comparison import random_choice, scan_pairs, unordered, unordered_pairs
from generator import FIELDS, PATTERNS


def command(g):
    key, rng = g.key("hash"), g.rng
    field = g.pick(FIELDS)
    pair = lambda: [g.pick(FIELDS), g.value()]
    return g.pick([
        lambda: ["hdel", key] + g.many(lambda: [g.pick(FIELDS)]),
        lambda: ["hexists", key, field],
        lambda: ["hget", key, field],
        lambda: ["hgetall", key],
        lambda: ["hincrby", key, field, g.integer()],
        lambda: ["hincrbyfloat", key, field, g.number()],
        lambda: ["hkeys", key],
        lambda: ["hlen", key],
        lambda: ["hmget", key] + g.many(lambda: [g.pick(FIELDS)]),
        lambda: ["hmset", key] + g.many(pair) + g.maybe("odd", chance=0.05),
        lambda: ["hrandfield", key],
        lambda: ["hrandfield", key, g.pick(["0", "3", "100", "-4", "abc"])]
        + g.maybe(g.case("WITHVALUES"), chance=0.4)
        + g.maybe("bad", chance=0.1),
        lambda: ["hscan", key, "0", g.case("COUNT"),
                 g.pick(["1000", "1000", "1000", "0", "-1", "abc"])]
        + g.maybe(g.case("MATCH"), g.pick(PATTERNS)),
        lambda: ["hset", key] + g.many(pair) + g.maybe("odd", chance=0.05),
        lambda: ["hset", key] + g.many(lambda: ["g%d" % rng.randrange(300), "v"], 60, 90),
        lambda: ["hsetnx", key, field, g.value()],
        lambda: ["hstrlen", key, field],
        lambda: ["hvals", key],
    ])()


COMPARABLE = {
    "hgetall": unordered_pairs,
    "hkeys": unordered,
    "hrandfield": random_choice,
    "hscan": scan_pairs,
    "hvals": unordered,
}

READERS = {b"hash": lambda key: ("hgetall", key)}
