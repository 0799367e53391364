"""The same random commands to Regent and to redis-server: every reply is the same."""

import os
import subprocess
import sys

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "differential.py")


def test_replies_are_alike(park, seed, rounds):
    ours, theirs = park.regent(), park.redis()
    done = subprocess.run([sys.executable, SCRIPT, "--port-a", str(ours.port), "--port-b",
                           str(theirs.port), "--seed", str(seed), "--commands",
                           str(10_000 * rounds)],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
                          timeout=60 + 30 * rounds)
    assert done.returncode == 0, done.stdout[-6000:]
