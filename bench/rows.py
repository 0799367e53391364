"""The rows of the benchmark: what is run against each server, and what is read from it."""

import socket
import statistics
import subprocess

import servers

LOAD = servers.HERE / "build" / "load"
MILLION = 1000 * 1000
VALUE = "x" * 32


class Row:
    """One line of the table: run(server) gives {figure: number}, smaller is better.

    prepare(server) is called once, before the rounds. once: a single round is enough, with a server
    started for it alone.
    """

    once = False
    floor = False
    unit = "µs CPU per command"
    figure = "cpu_us"
    bound = None

    #: Requests of a round are divided by this.
    divide_by = 1

    def __init__(self, name, bound=None):
        self.name = name
        self.bound = bound

    def some(self, requests, quick):
        return requests // (10 if quick else Row.divide_by)

    def prepare(self, server, quick):
        pass

    def run(self, server, quick):
        raise NotImplementedError


def flags(pipeline, conns):
    return ["-P", str(pipeline), "-c", str(conns)]


class Benchmark(Row):
    """redis-benchmark: the server's CPU time per command, and what throughput there was."""

    def __init__(self, name, args, pipeline=1, conns=50, requests=None, keys=0, setup=(),
                 value_bytes=3, bound=None, floor=False, batch=1):
        super().__init__(name, bound)
        self.args = args
        self.pipeline = pipeline
        self.conns = conns
        self.keys = keys
        self.setup = setup
        self.value_bytes = value_bytes
        self.floor = floor
        self.requests = requests or (2 * MILLION if pipeline > 1 else 250 * 1000)

    def benchmark(self, server, args, requests, pipeline, conns):
        servers.client("redis-benchmark", "-p", server.port, "--csv", "-n", requests,
                       *flags(pipeline, conns), *args)

    def prepare(self, server, quick):
        if server.kind.startswith("floor"):
            return
        if self.keys:
            servers.client(LOAD, "fill", server.port, self.keys, self.value_bytes)
        for args, requests in self.setup:
            # What is to be done once is done once.
            pipeline, conns = (16, 10) if requests > 1 else (1, 1)
            self.benchmark(server, args, requests, pipeline, conns)

    def run(self, server, quick):
        requests = self.some(self.requests, quick)
        before = server.cpu_ns()
        out = servers.client("redis-benchmark", "-p", server.port, "--csv", "-n", requests,
                             *flags(self.pipeline, self.conns), *self.args)
        used = server.cpu_ns() - before
        per_second = float(out.strip().splitlines()[-1].split('","')[1].strip('"'))
        return {"cpu_us": used / requests / 1e3, "per_second": per_second}


class Mix(Row):
    """A share of reads and writes of random keys."""

    def __init__(self, name, keys, read_percent, pipeline, value_bytes, requests):
        super().__init__(name)
        self.keys = keys
        self.read_percent = read_percent
        self.pipeline = pipeline
        self.value_bytes = value_bytes
        self.requests = requests

    def prepare(self, server, quick):
        self.count = self.keys // 10 if quick else self.keys
        servers.client(LOAD, "fill", server.port, self.count, self.value_bytes)

    def run(self, server, quick):
        requests = self.some(self.requests, quick)
        before = server.cpu_ns()
        out = servers.client(LOAD, "mix", server.port, self.count, requests, 50, self.pipeline,
                             self.read_percent, self.value_bytes)
        return {"cpu_us": (server.cpu_ns() - before) / requests / 1e3, "per_second": float(out)}


class Latency(Row):
    """Latencies at a fixed rate, half of what the peer reaches at most with this many connections."""

    unit = "µs"
    figure = "p99_us"
    rate = None

    def prepare(self, server, quick):
        servers.client(LOAD, "fill", server.port, MILLION, 32)
        if server.kind == "redis" or self.rate is None:
            peak = Benchmark("peak", ["-t", "get", "-r", str(MILLION)]).run(server, quick)
            Latency.rate = int(peak["per_second"] / 2)

    def run(self, server, quick):
        out = servers.client(LOAD, "open", server.port, MILLION, self.rate, 1 if quick else 5, 50,
                             80, 32)
        p50, p99, p999, longest = (float(word) for word in out.split())
        return {"p50_us": p50, "p99_us": p99, "p999_us": p999, "max_us": longest,
                "rate": self.rate}


class Memory(Row):
    """Growth of resident memory."""

    once = True
    unit = "bytes"
    figure = "bytes"

    def __init__(self, name, commands, divide=1, bound=None):
        super().__init__(name, bound)
        self.commands = commands
        self.divide = divide
        self.unit = "MB" if name.endswith(", MB") else "bytes"

    def run(self, server, quick):
        before = server.rss_bytes()
        send(server, self.commands())
        return {"bytes": (server.rss_bytes() - before) / self.divide}


class Stall(Row):
    """Many keys are added; CPU time that a piece of 16 took at most, and how long it was as the
    client saw it, which also counts when the machine let the server wait for its core."""

    once = True
    unit = "µs"
    figure = "max_cpu_us"

    def run(self, server, quick):
        keys = MILLION if quick else 10 * MILLION
        before = server.cpu_ns()
        out = servers.client(LOAD, "stall", server.port, keys, 32, server.process.pid)
        p50, p9999, tenth, longest, longest_cpu = (float(word) for word in out.split())
        return {"p50_us": p50, "p9999_us": p9999, "tenth_us": tenth, "max_us": longest,
                "max_cpu_us": longest_cpu, "cpu_us": (server.cpu_ns() - before) / keys / 1e3}


class Idle(Row):
    """Connections that have been of use once and then do nothing."""

    once = True
    unit = "bytes"
    figure = "bytes"

    def run(self, server, quick):
        conns = 1000 if quick else 10000
        server.call("CONFIG", "SET", "maxclients", str(conns + 100))
        before = server.rss_bytes()
        with subprocess.Popen([str(LOAD), "idle", str(server.port), str(conns)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as load:
            load.stdout.readline()
            grown = server.rss_bytes() - before
            load.stdin.close()
        return {"bytes": grown / conns}


def send(server, commands):
    """Sends requests given as tuples of words, a thousand at a time; errors end the run."""
    with socket.create_connection(("127.0.0.1", server.port)) as conn:
        replies = conn.makefile("rb", buffering=1 << 20)
        pending, waiting = [], 0

        def flush():
            nonlocal pending, waiting
            conn.sendall("".join(pending).encode())
            for _ in range(waiting):
                line = replies.readline()
                if line[:1] not in b"+:":
                    raise RuntimeError(f"{server.kind}: {line!r}")
            pending, waiting = [], 0

        for words in commands:
            pending.append(f"*{len(words)}\r\n")
            pending.extend(f"${len(word)}\r\n{word}\r\n" for word in words)
            waiting += 1
            if waiting == 1000:
                flush()
        flush()


def strings():
    return (("SET", f"key:{i:07d}", VALUE) for i in range(2 * MILLION))


def members(verb):
    def commands():
        for i in range(0, MILLION, 10):
            words = [verb, "key"]
            for n in range(i, i + 10):
                if verb == "ZADD":
                    words.append(str(n))
                words.append(f"member:{n}")
            yield words
    return commands


def hashes():
    for i in range(100 * 1000):
        words = ["HSET", f"hash:{i}"]
        for n in range(20):
            words += [f"field{n}", f"value{n}"]
        yield words


RANDOM = ["-r", str(MILLION)]
KEY = "key:__rand_int__"


def simple(verb, pipeline, conns=50, **more):
    name = f"{verb.upper()}, " + (f"pipeline {pipeline}" if pipeline > 1 else "no pipelining")
    if conns != 50:
        name += f", {conns} connection" + ("s" if conns > 1 else "")
    return Benchmark(name, ["-t", verb] + RANDOM, pipeline, conns, keys=MILLION, **more)


def ten(verb):
    words = [verb]
    for _ in range(10):
        words += [KEY] if verb == "MGET" else [KEY, VALUE]
    return Benchmark(f"{verb} of 10, pipeline 16", RANDOM + words, 16, keys=MILLION,
                     requests=300 * 1000)


def large(verb, size, requests):
    return Benchmark(f"{verb.upper()} of {size // 1000} KB, no pipelining",
                     ["-t", verb, "-r", "1000", "-d", str(size)], keys=1000, value_bytes=size,
                     requests=requests)


def zset_rows():
    fill = (["-r", "100000", "ZADD", "zset", "__rand_int__", "element:__rand_int__"], 300 * 1000)
    return [
        Benchmark("ZADD, pipeline 32",
                  RANDOM + ["ZADD", "zset", "__rand_int__", "element:__rand_int__"], 32,
                  requests=MILLION),
        Benchmark("ZRANGE of 10 by rank, pipeline 16",
                  ["ZRANGE", "zset", "50000", "50009"], 16, requests=500 * 1000, setup=[fill]),
        Benchmark("ZRANGE of 10 by score, pipeline 16",
                  ["-r", "100000", "ZRANGE", "zset", "__rand_int__", "+inf", "BYSCORE", "LIMIT",
                   "0", "10"], 16, requests=500 * 1000, setup=[fill]),
    ]


def piped(name, words, setup=(), random=0, pipeline=16, requests=500 * 1000):
    """Commands given word by word; random: the range of __rand_int__."""
    args = (["-r", str(random)] if random else []) + words
    return Benchmark(f"{name}, pipeline {pipeline}", args, pipeline, requests=requests, setup=setup)


def small(verb, *patterns):
    """A small collection: the verb with each pattern for the numbers from 0 to 19."""
    words = [verb, "small"]
    for number in range(20):
        words += [pattern.format(number) for pattern in patterns]
    return words, 1


def large_of(verb, *words):
    """A collection filled at random: nearly 100,000 members, or a list of a million."""
    return ["-r", "100000", verb, "large", *words], 1 * MILLION


def collection_rows():
    member, field = "member:__rand_int__", "field:__rand_int__"
    points = (["-r", "100000", "GEOADD", "points", "13.__rand_int__", "38.__rand_int__", member],
              200 * 1000)
    return [
        piped("LRANGE of 20 texts", ["LRANGE", "small", "0", "-1"],
              [small("RPUSH", "element:{}")], requests=300 * 1000),
        piped("LRANGE of 20 integers", ["LRANGE", "small", "0", "-1"], [small("RPUSH", "1000{}")],
              requests=300 * 1000),
        piped("LRANGE of 100 of 1 M", ["LRANGE", "large", "500000", "500099"],
              [large_of("RPUSH", "element:__rand_int__")], requests=100 * 1000),
        piped("LINDEX of 20 integers", ["LINDEX", "small", "10"], [small("RPUSH", "1000{}")]),
        piped("LINDEX of 1 M integers", ["LINDEX", "large", "500000"],
              [large_of("RPUSH", "1__rand_int__")], requests=200 * 1000),
        piped("HGETALL of 20 fields", ["HGETALL", "small"], [small("HSET", "field{}", "value{}")],
              requests=300 * 1000),
        piped("HGET of 20 fields", ["HGET", "small", "field10"],
              [small("HSET", "field{}", "value{}")]),
        piped("HINCRBY of 20 fields", ["HINCRBY", "small", "field10", "1"],
              [small("HSET", "field{}", "1000{}")]),
        piped("HGET of 100,000 fields", ["HGET", "large", field],
              [large_of("HSET", field, "value")], 100 * 1000),
        piped("HINCRBY of 100,000 fields", ["HINCRBY", "large", field, "1"],
              [large_of("HSET", field, "1000")], 100 * 1000),
        piped("SMEMBERS of 20", ["SMEMBERS", "small"], [small("SADD", "member:{}")],
              requests=300 * 1000),
        piped("SISMEMBER of 20 integers", ["SISMEMBER", "small", "10"], [small("SADD", "{}")]),
        piped("SISMEMBER of 100,000", ["SISMEMBER", "large", member], [large_of("SADD", member)],
              100 * 1000),
        piped("SINTER of 20 and 100,000", ["SINTER", "small", "large"],
              [small("SADD", "member:{0:012d}"), large_of("SADD", member)], requests=100 * 1000),
        piped("ZSCORE of 20", ["ZSCORE", "small", "member:10"],
              [small("ZADD", "{}", "member:{}")]),
        piped("ZSCORE of 100,000", ["ZSCORE", "large", member],
              [large_of("ZADD", "__rand_int__", member)], 100 * 1000),
        piped("ZRANK of 100,000", ["ZRANK", "large", member],
              [large_of("ZADD", "__rand_int__", member)], 100 * 1000),
        piped("GEOSEARCH of 20 km among 100,000",
              ["GEOSEARCH", "points", "FROMLONLAT", "13.5", "38.5", "BYRADIUS", "20", "km",
               "COUNT", "10"], [points], requests=20 * 1000),
    ]


ROWS = (
    [simple(verb, p, floor=(verb == "get"),
            bound=("ratio", {1: 0.80, 32: 1 / 3.5}.get(p)) if p in (1, 32) else None)
     for verb in ("get", "set") for p in (1, 16, 32, 100)]
    + [simple(verb, 1, conns, requests=100 * 1000 if conns == 1 else None)
       for verb in ("get", "set") for conns in (1, 500)]
    + [simple("get", 32, 500),
       Benchmark("INCR, pipeline 32", RANDOM + ["INCR", "counter:__rand_int__"], 32),
       Benchmark("HSET, pipeline 32", RANDOM + ["HSET", "hash", "element:__rand_int__", "value"],
                 32),
       Benchmark("LPUSH, pipeline 32", ["LPUSH", "list", "value"], 32),
       Benchmark("LPOP, pipeline 32", ["LPOP", "list"], 32,
                 setup=[(["LPUSH", "list"] + ["value"] * 50, 300 * 1000)]),
       Benchmark("SADD, pipeline 32", RANDOM + ["SADD", "set", "element:__rand_int__"], 32)]
    + zset_rows()
    + collection_rows()
    + [ten("MGET"), ten("MSET")]
    + [large(verb, size, requests) for size, requests in ((4000, 200 * 1000), (100000, 20 * 1000))
       for verb in ("get", "set")]
    + [Mix("80 % GET, 20 % SET of 10 M keys, pipeline 32", 10 * MILLION, 80, 32, 32, 2 * MILLION),
       Latency("latency at half the peer's rate, no pipelining, p99"),
       Memory("memory: 2 M strings, bytes per key", strings, 2 * MILLION, ("value", 68)),
       Memory("memory: a sorted set of 1 M members, MB", members("ZADD"), MILLION, ("value", 55)),
       Memory("memory: a set of 1 M members, MB", members("SADD"), MILLION, ("value", 30)),
       Memory("memory: 100,000 hashes of 20 fields, MB", hashes, MILLION, ("value", 47)),
       Idle("memory: 10,000 idle connections, bytes each", ("value", 1536)),
       Stall("10 M keys growing: most CPU time of 16 SETs, µs", ("value", 1000))]
)


def median(rounds, figure):
    return statistics.median(r[figure] for r in rounds)
