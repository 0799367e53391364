"""A group's nodes answer what Sentinel-aware clients ask."""

import re
import subprocess

import pytest
import redis
from redis.sentinel import MasterNotFoundError

from group import Group, sentinel
from processes import eventually


@pytest.fixture(scope="module")
def group(tmp_path_factory):
    with Group(tmp_path_factory.mktemp("group")) as running:
        yield running


def cli(node, *words):
    done = subprocess.run(["redis-cli", "-h", node.host, "-p", str(node.port), *words],
                          capture_output=True, text=True, check=True, timeout=20)
    return done.stdout.splitlines()


def pairs(words):
    return dict(zip(words[::2], words[1::2]))


def test_redis_py_finds_all(group):
    primary = group.wait_whole()
    for node in group.nodes:  # each alone knows the answer
        found = sentinel(group, nodes=[node])
        assert found.discover_master(group.name) == (primary.host, primary.port)
        assert sorted(found.discover_slaves(group.name)) == \
            sorted((other.host, other.port) for other in group.others(primary))


def test_redis_py_clients(group):
    primary = group.wait_whole()
    found = sentinel(group)
    writer = found.master_for(group.name)
    reader = found.slave_for(group.name)
    assert writer.set("by-sentinel", "1")
    eventually(lambda: reader.get("by-sentinel") == b"1")
    assert writer.connection_pool.get_master_address() == (primary.host, primary.port)
    assert writer.role()[0] == b"master"
    assert reader.role()[0] == b"slave"


def test_unknown_name(group):
    with pytest.raises(MasterNotFoundError):
        sentinel(group).discover_master("nothing")
    node = group.nodes[0]
    assert node.command_reply("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "nothing") is None
    for sub in ["MASTER", "REPLICAS", "SLAVES", "SENTINELS", "CKQUORUM"]:
        with pytest.raises(redis.ResponseError, match="No such master with that name"):
            node.command_reply("SENTINEL", sub, "nothing")


def test_wrong_words(group):
    node = group.nodes[0]
    with pytest.raises(redis.ResponseError, match="wrong number of arguments"):
        node.command_reply("SENTINEL", "MASTER")
    with pytest.raises(redis.ResponseError, match="(?i)unknown subcommand"):
        node.command_reply("SENTINEL", "NOSUCH")


def test_redis_cli(group):
    primary = group.wait_whole()
    asked = group.others(primary)[0]
    assert cli(asked, "sentinel", "get-master-addr-by-name", group.name) == \
        [primary.host, str(primary.port)]
    master = pairs(cli(asked, "sentinel", "master", group.name))
    assert master["name"] == group.name
    assert (master["ip"], master["port"]) == (primary.host, str(primary.port))
    assert master["flags"] == "master"
    assert master["num-slaves"] == "2" and master["num-other-sentinels"] == "2"
    assert master["quorum"] == "2"
    assert int(master["config-epoch"]) == group.term(primary)
    masters = cli(asked, "sentinel", "masters")
    assert masters[:2] == ["name", group.name]
    for word in ["replicas", "slaves"]:
        lines = cli(asked, "sentinel", word, group.name)
        ports = {int(value) for name, value in zip(lines, lines[1:]) if name == "port"}
        assert ports == {other.port for other in group.others(primary)}
    sentinels = cli(asked, "sentinel", "sentinels", group.name)
    assert sentinels.count("runid") == 2
    # A member counts as usable to this one once the two have reached each other.
    eventually(lambda: cli(asked, "sentinel", "ckquorum", group.name)[0] ==
               "OK 3 usable Sentinels. Quorum and failover authorization can be reached")


def test_my_id_is_what_the_others_say(group):
    ids = {node: node.command_reply("SENTINEL", "MYID").decode() for node in group.nodes}
    assert len(set(ids.values())) == 3
    assert all(re.fullmatch("[0-9a-f]{40}", text) for text in ids.values())
    for node in group.nodes:
        listed = {pairs([item.decode() for item in entry])["runid"] for entry in
                  raw(node, "SENTINEL", "SENTINELS", group.name)}
        assert listed == {ids[other] for other in group.others(node)}


def raw(node, *words):
    """A reply without redis-py's parsing of SENTINEL's."""
    client = redis.Redis(host=node.host, port=node.port, socket_timeout=10.0)
    client.response_callbacks.clear()
    with client:
        return client.execute_command(*words)


def test_role_and_info(group):
    primary = group.wait_whole()
    followers = group.others(primary)
    role = primary.command_reply("ROLE")
    assert role[0] == b"master" and role[1] > 0 and len(role[2]) == 2
    replication = primary.info_text("replication")
    assert replication["role"] == "master" and replication["connected_slaves"] == "2"
    ports = {re.search(r"port=(\d+)", replication[f"slave{i}"]).group(1) for i in range(2)}
    assert ports == {str(node.port) for node in followers}
    for follower in followers:
        role = follower.command_reply("ROLE")
        assert role[:4] == [b"slave", primary.host.encode(), primary.port, b"connected"]
        replication = follower.info_text("replication")
        assert replication["role"] == "slave"
        assert replication["master_host"] == primary.host
        assert replication["master_port"] == str(primary.port)
        assert replication["master_link_status"] == "up"
    for node in group.nodes:
        info = node.group_info()
        assert info["group_name"] == group.name
        assert info["group_role"] == ("primary" if node is primary else "follower")
        assert info["group_primary"] == primary.address
        assert info["group_mode"] == "quorum" and info["group_state"] == "healthy"
        assert info["group_members"] == "3"
        for i in range(3):
            assert "link=up" in info[f"member{i}"] and "state=healthy" in info[f"member{i}"]
    assert int(primary.group_info()["group_lease_ms"]) > 0


def listen(node):
    """A subscriber of what Sentinel tells of a switch."""
    pubsub = node.client(decode_responses=True).pubsub()
    pubsub.subscribe("+switch-master")
    assert pubsub.get_message(timeout=5)["type"] == "subscribe"
    return pubsub


def heard(pubsub):
    return eventually(lambda: pubsub.get_message(ignore_subscribe_messages=True, timeout=0.2))


def test_switch_is_published(tmp_path):
    """On every node that lives, with the words of Sentinel: name, old address, new address."""
    with Group(tmp_path) as group:
        old = group.wait_whole()
        followers = group.others(old)
        listeners = [listen(node) for node in followers]
        found = sentinel(group)
        client = found.master_for(group.name, socket_timeout=1.0)
        assert client.set("k", "v")
        old.kill()
        new = group.wait_primary(other_than=old)
        for pubsub in listeners:
            message = heard(pubsub)
            assert message["channel"] == "+switch-master"
            assert message["data"] == f"{group.name} {old.host} {old.port} {new.host} {new.port}"
        assert found.discover_master(group.name) == (new.host, new.port)
        with pytest.raises(redis.ResponseError, match="NOQUORUM"):
            stop_one_more(group, old, new)
        old.start()


def stop_one_more(group, dead, asked):
    """With two of three gone no failover can be authorized, and CKQUORUM says so."""
    (other,) = group.others(dead, asked)
    other.kill()
    eventually(lambda: sum("link=down" in text for name, text in asked.group_info().items()
                           if name.startswith("member")) == 2)
    asked.command_reply("SENTINEL", "CKQUORUM", group.name)


def test_hand_over_is_published(tmp_path):
    with Group(tmp_path) as group:
        old = group.wait_whole()
        listeners = [listen(node) for node in group.nodes]
        assert old.command_reply("GROUP", "FAILOVER") == b"OK"
        new = group.wait_primary(other_than=old)
        for pubsub in listeners:
            assert heard(pubsub)["data"] == \
                f"{group.name} {old.host} {old.port} {new.host} {new.port}"


def test_outside_a_group(regent):
    """A node that is in none knows no service, and says so as a Sentinel does."""
    server = regent()
    assert server.command_reply("SENTINEL", "GET-MASTER-ADDR-BY-NAME", "orders") is None
    assert raw(server, "SENTINEL", "MASTERS") == []
    with pytest.raises(redis.ResponseError, match="No such master with that name"):
        server.command_reply("SENTINEL", "MASTER", "orders")
    assert re.fullmatch(rb"[0-9a-f]{40}", server.command_reply("SENTINEL", "MYID"))
