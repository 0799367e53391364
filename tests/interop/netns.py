"""Network namespaces made by a test: a bridge in one of them, the nodes' in others, each node with
an address of its own and a cable that can be pulled. Needs root and iproute2; changes nothing in the
namespace that the tests were started in.

    with Net(3) as net:
        net.enter()          # this thread is on the bridge now and reaches every node
        net.cut(0)           # node 0 is alone; no carrier is lost, packets just vanish
        net.heal(0)
"""

import contextlib
import ctypes
import os
import re
import secrets
import subprocess
import threading

CLONE_NEWNET = 0x40000000
LIBC = ctypes.CDLL(None, use_errno=True)


def have_namespaces():
    """Can this process make network namespaces?"""
    if os.geteuid() != 0:
        return False
    name = f"rg{secrets.token_hex(3)}t"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False)
    if made.returncode == 0:
        subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    return made.returncode == 0


def ip(*words):
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"ip {' '.join(words)}: {done.stderr.strip()}"


def setns(fd):
    if LIBC.setns(fd, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")


@contextlib.contextmanager
def inside(name):
    """This thread is in the namespace within the block; threads and processes started there too."""
    back = os.open("/proc/thread-self/ns/net", os.O_RDONLY)
    there = os.open(f"/var/run/netns/{name}", os.O_RDONLY)
    try:
        setns(there)
        try:
            yield
        finally:
            setns(back)
    finally:
        os.close(back)
        os.close(there)


def sweep():
    """Removes what a run that was killed could not: namespaces whose maker is gone."""
    listed = subprocess.run(["ip", "netns", "list"], capture_output=True, text=True, check=False)
    for name, pid in re.findall(r"^(rg(\d+)x[0-9a-f]{4}\w*)", listed.stdout, re.M):
        if not os.path.exists(f"/proc/{pid}"):
            remove(name)


def remove(name):
    subprocess.run(["ip", "netns", "del", name], capture_output=True, check=False)
    folder = f"/etc/netns/{name}"
    if os.path.isdir(folder):
        os.unlink(f"{folder}/hosts")
        os.rmdir(folder)


class Net:
    """`count` node namespaces on one bridge. hosts: lines for /etc/hosts of every node, as
    (name, index of the node)."""

    def __init__(self, count, hosts=()):
        sweep()
        self.id = f"rg{os.getpid()}x{secrets.token_hex(2)}"
        self.hub = f"{self.id}h"
        self.count = count
        self.hosts = list(hosts)
        self.made = []
        self.entered = None

    def name(self, index):
        return f"{self.id}n{index}"

    def address(self, index):
        return f"10.77.0.{index + 1}"

    def __enter__(self):
        try:
            self.build()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *_):
        self.close()

    def add_namespace(self, name):
        ip("netns", "add", name)
        self.made.append(name)
        ip("-n", name, "link", "set", "lo", "up")

    def build(self):
        self.add_namespace(self.hub)
        ip("-n", self.hub, "link", "add", "br0", "type", "bridge", "stp_state", "0",
           "forward_delay", "0")
        ip("-n", self.hub, "addr", "add", "10.77.0.254/24", "dev", "br0")
        ip("-n", self.hub, "link", "set", "br0", "up")
        for index in range(self.count):
            name = self.name(index)
            self.add_namespace(name)
            ip("link", "add", f"p{index}", "netns", self.hub, "type", "veth", "peer", "name",
               "eth0", "netns", name)
            ip("-n", name, "addr", "add", f"{self.address(index)}/24", "dev", "eth0")
            ip("-n", name, "link", "set", "eth0", "up")
            ip("-n", self.hub, "link", "set", f"p{index}", "up")
            self.heal(index)
            self.write_hosts(name)

    def write_hosts(self, name):
        if not self.hosts:
            return
        folder = f"/etc/netns/{name}"
        os.makedirs(folder)
        with open(f"{folder}/hosts", "w", encoding="utf-8") as file:
            file.write("127.0.0.1 localhost\n")
            for host, index in self.hosts:
                file.write(f"{self.address(index)} {host}\n")

    def cut(self, index):
        """Node `index` reaches nobody and nobody it: its end of the cable stays up, as with a
        switch that fails."""
        ip("-n", self.hub, "link", "set", f"p{index}", "nomaster")

    def heal(self, index):
        ip("-n", self.hub, "link", "set", f"p{index}", "master", "br0")

    def command(self, index):
        """What goes before a command line that is to run in the node's namespace. `ip` becomes the
        command: there is no process between, and its pid is the command's."""
        return ["ip", "netns", "exec", self.name(index)]

    def enter(self):
        """This thread, and all that it starts from now on, is beside the bridge until close()."""
        assert self.entered is None
        self.entered = contextlib.ExitStack()
        self.entered.enter_context(inside(self.hub))
        self.entered.thread = threading.get_ident()

    def close(self):
        if self.entered is not None:
            assert self.entered.thread == threading.get_ident()
            self.entered.close()
            self.entered = None
        for name in reversed(self.made):
            remove(name)
        self.made = []
        with contextlib.suppress(OSError):
            os.rmdir("/etc/netns")  # only where nothing else is in it
