#!/usr/bin/python3
"""Compares what CONFIG GET and CONFIG SET say with a running redis-server 7.0.

usage: config_get.py PATH-OF-config_dump
"""
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time

import redis

DUMP = sys.argv[1]
with socket.socket() as probe:
    probe.bind(("127.0.0.1", 0))
    PORT = probe.getsockname()[1]
OWN = {"group-heartbeat", "group-lease", "group-members", "group-name", "group-node-timeout",
       "io-backend", "repl-disk-backlog-size", "replication-durability", "replication-mode",
       "replication-timeout"}
# dir is made absolute by the host, which knows the directory it runs in.
IGNORED = OWN | {"dir"}

FILES = [
    "",
    "save 900 1\nsave 300 10\n",
    'save ""\n',
    "maxmemory 5k\nmaxmemory-clients 5%\nmaxmemory-policy ALLKEYS-lru\n",
    "client-output-buffer-limit replica 1mb 2mb 3 normal 1k 2 3\nunixsocketperm 700\n",
    "notify-keyspace-events nKE\nshutdown-on-sigterm force nosave\noom-score-adj-values 1 2 3\n",
    'latency-tracking-info-percentiles 50 99.99 100\nrequirepass ""\nloglevel VERBOSE\n',
    "slave-priority 5\nmin-slaves-to-write 0\nhash-max-ziplist-entries 7\nsupervised auto\n",
    "replicaof 127.0.0.1 1\nreplica-announce-ip 10.0.0.1\nreplica-announce-port 5\n",
]
SETS = [
    ("hz", "abc"), ("hz", "0"), ("hz", "9999"), ("maxmemory", "1gb", "hz", "x"),
    ("maxmemory", "-1"), ("maxmemory", "1t"), ("foo", "bar"), ("user", "x on"), ("port", "70000"),
    ("daemonize", "yes"), ("dir", "/"), ("dbfilename", "x"), ("hz", "5", "hz", "6"),
    ("slave-priority", "5", "replica-priority", "6"), ("save", "1 2 3"), ("save", "0 1"),
    ("save", "100 1"), ("save", ""), ("client-output-buffer-limit", "pubsub 1 2 3"),
    ("client-output-buffer-limit", "foo 1 2 3"), ("client-output-buffer-limit", "pubsub 1 2"),
    ("client-output-buffer-limit", "pubsub a 2 3"), ("notify-keyspace-events", "AKEmnd"),
    ("notify-keyspace-events", "g$lshzxet"), ("notify-keyspace-events", "g$lshzxetd"),
    ("notify-keyspace-events", "Q"), ("maxmemory-clients", "105%"), ("maxmemory-clients", "7%"),
    ("latency-tracking-info-percentiles", "50 x"), ("latency-tracking-info-percentiles", "50 200"),
    ("latency-tracking-info-percentiles", ""), ("oom-score-adj-values", "1 2"),
    ("oom-score-adj-values", "0 0 3000"), ("shutdown-on-sigint", "foo"), ("appendfsync", "foo"),
    ("maxmemory-policy", "foo"), ("repl-backlog-size", "1"), ("repl-backlog-size", "0"),
    ("cluster-announce-hostname", "a_b"), ("proc-title-template", "{foo}"),
    ("unixsocketperm", "700"), ("replicaof", "a 1"), ("protected-mode", "maybe"),
    ("hash-max-ziplist-value", "1kb"), ("replica-announce-ip", "x y"), ("timeout", "1.5"),
]
failures = 0


def dump(text, words=()):
    done = subprocess.run([DUMP, *words], input=text.encode(), stdout=subprocess.PIPE, check=True)
    fields = done.stdout.decode().split("\0")[:-1]
    values = dict(zip(fields[::2], fields[1::2]))
    return values.pop("error", None), values


def compare(what, ours, theirs):
    global failures
    for name in sorted((set(ours) | set(theirs)) - IGNORED):
        if ours.get(name) != theirs.get(name):
            failures += 1
            print(f"{what!r}: {name} is {ours.get(name)!r}, redis-server says {theirs.get(name)!r}")


class Server:
    def __init__(self, text, folder):
        path = os.path.join(folder, "redis.conf")
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        self.process = subprocess.Popen(["redis-server", path], cwd=folder,
                                        stdout=subprocess.DEVNULL)
        self.client = redis.Redis(port=PORT, decode_responses=True)
        for _ in range(200):
            try:
                self.client.ping()
                return
            except redis.exceptions.ConnectionError:
                time.sleep(0.02)
        raise SystemExit("redis-server did not start")

    def __enter__(self):
        return self.client

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


def main():
    base = f"port {PORT}\nbind 127.0.0.1\n"
    with tempfile.TemporaryDirectory() as folder:
        for text in FILES:
            with Server(base + text, folder) as client:
                error, ours = dump(base + text)
                compare(text, ours, client.config_get("*"))
                if error:
                    compare(text, {"error": error}, {})
        for words in SETS:
            with Server(base, folder) as client:
                error, ours = dump(base, words)
                theirs = ""
                try:
                    client.execute_command("CONFIG SET", *words)
                except redis.exceptions.ResponseError as err:
                    theirs = str(err)
                # python3-redis drops the code in front of the text.
                compare(words, {"error": (error or "").removeprefix("ERR ")}, {"error": theirs})
                compare(words, ours, client.config_get("*"))
    print(f"{len(FILES)} files and {len(SETS)} sets compared, {failures} differences")
    return 1 if failures else 0


sys.exit(main())
