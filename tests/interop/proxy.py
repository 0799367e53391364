"""A TCP proxy on loopback that loses its connections on demand: at once, at a given byte, or by
standing still."""

import selectors
import socket
import sys
import threading
import time

from processes import HOST, free_port

CHUNK = 65536

# A test that computes would otherwise keep the proxies' threads from running for 5 ms at a time.
sys.setswitchinterval(0.0005)


class Link:
    """One proxied connection: two sockets, and what still has to go to each."""

    def __init__(self, client, server):
        self.sockets = (client, server)
        self.pending = {client: bytearray(), server: bytearray()}

    def other(self, side):
        return self.sockets[1] if side is self.sockets[0] else self.sockets[0]


class Proxy:
    """Listens on `port` and forwards to the port `target`.

    cut()            closes every connection now; new ones are accepted
    block()          cut, and refuse new connections until unblock()
    stall(), go_on() connections stay open, but nothing moves: a half-open link
    cut_at([n, ...]) cuts after n bytes from the target's side, then counts anew for the next n
    cuts             how many connections were cut in all
    """

    def __init__(self, target):
        self.target = target
        self.port = free_port()
        self.cuts = 0
        self.accepted = 0
        self.bytes_down = 0
        self._plan = []
        self._stalled = False
        self._links = {}
        self._lock = threading.RLock()
        self._selector = selectors.DefaultSelector()
        self._wake_read, self._wake_write = socket.socketpair()
        self._selector.register(self._wake_read, selectors.EVENT_READ)
        self._listener = None
        self._closing = False
        self._listen()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    # ---- What tests call ----

    def cut(self):
        with self._lock:
            links = set(self._links.values())
            for link in links:
                self._drop(link)
            self.cuts += len(links)
        self._wake()
        return len(links)

    def block(self):
        with self._lock:
            if self._listener is not None:
                self._selector.unregister(self._listener)
                self._listener.close()
                self._listener = None
        return self.cut()

    def unblock(self):
        with self._lock:
            if self._listener is None:
                self._listen()
        self._wake()

    def stall(self):
        with self._lock:
            self._stalled = True
        self._wake()

    def go_on(self):
        with self._lock:
            self._stalled = False
        self._wake()

    def cut_at(self, counts):
        with self._lock:
            self._plan = list(counts)

    def cuts_left(self):
        with self._lock:
            return len(self._plan)

    def connections(self):
        with self._lock:
            return len(set(self._links.values()))

    def close(self):
        if self._closing:
            return
        self._closing = True
        self._wake()
        self._thread.join(5)
        with self._lock:
            for link in set(self._links.values()):
                self._drop(link)
            if self._listener is not None:
                self._listener.close()
            self._selector.close()
            self._wake_read.close()
            self._wake_write.close()

    # ---- Its thread ----

    def _listen(self):
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((HOST, self.port))
        listener.listen(64)
        listener.setblocking(False)
        self._listener = listener
        self._selector.register(listener, selectors.EVENT_READ)

    def _wake(self):
        try:
            self._wake_write.send(b"w")
        except OSError:
            pass

    def _run(self):
        while not self._closing:
            # A stalled proxy must not spin on sockets that stay readable.
            events = self._selector.select(0.05 if self._stalled else 0.5)
            with self._lock:
                for key, mask in events:
                    if key.fileobj is self._wake_read:
                        self._wake_read.recv(4096)
                    elif key.fileobj is self._listener:
                        self._accept()
                    elif key.fileobj in self._links and not self._stalled:
                        self._serve(key.fileobj, mask)
                if self._stalled:
                    self._park()

    def _park(self):
        """Takes all links out of the selector until it goes on again."""
        links = set(self._links.values())
        for link in links:
            for side in link.sockets:
                self._selector.unregister(side)
        while self._stalled and not self._closing:
            self._lock.release()
            try:
                time.sleep(0.01)
            finally:
                self._lock.acquire()
        links = {link for link in links if link.sockets[0] in self._links}
        for link in links:
            for side in link.sockets:
                self._selector.register(side, selectors.EVENT_READ)
        for link in links:
            self._interest(link)

    def _accept(self):
        try:
            client, _ = self._listener.accept()
        except OSError:
            return
        try:
            server = socket.create_connection((HOST, self.target), 2.0)
        except OSError:
            client.close()
            return
        link = Link(client, server)
        for side in link.sockets:
            side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            side.setblocking(False)
            self._links[side] = link
            self._selector.register(side, selectors.EVENT_READ)
        self.accepted += 1

    def _serve(self, side, mask):
        link = self._links[side]
        if mask & selectors.EVENT_WRITE and not self._flush(link, side):
            return
        if mask & selectors.EVENT_READ:
            self._read(link, side)

    def _read(self, link, side):
        try:
            data = side.recv(CHUNK)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._drop(link)
            return
        if side is link.sockets[1]:
            data, cut = self._count(data)
        else:
            cut = False
        target = link.other(side)
        link.pending[target] += data
        if self._flush(link, target) and cut:
            self.cuts += 1
            self._drop(link)

    def _count(self, data):
        """What of the target's bytes still passes before the planned cut, and whether it is due."""
        self.bytes_down += len(data)
        if not self._plan:
            return data, False
        if len(data) < self._plan[0]:
            self._plan[0] -= len(data)
            return data, False
        return data[:self._plan.pop(0)], True

    def _flush(self, link, side):
        """Sends what is pending to `side`; false where the link is gone."""
        pending = link.pending[side]
        try:
            while pending:
                sent = side.send(pending)
                del pending[:sent]
        except BlockingIOError:
            pass
        except OSError:
            self._drop(link)
            return False
        self._interest(link)
        return True

    def _interest(self, link):
        """Reads from a side only while little waits for the other, and waits for room where it is
        due."""
        for one in link.sockets:
            mask = selectors.EVENT_WRITE if link.pending[one] else 0
            if len(link.pending[link.other(one)]) < 16 * CHUNK:
                mask |= selectors.EVENT_READ
            if mask == 0:
                mask = selectors.EVENT_WRITE
            if self._selector.get_key(one).events != mask:
                self._selector.modify(one, mask)

    def _drop(self, link):
        for side in link.sockets:
            self._links.pop(side, None)
            try:
                self._selector.unregister(side)
            except (KeyError, ValueError):
                pass
            side.close()
