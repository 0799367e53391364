"""The words of random commands: what the generators of all families (commands_*.py) draw from."""

import time

FIELDS = ["f%d" % i for i in range(6)] + ["", "a long field name that no packed form likes" * 2]
INTEGERS = ["0", "1", "-1", "2", "10", "-7", "100", "9223372036854775807", "-9223372036854775808"]
NOT_INTEGERS = ["abc", "", " 1", "1 ", "01", "+1", "-0", "1.0", "9223372036854775808", "0x10"]
FLOATS = ["0", "1.5", "-2.25", "3e2", "1e-3", "0.1", "1e17", "-0", "5.0e3"]
NOT_FLOATS = ["abc", "", " 1", "1 ", "nan", "inf", "-inf", "1.5x"]
TEXTS = ["", "a", "hello", "x" * 44, "y" * 45, "z" * 70, "bin\x00\r\n\xff", "ohmytext", "mynewtext"]
PATTERNS = ["*", "k*", "?1", "k[0-3]", "k[^0]", "\\k1", "s*", "f*", "nothing", "[", "k[5-2]", "*1"]
DATABASES = 16
LONG_AGO = 1000000  # in seconds; far ahead where it is taken for a duration


class Generator:
    """families: the names of those whose commands are mixed. packed_max: how many elements a sorted
    set may have and be packed."""

    def __init__(self, rng, families, packed_max=128):
        self.rng = rng
        self.families = families
        self.packed_max = packed_max
        # A key past its time counts until somebody asks for it, and who draws a key asks for some
        # of them, by chance: a round has one or the other.
        self.draws_keys = rng.random() < 0.5

    def pick(self, values):
        return self.rng.choice(values)

    def case(self, word):
        return self.pick([word, word.lower(), word.capitalize()])

    def key(self, family=None):
        """A key of the family's own, so that most commands find their type, or, now and then, one
        that all share."""
        if self.rng.random() < 0.2:
            return "k%d" % self.rng.randrange(4)
        if family is None or self.rng.random() < 0.05:
            family = self.pick([name for name in self.families if name != "generic"])
        return "%s%d" % (family, self.rng.randrange(4))

    def out_of_range(self, *words):
        """Numbers that the C library finds out of its range, but none beside SORT: there Redis takes
        the errno of any command before for its own, until the next connection comes."""
        return [] if "sort" in self.families else list(words)

    def integer(self):
        if self.rng.random() < 0.1:
            return self.pick(NOT_INTEGERS)
        return self.pick(INTEGERS) if self.rng.random() < 0.6 else str(self.rng.randint(-50, 50))

    def number(self):
        return self.pick(NOT_FLOATS) if self.rng.random() < 0.1 else self.pick(FLOATS + INTEGERS)

    def value(self):
        return self.pick([self.pick(TEXTS), self.integer(), self.number()])

    def maybe(self, *words, chance=0.5):
        return list(words) if self.rng.random() < chance else []

    def many(self, make, least=1, most=4):
        return [w for _ in range(self.rng.randint(least, most)) for w in make()]

    def seconds(self):
        """Far ahead, clearly past, or no time at all: nothing that may expire between replies."""
        return self.pick([self.ahead(1000)] * 3 + ["0", "-1", "abc", "9223372036854775807"])

    def ahead(self, unit):
        """Hardly ever the same twice: GT and LT would hang on a millisecond between two servers."""
        return str(self.rng.randrange(unit, 10000 * unit))

    def future(self, milliseconds):
        now = int(time.time())
        at = now + self.rng.randrange(5000, 7000000)
        at = self.pick([at, at, at, 0, -5, -5 if self.draws_keys else LONG_AGO])
        return str(at * 1000 if milliseconds else at)

    def millis(self):
        return self.pick([self.ahead(1000000)] * 2 + ["0", "-1", "abc", "9223372036854775807"])

    def expiry_option(self):
        choice = self.rng.randrange(7)
        if choice == 0:
            return [self.case("EX"), self.seconds()]
        if choice == 1:
            return [self.case("PX"), self.millis()]
        if choice == 2:
            return [self.case("EXAT"), self.future(False)]
        if choice == 3:
            return [self.case("PXAT"), self.future(True)]
        if choice == 4:
            return [self.case("KEEPTTL")]
        if choice == 5:
            return [self.case("PERSIST")]
        return [self.pick(["EX", "PX", "bogus"])]

    def conditions(self):
        return self.many(lambda: [self.case(self.pick(["NX", "XX", "GT", "LT", "bad"]))], 0, 2)

    def db(self):
        return self.pick(["0", "1", "2", "15", "16", "-1", "abc", "99999999999"])
