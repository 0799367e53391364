"""Sentinels over Regent data nodes: failovers by kill -9, SIGSTOP, partition and command; clients
follow; the old primary comes back as a replica. Which sentinels watch is a parameter."""

import os
import subprocess

import pytest
import redis

from netns import have_namespaces
from processes import eventually
from sentinels import NAME, Deployment, Writer, have_sentinels

SENTINELS = [("redis", "redis", "redis"), ("regent", "regent", "regent"),
             ("redis", "redis", "regent"), ("regent", "regent", "redis")]
FOLDER = os.path.dirname(os.path.abspath(__file__))


@pytest.fixture(params=SENTINELS, ids="-".join)
def sentinels(request):
    if not have_sentinels(request.param):
        pytest.skip("this build has no `regent sentinel`")
    return request.param


def fail(node, number):
    """Kills it, or makes it hang; what to call to get it back."""
    if number % 2 == 0:
        node.kill()
        return node.start
    node.pause()
    return node.resume


def test_failover(tmp_path, rounds, sentinels):
    """kill -9 and SIGSTOP by turns."""
    with Deployment(tmp_path, sentinels=sentinels) as deployment:
        primary = deployment.wait_whole()
        with Writer(deployment) as writer:
            for number in range(rounds):
                writer.wait_acks(50)
                come_back = fail(primary, number)
                new = deployment.wait_primary(other_than=primary)
                writer.wait_writes(20)
                come_back()
                # The old primary is told that it is a replica now, and catches up.
                assert deployment.wait_whole() is new
                assert primary.role() == "slave"
                primary = new
            writer.wait_acks(50)
        print(f"longest time without a write: {writer.longest_gap():.2f} s")
        for node in deployment.nodes:
            eventually(lambda: writer.check(node))


@pytest.mark.skipif(not have_namespaces(), reason="needs root and network namespaces")
def test_partition(tmp_path, rounds, sentinels):
    """The machine of the primary, with a sentinel beside it, is cut off: the other side goes on,
    and wins when the cable is back."""
    with Deployment(tmp_path, sentinels=sentinels, net=True) as deployment:
        primary = deployment.wait_whole()
        for number in range(max(1, rounds // 2)):
            index = deployment.nodes.index(primary)
            rest = [one for one in deployment.sentinels if one is not deployment.sentinels[index]]
            deployment.nodes[index].client().set(f"before:{number}", "1")
            assert primary.client().execute_command("WAIT", 2, 10000) == 2
            deployment.cut(index)
            new = deployment.wait_primary(other_than=primary, sentinels=rest)
            new.client().set(f"during:{number}", "1")
            deployment.heal(index)
            assert deployment.wait_whole() is new
            primary = new
        keys = [f"{when}:{number}" for number in range(max(1, rounds // 2))
                for when in ("before", "during")]
        for node in deployment.nodes:
            eventually(lambda: node.client().mget(keys) == [b"1"] * len(keys))


def test_asked_for(tmp_path, sentinels):
    """SENTINEL FAILOVER: no fault at all; +switch-master is heard; the configuration files say who
    follows whom after a restart of all."""
    with Deployment(tmp_path, sentinels=sentinels) as deployment:
        primary = deployment.wait_whole()
        heard = deployment.sentinels[1].client().pubsub()
        heard.subscribe("+switch-master")
        assert heard.get_message(timeout=10)["type"] == "subscribe"
        primary.client().set("k", "v")
        assert primary.client().execute_command("WAIT", 2, 10000) == 2
        assert deployment.sentinels[0].command_reply("SENTINEL", "FAILOVER", NAME)
        new = deployment.wait_primary(other_than=primary)
        message = heard.get_message(timeout=20)
        assert message["data"].decode() == \
            f"{NAME} {primary.host} {primary.port} {new.host} {new.port}"
        assert deployment.wait_whole() is new
        for node in deployment.nodes:
            node.kill()
        for node in deployment.nodes:
            node.start()
        assert {node.role() for node in deployment.others(new)} == {"slave"}
        assert new.role() == "master"


def test_priority_zero_is_never_chosen(tmp_path, sentinels):
    with Deployment(tmp_path, sentinels=sentinels) as deployment:
        primary = deployment.wait_whole()
        never, chosen = deployment.others(primary)
        never.client().config_set("replica-priority", 0)
        eventually(lambda: all(
            any(replica["port"] == never.port and replica["slave-priority"] == 0
                for replica in deployment.client([one]).sentinels[0].sentinel_slaves(NAME))
            for one in deployment.sentinels), 30)
        primary.kill()
        assert deployment.wait_primary(other_than=primary) is chosen


def test_clients_follow(tmp_path, sentinels):
    """ioredis, beside redis-py's in the tests above."""
    if not os.path.isdir(os.path.join(FOLDER, "node_modules", "ioredis")):
        pytest.skip("ioredis is missing: npm ci in tests/interop")
    from test_ioredis import Follower
    with Deployment(tmp_path, sentinels=sentinels) as deployment:
        primary = deployment.wait_whole()

        class Addresses:
            name = NAME
            nodes = [type("Address", (), {"address": f"{host}:{port}"})
                     for host, port in deployment.addresses()]
        with Follower(Addresses) as client:
            client.wait_acks(50)
            assert client.of("basics")[0]["role"] == "master"
            assert client.of("basics")[0]["readerRole"] == "slave"
            primary.kill()
            new = deployment.wait_primary(other_than=primary)
            client.wait_acks(50)
            client.end()
            last = client.of("ack")[-1]["number"]
            assert new.client().get(f"io:{last}") == f"value-{last}".encode()
