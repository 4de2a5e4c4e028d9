#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a file exports begins with the name of its folder: prefixes.py ROOT BUILD. Folders whose
exports begin otherwise stand in prefixes.table; "*" lets a program name them as it likes. Before it looks, it proves that a planted name is
found."""

import os
import sys
import tempfile

import objects
import tree

# What the language or a library wants to be called so.
GIVEN = {"main", "argp_program_version", "argp_program_bug_address"}


def read_table(path):
    with open(path, encoding="utf-8") as file:
        rows = [line.split("#")[0].split() for line in file]
    return {words[0]: words[1:] for words in rows if words}


def fits(name, source, prefixes):
    words = os.path.basename(source)[:-2].split("_")
    return name in GIVEN or any(
        name.startswith(prefix + "_") or name == prefix
        for prefix in (words if prefixes == ["file"] else prefixes)
    )


def check(found, table):
    faults = []
    for source, (defined, _) in sorted(found.items()):
        folder = os.path.dirname(source)
        if folder.startswith("tests"):
            continue
        prefixes = table.get(folder, [os.path.basename(folder)])
        if prefixes == ["*"]:
            continue
        faults += [
            f"{source}: exports {name}, which does not begin with {' or '.join(prefixes)}"
            for name in sorted(defined)
            if not fits(name, source, prefixes) and not name.startswith(("__", "."))
        ]
    return faults


def control():
    texts = {
        "server/a/one.c": "int a_one; static int own(void) { return 1; } int a(void) { return own(); }\n",
        "server/a/two.c": "int b_two(void) { return 1; }\nint astray;\n",
        "server/c/three_four.c": "int four_x; int c_x;\n",
        "tests/x.c": "int whatever; int main(void) { return 0; }\n",
    }
    with tempfile.TemporaryDirectory() as root:
        objects.make(root, os.path.join(root, "build"), texts)
        found = objects.read(root, os.path.join(root, "build"))
    faults = check(found, {"server/c": ["file"]})
    return [fault.split(",")[0] for fault in faults] == [
        "server/a/two.c: exports astray",
        "server/a/two.c: exports b_two",
        "server/c/three_four.c: exports c_x",
    ]


def main(root, build):
    if not control():
        print("the planted names are not found")
        return 1
    table = os.path.join(os.path.dirname(os.path.abspath(__file__)), "prefixes.table")
    found = objects.read(root, build)
    return tree.report("prefixes", check(found, read_table(table)), len(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
