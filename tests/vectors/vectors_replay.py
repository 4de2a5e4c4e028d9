#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""vectors_replay.py VECTORS VECTORS_REPLAY: the test vectors as a client in Python sees them.

Good vectors are decoded with msgpack and compared with their JSON; then their JSON is encoded by msgpack
and handed to `vectors-replay --accept`, which must take it and find the same values. Bad vectors of the
layers "frame" and "form" are refused here too, by the rules of docs/protocol.md written anew. Knows
nothing of the tables of fields: layer "table" is for the C replayer.
"""
import json
import math
import struct
import subprocess
import sys

import msgpack

HEADER = struct.Struct("<IBBHII")
REPLY, CHECKSUM, MORE = 1, 2, 4
FRAME_BYTES_MAX, DEPTH_MAX, MAP_KEYS_MAX = 16 << 20, 8, 2048
VECTORS_MIN = 200


class Refused(Exception):
    pass


def refuse_unless(condition, why):
    if not condition:
        raise Refused(why)


def header_check(frame, is_reply):
    """What a receiver can tell from the header, except whether the checksum is right."""
    size, version, code, flags, request_id, checksum = HEADER.unpack_from(frame)
    refuse_unless(size <= FRAME_BYTES_MAX, "payload over the limit")
    refuse_unless(version == 1, "version")
    refuse_unless(flags & ~(REPLY | CHECKSUM | MORE) == 0, "reserved flags")
    refuse_unless(bool(flags & REPLY) == is_reply, "direction")
    refuse_unless(is_reply or not flags & MORE, "more in a request")
    refuse_unless(flags & CHECKSUM or checksum == 0, "checksum without its flag")
    refuse_unless(len(frame) == HEADER.size + size, "not one whole frame")
    return code, flags, request_id


def pairs_check(pairs):
    refuse_unless(all(isinstance(key, str) for key, _ in pairs), "a key that is no string")
    made = dict(pairs)
    refuse_unless(len(made) == len(pairs), "a key twice")
    return made


def ext_refuse(code, data):
    raise Refused(f"ext type {code}")


def value_check(value, depth=0):
    """What msgpack lets pass and icpd does not."""
    if isinstance(value, msgpack.Timestamp):
        raise Refused("ext type -1")
    if isinstance(value, float):
        refuse_unless(math.isfinite(value), "not finite")
    elif isinstance(value, (dict, list)):
        refuse_unless(depth < DEPTH_MAX, "depth")
        for child in value.values() if isinstance(value, dict) else value:
            value_check(child, depth + 1)


def payload_decode(payload):
    if not payload:
        return {}
    try:
        value = msgpack.unpackb(payload, raw=False, strict_map_key=False, ext_hook=ext_refuse,
                                object_pairs_hook=pairs_check, timestamp=0,
                                max_map_len=MAP_KEYS_MAX)
    except (ValueError, TypeError, msgpack.exceptions.UnpackException) as error:
        raise Refused(repr(error)) from error
    refuse_unless(isinstance(value, dict), "no map")
    value_check(value)
    return value


def from_json(value):
    """The value that a vector's JSON stands for."""
    if isinstance(value, dict):
        if set(value) == {"$bin"}:
            return bytes.fromhex(value["$bin"])
        if set(value) == {"$int"}:
            return int(value["$int"])
        return {key: from_json(child) for key, child in value.items()}
    return [from_json(child) for child in value] if isinstance(value, list) else value


def same(a, b):
    """Equal, with numbers by value and a boolean unlike a number."""
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    return isinstance(a, bool) == isinstance(b, bool) and a == b


def good_fault(vector):
    """Why a good vector does not hold, or None."""
    frame = bytes.fromhex(vector["hex"])
    try:
        header = header_check(frame, vector["direction"] == "reply")
        found = payload_decode(frame[HEADER.size:])
    except Refused as refused:
        return f"refused: {refused}"
    if header != (vector["code"], vector["flags"], vector["request_id"]):
        return f"header {header}"
    return None if same(found, from_json(vector["payload"])) else f"holds {found}"


def bad_fault(vector):
    if vector["layer"] == "table" or vector["error"] == "bad-checksum":
        return None  # no tables here, and no XXH3 in Python's library
    frame = bytes.fromhex(vector["hex"])
    try:
        header_check(frame, vector["direction"] == "reply")
        if vector["layer"] == "form":
            payload_decode(frame[HEADER.size:])
    except Refused:
        return None
    return f"accepted, wanted {vector['error']}"


def encoded_faults(vectors, replay):
    """Has C decode what Python encoded; yields the faults."""
    lines = []
    for vector in vectors:
        payload = msgpack.packb(from_json(vector["payload"]))
        frame = HEADER.pack(len(payload), 1, vector["code"], vector["flags"] & ~CHECKSUM,
                            vector["request_id"], 0) + payload
        lines.append(f"{vector['direction']} {vector['op']} {frame.hex()}\n")
    answers = subprocess.run([replay, "--accept"], input="".join(lines), stdout=subprocess.PIPE,
                             text=True, check=True, timeout=60).stdout.splitlines()
    for vector, answer in zip(vectors, answers, strict=True):
        wanted = from_json(vector["payload"])
        if not answer.startswith("ok ") or not same(from_json(json.loads(answer[3:])), wanted):
            yield f"{vector['name']}: encoded by Python: {answer}"


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        vectors = json.load(file)["vectors"]
    faults = []
    for vector in vectors:
        fault = good_fault(vector) if vector["good"] else bad_fault(vector)
        if fault is not None:
            faults.append(f"{vector['name']}: {fault}")
    faults.extend(encoded_faults([v for v in vectors if v["good"]], sys.argv[2]))
    for fault in faults:
        print(fault)
    print(f"{len(vectors)} vectors replayed by Python, {len(faults)} failed")
    return 0 if not faults and len(vectors) >= VECTORS_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
