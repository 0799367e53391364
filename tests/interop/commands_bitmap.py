"""Commands of bitmaps, on strings."""


def offset(g, most=300):
    return g.pick([str(g.rng.randrange(most))] * 12 + ["0", "7", "8", "-1", "abc", "4294967296"]
                  if g.rng.random() < 0.1 else [str(g.rng.randrange(most))])


def position(g):
    return str(g.rng.randint(-40, 40)) if g.rng.random() < 0.95 else g.integer()


def unit(g):
    return [g.pick(["BIT", "bit", "BYTE", "byte", "BIT", "bad"])] if g.rng.random() < 0.6 else []


def field_type(g):
    if g.rng.random() < 0.03:
        return g.pick(["u64", "i65", "u0", "i0", "x8", "u", "", "I8", "u8x", "i-1"])
    sign = g.pick("iu")
    return sign + str(g.pick([1, 2, 3, 5, 8, 16, 31, 32, 33, 63, 64 if sign == "i" else 63]))


def field_offset(g):
    if g.rng.random() < 0.03:
        return g.pick(["-1", "#-1", "#", "x", "#x", "4294967296"])
    return g.pick(["", "#"]) + str(g.rng.randrange(20)) if g.rng.random() < 0.7 else offset(g)


def number(g):
    return g.pick([str(g.rng.randint(-300, 300)), str(g.rng.randint(-2**63, 2**63 - 1)),
                   "9223372036854775807", "-9223372036854775808", "-1", "0"]
                  + (["abc"] if g.rng.random() < 0.05 else []))


def field_operation(g):
    choice = g.rng.random()
    if choice < 0.3:
        return [g.case("GET"), field_type(g), field_offset(g)]
    if choice < 0.4:
        return [g.case("OVERFLOW"), g.pick(["WRAP", "sat", "FAIL", "fail", "Sat"]
                                           + (["bad"] if g.rng.random() < 0.1 else []))]
    return [g.case(g.pick(["SET", "INCRBY"])), field_type(g), field_offset(g), number(g)]


def value(g):
    length = g.pick([0, 1, 3, 8, 9, 17, 40, 130])
    fill = g.pick(["\x00", "\xff", None, None])
    return "".join(fill if fill is not None else chr(g.rng.randrange(256)) for _ in range(length))


def command(g):
    key = g.key("bitmap")
    return g.pick([
        lambda: ["setbit", key, offset(g), g.pick(["0", "1", "1", "1", "2", "-1", "x"])],
        lambda: ["setbit", key, offset(g), "1"],
        lambda: ["getbit", key, offset(g)],
        lambda: ["bitcount", key],
        lambda: ["bitcount", key, position(g), position(g)] + unit(g),
        lambda: ["bitcount", key, position(g)],
        lambda: ["bitpos", key, g.pick(["0", "1", "0", "1", "2", "x"])]
        + g.many(lambda: [position(g)], 0, 2),
        lambda: ["bitpos", key, g.pick(["0", "1"]), position(g), position(g)] + unit(g)
        + g.maybe("bad", chance=0.03),
        lambda: ["bitop", g.case(g.pick(["AND", "OR", "XOR"])), key]
        + g.many(lambda: [g.key("bitmap")]),
        lambda: ["bitop", g.case("NOT"), key, g.key("bitmap")] + g.maybe(key, chance=0.05),
        lambda: ["bitop", "bad", key, key],
        lambda: ["bitfield", key] + g.many(lambda: field_operation(g), 0, 5),
        lambda: ["bitfield", key] + g.many(lambda: field_operation(g), 1, 5),
        lambda: ["bitfield_ro", key]
        + g.many(lambda: [g.case("GET"), field_type(g), field_offset(g)], 0, 3)
        + (field_operation(g) if g.rng.random() < 0.1 else []),
        lambda: ["set", key, value(g)],
        lambda: ["set", key, g.integer()],
        lambda: ["object", "encoding", key],
        lambda: ["get", key],
    ])()
