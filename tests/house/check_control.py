#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""tools/check must fail when a stage does, name it, and add up the tests: check_control.py ROOT.

Runs a copy of it in a tree of its own, with a cmake and a ctest that do as they are told."""

import os
import shutil
import subprocess
import sys
import tempfile

CTEST = """#!/bin/sh
case "$*" in *house*) part=house ;; *) part=tests ;; esac
case "$*" in *-LE*) part=tests ;; esac
if [ "$FAIL" = $part ]; then
    echo '1/5 Test #1: unit/base/log ....***Failed    0.01 sec'
    echo '80% tests passed, 1 tests failed out of 5'
    echo 'The following tests FAILED:'
    exit 8
fi
echo '1/5 Test #1: unit/base/log ....***Skipped    0.01 sec'
echo '100% tests passed, 0 tests failed out of 5'
"""
CMAKE = """#!/bin/sh
case "$1" in --build) [ "$FAIL" != build ] ;; *) [ "$FAIL" != configure ] ;; esac && exit 0
echo 'main.c:1: error: planted'
exit 1
"""
SETUP = '#!/bin/sh\n[ "$FAIL" != setup ]\n'

# What fails, the stage that must be named, and the closing line.
CASES = [
    (None, None, "8 passed, 0 failed, 2 skipped"),
    ("setup", "setup", "0 passed, 1 failed, 0 skipped"),
    ("configure", "build check", "0 passed, 1 failed, 0 skipped"),
    ("build", "build check", "0 passed, 1 failed, 0 skipped"),
    ("house", "house", "4 passed, 1 failed, 0 skipped"),
    ("tests", "tests check", "8 passed, 1 failed, 1 skipped"),
]


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    os.chmod(path, 0o755)


def run(root, tree, fail):
    put(os.path.join(tree, "tools/setup"), SETUP)
    shutil.copy(os.path.join(root, "tools/check"), os.path.join(tree, "tools/check"))
    put(os.path.join(tree, "bin/ctest"), CTEST)
    put(os.path.join(tree, "bin/cmake"), CMAKE)
    environment = dict(os.environ, FAIL=fail or "", PATH=f"{tree}/bin:{os.environ['PATH']}")
    return subprocess.run(
        [os.path.join(tree, "tools/check"), "--fast"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def main(root):
    wrong = []
    for fail, stage, closing in CASES:
        with tempfile.TemporaryDirectory() as tree:
            done = run(root, tree, fail)
        last = done.stdout.splitlines()[-1] if done.stdout else ""
        good = (done.returncode == 0) == (fail is None) and last == closing
        if stage is not None:
            good = good and f'failed at "{stage}"' in done.stdout
        if not good:
            wrong.append(f"{fail}: exit {done.returncode}\n{done.stdout}{done.stderr}")
    print("\n".join(wrong) or f"each of {len(CASES)} runs ended as it must")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
