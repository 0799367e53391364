"""The node's own commands, side by side with a running redis-server, byte by byte: the same requests
go to both over RESP2 and RESP3, and the replies must be equal but for what is known to differ (ids,
addresses, times, sizes) and is masked."""

import re
import socket
import subprocess
import time

import pytest

from processes import HOST, eventually

# ---- Raw RESP ----


def encode(words):
    """A request; a str is split at blanks ('' stands for an empty word), bytes go as they are."""
    if isinstance(words, bytes):
        return words
    if isinstance(words, str):
        words = [b"" if word == "''" else word for word in words.split()]
    words = [word if isinstance(word, bytes) else str(word).encode() for word in words]
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in words)


def read_reply(file):
    """The bytes of one reply of any type; b"" at the end of the connection."""
    line = file.readline()
    if line[:1] in b"+-:_,#(" or not line:
        return line
    count = int(line[1:])
    if line[:1] in b"$=!":
        return line if count < 0 else line + file.read(count + 2)
    count *= 2 if line[:1] == b"%" else 1
    return line + b"".join(read_reply(file) for _ in range(max(count, 0)))


class Link:
    def __init__(self, server, proto=2, receive_buffer=None):
        self.socket = socket.socket()
        if receive_buffer:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        self.socket.settimeout(5)
        self.socket.connect((HOST, server.port))
        self.file = self.socket.makefile("rb")
        if proto == 3:
            self.call("HELLO 3")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.file.close()
        self.socket.close()

    def send(self, *requests):
        self.socket.sendall(b"".join(encode(request) for request in requests))

    def reply(self):
        return read_reply(self.file)

    def call(self, request):
        self.send(request)
        return self.reply()

    def text(self, request):
        """A bulk or verbatim reply's text."""
        return self.call(request).split(b"\r\n", 1)[1].decode()

    def ends(self):
        """Whether the server closes the connection without another byte."""
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True


def transcript(server, requests, proto=2):
    """All that comes back for requests sent in one piece, up to the end of the connection, which
    the client's own end of sending brings at the latest."""
    with Link(server, proto) as link:
        link.send(*requests)
        link.socket.shutdown(socket.SHUT_WR)
        link.socket.settimeout(5)
        try:
            return link.file.read()
        except ConnectionResetError:
            return b"<reset>"


def ids_masked(reply):
    return re.sub(rb"(\$2\r\nid\r\n):\d+", rb"\1:N", reply)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """A Regent and a redis-server with the same directives, for all tests that only ask."""
    from processes import Park
    park = Park(tmp_path_factory.mktemp("surface"))
    options = {"proto_max_bulk_len": "2mb", "databases": "6", "maxclients": "60"}
    yield park.regent(**options), park.redis(**options)
    park.close()


def differing(both, requests, proto, mask=ids_masked):
    """The requests whose replies differ, each with the two replies."""
    found = []
    with Link(both[0], proto) as ours, Link(both[1], proto) as theirs:
        for request in requests:
            one, other = mask(ours.call(request)), mask(theirs.call(request))
            if one != other:
                found.append((request, one, other))
    return found


# ---- Replies and errors ----

CONNECTION = [
    "PING", "PING a", "PING a b", "ECHO", "ECHO a", "ECHO a b", "AUTH", "AUTH x", "AUTH a b",
    "AUTH default x", "AUTH a b c", "HELLO x", "HELLO 1", "HELLO 4", "HELLO 2 AUTH",
    "HELLO 2 AUTH a b", "HELLO 2 SETNAME", ["HELLO", "2", "SETNAME", "a b"], "HELLO 2 FOO",
    "HELLO 9999999999999999999", "SELECT", "SELECT a", "SELECT 6", "SELECT -1", "SELECT 5",
    "SELECT 0", "SELECT 99999999999", "SELECT 1 2", "MOVE k a", "MOVE k 6", "MOVE k 0",
    "SWAPDB 0 1", "SWAPDB a 1", "SWAPDB 1 a", "SWAPDB 0 6", "SWAPDB 0 -1", "SWAPDB 0",
    "COPY a b DB 6", "RESET 1", "RESET", "TIME x", "LASTSAVE x", "QUIT a",
]
CLIENT = [
    "CLIENT", "CLIENT FOO", "CLIENT foo bar", "CLIENT ID x", "CLIENT GETNAME", "CLIENT SETNAME a",
    "CLIENT GETNAME", "CLIENT SETNAME ''", "CLIENT GETNAME", ["CLIENT", "SETNAME", "a b"],
    ["CLIENT", "SETNAME", "a\nb"], "CLIENT SETNAME", "CLIENT GETNAME x", "CLIENT LIST TYPE",
    "CLIENT LIST TYPE foo", "CLIENT LIST foo", "CLIENT LIST ID", "CLIENT LIST ID a",
    "CLIENT LIST ID 0", "CLIENT LIST ID 99999", "CLIENT LIST ID -1", "CLIENT LIST TYPE replica",
    "CLIENT LIST TYPE master", "CLIENT LIST TYPE pubsub", "CLIENT LIST TYPE normal ID 3",
    "CLIENT INFO x", "CLIENT NO-EVICT", "CLIENT NO-EVICT on", "CLIENT NO-EVICT off",
    "CLIENT NO-EVICT x", "CLIENT PAUSE", "CLIENT PAUSE a", "CLIENT PAUSE -1", "CLIENT PAUSE 0",
    "CLIENT PAUSE 0 foo", "CLIENT PAUSE 0 write", "CLIENT PAUSE 0 all", "CLIENT PAUSE 1 write x",
    "CLIENT UNPAUSE", "CLIENT UNPAUSE x", "CLIENT REPLY", "CLIENT REPLY foo", "CLIENT REPLY ON",
    "CLIENT KILL", "CLIENT KILL a", "CLIENT KILL 1.2.3.4:5", "CLIENT KILL ID", "CLIENT KILL ID a",
    "CLIENT KILL ID 0", "CLIENT KILL ID 99999", "CLIENT KILL ID -1", "CLIENT KILL TYPE foo",
    "CLIENT KILL TYPE pubsub", "CLIENT KILL TYPE replica", "CLIENT KILL USER foo",
    "CLIENT KILL USER default ID 99999", "CLIENT KILL SKIPME foo",
    "CLIENT KILL ADDR 1.2.3.4:5 SKIPME yes", "CLIENT KILL LADDR 1.2.3.4:5", "CLIENT KILL FOO a",
    "CLIENT KILL ID 99 TYPE", "CLIENT KILL SKIPME no ID 99999", "CLIENT HELP x",
]
SERVER = [
    "INFO foo", "CONFIG", "CONFIG FOO", "CONFIG GET", "CONFIG GET foo", "CONFIG GET maxmemory",
    "CONFIG SET", "CONFIG SET a", "CONFIG SET foo bar", "CONFIG SET hz", "CONFIG SET hz 10 timeout",
    "CONFIG SET hz x", "CONFIG SET hz 10", "CONFIG SET hz 10 hz 11", "CONFIG REWRITE",
    "CONFIG REWRITE x", "CONFIG RESETSTAT", "CONFIG RESETSTAT x", "CONFIG HELP x",
    "CONFIG SET maxmemory 100 foo 1", "CONFIG GET maxmemory", "CONFIG SET port abc",
    "COMMAND FOO", "COMMAND COUNT x", "COMMAND INFO get", "COMMAND INFO foo",
    "COMMAND INFO config|get", "COMMAND INFO client|foo", "COMMAND INFO GET", "COMMAND DOCS foo",
    "COMMAND GETKEYS", "COMMAND GETKEYS get", "COMMAND GETKEYS get a", "COMMAND GETKEYS foo a",
    "COMMAND GETKEYS ping", "COMMAND GETKEYS mset a b c d", "COMMAND GETKEYS set a",
    "COMMAND GETKEYS memory usage a", "COMMAND GETKEYS config get a",
    "COMMAND GETKEYS object encoding a", "COMMAND GETKEYS client foo", "COMMAND LIST x",
    "COMMAND LIST FILTERBY", "COMMAND LIST FILTERBY foo x", "COMMAND LIST FILTERBY MODULE x",
    "COMMAND LIST FILTERBY ACLCAT foo", "COMMAND LIST FILTERBY PATTERN xyz*",
    "DEBUG", "DEBUG FOO", "DEBUG SLEEP", "DEBUG SLEEP 0", "DEBUG SLEEP -1", "DEBUG SLEEP 0 1",
    "DEBUG OBJECT", "DEBUG OBJECT nokey", "DEBUG OBJECT nokey x", "DEBUG SET-ACTIVE-EXPIRE",
    "DEBUG SET-ACTIVE-EXPIRE 1", "DEBUG ERROR", "DEBUG ERROR some", "SHUTDOWN foo",
    "DEBUG QUICKLIST-PACKED-THRESHOLD", "DEBUG QUICKLIST-PACKED-THRESHOLD 100b",
    "DEBUG QUICKLIST-PACKED-THRESHOLD x", "DEBUG QUICKLIST-PACKED-THRESHOLD 5gb",
    "DEBUG QUICKLIST-PACKED-THRESHOLD 0", "SHUTDOWN SAVE NOSAVE", "SHUTDOWN ABORT",
    "SHUTDOWN ABORT NOW", "SHUTDOWN NOW NOW FOO", "SHUTDOWN a b c d e",
    "LATENCY", "LATENCY FOO", "LATENCY LATEST", "LATENCY LATEST x", "LATENCY HISTORY",
    "LATENCY HISTORY foo", "LATENCY HISTORY command", "LATENCY GRAPH", "LATENCY GRAPH foo",
    "LATENCY GRAPH command", "LATENCY RESET", "LATENCY RESET foo", "LATENCY DOCTOR x",
    "LATENCY HISTOGRAM foo", "SLOWLOG", "SLOWLOG FOO", "SLOWLOG GET", "SLOWLOG GET -1",
    "SLOWLOG GET -2", "SLOWLOG GET a", "SLOWLOG GET 0", "SLOWLOG GET 1 2", "SLOWLOG LEN",
    "SLOWLOG LEN x", "SLOWLOG RESET", "SLOWLOG RESET x", "MEMORY", "MEMORY FOO", "MEMORY USAGE",
    "MEMORY USAGE nokey", "MEMORY USAGE nokey SAMPLES", "MEMORY USAGE nokey SAMPLES a",
    "MEMORY USAGE nokey SAMPLES -1", "MEMORY USAGE nokey FOO 1", "MEMORY USAGE nokey SAMPLES 0",
    "MEMORY DOCTOR x", "MEMORY STATS x", "MEMORY PURGE", "MEMORY PURGE x", "MEMORY MALLOC-STATS x",
]
REPLICATION = [
    "ROLE", "ROLE x", "REPLICAOF", "REPLICAOF a", "REPLICAOF a b", "REPLICAOF a 99999",
    "REPLICAOF no one", "SLAVEOF no one", "SLAVEOF a", "SLAVEOF a -1", "REPLICAOF no one x", "WAIT",
    "WAIT 0", "WAIT 0 0", "WAIT a 0", "WAIT 0 a", "WAIT 0 -1", "WAIT -1 10", "WAIT 1 10",
    "WAIT 1 99999999999999999999", "PSYNC",
]
PUBSUB = [
    "PUBLISH", "PUBLISH a", "PUBLISH a b", "PUBLISH a b c", "SUBSCRIBE", "PSUBSCRIBE", "PUBSUB",
    "PUBSUB FOO", "PUBSUB CHANNELS", "PUBSUB CHANNELS a*", "PUBSUB CHANNELS a b", "PUBSUB NUMSUB",
    "PUBSUB NUMSUB a b", "PUBSUB NUMPAT", "PUBSUB NUMPAT x", "UNSUBSCRIBE", "PUNSUBSCRIBE",
]
UNKNOWN = [
    "FOO", "FOO a b c", ["foo", "a'b", "c"], ["FOO", "x" * 200, "y"],
    ["FOO", "x" * 100, "y" * 100, "z"], ["f" * 200, "a"], ["a\r\nb", "c"], "GET", "get a b",
    "SET a", "OBJECT", "OBJECT FOO", "OBJECT FOO BAR", ["CLIENT", "x" * 200], ["CLIENT", "a\nb"],
    ["CONFIG", "x\0y"], ["FOO\0x", "y"], ["FOO", "x\0y", "z"], ["", "a"], "config|get a",
]


@pytest.mark.parametrize("proto", [2, 3])
@pytest.mark.parametrize("requests", [CONNECTION, CLIENT, SERVER, REPLICATION, PUBSUB, UNKNOWN],
                         ids=["connection", "client", "server", "replication", "pubsub", "unknown"])
def test_replies(both, requests, proto):
    assert differing(both, requests, proto) == []


NESTED = [
    ["SUBSCRIBE a b a", "PSUBSCRIBE x* y*", "PING", "PING x", "GET a", "SELECT 1", "UNSUBSCRIBE b a",
     "PUNSUBSCRIBE y* x*", "PING"],
    ["SUBSCRIBE a", "UNSUBSCRIBE zz", "UNSUBSCRIBE a a", "PING", "UNSUBSCRIBE", "PUNSUBSCRIBE",
     "PUNSUBSCRIBE a b"],
    ["PSUBSCRIBE a*", "SUBSCRIBE a", "UNSUBSCRIBE", "PUNSUBSCRIBE", "PING"],
    ["SUBSCRIBE a", "RESET", "GET a", "PUBSUB NUMSUB a"],
    ["SUBSCRIBE a", "QUIT", "PING"],
    ["SUBSCRIBE a", "SUBSCRIBE", "FOO", "GET", "CLIENT FOO", "CONFIG GET", "HELLO", "HELLO 2",
     "HELLO 3", "COMMAND COUNT x", "INFO foo", "UNSUBSCRIBE", "GET a"],
    ["CLIENT REPLY OFF", "PING", "CLIENT REPLY SKIP", "PING", "FOO", "CLIENT REPLY ON", "PING"],
    ["CLIENT REPLY SKIP", "PING", "PING", "CLIENT REPLY SKIP", "CLIENT REPLY SKIP", "PING", "PING",
     "CLIENT REPLY SKIP", "CLIENT REPLY ON", "PING", "CLIENT REPLY SKIP", "FOO", "PING",
     "CLIENT REPLY OFF", "CLIENT REPLY SKIP", "CLIENT REPLY foo", "CLIENT REPLY ON"],
    ["CLIENT REPLY OFF", "SUBSCRIBE x", "UNSUBSCRIBE x", "CLIENT REPLY ON", "PING"],
    ["CLIENT REPLY SKIP", "SUBSCRIBE x", "UNSUBSCRIBE x"],
    ["CLIENT REPLY OFF", "RESET", "PING"],
    ["GET no", "HGET no a", "COMMAND INFO foo", "CLIENT GETNAME", "HMGET no b c", "HGETALL no",
     "MEMORY USAGE no", "CONFIG GET hz", "HRANDFIELD no", "OBJECT ENCODING no", "LATENCY LATEST"],
    ["HELLO 3 SETNAME abc", "CLIENT GETNAME", "RESET", "CLIENT GETNAME", "GET no", "HELLO 3",
     "GET no", "HELLO 2", "GET no"],
    ["PING", "QUIT", "PING"],
]
SELF = [["SUBSCRIBE a", "PSUBSCRIBE a*", "PUBLISH a hi", "PUBSUB CHANNELS", "PUBSUB NUMSUB a b",
         "PUBSUB NUMPAT"],
        ["SUBSCRIBE a", "CLIENT REPLY OFF", "PUBLISH a hi", "CLIENT REPLY ON"]]


@pytest.mark.parametrize("proto", [2, 3])
def test_sequences(both, proto):
    """Pipelined: the order of replies and messages too."""
    for requests in NESTED + (SELF if proto == 3 else []):
        ours, theirs = (ids_masked(transcript(server, requests, proto)) for server in both)
        assert ours == theirs, requests


def test_lines_and_protocol_errors(both):
    for piece in [
            b"\r\n\r\nPING\r\n", b"PING\nPING\n", b'ECHO "a b"\r\n', b"ECHO 'a\\'b'\r\n",
            b'ECHO "\\x41\\n"\r\n', b'ECHO "abc\r\n', b'ECHO "a"b\r\n', b"   \r\nPING\r\n",
            b"ECHO\ta\r\n", b"*a\r\n", b"*-1\r\nPING\r\n", b"*0\r\nPING\r\n", b"*2147483648\r\n",
            b"*1\r\nPING\r\n", b"*1\r\n:4\r\n", b"*1\r\n$a\r\n", b"*1\r\n$-1\r\n",
            b"*2\r\n$4\r\nECHO\r\n$3000000\r\n", b"*1\r\n$2097152\r\n", b"a" * 70000,
            b"*" + b"1" * 70000, b"*1\r\n$" + b"1" * 70000, b"PI\0NG\r\n",
            b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n", b"Host: a\r\nPING\r\n",
            b"PING\r\n*1\r\n$x\r\nPING\r\n", b"pInG\r\n", b"*+1\r\n$4\r\nPING\r\n",
            b"*01\r\n$4\r\nPING\r\n", b"*1\r\n$4\r\nPINGxx*1\r\n$4\r\nPING\r\n", b"QUIT\r\n"]:
        ours, theirs = (transcript(server, [piece]) for server in both)
        assert ours == theirs, piece[:80]


def test_large_values(both):
    requests = [["SET", "big", b"x" * 2097152], "SETRANGE big 2097151 ab", "APPEND big xx",
                "STRLEN big", "DEL big", "SETRANGE big 2097152 a", "SETRANGE big 4194304 a"]
    assert differing(both, requests, 2) == []


def test_password(both):
    for server in both:
        server.command_reply("CONFIG", "SET", "requirepass", "foo")
    try:
        for proto in (2, 3):
            with_hello = ["PING", "GET a", "FOO", "GET", "HELLO", f"HELLO {proto}", "AUTH", "AUTH x",
                          "AUTH default x", "AUTH a foo", "CLIENT ID", "COMMAND", "RESET", "INFO",
                          "SUBSCRIBE a", "HELLO 3 AUTH default bar", "HELLO 5", "HELLO x",
                          "CLIENT FOO", "CONFIG", f"HELLO {proto} AUTH default foo SETNAME x",
                          "CLIENT GETNAME", "RESET", "GET no", "AUTH foo", "GET no"]
            assert differing(both, with_hello, 2) == []
        for piece in [b"*11\r\n", b"*1\r\n$20000\r\n", b"*1\r\n$16384\r\n", b"*10\r\n", b"QUIT\r\n",
                      b"ECHO a b c d e f g h i j k l m n\r\n"]:
            assert transcript(both[0], [piece]) == transcript(both[1], [piece]), piece
    finally:
        for server in both:
            with Link(server) as link:
                assert link.call("AUTH foo") == b"+OK\r\n"
                link.call("CONFIG SET requirepass ''")


REFUSALS = {
    "maxmemory": ["CONFIG SET maxmemory 1", "SET a 1", "GET a", "HSET h a 1", "DEL a", "APPEND a b",
                  "EXPIRE a 10", "PUBLISH a b", "COPY a b", "INCR a", "GETSET a 1", "SETEX a 10 1",
                  "HDEL h a", "PERSIST a", "GETEX a EX 10", "CONFIG SET maxmemory 0"],
    "min-replicas": ["CONFIG SET min-replicas-to-write 1", "SET a 1", "GET a", "DEL a", "FLUSHALL",
                     "PUBLISH a b", "GETEX a EX 10", "CONFIG SET min-replicas-to-write 0"],
    "replica": ["REPLICAOF 127.0.0.1 1", "SET a 1", "GET a", "DEL x", "PUBLISH a b", "WAIT 0 0",
                "CONFIG SET replica-serve-stale-data no", "GET a", "SET a 1", "PING", "INFO foo",
                "CONFIG GET hz", "ECHO a", "PUBLISH a b", "SELECT 0", "CLIENT ID x", "TIME x",
                "COMMAND COUNT x", "LASTSAVE x", "DEBUG SLEEP 0", "KEYS *", "DBSIZE", "FLUSHALL",
                "WAIT 0 0", "CONFIG SET replica-serve-stale-data yes", "REPLICAOF 127.0.0.1 1",
                "REPLICAOF no one", "REPLICAOF no one", "SET a 1", "DEL a"],
}


@pytest.mark.parametrize("name", sorted(REFUSALS))
def test_refusals(both, name):
    assert differing(both, REFUSALS[name], 2) == []


# ---- INFO ----

OWN_FIELDS = {"regent_version", "replication_mode", "replication_durability"}


def sections(text):
    """[(title, [names])] of an INFO reply, without what only Regent tells."""
    found = []
    for part in text.split("# ")[1:]:
        lines = [line for line in part.split("\r\n") if line]
        names = [line.split(":", 1)[0] for line in lines[1:]]
        if lines[0] != "Group":
            found.append((lines[0], [name for name in names if name not in OWN_FIELDS]))
    return found


def test_info_has_every_field_in_order(regent, redis_server):
    texts = []
    for server in (regent(), redis_server()):
        with Link(server) as link:
            for request in ["SET k v", "HSET h a 1", "EXPIRE k 100", "GET no", "FOO", "HSET k a 1",
                            "AUTH x", "CLIENT ID x", "SELECT 3", "SET x 1"]:
                link.call(request)
            texts.append(link.text("INFO everything"))
    ours, theirs = (dict(sections(text)) for text in texts)
    assert list(ours) == list(theirs)
    for title, names in theirs.items():
        if title in ("Commandstats", "Latencystats"):
            assert sorted(ours[title]) == sorted(names)
        else:
            assert ours[title] == names, title
    # What both must count alike.
    counted = ["total_error_replies", "errorstat_ERR", "errorstat_WRONGTYPE", "keyspace_hits",
               "keyspace_misses", "expired_keys", "connected_clients", "blocked_clients",
               "maxclients", "role", "maxmemory_policy", "redis_mode", "os", "arch_bits",
               "mem_clients_slaves", "rdb_changes_since_last_save", "db3"]
    values = [dict(line.split(":", 1) for line in text.split("\r\n") if ":" in line)
              for text in texts]
    for name in counted:
        assert values[0][name] == values[1][name], name
    for name in ("used_memory", "used_memory_rss", "used_memory_peak", "total_system_memory",
                 "total_reads_processed", "total_writes_processed", "mem_clients_normal"):
        assert int(values[0][name]) > 0, name


@pytest.mark.parametrize("words", ["", "server clients", "all", "default", "everything", "SERVER",
                                   "foo server", "foo", "cpu cpu", "commandstats default",
                                   "latencystats", "errorstats", "modules", "keyspace sentinel"])
def test_info_sections(both, words):
    titles = []
    for server in both:
        with Link(server) as link:
            link.call("FOO")
            text = link.text("INFO " + words)
            titles.append([title for title, _ in sections(text)])
            assert text.endswith("\r\n")
    assert titles[0] == titles[1]


def test_counters(both):
    requests = ["CONFIG RESETSTAT", "SET a 1", "GET a", "GET no", "EXISTS a no", "TYPE a", "TTL a",
                "OBJECT ENCODING a", "HGET no a", "MGET a no", "SET a 1 GET", "STRLEN a",
                "GETSET a 2", "TOUCH a", "EXPIRE a 100", "RENAME a b", "COPY b c", "GETDEL c",
                "GETEX b", "SCAN 0", "INCR zz", "APPEND zz 1", "SETNX zz 1", "DEL zz", "FOO",
                "HSET b a 1", "GET", "CLIENT FOO", "SETEX e 0 1", "DEL b", "*1"]
    names = ["keyspace_hits", "keyspace_misses", "total_error_replies", "errorstat_ERR",
             "errorstat_WRONGTYPE", "expired_keys", "total_commands_processed"]
    seen = []
    for server in both:
        with Link(server) as link:
            for request in requests:
                link.call(request)
            lines = dict(line.split(":", 1) for line in link.text("INFO everything").split("\r\n")
                         if ":" in line)
            seen.append([(name, lines[name]) for name in names])
            for command in ("get", "hset", "setex", "object|encoding"):
                # Times are the machine's.
                fields = lines["cmdstat_" + command].split(",")
                seen[-1].append((command, [field for field in fields if "usec" not in field]))
    assert seen[0] == seen[1]


def test_expired_keys_are_counted(both):
    for server in both:
        with Link(server) as link:
            link.call("CONFIG RESETSTAT")
            link.call("SET lazy 1 PX 20")
            link.call("SET active 1 PX 20")
            time.sleep(0.03)
            assert link.call("GET lazy") == b"$-1\r\n"
            eventually(lambda: "expired_keys:2\r\n" in link.text("INFO stats"))


# ---- Clients ----

def client_lines(text):
    return [dict(field.split("=", 1) for field in line.split(" "))
            for line in text.splitlines() if line]


def test_client_list(both):
    seen = []
    for server in both:
        with Link(server) as link, Link(server, 3) as listener, Link(server) as held:
            held.call("PING")
            for request in ("CLIENT SETNAME ears", "CLIENT NO-EVICT on", "SUBSCRIBE a",
                            "SUBSCRIBE b", "PSUBSCRIBE c*"):
                listener.call(request)
            link.call("SELECT 2")
            held.send("WAIT 5 60000")
            eventually(lambda: "blocked_clients:1\r\n" in link.text("INFO clients"))
            lines = client_lines(link.text("CLIENT LIST"))
            mine = client_lines(link.text("CLIENT INFO"))[0]
            number = mine["id"]
            assert [line["id"] for line in client_lines(link.text(
                f"CLIENT LIST ID 99999999 {number} 0 {number}"))] == [number, number]
            assert len(client_lines(link.text("CLIENT LIST TYPE pubsub"))) == 1
            seen.append([[(name, line[name]) for name in line if name not in (
                "id", "addr", "laddr", "fd", "age", "idle", "qbuf", "qbuf-free", "rbs", "rbp",
                "tot-mem", "events", "argv-mem")] for line in lines[-3:]])
            assert mine["argv-mem"] == "10" and int(mine["tot-mem"]) > 0
            seen[-1].append(list(mine))
            assert int(lines[-1]["id"]) > int(lines[0]["id"])
    assert seen[0] == seen[1]


def test_client_kill(both):
    for proto in (2, 3):
        requests = ["CLIENT KILL SKIPME no TYPE normal", "PING"]
        assert (ids_masked(transcript(both[0], requests, proto)) ==
                ids_masked(transcript(both[1], requests, proto)))
    for server in both:
        with Link(server) as killer, Link(server) as one, Link(server) as two:
            number = one.call("CLIENT ID")[1:-2].decode()
            address = client_lines(two.text("CLIENT INFO"))[0]["addr"]
            assert killer.call(f"CLIENT KILL ID {number} ADDR {address}") == b":0\r\n"
            assert killer.call(f"CLIENT KILL ID {number} USER default") == b":1\r\n"
            assert killer.call(f"CLIENT KILL {address}") == b"+OK\r\n"
            assert one.ends() and two.ends()


def test_pause(both):
    for server in both:
        with Link(server) as link, Link(server) as other:
            link.call("CLIENT PAUSE 300 WRITE")
            began = time.monotonic()
            assert other.call("GET no") == b"$-1\r\n"
            assert time.monotonic() - began < 0.25
            assert other.call("SET paused 1") == b"+OK\r\n"
            assert 0.2 < time.monotonic() - began < 2
            link.call("CLIENT PAUSE 60000 WRITE")
            other.send("DEL paused")
            eventually(lambda: "blocked_clients:1\r\n" in link.text("INFO clients"))
            line = client_lines(link.text("CLIENT LIST"))[-1]
            assert (line["flags"], line["cmd"]) == ("b", "del")
            assert link.call("CLIENT UNPAUSE") == b"+OK\r\n"
            assert other.reply() == b":1\r\n"


# ---- Limits ----

def test_max_clients(regent, redis_server):
    for server in (regent(maxclients=10), redis_server(maxclients=10)):
        with Link(server) as first:
            first.call("PING")
            links = [Link(server) for _ in range(9)]
            assert all(link.call("PING") == b"+PONG\r\n" for link in links)
            with Link(server) as refused:
                assert refused.reply() == b"-ERR max number of clients reached\r\n"
                assert refused.ends()
            assert "rejected_connections:1\r\n" in first.text("INFO stats")
            for link in links:
                link.__exit__()


def test_idle_clients_are_closed(both):
    for server in both:
        with Link(server) as idle, Link(server) as listener, Link(server) as link:
            link.call("CONFIG SET timeout 1")
            assert listener.call("SUBSCRIBE a").startswith(b"*3")
            assert idle.ends()
            assert listener.call("PING") == b"*2\r\n$4\r\npong\r\n$0\r\n\r\n"
        server.command_reply("CONFIG", "SET", "timeout", "0")


def test_query_buffer_limit(both):
    for server in both:
        server.command_reply("CONFIG", "SET", "client-query-buffer-limit", "1mb")
        with Link(server) as link:
            try:
                link.send(b"*2\r\n$4\r\nECHO\r\n$2000000\r\n" + b"x" * 1900000)
            except OSError:
                pass
            assert link.ends()
        server.command_reply("CONFIG", "SET", "client-query-buffer-limit", "1gb")


@pytest.mark.parametrize("limit", ["normal 100kb 0 0", "normal 0 100kb 1", "pubsub 100kb 0 0"])
def test_output_limits(both, limit):
    for server in both:
        with Link(server) as link, Link(server, receive_buffer=4096) as slow:
            link.call(["CONFIG", "SET", "client-output-buffer-limit", limit])
            link.call(["SET", "big", b"x" * 1000000])
            number = slow.call("CLIENT ID")[1:-2].decode()
            if limit.startswith("pubsub"):
                slow.call("SUBSCRIBE a")
                for _ in range(60):
                    link.call(["PUBLISH", "a", b"x" * 100000])
            else:
                slow.send(*["GET big"] * 20)
            eventually(lambda: link.text(f"CLIENT LIST ID {number}") in ("", "\r\n"))
            link.call(["CONFIG", "SET", "client-output-buffer-limit",
                       "normal 0 0 0 pubsub 32mb 8mb 60"])
            link.call("DEL big")


# ---- What took long ----

def test_slow_commands_are_noted(both):
    seen = []
    for server in both:
        with Link(server) as link:
            for request in ("SLOWLOG RESET", "LATENCY RESET", "CONFIG RESETSTAT",
                            "CLIENT SETNAME slow", "CONFIG SET latency-monitor-threshold 10",
                            "DEBUG SLEEP 0.03", "CONFIG SET slowlog-log-slower-than 0",
                            ["ECHO", "x" * 300], ["MGET"] + ["k"] * 40,
                            "CONFIG SET slowlog-log-slower-than 10000"):
                link.call(request)
            replies = [link.call(request) for request in
                       ("SLOWLOG GET -1", "SLOWLOG GET 2", "LATENCY LATEST",
                        "LATENCY HISTORY command", "LATENCY RESET command", "SLOWLOG LEN")]
            # Ids, times and ports are not the same.
            seen.append([re.sub(rb":\d+\r\n|127.0.0.1:\d+", b":N\r\n", reply)
                         for reply in replies[:4]] + replies[4:])
            histogram = link.call("LATENCY HISTOGRAM debug echo")
            link.call("DEBUG SLEEP 0.02")
            head = link.text("LATENCY GRAPH command").split("\n")[0]
            seen[-1].append(re.sub(r"\d+", "N", head))
            seen[-1].append(re.findall(rb"calls\r\n:\d+|debug|echo", histogram))
            assert re.search(rb":(33|67|66)[0-9]*\r\n:1\r\n", histogram)
            link.call("CONFIG SET latency-monitor-threshold 0")
    assert seen[0] == seen[1]


def test_memory_stats_names(both):
    names = []
    for server in both:
        with Link(server) as link:
            link.call("SET k v")
            names.append(re.findall(rb"\$\d+\r\n([a-z.-]+[a-z0-9-]*(?:\.[a-z0-9-]+)*)\r\n",
                                    link.call("MEMORY STATS")))
            link.call("DEL k")
    assert names[0] == names[1]


def test_debug_object(both):
    for request in (["SET", "o", "v"], ["SET", "o", "12345678"], ["SET", "o", "x" * 100]):
        seen = []
        for server in both:
            with Link(server) as link:
                link.call(request)
                seen.append(re.sub(rb"at:0x[0-9a-f]+|lru:\d+", b"", link.call("DEBUG OBJECT o")))
        assert seen[0] == seen[1]


# ---- redis-cli ----

@pytest.mark.parametrize("words", ["--bigkeys", "--memkeys", "--stat -i 0.2",
                                   "--latency -i 0.3 --raw"])
def test_redis_cli_modes(both, words):
    with Link(both[0]) as link:
        link.call("SET string value")
        link.call("HSET hash a 1 b 2")
    process = subprocess.Popen(["stdbuf", "-oL", "redis-cli", "-h", HOST, "-p", str(both[0].port), *words.split()],
                               stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        out, _ = process.communicate(timeout=2)
    except subprocess.TimeoutExpired:  # --stat and --latency go on for ever
        process.terminate()
        out, _ = process.communicate()
    text = out.decode()
    assert "ERR" not in text
    if words in ("--bigkeys", "--memkeys"):
        assert '"hash"' in text and "summary" in text
    elif "stat" in words:
        assert re.search(r"^\d+ +[\d.]+[BKMG] +\d+ +\d+ +\d+", text, re.MULTILINE), text
    else:
        assert re.search(r"^\d+ \d+ [\d.]+ \d+", text, re.MULTILINE), text
