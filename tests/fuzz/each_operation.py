#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fuzzes the handler of each operation by itself: usage: each_operation.py FUZZ_HANDLERS [--runs N] [--jobs N] [NAME ...]

N inputs for each operation (a million; 10,000,000 is a night), two operations (--jobs) at a time, each with what it found
beyond the kept corpus as its own (build/fuzz/each/NAME), so that it goes on where it stopped. Prints how many runs
each had and how long they took; ends with 1 and the input's file where one failed. Learning is left out, as
fuzz_handlers.c says."""
import argparse
import concurrent.futures
import os
import pathlib
import re
import subprocess
import sys
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "system"))

import reference  # noqa: E402

LEFT_OUT = {"icp-learn"}


def seeds(name, folder):
    """Of the kept corpus, whose first byte is an opcode, those of this operation without it."""
    opcode = reference.OPERATIONS[name]["opcode"]
    for path in (HERE / "corpus" / "handlers").iterdir():
        data = path.read_bytes()
        if data and data[0] == opcode:
            (folder / path.name).write_bytes(data[1:])


def fuzz(binary, name, runs):
    folder = pathlib.Path("build/fuzz/each") / name
    folder.mkdir(parents=True, exist_ok=True)
    seeds(name, folder)
    began = time.monotonic()
    done = subprocess.run(
        [binary, f"-runs={runs}", "-timeout=25", "-rss_limit_mb=2560", "-print_final_stats=1",
         f"-artifact_prefix={folder}.found-", str(folder)],
        env=dict(os.environ, ICP_FUZZ_OPERATION=name), capture_output=True, text=True, check=False)
    ran = re.search(r"number_of_executed_units: (\d+)", done.stderr)
    return name, done.returncode, int(ran.group(1)) if ran else 0, time.monotonic() - began, done.stderr


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("binary")
    parser.add_argument("--runs", type=int, default=1000000)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("names", nargs="*", metavar="NAME")
    options = parser.parse_intermixed_args()
    names = options.names or [name for name in reference.OPERATIONS if name not in LEFT_OUT]
    good = True
    with concurrent.futures.ThreadPoolExecutor(options.jobs) as pool:
        for name, code, ran, took, said in pool.map(lambda name: fuzz(options.binary, name, options.runs), names):
            print(f"{name:20} {ran:10} runs {took:8.0f} s {'' if code == 0 else 'FAILED'}", flush=True)
            if code != 0:
                print(said[-3000:], file=sys.stderr)
                good = False
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
