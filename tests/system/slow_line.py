# SPDX-License-Identifier: Apache-2.0
"""A line to a server on loopback that can be bad, as networks are, for tests.

    line = Line(port)         line.port leads there
    line.rate = 2000          bytes a second and way, of each connection; None: what it takes
    line.hold()               half-open: whoever connects is taken, and nothing goes either way
    line.release()            what was held goes on
    line.cut()                all connections end, by reset
    line.cut_answers(7)       those that are there end, by reset, behind so many bytes more that the
                              server says
    line.cut_questions(7)     ... that are said to it
    line.good()               as any line again

line.resets says how many ended in the middle of something. Two threads a connection; none outlives close() for long."""
import socket
import struct
import threading
import time

CHUNK = 65536
RESET = struct.pack("ii", 1, 0)


class Pair:
    """The two ends of one connection."""

    def __init__(self, client, server):
        self.ends = (client, server)
        self.left = [None, None]  # bytes until it is cut: of questions, of answers
        self.closed = threading.Event()

    def reset(self):
        """No end of what was said, but an error, wherever that is."""
        if self.closed.is_set():
            return
        self.closed.set()
        for end in self.ends:
            try:
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                end.shutdown(socket.SHUT_RD)  # wakes who reads
                end.close()
            except OSError:
                pass  # gone already


class Line:
    def __init__(self, target):
        self.target = target
        self.rate = None
        self.resets = 0
        self.open = threading.Event()
        self.open.set()
        self.lock = threading.Lock()
        self.pairs = []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return  # closed
            try:
                server = socket.create_connection(("127.0.0.1", self.target), 5)
                server.settimeout(None)
            except OSError:
                Pair(client, client).reset()
                continue
            for end in (client, server):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = Pair(client, server)
            with self.lock:
                self.pairs = [one for one in self.pairs if not one.closed.is_set()] + [pair]
            for way in (0, 1):
                threading.Thread(target=self.pump, args=(pair, way), daemon=True).start()

    def pump(self, pair, way):
        """way 0: questions to the server, 1: its answers."""
        try:
            while True:
                data = pair.ends[way].recv(CHUNK if self.rate is None else max(1, self.rate // 20))
                if not data:
                    break
                while not self.open.wait(0.1):
                    if pair.closed.is_set():
                        return
                left = pair.left[way]
                pair.ends[1 - way].sendall(data if left is None else data[:left])
                if left is not None and len(data) >= left:
                    self.resets += 1
                    break
                if left is not None:
                    pair.left[way] = left - len(data)
                if self.rate is not None:
                    time.sleep(len(data) / self.rate)
        except OSError:
            pass  # the other way has ended it
        pair.reset()

    def hold(self):
        self.open.clear()

    def release(self):
        self.open.set()

    def cut(self):
        with self.lock:
            pairs, self.pairs = self.pairs, []
        for pair in pairs:
            pair.reset()

    def cut_within(self, way, count):
        with self.lock:
            for pair in self.pairs:
                pair.left[way] = count

    def cut_answers(self, count):
        self.cut_within(1, count)

    def cut_questions(self, count):
        self.cut_within(0, count)

    def good(self):
        self.rate = None
        self.release()

    def close(self):
        self.listener.close()
        self.release()
        self.cut()
