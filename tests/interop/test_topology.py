"""deploy/primary.conf and deploy/replica.conf as they stand: one primary and two replicas, each in a
network namespace of its own, the primary under the name that the replica's file says.

The files bind to all addresses and set no password. What redis-server 7.0 does with exactly that is
the measure: its protected mode refuses whoever does not come from the loopback interface, replicas
too, so that the topology of deploy/docker-compose.yml passes `--protected-mode no`."""

import os

import pytest
import redis

from netns import Net, have_namespaces
from processes import ROOT, Server, eventually, redis_command, regent_command

DEPLOY = os.path.join(ROOT, "deploy")
needs_namespaces = pytest.mark.skipif(not have_namespaces(), reason="needs network namespaces")


class Placed(Server):
    """A server in a namespace, started with one of the files and little else."""

    def __init__(self, net, index, folder, command, conf, *words):
        super().__init__(f"{conf}-{index}", command, os.path.join(folder, f"n{index}"), port=6379,
                         host=net.address(index))
        self.net, self.index, self.conf, self.words = net, index, conf, words

    def argv(self):
        return [*self.net.command(self.index), *self.command, os.path.join(DEPLOY, self.conf),
                *self.words]


@pytest.fixture
def place(tmp_path):
    servers = []
    with Net(3, hosts=[("redis-master", 0)]) as net:
        net.enter()

        def start(index, command, conf, *words, wait=True):
            servers.append(Placed(net, index, str(tmp_path), command, conf, *words))
            return servers[-1].start(wait=wait)
        try:
            yield start
        finally:
            for server in reversed(servers):
                print(f"---- {server.name}\n{server.log(40)}")
                server.close()


def linked(server):
    return server.info_text("replication")["master_link_status"] == "up"


@needs_namespaces
def test_one_primary_two_replicas(place):
    words = ["--protected-mode", "no"]
    primary = place(0, regent_command(), "primary.conf", *words)
    replicas = [place(index, regent_command(), "replica.conf", *words) for index in (1, 2)]
    for replica in replicas:
        eventually(lambda one=replica: linked(one))
    client = primary.client()
    for i in range(100):
        client.set(f"k{i}", f"v{i}")
    client.hset("h", mapping={"a": "1"})
    info = primary.info_text("replication")
    assert info["role"] == "master" and info["connected_slaves"] == "2"
    for replica in replicas:
        reader = replica.client()
        eventually(lambda one=reader: one.get("k99") == b"v99" and one.hget("h", "a") == b"1")
        assert [reader.get(f"k{i}") for i in range(100)] == [b"v%d" % i for i in range(100)]
        with pytest.raises(redis.ReadOnlyError):
            reader.set("k", "v")
        info = replica.info_text("replication")
        assert info["role"] == "slave" and info["master_host"] == "redis-master"
        assert info["master_port"] == "6379" and info["slave_read_only"] == "1"


@needs_namespaces
def test_primary_comes_later_and_again(place):
    """Replicas wait for a name that nobody listens at, and come back after a restart."""
    words = ["--protected-mode", "no"]
    replica = place(1, regent_command(), "replica.conf", *words)
    assert not linked(replica)
    primary = place(0, regent_command(), "primary.conf", *words)
    primary.client().set("k", "1")
    eventually(lambda: replica.client().get("k") == b"1")
    primary.kill()
    eventually(lambda: not linked(replica))
    assert replica.client().get("k") == b"1"
    primary.start()
    primary.client().set("k", "2")
    eventually(lambda: replica.client().get("k") == b"2")


@needs_namespaces
@pytest.mark.parametrize("roles", [("regent", "redis"), ("redis", "regent")])
def test_with_real_redis(place, roles):
    """The same files for the other server, on either side."""
    words = ["--protected-mode", "no"]
    command = {"regent": regent_command(), "redis": redis_command()}
    primary = place(0, command[roles[0]], "primary.conf", *words)
    replicas = [place(1, command[roles[1]], "replica.conf", *words),
                place(2, command[roles[0]], "replica.conf", *words)]
    primary.client().set("k", "v")
    for replica in replicas:
        eventually(lambda one=replica: linked(one) and one.client().get("k") == b"v")


@needs_namespaces
@pytest.mark.parametrize("kind", ["redis", "regent"])
def test_protected_mode(place, kind):
    """The files alone, without a word on the command line: both refuse strangers, with a reason."""
    command = {"regent": regent_command(), "redis": redis_command()}[kind]
    primary = place(0, command, "primary.conf", wait=False)

    def refused():
        try:
            primary.command_reply("PING")
        except redis.ConnectionError as error:
            return False if "refused" in str(error) else error
        except redis.ResponseError as error:
            return error
        return False
    error = str(eventually(refused))
    assert "DENIED" in error and "protected mode" in error
    replica = place(1, command, "replica.conf", wait=False)
    text = "Error reply to PING from master: '-DENIED Redis is running in protected mode"
    eventually(lambda: text in replica.log())
    # Whom it trusts is as in Redis: the loopback interface.
    with redis.Redis(host="127.0.0.1", port=6379) as stranger, pytest.raises(redis.RedisError):
        stranger.ping()  # of this namespace, where nobody listens


def test_files_are_the_documents():
    with open(os.path.join(DEPLOY, "primary.conf"), encoding="utf-8") as file:
        assert file.read().splitlines() == ["bind 0.0.0.0", "port 6379"]
    with open(os.path.join(DEPLOY, "replica.conf"), encoding="utf-8") as file:
        assert file.read().splitlines() == ["bind 0.0.0.0", "port 6379",
                                            "replicaof redis-master 6379",
                                            "replica-read-only yes"]


def test_compose_file():
    yaml = pytest.importorskip("yaml")
    with open(os.path.join(DEPLOY, "docker-compose.yml"), encoding="utf-8") as file:
        compose = yaml.safe_load(file)
    services = compose["services"]
    assert sorted(services) == ["redis-master", "redis-replica-1", "redis-replica-2"]
    published = set()
    for name, service in services.items():
        conf = "primary.conf" if name == "redis-master" else "replica.conf"
        assert service["command"] == [f"/etc/regent/{conf}", "--protected-mode", "no"]
        assert f"./{conf}:/etc/regent/{conf}:ro" in service["volumes"]
        published.update(port.rsplit(":", 1)[0] for port in service["ports"])
        for volume in service["volumes"]:
            source = volume.split(":")[0]
            if source.startswith("."):
                assert os.path.isfile(os.path.join(DEPLOY, source))
        for other in service.get("depends_on", []):
            assert other in services
        assert service["networks"] == list(compose["networks"])
    assert len(published) == 3
    build = services["redis-master"]["build"]
    assert os.path.isfile(os.path.join(DEPLOY, build["context"], build["dockerfile"]))
    with open(os.path.join(DEPLOY, "Dockerfile"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    bases = [line.split()[1] for line in lines if line.startswith("FROM ")]
    assert set(bases) == {"debian:12-slim"}
    assert 'ENTRYPOINT ["regent", "server"]' in lines


@needs_namespaces
def test_group_files(tmp_path):
    """deploy/group: three machines, each found by the others under its name."""
    names = [f"node{number}" for number in (1, 2, 3)]
    with Net(3, hosts=[(name, index) for index, name in enumerate(names)]) as net:
        net.enter()
        nodes = [Placed(net, index, str(tmp_path), regent_command(), f"group/{name}.conf")
                 for index, name in enumerate(names)]
        try:
            for node in nodes:
                node.start()
            addresses = [eventually(lambda n=node: n.command_reply(
                "SENTINEL", "GET-MASTER-ADDR-BY-NAME", "main")) for node in nodes]
            assert addresses[0] == addresses[1] == addresses[2]
            primary = nodes[names.index(addresses[0][0].decode())]
            eventually(lambda: primary.client().set("k", "v"))
            for node in nodes:
                assert eventually(lambda n=node: n.client().get("k")) == b"v"
        finally:
            for node in nodes:
                print(f"---- {node.name}\n{node.log(40)}")
                node.close()
