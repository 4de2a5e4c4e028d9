#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every body of if, else, for, while and do has braces: braces.py ROOT [--fix]. clang-format-16 says
where it would insert some; folders of braces.table are not looked at yet. --fix inserts them, then
run clang-format. Exits with 77 (skipped) where there is no clang-format-16. Before it looks, it proves
that a missing brace is found."""

import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor

import tree

TOOL = "clang-format-16"
PER_CALL = 40


def formatted(root, paths, folder, more):
    """What clang-format-16 makes of the files, in the style of the tree with one more line."""
    with open(os.path.join(folder, "style"), "w", encoding="utf-8") as file:
        file.write(tree.read(root, ".clang-format").rstrip("\n") + "\n" + more)
    copies = [os.path.join(folder, path.replace("/", "+")) for path in paths]
    for path, copy in zip(paths, copies):
        shutil.copy(os.path.join(root, path), copy)
    calls = [copies[start : start + PER_CALL] for start in range(0, len(copies), PER_CALL)]
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        style = f"--style=file:{folder}/style"
        list(pool.map(lambda some: subprocess.run([TOOL, "-i", style, *some], check=True), calls))
    return [tree.read(folder, os.path.basename(copy)) for copy in copies]


def bare(root, paths):
    """Path and text with braces of each file that lacks some. Braces are the one thing that there are
    more of afterwards, whatever else this version lays out differently."""
    with tempfile.TemporaryDirectory() as folder:
        inserting = formatted(root, paths, folder, "InsertBraces: true\n")
    return [
        (path, new)
        for path, new in zip(paths, inserting)
        if new.count("{") != tree.read(root, path).count("{")
    ]


def control(root):
    with tempfile.TemporaryDirectory() as folder:
        texts = {
            "good.c": "int f(int x)\n{\n    if (x) {\n        return 1;\n    }\n    return 0;\n}\n",
            "odd.c": "int   x ;\n",
            "bad.c": "int f(int x)\n{\n    if (x)\n        return 1;\n    return 0;\n}\n",
        }
        for name, text in texts.items():
            with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
                file.write(text)
        shutil.copy(os.path.join(root, ".clang-format"), folder)
        return [path for path, _ in bare(folder, sorted(texts))] == ["bad.c"]


def later(root):
    """Folders that wait for their braces."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "braces.table")
    if not os.path.exists(path):
        return set()
    with open(path, encoding="utf-8") as file:
        return {line.split("#")[0].strip() for line in file} - {""}


def main(root, fix):
    if shutil.which(TOOL) is None:
        print(f"skipped: no {TOOL} here")
        return 77
    if not control(root):
        print(f"{TOOL} does not find the planted file")
        return 1
    waiting = set() if fix else later(root)
    paths = [
        path for path in tree.files(root, (".c", ".h")) if os.path.dirname(path) not in waiting
    ]
    found = bare(root, paths)
    if fix:
        for path, text in found:
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        print(f"braces inserted in {len(found)} files")
        return 0
    return tree.report("braces", [f"{path}: a body without braces" for path, _ in found], len(paths))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], "--fix" in sys.argv[2:]))
