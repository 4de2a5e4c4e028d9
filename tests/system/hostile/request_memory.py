#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How much memory a request makes icpd take: usage: request_memory.py icpd shim [--all] [--show N] [OPERATION ...]

Walks the table of operations and gives each field of each request what takes most room once it is read: lists of the
smallest elements, maps of the smallest values, documents of empty arrays, texts that fall apart into many; small, as
large as an event loop reads, and large. The shim (memory_shim.c) says how much was allocated at most while one was
under way, its frame as it was read and its reply included, beside what was allocated before.

The most that is allowed is FACTOR times the bytes of the request and EXTRA, beside what is none of the request's:
  * what an operation works out of what is stored, whatever it is asked with (OWN);
  * what a write stores, which lies in memory until it is folded (overlay_bytes_max): found out by looking again
    afterwards, and ELEMENT_BYTES for each account, event or id while it is planned.
A document (JSON) is allowed DOCUMENT_FACTOR times its bytes, for it is read into a tree of values, and DOCUMENT_BYTES
at most. Those of who may only read have 64 KiB (definition_bytes_max, policy_bytes_max), those of an admin 15 MiB.

Prints the N requests that took most of what they are allowed. CI takes a part of the smaller ones; --all, or
ICP_LONG=1, all. The control takes the allowance away, and must find something."""
import argparse
import mmap
import os
import random
import struct
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))

import msgpack  # noqa: E402

import reference  # noqa: E402
from icpd import HEADER, OPS, Server  # noqa: E402
from test_operations import fill  # noqa: E402

FACTOR, EXTRA = 4, 64 << 10
DOCUMENT_FACTOR, DOCUMENT_BYTES = 80, 85 * 10**6
ELEMENT_BYTES = 640
MIB = 1 << 20
# Of operations that walk the base, whatever they are.
WALKS, WALK_BYTES = {"scan", "search", "measure", "query"}, MIB
OWN = {"similar": 8 * MIB, "recall": 128 * MIB, "similar-build": 128 * MIB, "similar-plan": MIB, "tal-build": 8 * MIB,
       "tal-get": 8 * MIB, "tal-diff": 8 * MIB, "tal-check": 8 * MIB, "tal-list": MIB, "icp-learn": 8 * MIB, "icp-put": MIB,
       "audit": 2 * MIB, "scrub": 2 * MIB, "backup": 2 * MIB, "everything-read": 2 * MIB, "everything-export": 4 * MIB,
       "everything-import": 2 * MIB, "import-undo": 2 * MIB, "label": MIB, "lifecycle": MIB}
SIZES = (3000, 60000, MIB)
SAMPLE = 250  # requests in CI
ACCOUNTS = 1000
TRIES = 3  # somebody else of the server may allocate meanwhile
NEVER = {"monitor"}
# What these store lies in memory until it is folded into the tables (overlay_bytes_max): that is not the request's.
WRITES = {"account-put", "account-patch", "account-delete", "event-append", "schema-put", "icp-put"}


class Shared:
    """The file that shim and test share (memory_shim.c)."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(4096))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 4096)

    def now(self):
        return struct.unpack_from("<Q", self.map, 0)[0]

    def most(self):
        return struct.unpack_from("<Q", self.map, 8)[0]

    def begin(self):
        now = self.now()
        struct.pack_into("<Q", self.map, 8, now)
        return now


# ---- shapes ----

def least(field):
    """The smallest value that the field may have."""
    kind = field["type"]
    if kind in ("text", "json"):
        return {"filter": "trial = 1", "positives_where": "trial = 1", "label": "won =", "document": "{}",
                "account": "a1", "id": "a1", "measure": "mrr", "type": "touch"}.get(field["name"], "{}" if kind == "json" else "a")
    return {"uint": 1, "int": 1, "number": 1, "flag": True, "bytes": b"", "texts": [], "list": [], "map": {}, "any": 0}[kind]


def documents(size):
    yield "arrays", "[" + "[]," * (size // 3) + "0]"
    yield "numbers", "[" + "1," * (size // 2) + "0]"
    yield "objects", "[" + "{}," * (size // 3) + "0]"
    yield "fields", '{"fields":[' + "{}," * (size // 3) + "{}]}"
    yield "keys", "{" + ",".join(f'"{i:x}":0' for i in range(size // 7)) + "}"
    yield "strings", "[" + '"",' * (size // 3) + "0]"
    yield "text", '"' + "x" * size + '"'


def texts(size):
    yield "text", "x" * size
    yield "cells", "a;" * (size // 2)
    yield "or", " or ".join(["a=1"] * (size // 7))
    yield "in", "employees in (" + "1," * (size // 2) + "1)"
    yield "nested", "(" * (size // 2) + ")" * (size // 2)
    yield "not", "not " * (size // 4) + "trial = 1"


def values(size):
    """Values of an account, or of a lead."""
    yield "no tags", {"tech": [""] * min(size, 255)}
    yield "many tags", {"tech": [""] * size}
    yield "cell of tags", {"tech": ";" * size}
    yield "category", {"industry": "x" * min(size, 1000)}
    yield "vector", {"embedding": [0] * size}
    yield "nil", {"embedding": None, "tech": None, "industry": None}
    yield "unknown", {f"{i:x}": None for i in range(min(2000, size // 4))}


def lists(shape, size):
    yield "nils", [None] * size
    yield "maps", [{}] * size
    yield "arrays", [[]] * size
    yield "texts", ["a"] * (size // 2)
    members = reference.SHAPES.get(shape, {})
    small = {name: least(one) for name, one in members.items() if one["required"] and name[0] != "<"}
    one_bytes = len(msgpack.packb(small)) + 3
    yield "least", [dict(small, **({"id": f"b{i:x}"} if "id" in small else {})) for i in range(min(10000, size // one_bytes))]
    for name, one in members.items():
        if name[0] == "<":
            continue
        for what, value in hostile(one, max(16, size // 8), False):
            yield f"{name} {what}", [dict(small, **{name: value})] * min(10000, max(1, size // (len(msgpack.packb(value)) + one_bytes)))


def hostile(field, size, deep=True):
    kind, shape = field["type"], field.get("of")
    if kind == "texts":
        yield "empty", [""] * size
        yield "allowed", ["a"] * min(size // 2, 10000)
        yield "keys", ["a:b"] * min(size // 4, 64)
    elif kind == "text":
        yield from texts(size)
    elif kind == "json":
        yield from documents(size)
    elif kind == "bytes":
        yield "bytes", bytes(size)
    elif kind == "map":
        yield "keys", {f"{i:x}": 0 for i in range(min(2000, size // 4))}
        if shape == "values" or "values" in field["name"]:
            yield from values(size)
    elif kind == "list" and deep:
        yield from lists(shape, size)
    elif kind in ("any", "list"):
        yield "array", [0] * size


def elements(request):
    return max((len(value) for value in request.values() if isinstance(value, list)), default=0)


def allowance(name, request, payload_bytes, factor, extra):
    documents = any(one["type"] == "json" and one["name"] in request for one in reference.OPERATIONS[name]["request"])
    own = OWN.get(name, WALK_BYTES if reference.OPERATIONS[name]["lane"] in WALKS else 0) + (ELEMENT_BYTES * min(10000, elements(request)) if name in WRITES else 0)
    if not factor:
        return max(1, extra)
    read = max(factor * payload_bytes, min(DOCUMENT_FACTOR * payload_bytes, DOCUMENT_BYTES) if documents else 0)
    return read + extra + own


def requests(names, sizes=SIZES):
    for name, op in reference.OPERATIONS.items():
        if name in NEVER or (names and name not in names):
            continue
        base = {one["name"]: least(one) for one in op["request"] if one["required"]}
        for size in sizes:
            yield name, f"unknown field {size}", dict(base, junk=[None] * size)
            for field in op["request"]:
                for what, value in hostile(field, size):
                    yield name, f"{field['name']} {what} {size}", dict(base, **{field["name"]: value})


# ---- measuring ----

class Watched:
    def __init__(self, icpd, shim):
        self.path = f"/tmp/icpd-memory-{os.getpid()}"
        self.shared = Shared(self.path)
        self.client, self.server = None, Server(icpd, "--workers", "1", "--http-host", "",
                             env=dict(os.environ, LD_PRELOAD=shim, MEMORY_FILE=self.path))
        try:
            self.client = self.server.client()
            fill(self.client, ACCOUNTS)
            self.client.call("icp-learn", {"label": "won = 1", "seed": 1, "activate": True})
            self.client.call("tal-build", {"name": "a", "k": 10})
            self.client.call("similar", {"positives": [{"id": "a1"}]})  # what is built at the first is there
        except Exception:
            self.close()
            raise

    def close(self):
        if self.client:
            self.client.close()
        self.server.close()
        os.unlink(self.path)

    def settled(self):
        """What is allocated while nothing is asked: what the request before had is given back a moment after its reply."""
        now = None
        while now != self.shared.now():
            now = self.shared.now()
            time.sleep(0.0005)
        return self.shared.begin()

    def ask(self, name, payload):
        """Bytes that were allocated at most beside those before; of the reply; its code."""
        before = self.settled()
        self.client.socket.sendall(HEADER.pack(len(payload), 1, OPS[name], 0, 1, 0) + payload)
        while True:
            reply = self.client._read(HEADER.size)
            size, _, status, flags, _, _ = HEADER.unpack(reply)
            body = self.client._read(size)
            if not flags & 4:
                most = self.shared.most()
                kept = max(0, self.settled() - before) if name in WRITES else 0
                return most - before - kept, size, status, body

    def measure(self, name, payload, allowed):
        """The least of some tries."""
        found = None
        for _ in range(TRIES):
            found = min(self.ask(name, payload), found or (1 << 62,))
            if found[0] <= allowed:
                break
        return found


def walk(watched, asked, factor, extra):
    """(times what is allowed, bytes taken, of the request, of the reply, its code, operation, what) of each request."""
    for name, what, request in asked:
        payload = msgpack.packb(request)
        if len(payload) > 16 << 20:
            continue
        allowed = allowance(name, request, len(payload), factor, extra)
        took, reply, status, _ = watched.measure(name, payload, allowed)
        yield took / allowed, took, len(payload), reply, status, name, what


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("icpd")
    parser.add_argument("shim")
    parser.add_argument("--all", action="store_true", default=bool(os.environ.get("ICP_LONG")))
    parser.add_argument("--show", type=int, default=10)
    parser.add_argument("operations", nargs="*", metavar="OPERATION")
    options = parser.parse_intermixed_args()
    asked = list(requests(options.operations, SIZES if options.all else SIZES[:2]))
    if not options.all and not options.operations:
        asked = random.Random(7).sample(asked, SAMPLE)
    watched = Watched(options.icpd, options.shim)
    try:
        control = list(walk(watched, random.Random(8).sample(asked, min(20, len(asked))), 0, 0))
        found = sorted(walk(watched, asked, FACTOR, EXTRA), key=lambda one: -one[0])
        good = watched.server.stop() == 0
    finally:
        watched.close()
    print(f"{'share':>6} {'took':>11} {'request':>10} {'reply':>10} {'code':>4}  what")
    for share, took, size, reply, status, name, what in found[:options.show]:
        print(f"{share:6.2f} {took:11} {size:10} {reply:10} {status:4}  {name}: {what}")
    over = [one for one in found if one[0] > 1]
    print(f"{len(found)} requests, {len(over)} took more than they are allowed")
    if not any(one[0] > 1 for one in control):
        print("the control found nothing", file=sys.stderr)
        good = False
    return 0 if good and not over else 1


if __name__ == "__main__":
    sys.exit(main())
