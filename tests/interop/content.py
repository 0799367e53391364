"""The whole content of a server, and the comparison of two."""

import time

import redis

# Expiry travels as an absolute time, and is the same to the millisecond where it is right. A real
# primary that sends `PEXPIREAT` and one that sends `SET … PXAT` agree in that.
EXPIRY_TOLERANCE_MS = 2
BATCH = 500


def databases(server):
    return [int(name[2:]) for name in server.info("keyspace")]


def reader(kind):
    return {b"string": lambda pipe, key: pipe.execute_command("GET", key),
            b"hash": lambda pipe, key: pipe.hgetall(key),
            b"list": lambda pipe, key: pipe.lrange(key, 0, -1),
            b"set": lambda pipe, key: pipe.smembers(key),
            b"zset": lambda pipe, key: pipe.zrange(key, 0, -1, withscores=True)}.get(kind)


def content(server):
    """{(db, key): (type, value, absolute expiry in ms or -1)} of all databases. A key that goes
    while it is being read is left out."""
    result = {}
    for db in databases(server):
        client = redis.Redis(host=server.host, port=server.port, password=server.password, db=db,
                             socket_timeout=20.0)
        with client:
            keys = sorted(set(client.scan_iter(count=1000)))
            for start in range(0, len(keys), BATCH):
                result.update(_read(client, db, keys[start:start + BATCH]))
    return result


def _read(client, db, keys):
    pipe = client.pipeline(transaction=False)
    for key in keys:
        pipe.execute_command("TYPE", key)
        pipe.execute_command("PEXPIRETIME", key)
    replies = pipe.execute()
    kinds = dict(zip(keys, replies[0::2]))
    expiries = dict(zip(keys, replies[1::2]))
    present = [key for key in keys if kinds[key] != b"none" and expiries[key] != -2]
    pipe = client.pipeline(transaction=False)
    for key in present:
        reader(kinds[key])(pipe, key)
    values = pipe.execute()
    return {(db, key): (kinds[key], value, expiries[key])
            for key, value in zip(present, values) if value not in (None, {}, [], set())}


def differences(one, other, now_ms=None):
    """What two contents do not have in common, as a list of lines. Keys whose time has come may be
    in one and not in the other."""
    now_ms = now_ms or int(time.time() * 1000) + 5
    lines = []
    for name in sorted(set(one) | set(other)):
        a, b = one.get(name), other.get(name)
        if any(item and 0 <= item[2] <= now_ms for item in (a, b)):
            continue
        if a is None or b is None:
            lines.append(f"{name}: {short(a)} | {short(b)}")
        elif a[:2] != b[:2]:
            lines.append(f"{name}: {short(a)} | {short(b)}")
        elif (a[2] < 0) != (b[2] < 0) or abs(a[2] - b[2]) > EXPIRY_TOLERANCE_MS:
            lines.append(f"{name}: expires at {a[2]} | {b[2]}")
    return lines


def short(item):
    text = "nothing" if item is None else repr(item)
    return text if len(text) <= 160 else text[:160] + "…"


def assert_same_content(one, other, at_least=0):
    """Both servers hold the same keys, types, values and expiries; how many keys that is."""
    a, b = content(one), content(other)
    lines = differences(a, b)
    assert not lines, (f"{one} and {other} differ in {len(lines)} of {len(a)} and {len(b)} keys:\n"
                       + "\n".join(lines[:20]))
    assert len(a) >= at_least, f"only {len(a)} keys"
    return len(a)
