"""A deployment watched by Sentinels: a primary with replicas, and sentinel processes of either kind.

    with Deployment(tmp_path, data=("regent",) * 3, sentinels=("redis",) * 3) as deployment:
        deployment.primary()            # as the sentinels say

`net=True` gives data node i and sentinel i one network namespace together, the topology of three
machines: deployment.cut(i) takes both away.
"""

import os
import shutil
import subprocess
import threading
import time

import redis
from redis.sentinel import MasterNotFoundError, Sentinel

from netns import Net
from processes import HOST, Server, eventually, free_port, redis_command, regent_command

NAME = "orders"
DOWN_AFTER_MS = 1000
# Sentinels ask and tell more often than by default, so that a round takes seconds.
TIMERS_MS = {"info-period": 500, "publish-period": 200, "ping-period": 300, "ask-period": 200,
             "min-link-reconnect-period": 2000}
DATA_PORT, SENTINEL_PORT = 6379, 26379  # where each machine has a namespace


def sentinel_command(kind):
    if kind == "redis":
        return redis_command()
    binary = os.environ.get("REGENT_SENTINEL") or regent_command()[0]
    return [binary, "sentinel"]


def have_sentinels(kinds):
    """Does this build know `regent sentinel`, where it is asked for?"""
    if "regent" not in kinds:
        return True
    if shutil.which(sentinel_command("regent")[0]) is None:
        return False
    said = subprocess.run([regent_command()[0], "help"], capture_output=True, text=True,
                          check=False)
    return "regent sentinel" in said.stdout + said.stderr


class SentinelProcess(Server):
    def __init__(self, kind, name, folder, monitored, host=HOST, port=None, prefix=(),
                 announce=None):
        super().__init__(name, sentinel_command(kind), folder, host=host, port=port)
        self.kind = kind
        self.prefix = list(prefix)
        lines = [f"port {self.port}", f"bind {host}", f"dir {self.dir}", "protected-mode no",
                 f"sentinel monitor {NAME} {monitored.host} {monitored.port} 2",
                 f"sentinel down-after-milliseconds {NAME} {DOWN_AFTER_MS}",
                 # Who loses an election tries again after twice this.
                 f"sentinel failover-timeout {NAME} 3000",
                 f"sentinel parallel-syncs {NAME} 2", *(announce or [])]
        self.path = os.path.join(self.dir, "sentinel.conf")
        with open(self.path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")

    def argv(self):
        words = [*self.prefix, *self.command, self.path]
        return words + ["--sentinel"] if self.kind == "redis" else words

    def start(self, **how):
        super().start(**how)
        words = [word for pair in TIMERS_MS.items() for word in pair]
        assert self.command_reply("SENTINEL", "DEBUG", *words) == b"OK"
        return self


class DataNode(Server):
    def __init__(self, kind, name, folder, host, port, prefix, **options):
        command = regent_command() if kind == "regent" else redis_command()
        super().__init__(name, command, folder, host=host, port=port, repl_timeout=10,
                         repl_backlog_size="16mb", protected_mode="no", **options)
        self.kind = kind
        self.prefix = prefix

    def argv(self):
        # Its folder holds what CONFIG REWRITE of the sentinels wrote: role and primary.
        path = os.path.join(self.dir, "server.conf")
        if not os.path.exists(path):
            with open(path, "w", encoding="utf-8") as file:
                for name, value in {"port": self.port, "bind": self.host, "dir": self.dir,
                                    **self.options}.items():
                    text = f'"{value}"' if value == "" else value
                    file.write(f"{name.replace('_', '-')} {text}\n")
        return [*self.prefix, *self.command, path]

    def role(self):
        return self.info_text("replication")["role"]


class Deployment:
    def __init__(self, folder, data=("regent",) * 3, sentinels=("redis",) * 3, net=False,
                 **options):
        self.folder = str(folder)
        self.kinds, self.sentinel_kinds = data, sentinels
        self.net = Net(max(len(data), len(sentinels))) if net else None
        self.options = options
        self.nodes, self.sentinels = [], []

    def __enter__(self):
        try:
            if self.net:
                self.net.__enter__()
                self.net.enter()
            self.build()
        except BaseException:
            self.print_logs()
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.print_logs()
        self.close()

    def place(self, index, port):
        """Host, port and what goes before the command of a process of machine `index`."""
        if self.net:
            return self.net.address(index), port, self.net.command(index)
        return HOST, free_port(), []

    def build(self):
        for index, kind in enumerate(self.kinds):
            host, port, prefix = self.place(index, DATA_PORT)
            options = dict(self.options)
            if index > 0:
                options["replicaof"] = f"{self.nodes[0].host} {self.nodes[0].port}"
            self.nodes.append(DataNode(kind, f"{kind}{index}",
                                       os.path.join(self.folder, f"data{index}"), host, port,
                                       prefix, **options).start())
        for index, kind in enumerate(self.sentinel_kinds):
            host, port, prefix = self.place(index, SENTINEL_PORT)
            sentinel = SentinelProcess(kind, f"sentinel-{kind}{index}",
                                       os.path.join(self.folder, f"sentinel{index}"),
                                       self.nodes[0], host, port, prefix)
            self.sentinels.append(sentinel.start())
        self.wait_whole()

    def close(self):
        for server in (*self.sentinels, *self.nodes):
            server.close()
        if self.net:
            self.net.close()

    def print_logs(self, lines=60):
        for server in (*self.nodes, *self.sentinels):
            print(f"---- {server.name} ({server.host}:{server.port})\n{server.log(lines)}")

    # ---- What they say ----

    def addresses(self):
        return [(sentinel.host, sentinel.port) for sentinel in self.sentinels]

    def client(self, sentinels=None, **options):
        """redis-py's Sentinel client."""
        options.setdefault("socket_timeout", 0.5)
        return Sentinel([(one.host, one.port) for one in sentinels or self.sentinels],
                        sentinel_kwargs={"socket_timeout": 0.5}, **options)

    def node_at(self, address):
        return next(node for node in self.nodes if (node.host, node.port) == tuple(address))

    def primary(self, sentinel=None):
        """The node that this sentinel, or the first that answers, names; None."""
        try:
            asked = [sentinel] if sentinel else self.sentinels
            return self.node_at(self.client(asked).discover_master(NAME))
        except (MasterNotFoundError, redis.RedisError, StopIteration):
            return None

    def others(self, *nodes):
        return [node for node in self.nodes if node not in nodes]

    def settled(self):
        """All sentinels name one primary, which all other nodes follow, and know each other."""
        named = {self.primary(sentinel) for sentinel in self.sentinels}
        if len(named) != 1 or None in named:
            return None
        (primary,) = named
        fields = primary.info_text("replication")
        if fields["role"] != "master" or fields["connected_slaves"] != str(len(self.nodes) - 1):
            return None
        for node in self.others(primary):
            fields = node.info_text("replication")
            if (fields.get("master_port"), fields.get("master_host"),
                    fields.get("master_link_status")) != (str(primary.port), primary.host, "up"):
                return None
        for sentinel in self.sentinels:
            master = self.client([sentinel]).sentinels[0].sentinel_master(NAME)
            if (master["num-slaves"], master["num-other-sentinels"], master["flags"]) != \
                    (len(self.nodes) - 1, len(self.sentinels) - 1, "master"):
                return None
            # Who comes back counts as a candidate when it was heard of.
            replicas = self.client([sentinel]).sentinels[0].sentinel_slaves(NAME)
            if any(replica["flags"] != "slave" or replica["master-link-status"] != "ok"
                   for replica in replicas):
                return None
        return primary

    def wait_whole(self, timeout=60):
        return eventually(self.settled, timeout)

    def wait_primary(self, other_than, sentinels=None, timeout=60):
        def moved():
            named = {self.primary(sentinel) for sentinel in sentinels or self.sentinels}
            if len(named) != 1 or named & {None, other_than}:
                return None
            (primary,) = named
            return primary if primary.role() == "master" else None
        return eventually(moved, timeout)

    def cut(self, index):
        self.net.cut(index)

    def heal(self, index):
        self.net.heal(index)


class Writer:
    """Writes number after number through redis-py's Sentinel client, and remembers those that
    every replica there was had when it went on."""

    def __init__(self, deployment, sentinels=None, copies=2):
        self.deployment, self.copies = deployment, copies
        self.sentinels = sentinels
        self.acked = {}
        self.times = []  # of each write that was answered with OK
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        self._thread.join(60)

    def _run(self):
        client = self.deployment.client(self.sentinels).master_for(NAME)
        number = 0
        while not self._stop.is_set():
            key, value = f"w:{number}", f"value {number}"
            number += 1
            try:
                pipe = client.pipeline(transaction=False)
                pipe.set(key, value)
                pipe.execute_command("WAIT", self.copies, 300)
                done, copies = pipe.execute()
                if done:
                    self.times.append(time.monotonic())
                if done and copies >= self.copies:
                    self.acked[key] = value
            except (redis.RedisError, OSError):
                client.connection_pool.disconnect()
                time.sleep(0.02)

    def wait_acks(self, count, timeout=60):
        goal = len(self.acked) + count
        eventually(lambda: len(self.acked) >= goal, timeout)

    def wait_writes(self, count, timeout=60):
        goal = len(self.times) + count
        eventually(lambda: len(self.times) >= goal, timeout)

    def longest_gap(self):
        return max((b - a for a, b in zip(self.times, self.times[1:])), default=0)

    def check(self, node):
        """Everything that was acknowledged is there."""
        keys = list(self.acked)
        values = node.client().mget(keys) if keys else []
        missing = [key for key, value in zip(keys, values)
                   if value is None or value.decode() != self.acked[key]]
        assert not missing, f"{len(missing)} of {len(keys)} are missing: {missing[:10]}"
        return len(keys)
