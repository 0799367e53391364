"""Transactions around the commands of the other families of the round."""

from resp_client import Error


def command(g):
    key = g.key()
    return g.pick([
        lambda: [g.case("MULTI")],
        lambda: [g.case("MULTI")],
        lambda: [g.case("EXEC")],
        lambda: [g.case("EXEC")],
        lambda: [g.case("EXEC")],
        lambda: [g.case("DISCARD")],
        lambda: ["watch"] + g.many(lambda: [g.key()], 1, 3),
        lambda: ["unwatch"],
        lambda: g.pick([["exec", "x"], ["multi", "x"], ["watch"], ["discard", "x"]]),
        lambda: ["set", key, g.value()],
        lambda: ["incr", key],
        lambda: ["select", g.pick(["0", "0", "1"])],
        lambda: ["nosuchcommand"] if g.rng.random() < 0.2 else ["type", key],
        lambda: ["flushdb"] if g.rng.random() < 0.2 else ["get", key],
        lambda: ["ping"],
        lambda: ["echo", g.value()],
    ])()


def outline(reply):
    """Of a reply in a transaction it is not known which command it belongs to: what may hang on
    order, chance or time is left out. Errors and small numbers count whole."""
    if isinstance(reply, list):
        return type(reply).__name__, len(reply)
    if isinstance(reply, Error) or (isinstance(reply, int) and abs(reply) < 900):
        return type(reply).__name__, reply
    return type(reply).__name__


COMPARABLE = {
    "exec": lambda _command, reply: [outline(item) for item in reply]
    if isinstance(reply, list) else outline(reply),
}
