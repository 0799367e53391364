"""maxmemory with every policy: memory stays below the limit, the right keys go, replicas lose the
same ones. What holds of Regent is asked of redis-server too, where the same question has an answer
there."""

import pytest
import redis

from processes import eventually

LIMIT = 24 * 1024 * 1024
VALUE = b"x" * 1000
POLICIES = ["volatile-lru", "volatile-lfu", "volatile-random", "volatile-ttl",
            "allkeys-lru", "allkeys-lfu", "allkeys-random"]


@pytest.fixture(params=["regent", "redis_server"])
def server(request):
    return request.getfixturevalue(request.param)


def fill(client, count, prefix="key", expires=False, start=0):
    pipe = client.pipeline(transaction=False)
    for i in range(start, start + count):
        pipe.set(f"{prefix}:{i}", VALUE, ex=10000 + i if expires else None)
        if i % 500 == 499:
            pipe.execute()
    pipe.execute()


def limit_at(client, policy, spare=3 * 1024 * 1024, **more):
    """Sets the limit a little above what is used now."""
    used = client.info("memory")["used_memory"]
    client.config_set("maxmemory-policy", policy)
    for name, value in more.items():
        client.config_set(name.replace("_", "-"), value)
    client.config_set("maxmemory", used + spare)
    return used + spare


@pytest.mark.parametrize("policy", POLICIES)
def test_memory_stays_below_the_limit(server, policy):
    client = server().client()
    limit = limit_at(client, policy)
    fill(client, 12000, expires=True)
    # Buffers of connections count too, as of the last look at them, which is a tenth of a second ago.
    info = eventually(lambda: (now := client.info())["used_memory"] <= limit * 1.02 and now)
    assert info["evicted_keys"] > 1000
    assert info["db0"]["keys"] == 12000 - info["evicted_keys"]


def test_noeviction_refuses_what_needs_memory_and_serves_the_rest(server):
    client = server().client()
    limit_at(client, "noeviction", spare=2 * 1024 * 1024)
    with pytest.raises(redis.ResponseError, match="OOM command not allowed when used memory"):
        for i in range(4000):
            client.set(f"key:{i}", VALUE)
    assert client.get("key:0") == VALUE
    with pytest.raises(redis.ResponseError, match="OOM"):
        client.hset("h", "f", "v")
    assert client.delete(*[f"key:{i}" for i in range(400)]) == 400
    assert client.set("again", "1")
    assert client.info("stats")["evicted_keys"] == 0


@pytest.mark.parametrize("policy", ["volatile-lru", "volatile-ttl", "volatile-random"])
def test_volatile_policies_leave_keys_without_expiry_alone(server, policy):
    client = server().client()
    fill(client, 1500, prefix="stays")
    limit_at(client, policy)
    fill(client, 4000, prefix="goes", expires=True)
    assert client.exists(*[f"stays:{i}" for i in range(1500)]) == 1500
    with pytest.raises(redis.ResponseError, match="OOM"):
        fill(client, 6000, prefix="more")


def test_volatile_ttl_takes_what_expires_first(regent):
    client = regent().client()
    limit_at(client, "volatile-ttl")
    fill(client, 6000, expires=True)
    left = sorted(int(key.split(b":")[1]) for key in client.keys("key:*"))
    assert left == list(range(6000 - len(left), 6000))


def test_lfu_keeps_what_is_used_often(server):
    client = server().client()
    # A megabyte more: the replies to a thousand GETs at once take one, which counts, too.
    limit_at(client, "allkeys-lfu", spare=4 * 1024 * 1024, maxmemory_samples=10)
    fill(client, 1000, prefix="hot")
    pipe = client.pipeline(transaction=False)
    for _ in range(40):
        for i in range(1000):
            pipe.get(f"hot:{i}")
        pipe.execute()
    fill(client, 10000, prefix="cold")
    kept = client.exists(*[f"hot:{i}" for i in range(1000)])
    assert kept > 900, f"{kept} of 1000 keys that were read 40 times are left"
    assert client.object("freq", "hot:7") > 5


def test_lru_keeps_what_was_used_lately(server):
    started = server()
    client = started.client()
    limit_at(client, "allkeys-lru", spare=6 * 1024 * 1024, maxmemory_samples=10)
    fill(client, 2000, prefix="old")
    fill(client, 1500, prefix="used")
    eventually(lambda: client.object("idletime", "old:1") >= 2, timeout=10)
    client.mget([f"used:{i}" for i in range(1500)])
    fill(client, 4700, prefix="new")
    used = client.exists(*[f"used:{i}" for i in range(1500)])
    old = client.exists(*[f"old:{i}" for i in range(2000)])
    assert used > 1000 and old < 700, f"{used} of 1500 used, {old} of 2000 unused keys are left"


def test_object_tells_what_the_policy_tracks(server):
    client = server().client()
    client.set("key", "value")
    assert client.object("idletime", "key") == 0
    with pytest.raises(redis.ResponseError, match="An LFU maxmemory policy is not selected"):
        client.object("freq", "key")
    client.config_set("maxmemory-policy", "allkeys-lfu")
    with pytest.raises(redis.ResponseError, match="An LFU maxmemory policy is selected"):
        client.object("idletime", "key")
    client.set("fresh", "value")
    assert client.object("freq", "fresh") == 5


def test_a_replica_loses_the_same_keys(regent, redis_server):
    primary = regent()
    replicas = [regent(replicaof=f"127.0.0.1 {primary.port}"),
                redis_server(replicaof=f"127.0.0.1 {primary.port}", maxmemory="1mb",
                             maxmemory_policy="allkeys-random")]
    client = primary.client()
    for replica in replicas:
        eventually(lambda r=replica: r.client().info("replication")["master_link_status"] == "up",
                   timeout=20)
    limit_at(client, "allkeys-lru", spare=6 * 1024 * 1024)
    fill(client, 12000)
    assert client.info("stats")["evicted_keys"] > 1000
    for replica in replicas:
        eventually(lambda r=replica: r.client().dbsize() == client.dbsize(), timeout=20)
        assert set(replica.client().keys("*")) == set(client.keys("*"))
