"""MONITOR and LOLWUT beside a running redis-server."""

import re

import pytest

from processes import eventually
from resp_client import Client, Simple


@pytest.fixture
def both(park):
    return park.regent(), park.redis()


CONVERSATION = [
    ["set", "k", "v"], ["get", "k"], ["multi"], ["set", "a", "x\x00\n\r\t\a\b\\\"'y"], ["get", "b"],
    ["exec"], ["select", "3"], ["get"], ["nosuch"], ["auth", "x"], ["hello", "3", "auth", "a", "b"],
    ["hello", "2", "setname", "auth", "auth", "a", "b"], ["auth", "a", "b"], ["config", "get", "save"],
    ["blpop", "l", "0.05"], ["debug", "sleep", "0"], ["subscribe", "c"], ["unsubscribe"],
    ["multi"], ["monitor"], ["exec"], ["monitor"], ["monitor"], ["get", "k"], ["set", "k", "v"],
    ["ping"], ["select", "1"], ["publish", "a", "b"], ["multi"], ["reset"], ["get", "k"],
    ["monitor", "x"], ["echo", "the end"],
]


def masked(line):
    """Without the time and the address."""
    return re.sub(rb"^\d+\.\d{6} \[(\d+) 127\.0\.0\.1:\d+\]", rb"\1", line)


def until_the_end(client):
    seen = []
    while not (seen and b"the end" in seen[-1][1]):
        reply = client.read()
        seen.append((type(reply).__name__,
                     masked(reply) if isinstance(reply, Simple) else repr(reply).encode()))
    return seen


def test_what_is_shown_and_what_a_monitor_may_do(both):
    results = []
    for server in both:
        monitor, client = Client(server.port), Client(server.port)
        assert monitor.call("monitor") == b"OK"
        client.send_all(CONVERSATION)
        results.append((until_the_end(client), until_the_end(monitor)))
        assert " flags=O " in server.command_reply("client", "list").decode()
    assert results[0] == results[1]


def test_passwords_are_kept_out_of_the_slow_log(both):
    for server in both:
        client = Client(server.port)
        client.call("config", "set", "slowlog-log-slower-than", "0")
        client.call("config", "set", "requirepass", "hidden")
        client.call("auth", "hidden")
        client.call("config", "set", "maxmemory-policy", "noeviction", "masterauth", "hidden")
        client.call("hello", "2", "auth", "default", "hidden")
        shown = repr(client.call("slowlog", "get", "-1"))
        assert "masterauth" in shown and "(redacted)" in shown
        assert "hidden" not in shown


def test_a_replica_shows_what_it_applies(park):
    for primary in (park.regent(), park.redis()):
        replica = park.regent(replicaof=(primary.host, primary.port))
        eventually(lambda server=replica: server.info("replication")["master_link_status"] == "up")
        monitor = Client(replica.port)
        monitor.call("monitor")
        primary.command_reply("set", "shown", "here")
        eventually(lambda link=monitor: b'"set" "shown" "here"' in link.read().lower())


def test_monitors_go(park):
    server = park.regent()
    for _ in range(20):
        monitor = Client(server.port)
        monitor.call("monitor")
        monitor.send("ping")
        monitor.close()
    assert server.command_reply("ping")
    eventually(lambda: b"flags=O" not in server.command_reply("client", "list"))


@pytest.mark.parametrize("words", [[], ["version", "5"], ["version", "x"], ["VERSION", "5", "x"],
                                   ["version"], ["version", "6", "2", "2"]])
def test_the_picture_ends_with_the_version(both, words):
    for server in both:
        client = Client(server.port)
        client.call("hello", 3)
        reply = client.call("lolwut", *words)
        if "x" in words:
            assert reply == b"ERR value is not an integer or out of range"
        else:
            assert type(reply).__name__ == "Verbatim" and reply.endswith(b"Redis ver. 7.0.15\n")
