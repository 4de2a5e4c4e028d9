#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The gate of look-alike search from end to end, on small sets: lookalike_gate.py PROGRAM ICPD.

A quick run ends with 0 and says something of every row; a target that nothing can reach, the
control, ends it with 1. Nothing here depends on how fast the machine is."""

import json
import os
import subprocess
import sys
import tempfile

VERDICTS = {"holds", "falls short", "not measured", "not judged", "skipped"}
# Rows that a quick run of A and S measures, whoever is installed.
MEASURED = {"a-exact", "a-exact-filter", "a-insert", "scan-one", "scan-16", "server-exact",
            "server-probe", "server-scan", "server-p99"}

# Rows of M that take a graph.
GRAPH = ("m-graph-99", "m-graph-975", "m-graph-build", "m-graph-insert", "m-grown", "m-shrunk")


def run(program, folder, *options):
    path = os.path.join(folder, "result.json")
    if os.path.exists(path):
        os.unlink(path)
    done = subprocess.run([program, "--quick", "--json", path, "--folder", folder, *options],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    rows = {}
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            rows = {row["name"]: row for row in json.load(file)["rows"]}
    return done.returncode, rows, done.stdout


def expect(condition, what, output):
    if not condition:
        sys.exit(f"{what}\n{output}")


def main():
    program, icpd = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="icpd-test-") as folder:
        # A base that says it is filled and is not: it is filled anew.
        base = os.path.join(folder, "lookalike-5000x64-scored")
        os.mkdir(base)
        with open(os.path.join(base, "filled"), "w", encoding="utf-8"):
            pass
        code, rows, output = run(program, folder, "--sets", "AS", "--icpd", icpd)
        expect("filling it anew" in output, "a base without accounts was taken as it is", output)
        expect(code in (0, 1), f"a quick run ended with {code}", output)
        expect({row["verdict"] for row in rows.values()} <= VERDICTS, "an unknown verdict", output)
        for name in MEASURED:
            expect("measured" in rows[name], f"{name} was not measured", output)
        for name in ("a-exact", "a-exact-filter", "server-exact"):
            expect(rows[name]["verdict"] == "holds", f"{name} does not hold", output)
        short = [name for name, row in rows.items() if row["verdict"] == "falls short"]
        expect(short == [], f"a quick run judged {short}", output)
        # Without hnswlib its rows count as short; with it nothing does.
        missing = [name for name, row in rows.items() if row["verdict"] == "not measured"]
        expect(code == (1 if missing else 0), f"ended with {code} though {missing} is missing",
               output)

        code, rows, output = run(program, folder, "--sets", "M", "--no-peers")
        expect(code == 0, f"a run without peers ended with {code}", output)
        expect(rows["m-exact"]["verdict"] == "holds", "m-exact does not hold", output)
        expect(rows["m-99"]["verdict"] == "skipped", "m-99 was not skipped", output)

        for name in GRAPH:
            expect(rows[name]["verdict"] == "skipped", f"{name} without a graph", output)
        code, rows, output = run(program, folder, "--sets", "M", "--no-peers", "--graph")
        expect(code == 0, f"a run with a graph ended with {code}", output)
        for name in GRAPH:
            expect("measured" in rows[name], f"{name} was not measured", output)

        code, rows, output = run(program, folder, "--sets", "A", "--no-peers", "--target",
                                 "a-insert=0")
        expect(code == 1, f"control: an impossible target ended with {code}", output)
        expect(rows["a-insert"]["verdict"] == "falls short", "control: a-insert holds", output)

        code, rows, output = run(program, folder, "--sets", "F", "--no-peers", "--data",
                                 os.path.join(folder, "nowhere"))
        expect(code == 0, f"a set that is not there ended with {code}", output)
        expect(rows["f-99"]["verdict"] == "skipped", "f-99 was not skipped", output)

        code, rows, output = run(program, folder, "--sets", "W", "--no-peers", "--words",
                                 os.path.join(folder, "nowhere"))
        expect(code == 0, f"a set that is not there ended with {code}", output)
        expect(rows["w-99"]["verdict"] == "skipped", "w-99 was not skipped", output)

        for wrong in (["--sets", "X"], ["--target", "a-99"], ["--target", "nothing=1"],
                      ["--count", "many"], ["--nonsense"], ["--target", "a-99=x"]):
            code, rows, output = run(program, folder, *wrong)
            expect(code == 64, f"{wrong} ended with {code}, not 64", output)


if __name__ == "__main__":
    main()
