"""A RESP2/RESP3 client of a few lines that shows replies as they are on the wire.

Client libraries turn replies into what their users like; a comparison of two servers needs to see
the types themselves. Replies become Python values: ints, bytes, None, lists, and the small classes
below for what Python has no word for.
"""

import socket


class Simple(bytes):
    pass


class Error(bytes):
    pass


class Double(bytes):
    """The text of a RESP3 double: two servers must write it alike."""


class BigNumber(bytes):
    """An integer of any length, as its digits."""


class NullArray:
    def __eq__(self, other):
        return isinstance(other, NullArray)

    def __hash__(self):
        return 1

    def __repr__(self):
        return "NullArray"


class Verbatim(bytes):
    pass


class Map(list):
    """A RESP3 map as a list of pairs, in the order of the wire."""


class Set(list):
    pass


class Push(list):
    pass


def encode(args):
    parts = [b"*%d\r\n" % len(args)]
    for arg in args:
        if isinstance(arg, str):
            arg = arg.encode()
        elif isinstance(arg, int):
            arg = b"%d" % arg
        parts.append(b"$%d\r\n%s\r\n" % (len(arg), arg))
    return b"".join(parts)


class Client:
    def __init__(self, port, host="127.0.0.1", timeout=30):
        self.port = port
        self.sock = socket.create_connection((host, port), timeout)
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.file = self.sock.makefile("rb")

    def close(self):
        self.file.close()
        self.sock.close()

    def send(self, *args):
        self.sock.sendall(encode(args))

    def call(self, *args):
        self.send(*args)
        return self.read()

    def send_all(self, commands):
        self.sock.sendall(b"".join(encode(args) for args in commands))

    def read_all(self, commands):
        return [self.read() for _ in commands]

    def pipeline(self, commands):
        self.send_all(commands)
        return self.read_all(commands)

    def read(self):
        line = self.file.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the server closed the connection")
        kind, text = line[:1], line[1:-2]
        if kind == b"+":
            return Simple(text)
        if kind == b"-":
            return Error(text)
        if kind == b":":
            return int(text)
        if kind in b"$=":
            if text == b"-1":
                return None
            data = self.file.read(int(text) + 2)[:-2]
            return Verbatim(data) if kind == b"=" else data
        if kind in b"*~>":
            if text == b"-1":
                return NullArray()
            items = [self.read() for _ in range(int(text))]
            return {b"*": list, b"~": Set, b">": Push}[kind](items)
        if kind == b"%":
            return Map((self.read(), self.read()) for _ in range(int(text)))
        if kind == b"_":
            return None
        if kind == b"#":
            return text == b"t"
        if kind == b",":
            return Double(text)
        if kind == b"(":
            return BigNumber(text)
        raise ConnectionError("reply of unknown kind: %r" % line)
