# SPDX-License-Identifier: Apache-2.0
"""Opening a connection, for the blocking client.

Happy path: the host that worked last is connected to, greeted, and answers. Failure paths: one that refuses
gives way to the next at once (hosts.py says which); after a round of all, a random wait; one that says
nothing for a quarter of a second gets the next beside it, and whoever greets first wins. Where that goes on,
the first keeps its place, for a server may be slow, and each new one takes that of the second.
"""
import errno
import select
import socket
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, NamedTuple, Optional

from .codec import FrameSplitter, frame_encode, payload_decode, payload_encode
from .fault import IcpError, from_reply
from .hosts import Hosts
from .policy import STAGGER_S, Backoff, Options, unreachable
from .tables import OPERATIONS
from .written import Seen

HELLO = OPERATIONS["hello"]
ATTEMPTS_MAX = 8  # half-open at the same time


@dataclass
class Link:
    socket: socket.socket
    splitter: FrameSplitter
    greeting: dict
    host: int
    answered: bool = False  # a request, and well
    seen: Seen = field(default_factory=Seen)


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


class _Turns:
    """Whose turn it is: one address after the other of the host that is to be tried, then the next host."""

    def __init__(self, hosts: Hosts):
        self.hosts = hosts
        self.host = -1  # none yet
        self.begun = 0  # hosts
        self.left: List[_Target] = []  # addresses of this one
        self._found: Dict[int, List[_Target]] = {}  # each name is looked up once

    def next(self, now: float) -> _Target:
        """OSError if the next host's name is not known."""
        if not self.left:
            self.host = self.hosts.at if self.host < 0 else self.hosts.after(self.host, now)
            self.begun += 1
            if self.host not in self._found:
                self._found[self.host] = self._look_up(self.host)
            self.left = list(self._found[self.host])
        return self.left.pop(0)

    def all_unknown(self) -> bool:
        return not any(self._found.values()) and self.begun >= len(self.hosts)

    def _look_up(self, at: int) -> List[_Target]:
        address = self.hosts.addresses[at]
        if isinstance(address, str):
            return [_Target(at, socket.AF_UNIX, address)]
        found = socket.getaddrinfo(address[0], address[1], type=socket.SOCK_STREAM)
        return [_Target(at, one[0], one[4], address[0]) for one in found]


class Connecting:
    """Makes connections for one client; remembers how long it has been failing."""

    def __init__(self, hosts: Hosts, options: Options, tls: Optional[ssl.SSLContext]):
        self.hosts = hosts
        self._tls = tls
        self._options = options
        self._backoff = Backoff(options.seed)
        self._hello = frame_encode(HELLO.opcode, 0, payload_encode(options.hello()), options.flags())

    def open(self, until: float) -> Link:
        """A greeted connection, to the host whose turn it is if it answers. IcpError if none does by then."""
        attempts: Dict[int, _Attempt] = {}
        poll = select.poll()
        try:
            link = self._race(attempts, poll, until)
        finally:
            for attempt in attempts.values():
                attempt.socket.close()
        self._backoff.reset()
        self.hosts.worked(link.host)
        link.seen.greeted(link.greeting)
        return link

    def _race(self, attempts: Dict[int, _Attempt], poll, until: float) -> Link:
        turns = _Turns(self.hosts)
        fault = None
        failed = 0  # hosts
        next_at = time.monotonic()
        while True:
            now = time.monotonic()
            if now >= until or (fault and turns.all_unknown()):
                raise fault or IcpError("timeout", "no server answered in time")
            once = not self._options.retry and turns.begun >= len(self.hosts) and not turns.left
            if once and not attempts:
                raise fault or IcpError("connect", "no server can be reached")
            if now >= next_at and not once:
                if len(attempts) >= ATTEMPTS_MAX:
                    second = list(attempts)[1]
                    poll.unregister(second)
                    attempts.pop(second).socket.close()
                if not turns.left and any(one.target.host == turns.host for one in attempts.values()):
                    self.hosts.failed(turns.host, now)  # it is slow; if it answers yet, it worked
                try:
                    attempt = _Attempt(turns.next(now), self._tls)
                    attempts[attempt.socket.fileno()] = attempt
                    poll.register(attempt.socket, select.POLLOUT)
                    next_at = now + STAGGER_S
                except OSError as error:
                    fault = self._failed(error)
                    if not turns.left:
                        failed += 1
                        next_at = now + self._pause(turns.host, failed)
                continue
            wake = until if once else min(until, next_at)
            for fd, _ in poll.poll(max(0.0, wake - now) * 1000 + 1):
                attempt = attempts[fd]
                try:
                    greeting = attempt.turn(self._hello)
                except (OSError, IcpError) as error:
                    fault = self._failed(error)
                    poll.unregister(fd)
                    attempts.pop(fd).socket.close()
                    if not fault.retryable:
                        raise fault from error
                    next_at = time.monotonic()
                    if attempt.target.host != turns.host or not turns.left:
                        failed += 1
                        next_at += self._pause(attempt.target.host, failed)
                    continue
                if greeting is not None:
                    del attempts[fd]
                    return Link(attempt.socket, attempt.splitter, greeting, attempt.target.host)
                poll.modify(fd, attempt.wants)

    def _pause(self, host: int, failed: int) -> float:
        """After a host failed: how long until the next is tried."""
        self.hosts.failed(host, time.monotonic())
        return self._backoff.next() if failed % len(self.hosts) == 0 else 0.0

    @staticmethod
    def _failed(error: Exception) -> IcpError:
        return error if isinstance(error, IcpError) else unreachable(error)
