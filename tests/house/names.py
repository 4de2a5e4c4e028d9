#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Names, sizes and first lines: names.py ROOT.

- the name of a .c, .h or .def file is unique in the tree;
- the first line of C, Python and shell says the licence (after #! where there is one);
- a .c, .h or .py file has at most 800 lines, a C function at most 70;
- no file names a folder of somebody's machine."""

import os
import re
import sys

import tree

LICENCE = "SPDX-License-Identifier: Apache-2.0"
FILE_LINES_MAX = 800
FUNCTION_LINES_MAX = 70
# Put together here, so that this file does not hold what it looks for.
MACHINE_PATH = re.compile(r"(?<![\w.~$}/-])/(?:" + "|".join(["work", "root", "home"]) + r")/[\w.]")
TEXT = (".c", ".h", ".def", ".py", ".md", ".txt", ".json", ".cmake", ".in", ".sh", ".js", ".mjs", ".conf", ".service")


def unique_faults(paths):
    seen = {}
    for path in paths:
        name = os.path.basename(path)
        if name in seen:
            yield f"{path}: the same name as {seen[name]}; file names are unique in the tree"
        seen.setdefault(name, path)


def licence_faults(path, text):
    lines = text.splitlines()[:2]
    if lines and lines[0].startswith("#!"):
        lines = lines[1:]
    if path.endswith((".c", ".h")):
        if not lines or lines[0] != f"/* {LICENCE} */":
            yield f"{path}:1: the first line must be /* {LICENCE} */"
    elif not lines or LICENCE not in lines[0]:
        yield f"{path}:1: the first line, or the one after #!, must say {LICENCE}"


def function_faults(path, text):
    """Functions as clang-format leaves them: the braces of a body stand alone in column 0."""
    start = None
    for number, line in enumerate(text.splitlines(), 1):
        if line == "{":
            start = number
        elif line.startswith("}") and start is not None:
            lines = number - start - 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{path}:{start}: a function of {lines} lines; the most is {FUNCTION_LINES_MAX}"
            start = None


def size_faults(path, text):
    lines = text.count("\n")
    if lines > FILE_LINES_MAX:
        yield f"{path}: {lines} lines; the most is {FILE_LINES_MAX}"


def path_faults(path, text):
    for number, line in enumerate(text.splitlines(), 1):
        if MACHINE_PATH.search(line):
            yield f"{path}:{number}: names a folder of somebody's machine"


def is_script(root, path):
    """Executable without an ending: tools/check and its like."""
    return "." not in os.path.basename(path) and os.access(os.path.join(root, path), os.X_OK)


def check(root):
    faults = []
    paths = tree.files(root)
    faults += unique_faults([path for path in paths if path.endswith((".c", ".h", ".def"))])
    for path in paths:
        script = is_script(root, path)
        if not path.endswith(TEXT) and not script:
            continue
        text = tree.read(root, path)
        if path.endswith((".c", ".h", ".py", ".sh")) or script:
            faults += licence_faults(path, text)
        if path.endswith((".c", ".h", ".py")):
            faults += size_faults(path, text)
        if path.endswith((".c", ".h")):
            faults += function_faults(path, text)
        faults += path_faults(path, text)
    return faults, len(paths)


if __name__ == "__main__":
    sys.exit(tree.report("names", *check(sys.argv[1])))
