"""Files of the RDB writer, as a real redis-server loads them. Its own files go through reader and
writer (tests/log/rdb_copy.c); what it finds in the copy must be what it saved."""

import glob
import os
import random
import shutil
import subprocess

from content import content, databases, differences
from processes import ROOT, eventually

import pytest

FIXTURES = os.path.join(ROOT, "tests", "log", "fixtures")
COPY = os.environ.get("RDB_COPY") or os.path.join(ROOT, "build", "tests", "log", "rdb_copy")
MODES = [[], ["uncompressed"], ["unchecked"], ["uncompressed", "unchecked"]]
LATER = 4102444800123


def copy(path, mode):
    with open(path, "rb") as file:
        done = subprocess.run([COPY, *mode], stdin=file, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def serving(park, data):
    """A redis-server that loaded the bytes."""
    server = park.redis(start=False)
    path = os.path.join(server.dir, "dump.rdb")
    with open(path, "wb") as file:
        file.write(data)
    check = subprocess.run(["redis-check-rdb", path], capture_output=True, text=True, check=False)
    assert check.returncode == 0 and "RDB looks OK" in check.stdout, check.stdout
    return server.start()


def fixtures():
    names = (os.path.basename(path) for path in glob.glob(os.path.join(FIXTURES, "*.rdb")))
    return sorted(name for name in names if name not in ("stream.rdb", "newer.rdb"))


@pytest.mark.parametrize("name", fixtures())
def test_a_copy_of_each_fixture_holds_the_same(park, name):
    path = os.path.join(FIXTURES, name)
    original = park.redis(start=False)
    shutil.copy(path, os.path.join(original.dir, "dump.rdb"))
    original.start()
    want = content(original)
    assert want or name == "empty.rdb"
    for mode in MODES:
        server = serving(park, copy(path, mode))
        assert not differences(want, content(server)), mode
        server.stop()


def value(rand):
    """Every way of storing a string: integers, noise, repetition, text, and lengths at the edges."""
    kind = rand.randrange(5)
    if kind == 0:
        edge = 1 << rand.choice([7, 8, 12, 15, 16, 23, 31, 32, 62])
        return b"%d" % (rand.choice([-1, 1]) * (edge + rand.randint(-2, 2)))
    size = rand.choice([0, 1, 3, 4, 5, 19, 20, 21, 63, 64, 200, 16383, 16384])
    if kind == 1:
        return rand.randbytes(size)
    if kind == 2:
        return bytes([rand.randrange(256)]) * size
    if kind == 3:
        return b"".join(rand.choice([b"lorem ", b"ipsum ", b"dolor "]) for _ in range(size // 6))
    return rand.choice([b"+1", b"-0", b"007", b" 1", b"1.5", b"-", b"99999999999999999999"])


def score(rand):
    return rand.choice([0, -1, 1.5, "inf", "-inf", 1e300, rand.random(), rand.randrange(1 << 53),
                        rand.randrange(-10, 10)])


def put(pipe, key, rand):
    """A value of any type but streams; small and large ones, of any encoding."""
    kind = rand.choice(["string", "list", "set", "ints", "zset", "hash"])
    count = rand.choice([1, 2, 10, 150, 600])
    if kind == "string":
        pipe.set(key, value(rand))
    elif kind == "list":
        large = rand.random() < 0.1
        pipe.rpush(key, *(value(rand)[:20000 if large else 300] for _ in range(count)))
    elif kind == "set":
        pipe.sadd(key, *(value(rand)[:100] for _ in range(count)))
    elif kind == "ints":
        width = rand.choice([100, 1 << 15, 1 << 31, 1 << 62])
        pipe.sadd(key, *(rand.randrange(-width, width) for _ in range(count)))
    elif kind == "zset":
        pipe.execute_command("ZADD", key, *(item for _ in range(count)
                                            for item in (score(rand), value(rand)[:80])))
    else:
        pipe.hset(key, mapping={value(rand)[:80]: value(rand)[:300] for _ in range(count)})


def fill(client, rand):
    for db in (0, 1, 9):
        pipe = client.pipeline(transaction=False)
        pipe.select(db)
        for number in range(150):
            key = b"%d:%s" % (number, value(rand)[:50])
            put(pipe, key, rand)
            if rand.random() < 0.3:
                pipe.pexpireat(key, LATER + number)
        pipe.set(b"x" * 200, value(rand))
        pipe.select(0)
        pipe.execute()


def encodings(server):
    """{(db, key): encoding}"""
    result = {}
    for db in databases(server):
        client = server.client(db=db)
        keys = list(client.scan_iter(count=1000))
        pipe = client.pipeline(transaction=False)
        for key in keys:
            pipe.object("encoding", key)
        result.update(zip(((db, key) for key in keys), pipe.execute()))
    return result


def test_a_copy_of_anything_holds_the_same(park, seed):
    rand = random.Random(seed)
    original = park.redis()
    client = original.client()
    fill(client, rand)
    client.save()
    want = content(original)
    assert len(want) >= 450
    path = os.path.join(original.dir, "dump.rdb")
    for mode in MODES:
        server = serving(park, copy(path, mode))
        assert not differences(want, content(server)), mode
        assert server.client().execute_command("DEBUG", "DIGEST") == \
            client.execute_command("DEBUG", "DIGEST")
        # What it saves of it is read back, too: a copy of the copy is the same.
        server.client().save()
        again = serving(park, copy(os.path.join(server.dir, "dump.rdb"), mode))
        assert not differences(want, content(again)), mode
        server.stop()
        again.stop()


def test_a_database_of_2_to_the_16_keys_and_sizes(park):
    """Counts that need the longer forms of a length."""
    original = park.redis()
    client = original.client()
    client.execute_command("DEBUG", "POPULATE", 70000, "key", 10)
    client.hset("table", mapping={str(i): i for i in range(17000)})
    client.set("large", random.Random(1).randbytes(3 << 20))
    client.save()
    server = serving(park, copy(os.path.join(original.dir, "dump.rdb"), []))
    assert server.client().dbsize() == 70002
    assert server.client().execute_command("DEBUG", "DIGEST") == \
        client.execute_command("DEBUG", "DIGEST")


def test_aux_fields_arrive(park):
    """repl-id, repl-offset and repl-stream-db are what replication goes on with after a restart."""
    primary = park.redis()
    replica = park.redis(replicaof=(primary.host, primary.port))
    eventually(lambda: replica.info("replication")["master_link_status"] == "up")
    client = primary.client(db=3)
    client.set("k", "v")
    client.save()
    before = primary.info("replication")
    server = serving(park, copy(os.path.join(primary.dir, "dump.rdb"), []))
    after = server.info("replication")
    assert after["master_replid2"] == before["master_replid"]
    assert 0 < after["second_repl_offset"] <= before["master_repl_offset"] + 1


@pytest.mark.parametrize("name", [name for name in fixtures() if not name.startswith("version")]
                         + ["version2.rdb", "version9.rdb"])
def test_regent_starts_with_each_fixture(park, name):
    """What Regent loads at its start is what redis-server loads of the same file."""
    servers = [park.redis(start=False), park.regent(start=False)]
    for server in servers:
        shutil.copy(os.path.join(FIXTURES, name), os.path.join(server.dir, "dump.rdb"))
        server.start()
    assert not differences(content(servers[0]), content(servers[1]))
    warned = "function libraries, which are not loaded" in servers[1].log()
    assert warned == (name == "functions.rdb")


def test_there_and_back_again(park, seed):
    """Redis' file loaded by Regent, and Regent's by Redis: the same values in the same encodings."""
    rand = random.Random(seed)
    original = park.redis()
    fill(original.client(), rand)
    want, forms = content(original), encodings(original)
    assert len(want) >= 450
    original.client().save()
    regent = park.regent(start=False)
    shutil.copy(os.path.join(original.dir, "dump.rdb"), os.path.join(regent.dir, "dump.rdb"))
    regent.start()
    assert not differences(want, content(regent))
    assert encodings(regent) == forms
    regent.client().shutdown(save=True)
    assert regent.wait() == 0
    with open(os.path.join(regent.dir, "dump.rdb"), "rb") as file:
        again = serving(park, file.read())
    assert not differences(want, content(again))
    assert encodings(again) == forms
    digests = [server.client().execute_command("DEBUG", "DIGEST") for server in (original, again)]
    assert digests[0] == digests[1]


def test_redis_starts_with_what_regent_saved(park, seed):
    rand = random.Random(seed)
    regent = park.regent()
    fill(regent.client(), rand)
    want, forms = content(regent), encodings(regent)
    assert len(want) >= 450
    regent.client().shutdown(save=True)
    assert regent.wait() == 0
    with open(os.path.join(regent.dir, "dump.rdb"), "rb") as file:
        server = serving(park, file.read())
    assert not differences(want, content(server))
    assert encodings(server) == forms


def test_dumped_by_one_and_restored_by_the_other(park, seed):
    rand = random.Random(seed)
    servers = [park.redis(), park.regent()]
    fill(servers[0].client(), rand)
    servers[0].client().save()
    servers[1].stop()
    shutil.copy(os.path.join(servers[0].dir, "dump.rdb"), os.path.join(servers[1].dir, "dump.rdb"))
    servers[1].start()
    for source, target in (servers, servers[::-1]):
        for db in databases(source):
            sender, receiver = source.client(db=db), target.client(db=db)
            keys = sorted(sender.scan_iter(count=1000))
            receiver.flushdb()
            for start in range(0, len(keys), 50):
                pipe = sender.pipeline(transaction=False)
                for key in keys[start:start + 50]:
                    pipe.dump(key)
                    pipe.execute_command("PEXPIRETIME", key)
                got = pipe.execute()
                pipe = receiver.pipeline(transaction=False)
                for key, payload, at in zip(keys[start:], got[::2], got[1::2]):
                    pipe.restore(key, max(at, 0), payload, absttl=True)
                assert all(reply == b"OK" for reply in pipe.execute())
        assert encodings(source) == encodings(target)
        assert not differences(content(source), content(target))


@pytest.mark.parametrize("primary", ["redis", "regent"])
def test_a_full_resync_brings_all_types(park, seed, primary):
    rand = random.Random(seed)
    first = park.redis() if primary == "redis" else park.regent()
    fill(first.client(), rand)
    address = (first.host, first.port)
    replicas = [park.regent(replicaof=address)]
    if primary == "regent":
        replicas.append(park.redis(replicaof=address))
    for replica in replicas:
        eventually(lambda: replica.info("replication")["master_link_status"] == "up")
        assert not differences(content(first), content(replica))
        assert encodings(first) == encodings(replica)


@pytest.mark.parametrize("primary", ["redis", "regent"])
def test_restore_is_replicated(park, primary):
    first = park.redis() if primary == "redis" else park.regent()
    address = (first.host, first.port)
    replicas = [park.regent(replicaof=address)]
    if primary == "regent":
        replicas.append(park.redis(replicaof=address))
    for replica in replicas:
        eventually(lambda: replica.info("replication")["master_link_status"] == "up")
    client = first.client()
    client.rpush("list", *range(300))
    client.set("past", "gone")
    payload = client.dump("list")
    client.restore("copy", 0, payload)
    client.restore("due", 10_000_000, payload)
    client.restore("due", 20_000_000, payload, replace=True, idletime=7)
    client.restore("until", LATER, payload, absttl=True)
    client.restore("past", 1, payload, replace=True, absttl=True)
    client.restore("never", 1, payload, absttl=True)
    assert sorted(client.keys()) == [b"copy", b"due", b"list", b"until"]
    for replica in replicas:
        eventually(lambda: replica.client().exists("until", "past") == 1)
        assert not differences(content(first), content(replica))
        assert replica.client().execute_command("PEXPIRETIME", "due") == \
            client.execute_command("PEXPIRETIME", "due")


def test_debug_reload_changes_nothing(park, seed):
    regent = park.regent()
    fill(regent.client(), random.Random(seed))
    want, forms = content(regent), encodings(regent)
    before = regent.client().execute_command("DEBUG", "DIGEST")
    regent.client().execute_command("DEBUG", "RELOAD")
    assert regent.client().execute_command("DEBUG", "DIGEST") == before
    assert content(regent) == want and encodings(regent) == forms
