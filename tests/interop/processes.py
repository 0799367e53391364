"""Server processes under test: started on free loopback ports, ready when they answer, ended by pid.

Two programs are started the same way: the real `redis-server` and Regent. Environment:
  REGENT      path of the regent binary (default: build/regent of this repository)
  REGENT_CMD  a whole command line in its place, without arguments of one server, such as
              `redis-server`: the tests themselves can be checked against Redis in both roles
  REDIS       path of the real redis-server (default: found in PATH)
"""

import os
import random
import shlex
import signal
import socket
import subprocess
import time

import redis

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HOST = "127.0.0.1"
START_TIMEOUT_S = 20.0
STOP_TIMEOUT_S = 15.0

# Below the range from which the kernel takes ports of outgoing connections: nothing else there
# can take a port between its choice and its use.
PORTS = range(20000, 30000)


def regent_command():
    """The command that starts a Regent server, without its arguments."""
    if os.environ.get("REGENT_CMD"):
        return shlex.split(os.environ["REGENT_CMD"])
    return [os.environ.get("REGENT") or os.path.join(ROOT, "build", "regent"), "server"]


def redis_command():
    return [os.environ.get("REDIS", "redis-server")]


def free_port():
    """A loopback port that nobody listens on now, and that this process has not handed out yet."""
    for port in random.sample(PORTS, min(500, len(PORTS))):
        if port in free_port.given:
            continue
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((HOST, port))
            except OSError:
                continue
        free_port.given.add(port)
        return port
    raise RuntimeError("no free port")


free_port.given = set()


def eventually(condition, timeout=10.0, interval=0.02, message=None):
    """Calls condition until it returns something true, and returns that. A lost connection, an
    error reply and a failed assertion inside count as "not yet"; the last one is in the report."""
    deadline = time.monotonic() + timeout
    last = None
    while True:
        try:
            value = condition()
            if value:
                return value
            last = f"returned {value!r}"
        except (redis.RedisError, OSError, AssertionError) as error:
            last = f"{type(error).__name__}: {error}"
        if time.monotonic() >= deadline:
            what = message() if callable(message) else message
            raise AssertionError(f"not within {timeout} s{': ' + str(what) if what else ''}"
                                 f" (last: {last})")
        time.sleep(interval)


def directives(pairs):
    """{'repl_timeout': 5, 'save': ''} as ['--repl-timeout', '5', '--save', '']. A list or a tuple
    is several arguments of one directive."""
    argv = []
    for name, value in pairs.items():
        values = value if isinstance(value, (list, tuple)) else [value]
        argv += ["--" + name.replace("_", "-"), *[str(item) for item in values]]
    return argv


class Server:
    """One server process. Its output is in `log_path`, over restarts too."""

    def __init__(self, name, command, folder, config=None, port=None, host=HOST, **options):
        self.name = name
        self.command = list(command)
        self.dir = str(folder)
        self.host = host
        self.port = port or free_port()
        self.config = config
        self.password = options.get("requirepass")
        self.options = {"save": "", "enable_debug_command": "yes",
                        "repl_diskless_sync_delay": "0", **options}
        self.log_path = os.path.join(self.dir, "server.log")
        self.process = None
        self.clients = []
        os.makedirs(self.dir, exist_ok=True)

    def __repr__(self):
        return f"<{self.name} on {self.port}>"

    def argv(self):
        argv = list(self.command)
        if self.config is not None:
            path = os.path.join(self.dir, "server.conf")
            if not os.path.exists(path):
                with open(path, "w", encoding="utf-8") as file:
                    file.write(self.config)
            argv.append(path)
        own = {"port": self.port, "bind": self.host, "dir": self.dir, **self.options}
        return argv + directives({name: value for name, value in own.items() if value is not None})

    def start(self, wait=True, timeout=START_TIMEOUT_S):
        assert self.process is None, f"{self} runs already"
        with open(self.log_path, "ab") as log:
            log.write(f"$ {' '.join(map(shlex.quote, self.argv()))}\n".encode())
            log.flush()
            self.process = subprocess.Popen(self.argv(), cwd=self.dir, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=subprocess.STDOUT)
        if wait:
            self.wait_ready(timeout)
        return self

    def wait_ready(self, timeout=START_TIMEOUT_S):
        deadline = time.monotonic() + timeout
        while True:
            status = self.process.poll()
            if status is not None:
                raise AssertionError(f"{self} ended with {status} at its start:\n{self.log(30)}")
            try:
                with socket.create_connection((self.host, self.port), 1.0) as link:
                    link.sendall(b"PING\r\n")
                    line = link.recv(64)
                if line.startswith((b"+PONG", b"-NOAUTH", b"-MASTERDOWN")):
                    return
            except OSError:
                pass
            if time.monotonic() >= deadline:
                raise AssertionError(f"{self} does not answer after {timeout} s:\n{self.log(30)}")
            time.sleep(0.01)

    # ---- Ending and halting ----

    @property
    def pid(self):
        return self.process.pid

    def running(self):
        return self.process is not None and self.process.poll() is None

    def wait(self, timeout=STOP_TIMEOUT_S):
        """Waits for the process to end by itself; its status."""
        status = self.process.wait(timeout)
        self.process = None
        return status

    def kill(self):
        """SIGKILL, and waits for the end."""
        if self.process is not None:
            if self.process.poll() is None:
                self.process.send_signal(signal.SIGKILL)
            self.process.wait(STOP_TIMEOUT_S)
            self.process = None

    def stop(self):
        """SIGTERM; its exit status. A process that does not end is killed, and that is an error."""
        if self.process is None:
            return 0
        self.process.send_signal(signal.SIGCONT)
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.wait()
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"{self} did not end within {STOP_TIMEOUT_S} s of SIGTERM") from None

    def pause(self):
        self.process.send_signal(signal.SIGSTOP)

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def restart(self, **options):
        self.stop()
        self.options.update(options)
        return self.start()

    # ---- Talking to it ----

    def client(self, db=0, **options):
        """A redis-py client that is closed with the server. Replies are bytes."""
        options.setdefault("password", self.password)
        options.setdefault("socket_timeout", 20.0)
        client = redis.Redis(host=self.host, port=self.port, db=db, **options)
        self.clients.append(client)
        return client

    def command_reply(self, *words, **options):
        with redis.Redis(host=self.host, port=self.port, password=self.password,
                         socket_timeout=20.0, **options) as client:
            return client.execute_command(*words)

    def socket(self, timeout=10.0):
        link = socket.create_connection((self.host, self.port), timeout)
        link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return link

    def info(self, section="everything"):
        """INFO as a dict of redis-py's parsed values."""
        client = redis.Redis(host=self.host, port=self.port, password=self.password,
                             socket_timeout=20.0)
        with client:
            return client.info(section)

    def info_text(self, section="everything"):
        """INFO's lines as {name: text}, nothing interpreted."""
        with self.socket() as link:
            file = link.makefile("rb")
            if self.password:
                link.sendall(b'AUTH "%s"\r\n' % str(self.password).encode())
                file.readline()
            link.sendall(b"INFO %s\r\n" % section.encode())
            head = file.readline()
            assert head.startswith(b"$"), head
            text = file.read(int(head[1:]) + 2).decode()
        return dict(line.split(":", 1) for line in text.splitlines()
                    if line and not line.startswith("#"))

    def log(self, lines=None):
        try:
            with open(self.log_path, encoding="utf-8", errors="replace") as file:
                text = file.read()
        except FileNotFoundError:
            return ""
        return text if lines is None else "\n".join(text.splitlines()[-lines:])

    def close(self):
        """Ends it however it is, without complaint: for the end of a test."""
        for client in self.clients:
            client.close()
        self.clients = []
        if self.process is not None:
            self.process.send_signal(signal.SIGCONT)
            self.kill()


class Park:
    """All servers and proxies of one test."""

    def __init__(self, folder):
        self.folder = str(folder)
        self.servers = []
        self.proxies = []

    def add(self, kind, command, name=None, start=True, **options):
        name = name or f"{kind}{len(self.servers) + 1}"
        folder = options.pop("folder", None) or os.path.join(self.folder, name)
        server = Server(name, command, folder, **options)
        self.servers.append(server)
        return server.start() if start else server

    def regent(self, name=None, **options):
        """A Regent server; keywords are directives ('_' for '-'), None leaves a default out."""
        return self.add("regent", regent_command(), name, **options)

    def redis(self, name=None, **options):
        """A real redis-server."""
        return self.add("redis", redis_command(), name, **options)

    def close(self):
        """Ends all. A server that nobody ended and that is gone by itself has crashed."""
        for proxy in self.proxies:
            proxy.close()
        crashed = [f"{server} ended with {server.process.poll()}:\n{server.log(40)}"
                   for server in self.servers
                   if server.process is not None and server.process.poll() not in (None, 0)]
        for server in reversed(self.servers):
            server.close()
        assert not crashed, "\n".join(crashed)

    def logs(self, lines=80):
        return [(f"log of {server.name} ({server.port})", server.log(lines))
                for server in self.servers]
