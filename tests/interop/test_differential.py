"""The same random commands to Regent and to redis-server: every reply is the same, and so is what
their replicas hold, each server's of the other kind. COMMANDS says how many, over all."""

import os
import subprocess
import sys

import pytest

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "differential.py")
COMMANDS = int(os.environ.get("COMMANDS", 200_000))

# What is small leaves its packed form in a few commands.
SMALL = {"hash_max_listpack_entries": 4, "hash_max_listpack_value": 8,
         "set_max_intset_entries": 4, "zset_max_listpack_entries": 4,
         "zset_max_listpack_value": 8, "list_max_listpack_size": 3, "hll_sparse_max_bytes": 60}


def differential(ours, theirs, seed, commands, *more):
    done = subprocess.run([sys.executable, SCRIPT, "--port-a", str(ours.port), "--port-b",
                           str(theirs.port), "--seed", str(seed), "--commands", str(commands),
                           *more],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=120 + commands / 200)
    print(done.stdout)
    assert done.returncode == 0, done.stdout[-6000:]


@pytest.mark.parametrize("thresholds", [{}, SMALL], ids=["default", "small"])
def test_replies_are_alike(park, seed, thresholds):
    differential(park.regent(**thresholds), park.redis(**thresholds), seed, COMMANDS * 4 // 10)


@pytest.mark.parametrize("thresholds", [{}, SMALL], ids=["default", "small"])
def test_replicas_are_alike(park, seed, thresholds):
    ours, theirs = park.regent(**thresholds), park.redis(**thresholds)
    followers = [park.redis(replicaof=(ours.host, ours.port), **thresholds),
                 park.regent(replicaof=(theirs.host, theirs.port), **thresholds)]
    differential(ours, theirs, seed, COMMANDS // 10, "--replica-a", str(followers[0].port),
                 "--replica-b", str(followers[1].port))
