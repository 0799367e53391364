"""Shard channels, beside a running redis-server and across replication in both directions."""

import pytest

from processes import eventually
from resp_client import Client


@pytest.fixture
def both(park):
    return park.regent(), park.redis()


CONVERSATION = [
    "SSUBSCRIBE", "SSUBSCRIBE a b a", "SUBSCRIBE a", "PSUBSCRIBE a*", "SUNSUBSCRIBE a",
    "SUNSUBSCRIBE a", "SUNSUBSCRIBE", "SUNSUBSCRIBE", "SUNSUBSCRIBE x y", "UNSUBSCRIBE",
    "PUNSUBSCRIBE", "MULTI", "SSUBSCRIBE a", "SUNSUBSCRIBE x", "SPUBLISH a m", "EXEC", "SPUBLISH a",
    "SPUBLISH a m", "PUBSUB SHARDCHANNELS", "PUBSUB SHARDCHANNELS a b", "PUBSUB SHARDNUMSUB",
    "PUBSUB SHARDNUMSUB a b", "SSUBSCRIBE q", "PUBSUB SHARDCHANNELS", "GET a", "PING", "PING x",
    "SSUBSCRIBE r", "RESET", "PUBSUB SHARDCHANNELS",
]


@pytest.mark.parametrize("proto", [2, 3])
def test_one_connection_alone(both, proto):
    answers = []
    for server in both:
        client = Client(server.port)
        client.call("HELLO", proto)
        client.send_all([line.split() for line in CONVERSATION] + [["ECHO", "the end"]])
        replies = [(type(reply).__name__, reply) for reply in iter(client.read, b"the end")]
        answers.append(replies)
    assert answers[0] == answers[1]


@pytest.mark.parametrize("proto", [2, 3])
def test_messages_reach_those_of_the_shard_channel_alone(both, proto):
    seen = []
    for server in both:
        sharded, plain, other = (Client(server.port) for _ in range(3))
        for client in (sharded, plain):
            client.call("HELLO", proto)
        seen.append([sharded.call("SSUBSCRIBE", "c"), plain.call("SUBSCRIBE", "c"),
                     plain.call("PSUBSCRIBE", "*"), other.call("SPUBLISH", "c", "one"),
                     other.call("PUBLISH", "c", "two"), other.call("SPUBLISH", "d", "three"),
                     other.call("PUBSUB", "SHARDCHANNELS"), other.call("PUBSUB", "SHARDCHANNELS", "x*"),
                     other.call("PUBSUB", "SHARDNUMSUB", "c", "d"), other.call("PUBSUB", "NUMSUB", "c"),
                     sharded.read(), plain.read(), plain.read()])
        assert "ssub=1" in server.command_reply("CLIENT", "LIST", "TYPE", "PUBSUB").decode()
        assert server.info("stats")["pubsubshard_channels"] == 1
    assert seen[0] == seen[1]


@pytest.mark.parametrize("ours", [True, False], ids=["regent-first", "redis-first"])
def test_replicas_hear_it(park, ours):
    primary = park.regent() if ours else park.redis()
    follow = {"replicaof": (primary.host, primary.port)}
    followers = [park.redis(**follow), park.regent(**follow)]
    listeners = []
    for follower in followers:
        eventually(lambda server=follower: server.info("replication")["master_link_status"] == "up")
        listeners.append(Client(follower.port))
        listeners[-1].call("SSUBSCRIBE", "c")
    client = Client(primary.port)
    client.call("SPUBLISH", "c", "alone")
    client.pipeline([["MULTI"], ["SET", "k", "v"], ["SPUBLISH", "c", "within"], ["EXEC"]])
    for listener in listeners:
        assert listener.read() == [b"smessage", b"c", b"alone"]
        assert listener.read() == [b"smessage", b"c", b"within"]
