"""Commands of strings."""


def command(g):
    key, rng = g.key("string"), g.rng
    return g.pick([
        lambda: ["append", key, g.value()],
        lambda: ["decr", key],
        lambda: ["decrby", key, g.integer()],
        lambda: ["get", key],
        lambda: ["getdel", key],
        lambda: ["getex", key] + (g.expiry_option() if rng.random() < 0.8 else []),
        lambda: ["getrange", key, g.integer(), g.integer()],
        lambda: ["getset", key, g.value()],
        lambda: ["incr", key],
        lambda: ["incrby", key, g.integer()],
        lambda: ["incrbyfloat", key, g.number()],
        lambda: ["lcs", key, g.key("string")]
        + g.maybe(g.case("LEN"), chance=0.2)
        + g.maybe(g.case("IDX"))
        + g.maybe(g.case("MINMATCHLEN"), g.integer(), chance=0.3)
        + g.maybe(g.case("WITHMATCHLEN"), chance=0.3),
        lambda: ["mget"] + g.many(lambda: [g.key("string")]),
        lambda: ["mset"] + g.many(lambda: [g.key("string"), g.value()])
        + g.maybe("odd", chance=0.05),
        lambda: ["msetnx"] + g.many(lambda: [g.key("string"), g.value()], 1, 2),
        lambda: ["psetex", key, g.millis(), g.value()],
        lambda: ["set", key, g.value()],
        lambda: ["set", key, g.value()]
        + g.maybe(g.case("NX"), chance=0.3)
        + g.maybe(g.case("GET"), chance=0.3)
        + (g.expiry_option() if rng.random() < 0.6 else [])
        + g.maybe(g.case("XX"), chance=0.3),
        lambda: ["setex", key, g.seconds(), g.value()],
        lambda: ["setnx", key, g.value()],
        lambda: ["setrange", key, g.pick(["0", "1", "5", "30", "-1", "x", "536870912"]),
                 g.value()],
        lambda: ["strlen", key],
        lambda: ["substr", key, g.integer(), g.integer()],
    ])()


READERS = {b"string": lambda key: ("get", key)}
