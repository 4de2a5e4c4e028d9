# SPDX-License-Identifier: Apache-2.0
"""Reading what one wrote; the same rules as libicp's (docs/client.md, Reading what was written).

Happy path: a write's reply has its sequence; reads over the connection that brought it see it without being
told. Another path: a read goes over another connection, perhaps to another host, and names the sequence
(`min_seq`) until one reply has shown that the host has it. Hosts whose sequences are of another log are left
out: there is nothing to compare.
"""
from typing import Any, Dict, NamedTuple, Optional

from .tables import Operation


class Written(NamedTuple):
    """The last of what was written: its log (`log` of the greeting) and its sequence there."""
    log: int
    seq: int


class Seen:
    """What one connection has shown so far."""

    def __init__(self) -> None:
        self.log = 0  # which one its sequences are of; 0: it does not say
        self.seq = 0

    def greeted(self, greeting: Dict[str, Any]) -> None:
        self.log = greeting.get("log", 0)


class Trail:
    """What the reads of a client are to have seen."""

    def __init__(self, is_on: bool):
        self.last: Optional[Written] = None
        self._is_on = is_on

    def wanted(self, seen: Seen, info: Operation, fields: Dict[str, Any]) -> int:
        """What a request must name over that connection; 0: nothing."""
        last = self.last
        if last is None or not self._is_on or not info.reads or "min_seq" in fields:
            return 0
        return last.seq if last.log == seen.log and seen.seq < last.seq else 0

    def note(self, seen: Seen, info: Operation, reply: Dict[str, Any], named: int) -> None:
        """What a good reply says of it; named: what its request did."""
        seq = reply.get("seq", 0) if info.writes else 0
        seen.seq = max(seen.seq, seq, named)
        if seq and seen.log and (self.last is None or self.last.log != seen.log or seq > self.last.seq):
            self.last = Written(seen.log, seq)
