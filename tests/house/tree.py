# SPDX-License-Identifier: Apache-2.0
"""The files of the project as the checks of the house see them: what a commit would hold, without
builds and installed packages. Works without git, so that an unpacked archive can be checked too."""

import os

SKIPPED = {".git", "build", "node_modules", "__pycache__", "cache", ".cache", ".hypothesis"}


def files(root, endings=()):
    """Paths below root with one of the endings (all if none is given), relative, sorted."""
    found = []
    for folder, folders, names in os.walk(root):
        folders[:] = [
            name for name in folders if name not in SKIPPED and not name.startswith("build-")
        ]
        for name in names:
            path = os.path.join(folder, name)
            if (not endings or name.endswith(tuple(endings))) and not os.path.islink(path):
                found.append(os.path.relpath(path, root))
    return sorted(found)


def read(root, path):
    with open(os.path.join(root, path), encoding="utf-8", errors="replace") as file:
        return file.read()


def report(name, faults, looked):
    """Prints the faults, or that there are none; returns the exit code."""
    for fault in faults:
        print(fault)
    print(f"{name}: {len(faults)} faults in {looked} files")
    return 1 if faults else 0
