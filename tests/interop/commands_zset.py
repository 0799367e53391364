"""Commands of sorted sets."""

from comparison import random_choice, scan_pairs
from generator import PATTERNS

MEMBERS = ["a", "b", "c", "aa", "ab", "", "bin\x00\r\n\xff", "x" * 64, "y" * 65, "z" * 200]
SCORES = ["0", "1", "-1", "2", "2.5", "-0", "inf", "-inf", "+inf", "1e17", "1e16", "-1e16", "0.1",
          "1e-300", "123456789012345678", "3.14159265358979", "4503599627370497.5", "0x1p-3",
          "99999999999999999"]
BAD_SCORES = ["abc", "", " 1", "1 ", "nan", "1.5x", "(1"]
SMALL_MEMBERS = 20
LIMITS = ["0", "1", "2", "-1", "5", "1000", "abc", "9223372036854775807", "9223372036854775808"]
NUMBERS = ["0", "1", "2", "-1", "5", "1000", "abc", "-4", "9223372036854775807",
           "-9223372036854775808"]


def score(g):
    choice = g.rng.random()
    if choice < 0.03:
        return g.pick(BAD_SCORES)
    if choice < 0.3:
        return g.pick(SCORES + g.out_of_range("1e400", "1e-400"))
    if choice < 0.5:
        return repr(g.rng.uniform(-1000, 1000))
    return str(g.rng.randint(-5, 5))


def member(g):
    return g.pick(MEMBERS) if g.rng.random() < 0.3 else "m%d" % g.rng.randrange(40)


def lex_key(g):
    """Ranges of bytes are of sets of one score. What they are of others Redis says for packed ones
    only: in large ones it hangs on how its skip list came out."""
    several_scores = ["small0", "small1"] if g.packed_max >= SMALL_MEMBERS else []
    return g.pick(["lex0", "lex1", "text", "none"] + several_scores)


def key(g):
    return g.key("zset") if g.rng.random() < 0.7 else lex_key(g)


def words(g, *alternatives, least=0, most=2):
    return g.many(lambda: g.pick(alternatives), least, most)


def score_bound(g):
    choice = g.rng.random()
    if choice < 0.05:
        return g.pick(["abc", "", "(", "((1", " 1", "1 ", "nan", "[1", "1\x00x"])
    if choice < 0.3:
        return g.pick(["-inf", "+inf", "inf", "(-inf", "(+inf"])
    return g.pick(["", "", "("]) + score(g)


def lex_bound(g):
    choice = g.rng.random()
    if choice < 0.05:
        return g.pick(["abc", "", "--", "+x", "-\x00", "1"])
    if choice < 0.35:
        return g.pick(["-", "+"])
    return g.pick(["[", "("]) + member(g)


def rank(g):
    return g.pick(NUMBERS) if g.rng.random() < 0.1 else str(g.rng.randint(-40, 40))


def limit(g, chance=0.4):
    return g.maybe(g.case("LIMIT"), g.pick(LIMITS), g.pick(LIMITS), chance=chance)


def inputs(g, least=1):
    keys = [g.key("zset") if g.rng.random() < 0.7 else g.key() for _ in range(g.rng.randint(least, 4))]
    count = str(len(keys)) if g.rng.random() < 0.93 else g.pick(["0", "-1", "abc", "1", "5", "99"])
    return [count] + keys


def weights(g, count):
    if g.rng.random() < 0.6:
        return []
    if g.rng.random() < 0.1:
        count += g.pick([-1, 1])
    return [g.case("WEIGHTS")] + [score(g) for _ in range(count)]


def aggregate(g):
    return g.maybe(g.case("AGGREGATE"), g.pick(["sum", "MIN", "max", "MAX", "bad"]), chance=0.4)


def combining(g, scored):
    keys = inputs(g)
    options = (weights(g, len(keys) - 1) + aggregate(g) if scored or g.rng.random() < 0.05 else [])
    return keys + options


def with_scores(g, chance=0.5):
    return g.maybe(g.case("WITHSCORES"), chance=chance)


def add(g):
    name = key(g)
    options = [g.case(w) for w in g.many(lambda: [g.pick(["NX", "XX", "GT", "LT", "CH", "INCR"])],
                                         0, g.pick([0, 0, 1, 2, 3]))]
    if name in ("text", "none"):
        return ["zcard", name]
    if name.startswith("small"):
        return ["zadd", name] + g.many(lambda: [str(g.rng.randint(0, 2)),
                                                "m%d" % g.rng.randrange(SMALL_MEMBERS)])
    if name.startswith("lex"):
        return ["zadd", name, "NX"] + [w for _ in range(6) for w in ("0", member(g))]
    if g.rng.random() < 0.1:
        first = g.rng.randrange(100)
        return ["zadd", name] + [w for i in range(first, first + g.pick([40, 90, 130]))
                                 for w in (score(g) if i % 9 == 0 else str(i % 13), "n%d" % i)]
    pairs = g.many(lambda: [score(g), member(g)], 1, 1 if "incr" in str(options).lower() else 6)
    return ["zadd", name] + options + pairs + g.maybe("odd", chance=0.03)


def by_range(g):
    name = g.pick(["zrange", "zrange", "zrange", "zrevrange", "zrangebyscore", "zrevrangebyscore",
                   "zrangebylex", "zrevrangebylex"])
    kind = g.pick(["rank", "score", "lex"]) if name == "zrange" else \
        "lex" if "lex" in name else "score" if "score" in name else "rank"
    bound = {"rank": rank, "score": score_bound, "lex": lex_bound}[kind]
    options = []
    if name == "zrange":
        options = {"rank": [], "score": [g.case("BYSCORE")], "lex": [g.case("BYLEX")]}[kind] \
            + g.maybe(g.case("REV"))
    options += limit(g, 0.05 if kind == "rank" else 0.4)
    options += with_scores(g, 0.05 if kind == "lex" else 0.5)
    options += g.maybe(g.pick(["bad", "REV", "BYLEX", "BYSCORE", "LIMIT"]), chance=0.04)
    if g.rng.random() < 0.2:
        g.rng.shuffle(options) if "LIMIT" not in str(options).upper() else None
    return [name, g.key("zset") if kind != "lex" else lex_key(g), bound(g), bound(g)] + options


def storing_range(g):
    command_words = by_range(g)
    while command_words[0] != "zrange":
        command_words = by_range(g)
    return ["zrangestore", g.key("zset")] + [w for w in command_words[1:]
                                             if w.upper() != "WITHSCORES" or g.rng.random() < 0.05]


def pop(g):
    name = g.pick(["zpopmin", "zpopmax"])
    return [name, g.key("zset")] + g.maybe(g.pick(NUMBERS), chance=0.5) + g.maybe("x", chance=0.02)


def pop_several(g):
    options = [g.case(g.pick(["MIN", "MAX"]))] + g.maybe(g.case("COUNT"), g.pick(NUMBERS)) \
        + g.maybe(g.pick(["bad", "COUNT"]), chance=0.03)
    return inputs(g) + options


def waiting(g):
    """Only where something is there, or where it is wrong: nobody would come to serve it."""
    present = ["zadd", "zset0", "1", "a"]
    timeout = g.pick(["0.001", "0.002", "abc", "-1", "1e400", ""])
    if g.rng.random() < 0.3:
        return present
    if g.rng.random() < 0.5:
        return [g.pick(["bzpopmin", "bzpopmax"])] + g.many(lambda: [g.key("zset")]) + [timeout]
    return ["bzmpop", timeout] + pop_several(g)


def command(g):
    name = g.key("zset")
    return g.pick([
        lambda: add(g), lambda: add(g), lambda: add(g), lambda: add(g),
        lambda: ["zincrby", name, score(g), member(g)],
        lambda: ["zrem", key(g)] + g.many(lambda: [member(g)]),
        lambda: ["zcard", name],
        lambda: ["set", "text", "of another type"],
        lambda: ["zscore", name, member(g)],
        lambda: ["zmscore", name] + g.many(lambda: [member(g)]),
        lambda: [g.pick(["zrank", "zrevrank"]), name, member(g)],
        lambda: ["zcount", name, score_bound(g), score_bound(g)],
        lambda: ["zlexcount", lex_key(g), lex_bound(g), lex_bound(g)],
        lambda: by_range(g), lambda: by_range(g), lambda: by_range(g),
        lambda: storing_range(g),
        lambda: ["zremrangebyrank", name, rank(g), rank(g)],
        lambda: ["zremrangebyscore", name, score_bound(g), score_bound(g)],
        lambda: ["zremrangebylex", lex_key(g), lex_bound(g), lex_bound(g)],
        lambda: pop(g),
        lambda: ["zmpop"] + pop_several(g),
        lambda: waiting(g),
        lambda: [g.pick(["zunion", "zinter"])] + combining(g, True) + with_scores(g),
        lambda: ["zdiff"] + combining(g, False) + with_scores(g),
        lambda: [g.pick(["zunionstore", "zinterstore"]), name] + combining(g, True)
        + with_scores(g, 0.03),
        lambda: ["zdiffstore", name] + combining(g, False),
        lambda: ["zintercard"] + inputs(g) + g.maybe(g.case("LIMIT"), g.pick(LIMITS)),
        lambda: ["zrandmember", name]
        + g.maybe(g.pick(NUMBERS[:8] + ["-9223372036854775808"]), chance=0.8) + with_scores(g)
        + g.maybe("x", chance=0.03),
        lambda: ["zscan", name, g.pick(["0", "0", "0", "0", "abc"] + g.out_of_range("18446744073709551616")),
                 g.case("COUNT"), g.pick(["100000", "100000", "100000", "0", "abc"])]
        + g.maybe(g.case("MATCH"), g.pick(PATTERNS + ["m*", "n1*"])),
        lambda: ["object", "encoding", name],
    ])()


def whole_or_random(command_words, reply):
    """A large count is all of the set."""
    if len(command_words) > 2 and isinstance(reply, list) and command_words[2] == b"1000" \
            and len(reply) < 1000:
        return sorted(reply)
    return random_choice(command_words, reply)


COMPARABLE = {
    "zrandmember": whole_or_random,
    "zscan": scan_pairs,
}

READERS = {b"zset": lambda key: ("zrange", key, 0, -1, "withscores")}
