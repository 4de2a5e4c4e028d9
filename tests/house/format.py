#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every .c and .h file is as clang-format leaves it: format.py ROOT. Before it looks, it proves that
a badly formatted file is found. Exits with 77 (skipped) where there is no clang-format."""

import os
import shutil
import subprocess
import sys
import tempfile

import tree

PER_CALL = 40


def unformatted(root, paths):
    """The paths that clang-format would change."""
    bad = []
    for start in range(0, len(paths), PER_CALL):
        some = paths[start : start + PER_CALL]
        run = subprocess.run(
            ["clang-format", "--dry-run", "-Werror", "--style=file", *some],
            cwd=root,
            capture_output=True,
            text=True,
            check=False,
        )
        if run.returncode != 0:
            named = {line.split(":")[0] for line in run.stderr.splitlines() if ": error:" in line}
            bad += [path for path in some if path in named] or some
    return bad


def control(root):
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(os.path.join(root, ".clang-format"), folder)
        for name, text in (("good.c", "int x;\n"), ("bad.c", "int   x ;\n")):
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        return unformatted(folder, ["good.c", "bad.c"]) == ["bad.c"]


def main(root):
    if shutil.which("clang-format") is None:
        print("skipped: no clang-format here")
        return 77
    if not control(root):
        print("clang-format does not find the planted file")
        return 1
    paths = tree.files(root, (".c", ".h"))
    faults = [f"{path}: run clang-format -i on it" for path in unformatted(root, paths)]
    return tree.report("format", faults, len(paths))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
