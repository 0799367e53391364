"""Fixtures of the tests with real processes. The helpers are in processes.py, proxy.py, content.py
and workload.py beside this file; tests import them by those names."""

import contextlib
import os
import random
import subprocess

import pytest

from processes import Park, eventually  # noqa: F401  (eventually: for `from conftest import …`)
from proxy import Proxy


def pytest_report_header():
    from processes import redis_command, regent_command
    return f"regent: {' '.join(regent_command())}; redis: {' '.join(redis_command())}"


@pytest.hookimpl(tryfirst=True, hookwrapper=True)
def pytest_runtest_makereport(item, call):
    """The logs of all servers of a test go into the report of its failure."""
    outcome = yield
    report = outcome.get_result()
    if report.when == "call" and report.failed:
        park = item.funcargs.get("park")
        if park is not None:
            report.sections += park.logs()


@pytest.fixture
def park(tmp_path):
    """Starts servers; ends all of them with the test."""
    park = Park(tmp_path)
    yield park
    park.close()


@pytest.fixture
def regent(park):
    """regent(name=None, **directives) starts a Regent server; see processes.Park."""
    return park.regent


@pytest.fixture
def redis_server(park):
    """redis_server(name=None, **directives) starts a real redis-server."""
    return park.redis


@pytest.fixture
def proxy(park):
    """proxy(server) is a TCP proxy in front of it that can cut connections; see proxy.Proxy."""
    def make(server):
        park.proxies.append(Proxy(server if isinstance(server, int) else server.port))
        return park.proxies[-1]
    return make


@pytest.fixture(scope="session")
def rounds():
    """ROUNDS of a soak, 2 in the ordinary run of the tests."""
    return int(os.environ.get("ROUNDS", 2))


@pytest.fixture
def seed():
    """The seed of everything random in a test. SEED runs it again."""
    value = int(os.environ.get("SEED", random.randrange(1, 1 << 31)))
    print(f"SEED={value}")
    return value


@pytest.fixture
def small_disk(tmp_path):
    """A file system of its own; small_disk.fill() leaves no room, .free() gives it back."""
    folder = tmp_path / "disk"
    folder.mkdir()
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)],
                          capture_output=True, check=False)
    if made.returncode != 0:
        pytest.skip("needs to mount a tmpfs")

    class Disk:
        path = str(folder)

        @staticmethod
        def fill():
            with open(folder / "ballast", "wb", buffering=0) as file, \
                    contextlib.suppress(OSError):
                while True:
                    file.write(b"x" * 4096)

        @staticmethod
        def free():
            (folder / "ballast").unlink()
    yield Disk
    subprocess.run(["umount", "-l", str(folder)], check=False)
