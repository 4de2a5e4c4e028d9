#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An include goes to a lower floor only: floors.py ROOT [TABLE].

Checks the includes of every .c, .h and .def file and the libraries that CMake links, against
floors.table."""

import os
import re
import sys

import tree

INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*(["<])([^">]+)[">]', re.M)
LIBRARY = re.compile(r"^\s*icp_library\(\s*(\w+)(.*?)\)", re.M | re.S)


class Floor:
    def __init__(self, number, exceptions):
        self.number = number
        self.also = exceptions.get("also", [])
        self.only = exceptions.get("only")
        self.never = exceptions.get("never", [])


def read_table(path):
    floors, shells, section = {}, {}, ""
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split()
            if not words:
                continue
            if words[0].startswith("["):
                section = words[0]
            elif section == "[shell]":
                shells[words[0]] = words[1:]
            else:
                pairs = (word.split("=", 1) for word in words[2:])
                exceptions = {key: value.split(",") for key, value in pairs}
                floors[words[0]] = Floor(int(words[1]), exceptions)
    return floors, shells


def owner(floors, path):
    """The listed folder or file that path belongs to: the longest one."""
    while path:
        if path in floors:
            return path
        path = os.path.dirname(path)
    return None


def within(path, places):
    return any(path == place or path.startswith(place + "/") for place in places)


def step_fault(floors, source, target):
    """Why a file of `source` may not use `target` (folders of the table), or None."""
    if source == target:
        return None
    floor, other = floors[source], floors[target]
    if floor.only is not None:
        return None if target in floor.only else f"{source} sees only {', '.join(floor.only)}"
    if target in floor.never:
        return f"{source} must not know {target}"
    if other.number < floor.number or target in floor.also:
        return None
    way = "up" if other.number > floor.number else "sideways"
    return f"{way}: {source} is on floor {floor.number}, {target} on floor {other.number}"


def include_faults(root, floors, shells, path, text):
    source = owner(floors, path)
    if source is None:
        yield f"{path}: its folder has no floor in floors.table"
        return
    for match in INCLUDE.finditer(text):
        place = f"{path}:{text.count(chr(10), 0, match.start()) + 1}"
        kind, name = match.groups()
        holders = shells.get(name)
        if holders is not None and not within(path, holders):
            yield f"{place}: includes {name}, which only {', '.join(holders)} may"
        if kind == "<":
            # The public header of the client is found through its installed name, too.
            continue
        target = owner(floors, name) if "/" in name else None
        if target is None or not os.path.exists(os.path.join(root, name)):
            if holders is None and not within(name, ["generated"]):
                yield f'{place}: "{name}" is not the path of a file from the root of the tree'
            continue
        fault = step_fault(floors, source, target)
        if fault is not None:
            yield f"{place}: includes {name}: {fault}"


def library_faults(root, floors, paths):
    """The same law for what is linked."""
    libraries, uses = {}, []
    for path in paths:
        text = tree.read(root, path)
        for match in LIBRARY.finditer(text):
            folder = owner(floors, os.path.dirname(path))
            if folder is None:
                continue
            libraries["icp_" + match.group(1)] = folder
            links = match.group(2).partition("LIBS")[2].split()
            uses += [(path, folder, name) for name in links if name.startswith("icp_")]
    for path, folder, name in uses:
        if name not in libraries:
            yield f"{path}: links {name}, which no folder makes"
            continue
        fault = step_fault(floors, folder, libraries[name])
        if fault is not None:
            yield f"{path}: links {name}: {fault}"


def check(root, table):
    floors, shells = read_table(table)
    faults = []
    paths = tree.files(root, (".c", ".h", ".def"))
    for path in paths:
        faults += include_faults(root, floors, shells, path, tree.read(root, path))
    lists = tree.files(root, ("CMakeLists.txt",))
    faults += library_faults(root, floors, lists)
    return faults, len(paths) + len(lists)


def default_table():
    return os.path.join(os.path.dirname(os.path.abspath(__file__)), "floors.table")


if __name__ == "__main__":
    found, looked = check(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else default_table())
    sys.exit(tree.report("floors", found, looked))
