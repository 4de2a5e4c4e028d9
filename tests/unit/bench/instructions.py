#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of a score, and of an account that is put, with callgrind and holds them against committed figures.

Usage: instructions.py PROGRAM FIGURES BUILD [control]

PROGRAM is bench_instructions; FIGURES the JSON file with the figures of each build (compiler and
build type); a build without figures is measured and told, not judged. More than 10 % above fails.
With `control` the program wastes work on purpose, and the test passes if that is found; one case is
enough for it, since the waste sits in what they all do.
Counts do not depend on the machine's load. valgrind has no AVX-512, so kernels of AVX2 are counted
everywhere. Exit code 77 (skipped) without valgrind."""
import json
import re
import shutil
import subprocess
import sys
import tempfile

GROWTH_MAX = 1.10
# name: (what each request asks for, see instructions.c; batch; batches)
CASES = {"depth 64": ("id", 64, 40), "labels, depth 64": ("label", 64, 40), "depth 1": ("id", 1, 400),
         "reasons, depth 64": ("reasons", 64, 100), "inline, depth 16": ("inline", 16, 40),
         "put, 100 a request": ("put", 100, 23)}
CONTROL_CASE = "depth 64"
# What is counted; none of these calls another. A put of 100 is larger than loop_bytes_max: it is decoded and
# handled on a thread of the lane `large`, not within measured_serve.
COUNTED = {"put": ("proto_request_decode", "rpc_on_ACCOUNT_PUT", "store_commit", "store_fold")}


def count(program, what, batch, batches, waste):
    """Instructions of one request or record: serving, and what the store's threads do for it."""
    with tempfile.TemporaryDirectory(prefix="icpd-instructions-") as folder:
        command = ["valgrind", "--tool=callgrind", "--collect-atstart=no",
                   f"--callgrind-out-file={folder}/out",
                   *(f"--toggle-collect={name}" for name in COUNTED.get(what, ("measured_serve",))),
                   program, what, str(batch), str(batches)] + (["waste"] if waste else [])
        run = subprocess.run(command, capture_output=True, text=True, timeout=600)
    if run.returncode != 0:
        sys.exit(f"{' '.join(command)} failed:\n{run.stdout}{run.stderr}")
    collected = re.search(r"Collected : (\d+)", run.stderr)
    return int(collected.group(1)) / (batch * (batches + 1))  # one more, to warm up


def main():
    program, path, build = sys.argv[1:4]
    control = len(sys.argv) > 4
    if not shutil.which("valgrind"):
        print("valgrind is not installed")
        return 77
    with open(path) as file:
        figures = json.load(file)["instructions_per_request"].get(build)
    over = []
    for name, (what, batch, batches) in CASES.items():
        if control and name != CONTROL_CASE:
            continue
        measured = count(program, what, batch, batches, control)
        if figures is None:
            print(f"{build}: {name}: {measured:.0f} instructions a request; no figure to hold it to")
            continue
        growth = measured / figures[name]
        print(f"{build}: {name}: {measured:.0f} instructions a request, {figures[name]} committed "
              f"({growth - 1:+.1%})")
        if growth > GROWTH_MAX:
            over.append(name)
    if figures is None:
        return 77
    if control:
        print("the waste was found" if over else "the waste was NOT found")
        return 0 if over else 1
    if over:
        print(f"more than {GROWTH_MAX - 1:.0%} over the committed figure: {', '.join(over)}. Find out "
              f"why, or commit the new figure with its reason in {path}")
    return 1 if over else 0


if __name__ == "__main__":
    sys.exit(main())
