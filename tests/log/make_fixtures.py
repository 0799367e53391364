#!/usr/bin/python3
"""Makes tests/log/fixtures/*.rdb.

Most are saved by a running redis-server 7.0. It writes the newer forms only, so the older ones
(ziplist, zipmap, intset, rows) are put together here, byte by byte, as the versions that wrote
them did; redis-server then has to load them and agree on what they hold.
What the files hold is said once more, independently, in rdb_fixture_test.c.

usage: make_fixtures.py [PORT]
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time

import redis

from rdb_forms import (crc64, double, intset, length, listpack, row, string, text_double, ziplist,
                       zipmap)

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "fixtures")
PORT = int(sys.argv[1]) if len(sys.argv) > 1 else 7131
LATER = 4102444800123  # 2100-01-01, in ms
LATER_S = 2145916800  # 2038-01-01: what 4 bytes with a sign hold


def noise(length):
    """Bytes that do not compress, the same in rdb_fixture_test.c."""
    state, out = 1, bytearray()
    for _ in range(length):
        state = (state * 1664525 + 1013904223) & 0xffffffff
        out.append(state >> 24)
    return bytes(out)


def counting(length):
    """Text that compresses somewhat: 0,1,2,…"""
    text = ",".join(str(i) for i in range(length))
    return text[:length].encode()


class Server:
    def __init__(self, folder, *options):
        self.process = subprocess.Popen(
            ["redis-server", "--port", str(PORT), "--bind", "127.0.0.1", "--dir", folder,
             "--save", "", "--daemonize", "no", "--logfile", "redis.log", *options])
        self.client = redis.Redis(port=PORT)
        for _ in range(200):
            try:
                self.client.ping()
                return
            except redis.exceptions.ConnectionError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.05)
        raise SystemExit("redis-server does not start")

    def __enter__(self):
        return self.client

    def __exit__(self, *unused):
        self.client.close()
        self.process.terminate()
        self.process.wait()


def saved(name, fill, *options):
    with tempfile.TemporaryDirectory() as folder:
        with Server(folder, *options) as client:
            fill(client)
            client.save()
        shutil.copy(os.path.join(folder, "dump.rdb"), os.path.join(FOLDER, name + ".rdb"))


# ---- What redis-server saves ----

INTEGERS = [0, -1, 127, 128, -128, -129, 32767, 32768, -32768, -32769, 2147483647, 2147483648,
            -2147483648, -2147483649, 9223372036854775807, -9223372036854775808]


def fill_strings(client):
    for value in INTEGERS:
        client.set(f"i{value}", value)
    for text in ["01", "+1", "-0", " 1", "1.0", "00000000001"]:
        client.set("t" + text, text)
    client.set("12345", "a key that is a number")
    client.set("", "")
    client.set("binary", bytes(range(256)))
    client.set("six", noise(63))
    client.set("fourteen", noise(64))
    client.set("most-of-14", noise(16383))
    client.set("thirtytwo", noise(16384))
    client.set("run", "x" * 500)
    client.set("counting", counting(3000))
    client.set("y" * 300, "a key that is compressed")
    client.set("due", "later", pxat=LATER)


def fill_hashes(client):
    client.config_set("hash-max-listpack-value", 70000)
    for value in [0, 1, 127, 128, 4095, 4096, -1, -4096, -4097, 32767, 32768, -32768, -32769,
                  8388607, 8388608, -8388608, -8388609, 2147483647, 2147483648, -2147483648,
                  -2147483649, 9223372036854775807, -9223372036854775808]:
        client.hset("integers", value, f"v{value}")
    for length in [0, 1, 63, 64, 123, 124, 125, 126, 127, 128, 4095, 4096]:
        client.hset("strings", noise(length), length)
    client.hset("due", "f", "v")
    client.pexpireat("due", LATER)
    for length in [16377, 16378, 66000]:  # around 2 bytes of back link, and beyond
        client.hset("run", length, "x" * length)
    client.config_set("hash-max-listpack-value", 64)
    client.hset("table", mapping={"f": "1", "": "", "long": "z" * 65, "noise": noise(200)})
    client.hset("duetable", "long", noise(100))
    client.pexpireat("duetable", LATER)


def fill_databases(client):
    for db in [0, 1, 15]:
        client.select(db)
        client.set("key", f"of {db}")
        client.set("due", db, pxat=LATER + db)
    client.select(0)


def fill_lfu(client):
    client.config_set("maxmemory-policy", "allkeys-lfu")
    client.set("k", "v")
    client.hset("h", "f", "v")


def fill_lru(client):
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.set("k", "v", pxat=LATER)
    client.hset("h", "f", "v")


LIBRARY = "#!lua name=lib\nredis.register_function('f', function() return 1 end)\n"


def fill_functions(client):
    client.execute_command("FUNCTION", "LOAD", LIBRARY)
    client.set("k", "v")


def fill_plain(client):
    client.set("run", "x" * 100)
    client.hset("h", "f", "y" * 60)


def fill_lists(client):
    client.rpush("small", "a", "", -1, 4096, noise(63), 1 << 40)
    client.rpush("large", *(f"element {i}" for i in range(2000)))
    client.rpush("wide", "x" * 9000, "y" * 9000)
    client.config_set("list-max-listpack-size", 2)
    client.rpush("pairs", *range(5))
    client.pexpireat("pairs", LATER)
    client.execute_command("DEBUG", "QUICKLIST-PACKED-THRESHOLD", "100b")
    client.rpush("plain", "x" * 500, "packed", "z" * 100, noise(100))


def fill_sets(client):
    client.sadd("ints16", 5, -1, 0, -32768, 32767)
    client.sadd("ints32", 70000, -70000)
    client.sadd("ints64", 9223372036854775807, -9223372036854775808, 0)
    client.sadd("many", *range(600))
    client.sadd("texts", "a", "", "1", "01", noise(300), "x" * 300)
    client.pexpireat("texts", LATER)


def fill_zsets(client):
    client.execute_command("ZADD", "small", 1, "one", 1.5, "half", "-inf", "low", "inf", "high",
                           1e300, "huge", -7, "5", 4096, "", 0.1, "tenth", 1e15, "whole")
    client.execute_command("ZADD", "large", *(x for i in range(200) for x in (i / 4, f"m{i}")))
    client.execute_command("ZADD", "large", "inf", "high", "-inf", "low", 0.1, noise(100))
    client.pexpireat("large", LATER)


# ---- Older forms, by hand ----

ZIPLIST = [0, 12, 13, -1, 127, -128, 128, -129, 32767, -32768, 32768, -32769, 8388607, -8388608,
           8388608, -8388609, 2147483647, -2147483648, 2147483648, -2147483649,
           9223372036854775807, -9223372036854775808]
ZIPLIST_ITEMS = [x for n in ZIPLIST for x in (b"i%d" % n, n)]
ZIPLIST_ITEMS += [x for n in [0, 1, 63, 64, 250, 251, 252, 253, 254, 16383, 16384]
                  for x in (b"t%d" % n, noise(n))]


def ziplist_items(version):
    """One file with the two large ones is enough."""
    return ZIPLIST_ITEMS if version == 9 else ZIPLIST_ITEMS[:-4]


ZIPMAP_PAIRS = [(b"f", b"v", b""), (b"", b"", b""), (b"spare", b"kept", b"gone"),
                (b"l252", noise(252), b""), (b"l253", noise(253), b"?"), (b"l254", noise(254), b""),
                (b"l" * 300, b"a long field", b"")]


def by_hand(version):
    """Type 13 is in files from version 3 on, type 9 in all; a checksum from version 5 on."""
    body = b"REDIS%04d" % version
    if version >= 7:
        body += b"\xfa" + string(b"redis-ver") + string(b"3.2.0")
    body += b"\xfe\x00"
    if version >= 7:
        body += b"\xfb" + length(2 + (version >= 3)) + length(1)
    if version < 3:
        body += b"\xfd" + LATER_S.to_bytes(4, "little")
    else:
        body += b"\xfc" + LATER.to_bytes(8, "little")
    body += b"\x00" + string(b"due") + string(b"later")
    body += b"\x09" + string(b"zipmap") + string(zipmap(ZIPMAP_PAIRS))
    if version >= 3:
        body += b"\x0d" + string(b"ziplist") + string(ziplist(ziplist_items(version)))
    body += b"\xff"
    if version >= 5:
        # Every second version leaves it out, as rdbchecksum no does.
        body += (crc64(body) if version % 2 else 0).to_bytes(8, "little")
    return body


LONG = [noise(n) for n in (250, 300, 1, 20000)]


def older():
    """The types that are not hashes, as versions before 7 had them."""
    keys = [
        (1, b"list", row([b"x", b"12", b"", noise(64)])),
        (2, b"set", row([b"x", b"7", b""])),
        (3, b"zset", length(5) + string(b"half") + text_double(b"0.5") + string(b"low") + b"\xff"
         + string(b"high") + b"\xfe" + string(b"17") + text_double(b"17") + string(b"")
         + text_double(b"-1.0000000000000001e-05")),
        (5, b"zset2", length(2) + string(b"half") + double(0.5) + string(b"low")
         + double(float("-inf"))),
        (10, b"listziplist", string(ziplist([b"a", 5, -300, b"", *LONG]))),
        (11, b"intset16", string(intset(2, [-5, 0, 32767]))),
        (11, b"intset32", string(intset(4, [1, 2, 70000]))),
        (11, b"intset64", string(intset(8, [-1 << 63, 1 << 40]))),
        (12, b"zsetziplist", string(ziplist([b"low", b"-inf", b"m", 3, 7, b"3.25", b"n", b"1e3"]))),
        (14, b"quicklist", length(4) + string(ziplist([b"a", 1])) + string(ziplist([]))
         + string(ziplist([noise(300)])) + string(ziplist([2, 3]))),
        (14, b"nothing", length(2) + string(ziplist([])) + string(ziplist([]))),
        (10, b"nothing2", string(ziplist([]))),
        (0, b"last", string(b"one")),
    ]
    body = b"REDIS0009\xfa" + string(b"redis-ver") + string(b"5.0.0") + b"\xfe\x00"
    body += b"".join(bytes([kind]) + string(key) + value for kind, key, value in keys) + b"\xff"
    return body + crc64(body).to_bytes(8, "little")


def newer():
    """What Redis 7.2 adds; no redis-server 7.0 reads it."""
    body = b"REDIS0011\xfa" + string(b"redis-ver") + string(b"7.2.0") + b"\xfe\x00"
    body += b"\x14" + string(b"set") + string(listpack([b"a", 1, b"", 127])) + b"\xff"
    return body + crc64(body).to_bytes(8, "little")


def check_older(path):
    inf = float("inf")
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, os.path.join(folder, "dump.rdb"))
        with Server(folder) as client:
            assert client.lrange("list", 0, -1) == [b"x", b"12", b"", noise(64)]
            assert client.smembers("set") == {b"x", b"7", b""}
            assert dict(client.zrange("zset", 0, -1, withscores=True)) == {
                b"half": 0.5, b"low": -inf, b"high": inf, b"17": 17, b"": -1.0000000000000001e-05}
            assert dict(client.zrange("zset2", 0, -1, withscores=True)) == {
                b"half": 0.5, b"low": -inf}
            assert client.lrange("listziplist", 0, -1) == [b"a", b"5", b"-300", b"", *LONG]
            assert client.smembers("intset16") == {b"-5", b"0", b"32767"}
            assert client.smembers("intset32") == {b"1", b"2", b"70000"}
            assert client.smembers("intset64") == {b"%d" % (-1 << 63), b"%d" % (1 << 40)}
            assert client.zrange("zsetziplist", 0, -1, withscores=True) == [
                (b"low", -inf), (b"m", 3), (b"7", 3.25), (b"n", 1000)]
            assert client.lrange("quicklist", 0, -1) == [b"a", b"1", noise(300), b"2", b"3"]
            assert client.get("last") == b"one"
            assert client.dbsize() == 11


def check_by_hand(path, version):
    """redis-server must find in it what the description says."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(path, os.path.join(folder, "dump.rdb"))
        with Server(folder) as client:
            assert client.get("due") == b"later"
            assert client.hgetall("zipmap") == {field: value for field, value, _ in ZIPMAP_PAIRS}
            if client.exists("ziplist"):
                items = [b"%d" % x if isinstance(x, int) else x for x in ziplist_items(version)]
                assert client.hgetall("ziplist") == dict(zip(items[::2], items[1::2]))


def main():
    os.makedirs(FOLDER, exist_ok=True)
    saved("strings", fill_strings)
    saved("hashes", fill_hashes)
    saved("databases", fill_databases)
    saved("lfu", fill_lfu)
    saved("lru", fill_lru)
    saved("functions", fill_functions)
    saved("plain", fill_plain, "--rdbcompression", "no", "--rdbchecksum", "no")
    saved("lists", fill_lists, "--enable-debug-command", "yes")
    saved("lists-plain", fill_lists, "--enable-debug-command", "yes",
          "--rdbcompression", "no")
    saved("sets", fill_sets)
    saved("zsets", fill_zsets)
    saved("stream", lambda client: client.xadd("queue", {"job": 1}))
    saved("empty", lambda client: None)
    for version in range(2, 10):
        path = os.path.join(FOLDER, f"version{version}.rdb")
        with open(path, "wb") as file:
            file.write(by_hand(version))
        check_by_hand(path, version)
    for name, make in [("older", older), ("newer", newer)]:
        with open(os.path.join(FOLDER, name + ".rdb"), "wb") as file:
            file.write(make())
    check_older(os.path.join(FOLDER, "older.rdb"))


if __name__ == "__main__":
    main()
