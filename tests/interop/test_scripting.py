"""Scripts beside redis-server: the same replies and errors, effects on replicas, redis-py's own."""

import pytest
import redis

from conftest import eventually
from resp_client import Client, Error

SCRIPTS = [
    ("return {1, 2.9, 'three', {4, {5}}, true, false, nil, 8}", []),
    ("return redis.call('set', KEYS[1], ARGV[1])", [1, "k", "v"]),
    ("return redis.call('get', KEYS[1])", [1, "k"]),
    ("return redis.call('get', KEYS[1])", [1, "missing"]),
    ("return redis.call('lpush', KEYS[1], 1, 2.5, 'x')", [1, "list"]),
    ("return redis.call('lrange', KEYS[1], 0, -1)", [1, "list"]),
    ("return redis.call('lpush', 'k', 'x')", []),
    ("return redis.pcall('lpush', 'k', 'x')", []),
    ("return redis.pcall('lpush', 'k', 'x')['err']", []),
    ("local ok, e = pcall(redis.call, 'lpush', 'k', 'x') return {tostring(ok), e.err}", []),
    ("return redis.call('hset', 'h', 'a', 1)", []),
    ("return redis.call('hgetall', 'h')", []),
    ("redis.setresp(3) return redis.call('hgetall', 'h')", []),
    ("redis.setresp(3) return redis.call('hgetall', 'h').map.a", []),
    ("redis.call('zadd', 'z', 1.5, 'm') redis.setresp(3) return redis.call('zscore', 'z', 'm')", []),
    ("return redis.call('zscore', 'z', 'm')", []),
    ("redis.setresp(3) redis.call('sadd', 's', 'm') return redis.call('smembers', 's')", []),
    ("return redis.call('ping')", []),
    ("return redis.status_reply('FINE')", []),
    ("return redis.error_reply('no code')", []),
    ("return redis.error_reply('-MY code')", []),
    ("return {err='plain'}", []),
    ("return {double=1.25}", []),
    ("return {map={a={1, 2}}}", []),
    ("return {set={a=true}}", []),
    ("return {big_number='123456789012345678901234567890'}", []),
    ("return {verbatim_string={string='text', format='txt'}}", []),
    ("error('boom')", []),
    ("\n\nerror({err='MY boom'})", []),
    ("local t = nil\nreturn t.x", []),
    ("syntax error", []),
    ("return nowhere", []),
    ("global = 1", []),
    ("redis.call = nil", []),
    ("return redis.call('nosuchcommand')", []),
    ("return redis.call('get')", []),
    ("return redis.call()", []),
    ("return redis.call({})", []),
    ("return redis.call('blpop', 'nothing', 0)", []),
    ("return redis.call('brpoplpush', 'nothing', 'x', 0)", []),
    ("return redis.call('subscribe', 'x')", []),
    ("return redis.call('multi')", []),
    ("return redis.call('eval', 'return 1', 0)", []),
    ("return redis.call('select', 1) and redis.call('set', 'in1', 'x')", []),
    ("return redis.call('exists', 'in1')", []),
    ("#!lua\nreturn redis.call('set', KEYS[1], 'w')", [1, "k"]),
    ("#!lua flags=no-writes\nreturn redis.call('get', KEYS[1])", [1, "k"]),
    ("#!lua flags=no-writes\nreturn redis.call('set', KEYS[1], 'w')", [1, "k"]),
    ("#!lua flags=nonsense\nreturn 1", []),
    ("#!python\nreturn 1", []),
    ("#!lua name=x\nreturn 1", []),
    ("#!lua", []),
    ("return redis.sha1hex('abc')", []),
    ("return {redis.REDIS_VERSION_NUM, redis.LOG_WARNING, redis.REPL_ALL}", []),
    ("return redis.setresp(4)", []),
    ("return redis.log(9, 'x')", []),
    ("return redis.set_repl(77)", []),
    ("return redis.replicate_commands()", []),
    ("return cjson.encode({a=1})", []),
    ("return cjson.encode({1, 2, 'x', {b=true}})", []),
    ("return cjson.decode('{\"a\": [1, 2, {\"b\": null}]}').a[2]", []),
    ("return cjson.decode('not json')", []),
    *[("local s = cmsgpack.pack(%s) return {#s, s:gsub('.', function(c) return "
       "string.format('%%02x', c:byte()) end)}" % value, []) for value in (
           "1", "-1", "-33", "127", "128", "256", "65536", "4294967296", "-129", "-32769",
           "-2147483649", "1.5", "0.1", "1e300", "'text'", "('x'):rep(40)", "('x'):rep(300)",
           "('x'):rep(70000)", "true", "nil", "{}", "{1, 2, 3}", "{1, 'a', {true}}", "{a=1}",
           "{[3]=3}", "1, 2, 'x'", "print", "")],
    *[("return {cmsgpack.unpack(cmsgpack.pack(%s))}" % value, []) for value in (
        "1", "-1", "-33", "65536", "'text'", "('x'):rep(300)", "true", "{1, {2, {3}}}", "1, 2, 3",
        "-2147483648", "2147483648")],
    *[("return {%s}" % call, []) for call in (
        "cmsgpack.unpack('\\193')", "cmsgpack.unpack('\\217\\005abc')", "cmsgpack.unpack('')",
        "cmsgpack.unpack_one(cmsgpack.pack(1, 2, 3))", "cmsgpack.unpack_one(cmsgpack.pack(1))",
        "cmsgpack.unpack_one(cmsgpack.pack(1, 2, 3), 1)",
        "cmsgpack.unpack_limit(cmsgpack.pack(1, 2, 3), 2)",
        "cmsgpack.unpack_limit(cmsgpack.pack(1, 2, 3), 2, 2)",
        "cmsgpack.unpack_one('abc', 4)", "cmsgpack.unpack_one('abc', -1)",
        "cmsgpack.unpack_limit('abc', -1)", "cmsgpack.unpack(cmsgpack.pack({a={b={c=1}}})).a.b.c")],
    *[("local s = struct.pack(%s) return {#s, s:gsub('.', function(c) return "
       "string.format('%%02x', c:byte()) end)}" % words, []) for words in (
           "'>I2', 258", "'<I2', 258", "'b', -1", "'Hh', 1, -2", "'Ll', 1, -2", "'i3', -2", "'i9', 1",
           "'f', 1.5", "'>d', 0.1", "'s', 'text'", "'c2', 'text'", "'c0', 'text'", "'bxb', 1, 2",
           "'!4bi', 1, 2", "'!bl', 1, 2", "'! > b h', 1, 2", "'T', 5", "'i33', 1", "'!3b', 1", "'z', 1",
           "'c9', 'text'", "'b'", "'i99999999999', 1", "'<i', -3.7", "''")],
    *[("return {struct.unpack(%s)}" % words, []) for words in (
        "'>I2', '\\001\\002'", "'<i2', '\\255\\255'", "'b', '\\200'", "'B', '\\200'",
        "'I3', 'abc'", "'s', 'text\\0more'", "'s', 'text'", "'c2', 'text'", "'bc0', '\\003text'",
        "'c0', 'text'", "'i', 'abc'", "'bxb', 'abc'", "'b', 'abc', 2", "'b', 'abc', 0", "'b', 'abc', 9",
        "'!4bi', 'a\\0\\0\\0\\001\\0\\0\\0'", "'l', ('x'):rep(8)", "'y', 'x'")],
    *[("return struct.size(%s)" % words, []) for words in (
        "'i'", "'!4bi'", "'c5'", "'c0'", "'s'", "'bhl'", "'!bhl'", "'q'", "''")],
    ("return {struct.unpack('<f', struct.pack('<f', 1.5))[1]}", []),
    ("return tostring(struct.unpack('>d', struct.pack('>d', 0.1)))", []),
    ("return {bit.band(12, 10), bit.lshift(1, 4), bit.tohex(255)}", []),
    ("return {string.format('%5.2f|%s', 1.234, 'x'), ('x'):rep(3), #KEYS}", [2, "a", "b"]),
    ("return {type(loadstring('return 1')), loadstring('return 1')()}", []),
    ("return tostring(1e20)", []),
    ("return 1e20", []),
    ("return -3.99", []),
    ("return redis.call('echo', 0.1)", []),
    ("return redis.call('echo', 1e20)", []),
    ("return redis.call('echo', 10)", []),
    ("local t = {} for i = 1, 10 do t[i] = i * i end table.sort(t, function(a, b) return a > b end) "
     "return t", []),
    ("return math.floor(3.7) + math.max(1, 5)", []),
    ("return {KEYS[1], ARGV[1], ARGV[2]}", [1, "a", "b"]),
    ("return 1", [-1]),
    ("return 1", [2, "a"]),
    ("return 1", ["x"]),
]


@pytest.mark.parametrize("proto", [2, 3])
def test_replies_are_alike(park, proto):
    ours, theirs = (Client(server.port) for server in (park.regent(), park.redis()))
    for client in (ours, theirs):
        client.call("hello", proto)
    for name in ("eval", "eval_ro"):
        for body, words in SCRIPTS:
            replies = [client.call(name, body, *(words or [0])) for client in (ours, theirs)]
            assert repr(replies[0]) == repr(replies[1]), (name, body)


def test_cache(park):
    replies = []
    for server in (park.regent(), park.redis()):
        client = Client(server.port)
        sha = client.call("script", "load", "return ARGV[1]")
        replies.append([repr(reply) for reply in (
            sha, client.call("script", "exists", sha, "no"), client.call("evalsha", sha, 0, "x"),
            client.call("evalsha", sha.upper(), 0, "x"), client.call("evalsha_ro", sha, 0, "y"),
            client.call("script", "load", "no no"), client.call("script", "flush", "later"),
            client.call("script", "flush", "async"), client.call("evalsha", sha, 0, "x"),
            client.call("script", "kill"), client.call("script", "debug", "perhaps"))])
    assert replies[0] == replies[1]


def test_effects_reach_replicas(park):
    """One unit in the log, whatever the script said; a time to live as an absolute one."""
    body = """redis.call('set', 'a', '1', 'EX', 1000) redis.call('incr', 'a')
              redis.call('sadd', 's', 1, 2, 3, 4) redis.call('spop', 's')
              redis.set_repl(redis.REPL_NONE) redis.call('set', 'alone', 1)
              redis.set_repl(redis.REPL_ALL) redis.call('rpush', 'l', math.random(1000000))
              return redis.pcall('incr', 'l')"""
    ours = park.regent()
    followers = [park.redis(replicaof=(ours.host, ours.port)),
                 park.regent(replicaof=(ours.host, ours.port))]
    client = Client(ours.port)
    eventually(lambda: client.call("wait", 2, 100) == 2)
    assert isinstance(client.call("eval", body, 0), Error)
    assert client.call("wait", 2, 10000) == 2
    for follower in (Client(server.port) for server in followers):
        assert follower.call("lrange", "l", 0, -1) == client.call("lrange", "l", 0, -1)
        assert sorted(follower.call("smembers", "s")) == sorted(client.call("smembers", "s"))
        assert follower.call("get", "a") == b"2"
        assert follower.call("pexpiretime", "a") == client.call("pexpiretime", "a")
        assert follower.call("exists", "alone") == 0


def test_on_a_replica(park):
    replies = []
    for kind in (park.regent, park.redis):
        primary = kind()
        replica = kind(replicaof=(primary.host, primary.port))
        client = Client(replica.port)
        eventually(lambda: b"master_link_status:up" in client.call("info", "replication"))
        replies.append([repr(client.call("eval", body, 0)) for body in (
            "return redis.call('get', 'k')", "return redis.call('set', 'k', 'v')",
            "#!lua\nreturn redis.call('get', 'k')",
            "#!lua flags=no-writes\nreturn redis.call('get', 'k')")])
    assert replies[0] == replies[1]


def test_in_a_transaction(park):
    replies = []
    for server in (park.regent(), park.redis()):
        client = Client(server.port)
        replies.append([repr(client.call(*words)) for words in (
            ("multi",), ("set", "k", "1"), ("eval", "return redis.call('incr', 'k')", 0),
            ("get", "k"), ("eval", "return redis.call('lpush', 'k', 1)", 0), ("exec",))])
    assert replies[0] == replies[1]


def test_memory_limit(park):
    replies = []
    for server in (park.regent(), park.redis()):
        client = Client(server.port)
        client.call("set", "k", "v")
        client.call("config", "set", "maxmemory", "1")
        replies.append([repr(client.call("eval", body, 0)) for body in (
            "return redis.call('get', 'k')", "return redis.call('set', 'k', 'v')",
            "return redis.call('del', 'x')", "#!lua\nreturn 1",
            "#!lua flags=allow-oom\nreturn redis.call('set', 'k', 'w')",
            "#!lua flags=no-writes\nreturn redis.call('get', 'k')")])
    assert replies[0] == replies[1]


def test_lock_of_redis_py(park):
    """Its lock is released and extended by scripts."""
    server = park.regent()
    client = redis.Redis(port=server.port)
    lock = client.lock("node_lock", timeout=20)
    assert lock.acquire(blocking=False)
    assert not client.lock("node_lock", timeout=20).acquire(blocking=False)
    assert lock.extend(30) and client.ttl("node_lock") > 45
    assert lock.reacquire() and client.ttl("node_lock") <= 20
    lock.release()
    assert client.exists("node_lock") == 0
    with pytest.raises(redis.exceptions.LockError):
        lock.release()


def test_waiters_see_what_a_script_pushed(park):
    server = park.regent()
    waiter, client = Client(server.port), Client(server.port)
    waiter.send_all([(b"blpop", b"queue", b"0")])
    eventually(lambda: b"blocked_clients:1" in client.call("info", "clients"))
    client.call("eval", "redis.call('rpush', 'queue', 'a', 'b') return redis.call('lpop', 'queue')", 0)
    assert waiter.read_all([0]) == [[b"queue", b"b"]]
