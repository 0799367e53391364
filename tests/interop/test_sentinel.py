"""Sentinels over data nodes, of both programs in any mixture: failover, convergence, files."""

import re
import time

import pytest
import redis

from processes import HOST, eventually
from watched import NAME, Deployment

MIXTURES = {
    "regent-over-redis": (["redis"] * 3, ["regent"] * 3),
    "redis-over-regent": (["regent"] * 3, ["redis"] * 3),
    "two-redis-one-regent": (["redis", "regent", "redis"], ["redis", "redis", "regent"]),
    "two-regent-one-redis": (["redis", "regent", "redis"], ["regent", "regent", "redis"]),
}


@pytest.fixture(params=MIXTURES, ids=str)
def mixture(request, park):
    data, sentinels = MIXTURES[request.param]
    # Redis' sentinels PING once a second, also a primary that has just been promoted: where that is
    # all the time there is, they now and then hold it for down, and move on to another one.
    deployment = Deployment(park, data, sentinels, 3000 if "redis" in sentinels else 1000)
    deployment.wait_whole()
    return deployment


def test_kill(mixture):
    """kill -9: another one takes writes; the old one comes back as a replica."""
    old = mixture.primary()
    old.kill()
    took, node = mixture.write()
    print(f"kill -9 to the next write: {took:.3f} s")
    assert node is not old
    mixture.wait_settled(node)
    old.start()
    mixture.wait_settled(node, 60.0)


def test_halted(park):
    """SIGSTOP: nothing is refused, only silent."""
    deployment = Deployment(park, ["redis"] * 3, ["regent"] * 3, down_after=600)
    deployment.wait_whole()
    old = deployment.primary()
    old.pause()
    took, node = deployment.write()
    print(f"SIGSTOP to the next write: {took:.3f} s")
    assert node is not old
    old.resume()
    deployment.wait_settled(node, 60.0)


# ---- What clients are told: asked of both programs ----

REQUESTS = """
SENTINEL
SENTINEL nothing
SENTINEL master
SENTINEL master nope
SENTINEL replicas nope
SENTINEL slaves nope
SENTINEL sentinels nope
SENTINEL get-master-addr-by-name nope
SENTINEL get-master-addr-by-name mymaster
SENTINEL ckquorum nope
SENTINEL ckquorum mymaster
SENTINEL failover nope
SENTINEL failover mymaster
SENTINEL monitor a b c d
SENTINEL monitor a 127.0.0.1 c 1
SENTINEL monitor a 127.0.0.1 6379 0
SENTINEL monitor a 127.0.0.1 6379 x
SENTINEL monitor mymaster 127.0.0.1 6379 1
SENTINEL monitor b localhost 6379 1
SENTINEL monitor b 127.0.0.1 70000 1
SENTINEL monitor b 127.0.0.1 1 1
SENTINEL remove b
SENTINEL remove nope
SENTINEL reset zz*
SENTINEL reset a b
SENTINEL set nope quorum 1
SENTINEL set mymaster quorum 0
SENTINEL set mymaster quorum x
SENTINEL set mymaster quorum
SENTINEL set mymaster foo 1
SENTINEL set mymaster notification-script /tmp/x
SENTINEL set mymaster down-after-milliseconds 0
SENTINEL set mymaster down-after-milliseconds 3000 parallel-syncs 2
SENTINEL set mymaster rename-command config x
SENTINEL set mymaster auth-pass ""
SENTINEL config get *
SENTINEL config get ann*
SENTINEL config get
SENTINEL config set foo bar
SENTINEL config set resolve-hostnames maybe
SENTINEL config set announce-port x
SENTINEL config set announce-port 0
SENTINEL config
SENTINEL config foo
SENTINEL debug
SENTINEL debug foo 1
SENTINEL debug info-period
SENTINEL debug info-period 0
SENTINEL debug info-period 10000
SENTINEL debug info-period 10000 foo
SENTINEL simulate-failure help
SENTINEL simulate-failure foo
SENTINEL simulate-failure
SENTINEL pending-scripts
SENTINEL is-master-down-by-addr 127.0.0.1 1 0 *
SENTINEL is-master-down-by-addr 127.0.0.1 1 x *
SENTINEL is-master-down-by-addr 127.0.0.1 x 0 *
SENTINEL flushconfig
ROLE
GET x
SELECT 1
CONFIG GET *
MULTI
QUIT
PUBLISH foo bar
PUBLISH __sentinel__:hello bar
""".strip().splitlines()


def answer(server, line, protocol):
    """The raw bytes of the reply; the connection is new."""
    with server.socket() as link:
        file = link.makefile("rb")
        if protocol == 3:
            link.sendall(b"HELLO 3\r\n")
            read_reply(file)
        link.sendall(line.encode() + b"\r\n")
        return read_reply(file)


def read_reply(file):
    head = file.readline()
    assert head.endswith(b"\r\n"), head
    kind, rest = head[:1], head[1:-2]
    if kind == b"$" and rest != b"-1":
        return [head, file.read(int(rest) + 2)]
    if kind in b"*%" and rest != b"-1":
        return [head] + [read_reply(file) for _ in range(int(rest) * (2 if kind == b"%" else 1))]
    return [head]


@pytest.mark.parametrize("protocol", [2, 3])
def test_replies_as_redis(park, protocol):
    deployment = Deployment(park, ["redis"], ["redis", "regent"], down_after=30000)
    eventually(lambda: all(deployment.master(server)["num-other-sentinels"] == 1
                           for server in deployment.sentinels), 20.0)
    different = []
    for line in REQUESTS:
        theirs, ours = (answer(server, line, protocol) for server in deployment.sentinels)
        if theirs != ours:
            different.append((line, theirs, ours))
    assert not different, "\n".join(map(str, different))


def test_fields_as_redis(park):
    """The same fields, in the same order."""
    deployment = Deployment(park, ["redis", "redis"], ["redis", "regent"], down_after=30000)
    deployment.wait_whole()
    for words in (["masters"], ["replicas", NAME], ["sentinels", NAME]):
        found = []
        for server in deployment.sentinels:
            with redis.Redis(host=server.host, port=server.port, decode_responses=True) as client:
                # Past redis-py's parsers, which make dicts of them.
                client.response_callbacks.clear()
                found.append([item[::2] for item in client.execute_command("SENTINEL", *words)])
        assert found[0] == found[1], words
    titles = [[line for line in server.command_reply("INFO").splitlines() if line.startswith("#")]
              if isinstance(server.command_reply("INFO"), str) else list(server.info("sentinel"))
              for server in deployment.sentinels]
    assert titles[0] == titles[1]


def test_file_goes_back_and_forth(park):
    """A file written by one program is read by the other, with all that is in it."""
    deployment = Deployment(park, ["redis", "redis"], ["regent", "redis"],
                            extra=["sentinel auth-pass mymaster secret",
                                   "sentinel rename-command mymaster FLUSHALL GUESSED"])
    def known():
        for server in deployment.sentinels:
            with open(f"{server.dir}/server.conf", encoding="utf-8") as file:
                text = file.read()
            assert "known-replica mymaster" in text and "known-sentinel mymaster" in text, text
        return True
    eventually(known, 30.0)
    ids = []
    for server in deployment.sentinels:
        ids.append(deployment.ask(server, "myid"))
        server.stop()
    for server, text_id in zip(deployment.sentinels, ids):
        with open(f"{server.dir}/server.conf", encoding="utf-8") as file:
            text = file.read()
        assert f"sentinel myid {text_id}" in text
        assert text.startswith("sentinel monitor mymaster"), text
        # The comment and the lines that are not the sentinel's stay.
        other = deployment.add_sentinel("redis" if "regent" in server.name else "regent",
                                        config=text)
        assert deployment.ask(other, "myid") == text_id
        state = deployment.master(other)
        assert state["num-slaves"] == 1 and state["num-other-sentinels"] == 1, state
        other.stop()


def test_scripts(park, tmp_path):
    """Called with what Redis' Sentinel passes; the configuration of one that is not there fails."""
    script = tmp_path / "told.sh"
    script.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/told\n')
    script.chmod(0o755)
    deployment = Deployment(park, ["redis", "redis"], ["regent"], down_after=500,
                            extra=[f"sentinel notification-script {NAME} {script}",
                                   f"sentinel client-reconfig-script {NAME} {script}"])
    deployment.wait_whole()
    old, new = deployment.data
    old.kill()
    _, node = deployment.write()
    assert node is new

    def told():
        text = (tmp_path / "told").read_text()
        assert f"+odown master {NAME} {HOST} {old.port} #quorum 1/1" in text, text
        assert f"{NAME} leader start {HOST} {old.port} {HOST} {new.port}" in text, text
        return True
    eventually(told, 20.0)


def test_vote_is_on_disk(park):
    """What was told is in the file, whatever happens next."""
    deployment = Deployment(park, ["redis"], ["regent"], down_after=30000)
    server = deployment.sentinels[0]
    port = deployment.first.port
    voted = deployment.ask(server, "is-master-down-by-addr", HOST, port, 7, "a" * 40)
    server.kill()
    assert voted == [0, "a" * 40, 7]
    with open(f"{server.dir}/server.conf", encoding="utf-8") as file:
        text = file.read()
    assert f"sentinel leader-epoch {NAME} 7" in text and "sentinel current-epoch 7" in text
    server.start()
    assert deployment.ask(server, "is-master-down-by-addr", HOST, port, 7, "b" * 40)[1] == "*"
