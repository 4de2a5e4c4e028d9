# SPDX-License-Identifier: Apache-2.0
"""An icpd in a temporary directory and a client of the protocol in plain Python, for system tests.

The client is written from docs/protocol.md alone (struct and msgpack), so that it checks the
document and not libicp."""
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time

import msgpack

import reference

OPS = {name: op["opcode"] for name, op in reference.OPERATIONS.items()}
HEADER = struct.Struct("<IBBHII")
REPLY, CHECKSUM, MORE = 1, 2, 4


# What these tests ask about is not how long a client may take: on a slow machine a connection may well
# wait for longer than the deadlines that a server has by default.
PATIENCE = ("--first-byte-ms", "10m", "--frame-ms", "10m", "--idle-ms", "1h", "--write-ms", "10m")
POLL_S = 0.02  # between looks whether a server has started
WAIT_S = 300  # for one reply, a start or an end; what hangs for good is ended by CTest


class Refused(Exception):
    """An error reply: its code by name, the field at fault and the message."""

    def __init__(self, reply):
        super().__init__(f"{reply['error']} {reply.get('field', '')}: {reply.get('message', '')}")
        self.code = reply["error"]
        self.field = reply.get("field", "")
        self.message = reply.get("message", "")


class Client:
    def __init__(self, port=None, path=None, timeout=WAIT_S, connected=None):
        if connected:
            self.socket = connected
        elif path:
            self.socket = socket.socket(socket.AF_UNIX)
            self.socket.settimeout(timeout)
            self.socket.connect(path)
        else:
            self.socket = socket.create_connection(("127.0.0.1", port), timeout)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.last_id = 0

    def close(self):
        self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def send(self, op, request=None):
        self.last_id += 1
        payload = b"" if request is None else msgpack.packb(request)
        code = OPS[op] if isinstance(op, str) else op
        self.socket.sendall(HEADER.pack(len(payload), 1, code, 0, self.last_id, 0) + payload)
        return self.last_id

    def _read(self, count):
        parts = []
        while count > 0:
            part = self.socket.recv(min(count, 1 << 20))
            if not part:
                raise ConnectionError("closed by the server")
            parts.append(part)
            count -= len(part)
        return b"".join(parts)

    def receive(self):
        """The next frame: request id, status, flags, payload."""
        size, _, status, flags, request_id, _ = HEADER.unpack(self._read(HEADER.size))
        payload = self._read(size)
        return request_id, status, flags, msgpack.unpackb(payload) if payload else None

    def call(self, op, request=None, progress=None):
        sent = self.send(op, request)
        while True:
            request_id, status, flags, payload = self.receive()
            assert request_id == sent, (request_id, sent)
            if status:
                raise Refused(payload)
            if not flags & MORE:
                if isinstance(op, str):
                    # age_ms is a member of any reply that was asked for it (proto/common.def)
                    aged = request is not None and request.get("staleness")
                    own = {name: payload[name] for name in payload if name != "age_ms"} if aged else payload
                    wrong = reference.faults(op, own)
                    assert not wrong, wrong
                return payload
            if progress is not None:
                progress.append(payload)


class Server:
    """Starts icpd on a free port; the directory lives until close, so that it can be restarted."""

    def __init__(self, binary, *flags, env=None):
        self.binary = binary
        self.flags = flags
        self.env = env
        self.directory = tempfile.mkdtemp(prefix="icpd-test-")
        self.data = os.path.join(self.directory, "data")
        self.socket_path = os.path.join(self.directory, "socket")
        self.log_path = os.path.join(self.directory, "log")
        self.process = None
        self.port = None
        self.http = None  # port of HTTP
        self.tls = None  # port of TLS
        self.start()

    def start(self):
        ports = os.path.join(self.directory, "ports")
        if os.path.exists(ports):
            os.unlink(ports)
        command = [self.binary, "--host", "127.0.0.1", "--port", "0", "--data", self.data,
                   "--socket-path", self.socket_path, "--ports-file", ports, *PATIENCE,
                   *self.flags]
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(command, stderr=log, env=self.env)
        deadline = time.monotonic() + WAIT_S
        while not os.path.exists(ports):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("icpd did not start:\n" + self.log())
            time.sleep(POLL_S)
        with open(ports) as file:
            found = dict(line.strip().split(" = ", 1) for line in file)
        self.port = int(found["port"])
        self.http = int(found["http"]) if "http" in found else None
        self.tls = int(found["tls"]) if "tls" in found else None

    def log(self):
        with open(self.log_path, errors="replace") as file:
            return file.read()

    def client(self, timeout=WAIT_S):
        return Client(port=self.port, timeout=timeout)

    def stop(self, number=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            return self.process.wait(timeout=WAIT_S)
        return self.process.returncode if self.process else None

    def close(self):
        """Ends the server. A sanitizer's report in its log fails the test that ran it."""
        if self.process and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        log = self.log() if os.path.exists(self.log_path) else ""
        shutil.rmtree(self.directory, ignore_errors=True)
        if any(sign in log for sign in ("Sanitizer", "runtime error:")):
            raise AssertionError(log[-20000:])
