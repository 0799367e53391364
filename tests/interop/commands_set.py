"""Commands of sets."""

from comparison import random_choice, scan, unordered
from generator import PATTERNS

NAMES = ["a", "b", "c", "", "bin\x00\r\n\xff", "x" * 64, "y" * 65, "z" * 200, "01", "-0", "+1"]


def member(g):
    """Numbers of every width mostly, so that sets stay integers for a while."""
    choice = g.rng.random()
    if choice < 0.5:
        return str(g.rng.randint(-20, 20))
    if choice < 0.7:
        return str(g.rng.choice([1, -1]) * g.rng.choice([32767, 32768, 2**31 - 1, 2**31, 2**63 - 1]))
    if choice < 0.8:
        return "m%d" % g.rng.randrange(300)
    return g.pick(NAMES) if choice < 0.85 else str(g.rng.randrange(1000))


def many_members(g):
    """Enough to leave what is small, now and then."""
    if g.rng.random() < 0.9:
        return g.many(lambda: [member(g)])
    first = g.rng.randrange(1000)
    form = g.pick(["%d", "%d", "m%d", "a longer member, number %d"])
    return [form % i for i in range(first, first + g.rng.choice([50, 70, 300, 600]))]


def numbers_of_keys(g, count):
    return g.pick([str(count)] * 8 + ["0", "-1", "abc", str(count + 1), "1", "9223372036854775808"])


def command(g):
    key = g.key("set")
    keys = g.many(lambda: [g.key("set")], 1, 4)
    return g.pick([
        lambda: ["sadd", key] + many_members(g),
        lambda: ["sadd", key] + many_members(g),
        lambda: ["sadd", key] + many_members(g),
        lambda: ["srem", key] + many_members(g),
        lambda: ["sismember", key, member(g)],
        lambda: ["smismember", key] + many_members(g),
        lambda: ["scard", key],
        lambda: ["smembers", key],
        lambda: ["smove", key, g.key("set"), member(g)],
        lambda: ["spop", key, g.pick(["0", "-1", "abc", "9223372036854775807", "1000000"])],
        lambda: ["spop", "no such key"] + g.maybe("3") + g.maybe("x", chance=0.2),
        lambda: ["srandmember", key]
        + g.maybe(g.pick(["0", "1", "3", "-4", "1000", "-1000", "abc", "9223372036854775807",
                          "-9223372036854775808"]), chance=0.9)
        + g.maybe("x", chance=0.05),
        lambda: ["sinter"] + keys,
        lambda: ["sunion"] + keys,
        lambda: ["sdiff"] + keys,
        lambda: ["sinterstore", key] + keys,
        lambda: ["sunionstore", key] + keys,
        lambda: ["sdiffstore", key] + keys,
        lambda: ["sintercard", numbers_of_keys(g, len(keys))] + keys
        + g.maybe(g.pick(["limit", "LIMIT", "bad"]),
                  g.pick(["0", "1", "2", "100", "-1", "x"]), chance=0.5)
        + g.maybe("LIMIT", chance=0.05),
        lambda: ["sscan", key, g.pick(["0", "0", "0", "0", "abc"] + g.out_of_range("18446744073709551616")),
                 g.case("COUNT"), g.pick(["100000", "100000", "100000", "0", "abc"])]
        + g.maybe(g.case("MATCH"), g.pick(PATTERNS + ["1*", "m*"]))
        + g.maybe("bad", chance=0.05),
        lambda: ["object", "encoding", key],
    ])()


def whole_or_random(command_words, reply):
    """A negative or small count draws; a large one is all of the set."""
    if len(command_words) == 3 and isinstance(reply, list) and command_words[2][:1] != b"-" \
            and int(command_words[2]) > 1000:
        return sorted(reply)
    return random_choice(command_words, reply)


COMPARABLE = {
    "sdiff": unordered,
    "sinter": unordered,
    "smembers": unordered,
    "spop": unordered,
    "srandmember": whole_or_random,
    "sscan": scan,
    "sunion": unordered,
}

READERS = {b"set": lambda key: ("smembers", key)}
