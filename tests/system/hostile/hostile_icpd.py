#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Valid and hostile clients together against an icpd that has accounts and an active ICP: every valid request is
answered once, the server says nothing of a sanitizer and ends with 0. usage: hostile_icpd.py path/to/icpd [SECONDS]

SECONDS is 10 unless ICP_HOSTILE_SECONDS says otherwise; CI runs 60 under ASan and UBSan. The control, a hostile.py that
claims a lost reply, must fail."""
import os
import pathlib
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))
from icpd import Server
from test_operations import fill

HOSTILE = HERE / "hostile.py"


def resident_kb(pid):
    with open(f"/proc/{pid}/status") as file:
        return {line.split(":")[0]: int(line.split()[1]) for line in file
                if line.startswith(("VmRSS", "VmHWM"))}


def main():
    if len(sys.argv) not in (2, 3):
        print(__doc__, file=sys.stderr)
        return 64
    seconds = sys.argv[2] if len(sys.argv) == 3 else os.environ.get("ICP_HOSTILE_SECONDS", "10")
    server = Server(sys.argv[1], "--workers", "2")
    try:
        with server.client() as client:
            fill(client)
            client.call("icp-learn", {"label": "won = 1", "activate": True})
        before = resident_kb(server.process.pid)
        command = [sys.executable, str(HOSTILE), "--host", "127.0.0.1", "--port", str(server.port),
                   "--socket", server.socket_path, "--connections", "50"]
        mixed = subprocess.run([*command, "--seconds", seconds], check=False).returncode
        control = subprocess.run([*command, "--seconds", "1", "--control", "lost"],
                                 check=False).returncode
        after = resident_kb(server.process.pid)
        with server.client() as client:
            client.call("ping")
        code = server.stop()
        log = server.log()
    finally:
        server.close()
    print("resident kB before:", before, "after:", after)
    print("hostile:", mixed, "control:", control, "server:", code)
    for sign in ("ERROR: ", "runtime error", "WARNING: ThreadSanitizer"):
        if sign in log:
            print(log[-20000:])
            return 1
    return 0 if (mixed, control, code) == (0, 1, 0) else 1


if __name__ == "__main__":
    sys.exit(main())
