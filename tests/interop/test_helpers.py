"""The helpers themselves: a comparison that sees no difference, or a proxy that does not cut, would
make every other test pass."""

import time

from content import assert_same_content, content, differences
from processes import eventually

import pytest


def test_comparison_sees_differences(redis_server):
    one, other = redis_server(), redis_server()
    for server in (one, other):
        client = server.client()
        client.set("s", "1")
        client.hset("h", mapping={"a": "1", "b": "2"})
        client.execute_command("SET", "e", "v", "PXAT", 9999999999999)
        server.client(db=3).set("s", "3")
    assert assert_same_content(one, other) == 4

    for change in [("SET", "s", "2"), ("HSET", "h", "a", "2"), ("HDEL", "h", "b"), ("DEL", "s"),
                   ("PEXPIREAT", "e", 9999999990000), ("PERSIST", "e"), ("SET", "new", "x")]:
        other.client().flushall()
        other.client().set("s", "1")
        other.client().hset("h", mapping={"a": "1", "b": "2"})
        other.client().execute_command("SET", "e", "v", "PXAT", 9999999999999)
        other.client(db=3).set("s", "3")
        assert_same_content(one, other)
        other.client().execute_command(*change)
        with pytest.raises(AssertionError):
            assert_same_content(one, other)


def test_comparison_forgives_only_what_expired():
    now = int(time.time() * 1000)
    gone = {(0, b"k"): (b"string", b"v", now - 1)}
    due = {(0, b"k"): (b"string", b"v", now + 60000)}
    assert not differences(gone, {})
    assert differences(due, {})


def test_proxy_cuts_blocks_and_stalls(redis_server, proxy):
    server = redis_server()
    door = proxy(server)
    client = server.client()
    client.connection_pool.connection_kwargs["port"] = door.port
    client.connection_pool.connection_kwargs["socket_timeout"] = 0.3
    assert client.ping() and door.connections() == 1
    assert door.cut() == 1
    assert eventually(client.ping)

    door.block()
    with pytest.raises(Exception):
        client.ping()
    door.unblock()
    assert eventually(client.ping)

    door.stall()
    with pytest.raises(Exception):
        client.ping()
    door.go_on()
    assert eventually(client.ping)

    server.client().set("big", b"x" * 300000)
    door.cut_at([100000])
    with pytest.raises(Exception):
        client.get("big")
    assert door.cuts_left() == 0
    assert len(client.get("big")) == 300000


def test_content_is_read_whole(redis_server):
    server = redis_server()
    pipe = server.client().pipeline(transaction=False)
    for number in range(2500):
        pipe.set(f"k{number}", number)
    pipe.execute()
    assert len(content(server)) == 2500
