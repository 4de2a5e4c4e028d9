#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""drift.py FILE COMMAND…: exit 0 if COMMAND prints exactly what stands in the committed FILE.

Otherwise shows the first lines that differ, says how to bring the file up to date, and exits 1.
"""
import difflib
import subprocess
import sys


def main():
    path, command = sys.argv[1], sys.argv[2:]
    made = subprocess.run(command, stdout=subprocess.PIPE, check=True, timeout=60).stdout
    try:
        with open(path, "rb") as file:
            kept = file.read()
    except FileNotFoundError:
        kept = b""
    if made == kept:
        print(f"{path} is what {command[0].rsplit('/', 1)[-1]} prints")
        return 0
    lines = difflib.unified_diff(
        kept.decode(errors="replace").splitlines(), made.decode(errors="replace").splitlines(),
        "committed", "generated", lineterm="", n=0)
    for line, _ in zip(lines, range(20)):
        print(line[:200])
    print(f"{path} has drifted; bring it up to date with:\n  {' '.join(command)} > {path}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
