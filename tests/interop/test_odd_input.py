"""Odd input, compared with a real redis-server where it has an answer of its own; and stops that
fail. test_bad_input.py has what is plainly broken."""

import os
import socket

import pytest
import redis

from fake_primary import REPLID, FakePrimary
from processes import HOST, eventually


def exchange(server, data, wait=2.0):
    """Everything that comes back until the server closes, or says nothing more."""
    with server.socket(wait) as link:
        try:
            link.sendall(data)
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


HEAD = b"+FULLRESYNC " + REPLID.encode()
WRONG_ANSWERS = {
    "no offset": HEAD + b"\r\n",
    "offset no number": HEAD + b" many\r\n",
    "negative offset": HEAD + b" -7\r\n",
    "short replid": b"+FULLRESYNC abc 100\r\n",
    "continue unasked": b"+CONTINUE " + REPLID.encode() + b"\r\n",
    "a number": b":42\r\n",
    "nonsense": b"hello?\r\n",
    "endless line": b"+" + b"A" * 100000,
    "an error": b"-ERR not today\r\n",
    "negative size": HEAD + b" 0\r\n$-3\r\n",
    "size no number": HEAD + b" 0\r\n$abc\r\n",
    "no size": HEAD + b" 0\r\nREDIS0009",
}


@pytest.mark.parametrize("what", list(WRONG_ANSWERS))
def test_a_wrong_answer_to_psync(regent, what):
    with FakePrimary([WRONG_ANSWERS[what]]) as fake:
        server = regent(repl_timeout=3)
        server.client().set("before", "kept")
        before = len(server.log())
        server.client().execute_command("REPLICAOF", HOST, fake.port)
        eventually(lambda: len(fake.asked) >= 2, 15, message="it gives up, and tries again")
        told = server.log()[before:]
        assert str(fake.port) in told or "primary" in told.lower() or "master" in told.lower(), told
        server.client().execute_command("REPLICAOF", "NO", "ONE")
        assert server.client().get("before") == b"kept"
        check_serves(server)


@pytest.mark.parametrize("words", [
    ("PSYNC", REPLID, "99999999"), ("PSYNC", "?", "-1x"), ("PSYNC", REPLID, "many"),
    ("PSYNC", REPLID), ("PSYNC", REPLID, "9223372036854775807"), ("PSYNC", REPLID, "-5"),
    ("REPLCONF", "ack"), ("REPLCONF", "ack", "many"), ("REPLCONF", "listening-port", "x"),
    ("REPLCONF", "nothing", "x"), ("SYNC", "x")], ids=str)
def test_a_wrong_offset_of_a_replica(regent, redis_server, words):
    ours, theirs = regent(), redis_server()
    request = b"*%d\r\n" % len(words)
    for word in words:
        word = word.encode()
        request += b"$%d\r\n%s\r\n" % (len(word), word)

    def first_word(server):
        received, closed = exchange(server, request)
        line = received.split(b"\r\n")[0]
        return line.split(b" ")[0] if line.startswith(b"+FULLRESYNC") else (line, closed)
    assert first_word(ours) == first_word(theirs)
    check_serves(ours)


def test_a_full_disk_under_a_snapshot(park, small_disk):
    server = park.regent(folder=small_disk.path)
    client = server.client()
    client.set("before", "kept")
    small_disk.fill()
    with pytest.raises(redis.ResponseError, match="Errors trying to SHUTDOWN"):
        client.execute_command("SHUTDOWN", "SAVE")
    assert "space" in server.log().lower()
    assert server.running()
    assert client.get("before") == b"kept"
    assert not [name for name in os.listdir(small_disk.path) if name.startswith("temp")]
    small_disk.free()
    with pytest.raises(redis.ConnectionError):
        client.execute_command("SHUTDOWN", "SAVE")
    assert server.wait() == 0
    server.start()
    assert server.client().get("before") == b"kept"


def test_a_full_disk_when_a_replica_stops(park, small_disk):
    """A stop that failed leaves the replica a replica, and it follows on."""
    primary = park.regent()
    replica = park.regent(folder=small_disk.path, replicaof=("127.0.0.1", primary.port),
                          dbfilename="other.rdb")
    eventually(lambda: replica.info_text("replication")["master_link_status"] == "up")
    small_disk.fill()
    with pytest.raises(redis.ResponseError, match="Errors trying to SHUTDOWN"):
        replica.client().execute_command("SHUTDOWN", "SAVE")
    with pytest.raises(redis.ReadOnlyError):
        replica.client().set("mine", "now")
    primary.client().set("after", "the failed stop")
    eventually(lambda: replica.client().get("after") == b"the failed stop", 10)
