"""Starts, watches and ends server processes on loopback, or in network namespaces: for the demo and
the process tests. Every process is ended by its own id."""

import json
import os
import random
import shutil
import signal
import socket
import subprocess
import time

import redis
from redis.sentinel import Sentinel

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
REGENT = os.environ.get("REGENT", os.path.join(ROOT, "build", "regent"))
REDIS = os.environ.get("REDIS_SERVER", "redis-server")


def free_port():
    """Below the range that the system hands to outgoing connections, so that none takes it."""
    while True:
        port = random.randrange(20000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
                return port
            except OSError:
                continue


def wait_until(condition, timeout=10.0, what="condition", pause=0.01):
    """Returns the condition's first true value; fails by name when it stays false."""
    deadline = time.monotonic() + timeout
    last_error = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last_error = None
        except (redis.RedisError, OSError) as error:
            last_error = error
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {timeout} s: {what}"
                                 + (f" ({last_error!r})" if last_error else ""))
        time.sleep(pause)


class Server:
    """One process with a folder of its own. options: [(directive, value), …] or a dict; a value is
    written as it stands."""

    def __init__(self, folder, kind="regent", options=(), host="127.0.0.1", port=None, netns=None):
        self.folder = str(folder)
        self.kind = kind
        self.host = host
        self.port = port or free_port()
        self.netns = netns
        self.options = list(options.items() if isinstance(options, dict) else options)
        self.process = None
        self.log_path = os.path.join(self.folder, "server.log")
        os.makedirs(self.folder, exist_ok=True)

    @property
    def address(self):
        return f"{self.host}:{self.port}"

    def write_config(self):
        path = os.path.join(self.folder, "server.conf")
        names = {name for name, _ in self.options}
        lines = [f"port {self.port}"] if "port" not in names else []
        lines += [] if "bind" in names else [f"bind {self.host}"]
        lines += [] if "dir" in names else [f'dir "{self.folder}"']
        lines += [] if "save" in names else ['save ""']
        lines += [f"{name} {value}" for name, value in self.options]
        with open(path, "w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
        return path

    def argv(self, config):
        binary = [REGENT, "server"] if self.kind == "regent" else [REDIS]
        prefix = ["ip", "netns", "exec", self.netns] if self.netns else []
        return prefix + binary + [config]

    def launch(self, config=None):
        """Starts the process without waiting for it to listen."""
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(self.argv(config or self.write_config()),
                                            stdin=subprocess.DEVNULL, stdout=log,
                                            stderr=subprocess.STDOUT, cwd=self.folder,
                                            start_new_session=True)
        return self

    def start(self, config=None, timeout=10):
        self.launch(config)
        wait_until(self.is_ready, timeout, f"{self.kind} at {self.address} answers PING")
        return self

    def is_ready(self):
        status = self.process.poll()
        if status is not None:
            raise AssertionError(f"{self.kind} ended with status {status}:\n{self.log()[-3000:]}")
        client = self.client(socket_timeout=1, socket_connect_timeout=1)
        try:
            return client.ping()
        except redis.ResponseError:
            return True  # LOADING, MASTERDOWN, NOAUTH: it answers
        finally:
            client.close()

    def client(self, **options):
        options = {"socket_timeout": 10, "decode_responses": False, **options}
        return redis.Redis(self.host, self.port, **options)

    def info(self, section):
        client = self.client(socket_timeout=3)
        try:
            return client.info(section)
        finally:
            client.close()

    def alive(self):
        return self.process is not None and self.process.poll() is None

    def log(self):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except FileNotFoundError:
            return ""

    def signal(self, number):
        if self.alive():
            self.process.send_signal(number)

    def kill(self):
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait(10)

    def stop(self):
        """Ends it as an operator does; kills it where that takes too long."""
        if not self.alive():
            return
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.kill()

    def remove(self):
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)


class Group:
    """Regent nodes that elect their own primary."""

    def __init__(self, folder, count=3, mode="quorum", name="main", options=(), hosts=None,
                 ports=None, netns=None):
        self.name = name
        hosts = hosts or ["127.0.0.1"] * count
        ports = ports or [free_port() for _ in range(count)]
        members = " ".join(f"{host}:{port}" for host, port in zip(hosts, ports))
        own = [("group-name", name), ("group-members", members), ("replication-mode", mode),
               *options]
        self.nodes = [
            Server(os.path.join(str(folder), f"node{i + 1}"), "regent",
                   own + [("replica-announce-ip", hosts[i]),
                          ("replica-announce-port", str(ports[i]))],
                   host=hosts[i], port=ports[i], netns=netns[i] if netns else None)
            for i in range(count)]

    def start(self, timeout=20):
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            wait_until(node.is_ready, timeout, f"node at {node.address} answers PING")
        self.wait_healthy(timeout)
        return self

    def stop(self):
        for node in self.nodes:
            node.stop()

    def roles(self):
        """Node -> (role, term, state) of those that answer."""
        found = {}
        for node in self.nodes:
            if not node.alive():
                continue
            try:
                info = node.info("group")
                found[node] = (info["group_role"], int(info["group_term"]), info["group_state"])
            except (redis.RedisError, OSError, KeyError):
                continue
        return found

    def primary(self):
        """The primary of the highest term, or None."""
        primaries = [(term, node) for node, (role, term, _) in self.roles().items()
                     if role == "primary"]
        return max(primaries, key=lambda entry: entry[0])[1] if primaries else None

    def followers(self):
        return [node for node, (role, _, _) in self.roles().items() if role != "primary"]

    def wait_primary(self, timeout=20, but=None):
        def found():
            primary = self.primary()
            return primary if primary is not but else None
        return wait_until(found, timeout, "the group has a primary")

    def wait_healthy(self, timeout=20, count=None):
        """One primary, and every (or count) node healthy in its term."""
        count = count or len(self.nodes)

        def healthy():
            roles = list(self.roles().values())
            top = max((term for _, term, _ in roles), default=0)
            return (sum(state == "healthy" and term == top for _, term, state in roles) >= count
                    and sum(role == "primary" and term == top for role, term, _ in roles) == 1)
        try:
            wait_until(healthy, timeout, f"{count} nodes of the group are healthy")
        except AssertionError as error:
            raise AssertionError(f"{error}: {[(n.address, r) for n, r in self.roles().items()]}")

    def sentinel(self, socket_timeout=0.5):
        return Sentinel([(node.host, node.port) for node in self.nodes],
                        sentinel_kwargs={"socket_timeout": 0.1, "socket_connect_timeout": 0.1},
                        socket_timeout=socket_timeout, socket_connect_timeout=0.2)

    def writer_client(self, socket_timeout=0.5):
        return self.sentinel(socket_timeout).master_for(self.name)

    def status(self, node=None, json_output=False):
        node = node or next(n for n in self.nodes if n.alive())
        argv = [REGENT, "status", node.address] + (["--json"] if json_output else [])
        done = subprocess.run(argv, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=20, check=False)
        return json.loads(done.stdout) if json_output else done.stdout + done.stderr
