#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs hostile.py for a few seconds against the echo server, then each of its controls, which must
fail: hostile_echo.py PATH_OF_net_echo_server [SECONDS]. The echo knows frames only, so this is the
test of the network layer and of hostile.py itself; the server proper is tried with the same program.
"""
import pathlib
import subprocess
import sys
import tempfile

HOSTILE = pathlib.Path(__file__).with_name("hostile.py")


def run(port, path, *more):
    command = [sys.executable, str(HOSTILE), "--port", str(port), "--socket", path, "--echo", *more]
    print("+", *command[1:], flush=True)
    return subprocess.run(command, check=False).returncode


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 64
    seconds = sys.argv[2] if len(sys.argv) == 3 else "5"
    with tempfile.TemporaryDirectory(prefix="icp_hostile_") as folder:
        path = folder + "/echo.sock"
        server = subprocess.Popen([sys.argv[1], "--workers", "2", "--socket", path],
                                  stdout=subprocess.PIPE, text=True)
        try:
            port = int(server.stdout.readline().split()[1])
            codes = {"(none)": run(port, path, "--seconds", seconds)}
            for control in ("lost", "doubled", "verdict"):
                codes[control] = run(port, path, "--seconds", "1", "--control", control)
        finally:
            server.terminate()
            codes_of_server = server.wait(timeout=60)
    print("exit codes by control:", codes, "server:", codes_of_server)
    wrong = [name for name, code in codes.items() if code != (0 if name == "(none)" else 1)]
    return 1 if wrong or codes_of_server != 0 else 0


if __name__ == "__main__":
    sys.exit(main())
