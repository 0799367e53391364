"""Random list commands for differential.py.

The blocking ones wait at most for a millisecond, so that a stream of commands goes on; waiting
itself is tested elsewhere."""

ELEMENTS = ["a", "b", "c", "", "1", "-7", "9223372036854775807", "x" * 100, "y" * 1000,
            "bin\x00\r\n\xff"]
INDICES = ["0", "0", "1", "-1", "-1", "-2", "2", "3", "10", "-10", "100", "-100", "300",
           "9223372036854775807", "-9223372036854775808", "x", "1.0", ""]
SIDES = ["LEFT", "RIGHT", "left", "Right"]
TIMEOUTS = ["0.001", "0.0001", "1e-3"]
BAD_TIMEOUTS = ["-1", "x", "inf", "-inf", "nan", "", "1e400", "9223372036854775807"]


def element(gen):
    return gen.pick(ELEMENTS) if gen.rng.random() < 0.8 else "e%d" % gen.rng.randrange(200)


def side(gen):
    return gen.pick(SIDES) if gen.rng.random() < 0.95 else gen.pick(["MIDDLE", "", "LEFTY"])


def timeout(gen):
    return gen.pick(TIMEOUTS if gen.rng.random() < 0.85 else BAD_TIMEOUTS)


def index(gen):
    return gen.pick(INDICES)


def count(gen):
    return gen.pick(["0", "1", "2", "5", "100", "-1", "x", "9223372036854775808"])


def keys(gen, most=3):
    return gen.many(lambda: [gen.key("list")], 1, most)


def counted_keys(gen):
    names = keys(gen)
    number = str(len(names)) if gen.rng.random() < 0.9 else gen.pick(["0", "-1", "x", "2", "99"])
    return [number] + names


def many_elements(gen):
    """Enough for several chunks, now and then."""
    size = gen.pick([1, 3, 10, 200])
    return ["m%d" % gen.rng.randrange(50) + "." * size for _ in range(gen.rng.randint(50, 300))]


def push(gen):
    name = gen.pick(["lpush", "rpush"] * 4 + ["lpushx", "rpushx"])
    some = many_elements(gen) if gen.rng.random() < 0.15 else gen.many(lambda: [element(gen)], 1, 8)
    return [name, gen.key("list")] + some


def pop(gen):
    name = gen.pick(["lpop", "rpop"])
    return [name, gen.key("list")] + gen.maybe(count(gen), chance=0.4) + gen.maybe("3", chance=0.03)


def look(gen):
    key = gen.key("list")
    return gen.pick([
        ["llen", key],
        ["lindex", key, index(gen)],
        ["lrange", key, index(gen), index(gen)],
        ["lrange", key, "0", "-1"],
        lpos(gen),
    ])


def lpos(gen):
    options = gen.maybe(gen.case("RANK"), gen.pick(
        ["1", "-1", "2", "-3", "0", "x", "-9223372036854775808"]))
    options += gen.maybe(gen.case("COUNT"), count(gen))
    options += gen.maybe(gen.case("MAXLEN"), count(gen), chance=0.3)
    return ["lpos", gen.key("list"), element(gen)] + options + gen.maybe("bad", chance=0.03)


def change(gen):
    key = gen.key("list")
    return gen.pick([
        ["lset", key, index(gen), element(gen)],
        ["linsert", key, gen.pick(["before", "AFTER", "Before", "after", "beside"]), element(gen),
         element(gen)],
        ["lrem", key, gen.pick(["0", "1", "-1", "2", "-2", "x", "-9223372036854775808"]),
         element(gen)],
        ["ltrim", key, index(gen), index(gen)],
    ])


def move(gen):
    source, target = gen.key("list"), gen.key("list")
    return gen.pick([
        ["lmove", source, target, side(gen), side(gen)],
        ["rpoplpush", source, target],
        ["blmove", source, target, side(gen), side(gen), timeout(gen)],
        ["brpoplpush", source, target, timeout(gen)],
    ])


def pop_several(gen):
    options = gen.maybe(gen.case("COUNT"), count(gen)) + gen.maybe(gen.case("COUNT"), chance=0.05)
    return gen.pick([
        ["lmpop"] + counted_keys(gen) + [side(gen)] + options,
        ["blmpop", timeout(gen)] + counted_keys(gen) + [side(gen)] + options,
        [gen.pick(["blpop", "brpop"])] + keys(gen) + [timeout(gen)],
    ])


def command(gen):
    return gen.pick([push, push, push, pop, look, look, change, change, move, pop_several])(gen)


READERS = {b"list": lambda key: ("lrange", key, 0, -1)}
