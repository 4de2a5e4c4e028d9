# SPDX-License-Identifier: Apache-2.0
"""Frames and payloads of docs/protocol.md: bytes in, values out. No sockets, no state beyond a buffer.

What arrives is checked by the rules of the protocol before anything is made of it: IcpError
"bad-reply" means that the other side is not icpd, or that bytes were lost.
"""
import math
import struct
from typing import Any, Callable, Dict, Iterator, List, Optional, Tuple

import msgpack

from .fault import IcpError
from .tables import CHECKSUM, ERROR_CODES, LIMITS, MORE, PROTOCOL, REPLY

_xxh3: Optional[Callable[[bytes], int]] = None
try:
    import xxhash
    _xxh3 = xxhash.xxh3_64_intdigest
except ImportError:  # it is optional: then nothing is sent with a checksum, and so nothing answered with one
    pass

HEADER = struct.Struct("<IBBHII")
HEADER_BYTES = HEADER.size
FRAME_BYTES_MAX = LIMITS["frame_bytes_max"]
DEPTH_MAX = LIMITS["depth_max"]
MAP_KEYS_MAX = LIMITS["map_keys_max"]

Frame = Tuple[int, int, int, bytes]  # code, flags, request id, payload

_pack = msgpack.Packer(use_bin_type=True, autoreset=True).pack
_unpack = msgpack.unpackb


def _bad(why: str) -> IcpError:
    return IcpError("bad-reply", why)


def payload_encode(fields: Dict[str, Any]) -> bytes:
    """A map of fields as MessagePack; no bytes for no fields. tuple and list are lists, bytes is bin."""
    if not fields:
        return b""
    try:
        payload = _pack(fields)
    except (TypeError, ValueError, OverflowError) as error:
        raise IcpError("usage", f"the request cannot be encoded: {error}") from error
    if len(payload) > FRAME_BYTES_MAX:
        raise IcpError("too-large", f"the request has {len(payload)} bytes, at most "
                                    f"{FRAME_BYTES_MAX} fit one frame")
    return payload


def _pairs(pairs: List[Tuple[Any, Any]]) -> Dict[str, Any]:
    made = dict(pairs)
    if len(made) != len(pairs):
        raise _bad("a key stands twice in one map")
    return made


def _ext(code: int, data: bytes) -> Any:
    raise _bad(f"extension type {code}; none is known")


def _check(values: Any, depth: int) -> None:
    """What msgpack lets pass and the protocol does not: `values` stand at this depth."""
    if depth > DEPTH_MAX:
        raise _bad(f"nested deeper than {DEPTH_MAX} levels")
    for value in values:
        kind = type(value)
        if kind is float:
            if not math.isfinite(value):
                raise _bad("a number that is not finite")
        elif kind is dict:
            if not all(type(key) is str for key in value):
                raise _bad("a key that is no text")
            _check(value.values(), depth + 1)
        elif kind is list:
            _check(value, depth + 1)
        elif kind is msgpack.Timestamp:
            raise _bad("extension type -1; none is known")


_PLAIN = frozenset((str, int, bool, bytes, type(None)))


def _flat_decode(payload: bytes) -> Optional[Dict[str, Any]]:
    """A map of at most 15 plain values, as most replies are, in a third of the time; None: the other way
    must look at it."""
    try:
        value = _unpack(payload)
        if type(value) is not dict or len(value) != payload[0] & 0x0F:
            return None  # the same key twice makes one
        "".join(value)  # a TypeError if a key is no text
    except Exception:  # the other way tells what is wrong
        return None
    for one in value.values():
        kind = type(one)
        if kind not in _PLAIN and (kind is not float or not math.isfinite(one)):
            return None
    return value


def payload_decode(payload: bytes) -> Dict[str, Any]:
    """The map of a payload, by the rules of the protocol."""
    if not payload:
        return {}
    if payload[0] & 0xF0 == 0x80:
        flat = _flat_decode(payload)
        if flat is not None:
            return flat
    try:
        value = _unpack(payload, raw=False, strict_map_key=False, object_pairs_hook=_pairs,
                        ext_hook=_ext, max_map_len=MAP_KEYS_MAX)
    except IcpError:
        raise
    except Exception as error:  # msgpack raises a dozen kinds, ValueError above all
        raise _bad(f"the payload is not one well-formed value: {error!r}") from error
    if type(value) is not dict:
        raise _bad("the payload is no map")
    _check((value,), 0)
    return value


def checksum_flags(wanted: Optional[bool]) -> int:
    """Of requests, by the option: None where xxhash is installed."""
    if wanted and _xxh3 is None:
        raise IcpError("usage", "checksums need the package xxhash: pip install xxhash, or leave out checksum=True")
    return CHECKSUM if _xxh3 is not None and wanted is not False else 0


def checksum_holds(payload: bytes, checksum: int) -> bool:
    return _xxh3 is None or _xxh3(payload) & 0xFFFFFFFF == checksum


# What stands in the place of a frame whose checksum is wrong: the request fails as if the server had said it.
SPOILT = msgpack.packb({"error": "bad-checksum", "message": "the reply was altered on its way", "retryable": True})
_SPOILT_CODE = ERROR_CODES["bad-checksum"]


def frame_encode(code: int, request_id: int, payload: bytes, flags: int = 0) -> bytes:
    """With its checksum if flag 2 is given."""
    checksum = _xxh3(payload) & 0xFFFFFFFF if flags & CHECKSUM and _xxh3 is not None else 0
    return HEADER.pack(len(payload), PROTOCOL, code, flags, request_id, checksum) + payload


def header_check(size: int, version: int, flags: int, checksum: int, is_reply: bool = True) -> None:
    if version != PROTOCOL:
        raise _bad(f"protocol version {version}, {PROTOCOL} is spoken here")
    if flags & ~(REPLY | CHECKSUM | MORE) or bool(flags & REPLY) != is_reply:
        raise _bad(f"flags {flags:#x}")
    if flags & MORE and not is_reply:
        raise _bad("flag 4 in a request")
    if checksum and not flags & CHECKSUM:
        raise _bad("a checksum without its flag")
    if size > FRAME_BYTES_MAX:
        raise _bad(f"a payload of {size} bytes, at most {FRAME_BYTES_MAX} are allowed")


class FrameSplitter:
    """Bytes as they come from a socket, in; whole frames out."""

    def __init__(self, is_reply: bool = True):
        self._buffer = bytearray()
        self._wanted = 0  # bytes of the first frame in the buffer, as far as they are known
        self._is_reply = is_reply

    def feed(self, data: bytes) -> Iterator[Frame]:
        """The frames that are whole now; after the last good one, IcpError if what follows is none."""
        if self._buffer:
            self._buffer += data
            if len(self._buffer) < self._wanted:
                return
            data = bytes(self._buffer)
            self._buffer.clear()
        at, end = 0, len(data)
        self._wanted = HEADER_BYTES
        while end - at >= HEADER_BYTES:
            size, version, code, flags, request_id, checksum = HEADER.unpack_from(data, at)
            if version != PROTOCOL or flags & ~CHECKSUM != REPLY or size > FRAME_BYTES_MAX or \
                    not self._is_reply or (checksum and flags == REPLY):
                header_check(size, version, flags, checksum, self._is_reply)
            behind = at + HEADER_BYTES + size
            if behind > end:
                self._wanted = HEADER_BYTES + size
                break
            payload = data[at + HEADER_BYTES:behind]
            if flags & CHECKSUM and not checksum_holds(payload, checksum):
                code, flags, payload = _SPOILT_CODE, flags & ~MORE, SPOILT
            yield code, flags, request_id, payload
            at = behind
        if at < end:
            self._buffer += data[at:]
