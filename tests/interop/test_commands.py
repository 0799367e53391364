"""What COMMAND says of the commands, beside a running redis-server."""

import pytest

from resp_client import Client, Map

# Whole families that stand elsewhere than in this table; the rest of Redis' commands is here.
ABSENT = {"acl", "asking", "cluster", "fcall", "fcall_ro", "function", "module", "readonly",
          "readwrite", "restore-asking"}
# WAITAOF is of Redis 7.2.
OWN = {"client|replication-mode", "group", "sentinel", "waitaof"}


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    from processes import Park
    park = Park(tmp_path_factory.mktemp("commands"))
    yield park.regent(), park.redis()
    park.close()


def ask(both, proto, *words):
    replies = []
    for server in both:
        client = Client(server.port)
        client.call("hello", proto)
        replies.append(client.call(*words))
        client.close()
    return replies


def container(name):
    return name.split(b"|")[0].decode()


def expected(name):
    return container(name) not in ABSENT and not container(name).startswith("x")


def own(name):
    return name.decode() in OWN or container(name) in OWN


def comparable(row):
    """A row of COMMAND INFO; the words of notes are ours, and Redis' sets have no order."""
    head, specs, subs = row[:6], row[8], row[9]
    forms = []
    for spec in specs:
        pairs = dict(spec if isinstance(spec, Map) else zip(spec[::2], spec[1::2]))
        assert isinstance(pairs.pop(b"notes", b"a text"), bytes)
        forms.append((b"notes" in spec or b"notes" in dict(spec if isinstance(spec, Map) else ()),
                      sorted(pairs.pop(b"flags")), pairs))
    head[2] = sorted(head[2])
    return head, sorted(row[6]), sorted(row[7]), forms, \
        {sub[0]: comparable(sub) for sub in subs if not own(sub[0]) and expected(sub[0])}


@pytest.mark.parametrize("proto", [2, 3])
def test_rows_are_those_of_redis(both, proto):
    ours, theirs = ({row[0]: row for row in rows} for rows in ask(both, proto, "command"))
    assert {name for name in theirs if expected(name)} == {name for name in ours if not own(name)}
    for name, row in ours.items():
        if not own(name):
            assert comparable(row) == comparable(theirs[name]), name


@pytest.mark.parametrize("filters", [
    [], ["filterby", "aclcat", "string"], ["FILTERBY", "ACLCAT", "DANGEROUS"],
    ["filterby", "aclcat", "connection"], ["filterby", "pattern", "*et*"],
    ["filterby", "pattern", "CONFIG|*"], ["filterby", "aclcat", "none"]])
def test_lists_name_subcommands_too(both, filters):
    ours, theirs = ask(both, 2, "command", "list", *filters)
    assert len(ours) == len(set(ours))
    assert {name for name in ours if not own(name)} == {name for name in theirs if expected(name)}


REQUESTS = """
set k v|set k v get|set k v ex 5 GET|set k|bitfield k get u8 0|bitfield k|bitfield k get
bitfield k get u8 0 set u8 0 1|sort k by w get x store d|sort k store|sort_ro k by a|copy a b
zunionstore d 2 a b|zdiffstore d 0 a|georadius k 1 1 1 m store d|georadiusbymember k 1 1 m store d
mset a b c d|mset a b c|msetnx a b c|get|ping x|nosuch x|config get x|config foo|publish c m
spublish c m|ssubscribe a b|blpop a b 0|blmpop 0 2 a b left|lmpop 0 a left|lmpop 5 a left
lmpop x a left|object encoding k|memory usage k|zmpop 1|pfcount a b|pfdebug getreg k|lcs a b
bitop and d a b|sintercard 2 a b limit 2|migrate h 1 k 0 5|migrate h 1 k 0 5 keys a
"""


@pytest.mark.parametrize("proto", [2, 3])
@pytest.mark.parametrize("command", ["getkeys", "getkeysandflags"])
def test_keys_among_the_words(both, proto, command):
    for request in REQUESTS.strip().replace("\n", "|").split("|"):
        ours, theirs = ask(both, proto, "command", command, *request.split())
        assert (type(ours), ours) == (type(theirs), theirs), request
    words = ["migrate", "h", "1", "", "0", "5", "auth", "keys", "copy", "KEYS", "a", "b"]
    ours, theirs = ask(both, proto, "command", command, *words)
    assert ours == theirs and len(ours) == 2


def test_any_number_of_keys(both):
    words = ["%s%d" % (kind, i) for i in range(3000) for kind in "kv"]
    ours, theirs = ask(both, 2, "command", "getkeys", "mset", *words)
    assert ours == theirs
    assert len(ours) == 3000
