# SPDX-License-Identifier: Apache-2.0
"""The blocking client.

    with icp.Client("icp://127.0.0.1:4273") as client:
        score = client.score(email="ann@acme.com", reasons=3)

A call connects if there is no connection, sends, waits for its reply, and sends again what may be sent
again, all within its deadline. call_all does so for many requests at once, pipelined. A client belongs
to one thread at a time, and does not outlive a fork; use one for each.
"""
import collections
import select
import socket
import ssl
import threading
import time
from typing import Any, Callable, Deque, Dict, Iterable, List, Optional, Tuple, Union

from ._calls import BlockingCalls
from .codec import frame_encode, payload_decode, payload_encode
from .connecting import Connecting, Link
from .fault import IcpError, from_reply
from .hosts import Hosts
from .policy import (DEFAULT_URI, PING_S, QUIET_S, USELESS_S, VERSION, Backoff, Options, Task, default_score,
                     operation_find, reply_check, timeout_error, uri_read)
from .tables import LIMITS, MORE, OPERATIONS
from .written import Trail, Written

READ_BYTES = 1 << 18  # more than a record of TLS holds: what is left shows in poll
LATER = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)
SEND_BYTES = 1 << 18  # gathered before they are handed to the socket
IDLE_S = 0.5  # a connection that rested for so long is looked at before it is used

Result = Union[Dict[str, Any], IcpError]


class Client(BlockingCalls):
    """uri: icp://host:port or icps://host:port, several hosts with commas between, or icp+unix:/path.
    The other arguments are those of icp.Options. Nothing is connected before the first call."""

    def __init__(self, uri: str = DEFAULT_URI, **options: Any):
        self.options = Options(**options)
        if not self.options.name:
            self.options.name = f"icp-python {VERSION}"
        self._hosts = Hosts(uri_read(uri), self.options.seed)
        self._connecting = Connecting(self._hosts, self.options, self.options.tls(uri))
        self._trail = Trail(self.options.see_written)
        self._backoff = Backoff(self.options.seed)
        self._flags = self.options.flags()
        self._link: Optional[Link] = None
        self._last_id = 0
        self._used = 0.0
        self._left = False  # the connection is asked nothing more: its host drains, is behind, or says nothing
        self._unanswered_since: Optional[float] = None  # asked then, and nothing answered since that was waited for
        self._busy = threading.Lock()
        self._poll = select.poll()

    # Connections.

    def connect(self, timeout: Optional[float] = None) -> Dict[str, Any]:
        """Connects now, if there is no connection; what the server said of itself."""
        with self._owned():
            if self._link is None:
                self._open(time.monotonic() + (timeout or self.options.connect_timeout))
            return self.server

    @property
    def server(self) -> Dict[str, Any]:
        """The greeting: server, role, schema, icp, limits; empty without a connection."""
        return self._link.greeting if self._link else {}

    @property
    def written(self) -> Optional[Written]:
        """The last of what this client wrote; None if it wrote nothing, or to a server whose sequences say
        nothing to others. Set it to that of another client, and reads see what that one wrote."""
        return self._trail.last

    @written.setter
    def written(self, last: Optional[Written]) -> None:
        self._trail.last = None if last is None else Written(*last)

    def close(self) -> None:
        if self._link is not None:
            self._link.socket.close()
            self._link = None

    def __enter__(self) -> "Client":
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def _owned(self) -> "threading.Lock":
        if self._busy.locked():
            raise IcpError("usage", "another thread is using this client; make one for each")
        return self._busy

    def _open(self, until: float) -> None:
        self._use(self._connecting.open(until))

    def _use(self, link: Link) -> None:
        self._link = link
        self._link.socket.setblocking(False)
        self._poll = select.poll()
        self._poll.register(self._link.socket, select.POLLIN)
        self._left = False
        self._unanswered_since = None

    def _leave(self) -> None:
        """Others are asked from now on; what this one was asked it may answer."""
        if self._link is not None and not self._left:
            self._left = True
            self._hosts.leave(self._link.host, time.monotonic())

    # Calls.

    def call(self, op: str, fields: Optional[Dict[str, Any]] = None, *,
             timeout: Optional[float] = None,
             on_progress: Optional[Callable[[Dict[str, Any]], None]] = None) -> Dict[str, Any]:
        """Any operation by its name; the fields of its request and reply stand in
        docs/reference/operations.md. IcpError if it fails."""
        task = self._task(op, fields or {}, timeout)
        task.on_progress = on_progress
        result = self._run([task])[0]
        if isinstance(result, IcpError):
            raise result
        return result

    def call_all(self, requests: Iterable[Tuple[str, Dict[str, Any]]], *,
                 timeout: Optional[float] = None) -> List[Result]:
        """Many requests, pipelined on the one connection: a reply or an IcpError for each, in their
        order. The time is that of all together."""
        tasks = [self._task(op, fields, timeout) for op, fields in requests]
        return self._run(tasks) if tasks else []

    def score_lead(self, *, timeout: Optional[float] = None, **fields: Any) -> Dict[str, Any]:
        """score, for a router that must go on: with the option default_score a failure that is not
        the query's own gives that score, with is_default set and the IcpError as error."""
        try:
            reply = self.call("score", fields, timeout=timeout)
        except IcpError as error:
            score = default_score(self.options, error)
            if score is None:
                raise
            return score
        reply["is_default"] = False
        return reply

    def _task(self, op: str, fields: Dict[str, Any], timeout: Optional[float]) -> Task:
        until = time.monotonic() + (self.options.call_timeout if timeout is None else timeout)
        return Task.make(operation_find(op), fields, until, self.options.retry)

    def _run(self, tasks: List[Task]) -> List[Result]:
        with self._owned():
            return _Run(self, tasks).results()


class _Run:
    """The requests of one call or call_all, from the first to the last reply."""

    def __init__(self, client: Client, tasks: List[Task]):
        self.client = client
        self.tasks = tasks
        self.until = tasks[-1].until
        self.waiting: Deque[Task] = collections.deque(tasks)
        self.sent: Dict[int, Task] = {}
        self.found: List[Optional[Result]] = [None] * len(tasks)
        self.open = len(tasks)
        self.out = b""
        self.heard = False
        self.quiet_since = 0.0  # when the connection spoke last, or was first asked after it had answered all
        self.pinged_at = 0.0  # 0: not since then
        self.ping_id = 0
        self.suspect = False  # it was left because it said nothing
        for index, task in enumerate(tasks):
            task.index = index

    def results(self) -> List[Result]:
        client = self.client
        self.connection_look()
        while self.open:
            now = time.monotonic()
            if now >= self.until:
                self.time_over()
                break
            if client._left and not self.sent:
                self.move()
            if client._link is None and not self.connected(now):
                break
            try:
                self.gather(now)
                self.turn(now)
            except (OSError, IcpError) as error:
                self.lost(error)
        client._used = time.monotonic()
        return self.found  # type: ignore[return-value]

    def connection_look(self) -> None:
        """A connection that the server closed while it rested is not used for another request."""
        client = self.client
        if client._link is None:
            return
        rested = time.monotonic() - client._used > IDLE_S
        if client._left or (rested and client._poll.poll(0)):
            client.close()

    def move(self) -> None:
        """From a host that was left, and owes nothing."""
        self.client.close()
        self.out = b""

    def connected(self, now: float) -> bool:
        client = self.client
        try:
            client._open(min(self.until, now + client.options.connect_timeout))
            return True
        except IcpError as error:
            self.fail_all(error)
            return False

    def tell(self, task: Task, result: Result) -> None:
        if self.found[task.index] is None:
            self.found[task.index] = result
            self.open -= 1

    def fail_all(self, error: IcpError) -> None:
        for task in self.tasks:
            self.tell(task, error)

    def time_over(self) -> None:
        since = self.client._unanswered_since
        if self.sent and (not self.heard or (since is not None and time.monotonic() - since >= USELESS_S)):
            self.client._leave()
        for task in self.tasks:
            if self.found[task.index] is None:
                self.tell(task, timeout_error(task.info))
        if self.out:
            self.client.close()  # half a frame is on its way: nothing else can follow it

    def may_send(self) -> bool:
        client = self.client
        return bool(self.waiting) and not client._left and len(self.sent) < client.options.in_flight_max

    def gather(self, now: float) -> None:
        """Encodes as many of the waiting requests as may be on their way."""
        client = self.client
        link = client._link
        assert link is not None
        has_operations = bool(link.greeting.get("operations"))
        parts = [self.out]
        size = len(self.out)
        while self.may_send() and size < SEND_BYTES:
            task = self.waiting[0]
            if task.not_before > now:
                break
            self.waiting.popleft()
            refused = task.servable(has_operations)
            if refused is None:
                try:
                    wanted = client._trail.wanted(link.seen, task.info, task.fields)
                    payload = payload_encode(task.payload_fields(has_operations, now, wanted, len(client._hosts)))
                except IcpError as error:
                    refused = error
            if refused is not None:
                self.tell(task, refused)
                continue
            client._last_id = (client._last_id % 0xFFFFFFFF) + 1
            if not self.sent:
                self.quiet_since, self.pinged_at = now, 0.0
            if client._unanswered_since is None:
                client._unanswered_since = now
            self.sent[client._last_id] = task
            task.sends += 1
            task.is_large = len(payload) > LIMITS["loop_bytes_max"]
            parts.append(frame_encode(task.info.opcode, client._last_id, payload, client._flags))
            size += len(parts[-1])
        self.out = parts[0] if len(parts) == 1 else b"".join(parts)

    def turn(self, now: float) -> None:
        """Writes what goes, waits, reads what is there."""
        link = self.client._link
        assert link is not None
        if self.out:
            try:
                self.out = self.out[link.socket.send(self.out):]
            except LATER:
                pass
        wake = self.until
        if self.may_send():
            wake = min(wake, self.waiting[0].not_before)
        if not self.open:
            return
        if self.sent and self.client.options.retry:
            wake = min(wake, self.silence_look(now))
            link = self.client._link or link
        poll = self.client._poll
        if self.out:
            poll.modify(link.socket, select.POLLIN | select.POLLOUT)
        ready = poll.poll(max(0.0, wake - now) * 1000 + 0.5)
        if self.out:
            poll.modify(link.socket, select.POLLIN)
        if not ready or not ready[0][1] & ~select.POLLOUT:
            return
        try:
            data = link.socket.recv(READ_BYTES)
        except LATER:
            return  # of a record that is not whole, or is nobody's reply
        if not data:
            raise IcpError("closed", "the server closed the connection before the reply came")
        self.heard = True
        self.absolve(link)
        self.quiet_since, self.pinged_at = time.monotonic(), 0.0
        for status, flags, request_id, payload in link.splitter.feed(data):
            self.reply(status, flags, request_id, payload)

    def silence_look(self, now: float) -> float:
        """A ping where nothing comes; another connection where nothing comes to that either. When to look
        again."""
        client = self.client
        if not self.pinged_at:
            if now < self.quiet_since + QUIET_S:
                return self.quiet_since + QUIET_S
            if any(task.is_large for task in self.sent.values()):
                return now + QUIET_S  # the server reads nothing behind it before its turn has come
            self.ping_id = client._last_id = (client._last_id % 0xFFFFFFFF) + 1
            self.out += frame_encode(OPERATIONS["ping"].opcode, client._last_id, b"", client._flags)
            self.pinged_at = now
        if now < self.pinged_at + PING_S:
            return self.pinged_at + PING_S
        old = client._link
        assert old is not None
        self.suspect = self.suspect or not client._left
        client._leave()
        try:
            link = client._connecting.open(min(self.until, now + QUIET_S))
        except IcpError:
            self.pinged_at = time.monotonic()  # the old one is still waited for
            return self.pinged_at + PING_S
        if client._poll.poll(0):  # it speaks
            link.socket.close()
            self.absolve(old)
            return now
        self.lost(IcpError("closed", "the connection said nothing, not even to a ping"))
        client._use(link)
        return now

    def absolve(self, link: Link) -> None:
        """It spoke, and had been left only because it did not."""
        if self.suspect:
            self.suspect = self.client._left = False
            self.client._hosts.worked(link.host)

    def reply(self, status: int, flags: int, request_id: int, payload: bytes) -> None:
        reply = payload_decode(payload)
        task = self.sent.get(request_id)
        if task is None:
            if request_id == 0 and status:  # the connection itself is refused
                raise from_reply(status, reply)
            if request_id == self.ping_id:
                self.client._unanswered_since = self.quiet_since
            return  # of a request that was given up
        self.client._unanswered_since = self.quiet_since if len(self.sent) > 1 or flags & MORE else None
        if flags & MORE:
            if task.on_progress is not None:
                task.on_progress(reply)
            return
        del self.sent[request_id]
        link = self.client._link
        assert link is not None
        if not status:
            link.answered = True
            try:
                self.tell(task, reply_check(task.info, reply))
                self.client._trail.note(link.seen, task.info, reply, task.min_seq)
            except IcpError as wrong:
                self.tell(task, wrong)
            return
        error = from_reply(status, reply)
        if task.leaves(error, len(self.client._hosts)):
            self.client._leave()
        if self.client.options.retry and task.after_refusal(error):
            self.again(task, time.monotonic()
                       + self.client._backoff.busy(task.sends, error.retry_after_ms))
        else:
            self.tell(task, error)

    def again(self, task: Task, not_before: float) -> None:
        task.not_before = not_before
        self.waiting.append(task)

    def lost(self, error: Exception) -> None:
        """The connection is gone: what may be repeated waits for the next one."""
        fault = error if isinstance(error, IcpError) else IcpError(
            "closed", f"the connection broke before the reply came: {error}")
        link = self.client._link
        if link is not None and not link.answered:
            self.client._leave()
        self.suspect = False
        self.client.close()
        self.out = b""
        sent, self.sent = self.sent, {}
        busy = fault.name in ("busy", "shutting-down")
        now = time.monotonic()
        for task in sent.values():
            fits = task.sends < 8 if busy else fault.name != "bad-reply" and task.may_repeat()
            if self.client.options.retry and fits:
                self.again(task, now + self.client._backoff.busy(task.sends) if task.sends > 1 else 0.0)
            else:
                self.tell(task, fault)
