#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The five-minute tour of the README works as printed: readme.py README.md BUILD ICPD ICP.

Runs the lines of its blocks in one shell that stops at the first failure, with a home of its own.
What differs: what builds is left out (BUILD stands for build/demo, and the tour's PATH); BUILD may be
"-" where no library can be installed from it (sanitizers), then the programs are left out. Before it
the control: the same tour with a command that fails must fail. And an icpd of somebody else, who is
listening on the usual port, must come out of it as it was."""

import os
import re
import socket
import subprocess
import sys
import tempfile

BUILDS = ("./tools/setup", "cmake --preset", "export PATH")


def section(readme):
    with open(readme, encoding="utf-8") as file:
        return file.read().split("## Five minutes", 1)[1].split("\n## ", 1)[0]


def tour(text, build):
    """The shell lines of the section, and its programs by the names of their files."""
    shell = re.findall(r"```sh\n(.*?)```", text, re.S)
    programs = {f"lead.{ending}": re.search(rf"```{language}\n(.*?)```", text, re.S).group(1)
                for language, ending in (("c", "c"), ("python", "py"), ("js", "js"))}
    lines = [line for line in shell[0].splitlines() if not line.startswith(BUILDS)]
    rest = [line for block in shell[1:] for line in block.splitlines() if not line.startswith(BUILDS)]
    if build != "-":
        lines += [line.replace("build/demo", build) for line in rest]
    else:
        lines += [line for line in rest if line.startswith("kill")]
    return lines, programs


def run(lines, programs, icpd, icp):
    with tempfile.TemporaryDirectory(prefix="icpd-readme-") as home:
        for name, program in programs.items():
            with open(os.path.join(home, name), "w", encoding="utf-8") as file:
                file.write(program)
        path = f"{os.path.dirname(icpd)}:{os.path.dirname(icp)}:{os.environ['PATH']}"
        # The job of the tour is ended whatever happens, and waited for.
        script = ["set -euo pipefail", "trap 'kill %1 2>/dev/null || true; wait' EXIT", *lines]
        environment = {key: value for key, value in os.environ.items() if key != "ICP_URI"}
        return subprocess.run(
            ["bash", "-c", "\n".join(script) + "\n"],
            cwd=home,
            env=dict(environment, PATH=path, HOME=home, TMPDIR=home),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=300,
            check=False,
        )


class Somebody:
    """A server on the usual port, if it is free: it must never be connected to."""

    def __enter__(self):
        self.socket = socket.socket()
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            self.socket.bind(("127.0.0.1", 4273))
            self.socket.listen(1)
            self.socket.setblocking(False)
        except OSError:
            self.socket.close()
            self.socket = None
        return self

    def __exit__(self, *_):
        if self.socket is not None:
            self.socket.close()

    def was_called(self):
        if self.socket is None:
            return False
        try:
            self.socket.accept()[0].close()
            return True
        except BlockingIOError:
            return False


def main(readme, build, icpd, icp):
    lines, programs = tour(section(readme), build)
    commands = [line for line in lines if line.startswith(("icp ", "icpd ", "cc ", "./lead"))]
    if len(commands) < 10:
        print(f"only {len(commands)} commands found in the tour")
        return 1
    at = next(i for i, line in enumerate(lines) if line.startswith("icp learn"))
    spoilt = lines[:at] + ["icp learn --label 'nonsense ='"] + lines[at:]
    if run(spoilt, programs, icpd, icp).returncode == 0:
        print("a tour with a failing command was not refused")
        return 1
    with Somebody() as somebody:
        done = run(lines, programs, icpd, icp)
        print(done.stdout)
        print(f"{len(commands)} commands, exit {done.returncode}")
        if somebody.was_called():
            print("the tour spoke to the icpd on port 4273, which is not its own")
            return 1
    if build != "-" and done.returncode == 0 and len(re.findall(r"^fit \d+, grade [ABCD]$", done.stdout, re.M)) != 3:
        print("not every program of the tour scored the account")
        return 1
    if "slow request" in done.stdout:
        print("warnings of the server cut through the tour")
        return 1
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
