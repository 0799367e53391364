"""Bad input: a clear error each, no crash, nothing lost.

What clients send is compared with a real redis-server's answer; what a primary, a disk or a
configuration does wrong must be named in the log, and leave the server and its data as they were."""

import os
import random
import socket
import struct
import subprocess
import threading
import time

import pytest
import redis

from processes import Server, eventually, free_port, regent_command

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a small tmpfs")


def exchange(server, data, wait=2.0, half_close=False):
    """Everything that comes back until the server closes, or says nothing more."""
    with server.socket(wait) as link:
        try:
            link.sendall(data)
            if half_close:
                link.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        link.settimeout(0.5)
        received = b""
        closed = False
        try:
            while True:
                piece = link.recv(65536)
                if not piece:
                    closed = True
                    break
                received += piece
        except socket.timeout:
            pass
        except ConnectionResetError:
            closed = True
        return received, closed


def check_serves(server):
    client = server.client()
    assert client.set("still", "here")
    assert client.get("still") == b"here"
    assert client.get("before") in (None, b"kept")


BROKEN = [
    b"*1\r\n$600000000\r\n",
    b"*1\r\n$-5\r\n",
    b"*1\r\n$x\r\n",
    b"*1\r\n$99999999999999999999\r\n",
    b"*x\r\n",
    b"*2147483648\r\n",
    b"*-99999999999\r\n",
    b"*1\r\nX4\r\nPING\r\n",
    b"*2\r\n$4\r\nECHO\r\n:1\r\n",
    b"*1\r\n$" + b"1" * 70000,
    b"*" + b"1" * 70000,
    b"A" * 70000,
    b'SET "unbalanced value\r\n',
    b"SET 'a'b c\r\n",
    b"PING\r\n*1\r\n$x\r\nPING\r\n",
]


def test_protocol_errors_are_those_of_redis(regent, redis_server):
    ours, theirs = regent(), redis_server()
    for data in BROKEN:
        assert exchange(ours, data) == exchange(theirs, data), data[:60]
    check_serves(ours)


HARMLESS = [
    b"\r\n\r\n\n\nPING\r\n",
    b"*0\r\n*-1\r\n*1\r\n$4\r\nPING\r\n",
    b"*1\r\n$0\r\n\r\n",
    b"nonsense with 'some words'\r\n",
    b"*1\r\n$6\r\n\x00\xff\r\nab\r\n",
    b"SET " + b"k" * 1000 + b" v\r\n",
]


def test_odd_requests_are_answered_as_by_redis(regent, redis_server):
    ours, theirs = regent(), redis_server()
    for data in HARMLESS:
        assert exchange(ours, data) == exchange(theirs, data), data[:60]


@pytest.mark.parametrize("first", [b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"POST / HTTP/1.1\r\n\r\n"])
def test_a_browser_is_turned_away(regent, redis_server, first):
    assert exchange(regent(), first)[1] == exchange(redis_server(), first)[1]


def test_garbage_on_the_port(regent, seed):
    server = regent()
    server.client().set("before", "kept")
    rand = random.Random(seed)
    for number in range(150):
        size = rand.choice([1, 10, 100, 5000])
        data = rand.randbytes(size)
        if number % 3 == 0:  # something that begins like a request
            data = b"*3\r\n$3\r\nSET\r\n$%d\r\n" % rand.randrange(0, 300) + data
        with server.socket() as link:
            link.sendall(data)
            if number % 2:
                link.settimeout(0.05)
                try:
                    link.recv(4096)
                except OSError:
                    pass
    assert server.client().get("before") == b"kept"
    check_serves(server)


def test_half_a_command(regent):
    server = regent()
    with server.socket() as slow, server.socket() as gone:
        gone.sendall(b"*3\r\n$3\r\nSET\r\n$6\r\nbefore\r\n$1000\r\nhal")
        for byte in b"*3\r\n$3\r\nSET\r\n$4\r\nslow\r\n$2\r\no":
            slow.sendall(bytes([byte]))
            time.sleep(0.002)
        gone.close()
        check_serves(server)  # others go on meanwhile
        assert server.client().get("slow") is None
        slow.sendall(b"k\r\n")
        assert slow.recv(64) == b"+OK\r\n"
    assert server.client().get("slow") == b"ok"
    assert server.client().exists("before") == 0


def test_a_huge_header_costs_no_memory(regent):
    """A header of 600 MB is only a promise: no memory is taken before bytes come."""
    server = regent(proto_max_bulk_len="1gb")
    links = [server.socket() for _ in range(20)]
    for link in links:
        link.sendall(b"*3\r\n$3\r\nSET\r\n$3\r\nbig\r\n$600000000\r\nabc")
    check_serves(server)
    with open(f"/proc/{server.pid}/statm", encoding="ascii") as file:
        resident = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    assert resident < 200 << 20, f"{resident >> 20} MB are resident"
    for link in links:
        link.close()
    check_serves(server)


# ---- A primary that is wrong ----

class FakePrimary(threading.Thread):
    """Answers a replica's introduction, then what `answer(psync words)` returns, then is silent."""

    def __init__(self, answer):
        super().__init__(daemon=True)
        self.answer = answer
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.asked = []
        self.links = []
        self.start()

    def run(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            self.links.append(link)
            threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def serve(self, link):
        file = link.makefile("rb")
        try:
            while True:
                words = self.read(file)
                if words is None:
                    return
                name = words[0].upper()
                if name == b"PING":
                    link.sendall(b"+PONG\r\n")
                elif name == b"REPLCONF":
                    if words[1].upper() != b"ACK":
                        link.sendall(b"+OK\r\n")
                elif name in (b"PSYNC", b"SYNC"):
                    self.asked.append(words)
                    link.sendall(self.answer(words))
                else:
                    link.sendall(b"-ERR unknown command\r\n")
        except (OSError, ValueError):
            return

    @staticmethod
    def read(file):
        head = file.readline()
        if not head.startswith(b"*"):
            return None
        words = []
        for _ in range(int(head[1:])):
            size = int(file.readline()[1:])
            words.append(file.read(size + 2)[:-2])
        return words

    def close(self):
        self.listener.close()
        for link in self.links:
            link.close()


REPLID = b"0123456789abcdef0123456789abcdef01234567"


def real_rdb(tmp_path_factory):
    """An RDB that a redis-server wrote, with a key in it."""
    folder = tmp_path_factory.mktemp("rdb")
    server = Server("writer", ["redis-server"], folder, dbfilename="made.rdb")
    server.start()
    try:
        client = server.client()
        client.set("from", "the primary")
        client.hset("hash", mapping={str(i): "x" * 50 for i in range(100)})
        client.save()
    finally:
        server.close()
    with open(os.path.join(str(folder), "made.rdb"), "rb") as file:
        return file.read()


@pytest.fixture(scope="module")
def good_rdb(tmp_path_factory):
    return real_rdb(tmp_path_factory)


def flip(data, at):
    return data[:at] + bytes([data[at] ^ 0xff]) + data[at + 1:]


WRONG_RDB = {
    "garbage": lambda rdb: b"this is not an RDB at all" * 20,
    "version": lambda rdb: b"REDIS9999" + rdb[9:],
    "magic": lambda rdb: b"RABBI" + rdb[5:],
    "checksum": lambda rdb: rdb[:-1] + bytes([rdb[-1] ^ 1]),
    "flipped byte": lambda rdb: flip(rdb, len(rdb) // 2),
    "cut": lambda rdb: rdb[:len(rdb) // 2],
    "empty": lambda rdb: b"",
    "unknown type": lambda rdb: rdb[:9] + b"\xfe\x00\x63\x01a\x01b\xff" + b"\0" * 8,
    "absurd length": lambda rdb: rdb[:9] + b"\xfe\x00\x00\x01a\x81" + struct.pack(">Q", 1 << 62)
                     + b"\xff" + b"\0" * 8,
}


@pytest.mark.parametrize("marked", [False, True], ids=["sized", "marked"])
@pytest.mark.parametrize("what", list(WRONG_RDB))
def test_a_wrong_rdb(regent, good_rdb, what, marked):
    rdb = WRONG_RDB[what](good_rdb)
    mark = b"M" * 40
    head = b"+FULLRESYNC " + REPLID + b" 0\r\n"
    body = b"$EOF:" + mark + b"\r\n" + rdb + mark if marked else b"$%d\r\n" % len(rdb) + rdb
    fake = FakePrimary(lambda words: head + body)
    server = regent(repl_timeout=5)
    try:
        server.client().set("before", "kept")
        before = len(server.log())
        server.client().execute_command("REPLICAOF", "127.0.0.1", fake.port)
        eventually(lambda: len(fake.asked) >= 2, 15, message="it gives up, and tries again")
        told = server.log()[before:].lower()
        assert "failed trying to load" in told or "lost" in told or "bad " in told, told
        assert server.info_text("replication")["master_link_status"] == "down"
        # It is a server as before once it is told to be on its own.
        server.client().execute_command("REPLICAOF", "NO", "ONE")
        assert server.client().get("before") == b"kept"
        check_serves(server)
    finally:
        fake.close()


WRONG_ANSWERS = {
    "no offset": b"+FULLRESYNC " + REPLID + b"\r\n",
    "offset no number": b"+FULLRESYNC " + REPLID + b" many\r\n",
    "negative offset": b"+FULLRESYNC " + REPLID + b" -7\r\n",
    "short replid": b"+FULLRESYNC abc 100\r\n",
    "continue unasked": b"+CONTINUE " + REPLID + b"\r\n",
    "a number": b":42\r\n",
    "nonsense": b"hello?\r\n",
    "endless line": b"+" + b"A" * 100000,
    "an error": b"-ERR not today\r\n",
    "negative size": b"+FULLRESYNC " + REPLID + b" 0\r\n$-3\r\n",
    "size no number": b"+FULLRESYNC " + REPLID + b" 0\r\n$abc\r\n",
    "no size": b"+FULLRESYNC " + REPLID + b" 0\r\nREDIS0009",
}


@pytest.mark.parametrize("what", list(WRONG_ANSWERS))
def test_a_wrong_answer_to_psync(regent, what):
    fake = FakePrimary(lambda words: WRONG_ANSWERS[what])
    server = regent(repl_timeout=3)
    try:
        server.client().set("before", "kept")
        before = len(server.log())
        server.client().execute_command("REPLICAOF", "127.0.0.1", fake.port)
        eventually(lambda: len(fake.asked) >= 2, 15, message="it gives up, and tries again")
        told = server.log()[before:]
        assert str(fake.port) in told or "primary" in told.lower() or "master" in told.lower(), told
        server.client().execute_command("REPLICAOF", "NO", "ONE")
        assert server.client().get("before") == b"kept"
        check_serves(server)
    finally:
        fake.close()


def test_a_stream_that_is_no_stream(regent, good_rdb):
    """After a good RDB come bytes that are no commands: the link is dropped, the data stays."""
    head = b"+FULLRESYNC " + REPLID + b" 0\r\n$%d\r\n" % len(good_rdb)
    fake = FakePrimary(lambda words: head + good_rdb + b"\x00\x01garbage\r\n*1\r\n$x\r\n")
    server = regent(repl_timeout=5)
    try:
        server.client().execute_command("REPLICAOF", "127.0.0.1", fake.port)
        eventually(lambda: len(fake.asked) >= 2, 15, message="it asks anew")
        server.client().execute_command("REPLICAOF", "NO", "ONE")
        assert server.client().get("from") == b"the primary"
        check_serves(server)
    finally:
        fake.close()


@pytest.mark.parametrize("words", [
    ("PSYNC", REPLID, "99999999"), ("PSYNC", "?", "-1x"), ("PSYNC", REPLID, "many"),
    ("PSYNC", REPLID), ("PSYNC", REPLID, "9223372036854775807"), ("PSYNC", REPLID, "-5"),
    ("REPLCONF", "ack"), ("REPLCONF", "ack", "many"), ("REPLCONF", "listening-port", "x"),
    ("REPLCONF", "nothing", "x"), ("SYNC", "x")], ids=str)
def test_a_wrong_offset_of_a_replica(regent, redis_server, words):
    ours, theirs = regent(), redis_server()
    request = b"*%d\r\n" % len(words)
    for word in words:
        word = word.encode() if isinstance(word, str) else word
        request += b"$%d\r\n%s\r\n" % (len(word), word)

    def first_word(server):
        received, closed = exchange(server, request)
        line = received.split(b"\r\n")[0]
        return line.split(b" ")[0] if line.startswith(b"+FULLRESYNC") else (line, closed)
    assert first_word(ours) == first_word(theirs)
    check_serves(ours)


# ---- A configuration that is wrong ----

def refused(tmp_path, *arguments):
    """Starts a server that must not start; what it says."""
    done = subprocess.run([*regent_command(), "--port", str(free_port()), "--dir", str(tmp_path),
                           "--save", "", *arguments], stdin=subprocess.DEVNULL, cwd=tmp_path,
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 1, (done.returncode, done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_a_member_list_without_oneself(tmp_path):
    said = refused(tmp_path, "--group-name", "g", "--group-members", "192.0.2.1:7001",
                   "192.0.2.2:7002", "192.0.2.3:7003")
    assert "group-members does not name this node" in said, said


@pytest.mark.parametrize("arguments", [
    ("--group-members", "a:1", "a:1", "b:2"), ("--group-members", "nothing-with-a-port"),
    ("--group-members", "a:99999"), ("--replication-mode", "sometimes"),
    ("--group-heartbeat", "0"), ("--group-heartbeat", "soon")], ids=str)
def test_a_group_that_cannot_be(tmp_path, arguments):
    said = refused(tmp_path, "--group-name", "g", *arguments)
    assert arguments[0][2:] in said, said


def test_a_name_that_nobody_knows(park):
    """One member's name has no address: the other two are a majority."""
    ports = [free_port(), free_port()]
    members = [f"127.0.0.1:{port}" for port in ports] + ["nowhere.invalid:7000"]
    nodes = [park.regent(start=False, port=port, group_name="g", group_members=members,
                         replication_mode="quorum") for port in ports]
    for node in nodes:
        node.start()
    eventually(lambda: any("nowhere.invalid" in node.log() for node in nodes), 10)
    # A fresh group's first election needs all members (docs/failover.md, "Forgetting"): it must
    # say whom it waits for, and serve nobody a write meanwhile.
    time.sleep(1.5)
    for node in nodes:
        assert node.running()
        assert node.info_text("group")["group_role"] != "primary"


def test_a_primary_whose_name_nobody_knows(regent):
    server = regent()
    server.client().set("before", "kept")
    server.client().execute_command("REPLICAOF", "nowhere.invalid", 7000)
    eventually(lambda: "nowhere.invalid" in server.log(), 10)
    assert server.client().get("before") == b"kept"
    assert server.info_text("replication")["master_link_status"] == "down"
    server.client().execute_command("REPLICAOF", "NO", "ONE")
    check_serves(server)


# ---- A disk that is wrong ----

def state_file(node):
    return os.path.join(node.dir, "regent.state")


WRONG_STATE = {
    "garbage": lambda data: os.urandom(200),
    "cut": lambda data: data[:len(data) // 2],
    "flipped": lambda data: flip(data, len(data) // 2),
    "empty": lambda data: b"",
}


@pytest.mark.parametrize("what", list(WRONG_STATE))
def test_a_corrupt_state_file(park, what):
    """A node that cannot trust its votes does not start, and leaves the file for people to see."""
    port = free_port()
    node = park.regent(port=port, group_name="g", group_members=[f"127.0.0.1:{port}"])
    eventually(lambda: node.info_text("group")["group_role"] == "primary", 10)
    node.stop()
    with open(state_file(node), "rb") as file:
        wrong = WRONG_STATE[what](file.read())
    with open(state_file(node), "wb") as file:
        file.write(wrong)
    node.start(wait=False)
    assert node.wait() == 1
    assert "regent.state" in node.log(8), node.log(8)
    with open(state_file(node), "rb") as file:
        assert file.read() == wrong


@pytest.fixture
def small_disk(tmp_path):
    """A folder with room for next to nothing."""
    folder = tmp_path / "small"
    folder.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", folder], check=True)
    yield folder
    subprocess.run(["umount", "-l", folder], check=True)


def fill(folder):
    """Takes all room that is left; the path of what took it."""
    path = os.path.join(str(folder), "ballast")
    with open(path, "wb", buffering=0) as file:
        try:
            while True:
                file.write(b"x" * 4096)
        except OSError:
            pass
    return path


@needs_root
def test_a_full_disk_under_a_snapshot(park, small_disk):
    server = park.regent(folder=small_disk)
    client = server.client()
    client.set("before", "kept")
    ballast = fill(small_disk)
    with pytest.raises(redis.ResponseError, match="Errors trying to SHUTDOWN"):
        client.execute_command("SHUTDOWN", "SAVE")
    assert "space" in server.log().lower()
    assert server.running()
    assert client.get("before") == b"kept"
    assert not [name for name in os.listdir(small_disk) if name.startswith("temp")]
    os.unlink(ballast)
    with pytest.raises(redis.ConnectionError):
        client.execute_command("SHUTDOWN", "SAVE")
    assert server.wait() == 0
    server.start()
    assert server.client().get("before") == b"kept"


@needs_root
def test_a_full_disk_when_a_replica_stops(park, small_disk):
    """A stop that failed leaves the replica a replica, and it follows on."""
    primary = park.regent()
    replica = park.regent(folder=small_disk, replicaof=("127.0.0.1", primary.port),
                          dbfilename="other.rdb")
    eventually(lambda: replica.info_text("replication")["master_link_status"] == "up")
    fill(small_disk)
    with pytest.raises(redis.ResponseError, match="Errors trying to SHUTDOWN"):
        replica.client().execute_command("SHUTDOWN", "SAVE")
    with pytest.raises(redis.ReadOnlyError):
        replica.client().set("mine", "now")
    primary.client().set("after", "the failed stop")
    eventually(lambda: replica.client().get("after") == b"the failed stop", 10)


@needs_root
def test_a_full_disk_under_a_resynchronisation(park, small_disk):
    primary = park.regent()
    primary.client().set("before", "kept")
    for number in range(64):
        primary.client().set(f"fat:{number}", os.urandom(8192))
    replica = park.regent(folder=small_disk, repl_diskless_load="disabled")
    replica.client().set("own", "kept too")
    replica.client().execute_command("REPLICAOF", "127.0.0.1", primary.port)
    eventually(lambda: "space" in replica.log().lower(), 10, message="the log names the full disk")
    assert replica.running()
    replica.client().execute_command("REPLICAOF", "NO", "ONE")
    assert replica.client().get("own") == b"kept too"
    assert primary.client().get("before") == b"kept"


def hand_over(node, to=None):
    """`regent failover`."""
    done = subprocess.run([*regent_command()[:-1], "failover", f"127.0.0.1:{node.port}",
                           *([f"127.0.0.1:{to.port}"] if to else [])], stdin=subprocess.DEVNULL,
                          capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 0, done.stderr


@needs_root
def test_a_full_disk_under_a_vote(park, small_disk):
    """A member that cannot store its vote gives none; the others are a majority, and when there is
    room again it is a member as before."""
    ports = [free_port() for _ in range(3)]
    members = [f"127.0.0.1:{port}" for port in ports]
    nodes = [park.regent(start=False, port=port, group_name="g", group_members=members,
                         replication_mode="quorum", **({"folder": small_disk} if i == 2 else {}))
             for i, port in enumerate(ports)]
    for node in nodes:
        node.start()

    def primary():
        found = [n for n in nodes if n.running()
                 and n.info_text("group")["group_role"] == "primary"]
        return found[0] if len(found) == 1 else None
    eventually(lambda: primary() and all(n.info_text("group")["group_state"] == "healthy"
                                         for n in nodes), 15, message="a whole group")
    if primary() is nodes[2]:
        hand_over(nodes[2])
        eventually(lambda: primary() not in (None, nodes[2]), 10)
    old = primary()
    assert old.client().set("before", "kept")
    ballast = fill(small_disk)
    third = next(n for n in nodes[:2] if n is not old)
    hand_over(old, third)
    eventually(lambda: primary() is third, 10)
    eventually(lambda: "space" in nodes[2].log().lower(), 10, message="the log names the full disk")
    assert nodes[2].running()
    assert third.client().set("before", "kept")
    os.unlink(ballast)
    eventually(lambda: nodes[2].info_text("replication").get("master_link_status") == "up"
               and nodes[2].info_text("group")["group_term"]
               == third.info_text("group")["group_term"], 15, message="it is a member again")
    assert third.client().get("before") == b"kept"
