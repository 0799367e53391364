"""Real processes, killed with SIGKILL at random moments under load, and started again on what is
there: the files always load, and hold what the client was promised.

ROUNDS 2 (an ordinary run) makes 20 kills, a soak's 20 makes 200. SEED runs one again, as far as
real time lets it."""

import os
import random
import subprocess
import threading
import time

import pytest
import redis

from group import ROUNDS
from processes import eventually

KILLS = {"always": 4 * ROUNDS, "everysec": 3 * ROUNDS, "no": 3 * ROUNDS}
EVERYSEC_LOSS_S = 2.0
WRITERS = 6


class Load:
    """Clients that count, each in keys of its own. What was acknowledged, and when, is kept."""

    def __init__(self, server, began):
        self.began = list(began)  # the numbers that each goes on from
        self.tried = list(began)
        self.acked = [[(0.0, number)] for number in began]  # (when, number), in order
        self.ended = threading.Event()
        self.threads = [threading.Thread(target=self.write, args=(server, i), daemon=True)
                        for i in range(len(began))]
        for thread in self.threads:
            thread.start()

    def write(self, server, i):
        client = redis.Redis(host=server.host, port=server.port, socket_timeout=20.0)
        number = self.began[i]
        try:
            while not self.ended.is_set():
                number += 1
                self.tried[i] = number
                if number % 4 == 0:
                    with client.pipeline() as unit:
                        unit.set(f"one:{i}", number).set(f"other:{i}", number)
                        unit.set(f"writer:{i}", number).execute()
                elif number % 4 == 1:
                    with client.pipeline(transaction=False) as several:
                        several.rpush(f"list:{i}", number).ltrim(f"list:{i}", -100, -1)
                        several.set(f"writer:{i}", number).execute()
                else:
                    client.set(f"writer:{i}", number)
                self.acked[i].append((time.monotonic(), number))
        except (redis.RedisError, OSError):
            pass

    def stop(self):
        self.ended.set()
        for thread in self.threads:
            thread.join(30)
            assert not thread.is_alive()

    def acked_before(self, i, moment):
        return max(number for when, number in self.acked[i] if when <= moment)


def disturb(server, rng):
    """Something that writes files beside the log."""
    command = rng.choice([None, None, "BGREWRITEAOF", "BGSAVE"])
    if command is None:
        return
    try:
        server.command_reply(command)
    except redis.ResponseError:
        pass  # one is under way


def check_content(server, load, killed, policy):
    """Returns the numbers from which the next round goes on."""
    client = server.client()
    found = []
    for i, tried in enumerate(load.tried):
        number = int(client.get(f"writer:{i}") or 0)
        found.append(number)
        assert load.began[i] <= number <= tried
        if policy == "always":
            least = load.acked_before(i, killed)
        elif policy == "everysec":
            least = load.acked_before(i, killed - EVERYSEC_LOSS_S)
        else:
            least = 0
        assert number >= least, f"writer {i}: {least} was acknowledged, {number} is there"
        # Transactions are there as a whole, and no later than what came before them.
        one, other = client.mget(f"one:{i}", f"other:{i}")
        assert one == other
        assert int(one or 0) == number // 4 * 4
        last = client.lindex(f"list:{i}", -1)
        assert last is None or number - 4 <= int(last) <= number + 1
    client.close()
    return found


@pytest.mark.parametrize("policy", KILLS)
def test_killed_at_any_moment(regent, policy, seed):
    rng = random.Random(f"{seed} {policy}")
    server = regent(appendonly="yes", appendfsync=policy, auto_aof_rewrite_min_size="64kb",
                    save="1 1" if rng.random() < 0.5 else "")
    found = [0] * WRITERS
    for kill in range(KILLS[policy]):
        load = Load(server, found)
        eventually(lambda: sum(map(len, load.acked)) > 3 * WRITERS)
        # Some rounds are long enough to tell what everysec may lose from what it may not.
        long = policy == "everysec" and kill % 3 == 2
        time.sleep(rng.uniform(0.0, 0.2) + (EVERYSEC_LOSS_S + 0.5 if long else 0))
        disturb(server, rng)
        time.sleep(rng.uniform(0.0, 0.1))
        killed = time.monotonic()
        server.kill()
        load.stop()
        if rng.random() < 0.3:  # and once more while it loads
            server.start(wait=False)
            time.sleep(rng.uniform(0.0, 0.05))
            server.kill()
        server.start()
        found = check_content(server, load, killed, policy)
    server.stop()
    manifest = os.path.join(server.dir, "appendonlydir", "appendonly.aof.manifest")
    done = subprocess.run(["redis-check-aof", manifest], capture_output=True, text=True,
                          check=False)
    assert done.returncode == 0, done.stdout + done.stderr
