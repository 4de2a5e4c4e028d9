#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files of one folder do not call each other round, but for those that circles.table lists:
circles.py ROOT BUILD. A circle is read off the object files: who wants a name that another defines.
Before it looks, it proves that planted circles are found."""

import collections
import os
import sys
import tempfile

import objects
import tree


def read_table(path):
    """Folder → sets of files that may form a circle."""
    allowed = collections.defaultdict(list)
    with open(path, encoding="utf-8") as file:
        for line in file:
            words = line.split("#")[0].split()
            if words:
                allowed[words[0]].append(set(words[1:]))
    return allowed


def graphs(found):
    """Folder → file → files of the folder that it calls."""
    folders = collections.defaultdict(dict)
    for source, both in found.items():
        folders[os.path.dirname(source)][os.path.basename(source)[:-2]] = both
    for folder, files in folders.items():
        home = {name: file for file, (defined, _) in files.items() for name in defined}
        yield folder, {
            file: {home[name] for name in wanted if home.get(name, file) != file}
            for file, (_, wanted) in files.items()
        }


def reached(graph, start):
    seen, left = set(), [start]
    while left:
        for other in graph[left.pop()]:
            if other not in seen:
                seen.add(other)
                left.append(other)
    return seen


def circles(graph):
    """Sets of files of which each reaches every other."""
    reach = {file: reached(graph, file) for file in graph}
    found = {
        frozenset(other for other in reach[file] if file in reach[other])
        for file in graph
        if file in reach[file]
    }
    return sorted(found, key=sorted)


def check(found, allowed):
    faults = []
    for folder, graph in sorted(graphs(found)):
        if folder.startswith("tests"):
            continue
        left = list(allowed.get(folder, []))
        for circle in circles(graph):
            fitting = [files for files in left if circle <= files]
            if not fitting:
                faults.append(f"{folder}: {', '.join(sorted(circle))} call each other round")
            elif circle == fitting[0]:
                left.remove(fitting[0])
            else:
                faults.append(
                    f"{folder}: circles.table lists more files than call each other: "
                    f"{', '.join(sorted(fitting[0] - circle))}"
                )
                left.remove(fitting[0])
        faults += [
            f"{folder}: circles.table lists a circle that is none: {' '.join(sorted(files))}"
            for files in left
        ]
    return faults


def control():
    texts = {
        "server/a/one.c": "void two(void); void one(void) { two(); }\n",
        "server/a/two.c": "void one(void); void two(void) { one(); }\n",
        "server/a/three.c": "void one(void); void three(void) { one(); }\n",
        "server/b/six.c": "void seven(void); void six(void) { seven(); }\n",
        "server/b/seven.c": "void one(void); void seven(void) { one(); }\n",
        "tests/x.c": "void y(void); void x(void) { y(); }\n",
        "tests/y.c": "void x(void); void y(void) { x(); }\n",
    }
    with tempfile.TemporaryDirectory() as root:
        objects.make(root, os.path.join(root, "build"), texts)
        found = objects.read(root, os.path.join(root, "build"))
    return (
        check(found, {}) == ["server/a: one, two call each other round"]
        and check(found, {"server/a": [{"one", "two"}]}) == []
        and len(check(found, {"server/a": [{"one", "two", "three"}]})) == 1
        and len(check(found, {"server/a": [{"one", "two"}], "server/b": [{"six", "seven"}]})) == 1
    )


def main(root, build):
    if not control():
        print("the planted circles are not found")
        return 1
    table = os.path.join(os.path.dirname(os.path.abspath(__file__)), "circles.table")
    found = objects.read(root, build)
    return tree.report("circles", check(found, read_table(table)), len(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
