# SPDX-License-Identifier: Apache-2.0
"""The clients under test, each in a process of its own that does what it is told (driver.py, driver.mjs)."""
import json
import os
import queue
import shutil
import subprocess
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
WAIT_S = 300


class Failed(Exception):
    """The IcpError of a client."""

    def __init__(self, error):
        super().__init__(f"{error['name']}: {error['field']}: {error['message']}")
        self.name, self.field, self.message = error["name"], error["field"], error["message"]
        self.code, self.retryable = error["code"], error["retryable"]


class Driver:
    """kind: blocking, asyncio or node; folder: where the client stands."""

    def __init__(self, kind, folder, uri, **options):
        command = [shutil.which("node"), os.path.join(HERE, "driver.mjs")] if kind == "node" else \
            ["/usr/bin/python3", "-B", "-W", "error::ResourceWarning", os.path.join(HERE, "driver.py")]
        self.process = subprocess.Popen([*command, folder, kind, uri, json.dumps(options)], text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.ms = 0.0
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line)
        self.lines.put(None)

    def begin(self, **command):
        self.process.stdin.write(json.dumps(command) + "\n")
        self.process.stdin.flush()

    def end(self, wait_s=WAIT_S):
        """The answer to begin; queue.Empty if none comes in time."""
        line = self.lines.get(timeout=wait_s)
        assert line is not None, "the client's process ended"
        told = json.loads(line)
        self.ms, found = told["ms"], told["found"]
        assert not (isinstance(found, dict) and "broken" in found), found
        return found

    def ask(self, wait_s=WAIT_S, **command):
        self.begin(**command)
        found = self.end(wait_s)
        if isinstance(found, dict) and set(found) == {"error"}:
            raise Failed(found["error"])
        return found

    def call(self, op, fields=None, timeout_ms=60000):
        return self.ask(call=op, fields=fields or {}, timeout_ms=timeout_ms)

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        return self.process.returncode

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
