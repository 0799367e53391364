"""Random SORT commands for differential.py, and what they sort.

Where Redis' order is left to chance nothing is compared but what must hold: a set that is not
sorted comes in any order, and equals that LIMIT cuts apart are cut apart anywhere. What is sorted is
touched by this family only: lists stay lists where that counts, and no sorted set is sorted whose
encoding is compared, since Redis unpacks it for that."""

NUMBERS = ["0", "1", "2", "3", "10", "-1", "-5", "7", "1.5", "-0", "1e3", "0x1f", "inf"]
NO_NUMBERS = ["", " 4", "x", "5 ", "nan"]
WORDS = ["apple", "Pear", "pear", "", "z", "zz", "10", "9", "\xe4", "-1"]
PILES = ["pile0", "pile1", "pile2", "pile3"]  # lists and sets
LINES = ["line0", "line1", "line2"]
RANKS = ["rank0", "rank1"]  # sorted sets
LONG = "0" * 70


def number(gen):
    return gen.pick(NUMBERS if gen.rng.random() < 0.99 else NO_NUMBERS)


def item(gen, words):
    return gen.pick(WORDS) if words else number(gen)


def fill(gen):
    words = gen.rng.random() < 0.3
    some = gen.many(lambda: [item(gen, words)], 1, 40)
    ranked = [word for one in some for word in (str(gen.rng.randint(0, 9)), one)]
    key = gen.pick(PILES)
    return gen.pick([
        ["rpush", key] + some,
        ["sadd", key] + some,
        ["lpush", gen.pick(LINES)] + some,
        ["zadd", gen.pick(RANKS), "5", LONG] + ranked,
        ["del", gen.pick(PILES + LINES + RANKS)],
    ])


def weight(gen):
    which = gen.pick(NUMBERS + WORDS)
    return gen.pick([
        ["set", "w_" + which, gen.pick(NUMBERS + ["12", "13", "14", "-3"])],
        ["set", "w_" + which + "_end", gen.pick(NUMBERS + ["12", "13", "14", "-3"])],
        ["set", "t_" + which, gen.pick(WORDS) + which],
        ["hset", "h_" + which, "f", gen.pick(NUMBERS), "g", gen.pick(WORDS)],
        ["del", "w_" + which],
        ["set", "w_->" + which, "arrow"],
    ])


def gets(gen):
    return gen.many(lambda: [gen.case("GET"), gen.pick(
        ["#", "#", "w_*", "h_*->f", "h_*->g", "h_*->none", "w_*_end", "nothing", "*", "h_*->", "t_*",
         "w_*->*"])], 0, 3)


def limit(gen):
    place = ["0", "1", "2", "5", "100", "-1", "-7"]
    if gen.rng.random() < 0.05:
        place = ["x", "", "1.0", "9223372036854775807", "-9223372036854775808"]
    return [gen.case("LIMIT"), gen.pick(place), gen.pick(place)]


def direction(gen):
    return gen.maybe(gen.case(gen.pick(["ASC", "DESC", "DESC"])))


def store(gen):
    return [gen.case("STORE"), gen.pick([gen.key("sort"), gen.pick(PILES)])]


def shuffled(gen, *options):
    options = list(options)
    gen.rng.shuffle(options)
    return [word for option in options for word in option]


def source(gen):
    return gen.pick(PILES + LINES + RANKS)


def by_number(gen):
    """Ties are settled by the elements themselves."""
    by = [gen.case("BY"), gen.pick(["w_*", "h_*->f", "w_*_end", "h_*->none", "none*"])]
    return ["sort", source(gen)] + shuffled(
        gen, gen.maybe(*by), gen.maybe(*limit(gen)), direction(gen), gets(gen),
        gen.maybe(*store(gen), chance=0.3))


def by_text(gen):
    """Ties stay in the order of the list as long as nothing is cut off."""
    by = [gen.case("BY"), gen.pick(["t_*", "h_*->g", "none*"])]
    return ["sort", gen.pick(LINES)] + shuffled(
        gen, by, [gen.case("ALPHA")], direction(gen), gets(gen), gen.maybe(*store(gen), chance=0.3))


def alphabetic(gen):
    return ["sort", source(gen)] + shuffled(
        gen, [gen.case("ALPHA")], gen.maybe(*limit(gen)), direction(gen), gets(gen),
        gen.maybe(*store(gen), chance=0.3))


def as_it_is(gen):
    return ["sort", gen.pick(LINES + RANKS)] + shuffled(
        gen, [gen.case("BY"), gen.pick(["nosort", "", "#"])], gen.maybe(*limit(gen)),
        direction(gen), gets(gen), gen.maybe(*store(gen), chance=0.3))


def stored_set(gen):
    return ["sort", gen.pick(PILES)] + store(gen) + ["BY", "nosort"]


def wrong(gen):
    return ["sort", gen.key()] + gen.pick([
        ["BY"], ["LIMIT", "1"], ["GET"], ["STORE"], ["bad"], ["ASC", "bad"]])


def command(gen):
    words = gen.pick([fill, fill, fill, weight, weight, by_number, by_text, alphabetic, as_it_is,
                      stored_set, wrong])(gen)
    if words[0] == "sort" and gen.rng.random() < 0.2:
        words[0] = "sort_ro"
    return words


