# SPDX-License-Identifier: Apache-2.0
"""docs/reference/operations.md as data, and whether a reply keeps to it.

The clients of the system tests ask this of every reply that they get, so that a member that is not
documented, or documented with another type, fails the test that met it."""
import os
import re

PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "docs", "reference",
                    "operations.md")
ROW = re.compile(r"^\| `([^`]+)` \| (.*?)(?:, [^|]*)? \| (required|optional) \| (.*) \|$")
SHAPED = re.compile(r"^(list of|map:) \[([^\]]+)\]")


def is_whole(value):
    return isinstance(value, int) and not isinstance(value, bool)


def is_number(value):
    return is_whole(value) or isinstance(value, float)


KINDS = {
    "text": lambda v: isinstance(v, str),
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
    """Replies by operation and shapes by name: each a map of member to (type, required, may be nil)."""
    replies, shapes, section, table = {}, {}, "", None
    with open(path, encoding="utf-8") as file:
        for line in file:
            row = ROW.match(line.rstrip("\n"))
            if line.startswith("## "):
                section, table = line[3:].strip(), None
            elif line.startswith("### "):
                table = shapes.setdefault(line[4:].strip(), {})
            elif line.startswith("Reply:"):
                table = replies.setdefault(section, {})
            elif line.startswith("Request:"):
                table = None
            elif row and table is not None:
                name, kind, presence, help_text = row.groups()
                table[name] = (kind, presence == "required", "nil" in help_text)
    return replies, shapes


REPLIES, SHAPES = read()


def faults_of(members, value, where):
    wild = next((name for name in members if name.startswith("<")), None)
    for name, (kind, required, may_be_nil) in members.items():
        if name not in value:
            if required:
                yield f"{where}: no {name}"
    for name, member in value.items():
        place = f"{where}.{name}"
        if name not in members and wild is None:
            yield f"{place} is not documented"
            continue
        kind, _, may_be_nil = members.get(name) or members[wild]
        shaped = SHAPED.match(kind)
        if member is None and (may_be_nil or kind == "any"):
            continue
        if not shaped:
            if not KINDS[kind](member):
                yield f"{place}: {member!r:.60} is no {kind}"
            continue
        listed = shaped.group(1) == "list of"
        if not isinstance(member, list if listed else dict):
            yield f"{place}: {member!r:.60} is no {kind}"
            continue
        for index, one in enumerate(member if listed else [member]):
            place_one = f"{place}[{index}]" if listed else place
            if not isinstance(one, dict):
                yield f"{place_one}: {one!r:.60} is no map"
            elif shaped.group(2) == "lead score" and "error" not in one:
                yield from faults_of(REPLIES["score"], one, place_one)
            else:
                yield from faults_of(SHAPES[shaped.group(2)], one, place_one)


def faults(op, reply):
    """What of a reply to the operation is not as documented, a line each."""
    return list(faults_of(REPLIES[op], reply or {}, op))
