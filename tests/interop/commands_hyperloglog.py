"""Commands of HyperLogLogs. Their values are strings, compared byte by byte."""

# A register above 32 makes a sparse one dense; elements whose hash asks for that are rare.
HIGH = ["52110", "105442", "133126", "203183"]
# None with more registers than there are: Redis changes some of them before it finds out.
BROKEN = ["HYLL", "HYLL" + "\x01" + "\x00" * 11, "HYLL\x01" + "\x00" * 11,
          "HYLL\x01" + "\x00" * 10 + "\x80" + "\x40\x00", "HYLL\x00" + "\x00" * 11,
          "HYLL\x02" + "\x00" * 20, "HYLL\x00" + "\x00" * 10 + "\x80" + "\xff" * 12288]


def elements(g):
    choice = g.rng.random()
    if choice < 0.5:
        return g.many(lambda: [str(g.rng.randrange(100000))], 0, 4)
    if choice < 0.6:
        return [g.pick(HIGH), g.value()]
    if choice < 0.7:
        return ["%x" % g.rng.getrandbits(300) for _ in range(20)]
    first = g.rng.randrange(100000)
    return [str(i) for i in range(first, first + g.rng.choice([3, 30, 300, 2000]))]


def command(g):
    key = g.key("hyperloglog")
    keys = g.many(lambda: [g.key("hyperloglog")], 1, 3)
    return g.pick([
        lambda: ["pfadd", key] + elements(g),
        lambda: ["pfadd", key] + elements(g),
        lambda: ["pfadd", key] + elements(g),
        lambda: ["pfadd", key] + elements(g),
        lambda: ["pfcount", key],
        lambda: ["pfcount"] + keys,
        lambda: ["pfmerge", key] + keys,
        lambda: ["pfmerge", key],
        lambda: ["pfdebug", g.case(g.pick(["getreg", "decode", "decode", "encoding", "bad"])), key],
        lambda: ["pfdebug", "todense", key] if g.rng.random() < 0.3 else ["get", key],
        lambda: ["get", key],
        lambda: ["strlen", key],
        lambda: ["object", "encoding", key],
        lambda: ["set", key, g.pick(BROKEN + [g.value()])] if g.rng.random() < 0.2
        else ["copy", key, g.key("hyperloglog"), "replace"],
        lambda: ["del", key] if g.rng.random() < 0.3 else ["exists", key],
    ])()
