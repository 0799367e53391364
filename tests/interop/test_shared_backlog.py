"""Many replicas share one copy of the stream and one walk of the keyspace."""

import time

import pytest

from content import assert_same_content
from processes import eventually
from test_replication import follow, stats, wait_caught_up

REPLICAS = 20
MEGABYTES = 24


def used(server):
    return server.info("memory")["used_memory"]


def rss(server):
    with open(f"/proc/{server.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))


def pour(server, megabytes):
    """Into keys that are there already, so that only the log grows."""
    client = server.client()
    for number in range(megabytes):
        client.set(f"m:{number % 4}", bytes([97 + number % 26]) * 1_000_000)


def test_slow_replicas_share_the_backlog(park):
    """Half of twenty replicas hang: the primary keeps one copy of what they lack, not ten; at the
    limit they are let go, and all of it with them; afterwards all catch up."""
    primary = park.regent(repl_backlog_size="1mb",
                          client_output_buffer_limit="replica 64mb 0 0")
    pour(primary, 4)
    # They need no disk, nor much of this machine's time.
    replicas = [park.regent(repl_diskless_load="swapdb") for _ in range(REPLICAS)]
    for replica in replicas:
        follow(replica, primary)
    wait_caught_up(primary, *replicas, timeout=60)
    assert stats(primary)["sync_full"] == REPLICAS
    before, rss_before = used(primary), rss(primary)
    slow, fast = replicas[::2], replicas[1::2]
    for replica in slow:
        replica.pause()
    pour(primary, MEGABYTES)
    wait_caught_up(primary, *fast, timeout=60)
    growth, rss_growth = used(primary) - before, rss(primary) - rss_before
    fields = primary.info("memory")
    print(f"{len(slow)} slow replicas, {MEGABYTES} MB written: used_memory +{growth >> 20} MB, "
          f"rss +{rss_growth >> 20} MB, mem_clients_slaves {fields['mem_clients_slaves']}")
    # One copy of what they lack; some of it lies in the kernel's buffers of their sockets.
    assert (MEGABYTES - 14) << 20 < growth < (MEGABYTES + 8) << 20
    assert rss_growth < (MEGABYTES + 32) << 20
    assert fields["mem_clients_slaves"] < 4 << 20
    assert primary.info("replication")["connected_slaves"] == REPLICAS

    # Beyond the limit they are let go, and what was kept for them is.
    pour(primary, 48)
    eventually(lambda: primary.info("replication")["connected_slaves"] == len(fast), 30)
    eventually(lambda: used(primary) - before < 8 << 20, 30,
               message=lambda: primary.info("memory"))
    for replica in slow:
        replica.resume()
    wait_caught_up(primary, *replicas, timeout=60)
    for replica in (replicas[0], replicas[-1]):
        assert_same_content(primary, replica, at_least=4)


@pytest.mark.parametrize("delay", [0, 1])
def test_one_walk_serves_all(park, delay):
    """Replicas that ask while a snapshot begins share it, with and without a delay for them."""
    primary = park.regent(repl_diskless_sync_delay=delay)
    pipe = primary.client().pipeline(transaction=False)
    for number in range(30000):
        pipe.set(f"key:{number}", "v" * 100)
    pipe.execute()
    replicas = [park.regent(repl_diskless_load="swapdb") for _ in range(8)]
    # All of them are asked at once: the primary finds their requests together.
    primary.pause()
    for replica in replicas:
        follow(replica, primary)
    time.sleep(0.2)
    primary.resume()
    wait_caught_up(primary, *replicas, timeout=60)
    walks = primary.log().count("Snapshot at offset")
    print(f"{walks} walks for {len(replicas)} replicas")
    assert stats(primary)["sync_full"] == len(replicas)
    assert walks <= (1 if delay else 2)
    assert_same_content(primary, replicas[-1], at_least=30000)
