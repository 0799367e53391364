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
    deployment = Deployment(park, data, sentinels)
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
