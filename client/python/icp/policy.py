# SPDX-License-Identifier: Apache-2.0
"""What both clients decide alike: which hosts there are, how long to wait, what may be sent again.

The rules are those of docs/protocol.md (When to send again) and the same as in libicp:
- a request that is lost with its connection is sent again if it is safe, or if it carried an operation
  id and the server knows those;
- `busy`, `behind` and `shutting-down` mean that nothing was done: the request is sent again after a random while;
- a host that is `shutting-down` is left, one that is `behind`, or `busy` twice for the same request, if there
  is another;
- nothing is sent more than SENDS_MAX times, and nothing after its deadline;
- a connection that says nothing though something was asked, nor to a ping, is lost as soon as another one
  is greeted; a scan or a job may take its time on one that answers pings.
"""
import json
import os
import random
import ssl
import time
from dataclasses import dataclass, field
from typing import Any, Dict, List, Optional, Tuple
from urllib.parse import unquote

from .codec import checksum_flags
from .fault import IcpError
from .hosts import Address
from .tables import OPERATIONS, PATIENCE, PORT, TLS_PORT, Operation

VERSION = "@VERSION@"
DEFAULT_URI = f"icp://127.0.0.1:{PORT}"
SENDS_MAX = 8
BACKOFF_FIRST_S = 0.01
BACKOFF_MAX_S = 0.25
STAGGER_S = 0.25  # a connection that says nothing for so long gets another beside it
QUIET_S = PATIENCE["quiet_ms"] / 1000  # so long without a byte though something was asked, and a connection is pinged
PING_S = PATIENCE["ping_ms"] / 1000  # so long without a byte after that, and another is opened in its place
USELESS_S = QUIET_S + PING_S  # so long without an answer that somebody waited for: left when a deadline passes

# What is wrong with these is the query itself, so a default score would hide a fault of the caller.
OF_THE_QUERY = frozenset(("bad-payload", "bad-field", "missing-field", "duplicate-key", "too-large",
                          "not-found", "denied", "usage"))


def _host_read(text: str, uri: str, otherwise: int) -> Tuple[str, int]:
    host, port = text, ""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        if not bracket or (rest and not rest.startswith(":")):
            raise IcpError("usage", f"'{text}' in '{uri}' is no host; an IPv6 address stands in []")
        port = rest[1:]
    elif ":" in text:
        host, _, port = text.partition(":")
    if not host or (port and not (port.isdigit() and 0 < int(port) < 65536)):
        raise IcpError("usage", f"'{text}' in '{uri}' is no host:port")
    return host, int(port) if port else otherwise


def uri_read(uri: str) -> List[Address]:
    """icp://host:port or icps://host:port, several with commas between, or icp+unix:/path."""
    if uri.startswith("icp+unix:"):
        path = unquote(uri[len("icp+unix:"):])
        path = path[2:] if path.startswith("//") else path
        if not path.startswith("/"):
            raise IcpError("usage", f"'{uri}': the path of a Unix socket is absolute")
        return [path]
    for scheme, port in (("icp://", PORT), ("icps://", TLS_PORT)):
        if uri.startswith(scheme):
            return [_host_read(text, uri, port)
                    for text in uri[len(scheme):].rstrip("/").split(",")]
    raise IcpError("usage", f"'{uri}' is no URI of icpd: icp://host:port, icps://host:port for TLS, or "
                            "icp+unix:/path")


def unreachable(error: BaseException) -> IcpError:
    """Why no connection came about. A certificate that does not hold will not hold the next time either."""
    again = False if isinstance(error, ssl.SSLCertVerificationError) else None
    return IcpError("connect", f"the server cannot be reached: {error}", retryable=again)


@dataclass
class Options:
    """connect_timeout  seconds that a call waits for a connection
    call_timeout     seconds of each call that names none
    name, token      who calls, for the server's log; secret that gives the connection its role
    checksum         of requests and their replies, so that bytes altered on the way are noticed; None: where
                     the package xxhash is installed
    retry            send again what may be sent again, and try each host more than once
    see_written      reads over another connection than the client's last write wait until its host has it
    tls_ca           for icps://: file of PEM of who signs the server; None: whom this machine trusts
    tls_certificate, tls_key  files of PEM that are shown to a server that asks for them
    in_flight_max    unanswered requests of one connection
    default_score    what score_lead gives where no server could answer: {"grade", "fit", "p"}
    """
    connect_timeout: float = 5.0
    call_timeout: float = 30.0
    name: str = ""
    token: Optional[str] = None
    checksum: Optional[bool] = None
    retry: bool = True
    see_written: bool = True
    tls_ca: Optional[str] = None
    tls_certificate: Optional[str] = None
    tls_key: Optional[str] = None
    in_flight_max: int = 1024
    default_score: Optional[Dict[str, Any]] = None
    seed: Optional[int] = None  # of the random waits, for tests

    def flags(self) -> int:
        """Of what is sent."""
        return checksum_flags(self.checksum)

    def tls(self, uri: str) -> Optional[ssl.SSLContext]:
        """How to speak to the hosts of the URI; None: as it is."""
        if not uri.startswith("icps://"):
            return None
        try:
            context = ssl.create_default_context(cafile=self.tls_ca)
            context.minimum_version = ssl.TLSVersion.TLSv1_3
            if self.tls_certificate is not None:
                context.load_cert_chain(self.tls_certificate, self.tls_key)
        except OSError as error:
            raise IcpError("usage", f"a file for TLS cannot be used: {error}", "tls_ca"
                           if self.tls_certificate is None else "tls_certificate") from error
        return context

    def hello(self) -> Dict[str, Any]:
        request: Dict[str, Any] = {"client": self.name}
        if self.token is not None:
            request["token"] = self.token
        return request


def operation_find(op: str) -> Operation:
    try:
        return OPERATIONS[op]
    except KeyError:
        raise IcpError("usage", f"'{op}' is no operation") from None


def operation_id() -> str:
    """A text that no other call will have: 128 bits of the system's randomness in hexadecimal."""
    return os.urandom(16).hex()


@dataclass
class Task:
    """One request from the first time it is sent until it is answered."""
    info: Operation
    fields: Dict[str, Any]
    until: float  # by the monotonic clock
    sends: int = 0
    not_before: float = 0.0
    index: int = 0
    is_large: bool = False  # the server reads it on a lane of its own
    operation: Optional[str] = None  # the client's own, of a request that does not name one
    named: bool = False  # the request may be repeated by its operation id
    knew_operations: bool = False  # of the server that it was sent to last
    min_seq: int = 0  # that it named there, by the client's own doing
    on_progress: Any = field(default=None, repr=False)

    @staticmethod
    def make(info: Operation, fields: Dict[str, Any], until: float, retry: bool) -> "Task":
        for name in info.json_fields.intersection(fields):
            if not isinstance(fields[name], str):
                fields = {**fields, name: json.dumps(fields[name], ensure_ascii=False)}
        task = Task(info, fields, until)
        task.named = info.takes_operation and "operation" in fields
        if retry and info.takes_operation and not info.safe and not task.named:
            task.operation = operation_id()
            task.named = True
        return task

    def payload_fields(self, has_operations: bool, now: float, min_seq: int = 0,
                       hosts: int = 1) -> Dict[str, Any]:
        """The fields as they go out: with the operation id if the server knows them, with the sequence
        that the client wrote last where the server may not have it, and with the time that is left where
        the server can make use of it: half of it where that is only waited for, and another host may be
        nearer."""
        self.knew_operations = has_operations
        self.min_seq = min_seq
        extra: Dict[str, Any] = {}
        if self.operation is not None and has_operations:
            extra["operation"] = self.operation
        if min_seq:
            extra["min_seq"] = min_seq
        is_short = self.info.lane in ("inline", "write", "job")
        if "deadline_ms" not in self.fields and (not is_short or min_seq):
            share = 2 if is_short and hosts > 1 else 1
            extra["deadline_ms"] = max(1, int((self.until - now) * 1000 / share))
        return {**self.fields, **extra} if extra else self.fields

    def may_repeat(self) -> bool:
        """After its connection was lost, so that it may or may not have been carried out."""
        return (self.info.safe or (self.named and self.knew_operations)) and self.sends < SENDS_MAX

    def after_refusal(self, error: IcpError) -> bool:
        """After an error reply: whether the server says that it did nothing, and may do it later, in
        time."""
        if time.monotonic() + error.retry_after_ms / 1000 >= self.until:
            return False
        if error.name in ("busy", "shutting-down", "behind"):
            return self.sends < SENDS_MAX
        if error.name == "deadline" and self.min_seq:
            return self.sends < SENDS_MAX  # of the half that it was given
        return error.name == "bad-checksum" and self.may_repeat()

    def leaves(self, error: IcpError, hosts: int) -> bool:
        """After an error reply: whether another host had better be asked from now on. How long a token has
        to wait it would be told there as well."""
        crowded = error.name == "busy" and not error.retry_after_ms and self.sends > 1
        return error.name == "shutting-down" or (hosts > 1 and (error.name == "behind" or crowded))

    def servable(self, has_operations: bool) -> Optional[IcpError]:
        """Why a task that was sent before must not go to this server."""
        if self.sends > 0 and self.knew_operations and not self.info.safe and not has_operations:
            return IcpError("closed", "the connection was lost before the reply came, and the server "
                                      "that answers now does not know operation ids")
        return None


class Backoff:
    """Random waits that grow: between 0 and 10 ms, 20 ms … 250 ms."""

    def __init__(self, seed: Optional[int] = None):
        self._random = random.Random(seed)
        self._step = 0

    def reset(self) -> None:
        self._step = 0

    def next(self) -> float:
        limit = min(BACKOFF_FIRST_S * 2 ** min(self._step, 10), BACKOFF_MAX_S)
        self._step += 1
        return self._random.uniform(0, limit)

    def busy(self, sends: int, retry_after_ms: int = 0) -> float:
        """A random while behind what the server says."""
        limit = min(BACKOFF_FIRST_S * 2 ** min(sends, 10), BACKOFF_MAX_S)
        return retry_after_ms / 1000 + self._random.uniform(limit / 2, limit)


def timeout_error(info: Operation) -> IcpError:
    return IcpError("timeout", f"no reply to {info.name} came before its deadline")


def default_score(options: Options, error: IcpError) -> Optional[Dict[str, Any]]:
    """What a lead gets where no server could answer; None if the fault is the query's own."""
    if options.default_score is None or error.name in OF_THE_QUERY:
        return None
    score = {"grade": "D", "fit": 0.0, "p": 0.0, "found": False, "tal": False}
    score.update(options.default_score)
    score["is_default"] = True
    score["error"] = error
    return score


def reply_check(info: Operation, reply: Dict[str, Any]) -> Dict[str, Any]:
    missing = info.required.difference(reply)
    if missing:
        raise IcpError("bad-reply", f"the reply to {info.name} lacks {', '.join(sorted(missing))}")
    return reply
