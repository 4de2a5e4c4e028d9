#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The five-minute tour of the README works as printed: readme.py README.md ICPD ICP.

Runs the lines of its block in a shell that stops at the first failure. Three things differ: what
builds is left out, the folder is a temporary one, and icpd takes a free port."""

import os
import re
import subprocess
import sys
import tempfile

FOLDER = "/tmp/acme"
BUILDS = ("./tools/setup", "cmake ", "export PATH")


def tour(readme):
    with open(readme, encoding="utf-8") as file:
        section = file.read().split("## Five minutes", 1)[1]
    return re.search(r"```sh\n(.*?)```", section, re.S).group(1).splitlines()


def script(lines, folder):
    out = ["set -euo pipefail"]
    for line in lines:
        if line.startswith(BUILDS):
            continue
        line = line.replace(FOLDER, folder)
        if line.startswith("icpd "):
            out.append(f"ICPD_PORT=0 ICPD_PORTS_FILE={folder}/ports {line}")
            out.append("server=$!; trap 'kill $server 2>/dev/null || true' EXIT")
            out.append(f"for i in $(seq 100); do [ -s {folder}/ports ] && break; sleep 0.1; done")
            out.append(f"export ICP_URI=icp://127.0.0.1:$(sed -n 's/^port = //p' {folder}/ports)")
        elif line == "kill %1":
            out.append("kill $server; wait $server")
        else:
            out.append(line)
    return "\n".join(out) + "\n"


def run(lines, icpd, icp):
    with tempfile.TemporaryDirectory(prefix="icpd-readme-") as folder:
        path = f"{os.path.dirname(icpd)}:{os.path.dirname(icp)}:{os.environ['PATH']}"
        return subprocess.run(
            ["bash", "-c", script(lines, folder)],
            env=dict(os.environ, PATH=path),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )


def main(readme, icpd, icp):
    lines = tour(readme)
    commands = [line for line in lines if line.startswith(("icp ", "icpd "))]
    if len(commands) < 8:
        print(f"only {len(commands)} commands found in the tour")
        return 1
    # The control: the same tour with a command that fails must fail.
    at = next(i for i, line in enumerate(lines) if line.startswith("icp learn"))
    spoilt = lines[:at] + ["icp learn --label 'nonsense ='"] + lines[at:]
    if run(spoilt, icpd, icp).returncode == 0:
        print("a tour with a failing command was not refused")
        return 1
    done = run(lines, icpd, icp)
    print(done.stdout)
    print(f"{len(commands)} commands, exit {done.returncode}")
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:4]))
