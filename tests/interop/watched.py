"""Primaries with replicas, watched by sentinels: real processes of both programs in any mixture."""

import contextlib
import os
import time

import redis

from processes import HOST, ROOT, eventually, free_port, redis_command, regent_command

NAME = "mymaster"


def sentinel_command(kind):
    if kind == "redis":
        return redis_command()
    if os.environ.get("REGENT_CMD"):
        return regent_command()
    return [os.environ.get("REGENT") or os.path.join(ROOT, "build", "regent"), "sentinel"]


class Deployment:
    """data and sentinels: a kind ("regent", "redis") for each process; the first data node is the
    primary."""

    def __init__(self, park, data, sentinels, down_after=1000, extra=(), **options):
        self.park = park
        self.down_after = down_after
        self.extra = extra
        self.quorum = len(sentinels) // 2 + 1
        self.data = []
        for i, kind in enumerate(data):
            more = dict(options)
            if i > 0:
                more["replicaof"] = (HOST, self.data[0].port)
            # With a file: a change of role is written to it, as in a real deployment.
            self.data.append(park.add(kind, regent_command() if kind == "regent"
                                      else redis_command(), config="# its own\n", **more))
        self.first = self.data[0]
        self.sentinels = [self.add_sentinel(kind) for kind in sentinels]

    def config(self):
        lines = [f"sentinel monitor {NAME} {HOST} {self.first.port} {self.quorum}",
                 f"sentinel down-after-milliseconds {NAME} {self.down_after}",
                 f"sentinel failover-timeout {NAME} 20000", *self.extra]
        return "\n".join(lines) + "\n"

    def add_sentinel(self, kind, config=None, start=True):
        more = {"save": None, "enable_debug_command": None, "repl_diskless_sync_delay": None}
        if kind == "redis":
            more["sentinel"] = []
        return self.park.add(f"sentinel-{kind}", sentinel_command(kind),
                             config=config or self.config(), port=free_port(), start=start, **more)

    def ask(self, sentinel, *words):
        with redis.Redis(host=sentinel.host, port=sentinel.port, socket_timeout=5.0,
                         decode_responses=True) as client:
            return client.execute_command("SENTINEL", *words)

    def master(self, sentinel):
        with redis.Redis(host=sentinel.host, port=sentinel.port, socket_timeout=5.0,
                         decode_responses=True) as client:
            return client.sentinel_master(NAME)

    def live(self):
        return [server for server in self.sentinels if server.running()]

    def wait_whole(self, timeout=30.0):
        """Every sentinel knows all others and all replicas, and sees them up."""
        def whole():
            for server in self.live():
                with redis.Redis(host=server.host, port=server.port, socket_timeout=5.0,
                                 decode_responses=True) as client:
                    state = client.sentinel_master(NAME)
                    replicas = client.sentinel_slaves(NAME)
                    others = client.sentinel_sentinels(NAME)
                assert state["flags"] == "master", state["flags"]
                assert len(others) == len(self.sentinels) - 1, others
                assert all(other["flags"] == "sentinel" for other in others), others
                assert len(replicas) == len(self.data) - 1, replicas
                for replica in replicas:
                    assert replica["flags"] == "slave", replica
                    assert replica["master-link-status"] == "ok", replica
                    assert replica["slave-repl-offset"] > 0, replica
            return True
        eventually(whole, timeout)

    def at(self, address):
        return next(server for server in self.data if server.port == int(address[1]))

    def primary(self):
        """As all sentinels that run say; None while they differ."""
        found = {tuple(self.ask(server, "get-master-addr-by-name", NAME)) for server in self.live()}
        return self.at(found.pop()) if len(found) == 1 else None

    def write(self, timeout=30.0, value="x"):
        """Writes as a client does that asks the sentinels who is primary, until it is taken.
        Returns how long that took, in seconds, and who took it."""
        began = time.monotonic()
        while time.monotonic() - began < timeout:
            for server in self.live():
                with contextlib.suppress(redis.RedisError, OSError):
                    node = self.at(self.ask(server, "get-master-addr-by-name", NAME))
                    with redis.Redis(host=node.host, port=node.port, socket_timeout=0.5,
                                     socket_connect_timeout=0.5) as client:
                        client.set("written", value)
                        return time.monotonic() - began, node
            time.sleep(0.01)
        raise AssertionError(f"no write within {timeout} s")

    def wait_settled(self, primary, timeout=40.0):
        """All agree on the primary, and all other data nodes that run follow it."""
        def settled():
            assert self.primary() is primary
            for node in self.data:
                if not node.running():
                    continue
                info = node.info("replication")
                if node is primary:
                    assert info["role"] == "master", (node, info)
                else:
                    assert info["role"] == "slave", (node, info)
                    assert info["master_port"] == primary.port, (node, info)
                    assert info["master_link_status"] == "up", (node, info)
            return True
        eventually(settled, timeout, interval=0.1)
