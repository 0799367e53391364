"""The parts of RDB files as the versions of Redis wrote them, put together byte by byte."""

import struct


def length(n):
    if n < 1 << 6:
        return bytes([n])
    if n < 1 << 14:
        return bytes([0x40 | n >> 8, n & 255])
    return b"\x80" + n.to_bytes(4, "big")


def string(data):
    return length(len(data)) + data


def crc64(data):
    """The checksum of RDB files: the polynomial of Jones, reflected."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x95ac9329ac4bc9b5 if crc & 1 else 0)
    return crc


def ziplist_integer(n):
    if 0 <= n <= 12:
        return bytes([0xf1 + n])
    for code, size in [(0xfe, 1), (0xc0, 2), (0xf0, 3), (0xd0, 4), (0xe0, 8)]:
        if -(1 << 8 * size - 1) <= n < 1 << 8 * size - 1:
            return bytes([code]) + n.to_bytes(size, "little", signed=True)
    raise ValueError(n)


def ziplist_text(data):
    if len(data) < 1 << 6:
        return bytes([len(data)]) + data
    if len(data) < 1 << 14:
        return bytes([0x40 | len(data) >> 8, len(data) & 255]) + data
    return b"\x80" + len(data).to_bytes(4, "big") + data


def ziplist(items):
    """Each entry begins with the length of the one before, in 1 byte or, from 254 on, in 5."""
    body, before, last = b"", 0, 10
    for item in items:
        entry = bytes([before]) if before < 254 else b"\xfe" + before.to_bytes(4, "little")
        entry += ziplist_integer(item) if isinstance(item, int) else ziplist_text(item)
        last, before = 10 + len(body), len(entry)
        body += entry
    head = (10 + len(body) + 1).to_bytes(4, "little") + last.to_bytes(4, "little")
    return head + len(items).to_bytes(2, "little") + body + b"\xff"


def zipmap(pairs):
    """A value may be followed by bytes that it no longer needs; how many is said before it."""
    def size(data):
        return bytes([len(data)]) if len(data) < 254 else b"\xfe" + len(data).to_bytes(4, "little")
    body = b"".join(size(field) + field + size(value) + bytes([len(unused)]) + value + unused
                    for field, value, unused in pairs)
    return bytes([min(len(pairs), 254)]) + body + b"\xff"


def listpack(items):
    """Each entry ends with its own length, in groups of 7 bits that are read backwards."""
    body = b""
    for item in items:
        entry = bytes([0x80 | len(item)]) + item if isinstance(item, bytes) else bytes([item])
        body += entry + bytes([len(entry)])
    return (len(body) + 7).to_bytes(4, "little") + len(items).to_bytes(2, "little") + body + b"\xff"


def intset(width, items):
    return b"".join([width.to_bytes(4, "little"), len(items).to_bytes(4, "little"),
                     *(n.to_bytes(width, "little", signed=True) for n in items)])


def text_double(text):
    return bytes([len(text)]) + text


def row(items):
    return length(len(items)) + b"".join(string(item) for item in items)


def double(value):
    return struct.pack("<d", value)


def payload(kind, body, version=10):
    """As DUMP gives it."""
    data = bytes([kind]) + body + version.to_bytes(2, "little")
    return data + crc64(data).to_bytes(8, "little")
