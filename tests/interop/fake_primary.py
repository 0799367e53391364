"""A primary made of Python: it answers a replica's handshake, and then says what the test wants,
right or wrong. And the bytes of an RDB file."""

import socket
import struct
import threading

from processes import HOST, free_port

CRC_POLYNOMIAL = 0x95AC9329AC4BC9B5  # CRC-64 of Jones, reflected
REPLID = "0123456789abcdef0123456789abcdef01234567"


def crc64(data):
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (CRC_POLYNOMIAL if crc & 1 else 0)
    return crc


assert crc64(b"123456789") == 0xE9C6D914C4B8D9CA


def rdb_string(text):
    data = text.encode()
    if len(data) < 64:
        return bytes([len(data)]) + data
    return bytes([0x80]) + struct.pack(">I", len(data)) + data


def rdb_body(pairs, version=9):
    body = b"REDIS%04d" % version + b"\xfa" + rdb_string("redis-ver") + rdb_string("7.0.15")
    body += b"\xfe\x00"
    for key, value in pairs.items():
        body += b"\x00" + rdb_string(key) + rdb_string(value)
    return body


def rdb(pairs, version=9):
    body = rdb_body(pairs, version) + b"\xff"
    return body + struct.pack("<Q", crc64(body))


class FakePrimary:
    """Plays a script: each connection's PSYNC is answered by the next of `answers`, bytes or a list
    of bytes; the last one again and again. After an answer that ends with None the link is closed,
    otherwise it stays."""

    def __init__(self, answers):
        self.answers = list(answers)
        self.port = free_port()
        self.asked = []  # what the PSYNCs said
        self.acks = []
        self.links = []
        self.listener = socket.create_server((HOST, self.port))
        threading.Thread(target=self.accept, daemon=True).start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.listener.close()
        self.drop()

    def drop(self):
        """Closes the links that there are now; one that comes back meanwhile stays."""
        links, self.links = self.links, []
        for link in links:
            try:
                link.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    def accept(self):
        while True:
            try:
                link, _ = self.listener.accept()
            except OSError:
                return
            self.links.append(link)
            threading.Thread(target=self.serve, args=(link,), daemon=True).start()

    def serve(self, link):
        try:
            with link, link.makefile("rb") as file:
                while True:
                    words = self.request(file)
                    if words is None:
                        return
                    name = words[0].upper()
                    if name in (b"PSYNC", b"SYNC"):
                        self.asked.append(b" ".join(words[1:]).decode())
                        if not self.answer(link):
                            return
                    elif name == b"PING":
                        link.sendall(b"+PONG\r\n")
                    elif name == b"REPLCONF" and words[1].upper() == b"ACK":
                        self.acks.append(int(words[2]))
                    else:
                        link.sendall(b"+OK\r\n")
        except OSError:
            pass

    @staticmethod
    def request(file):
        head = file.readline()
        if not head:
            return None
        if not head.startswith(b"*"):
            return head.split()
        words = []
        for _ in range(int(head[1:])):
            size = int(file.readline()[1:])
            words.append(file.read(size + 2)[:-2])
        return words

    def answer(self, link):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        for piece in answer if isinstance(answer, list) else [answer]:
            if piece is None:
                return False
            link.sendall(piece)
        return True


def full_resync(data, offset=0, announced=None):
    size = len(data) if announced is None else announced
    return b"+FULLRESYNC %s %d\r\n$%d\r\n" % (REPLID.encode(), offset, size) + data
