"""DUMP and RESTORE, with payloads of every type and form, whole and broken.

A payload that holds something whose checksum is right but which no server would have written is
taken by redis-server without a look inside; Regent looks. Those are tested elsewhere."""

import os
import sys

from generator import INTEGERS, LONG_AGO, TEXTS

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "log"))

import rdb_forms as forms  # noqa: E402


def text(rng):
    return rng.choice(TEXTS + INTEGERS[:7]).encode("latin-1")


def some(rng, most=6):
    return list(dict.fromkeys(text(rng) for _ in range(rng.randint(1, most))))


def ints(rng, most=6):
    return sorted({rng.randrange(-100, 100) for _ in range(rng.randint(1, most))})


def items(rng):
    """For a ziplist, which holds integers as such."""
    return [item if len(item) > 30 or not item.isdigit() else int(item) for item in some(rng)]


def whole_list(rng):
    return rng.choice([
        lambda: (1, forms.row(some(rng))),
        lambda: (10, forms.string(forms.ziplist(items(rng)))),
        lambda: (14, forms.length(2) + forms.string(forms.ziplist(items(rng)))
                 + forms.string(forms.ziplist(items(rng)))),
        lambda: (18, forms.length(2) + forms.length(2)
                 + forms.string(forms.listpack([b"a", 5, b"b"]))
                 + forms.length(1) + forms.string(text(rng))),
    ])()


def whole_set(rng):
    return rng.choice([
        lambda: (2, forms.row(some(rng))),
        lambda: (11, forms.string(forms.intset(rng.choice([2, 4, 8]), ints(rng)))),
    ])()


def scored(rng, score):
    members = some(rng)
    return forms.length(len(members)) + b"".join(forms.string(member) + score()
                                                 for member in members)


def whole_zset(rng):
    return rng.choice([
        lambda: (3, scored(rng, lambda: rng.choice(
            [b"\xfe", b"\xff", forms.text_double(b"1.5"), forms.text_double(b"-7")]))),
        lambda: (5, scored(rng, lambda: forms.double(rng.choice([0.5, -3, 1e300, float("inf")])))),
        lambda: (12, forms.string(forms.ziplist([b"low", b"-inf", b"m", 3, 7, b"3.25"]))),
        lambda: (17, forms.string(forms.listpack([b"a", 1, b"b", b"1.5", 5, 100]))),
    ])()


def whole_hash(rng):
    return rng.choice([
        lambda: (4, scored(rng, lambda: forms.string(text(rng)))),
        lambda: (9, forms.string(forms.zipmap([(b"f", b"v", b""), (b"g", b"w", b"old")]))),
        lambda: (13, forms.string(forms.ziplist([b"f", 5, b"g", b"value"]))),
        lambda: (16, forms.string(forms.listpack([b"f", 5, b"g", b"value"]))),
    ])()


def payload(rng):
    kind, body = rng.choice([lambda: (0, forms.string(text(rng))), lambda: (0, b"\xc0\x05"),
                             lambda: whole_list(rng), lambda: whole_set(rng),
                             lambda: whole_zset(rng), lambda: whole_hash(rng)])()
    return forms.payload(kind, body)


def broken(rng):
    good = payload(rng)
    at = rng.randrange(len(good))
    return rng.choice([
        b"", b"x", b"123456789", good[:at], good + b"x",
        good[:at] + bytes([good[at] ^ 1]) + good[at + 1:],
        forms.payload(0, forms.string(b"v"), version=12),
        forms.payload(0, forms.string(b"v"), version=6),
        forms.payload(0, b"\x3fabc"),  # cut, by more than version and checksum
        forms.payload(2, b"\x00"), forms.payload(18, b"\x00"),  # nothing in it
        forms.payload(2, b"\x3f\x01a\x01b"),
        forms.payload(2, forms.row([b"a", b"b", b"a"])),
        forms.payload(5, b"\x01\x01m" + forms.double(float("nan"))),
        forms.payload(0, forms.string(b"v") + b"behind"),
        forms.payload(99, b"\x00"), forms.payload(0xfe, b"\x00"),
    ])


def command(g):
    rng = g.rng
    key = g.key("dump") if rng.random() < 0.8 else g.key()
    if rng.random() < 0.25:
        return ["dump", key]
    ttl = g.pick(["0"] * 6 + [g.ahead(1000000), "-1", "abc", ""])
    options = g.maybe(g.case("REPLACE"), chance=0.7)
    if rng.random() < 0.2:
        ttl = g.pick([g.future(True), str(LONG_AGO), "0", "-1"])
        options += [g.case("ABSTTL")]
    options += g.maybe(g.case("IDLETIME"), g.pick(["0", "100", "-1", "x", "9999999999"]), chance=0.1)
    options += g.maybe(g.case("FREQ"), g.pick(["0", "5", "255", "256", "-1", "x"]), chance=0.1)
    options += g.maybe(g.pick(["bad", "freq", "idletime", ""]), chance=0.05)
    data = payload(rng) if rng.random() < 0.75 else broken(rng)
    return ["restore", key, ttl, data.decode("latin-1")] + options


# Payloads differ in how they are compressed; what they hold is compared at the end of a round.
COMPARABLE = {"dump": lambda _command, _reply: "payload"}
