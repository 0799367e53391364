"""Both ends of the replication protocol by hand: a replica and a primary that are nothing but a
socket, to see exactly what goes over the wire."""

import socket
import threading

from processes import HOST, free_port

# An empty RDB of version 10: header, end, and a checksum of zero, which stands for "none".
EMPTY_RDB = b"REDIS0010\xff" + b"\0" * 8


def words(*argv):
    parts = [b"*%d\r\n" % len(argv)]
    for word in argv:
        word = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(word), word))
    return b"".join(parts)


def read_command(file):
    """The next RESP request; None at the end of the stream. A lone newline is skipped."""
    while True:
        line = file.readline()
        if not line:
            return None
        if line.strip():
            break
    assert line.startswith(b"*"), line
    argv = []
    for _ in range(int(line[1:])):
        length = int(file.readline()[1:])
        argv.append(file.read(length + 2)[:-2])
    return argv


class RawReplica:
    """Follows a primary by hand: `offset` counts what was received of the stream."""

    def __init__(self, server, timeout=10.0):
        self.link = server.socket(timeout)
        self.file = self.link.makefile("rb")
        self.replid, self.offset = None, 0

    def call(self, *argv):
        self.link.sendall(words(*argv))
        return self.file.readline().rstrip(b"\r\n")

    def introduce(self, port=1, capabilities=("eof", "psync2")):
        assert self.call("PING") == b"+PONG"
        assert self.call("REPLCONF", "listening-port", port) == b"+OK"
        argv = [word for name in capabilities for word in ("capa", name)]
        assert not argv or self.call("REPLCONF", *argv) == b"+OK"

    def psync(self, replid="?", offset=-1):
        """PSYNC; the first line of the answer, and what of an RDB came with it."""
        line = self.call("PSYNC", replid, offset)
        while not line:
            line = self.file.readline().rstrip(b"\r\n")
        if line.startswith(b"+FULLRESYNC"):
            _, replid, end = line.split()
            self.replid, self.offset = replid.decode(), int(end)
            return line, self.read_rdb()
        return line, None

    def sync(self):
        """SYNC, the oldest form: no first line, an RDB of a known length."""
        self.link.sendall(b"SYNC\r\n")
        return self.read_rdb()

    def read_rdb(self):
        line = b"\n"
        while not line.strip():
            line = self.file.readline()
        assert line.startswith(b"$"), line
        if not line.startswith(b"$EOF:"):
            return self.file.read(int(line[1:]))
        mark = line[5:].strip()
        assert len(mark) == 40
        data = b""
        while not data.endswith(mark):
            data += self.file.read(1)
        return data[:-40]

    def ack(self, offset=None):
        self.link.sendall(words("REPLCONF", "ACK", self.offset if offset is None else offset))

    def next(self):
        """The next command of the stream."""
        argv = read_command(self.file)
        if argv is not None:
            self.offset += len(words(*argv))
        return argv

    def next_but(self, *ignored):
        while True:
            argv = self.next()
            if argv is None or argv[0].upper().decode() not in ignored:
                return argv

    def close(self):
        self.file.close()
        self.link.close()


class RawPrimary:
    """A primary that a replica can be pointed at. It answers the handshake, sends `rdb`, and keeps
    what the replica says afterwards in `commands`."""

    def __init__(self, rdb=EMPTY_RDB, replid="a" * 40, offset=100, eof=False):
        self.rdb, self.replid, self.offset, self.eof = rdb, replid, offset, eof
        self.port = free_port()
        self.handshake, self.commands, self.psyncs = [], [], []
        self.links = []
        self._listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                link, _ = self._listener.accept()
            except OSError:
                return
            self.links.append(link)
            threading.Thread(target=self._serve, args=(link,), daemon=True).start()

    def _serve(self, link):
        file = link.makefile("rb")
        try:
            while True:
                argv = read_command(file)
                if argv is None:
                    return
                if argv[0].upper() == b"PSYNC":
                    self.psyncs.append(argv[1:])
                    self._snapshot(link)
                    break
                self.handshake.append(argv)
                link.sendall(b"+PONG\r\n" if argv[0].upper() == b"PING" else b"+OK\r\n")
            while True:
                argv = read_command(file)
                if argv is None:
                    return
                self.commands.append(argv)
        except (OSError, AssertionError, ValueError):
            return

    def _snapshot(self, link):
        link.sendall(b"+FULLRESYNC %s %d\r\n" % (self.replid.encode(), self.offset))
        if self.eof:
            mark = b"f" * 40
            link.sendall(b"$EOF:" + mark + b"\r\n" + self.rdb + mark)
        else:
            link.sendall(b"$%d\r\n" % len(self.rdb) + self.rdb)

    def send(self, data):
        self.links[-1].sendall(data)

    def acks(self):
        return [int(argv[2]) for argv in self.commands
                if argv[0].upper() == b"REPLCONF" and argv[1].upper() == b"ACK"]

    def close(self):
        self._listener.close()
        for link in self.links:
            link.close()
