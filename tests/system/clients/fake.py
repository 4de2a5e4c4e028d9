# SPDX-License-Identifier: Apache-2.0
"""A server that misbehaves as a test wants: what a client does then, and what it sent."""
import os
import socket
import struct
import sys
import threading

import msgpack
import xxhash

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import reference  # noqa: E402

HEADER = struct.Struct("<IBBHII")
NAMES = {op["opcode"]: name for name, op in reference.OPERATIONS.items()}
GREETING = {"server": "fake/1", "protocol": 1, "role": "admin", "limits": {}, "schema": 1, "icp": 1}


class Fake:
    """on_request(fake, connection number, op, request id, payload) answers by connection.reply, or by
    returning "close" or "silent". It is not asked about hello; pings, by which a client sees whether a
    connection lives, are not among what was seen."""

    def __init__(self, on_request, greet=True, **greeting):
        self.on_request = on_request
        self.greet = greet
        self.greeting = {**GREETING, **greeting}
        self.seen = []  # op and payload of each request but hello
        self.checksums = set()  # of all requests: none, right, wrong
        self.connections = 0
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.uri = f"icp://127.0.0.1:{self.port}"
        self.open = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            self.open.append(connection)
            threading.Thread(target=self._serve, args=(connection, self.connections), daemon=True).start()

    @staticmethod
    def reply(connection, request_id, payload, status=0, flags=1, checksum=0):
        body = msgpack.packb(payload)
        connection.sendall(HEADER.pack(len(body), 1, status, flags, request_id, checksum) + body)

    @staticmethod
    def refuse(connection, request_id, name, retryable=True, **more):
        codes = {row["name"]: row["code"] for row in reference.TABLES["errors"]}
        Fake.reply(connection, request_id, {"code": codes[name], "error": name, "message": "as asked",
                                            "field": "", "retryable": retryable, **more}, codes[name])

    def _serve(self, connection, number):
        stream = connection.makefile("rb")
        try:
            while self.greet:
                header = stream.read(HEADER.size)
                if len(header) < HEADER.size:
                    return
                size, _, opcode, flags, request_id, checksum = HEADER.unpack(header)
                body = stream.read(size)
                self.checksums.add("none" if not flags & 2 else
                                   "right" if xxhash.xxh3_64_intdigest(body) & 0xFFFFFFFF == checksum else "wrong")
                payload = msgpack.unpackb(body) if size else {}
                if NAMES[opcode] == "hello":
                    self.reply(connection, request_id, self.greeting)
                    continue
                if NAMES[opcode] != "ping":
                    self.seen.append((NAMES[opcode], payload))
                if self.on_request(connection, number, NAMES[opcode], request_id, payload) == "close":
                    connection.shutdown(socket.SHUT_RDWR)
                    return
        except OSError:
            pass
        finally:
            if self.greet:
                stream.close()
                connection.close()

    def close(self):
        self.listener.close()
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            connection.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
