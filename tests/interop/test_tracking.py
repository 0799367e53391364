"""CLIENT TRACKING, conversation by conversation beside a running redis-server: all replies and all
messages of all clients, in their order."""

import pytest

from processes import eventually
from resp_client import Client

A, B, C = range(3)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    from processes import Park
    park = Park(tmp_path_factory.mktemp("tracking"))
    yield park.regent(), park.redis()
    park.close()


def ids_masked(reply, ids):
    if isinstance(reply, list):
        return [type(reply).__name__] + [ids_masked(item, ids) for item in reply]
    if isinstance(reply, tuple):
        return tuple(ids_masked(item, ids) for item in reply)
    return ("id", ids.index(reply)) if reply in ids else (type(reply).__name__, reply)


def talk(server, protos, lines):
    """What each of the clients reads of a conversation, where {N} is the id of client N."""
    control = Client(server.port)
    control.call("flushall")
    clients = [Client(server.port) for _ in protos]
    for client, proto in zip(clients, protos):
        client.call("hello", proto)
    ids = [client.call("client", "id") for client in clients]
    seen = [[] for _ in clients]

    def settle(who):
        """The mark comes behind whatever was sent to this client before."""
        if clients[who] is None:
            return
        clients[who].send("ping", "mark")
        while True:
            reply = clients[who].read()
            if reply in (b"mark", [b"pong", b"mark"]):
                return
            seen[who].append(ids_masked(reply, ids))

    for who, line in lines:
        if line == "close":
            clients[who].close()
            clients[who] = None
            eventually(lambda: ids[who] not in listed(server))
            continue
        clients[who].send_all([command.format(*ids).split() for command in line.split(";")])
        control.call("ping")  # messages for prefixes are sent when all commands at hand are done
        for client in [who, *(other for other in range(len(clients)) if other != who)]:
            settle(client)
    for client in [control, *clients]:
        if client is not None:
            client.close()
    return seen


def listed(server):
    text = server.command_reply("client", "list").decode()
    return [int(word[3:]) for word in text.split() if word.startswith("id=")]


CONVERSATIONS = {
    "what was read is told once": [
        (A, "client tracking on"), (A, "get k"), (A, "mget k l m"), (B, "set k 1"), (B, "set k 2"),
        (A, "get k"), (B, "del k"), (B, "del l"), (B, "set n 1"), (A, "client trackinginfo")],
    "of any database": [
        (A, "client tracking on"), (A, "get k"), (B, "select 3"), (B, "set k 1"), (B, "set k 2")],
    "its own changes, too": [
        (A, "client tracking on"), (A, "get k"), (A, "set k 1"), (A, "get k"), (A, "incr k"),
        (A, "set k 5"), (A, "get k"), (A, "getdel k")],
    "but not with noloop": [
        (A, "client tracking on noloop"), (A, "get k"), (A, "set k 1"), (B, "set k 2"),
        (A, "get k"), (B, "set k 3"), (A, "client trackinginfo")],
    "behind the reply of a transaction": [
        (A, "client tracking on"), (A, "multi; get k; set k 1; get k; set l 1; get l; exec"),
        (B, "set k 2"), (B, "set l 2")],
    "writes that read are none": [
        (A, "client tracking on"), (A, "getset k 1"), (A, "getex k"), (A, "incr k"),
        (B, "set k 1"), (A, "hset h f v"), (B, "hset h f w")],
    "every kind of reading": [
        (A, "client tracking on"), (B, "sadd s 1 2"), (B, "zadd z 1 a"), (B, "rpush l a"),
        (A, "sinter s s2"), (A, "zrange z 0 -1"), (A, "llen l"), (A, "exists e1 e2"),
        (A, "object encoding s"), (A, "sort l by w_* get x_*"), (A, "type t"),
        (A, "zunion 2 u1 u2"), (B, "srem s 1"), (B, "set s2 x"), (B, "zadd z 2 a"), (B, "lpop l"),
        (B, "mset e1 1 e2 2"), (B, "set t 1"), (B, "rename t u1"), (B, "set u2 x"),
        (B, "copy u2 s2 replace")],
    "expiry": [
        (A, "client tracking on"), (B, "set k 1 px 1"), (A, "debug sleep 0.01"), (A, "get k"),
        (B, "set k 1"), (A, "get k"), (B, "pexpire k 100000"), (A, "get k"), (B, "persist k"),
        (A, "get k"), (B, "expire k -1")],
    "flush": [
        (A, "client tracking on"), (C, "client tracking on bcast prefix x"), (A, "get k"),
        (B, "flushall"), (B, "set k 1"), (A, "get k"), (A, "flushdb"), (A, "get k"),
        (A, "multi; flushdb; get k; exec"), (B, "set k 1"), (B, "swapdb 0 1")],
    "optin": [
        (A, "client tracking on optin"), (A, "get k"), (B, "set k 1"),
        (A, "client caching yes; get k; get l"), (B, "set k 2"), (B, "set l 2"),
        (A, "client caching yes; client trackinginfo; nosuch; client trackinginfo"),
        (A, "client caching yes; get; get k"), (B, "set k 2"),
        (A, "client caching yes; multi; get k; get l; exec; get m"), (B, "mset k 1 l 1 m 1"),
        (A, "multi; client caching yes; get k; get l; exec; get m"), (B, "mset k 1 l 1 m 1"),
        (A, "client caching yes; client id; get k; get l"), (B, "mset k 1 l 1"),
        (A, "client caching no"), (A, "client caching maybe")],
    "optout": [
        (A, "client tracking on optout"), (A, "get k"), (B, "set k 1"),
        (A, "client caching no; get k; get l"), (B, "set k 2"), (B, "set l 2"),
        (A, "client caching yes; client caching no; client trackinginfo")],
    "prefixes": [
        (A, "client tracking on bcast prefix user: prefix item:"), (A, "client trackinginfo"),
        (B, "set user:1 x"), (B, "set other x"), (B, "mset item:2 x user:2 x item:1 x item:2 y"),
        (A, "set user:3 x"), (A, "client tracking on bcast prefix zoo"), (B, "set zoo1 x"),
        (A, "client tracking on bcast prefix us"), (A, "client tracking on bcast prefix zoo12"),
        (A, "client trackinginfo"), (A, "client tracking off"), (B, "set user:1 x"),
        (A, "client trackinginfo")],
    "prefixes without one's own": [
        (A, "client tracking on bcast noloop"), (C, "client tracking on bcast prefix k"),
        (A, "set k 1"), (B, "set k 2"), (A, "client trackinginfo"),
        (A, "multi; set k 1; set l 1; exec"), (B, "flushall"), (B, "set k 1 px 1"),
        (B, "debug sleep 0.01"), (B, "get k")],
    "redirected": [
        (C, "subscribe __redis__:invalidate"), (A, "client tracking on redirect {2}"),
        (A, "client getredir"), (A, "client trackinginfo"), (A, "get k"), (B, "set k 1"),
        (A, "get k"), (A, "set k 2"), (B, "flushall"), (A, "get k"), (C, "unsubscribe"),
        (B, "set k 3")],
    "redirected to nobody": [
        (A, "client tracking on redirect {2}"), (A, "get k"), (C, "close"), (B, "set k 1"),
        (A, "client trackinginfo"), (A, "get k"), (B, "set k 1"), (A, "client getredir"),
        (A, "client tracking on"), (A, "client trackinginfo"), (A, "get k"), (B, "set k 1")],
    "bcast redirected": [
        (C, "subscribe __redis__:invalidate"), (A, "client tracking on bcast redirect {2}"),
        (B, "mset b 1 a 2"), (A, "set k 1"), (B, "flushdb")],
    "errors": [
        (A, "client tracking"), (A, "client tracking maybe"), (A, "client tracking on redirect 0"),
        (A, "client tracking on redirect"), (A, "client tracking on redirect x"),
        (A, "client tracking on redirect {1} redirect {2}"), (A, "client tracking on prefix a"),
        (A, "client tracking on bcast prefix a prefix ab"), (A, "client tracking on bcast optin"),
        (A, "client tracking on bcast prefix"), (A, "client tracking on optin optout"),
        (A, "client caching yes"), (A, "client getredir"), (A, "client trackinginfo"),
        (A, "client tracking on optin"), (A, "client tracking on optout"),
        (A, "client tracking on bcast"), (A, "client tracking off optout nosuch"),
        (A, "client tracking off bcast"), (A, "client tracking on noloop"), (A, "reset"),
        (A, "client trackinginfo"), (A, "client trackinginfo x")],
}


@pytest.mark.parametrize("protos", [(3, 2, 2), (3, 3, 3), (2, 2, 2)], ids=str)
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_conversation(both, name, protos):
    ours, theirs = (talk(server, protos, CONVERSATIONS[name]) for server in both)
    for who in range(3):
        assert ours[who] == theirs[who], (name, who)


def test_the_table_is_bounded(park):
    server = park.regent(tracking_table_max_keys=2)
    client, other = Client(server.port), Client(server.port)
    client.call("hello", 3)
    client.call("client", "tracking", "on")
    for key in ("k1", "k2", "k3"):
        client.call("get", key)
    assert client.read() == [b"invalidate", [b"k1"]]
    stats = server.info("stats")
    assert (stats["tracking_total_keys"], stats["tracking_total_items"]) == (2, 2)
    assert server.info("clients")["tracking_clients"] == 1
    other.call("mset", "k1", "v", "k3", "v")
    assert client.read() == [b"invalidate", [b"k3"]]
    client.close()
    eventually(lambda: server.info("stats")["tracking_total_keys"] == 0)
    eventually(lambda: server.info("clients")["tracking_clients"] == 0)


def test_eviction_is_told(park):
    server = park.regent(maxmemory_policy="allkeys-lru")
    client = Client(server.port)
    client.call("hello", 3)
    client.call("set", "k", "x" * 100000)
    client.call("client", "tracking", "on")
    client.call("get", "k")
    server.command_reply("config", "set", "maxmemory", "1")
    server.command_reply("ping")
    assert client.read() == [b"invalidate", [b"k"]]


@pytest.mark.parametrize("ours", [True, False], ids=["regent-first", "redis-first"])
def test_clients_of_a_replica_are_told(park, ours):
    primary = park.regent() if ours else park.redis()
    for follower in (park.regent, park.redis):
        replica = follower(replicaof=(primary.host, primary.port))
        eventually(lambda: replica.info("replication")["master_link_status"] == "up")
        client = Client(replica.port)
        client.call("hello", 3)
        client.call("client", "tracking", "on")
        client.call("get", "k")
        primary.command_reply("set", "k", "v")
        assert client.read() == [b"invalidate", [b"k"]]
