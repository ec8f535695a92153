"""Attackers as programs: connections that send without end, and ones that come, ask and go.

They have many addresses of this machine, none of them the honest clients', so that limits by address hold for each of
them and are not what ends the attack. What they did is in their numbers.
"""

import itertools
import selectors
import socket
import struct
import time

ADDRESSES = [f"127.0.2.{number}" for number in range(1, 101)]
# To close without the farewell that keeps a port busy for a minute.
AT_ONCE = struct.pack("ii", 1, 0)


def connect(port, address):
    link = socket.create_connection(("127.0.0.1", port), 5, source_address=(address, 0))
    link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    return link


class Attacker:
    def __init__(self, port):
        self.port = port
        self.addresses = itertools.cycle(ADDRESSES)
        self.connections = self.refused = self.ended = self.sent = 0

    def numbers(self):
        """What goes into the table: connections made, those turned away, those ended by the node, and bytes."""
        return {name: getattr(self, name) for name in ("connections", "refused", "ended", "sent")}


class Knocks(Attacker):
    """Comes, sends a few bytes, waits for the answer and goes, one after the other."""

    def __init__(self, port, *requests, addresses=ADDRESSES):
        super().__init__(port)
        self.addresses = itertools.cycle(addresses)
        self.requests = itertools.cycle(requests)

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self.refused += self.once() != 101

    def once(self):
        """The answer's status; 0: none, or none of HTTP."""
        request = next(self.requests)
        self.connections += 1
        try:
            with connect(self.port, next(self.addresses)) as link:
                link.sendall(request)
                self.sent += len(request)
                answer = link.recv(4096)
            return int(answer[9:12]) if answer.startswith(b"HTTP/1.1 ") else 0
        except OSError:
            return 0


class Flood(Attacker):
    """So many connections that send the same bytes over and over, and come again when they are thrown out.

    `opening` is sent once, when the handshake is done. Without `handshakes` the bytes come at once.
    """

    def __init__(self, port, handshakes, content, count=60, opening=b"", reads=True):
        super().__init__(port)
        self.handshakes = itertools.cycle(handshakes or [b""])
        self.opening, self.content, self.count, self.reads = opening, content, count, reads
        self.selector = selectors.DefaultSelector()
        self.rest = {}

    def run(self, seconds):
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            while len(self.rest) < self.count and time.monotonic() < end and self.open():
                pass
            for key, events in self.selector.select(0.05):
                self.act(key.fileobj, events)
        for link in list(self.rest):
            self.close(link)

    def open(self):
        """False when it was turned away: what is there goes on meanwhile."""
        self.connections += 1
        handshake = next(self.handshakes)
        try:
            link = connect(self.port, next(self.addresses))
            link.sendall(handshake)
            if handshake and b" 101 " not in link.recv(4096):
                raise ConnectionRefusedError
            link.sendall(self.opening)
        except OSError:
            self.refused += 1
            return False
        self.sent += len(handshake) + len(self.opening)
        link.setblocking(False)
        self.rest[link] = memoryview(self.content)
        interest = selectors.EVENT_READ | (selectors.EVENT_WRITE if self.content else 0)
        self.selector.register(link, interest if self.reads else selectors.EVENT_WRITE)
        return True

    def act(self, link, events):
        try:
            if events & selectors.EVENT_READ and not link.recv(65_536):
                raise ConnectionResetError
            if events & selectors.EVENT_WRITE:
                count = link.send(self.rest[link])
                self.sent += count
                self.rest[link] = self.rest[link][count:] or memoryview(self.content)
        except BlockingIOError:
            pass
        except OSError:
            self.ended += 1
            self.close(link)

    def close(self, link):
        self.selector.unregister(link)
        del self.rest[link]
        link.close()
