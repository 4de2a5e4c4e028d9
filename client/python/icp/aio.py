# SPDX-License-Identifier: Apache-2.0
"""The client for asyncio.

    async with icp.AsyncClient("icp://127.0.0.1:4273") as client:
        score = await client.score(email="ann@acme.com", reasons=3)

Calls that run at the same time share one connection and are pipelined. Happy path: the connection is
there, the request goes out with the others of this turn of the loop, its future gets the reply.
Failure paths: no connection (one is opened, for all who wait), it is lost (what may be repeated goes to
the next one), the server is busy (again after a random while), the deadline passes (the reply is dropped
when it comes; a connection that said nothing all the while, or only what came too late, is left for a new
one), a connection that died without a word (it is pinged, and replaced).
"""
import asyncio
from typing import Any, Callable, Dict, Iterable, List, Optional, Set, Tuple, Union

from ._calls import AsyncCalls
from .codec import FrameSplitter, frame_encode, payload_decode, payload_encode
from .fault import IcpError, from_reply
from .hosts import Hosts
from .policy import (DEFAULT_URI, PING_S, QUIET_S, STAGGER_S, USELESS_S, VERSION, Backoff, Options, Task,
                     default_score, operation_find, reply_check, timeout_error, unreachable, uri_read)
from .tables import LIMITS, MORE, OPERATIONS
from .written import Seen, Trail, Written

Reply = Tuple[int, Dict[str, Any]]  # status and payload
ATTEMPTS_MAX = 8


class _Link(asyncio.Protocol):
    """One connection: requests by id, and the futures that wait for their replies."""

    def __init__(self, host: int, flags: int):
        self.host = host
        self._flags = flags  # of what is sent
        self.greeting: Dict[str, Any] = {}
        self.waiting: Dict[int, Tuple["asyncio.Future[Reply]", Any]] = {}
        self._large: Set[int] = set()  # sent; the server reads each on a lane of its own, and nothing behind it before
        self.lost: Optional[IcpError] = None
        self.heard_at = 0.0
        self.unanswered_since: Optional[float] = None  # asked then, and nothing answered since that was waited for
        self.retired = False
        self.answered = False  # a request, and well
        self.seen = Seen()
        self.room: List["asyncio.Future[None]"] = []
        self.on_dead: Optional[Callable[["_Link"], None]] = None  # once it is greeted and may be replaced
        self.on_lost: Optional[Callable[["_Link"], None]] = None  # once it is greeted
        self._quiet_since = 0.0
        self._pinged = False
        self._ping_id = 0
        self._watch: Optional[asyncio.Handle] = None
        self._last_id = 0
        self._out: List[bytes] = []
        self._splitter = FrameSplitter()
        self._loop = asyncio.get_running_loop()
        self._transport: Optional[asyncio.Transport] = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        self.heard_at = self._quiet_since = self._loop.time()
        self._pinged = False
        try:
            for status, flags, request_id, payload in self._splitter.feed(data):
                self._reply(status, flags, request_id, payload_decode(payload))
        except IcpError as error:
            self.lose(error)

    def connection_lost(self, error: Optional[Exception]) -> None:
        self.lose(IcpError("closed", "the connection was lost before the reply came"
                           + (f": {error}" if error else "")))

    def _reply(self, status: int, flags: int, request_id: int, payload: Dict[str, Any]) -> None:
        future, on_progress = self.waiting.get(request_id, (None, None))
        if future is None:
            if request_id == 0 and status:  # the connection itself is refused
                raise from_reply(status, payload)
            if request_id == self._ping_id:
                self.unanswered_since = self.heard_at
            return  # of a request that was given up
        self.unanswered_since = self.heard_at if len(self.waiting) > 1 or flags & MORE else None
        if flags & MORE:
            if on_progress is not None:
                on_progress(payload)
            return
        self.answered = self.answered or (bool(self.greeting) and not status)
        self.forget(request_id)
        if not future.done():
            future.set_result((status, payload))

    def request(self, opcode: int, payload: bytes, on_progress: Any = None) -> Tuple[int, "asyncio.Future[Reply]"]:
        """Sends with what else this turn of the loop sends."""
        self._last_id = (self._last_id % 0xFFFFFFFF) + 1
        future: "asyncio.Future[Reply]" = self._loop.create_future()
        if not self.waiting:
            self._quiet_since = self._loop.time()
            if self._watch is None and self.on_dead is not None:
                self._watch = self._loop.call_later(QUIET_S, self._look)
        if self.unanswered_since is None:
            self.unanswered_since = self._loop.time()
        self.waiting[self._last_id] = (future, on_progress)
        if len(payload) > LIMITS["loop_bytes_max"]:
            self._large.add(self._last_id)
        if not self._out:
            self._loop.call_soon(self._flush)
        self._out.append(frame_encode(opcode, self._last_id, payload, self._flags))
        return self._last_id, future

    def _flush(self) -> None:
        out, self._out = self._out, []
        if self._transport is not None and self.lost is None:
            self._transport.write(b"".join(out))

    def _look(self) -> None:
        """While something is waited for: a ping where nothing comes, and then the word that it is dead."""
        self._watch = None
        if not self.waiting or self.lost is not None or self.on_dead is None:
            return
        left = self._quiet_since + QUIET_S - self._loop.time()
        self._large.intersection_update(self.waiting)
        if self._large and not self._pinged:
            left = QUIET_S
        elif left <= 0 and self._pinged:
            # What came while this process had to wait is read first, by the next turn of the loop.
            self._watch = self._loop.call_soon(self._judge_next)
            return
        elif left <= 0:
            self._ping_id = self._last_id = (self._last_id % 0xFFFFFFFF) + 1
            self._out.append(frame_encode(OPERATIONS["ping"].opcode, self._last_id, b"", self._flags))
            self._flush()
            self._pinged = True
            left = PING_S
        self._watch = self._loop.call_later(left, self._look)

    def _judge_next(self) -> None:
        self._watch = self._loop.call_soon(self._judge)

    def _judge(self) -> None:
        self._watch = None
        if not self.waiting or self.lost is not None or self.on_dead is None:
            return
        if self._pinged:
            self.on_dead(self)
        self._watch = self._loop.call_later(QUIET_S, self._look)

    def is_silent(self) -> bool:
        return self._pinged and self.lost is None

    def forget(self, request_id: int) -> None:
        self.waiting.pop(request_id, None)
        while self.room and self.lost is None:
            waiter = self.room.pop()
            if not waiter.done():
                waiter.set_result(None)
                break
        if self.retired and not self.waiting:
            self.lose(IcpError("closed", "the connection was left for a new one"))

    def retire(self) -> None:
        """No new requests; it closes when those under way have ended."""
        self.retired = True
        if not self.waiting:
            self.lose(IcpError("closed", "the connection was left for a new one"))

    def lose(self, error: IcpError) -> None:
        if self.lost is not None:
            return
        self.lost = error
        if self.on_lost is not None:
            self.on_lost(self)
        if self._watch is not None:
            self._watch.cancel()
        if self._transport is not None:
            self._transport.abort()
        waiting, self.waiting = self.waiting, {}
        for future, _ in waiting.values():
            if not future.done():
                future.set_exception(error)
        for waiter in self.room:
            if not waiter.done():
                waiter.set_result(None)


_Sent = Tuple[Task, _Link, int, "asyncio.Future[Reply]"]


class AsyncClient(AsyncCalls):
    """uri and options as those of icp.Client. Belongs to the loop that it is first used in."""

    def __init__(self, uri: str = DEFAULT_URI, **options: Any):
        self.options = Options(**options)
        if not self.options.name:
            self.options.name = f"icp-python {VERSION}"
        self._hosts = Hosts(uri_read(uri), self.options.seed)
        self._trail = Trail(self.options.see_written)
        self._tls = self.options.tls(uri)
        self._backoff = Backoff(self.options.seed)
        self._flags = self.options.flags()
        self._link: Optional[_Link] = None
        self._opening: Optional["asyncio.Task[_Link]"] = None
        self._closed = False

    @property
    def server(self) -> Dict[str, Any]:
        """The greeting: server, role, schema, icp, limits; empty without a connection."""
        return self._link.greeting if self._link else {}

    @property
    def written(self) -> Optional[Written]:
        """The last of what this client wrote; see Client.written."""
        return self._trail.last

    @written.setter
    def written(self, last: Optional[Written]) -> None:
        self._trail.last = None if last is None else Written(*last)

    async def connect(self, timeout: Optional[float] = None) -> Dict[str, Any]:
        """Connects now, if there is no connection; what the server said of itself."""
        now = asyncio.get_running_loop().time()
        return (await self._ready(now + (timeout or self.options.connect_timeout))).greeting

    async def close(self) -> None:
        self._closed = True
        if self._opening is not None:
            self._opening.cancel()
        if self._link is not None:
            self._link.lose(IcpError("closed", "the client was closed"))
            self._link = None
        await asyncio.sleep(0)

    async def __aenter__(self) -> "AsyncClient":
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()

    async def call(self, op: str, fields: Optional[Dict[str, Any]] = None, *,
                   timeout: Optional[float] = None,
                   on_progress: Optional[Callable[[Dict[str, Any]], None]] = None) -> Dict[str, Any]:
        """Any operation by its name. IcpError if it fails."""
        return await self._run(self._task(op, fields or {}, timeout), on_progress)

    async def call_all(self, requests: Iterable[Tuple[str, Dict[str, Any]]], *,
                       timeout: Optional[float] = None) -> List[Union[Dict[str, Any], IcpError]]:
        """Many requests: a reply or an IcpError for each, in their order. Costs half of as many calls
        together: they share a coroutine and a timer."""
        tasks = [self._task(op, fields, timeout) for op, fields in requests]
        results: List[Union[Dict[str, Any], IcpError]] = []
        for start in range(0, len(tasks), self.options.in_flight_max):
            results.extend(await self._batch(tasks[start:start + self.options.in_flight_max]))
        return results

    def _task(self, op: str, fields: Dict[str, Any], timeout: Optional[float]) -> Task:
        until = asyncio.get_running_loop().time() + (
            self.options.call_timeout if timeout is None else timeout)
        return Task.make(operation_find(op), fields, until, self.options.retry)

    async def _batch(self, tasks: List[Task]) -> List[Union[Dict[str, Any], IcpError]]:
        """Sends each once on the connection that is there; what needs more goes the way of a call."""
        loop = asyncio.get_running_loop()
        link, until, now = self._link, tasks[-1].until, loop.time()
        sent: List[_Sent] = []
        if link is not None and link.lost is None and not link.room:
            for task in tasks[:self.options.in_flight_max - len(link.waiting)]:
                try:
                    payload = self._payload(link, task, now)
                except IcpError:
                    break
                task.sends += 1
                sent.append((task, link, *link.request(task.info.opcode, payload)))
        timer = loop.call_at(until, self._batch_over, sent, now)
        try:
            results = [await self._settled(*one) for one in sent]
        finally:
            timer.cancel()
            for _, link, request_id, _ in sent:
                link.forget(request_id)
        again = {index: tasks[index] for index in range(len(tasks))
                 if index >= len(results) or results[index] is None}
        found = await asyncio.gather(*(self._run(task) for task in again.values()), return_exceptions=True)
        results.extend([None] * (len(tasks) - len(results)))
        for index, result in zip(again, found):
            if isinstance(result, BaseException) and not isinstance(result, IcpError):
                raise result
            results[index] = result
        return results  # type: ignore[return-value]

    def _batch_over(self, sent: List["_Sent"], sent_at: float) -> None:
        for task, link, _, future in sent:
            self._time_over(link, future, task, sent_at)

    async def _settled(self, task: Task, link: _Link, request_id: int,
                       future: "asyncio.Future[Reply]") -> Union[Dict[str, Any], IcpError, None]:
        """The end of a request that was sent once; None if it may be sent again."""
        try:
            try:
                status, reply = await future
            except IcpError as error:
                self._after_loss(task, error)
                return None
            if not status:
                return self._good(link, task, reply)
            self._after_refusal(link, task, from_reply(status, reply))
            return None
        except IcpError as error:
            return error

    async def _run(self, task: Task, on_progress: Any = None) -> Dict[str, Any]:
        loop = asyncio.get_running_loop()
        until = task.until
        while True:
            now = loop.time()
            if now >= until:
                raise timeout_error(task.info)
            if task.not_before > now:
                await asyncio.sleep(min(task.not_before, until) - now)
                continue
            link = self._link
            if link is None or link.lost or len(link.waiting) >= self.options.in_flight_max:
                link = await self._ready(min(until, now + self.options.connect_timeout))
            try:
                status, reply = await self._send(link, task, until, on_progress)
            except IcpError as error:
                self._after_loss(task, error)
                continue
            if not status:
                return self._good(link, task, reply)
            self._after_refusal(link, task, from_reply(status, reply))

    async def score_lead(self, *, timeout: Optional[float] = None, **fields: Any) -> Dict[str, Any]:
        """score, for a router that must go on; see Client.score_lead."""
        try:
            reply = await self.call("score", fields, timeout=timeout)
        except IcpError as error:
            score = default_score(self.options, error)
            if score is None:
                raise
            return score
        reply["is_default"] = False
        return reply

    def _payload(self, link: _Link, task: Task, now: float) -> bytes:
        wanted = self._trail.wanted(link.seen, task.info, task.fields)
        return payload_encode(task.payload_fields(bool(link.greeting.get("operations")), now, wanted,
                                                  len(self._hosts)))

    def _good(self, link: _Link, task: Task, reply: Dict[str, Any]) -> Dict[str, Any]:
        self._trail.note(link.seen, task.info, reply_check(task.info, reply), task.min_seq)
        return reply

    async def _send(self, link: _Link, task: Task, until: float, on_progress: Any) -> Reply:
        loop = asyncio.get_running_loop()
        refused = task.servable(bool(link.greeting.get("operations")))
        if refused is not None:
            task.sends = 1 << 16  # final
            raise refused
        sent_at = loop.time()
        payload = self._payload(link, task, sent_at)
        task.sends += 1
        request_id, future = link.request(task.info.opcode, payload, on_progress)
        timer = loop.call_at(until, self._time_over, link, future, task, sent_at)
        try:
            return await future
        finally:
            timer.cancel()
            link.forget(request_id)

    def _time_over(self, link: _Link, future: "asyncio.Future[Reply]", task: Task, sent_at: float) -> None:
        if not future.done():
            future.set_exception(timeout_error(task.info))
            since, now = link.unanswered_since, asyncio.get_running_loop().time()
            if link.heard_at < sent_at or (since is not None and now - since >= USELESS_S):
                self._leave(link)

    def _replace(self, link: _Link) -> None:
        """The connection is silent: another is opened, and what waits on this one goes there."""
        if self._link is not link or (self._opening is not None and not self._opening.done()):
            return
        loop = asyncio.get_running_loop()
        self._hosts.leave(link.host, loop.time())
        self._opening = loop.create_task(self._open(loop.time() + self.options.connect_timeout))
        self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())

    def _leave(self, link: _Link) -> None:
        """Others are asked from now on; what this one was asked it may answer."""
        if self._link is link:
            self._link = None
            self._hosts.leave(link.host, asyncio.get_running_loop().time())
            link.retire()

    def _lost(self, link: _Link) -> None:
        """One that worked is tried again first; one that never answered is not."""
        if self._link is link and not self._closed and not link.answered:
            self._hosts.leave(link.host, asyncio.get_running_loop().time())

    def _after_loss(self, task: Task, error: IcpError) -> None:
        """Returns if the task may go on, with the time before which it must not."""
        busy = error.name in ("busy", "shutting-down") and task.sends < 8
        if not self.options.retry or not (busy or (error.name == "closed" and task.may_repeat())):
            raise error
        wait = self._backoff.busy(task.sends) if busy or task.sends > 1 else 0.0
        task.not_before = asyncio.get_running_loop().time() + wait

    def _after_refusal(self, link: _Link, task: Task, error: IcpError) -> None:
        if task.leaves(error, len(self._hosts)):
            self._leave(link)
        if not self.options.retry or not task.after_refusal(error):
            raise error
        wait = self._backoff.busy(task.sends, error.retry_after_ms)
        task.not_before = asyncio.get_running_loop().time() + wait

    # Connections.

    async def _ready(self, until: float) -> _Link:
        """A connection that takes a request, by then."""
        loop = asyncio.get_running_loop()
        fault: Optional[IcpError] = None
        while True:
            left = until - loop.time()
            if left <= 0:
                raise fault or IcpError("timeout", "no server answered in time")
            link = self._link
            if link is not None and link.lost is None:
                if len(link.waiting) < self.options.in_flight_max:
                    return link
                waiter = loop.create_future()
                link.room.append(waiter)
                await asyncio.wait([waiter], timeout=left)
                continue
            if self._closed:
                raise IcpError("usage", "the client was closed")
            if self._opening is None or self._opening.done():
                self._opening = loop.create_task(self._open(until))
                self._opening.add_done_callback(lambda task: task.cancelled() or task.exception())
            opening = self._opening
            done, _ = await asyncio.wait([opening], timeout=left)
            error = opening.exception() if done and not opening.cancelled() else None
            if error is not None:
                if not isinstance(error, IcpError):
                    raise error
                fault = error
                if not fault.retryable or not self.options.retry:
                    raise fault

    async def _open(self, until: float) -> _Link:
        """Races attempts, each a quarter of a second after the one before; the first to greet wins. The first
        keeps its place, for a server may be slow; of many, each new one takes that of the second."""
        loop = asyncio.get_running_loop()
        attempts: Dict["asyncio.Task[_Link]", int] = {}
        fault = IcpError("timeout", "no server answered in time")
        started = failed = 0
        host = -1
        next_at = loop.time()
        try:
            while loop.time() < until:
                once = not self.options.retry and started >= len(self._hosts)
                if once and not attempts:
                    break
                if not once and loop.time() >= next_at:
                    if len(attempts) >= ATTEMPTS_MAX:
                        second = list(attempts)[1]
                        del attempts[second]
                        second.cancel()
                    if host in attempts.values():
                        self._hosts.failed(host, loop.time())  # it is slow; if it answers yet, it worked
                    host = self._hosts.at if host < 0 else self._hosts.after(host, loop.time())
                    attempts[loop.create_task(self._attempt(host))] = host
                    started += 1
                    next_at = loop.time() + STAGGER_S
                wake = until if once else min(until, next_at)
                if not attempts:
                    await asyncio.sleep(max(0.0, wake - loop.time()))
                    continue
                done, _ = await asyncio.wait(attempts, timeout=max(0.0, wake - loop.time()),
                                             return_when=asyncio.FIRST_COMPLETED)
                for attempt in done:
                    tried = attempts.pop(attempt)
                    error = attempt.exception()
                    if error is None:
                        return self._opened(attempt.result())
                    fault = error if isinstance(error, IcpError) else unreachable(error)
                    if not fault.retryable:
                        raise fault
                    failed += 1
                    self._hosts.failed(tried, loop.time())
                    pause = self._backoff.next() if failed % len(self._hosts) == 0 else 0.0
                    next_at = loop.time() + pause
            raise fault
        finally:
            for attempt in attempts:
                attempt.cancel()

    def _opened(self, link: _Link) -> _Link:
        self._backoff.reset()
        self._hosts.worked(link.host)
        link.on_lost = self._lost
        if self._closed:
            link.lose(IcpError("closed", "the client was closed"))
            return link
        old, self._link = self._link, link
        if self.options.retry:
            link.on_dead = self._replace
        if old is not None and old.is_silent():
            old.lose(IcpError("closed", "the connection said nothing, not even to a ping"))
        elif old is not None:
            old.retire()  # it spoke meanwhile: what it was asked it may answer
        return link

    async def _attempt(self, host: int) -> _Link:
        loop = asyncio.get_running_loop()
        link = _Link(host, self._flags)
        address = self._hosts.addresses[host]
        try:
            if isinstance(address, str):
                await loop.create_unix_connection(lambda: link, address)
            else:
                await loop.create_connection(lambda: link, address[0], address[1], ssl=self._tls,
                                             server_hostname=address[0] if self._tls else None)
            hello = payload_encode(self.options.hello())
            status, reply = await link.request(OPERATIONS["hello"].opcode, hello)[1]
            if status:
                raise from_reply(status, reply)
        except BaseException as error:
            link.lose(error if isinstance(error, IcpError) else IcpError("connect", str(error)))
            raise
        link.greeting = reply
        link.seen.greeted(reply)
        return link
