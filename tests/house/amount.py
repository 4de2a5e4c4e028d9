#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""There are not fewer tests than there were: amount.py ROOT BUILD. amount.table says how many tests
CTest has to know, and how many lines of test stand beside a line of code of a folder. Tests that a
commit loses by mistake are missed here. Before it looks, it proves that a loss is found."""

import json
import os
import subprocess
import sys
import tempfile

import tree


def read_table(path):
    """(folder or "ctest", least) by row."""
    with open(path, encoding="utf-8") as file:
        rows = [line.split("#")[0].split() for line in file]
    return [(words[0], float(words[1])) for words in rows if words]


def lines(root, folder, apart=()):
    """Of its files, but those of folders below it that have a row of their own."""
    full = os.path.join(root, folder)
    paths = tree.files(full, (".c", ".h")) if os.path.isdir(full) else []
    own = [path for path in paths if not os.path.join(folder, path).startswith(tuple(apart))]
    return sum(tree.read(full, path).count("\n") for path in own)


def share(root, folder, rows=()):
    """Lines of tests/unit/NAME by line of FOLDER."""
    code = lines(root, folder, [name + "/" for name, _ in rows if name.startswith(folder + "/")])
    return lines(root, os.path.join("tests/unit", os.path.basename(folder))) / code if code else 0.0


def tests_known(build):
    run = subprocess.run(
        ["ctest", "--show-only=json-v1"], cwd=build, capture_output=True, text=True, check=True
    )
    return len(json.loads(run.stdout)["tests"])


def check(root, table, known):
    faults = []
    for name, least in table:
        if name == "ctest":
            if known < least:
                faults.append(f"CTest knows {known} tests; there were {least:.0f} at least")
        elif (found := share(root, name, table)) < least:
            faults.append(f"{name}: {found:.2f} lines of test a line of code, at least {least:.2f}")
    return faults


def control():
    with tempfile.TemporaryDirectory() as root:
        for path, count in (("server/a/a.c", 100), ("tests/unit/a/test_a.c", 50)):
            os.makedirs(os.path.dirname(os.path.join(root, path)))
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write("x;\n" * count)
        good = check(root, [("ctest", 5), ("server/a", 0.5)], 5)
        bad = check(root, [("ctest", 6), ("server/a", 0.51), ("server/gone", 0.1)], 5)
    return good == [] and len(bad) == 3


def main(root, build):
    if not control():
        print("a planted loss is not found")
        return 1
    table = read_table(os.path.join(os.path.dirname(os.path.abspath(__file__)), "amount.table"))
    return tree.report("amount", check(root, table, tests_known(build)), len(table))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2]))
