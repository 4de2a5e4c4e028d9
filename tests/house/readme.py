#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The tour of the README works as printed, and so does the one with a file of one's own: readme.py
README.md BUILD ICPD ICP.

Runs the lines of its blocks in one shell that stops at the first failure, with a home of its own, and
with a leads.csv such as people have.
What differs: what builds is left out (BUILD stands for build/demo, and the tour's PATH); BUILD may be
"-" where no library can be installed from it (sanitizers), then the programs are left out. Before it
the control: the same tour with a command that fails must fail. And an icpd of somebody else, who is
listening on the usual port, must come out of it as it was."""

import os
import random
import re
import socket
import subprocess
import sys
import tempfile

PROGRAMS = ("cmake ", "export PKG_CONFIG_PATH", "cc ", "./lead", "/usr/bin/python3", "PYTHONPATH", "npm ", "NODE_PATH")
BUILDS = ("./tools/setup", "cmake --preset", "export PATH")


def section(readme):
    with open(readme, encoding="utf-8") as file:
        text = file.read()
    parts = [text.split(f"\n## {name}\n", 1)[1].split("\n## ", 1)[0] for name in ("Five minutes", "A file of your own")]
    return "\n".join(parts)


def leads_write(path):
    """As a company has them: its own names of columns, gaps, commas in cells, what was noted afterwards."""
    draw = random.Random(11)
    with open(path, "w", encoding="utf-8") as file:
        file.write('Prospect ID,Company,Employees,Lead Source,Tags,Lead Quality,Converted\n')
        for i in range(4000):
            size, source = draw.randrange(1, 900), draw.choice(("Web", "Referral", "Fair", "Call"))
            won = draw.random() < 0.08 + 0.4 * (size > 300) + 0.25 * (source == "Referral")
            file.write(f'P-{i:05},"Firm {i}, Ltd.",{size if draw.random() < 0.9 else ""},{source},'
                       f'{"Closed" if won else draw.choice(("", "Ringing"))},{"High" if won else "Low"},{int(won)}\n')


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
        lines += [line for line in rest if not line.startswith(PROGRAMS)]
    return lines, programs


def run(lines, programs, icpd, icp):
    with tempfile.TemporaryDirectory(prefix="icpd-readme-") as home:
        for name, program in programs.items():
            with open(os.path.join(home, name), "w", encoding="utf-8") as file:
                file.write(program)
        leads_write(os.path.join(home, "leads.csv"))
        path = f"{os.path.dirname(icpd)}:{os.path.dirname(icp)}:{os.environ['PATH']}"
        # The jobs of the tour are ended whatever happens, and waited for.
        script = ["set -euo pipefail", "trap 'kill $(jobs -p) 2>/dev/null || true; wait' EXIT", *lines]
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
    if build != "-" and done.returncode == 0 and len(re.findall(r"^fit \d+, grade [ABCD]$", done.stdout, re.M)) != 6:
        print("not every program of the tours scored the account")
        return 1
    if "slow request" in done.stdout:
        print("warnings of the server cut through the tour")
        return 1
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:5]))
