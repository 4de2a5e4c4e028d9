# SPDX-License-Identifier: Apache-2.0
"""docs/reference/protocol.json as data, and whether a reply keeps to it.

The clients of the system tests ask this of every reply that they get, so that a member that is not
documented, or documented with another type, fails the test that met it."""
import json
import os

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "reference",
                    "protocol.json")


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value):
    return is_whole(value) or isinstance(value, float)


KINDS = {
    "text": lambda v: isinstance(v, str),
    "json": lambda v: isinstance(v, str) and json.loads(v) is not None,
    "uint": lambda v: is_whole(v) and v >= 0,
    "int": is_whole,
    "number": is_number,
    "flag": lambda v: isinstance(v, bool),
    "bytes": lambda v: isinstance(v, bytes),
    "texts": lambda v: isinstance(v, list) and all(isinstance(one, str) for one in v),
    "list": lambda v: isinstance(v, list),
    "map": lambda v: isinstance(v, dict),
    "any": lambda v: True,
}


def read(path=PATH):
    """The tables; operations by name; replies by operation and shapes by name, each a map of members."""
    with open(path, encoding="utf-8") as file:
        tables = json.load(file)
    replies = {op["name"]: {one["name"]: one for one in op["reply"]} for op in tables["operations"]}
    shapes = {shape["name"]: {one["name"]: one for one in shape["members"]}
              for shape in tables["shapes"]}
    return tables, {op["name"]: op for op in tables["operations"]}, replies, shapes


TABLES, OPERATIONS, REPLIES, SHAPES = read()


def faults_of(members, value, where):
    wild = next((name for name in members if name.startswith("<")), None)
    for name, field in members.items():
        if name not in value and field["required"]:
            yield f"{where}: no {name}"
    for name, member in value.items():
        place = f"{where}.{name}"
        if name not in members and wild is None:
            yield f"{place} is not documented"
            continue
        field = members.get(name) or members[wild]
        kind, shape = field["type"], field.get("of")
        if member is None and ("nil" in field["help"] or kind == "any"):
            continue
        if not KINDS[kind](member):
            yield f"{place}: {member!r:.60} is no {kind}"
            continue
        if shape is None:
            continue
        for index, one in enumerate(member if kind == "list" else [member]):
            place_one = f"{place}[{index}]" if kind == "list" else place
            if not isinstance(one, dict):
                yield f"{place_one}: {one!r:.60} is no map"
            elif shape == "lead score" and "error" not in one:
                yield from faults_of(REPLIES["score"], one, place_one)
            else:
                yield from faults_of(SHAPES[shape], one, place_one)


def faults(op, reply):
    """What of a reply to the operation is not as documented, a line each."""
    return list(faults_of(REPLIES[op], reply or {}, op))
