"""What must not hurt: nonsense on the port, wrong primaries, wrong files, full disks, wrong
configurations. Each is named clearly, nothing crashes, nothing is lost, and the server goes on."""

import contextlib
import os
import random
import re
import socket
import subprocess
import time

import pytest
import redis

from fake_primary import REPLID, FakePrimary, full_resync, rdb, rdb_body
from group import Group, Writer
from processes import HOST, directives, eventually, free_port, redis_command, regent_command


@pytest.fixture
def server(regent):
    """A server with a key, which must be there and answer at the end of the test."""
    running = regent()
    running.client().set("kept", "value")
    yield running
    assert running.running(), running.log(40)
    assert running.client().get("kept") == b"value"


def ask(server, data, timeout=5.0, silence=0.3):
    """Sends data. What came until the server closed or fell silent, and whether it closed."""
    got = b""
    with server.socket(timeout) as link:
        with contextlib.suppress(OSError):
            link.sendall(data)
        link.settimeout(silence)
        try:
            while True:
                piece = link.recv(65536)
                if not piece:
                    return got, True
                got += piece
        except TimeoutError:
            return got, False
        except ConnectionError:  # closed, with bytes of ours unread
            return got, True


def rss_mb(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
        return int(re.search(r"VmRSS:\s*(\d+) kB", file.read()).group(1)) / 1024


# ---- The port ----

def test_garbage(server, seed):
    rand = random.Random(seed)
    for size in [1, 7, 100, 4096, 70000]:
        for head in [b"", b"*", b"*3\r\n$3\r\nSET\r\n", b"$"]:
            ask(server, head + rand.randbytes(size), silence=0.05)
    assert server.client().ping()


PROTOCOL_ERRORS = [
    (b"*1\r\n$629145600\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$-5\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*1\r\n$99999999999999999999999\r\n", b"-ERR Protocol error: invalid bulk length\r\n"),
    (b"*2147483648\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*99999999999999999999999\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*x\r\n", b"-ERR Protocol error: invalid multibulk length\r\n"),
    (b"*1\r\n*1\r\n$4\r\nPING\r\n", b"-ERR Protocol error: expected '$', got '*'\r\n"),
    (b"*1\r\n" * 10000, b"-ERR Protocol error: expected '$', got '*'\r\n"),
    (b"GET \"half\r\n", b"-ERR Protocol error: unbalanced quotes in request\r\n"),
    (b"x" * 70000, b"-ERR Protocol error: too big inline request\r\n"),
    (b"*" + b"1" * 70000, b"-ERR Protocol error: too big mbulk count string\r\n"),
    (b"*1\r\n$" + b"1" * 70000, b"-ERR Protocol error: too big bulk count string\r\n"),
]


@pytest.mark.parametrize("sent, error", PROTOCOL_ERRORS,
                         ids=[item[0][:16].decode("latin-1").strip() for item in PROTOCOL_ERRORS])
def test_protocol_errors(server, redis_server, sent, error):
    """The words of redis-server, and then the end of the connection."""
    assert ask(server, sent) == (error, True)
    assert ask(redis_server(), sent) == (error, True)


def test_before_the_password(regent):
    server = regent(requirepass="secret")
    assert ask(server, b"*11\r\n") == (b"-ERR Protocol error: unauthenticated multibulk length\r\n",
                                       True)
    assert ask(server, b"*1\r\n$16385\r\n") == \
        (b"-ERR Protocol error: unauthenticated bulk length\r\n", True)
    assert ask(server, b"GET k\r\n") == (b"-NOAUTH Authentication required.\r\n", False)


def test_announced_is_not_taken(server):
    """What a client says it will send costs nothing before it comes."""
    before = rss_mb(server)
    links = []
    for _ in range(20):
        link = server.socket()
        link.sendall(b"*1000000\r\n$3\r\nSET\r\n$1\r\nk\r\n$500000000\r\n" + b"x" * 1000)
        links.append(link)
    time.sleep(0.3)
    assert server.client().ping()
    assert rss_mb(server) - before < 200
    for link in links:
        link.close()


def test_half_a_command(server):
    whole = b"*3\r\n$3\r\nSET\r\n$4\r\nhalf\r\n$5\r\nvalue\r\n"
    client = server.client()
    before = client.info("clients")["connected_clients"]
    for end in range(1, len(whole)):
        with server.socket() as link:
            link.sendall(whole[:end])
    assert client.exists("half") == 0
    eventually(lambda: client.info("clients")["connected_clients"] == before)


def test_replies_that_nobody_reads(server):
    """A client that asks and never reads is cut off at its limit, not the server's memory."""
    client = server.client()
    client.set("big", "x" * 100000)
    client.config_set("client-output-buffer-limit", "normal 1000000 0 0")
    before = client.info("clients")["connected_clients"]
    with server.socket() as link:
        link.setblocking(False)
        with contextlib.suppress(OSError):
            for _ in range(2000):
                link.send(b"GET big\r\n" * 10)
        link.settimeout(5.0)
        with contextlib.suppress(OSError):
            while link.recv(1 << 20):
                pass
    eventually(lambda: client.info("clients")["connected_clients"] == before)
    assert "overcoming of output buffer limits" in server.log()
    assert rss_mb(server) < 300


# ---- Whoever says it is a replica ----

def test_wrong_offset(server):
    """An offset that this log does not have, and ids that it never had, cost a full resync."""
    replid = server.info_text("replication")["master_replid"]
    for asked in [f"PSYNC {replid} 999999999999", f"PSYNC {replid} -7",
                  f"PSYNC {'f' * 40} 1", f"PSYNC {replid} 9223372036854775807",
                  "PSYNC short 1", f"PSYNC {'x' * 5000} 1"]:
        got, _ = ask(server, asked.encode() + b"\r\n")
        assert got.startswith(b"+FULLRESYNC "), (asked, got[:80])
    got, _ = ask(server, f"PSYNC {replid} many\r\n".encode())
    assert got.startswith(b"-ERR value is not an integer"), got
    got, _ = ask(server, b"PSYNC\r\n")
    assert got.startswith(b"-ERR wrong number of arguments"), got


def test_acknowledges_what_it_cannot_have(regent):
    """A replica that claims the future has acknowledged nothing of it."""
    server = regent(replication_mode="semi-sync", replication_timeout=500)
    with server.socket() as link:
        link.sendall(b"PSYNC ? -1\r\n")
        eventually(lambda: link.recv(65536))
        link.sendall(b"REPLCONF ACK 999999999999\r\n" * 3)
        time.sleep(0.2)
        with pytest.raises(redis.ResponseError, match="outcome is unknown"):
            server.client().set("k", "v")
    assert server.running()


# ---- A primary that is none ----

GOOD = {"kept": "value", "more": "x" * 300}


def good_again():
    return full_resync(rdb({"kept": "new"}), offset=77)


def broken_rdbs():
    whole = rdb({"kept": "wrong", "other": "y" * 2000})
    body = rdb_body({"kept": "wrong"})
    return {
        "checksum": (full_resync(whole[:-1] + bytes([whole[-1] ^ 1])), "Wrong RDB checksum"),
        "value": (full_resync(whole.replace(b"yyyy", b"yyzy", 1)), "Wrong RDB checksum"),
        "truncated": ([full_resync(whole[:1000], announced=len(whole)), None],
                      "Connection with master lost"),
        "short": (full_resync(whole[:1000]), "ends before its end mark"),
        "type": (full_resync(body + b"\x63" + b"\x01k\x01v\xff" + b"\0" * 8),
                 "Unknown type or opcode 99"),
        "magic": (full_resync(b"NOTREDIS!" + b"\0" * 64), "Wrong signature"),
        "version": (full_resync(rdb({"kept": "wrong"}, version=999)),
                    "Can't handle RDB format version 999"),
        "length": (b"+FULLRESYNC %s 0\r\n$oops\r\n" % REPLID.encode(),
                   "the RDB's length was expected"),
        "no-length": (b"+FULLRESYNC %s 0\r\nREDIS0009" % REPLID.encode() + b"x" * 2000,
                      "longer than any that replication knows"),
        "string": (full_resync(body + b"\x00\x01k\x80\x7f\xff\xff\xff\xff"), None),
        "answer": (b"+WHATEVER 1 2 3\r\n", "Unexpected reply to PSYNC from master: +WHATEVER"),
        "id": (b"+FULLRESYNC short 0\r\n$0\r\n", "Unexpected reply to PSYNC from master"),
        "error": (b"-ERR not today\r\n", "not today"),
    }


@pytest.mark.parametrize("name", broken_rdbs())
def test_wrong_rdb(regent, name):
    """What the replica had stays, and the next good one is taken."""
    answer, text = broken_rdbs()[name]
    with FakePrimary([full_resync(rdb(GOOD), offset=5), answer, good_again()]) as primary:
        replica = regent(replicaof=[HOST, str(primary.port)])
        client = replica.client()
        eventually(lambda: client.get("kept") == b"value")
        before = replica.log()
        primary.drop()
        if text is not None:
            eventually(lambda: text in replica.log()[len(before):],
                       message=lambda: replica.log(10))
            assert client.get("kept") == b"value"
        else:
            primary.drop()
        eventually(lambda: client.get("kept") == b"new", 15.0, message=lambda: replica.log(20))
        assert primary.asked[0] == "? -1"
        assert primary.asked[1] == f"{REPLID} 6"
        assert replica.running()
        assert not [file for file in os.listdir(replica.dir) if file.startswith("temp-")]


def test_wrong_stream(regent):
    """A stream that breaks the protocol is left, and all asked for anew."""
    with FakePrimary([[full_resync(rdb(GOOD)), b"*1\r\n$4\r\nPING\r\n*2\r\n:oops\r\n"],
                      good_again()]) as primary:
        replica = regent(replicaof=[HOST, str(primary.port)])
        eventually(lambda: replica.client().get("kept") == b"new", 15.0)
        assert "is broken at offset" in replica.log()
        assert primary.asked[1] == "? -1"


def test_half_open_handshake(regent):
    """A port that accepts and says nothing does not hold the replica for ever."""
    with socket.create_server((HOST, 0)) as silent:
        replica = regent(replicaof=[HOST, str(silent.getsockname()[1])], repl_timeout=2)
        eventually(lambda: "timeout: no data nor PING from the primary" in replica.log(), 10.0)
        assert replica.client().ping()


# ---- Full disks ----

def test_disk_full_for_the_rdb(redis_server, regent, small_disk):
    primary = redis_server()
    primary.client().set("kept", "value")
    # After the server is gone nothing may hold the file system: its folder is the log's.
    replica = regent(dir=small_disk.path, replicaof=[HOST, str(primary.port)])
    client = replica.client()
    eventually(lambda: client.get("kept") == b"value")
    small_disk.fill()
    for i in range(40):
        primary.client().set(f"big:{i}", random.randbytes(100000))
    client.replicaof("NO", "ONE")
    client.set("mine", "1")  # this log goes another way: a full resync
    client.replicaof(HOST, primary.port)
    eventually(lambda: "No space left on device" in replica.log())
    assert client.get("kept") == b"value" and client.get("mine") == b"1"
    assert not linked(replica)
    small_disk.free()
    subprocess.run(["mount", "-o", "remount,size=32m", small_disk.path], check=True)
    eventually(lambda: linked(replica) and client.exists("big:39"), 15.0)
    assert client.exists("mine") == 0
    eventually(lambda: sorted(os.listdir(small_disk.path)) == ["dump.rdb"],
               message=lambda: os.listdir(small_disk.path))


def linked(server):
    return server.info_text("replication")["master_link_status"] == "up"


class DiskGroup(Group):
    """A group whose node 2 has its files on a disk of the test's choice."""

    def __init__(self, folder, disk, **options):
        super().__init__(folder, **options)
        self.disk = disk

    def build(self):
        super().build()
        self.nodes[2].options["dir"] = self.disk.path


def test_disk_full_for_the_state(tmp_path, small_disk):
    """A vote that cannot be written is not given: with it the election waits, nothing is lost, and
    it goes on when there is room."""
    with DiskGroup(tmp_path, small_disk) as group:
        poor = group.nodes[2]
        if group.wait_whole() is poor:
            poor.command_reply("GROUP", "FAILOVER")
        primary = group.wait_whole()
        with Writer(group) as writer:
            writer.wait_acks(50)
        group.wait_whole()
        small_disk.fill()
        primary.kill()
        eventually(lambda: "Cannot write regent.state: No space left on device" in poor.log())
        time.sleep(1.0)
        assert group.primaries() == []
        small_disk.free()
        new = group.wait_primary()
        group.check_node(new, writer.acked)
        primary.start()
        group.check_all(writer.acked)


# ---- Wrong files at the start ----

def start_fails(server, *texts):
    """It ends with status 1 and says why."""
    server.start(wait=False)
    assert server.wait(10) == 1, server.log(20)
    for text in texts:
        assert text in server.log(20), (text, server.log(20))


@pytest.mark.parametrize("name", ["checksum", "truncated", "garbage", "empty"])
def test_corrupt_dump(regent, name):
    server = regent(start=False)
    whole = rdb({"kept": "value", "other": "y" * 2000})
    data = {"checksum": whole[:-1] + bytes([whole[-1] ^ 1]), "truncated": whole[:1000],
            "garbage": b"no such file" * 100, "empty": b""}[name]
    text = {"checksum": "Wrong RDB checksum", "truncated": "Unexpected EOF reading RDB file at offset 1000",
            "garbage": "Wrong signature", "empty": "Unexpected EOF"}[name]
    path = os.path.join(server.dir, "dump.rdb")
    with open(path, "wb") as file:
        file.write(data)
    start_fails(server, "Fatal error loading the DB: dump.rdb", text)
    with open(path, "rb") as file:
        assert file.read() == data  # it is left for whoever can mend it
    with open(path, "wb") as file:
        file.write(whole)
    server.start()
    assert server.client().get("kept") == b"value"


def test_corrupt_state(tmp_path):
    with Group(tmp_path) as group:
        primary = group.wait_whole()
        primary.client().set("kept", "value")
        node = group.others(primary)[0]
        node.kill()
        path = os.path.join(node.dir, "regent.state")
        with open(path, "rb") as file:
            whole = file.read()
        for data in [b"", b"\0" * 100, whole[:-3], whole.replace(b"term", b"tern"),
                     random.randbytes(300), whole + b"more\n"]:
            with open(path, "wb") as file:
                file.write(data)
            start_fails(node, "regent.state")
            with open(path, "rb") as file:
                assert file.read() == data
        # Its disk is lost: it rejoins as one that forgot everything.
        os.unlink(path)
        node.start()
        group.wait_rejoined(node)
        group.check_all({"kept": "value"})


def test_not_a_file(regent):
    server = regent(start=False)
    os.mkdir(os.path.join(server.dir, "dump.rdb"))
    start_fails(server, "dump.rdb", "Is a directory")


# ---- Wrong configurations ----

def run_with(command, text, *words, folder):
    path = os.path.join(folder, "bad.conf")
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    done = subprocess.run([*command, path, *words], cwd=folder, capture_output=True, text=True,
                          timeout=10, check=False)
    return done.returncode, done.stdout + done.stderr


BAD_CONFIGS = [
    ("port 7191\nnosuch 1\n", 2, "nosuch 1", "Bad directive or wrong number of arguments"),
    ("\n\nport 70000\n", 3, "port 70000", "argument must be between 0 and 65535 inclusive"),
    ("maxmemory lots\n", 1, "maxmemory lots", "argument must be a memory value"),
    ("appendfsync never\n", 1, "appendfsync never", "argument(s) must be one of the following"),
    ("timeout\n", 1, "timeout", "wrong number of arguments"),
    ("bind 127.0.0.1\nrequirepass \"half\n", 2, 'requirepass "half', "Unbalanced quotes"),
]


@pytest.mark.parametrize("text, line, shown, why", BAD_CONFIGS,
                         ids=[item[2].split()[0] for item in BAD_CONFIGS])
def test_bad_configuration(tmp_path, text, line, shown, why):
    """Status 1, the line and what is wrong with it, in both servers."""
    for command in [regent_command(), redis_command()]:
        status, said = run_with(command, text, folder=str(tmp_path))
        assert status == 1, said
        assert f"at line {line}" in said and f">>> '{shown}'" in said and why in said, said


@pytest.mark.parametrize("words, text", [
    (["--replication-mode", "most"], "one of the following"),
    (["--group-name", "g"], "group-members"),
    (["--group-members", "127.0.0.1:1"], "group-name"),
    (["--group-name", "g", "--group-members", "nonsense"], "'nonsense' is not host:port"),
    (["--group-name", "g", "--group-members", "127.0.0.1:{port}", "127.0.0.1:{port}"],
     "is named twice"),
    (["--group-name", "g", "--group-members", "127.0.0.1:1", "127.0.0.1:2"],
     "group-members does not name this node"),
    (["--group-name", "g", "--group-members", "127.0.0.1:{port}", "localhost:{port}"], "twice"),
    (["--group-name", "g", "--group-members", "127.0.0.1:{port}", "--replicaof", "a", "1"],
     "replicaof"),
    (["--group-name", "g", "--group-members", "127.0.0.1:{port}", "--replica-announce-ip",
      "10.9.9.9"], "does not hold this node's own address 10.9.9.9"),
    (["--group-name", "g", "--group-members", "127.0.0.1:{port}", "--group-lease", "5000"],
     "group-lease"),
], ids=lambda value: value if isinstance(value, str) else " ".join(value)[:40])
def test_bad_group(tmp_path, words, text):
    port = str(free_port())
    words = [word.replace("{port}", port) for word in words]
    status, said = run_with(regent_command(), f"port {port}\n", *words, folder=str(tmp_path))
    assert status == 1 and text in said, said


def test_missing_configuration(tmp_path):
    done = subprocess.run([*regent_command(), str(tmp_path / "none.conf")], capture_output=True,
                          text=True, timeout=10, check=False)
    assert done.returncode == 1
    assert "can't open config file" in done.stdout + done.stderr


def test_port_in_use(server, regent):
    second = regent(port=server.port, start=False)
    start_fails(second, f"Could not create server TCP listening socket {HOST}:{server.port}",
                "Address already in use", f"Failed listening on port {server.port}")


def test_dir_is_shared(tmp_path):
    """Two members that shared a state file could vote twice."""
    with Group(tmp_path) as group:
        group.wait_whole()
        words = dict(group.nodes[0].options, dir=group.nodes[0].dir, port=free_port(), bind=HOST)
        words["group_members"] = [f"{HOST}:{words['port']}"]
        done = subprocess.run([*regent_command(), *directives(words)], capture_output=True,
                              text=True, timeout=10, check=False)
        assert done.returncode == 1
        assert "Another server of a group runs in the directory" in done.stdout


# ---- Groups that do not fit together ----

def test_unreachable_name(tmp_path):
    """Two members do their work while the third's name leads nowhere."""
    with Group(tmp_path) as group:
        group.wait_whole()
    # A group of two that live and one whose name has no address.
    with Unreachable(tmp_path / "two", wait=False) as group:
        alive = group.nodes[:2]
        # A first election needs all members, so nobody may be primary yet …
        time.sleep(2.0)
        assert group.primaries() == []
        for node in alive:
            assert node.client().ping()
            with pytest.raises(redis.RedisError):
                node.command_reply("SET", "k", "v")
        text = "Member nowhere.invalid:6379 cannot be reached: its name has no address"
        eventually(lambda: all(node.log().count(text) == 1 for node in alive), timeout=20.0)


class Unreachable(Group):
    def build(self):
        super().build()
        del self.nodes[2]
        for node in self.nodes:
            node.options["group_members"] = [*node.options["group_members"][:2],
                                             "nowhere.invalid:6379"]


def test_members_that_disagree(tmp_path):
    """Each says of the other that its list is another one."""
    class Disagreeing(Group):
        def build(self):
            super().build()
            members = list(self.nodes[0].options["group_members"])
            self.nodes[0].options["group_members"] = [members[0], members[1], f"{HOST}:1"]
    with Disagreeing(tmp_path, wait=False) as group:
        eventually(lambda: "group-members or group-lease differs between the two nodes" in group.nodes[0].log() and
                   "group-members or group-lease differs between the two nodes" in group.nodes[1].log())
        for node in group.nodes:
            assert node.running()


def test_other_group(tmp_path):
    class Mixed(Group):
        def build(self):
            super().build()
            self.nodes[0].options["group_name"] = "invoices"
    with Mixed(tmp_path, wait=False) as group:
        eventually(lambda: "this node is in group 'orders'" in group.nodes[0].log() and
                   "this node is in group 'invoices'" in group.nodes[1].log())
        assert group.primaries() == []


def test_member_is_another_program(tmp_path, redis_server):
    """The port of a member is held by something else."""
    stranger = redis_server()

    class Stranger(Group):
        def build(self):
            super().build()
            del self.nodes[2]
            for node in self.nodes:
                node.options["group_members"] = [*node.options["group_members"][:2],
                                                 stranger.name_port]
    stranger.name_port = f"{HOST}:{stranger.port}"
    with Stranger(tmp_path, wait=False) as group:
        eventually(lambda: all(f"Member {stranger.name_port} refuses this node" in node.log()
                               for node in group.nodes))
        assert group.primaries() == []
        assert stranger.client().ping()
