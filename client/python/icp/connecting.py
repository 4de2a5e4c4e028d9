# SPDX-License-Identifier: Apache-2.0
"""Opening a connection, for the blocking client.

Happy path: the first address is connected to, greeted, and answers. Failure paths: one that refuses
gives way to the next at once; after a round of all, a random wait; one that says nothing for a quarter
of a second gets the next beside it, and whoever greets first wins. Where that goes on, the first keeps
its place, for a server may be slow, and each new one takes that of the second.
"""
import errno
import select
import socket
import ssl
import time
from typing import Any, Dict, List, NamedTuple, Optional, Tuple

from .codec import FrameSplitter, frame_encode, payload_decode, payload_encode
from .fault import IcpError, from_reply
from .policy import STAGGER_S, Address, Backoff, Options, unreachable
from .tables import OPERATIONS

HELLO = OPERATIONS["hello"]
ATTEMPTS_MAX = 8  # half-open at the same time


class Link(NamedTuple):
    socket: socket.socket
    splitter: FrameSplitter
    greeting: dict
    host: int


class _Target(NamedTuple):
    host: int
    family: int
    address: Any
    name: str = ""  # whose certificate is expected


class _Attempt:
    def __init__(self, target: _Target, tls: Optional[ssl.SSLContext]):
        self.target = target
        self.tls = tls  # until hands are shaken
        self.wants = select.POLLOUT
        self.splitter = FrameSplitter()
        self.greeted = False
        self.socket = socket.socket(target.family, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        if target.family != socket.AF_UNIX:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        error = self.socket.connect_ex(target.address)
        if error not in (0, errno.EINPROGRESS, errno.EAGAIN):
            self.socket.close()
            raise OSError(error, "connect")

    def shake(self) -> bool:
        """Whether what is sent from now on is safe; else it goes on when the socket is as `wants` says."""
        if self.tls is None:
            return True
        if not isinstance(self.socket, ssl.SSLSocket):
            self.socket = self.tls.wrap_socket(self.socket, server_hostname=self.target.name,
                                               do_handshake_on_connect=False)
        try:
            self.socket.do_handshake()
        except ssl.SSLWantReadError:
            self.wants = select.POLLIN
            return False
        except ssl.SSLWantWriteError:
            self.wants = select.POLLOUT
            return False
        self.tls = None
        return True

    def turn(self, hello: bytes) -> Optional[dict]:
        """Goes one step on: shakes hands, greets, or reads; the greeting once it is there."""
        if not self.greeted:
            error = self.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
            if error:
                raise OSError(error, "connect")
            if not self.shake():
                return None
            self.socket.send(hello)  # some 100 bytes into an empty buffer
            self.greeted = True
            self.wants = select.POLLIN
            return None
        try:
            data = self.socket.recv(65536)
        except ssl.SSLWantReadError:
            return None
        if not data:
            raise IcpError("closed", "the server closed the connection before it greeted")
        for status, _, _, payload in self.splitter.feed(data):
            reply = payload_decode(payload)
            if status:
                raise from_reply(status, reply)
            return reply
        return None


def _targets(hosts: List[Address], first: int) -> Tuple[List[_Target], Optional[IcpError]]:
    targets: List[_Target] = []
    fault = None
    for step in range(len(hosts)):
        at = (first + step) % len(hosts)
        host = hosts[at]
        if isinstance(host, str):
            targets.append(_Target(at, socket.AF_UNIX, host))
            continue
        try:
            found = socket.getaddrinfo(host[0], host[1], type=socket.SOCK_STREAM)
            targets.extend(_Target(at, one[0], one[4], host[0]) for one in found)
        except OSError as error:
            fault = IcpError("connect", f"'{host[0]}' is no known host: {error}")
    return targets, fault


class Connecting:
    """Makes connections for one client; remembers how long it has been failing."""

    def __init__(self, hosts: List[Address], options: Options, tls: Optional[ssl.SSLContext]):
        self._hosts = hosts
        self._tls = tls
        self._options = options
        self._backoff = Backoff(options.seed)
        self._hello = frame_encode(HELLO.opcode, 0, payload_encode(options.hello()), options.flags())

    def open(self, first: int, until: float) -> Link:
        """A greeted connection, to the host of that index if it answers. IcpError if none does by then."""
        attempts: Dict[int, _Attempt] = {}
        poll = select.poll()
        try:
            link = self._race(attempts, poll, first, until)
        finally:
            for attempt in attempts.values():
                attempt.socket.close()
        self._backoff.reset()
        return link

    def _race(self, attempts: Dict[int, _Attempt], poll, first: int, until: float) -> Link:
        targets, fault = _targets(self._hosts, first)
        started = failed = 0
        next_at = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= until or (not targets and fault):
                raise fault or IcpError("timeout", "no server answered in time")
            once = not self._options.retry and started >= len(targets)
            if once and not attempts:
                raise fault or IcpError("connect", "no server can be reached")
            if now >= next_at and not once:
                if len(attempts) >= ATTEMPTS_MAX:
                    second = list(attempts)[1]
                    poll.unregister(second)
                    attempts.pop(second).socket.close()
                try:
                    attempt = _Attempt(targets[started % len(targets)], self._tls)
                    attempts[attempt.socket.fileno()] = attempt
                    poll.register(attempt.socket, select.POLLOUT)
                    next_at = now + STAGGER_S
                except OSError as error:
                    fault, failed = self._failed(error), failed + 1
                    next_at = now + self._pause(failed, len(targets))
                started += 1
                continue
            wake = until if once else min(until, next_at)
            for fd, _ in poll.poll(max(0.0, wake - now) * 1000 + 1):
                attempt = attempts[fd]
                try:
                    greeting = attempt.turn(self._hello)
                except (OSError, IcpError) as error:
                    fault, failed = self._failed(error), failed + 1
                    poll.unregister(fd)
                    attempts.pop(fd).socket.close()
                    if not fault.retryable:
                        raise fault from error
                    next_at = time.monotonic() + self._pause(failed, len(targets))
                    continue
                if greeting is not None:
                    del attempts[fd]
                    return Link(attempt.socket, attempt.splitter, greeting, attempt.target.host)
                poll.modify(fd, attempt.wants)

    def _pause(self, failed: int, count: int) -> float:
        return self._backoff.next() if failed % count == 0 else 0.0

    @staticmethod
    def _failed(error: Exception) -> IcpError:
        return error if isinstance(error, IcpError) else unreachable(error)
