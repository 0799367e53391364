"""Random commands of the families that both servers know: strings, hashes, keys and expiry over
three databases. From one seed always the same commands; only expiry depends on the clock."""

import random
import threading
import time

import redis

DATABASES = 3
BATCH = 200


class Commands:
    """next() is the next command, a list of words. A small set of names makes commands meet."""

    def __init__(self, seed, keys=800, flushes=True):
        self.random = random.Random(seed)
        self.keys = keys
        self.makers = [
            (14, self.set), (6, self.incr), (4, self.append), (3, self.setrange), (3, self.getset),
            (3, self.mset), (16, self.hset), (5, self.hdel), (5, self.hincr), (3, self.hsetnx),
            (6, self.delete), (8, self.expire), (3, self.getex), (3, self.rename), (3, self.copy),
            (2, self.move), (8, self.read),
        ]
        if flushes:
            self.makers.append((0.01, self.flush))
        self.weights = [weight for weight, _ in self.makers]
        self.functions = [function for _, function in self.makers]

    def next(self):
        return self.random.choices(self.functions, self.weights)[0]()

    def batch(self, count):
        return [self.next() for _ in range(count)]

    # ---- Parts ----

    def key(self):
        # Strings and hashes mostly keep to their own names, so that few commands fail.
        return f"k:{self.random.randrange(self.keys)}"

    def hash_key(self):
        kind = "h" if self.random.random() < 0.97 else "k"
        return f"{kind}:{self.random.randrange(self.keys // 4)}"

    def any_key(self):
        return self.key() if self.random.random() < 0.7 else self.hash_key()

    def field(self):
        return f"f{self.random.randrange(40)}" if self.random.random() < 0.95 \
            else f"a-longer-field-name-{self.random.randrange(200)}" * 3

    def value(self):
        pick = self.random.random()
        if pick < 0.3:
            return str(self.random.randrange(-1000, 100000))
        if pick < 0.9:
            return "v" * self.random.randrange(0, 60) + str(self.random.random())
        if pick < 0.98:
            return self.random.randbytes(self.random.randrange(0, 300))
        return "ab" * self.random.randrange(100, 1500)

    def milliseconds(self):
        return self.random.randrange(1, 3000) if self.random.random() < 0.5 \
            else self.random.randrange(200_000, 900_000)

    def expiry(self):
        """Options that give an expiry, in each of the four forms."""
        duration = self.milliseconds()
        form = self.random.randrange(4)
        now = int(time.time() * 1000)
        return [["PX", duration], ["EX", max(1, duration // 1000)], ["PXAT", now + duration],
                ["EXAT", (now + duration) // 1000 + 1]][form]

    # ---- Families ----

    def set(self):
        words = ["SET", self.key(), self.value()]
        pick = self.random.random()
        if pick < 0.25:
            words += self.expiry()
        elif pick < 0.35:
            words.append("KEEPTTL")
        if self.random.random() < 0.15:
            words.append(self.random.choice(["NX", "XX"]))
        if self.random.random() < 0.1:
            words.append("GET")
        if pick > 0.95:
            return self.random.choice([["SETEX", self.key(), 1 + self.milliseconds() // 1000, "x"],
                                       ["PSETEX", self.key(), self.milliseconds(), "y"],
                                       ["SETNX", self.key(), self.value()]])
        return words

    def incr(self):
        number = f"n:{self.random.randrange(self.keys // 8)}"
        return self.random.choice([["INCR", number], ["DECR", number],
                                   ["INCRBY", number, self.random.randrange(-9, 9)],
                                   ["DECRBY", number, self.random.randrange(-9, 9)],
                                   ["INCRBYFLOAT", f"f{number}", self.random.uniform(-3, 3)]])

    def append(self):
        return ["APPEND", f"a:{self.random.randrange(self.keys // 8)}", "x" * self.random.randrange(9)]

    def setrange(self):
        return ["SETRANGE", self.key(), self.random.randrange(0, 80), self.value()[:20]]

    def getset(self):
        return self.random.choice([["GETSET", self.key(), self.value()], ["GETDEL", self.key()]])

    def mset(self):
        pairs = [word for _ in range(self.random.randrange(1, 5))
                 for word in (self.key(), self.value())]
        return [self.random.choice(["MSET", "MSET", "MSETNX"]), *pairs]

    def hset(self):
        pairs = [word for _ in range(self.random.randrange(1, 4))
                 for word in (self.field(), self.value())]
        return [self.random.choice(["HSET", "HSET", "HMSET"]), self.hash_key(), *pairs]

    def hsetnx(self):
        return ["HSETNX", self.hash_key(), self.field(), self.value()]

    def hdel(self):
        return ["HDEL", self.hash_key(), *[self.field() for _ in range(self.random.randrange(1, 6))]]

    def hincr(self):
        name = f"i{self.random.randrange(5)}"
        if self.random.random() < 0.5:
            return ["HINCRBY", self.hash_key(), name, self.random.randrange(-99, 99)]
        return ["HINCRBYFLOAT", self.hash_key(), "float" + name, self.random.uniform(-1, 1)]

    def delete(self):
        return [self.random.choice(["DEL", "UNLINK"]),
                *[self.any_key() for _ in range(self.random.randrange(1, 4))]]

    def expire(self):
        key, duration = self.any_key(), self.milliseconds()
        now = int(time.time() * 1000)
        words = self.random.choice([
            ["PEXPIRE", key, duration], ["EXPIRE", key, duration // 1000],
            ["PEXPIREAT", key, now + duration], ["EXPIREAT", key, (now + duration) // 1000],
            ["PERSIST", key], ["PEXPIRE", key, -1]])
        if words[0] != "PERSIST" and self.random.random() < 0.2:
            words.append(self.random.choice(["NX", "XX", "GT", "LT"]))
        return words

    def getex(self):
        return ["GETEX", self.key(), *self.random.choice([self.expiry(), ["PERSIST"], []])]

    def rename(self):
        return [self.random.choice(["RENAME", "RENAMENX"]), self.any_key(), self.any_key()]

    def copy(self):
        words = ["COPY", self.any_key(), self.any_key()]
        if self.random.random() < 0.3:
            words += ["DB", self.random.randrange(DATABASES)]
        if self.random.random() < 0.5:
            words.append("REPLACE")
        return words

    def move(self):
        if self.random.random() < 0.1:
            return ["SWAPDB", self.random.randrange(DATABASES), self.random.randrange(DATABASES)]
        return ["MOVE", self.any_key(), self.random.randrange(DATABASES)]

    def read(self):
        return self.random.choice([["GET", self.key()], ["HGETALL", self.hash_key()],
                                   ["EXISTS", self.any_key()], ["TYPE", self.any_key()]])

    def flush(self):
        return ["FLUSHDB"] if self.random.random() < 0.8 else ["FLUSHALL"]


def run(server, seed, count, client=None, keys=800, flushes=True):
    """Sends count random commands in batches; the number of error replies. An error reply is part
    of the game (a wrong type, no such key); a lost connection is not."""
    commands = Commands(seed, keys, flushes)
    chooser = random.Random(seed ^ 0x5EED)
    own = client or server.client()
    errors = 0
    for start in range(0, count, BATCH):
        pipe = own.pipeline(transaction=False)
        pipe.execute_command("SELECT", chooser.randrange(DATABASES))
        for words in commands.batch(min(BATCH, count - start)):
            pipe.execute_command(*words)
        errors += sum(isinstance(reply, redis.ResponseError)
                      for reply in pipe.execute(raise_on_error=False))
    return errors


class Background:
    """Writes counters until told to stop: a client whose connection must never be lost."""

    def __init__(self, server, name="bg"):
        self.server, self.name = server, name
        self.written = 0
        self.error = None
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self):
        try:
            client = self.server.client()
            while not self._stop.is_set():
                client.set(f"{self.name}:{self.written % 1000}", self.written)
                self.written += 1
        except (redis.RedisError, OSError) as error:
            self.error = error

    def stop(self):
        self._stop.set()
        self._thread.join(30)
        if self.error:
            raise self.error
        return self.written
