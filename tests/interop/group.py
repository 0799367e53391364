"""A group of real Regent processes, and clients that watch what it promises.

    with Group(tmp_path, mode="quorum") as group:           # three nodes on loopback
        primary = group.wait_primary()
        with Writer(group) as writer:
            writer.wait_acks(100)
            primary.kill()
            ...
        group.check_all(writer.acked)

`Group(..., net=True)` gives each node a network namespace of its own: group.cut(node) and
group.heal(node) pull and put back its cable. Where a block ends with an exception, the ends of all
nodes' logs are printed. Every process is ended by its pid.
"""

import contextlib
import os
import signal
import statistics
import threading
import time

import redis
from redis.sentinel import MasterNotFoundError, Sentinel

from netns import Net, inside
from processes import HOST, Server, eventually, free_port, regent_command

# A run that is told to end does so as at Ctrl-C: no processes or namespaces are left behind.
if threading.current_thread() is threading.main_thread():
    signal.signal(signal.SIGTERM, signal.default_int_handler)

ROUNDS = int(os.environ.get("ROUNDS", 2))
GROUP_PORT = 6379  # of every node, where each has a namespace


class Node(Server):
    """One member. Its file system is its folder, over restarts too."""

    def __init__(self, group, index, folder, **options):
        self.group = group
        self.index = index
        self.starts = 0
        net = group.net
        super().__init__(f"node{index}", regent_command(), folder,
                         port=GROUP_PORT if net else free_port(),
                         host=net.address(index) if net else HOST, **options)

    def argv(self):
        prefix = self.group.net.command(self.index) if self.group.net else []
        return prefix + super().argv()

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)
        # The signal is on its way; the process is stopped only when the kernel says so.
        eventually(lambda: self.state() == "T", 5)

    def state(self):
        with open(f"/proc/{self.pid}/stat", encoding="ascii") as file:
            return file.read().rsplit(")", 1)[1].split()[0]

    def terminate(self, timeout=15.0):
        """SIGTERM; the exit status."""
        self.process.send_signal(signal.SIGTERM)
        return self.wait(timeout)

    def group_info(self):
        return self.info_text("group")

    def role(self):
        return self.info_text("replication")["role"]

    def digest(self):
        return self.command_reply("DEBUG", "DIGEST")

    def wipe(self):
        """Removes all files, as a new disk would."""
        for name in os.listdir(self.dir):
            path = os.path.join(self.dir, name)
            if os.path.isfile(path) and path != self.log_path:
                os.unlink(path)


class Group:
    def __init__(self, folder, mode="quorum", size=3, net=False, name="orders", wait=True,
                 **options):
        self.name = name
        self.mode = mode
        self.size = size
        self.wait = wait
        self.net = Net(size) if net else None
        self.folder = str(folder)
        self.options = options
        self.nodes = []
        self.apart = set()  # who is cut off

    def __enter__(self):
        try:
            if self.net:
                self.net.__enter__()
                self.net.enter()
            self.build()
            for node in self.nodes:
                node.start()
            if self.wait:
                self.wait_whole()
        except BaseException:
            self.print_logs()
            self.close()
            raise
        return self

    def __exit__(self, kind, *_):
        if kind is not None:
            self.print_logs()
        self.close()

    def build(self):
        for index in range(self.size):
            self.nodes.append(Node(self, index, os.path.join(self.folder, f"node{index}")))
        members = [node.address for node in self.nodes]
        for node in self.nodes:
            node.options.update({"group_name": self.name, "group_members": members,
                                 "replication_mode": self.mode, **self.options})
            if self.net:
                # The test's own client stands beside the bridge, not on the node's loopback.
                node.options.setdefault("protected_mode", "no")

    def close(self):
        for node in self.nodes:
            node.close()
        if self.net:
            self.net.close()

    def print_logs(self, lines=150):
        for node in self.nodes:
            print(f"---- {node!r} {node.dir}\n{node.log(lines)}", flush=True)

    # ---- Who is who ----

    def primaries(self):
        """Whoever says so and can be asked."""
        found = []
        for node in self.nodes:
            if node.running() and node.state() != "T" and node not in self.apart:
                with contextlib.suppress(redis.RedisError, OSError, KeyError, AssertionError):
                    if node.role() == "master":
                        found.append(node)
        return found

    def wait_primary(self, timeout=10.0, other_than=None):
        """The one member that says it is primary and serves."""
        def one():
            found = [node for node in self.primaries() if node is not other_than]
            assert len(found) == 1, found
            # It serves: what is read waits for the mode's copies, so for the term's first record.
            found[0].command_reply("GET", "whatever")
            return found[0]
        return eventually(one, timeout, message="one primary")

    def others(self, *besides):
        return [node for node in self.nodes if node not in besides]

    def term(self, node):
        return int(node.group_info()["group_term"])

    def offset(self, node):
        return int(node.group_info()["group_offset"])

    def wait_whole(self, timeout=15.0):
        """A primary, all others its healthy followers with all of its log. Returns the primary."""
        def whole():
            primary = self.wait_primary(1.0)
            end = self.offset(primary)
            for node in self.nodes:
                info = node.info_text("everything")
                assert info["group_state"] == "healthy", info["group_state"]
                assert info["group_primary"] == primary.address, info["group_primary"]
                if node is not primary:
                    assert info["master_link_status"] == "up"
                    assert int(info["group_offset"]) >= end
            return primary
        return eventually(whole, timeout, message="a whole group")

    def wait_rejoined(self, node, timeout=15.0):
        eventually(lambda: node.running() and node.role() == "slave" and
                   node.info_text("replication")["master_link_status"] == "up" and
                   node.group_info()["group_state"] == "healthy", timeout,
                   message=lambda: f"{node} follows:\n{node.log(30)}")

    # ---- Faults ----

    def cut(self, node):
        self.net.cut(node.index)
        self.apart.add(node)

    def heal(self, node):
        self.net.heal(node.index)
        self.apart.discard(node)

    def inside(self, node):
        """In this block the thread is where the node is, in its namespace."""
        return inside(self.net.name(node.index)) if self.net else contextlib.nullcontext()

    # ---- What must hold ----

    def check_node(self, node, acked):
        """Every acknowledged write is on the node."""
        client = node.client()
        keys = list(acked)
        for at in range(0, len(keys), 500):
            part = keys[at:at + 500]
            values = client.mget(part)
            lost = [key for key, value in zip(part, values) if value != acked[key].encode()]
            assert not lost, (f"{len(lost)} acknowledged writes are not on {node}, the first: "
                              f"{lost[:5]}")

    def check_all(self, acked, timeout=15.0):
        """Every acknowledged write is on every node, and all hold the same data."""
        primary = self.wait_whole(timeout)
        for node in self.nodes:
            self.check_node(node, acked)

        def equal():
            digests = {node.name: node.digest() for node in self.nodes}
            assert len(set(digests.values())) == 1, digests
            return True
        eventually(equal, 5.0)
        return primary


def sentinel(group, timeout=0.25, nodes=None):
    """redis-py's Sentinel client with the data nodes in the sentinels' place."""
    return Sentinel([(node.host, node.port) for node in nodes or group.nodes],
                    socket_timeout=timeout, socket_connect_timeout=timeout)


class Task:
    """A thread that runs until told to stop, and whose exception is the test's."""

    def __init__(self):
        self.stopping = threading.Event()
        self.failure = None
        self.thread = threading.Thread(target=self.guard, daemon=True)

    def guard(self):
        try:
            self.run()
        except BaseException as failure:  # told to the test by stop()
            self.failure = failure

    def run(self):
        raise NotImplementedError

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, kind, *_):
        self.stopping.set()
        self.thread.join(60)
        assert not self.thread.is_alive()
        if kind is None and self.failure is not None:
            raise self.failure


class Writer(Task):
    """Writes unique keys at a steady pace through redis-py's Sentinel client, and keeps what was
    acknowledged and when. Every other key is also the newest value of "canary"."""

    def __init__(self, group, pace=0.005, prefix="w", timeout=0.3):
        super().__init__()
        self.group = group
        self.pace = pace
        self.prefix = prefix
        self.timeout = timeout
        self.acked = {}      # key: value
        self.times = []      # when each acknowledgement came
        self.canaries = []   # (when acknowledged, value)
        self.unknown = 0
        self.errors = {}

    def run(self):
        client = sentinel(self.group).master_for(self.group.name, socket_timeout=self.timeout,
                                                 socket_connect_timeout=self.timeout)
        number = 0
        due = time.monotonic()
        while not self.stopping.is_set():
            number += 1
            key, value = f"{self.prefix}:{number}", f"value-{number}-{self.prefix}"
            try:
                client.set(key, value)
                self.acked[key] = value
                self.times.append(time.monotonic())
                client.set("canary", number)
                now = time.monotonic()
                self.times.append(now)
                self.canaries.append((now, number))
            except (redis.RedisError, MasterNotFoundError) as error:
                self.unknown += 1
                text = str(error)[:60]
                self.errors[text] = self.errors.get(text, 0) + 1
                time.sleep(0.005)
            due = max(due + self.pace, time.monotonic() - self.pace)
            time.sleep(max(0.0, due - time.monotonic()))
        client.close()

    def wait_acks(self, count, timeout=20.0):
        """count more acknowledgements from now on."""
        target = len(self.times) + count
        eventually(lambda: len(self.times) >= target or self.failure, timeout,
                   message=lambda: f"{len(self.times)} of {target}, errors: {self.errors}")
        if self.failure:
            raise self.failure

    def outage(self, since):
        """The longest time without an acknowledgement that ended after `since`, in seconds."""
        times = list(self.times)
        return max((after - before for before, after in zip(times, times[1:]) if after >= since),
                   default=float("inf"))

    def canary_before(self, moment):
        """The newest canary that was acknowledged before `moment`."""
        return max((value for when, value in list(self.canaries) if when < moment), default=0)


class Witness(Task):
    """A client that stays at one node, whatever is said of it: it writes keys of its own and, as
    long as the node calls itself primary, reads the canary. Keeps what it was told."""

    def __init__(self, group, node, writer):
        super().__init__()
        self.group = group
        self.node = node
        self.writer = writer
        self.acked = {}
        self.times = []
        self.stale = []
        self.reads = []  # (when asked, value)
        self.errors = {}

    def connect(self):
        return redis.Redis(host=self.node.host, port=self.node.port, socket_timeout=30.0,
                           socket_connect_timeout=1.0, single_connection_client=False)

    def attempt(self, action):
        try:
            return action()
        except (redis.RedisError, OSError) as error:
            text = f"{type(error).__name__}: {str(error)[:60]}"
            self.errors[text] = self.errors.get(text, 0) + 1
            time.sleep(0.005)
            return None

    def read(self, client):
        """A primary shows what was acknowledged before it was asked. A follower may lag: what it
        says is not looked at."""
        pipe = client.pipeline(transaction=False)
        pipe.execute_command("ROLE")
        pipe.get("canary")
        pipe.execute_command("ROLE")
        asked = time.monotonic()
        replies = self.attempt(lambda: pipe.execute(raise_on_error=True))
        if replies is None or [reply[0] for reply in replies[::2]] != [b"master", b"master"]:
            return
        value = int(replies[1] or 0)
        self.reads.append((asked, value))
        wanted = self.writer.canary_before(asked)
        if value < wanted:
            self.stale.append((asked, value, wanted))

    def run(self):
        with self.group.inside(self.node):
            client = self.connect()
            number = 0
            while not self.stopping.is_set():
                number += 1
                key, value = f"witness:{self.node.index}:{number}", f"told-{number}"
                if self.attempt(lambda: client.set(key, value)):
                    self.acked[key] = value
                    self.times.append(time.monotonic())
                self.read(client)
                time.sleep(0.002)
            client.close()

    def acked_between(self, begin, end):
        return sum(begin <= when <= end for when in self.times)

    def check(self):
        assert not self.stale, f"stale reads at {self.node} (asked, got, wanted): {self.stale[:5]}"


def tell(title, seconds):
    """Prints what was measured; pytest -rA shows it."""
    values = ", ".join(f"{1000 * value:.0f}" for value in seconds)
    median = statistics.median(seconds)
    print(f"{title}: median {1000 * median:.0f} ms of {len(seconds)} (ms: {values})", flush=True)
    return median
