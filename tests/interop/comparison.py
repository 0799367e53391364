"""Replies in forms in which two servers that behave alike give equal values."""

from resp_client import Map


def typed(reply):
    """Types count: an integer is not the bulk that looks like it."""
    if isinstance(reply, list):
        return [type(reply).__name__] + [typed(item) for item in reply]
    return type(reply).__name__, reply


def unordered(_command, reply):
    return sorted(reply)


def pairs(flat):
    return sorted(zip(flat[::2], flat[1::2]))


def unordered_pairs(_command, reply):
    return sorted(reply) if isinstance(reply, Map) else pairs(reply)


def scan(command, reply):
    """Only one that takes in everything at once says the same on both sides."""
    return (reply[0], sorted(reply[1])) if b"1000" in command else "some"


def scan_pairs(_command, reply):
    return reply[0], pairs(reply[1])


def random_choice(_command, reply):
    """What is drawn differs; how much of it does not."""
    return len(reply) if isinstance(reply, list) else "one"


def time_left(_command, reply):
    return "time" if reply > 0 else reply
