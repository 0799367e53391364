"""Commands of places (GEO)."""

PLACES = ["p%d" % i for i in range(30)] + ["", "x" * 70]
UNITS = ["m", "km", "KM", "ft", "mi", "M"]


def degrees(g, limit):
    choice = g.rng.random()
    if choice < 0.03:
        return g.pick(["abc", "", "nan", "inf", "181", "-180.001", "86", "-85.06", "1e3"])
    if choice < 0.1:
        return g.pick(["0", "-0", "180", "-180", "85.05112878", "-85.05112878", "85", "1e-7"])
    if choice < 0.5:
        return "%.6f" % g.rng.uniform(10, 12)
    return repr(g.rng.uniform(-limit, limit))


def point(g):
    return [degrees(g, 180), degrees(g, 85)]


def unit(g):
    return g.pick(UNITS) if g.rng.random() < 0.97 else g.pick(["cm", "", "miles"])


def length(g):
    if g.rng.random() < 0.04:
        return g.pick(["-1", "abc", "", "nan"])
    return g.pick(["0", "1", "10", "100", "1000", "5000", "20000", "1e7",
                   repr(g.rng.uniform(0, 3000))])


def place(g):
    return g.pick(PLACES)


def add(g):
    options = g.many(lambda: [g.case(g.pick(["NX", "XX", "CH"]))], 0, g.pick([0, 0, 1, 2]))
    count = 60 if g.rng.random() < 0.03 else 4
    pairs = g.many(lambda: point(g) + [place(g) if count == 4 else "q%d" % g.rng.randrange(400)],
                   1, count)
    return ["geoadd", g.key("geo")] + options + pairs + g.maybe("odd", chance=0.02)


def with_options(g):
    return g.maybe(g.case("WITHCOORD")) + g.maybe(g.case("WITHDIST")) + g.maybe(g.case("WITHHASH"))


def count_options(g):
    options = g.maybe(g.case("COUNT"), g.pick(["1", "3", "10", "100", "0", "-1", "abc"]))
    return options + g.maybe(g.case("ANY"), chance=0.3 if options else 0.02)


def order(g):
    return g.maybe(g.pick(["ASC", "desc", "DESC"]))


def shuffled(g, groups):
    if g.rng.random() < 0.3:
        g.rng.shuffle(groups)
    return [word for group in groups for word in group]


def shape(g):
    groups = [[g.case("FROMMEMBER"), place(g)] if g.rng.random() < 0.5
              else [g.case("FROMLONLAT")] + point(g),
              [g.case("BYRADIUS"), length(g), unit(g)] if g.rng.random() < 0.5
              else [g.case("BYBOX"), length(g), length(g), unit(g)]]
    if g.rng.random() < 0.04:
        groups.append(g.pick([["BYBOX", "1", "1", "m"], ["BYRADIUS", "1", "m"],
                              ["FROMMEMBER", "p1"], ["FROMLONLAT", "1", "1"], ["bad"]]))
    if g.rng.random() < 0.03:
        groups.pop(0)
    return groups


def search(g):
    return ["geosearch", g.key("geo")] + shuffled(
        g, shape(g) + [order(g), count_options(g), with_options(g)])


def search_store(g):
    return ["geosearchstore", g.key("geo"), g.key("geo")] + shuffled(
        g, shape(g) + [order(g), count_options(g), g.maybe(g.case("STOREDIST")),
                       g.maybe("WITHDIST", chance=0.03)])


def radius(g):
    name = g.pick(["georadius", "georadiusbymember"])
    center = point(g) if name == "georadius" else [place(g)]
    store = g.maybe(g.case(g.pick(["STORE", "STOREDIST"])), g.key("geo"), chance=0.3)
    if g.rng.random() < 0.3:
        name += "_ro"
        store = store if g.rng.random() < 0.1 else []
    options = [with_options(g) if not store or g.rng.random() < 0.1 else [], count_options(g),
               order(g), store, g.maybe("bad", chance=0.02)]
    return [name, g.key("geo")] + center + [length(g), unit(g)] + shuffled(g, options)


def command(g):
    name = g.key("geo")
    return g.pick([
        lambda: add(g), lambda: add(g), lambda: add(g),
        lambda: ["geopos", name] + g.many(lambda: [place(g)], 0),
        lambda: ["geodist", name, place(g), place(g)] + g.maybe(unit(g)) + g.maybe("x", chance=0.03),
        lambda: ["geohash", name] + g.many(lambda: [place(g)], 0),
        lambda: search(g), lambda: search(g), lambda: search_store(g),
        lambda: radius(g), lambda: radius(g),
        lambda: ["zrem", name] + g.many(lambda: [place(g)]),
        lambda: ["zadd", name, g.pick(["1", "-5", "1e18", "inf", "-inf", "-1e300", "3e15"]), place(g)],
        lambda: ["zrange", name, "0", "-1", "WITHSCORES"],
    ])()
