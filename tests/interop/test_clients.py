"""Real clients and tools against Regent: redis-py, ioredis, redis-cli, redis-benchmark, and a bare
socket. Each test runs against redis-server too: what passes there is what clients expect."""

import os
import re
import shutil
import socket
import subprocess
import threading
import time

import pytest
import redis

from processes import HOST, eventually

FOLDER = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(params=["regent", "redis"])
def server(request, park):
    return getattr(park, request.param)()


@pytest.fixture
def client(server):
    return server.client(decode_responses=True)


def run(*argv, timeout=60, **options):
    done = subprocess.run(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, timeout=timeout, check=False, **options)
    return done.returncode, done.stdout.decode("utf-8", "replace")


class Bare:
    """A socket and nothing else."""

    def __init__(self, server):
        self.link = server.socket()
        self.file = self.link.makefile("rb")

    def send(self, data):
        self.link.sendall(data)

    def line(self):
        return self.file.readline()

    def lines(self, count):
        return [self.file.readline() for _ in range(count)]

    def exactly(self, expected):
        got = self.file.read(len(expected))
        assert got == expected
        return True

    def closed(self):
        try:
            return self.file.read(1) == b""
        except ConnectionResetError:
            return True


@pytest.fixture
def bare(server):
    return Bare(server)


# ---- redis-py ----

def test_basics(client):
    assert client.ping() and client.echo("x") == "x"
    assert client.set("k", "v") is True and client.get("k") == "v"
    assert client.set("k", "w", nx=True) is None
    assert client.set("k", "w", get=True) == "v"
    assert client.mset({"a": 1, "b": 2}) and client.mget("a", "b", "c") == ["1", "2", None]
    assert client.incrbyfloat("f", 0.1) == 0.1
    assert client.hset("h", mapping={"f": "1", "g": "2"}) == 2
    assert client.hgetall("h") == {"f": "1", "g": "2"}
    assert client.expire("k", 100) and 98 <= client.ttl("k") <= 100
    assert client.rename("a", "z") and client.exists("a", "z") == 1
    assert client.delete("z", "none") == 1
    assert client.type("h") == "hash" and client.dbsize() == 4
    with pytest.raises(redis.ResponseError, match="^WRONGTYPE Operation against a key holding the "
                                                  "wrong kind of value$"):
        client.incr("h")
    seconds, micros = client.time()
    assert abs(seconds - time.time()) < 5 and 0 <= micros < 1_000_000
    assert client.flushall() and client.dbsize() == 0


def test_lock(client):
    """The lock of redis-py rests on SET NX PX and, for its release, on EVALSHA: the first half."""
    lock = client.lock("node_lock", timeout=2)
    assert client.set("node_lock", "token", nx=True, px=2000)
    assert not lock.do_acquire("other")
    assert client.delete("node_lock") == 1
    assert lock.do_acquire("mine") and client.get("node_lock") == "mine"
    assert 0 < client.pttl("node_lock") <= 2000


def test_pipelines(client):
    pipe = client.pipeline(transaction=False)
    for number in range(5000):
        pipe.set(f"k{number}", number)
        pipe.get(f"k{number}")
    replies = pipe.execute()
    assert replies[0::2] == [True] * 5000
    assert replies[1::2] == [str(number) for number in range(5000)]
    pipe.hget("k1", "f")
    pipe.get("k2")
    replies = pipe.execute(raise_on_error=False)
    assert isinstance(replies[0], redis.ResponseError) and replies[1] == "2"


def test_large_values(server):
    client = server.client()
    value = os.urandom(20_000_000)
    assert client.set("large", value) and client.get("large") == value
    assert client.strlen("large") == len(value) and client.getrange("large", -3, -1) == value[-3:]
    pipe = client.pipeline(transaction=False)
    for _ in range(8):
        pipe.get("large")
    assert all(reply == value for reply in pipe.execute())


def test_many_clients(server):
    links = [server.socket() for _ in range(300)]
    for number, link in enumerate(links):
        link.sendall(b"SET many:%d x\r\nINCR count\r\n" % number)
    for link in links:
        assert link.recv(100).startswith(b"+OK\r\n")
    eventually(lambda: server.client().get("count") == b"300")
    assert server.info("clients")["connected_clients"] >= 300
    for link in links:
        link.close()
    eventually(lambda: server.info("clients")["connected_clients"] < 20)


def test_pubsub(client, server):
    listener = client.pubsub()
    listener.subscribe("news")
    listener.psubscribe("n?ws", "[xy]*")
    got = [listener.get_message(timeout=5) for _ in range(3)]
    assert [item["type"] for item in got] == ["subscribe", "psubscribe", "psubscribe"]
    assert [item["data"] for item in got] == [1, 2, 3]
    assert client.pubsub_channels() == ["news"] and client.pubsub_numpat() == 2
    assert client.pubsub_numsub("news", "none") == [("news", 1), ("none", 0)]
    assert client.publish("news", "hello") == 2 and client.publish("none", "x") == 0
    got = [listener.get_message(timeout=5) for _ in range(2)]
    assert got[0] == {"type": "message", "pattern": None, "channel": "news", "data": "hello"}
    assert got[1] == {"type": "pmessage", "pattern": "n?ws", "channel": "news", "data": "hello"}
    listener.ping()
    assert listener.get_message(timeout=5)["type"] == "pong"
    listener.unsubscribe()
    listener.punsubscribe()
    got = [listener.get_message(timeout=5) for _ in range(3)]
    assert {item["type"] for item in got} == {"unsubscribe", "punsubscribe"}
    assert got[-1]["data"] == 0
    listener.close()
    eventually(lambda: client.pubsub_numpat() == 0)
    raw = server.socket()
    raw.sendall(b"SUBSCRIBE c\r\nGET k\r\n")
    text = b""
    while b"-ERR" not in text:
        text += raw.recv(1000)
    assert b"-ERR Can't execute 'get': only (P|S)SUBSCRIBE / (P|S)UNSUBSCRIBE / PING / QUIT / " \
           b"RESET are allowed in this context\r\n" in text


def test_scan_returns_everything(client):
    expected = {f"key:{number}" for number in range(3000)}
    pipe = client.pipeline(transaction=False)
    for key in expected:
        pipe.set(key, "v")
    pipe.hset("a hash", mapping={f"f{number}": number for number in range(2000)})
    pipe.execute()
    assert set(client.scan_iter(match="key:*")) == expected
    assert set(client.scan_iter(match="key:1?", count=7)) == {f"key:1{digit}" for digit in range(10)}
    assert set(client.scan_iter(_type="hash")) == {"a hash"}
    assert dict(client.hscan_iter("a hash", count=50)) == \
        {f"f{number}": str(number) for number in range(2000)}
    # Keys that are there from the first to the last step are returned, whatever else comes and goes.
    seen, cursor, step = set(), 0, 0
    while True:
        cursor, keys = client.scan(cursor, count=50)
        seen.update(keys)
        pipe = client.pipeline(transaction=False)
        for number in range(100):
            pipe.set(f"new:{step}:{number}", 1)
            pipe.delete(f"new:{step - 2}:{number}")
        pipe.execute()
        step += 1
        if cursor == 0:
            break
    assert expected <= seen


def test_client_commands(server):
    client = redis.Redis(HOST, server.port, decode_responses=True, single_connection_client=True,
                         client_name="mine")
    own = client.client_id()
    assert client.client_getname() == "mine" and client.client_setname("other")
    listed = {int(item["id"]): item for item in client.client_list()}
    assert listed[own]["name"] == "other" and listed[own]["cmd"] == "client|list"
    assert client.client_info()["id"] == own
    for field in ("addr", "laddr", "fd", "age", "idle", "flags", "db", "sub", "psub", "multi",
                  "qbuf", "qbuf-free", "obl", "oll", "omem", "tot-mem", "events", "user", "resp"):
        assert field in listed[own]
    victim = redis.Redis(HOST, server.port, single_connection_client=True)
    assert victim.ping()
    assert client.client_kill_filter(_id=victim.client_id()) == 1
    with pytest.raises(redis.ConnectionError):
        victim.connection.send_command("PING")
        victim.connection.read_response()
    assert client.client_no_evict("ON") == "OK"
    with pytest.raises(redis.ResponseError, match="No such client"):
        client.client_kill("127.0.0.1:1")

    other = server.client()
    assert other.client_pause(300)
    started = time.monotonic()
    other.get("k")
    assert 0.2 < time.monotonic() - started < 3
    assert other.client_pause(60_000, all=False)
    assert other.get("k") is None, "a pause of writes lets reads go on"
    assert other.client_unpause()
    assert other.set("k", "v")
    client.close()
    victim.close()
    with Bare(server).link as link:
        link.sendall(b"CLIENT REPLY SKIP\r\nSET a b\r\nCLIENT REPLY OFF\r\nSET a c\r\n"
                     b"CLIENT REPLY ON\r\nGET a\r\n")
        expected = b"+OK\r\n$1\r\nc\r\n"
        got = b""
        while len(got) < len(expected):
            got += link.recv(100)
        assert got == expected


def test_config(server):
    client = server.client(decode_responses=True)
    assert client.config_get("maxclients") == {"maxclients": "10000"}
    assert {"save", "dir", "port", "repl-backlog-size"} <= set(client.config_get("*"))
    assert client.config_set("slowlog-log-slower-than", 0)
    assert client.config_get("slowlog-log-slower-than")["slowlog-log-slower-than"] == "0"
    assert client.execute_command("CONFIG", "SET", "timeout", "100", "repl-timeout", "30") == "OK"
    with pytest.raises(redis.ResponseError, match="Unknown option or number of arguments"):
        client.config_set("no-such", "1")
    with pytest.raises(redis.ResponseError, match="CONFIG SET failed"):
        client.config_set("maxmemory", "lots")
    with pytest.raises(redis.ResponseError, match="can't set immutable config"):
        client.config_set("databases", "3")
    with pytest.raises(redis.ResponseError, match="The server is running without a config file"):
        client.config_rewrite()
    assert client.config_resetstat()


@pytest.mark.parametrize("kind", ["regent", "redis"])
def test_config_rewrite(park, kind):
    server = getattr(park, kind)(config="# kept\nmaxclients 500\n\nreplica-priority 7\n",
                                 save=None)
    client = server.client()
    client.config_set("maxclients", 600)
    client.config_set("hz", 20)
    assert client.config_rewrite()
    with open(os.path.join(server.dir, "server.conf"), encoding="utf-8") as file:
        text = file.read()
    assert text.startswith("# kept\nmaxclients 600\n")
    assert "replica-priority 7" in text and re.search(r"^hz 20$", text, re.M)
    server.restart()
    assert server.client().config_get("maxclients") == {"maxclients": "600"}
    assert server.client().config_get("hz") == {"hz": "20"}


def test_command(client):
    assert client.command_count() > 80
    table = client.command()
    assert len(table) == client.command_count()
    for name, arity, first, last, step in [("get", 2, 1, 1, 1), ("set", -3, 1, 1, 1),
                                           ("mset", -3, 1, -1, 2), ("del", -2, 1, -1, 1),
                                           ("hset", -4, 1, 1, 1), ("ping", -1, 0, 0, 0)]:
        item = table[name]
        assert (item["arity"], item["first_key_pos"], item["last_key_pos"], item["step_count"]) \
            == (arity, first, last, step), name
    assert "write" in table["set"]["flags"] and "readonly" in table["get"]["flags"]
    assert client.execute_command("COMMAND GETKEYS", "MSET", "a", "1", "b", "2") == ["a", "b"]
    docs = client.execute_command("COMMAND DOCS", "get")
    assert docs[0] == "get" and "summary" in docs[1]
    assert "hset" in client.execute_command("COMMAND LIST", "FILTERBY", "PATTERN", "hs*")


def test_object_and_memory(client):
    client.set("i", 12345)
    client.set("s", "short")
    client.set("l", "x" * 100)
    client.hset("h", "f", "v")
    client.hset("big", mapping={f"f{number}": "x" * 100 for number in range(200)})
    assert [client.object("encoding", key) for key in ("i", "s", "l", "h", "big")] == \
        ["int", "embstr", "raw", "listpack", "hashtable"]
    assert client.object("refcount", "s") >= 1 and client.object("idletime", "s") in (0, 1)
    assert client.memory_usage("s") > 10 and client.memory_usage("none") is None
    assert client.memory_usage("big", samples=0) > 20_000
    assert client.execute_command("MEMORY", "DOCTOR")


def test_slowlog_and_latency(client):
    client.config_set("slowlog-log-slower-than", 0)
    client.config_set("latency-monitor-threshold", 5)
    client.set("k", "v")
    client.execute_command("DEBUG", "SLEEP", "0.02")
    entries = client.slowlog_get(10)
    commands = [entry["command"] for entry in entries]
    assert b"SET k v" in [item if isinstance(item, bytes) else item.encode() for item in commands]
    slept = [entry for entry in entries if b"SLEEP" in str(entry["command"]).upper().encode()]
    assert slept and slept[0]["duration"] >= 19_000
    assert client.slowlog_len() >= 3 and client.slowlog_reset()
    latest = client.execute_command("LATENCY", "LATEST")
    assert any(row[0] == "command" and row[2] >= 19 for row in latest)
    assert client.execute_command("LATENCY", "HISTORY", "command")
    assert client.execute_command("LATENCY", "RESET") >= 1
    assert client.execute_command("LATENCY", "HISTOGRAM", "set")


def test_debug_sleep_blocks(server):
    client = server.client()
    started = time.monotonic()
    thread = threading.Thread(target=lambda: server.command_reply("DEBUG", "SLEEP", "0.4"))
    thread.start()
    time.sleep(0.1)
    client.ping()
    assert 0.25 < time.monotonic() - started < 3
    thread.join()


def test_info(server):
    fields = server.info_text()
    for name in ("redis_version", "run_id", "tcp_port", "uptime_in_seconds", "connected_clients",
                 "used_memory", "used_memory_human", "total_commands_processed", "keyspace_hits",
                 "expired_keys", "role", "used_cpu_sys", "loading", "rdb_last_save_time",
                 "aof_enabled", "cluster_enabled", "maxmemory", "instantaneous_ops_per_sec"):
        assert name in fields, name
    assert fields["tcp_port"] == str(server.port) and len(fields["run_id"]) == 40
    client = server.client()
    client.set("k", "v")
    client.set("e", "v", ex=1000)
    client.get("k")
    client.get("none")
    assert server.info("keyspace")["db0"]["keys"] == 2
    assert server.info("keyspace")["db0"]["expires"] == 1
    stats = server.info("stats")
    assert (stats["keyspace_hits"], stats["keyspace_misses"]) == (1, 1)
    assert server.info("commandstats")["cmdstat_set"]["calls"] == 2


# What Regent has no honest number for.
INFO_LACKS = {"atomicvar_api", "instantaneous_input_repl_kbps", "instantaneous_output_repl_kbps",
              "reply_buffer_expands", "reply_buffer_shrinks", "total_reads_processed",
              "total_writes_processed"}


def test_sections_of_info(park):
    """INFO's sections and their fields are those of redis-server: monitoring looks for them."""
    ours, theirs = park.regent(), park.redis()
    for section in ("server", "clients", "memory", "persistence", "stats", "replication", "cpu",
                    "cluster", "keyspace"):
        missing = set(theirs.info_text(section)) - set(ours.info_text(section)) - INFO_LACKS
        assert not missing, section
    fields = ours.info("memory")
    assert fields["used_memory_rss"] > 100_000 and fields["used_memory_rss_human"][-1] in "KM"
    assert fields["maxmemory_policy"] == "noeviction"


# ---- Bare sockets ----

def test_inline_commands(bare):
    bare.send(b"PING\r\n")
    bare.exactly(b"+PONG\r\n")
    bare.send(b"\r\n   set  'a b'  \"c\\x41\\n\"  \r\nget 'a b'\n")
    bare.exactly(b"+OK\r\n$3\r\ncA\n\r\n")
    bare.send(b"get 'unbalanced\r\n")
    bare.exactly(b"-ERR Protocol error: unbalanced quotes in request\r\n")
    assert bare.closed()


@pytest.mark.parametrize("data,reply", [
    (b"*1\r\n:1\r\n", b"-ERR Protocol error: expected '$', got ':'\r\n"),
    (b"*x\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*1\r\n$-1\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$629145600\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"x" * 70000, b"-ERR Protocol error: too big inline request\r\n"),
], ids=range(5))
def test_protocol_errors(server, data, reply):
    bare = Bare(server)
    bare.send(data)
    assert bare.line() == reply
    assert bare.closed()
    assert server.client().ping()


def test_requests_in_pieces(bare):
    request = b"*3\r\n$3\r\nSET\r\n$1\r\nk\r\n$5\r\nvalue\r\n*2\r\n$3\r\nGET\r\n$1\r\nk\r\n"
    for index in range(len(request)):
        bare.send(request[index:index + 1])
    bare.exactly(b"+OK\r\n$5\r\nvalue\r\n")
    bare.send(b"*0\r\n*-1\r\nPING\r\n")
    bare.exactly(b"+PONG\r\n")
    bare.send(b"QUIT\r\n")
    bare.exactly(b"+OK\r\n")
    assert bare.closed()


def test_hello(bare):
    bare.send(b"HSET h f 1\r\n")
    bare.exactly(b":1\r\n")
    bare.send(b"HELLO 3 SETNAME resp3\r\n")
    assert bare.line() == b"%7\r\n"
    text = b"".join(bare.lines(25))
    for part in (b"server", b"version", b"proto", b":3", b"id", b"mode", b"standalone", b"role",
                 b"master", b"modules", b"*0"):
        assert part in text, text
    bare.send(b"HGETALL h\r\nGET none\r\nCLIENT GETNAME\r\n")
    bare.exactly(b"%1\r\n$1\r\nf\r\n$1\r\n1\r\n_\r\n$5\r\nresp3\r\n")
    bare.send(b"SUBSCRIBE c\r\nPUBLISH c hi\r\nGET none\r\n")
    bare.exactly(b">3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n")
    rest = b">3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$2\r\nhi\r\n"
    got = bare.file.read(len(rest) + len(b":1\r\n_\r\n"))
    assert rest in got and got.replace(rest, b"") == b":1\r\n_\r\n"
    bare.send(b"HELLO 4\r\n")
    bare.exactly(b"-NOPROTO unsupported protocol version\r\n")
    bare.send(b"RESET\r\n")
    bare.exactly(b"+RESET\r\n")
    bare.send(b"GET none\r\n")
    bare.exactly(b"$-1\r\n")


def test_unknown_commands(bare):
    bare.send(b"NOSUCH a b\r\nGET\r\nCLIENT NOSUCH\r\nset k v EX\r\n")
    assert bare.lines(4) == [
        b"-ERR unknown command 'NOSUCH', with args beginning with: 'a' 'b' \r\n",
        b"-ERR wrong number of arguments for 'get' command\r\n",
        b"-ERR unknown subcommand 'NOSUCH'. Try CLIENT HELP.\r\n",
        b"-ERR syntax error\r\n"]


# ---- Host ----

@pytest.mark.parametrize("kind", ["regent", "redis"])
def test_unix_socket(park, kind, tmp_path):
    path = str(tmp_path / "s.sock")
    server = getattr(park, kind)(unixsocket=path, unixsocketperm="700")
    assert os.stat(path).st_mode & 0o777 == 0o700
    client = redis.Redis(unix_socket_path=path)
    assert client.set("k", "v") and server.client().get("k") == b"v"
    assert f"addr={path}:0" in redis.Redis(unix_socket_path=path).execute_command(
        "CLIENT", "INFO").decode()
    client.close()


@pytest.mark.parametrize("kind", ["regent", "redis"])
def test_password(park, kind):
    server = getattr(park, kind)(requirepass="pa ss")
    with pytest.raises(redis.AuthenticationError):
        server.client(password=None).get("k")
    with pytest.raises(redis.ResponseError, match="WRONGPASS|invalid username-password"):
        server.client(password="wrong").get("k")
    assert server.client().set("k", "v")
    assert server.client(username="default").get("k") == b"v"
    bare = Bare(server)
    bare.send(b"GET k\r\nAUTH wrong\r\nHELLO 3\r\nAUTH 'pa ss'\r\nGET k\r\n")
    assert bare.lines(3)[:2] == [
        b"-NOAUTH Authentication required.\r\n",
        b"-WRONGPASS invalid username-password pair or user is disabled.\r\n"]
    assert bare.lines(3) == [b"+OK\r\n", b"$1\r\n", b"v\r\n"]


@pytest.mark.parametrize("kind", ["regent", "redis"])
def test_maxclients(park, kind):
    server = getattr(park, kind)(maxclients=5)
    time.sleep(0.2)  # the connection that asked whether it is ready is gone
    links = [server.socket() for _ in range(5)]
    for link in links:
        link.sendall(b"PING\r\n")
        assert link.recv(10) == b"+PONG\r\n"
    extra = server.socket()
    assert extra.recv(100) == b"-ERR max number of clients reached\r\n"
    links[0].close()
    eventually(lambda: server.client().ping())


@pytest.mark.parametrize("kind", ["regent", "redis"])
def test_shutdown(park, kind):
    server = getattr(park, kind)()
    with pytest.raises(redis.ConnectionError):
        server.client().execute_command("SHUTDOWN", "NOSAVE")
    assert server.wait() == 0
    server.start()
    assert server.client().dbsize() == 0
    assert server.stop() == 0
    assert "bye bye" in server.log()
    with pytest.raises(OSError):
        socket.create_connection((HOST, server.port), 1)


@pytest.mark.parametrize("kind", ["regent", "redis"])
def test_start_up_lines(park, kind):
    text = getattr(park, kind)().log()
    for line in ("Server initialized", "Ready to accept connections"):
        assert line in text
    assert re.search(r"^\d+:M \d\d \w{3} \d{4} \d\d:\d\d:\d\d\.\d{3} \* Ready to accept", text, re.M)


# ---- Tools ----

def test_redis_cli(server):
    def cli(*argv):
        return run("redis-cli", "-p", str(server.port), *argv)
    assert cli("SET", "k", "v") == (0, "OK\n")
    assert cli("GET", "k") == (0, "v\n")
    assert cli("-3", "HSET", "h", "f", "1") == (0, "1\n")
    assert cli("--no-raw", "-3", "HGETALL", "h") == (0, '1# "f" => "1"\n')
    assert cli("-n", "3", "INCR", "n") == (0, "1\n")
    assert cli("--scan")[1].split() and set(cli("--scan")[1].split()) == {"k", "h"}
    assert cli("--raw", "INFO", "server")[1].startswith("# Server")
    assert cli("-r", "3", "INCR", "n") == (0, "1\n2\n3\n")
    status, text = cli("NOSUCH")
    assert "ERR unknown command" in text
    assert cli("--bigkeys")[0] == 0 and cli("--memkeys")[0] == 0
    status, text = run("sh", "-c", f"printf 'SET a 1\\r\\nSET b 2\\r\\n' | "
                                   f"redis-cli -p {server.port} --pipe")
    assert status == 0 and "errors: 0, replies: 2" in text


def test_redis_cli_takes_an_rdb(server, tmp_path):
    server.client().set("k", "v")
    path = str(tmp_path / "copy.rdb")
    status, text = run("redis-cli", "-p", str(server.port), "--rdb", path)
    assert status == 0, text
    with open(path, "rb") as file:
        assert file.read(5) == b"REDIS"


def test_redis_benchmark(server):
    status, text = run("redis-benchmark", "-q", "-n", "2000", "-t", "set,get,incr,hset,mset", "-p",
                       str(server.port))
    assert status == 0 and len(re.findall(r"requests per second", text)) == 5, text
    assert "ERROR" not in text and "WARNING" not in text, text
    status, text = run("redis-benchmark", "-q", "-n", "20000", "-P", "16", "-c", "20", "-t",
                       "set,get", "-p", str(server.port))
    assert status == 0 and len(re.findall(r"requests per second", text)) == 2, text


@pytest.fixture(scope="session")
def ioredis():
    """ioredis, in the version that package-lock.json names."""
    if not os.path.isdir(os.path.join(FOLDER, "node_modules", "ioredis")):
        assert shutil.which("npm"), "npm is missing: scripts/install-packages.sh test"
        status, text = run("npm", "ci", "--no-audit", "--no-fund", "--loglevel=error", cwd=FOLDER,
                           timeout=300)
        assert status == 0, text


def test_ioredis(server, ioredis):
    status, text = run("node", os.path.join(FOLDER, "clients_ioredis.js"), str(server.port))
    assert status == 0 and text.endswith("ok\n"), text
