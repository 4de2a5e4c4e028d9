# SPDX-License-Identifier: Apache-2.0
"""Compaction as docs/operating.md says it, to the letter, and what it refuses.

usage: test_compact.py ICPD ICP OPERATING.md"""
import hashlib
import json
import os
import re
import resource
import shlex
import signal
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import icpd  # noqa: E402

ICPD, ICP, PAGE = sys.argv[1:4]
ACCOUNTS = 400
SCHEMA = {"fields": [{"name": "industry", "type": "category", "family": "firmographic"},
                     {"name": "employees", "type": "number", "family": "firmographic"}]}


def commands():
    """The shell commands of the section, in order."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    part = re.search(r"^## Compaction\n(.*?)(?=^## )", text, re.M | re.S).group(1)
    blocks = re.findall(r"^```sh\n(.*?)^```", part, re.M | re.S)
    return [line.strip() for block in blocks for line in block.splitlines()]


def hash_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Compaction(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD, "--backup-path", "BACKUPS", "--fold-bytes", "1M")
        self.server.stop()
        self.backups = os.path.join(self.server.directory, "backups")
        os.mkdir(self.backups)
        self.server.flags = ("--backup-path", self.backups, "--fold-bytes", "1M")
        self.server.start()
        self.tables = os.path.join(self.server.data, "data.mdb")

    def tearDown(self):
        self.server.stop()
        self.server.close()

    def run_line(self, line, limit=None):
        words = shlex.split(line.replace("/var/backups/icpd", self.backups)
                            .replace("/var/lib/icpd", self.server.data))
        words[0] = {"icpd": ICPD, "icp": ICP}[words[0]]
        environment = dict(os.environ, ICP_URI=f"icp://127.0.0.1:{self.server.port}")

        def limited():
            if limit:
                signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
                resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

        return subprocess.run(words, capture_output=True, text=True, timeout=300, env=environment,
                              preexec_fn=limited)

    def fill(self):
        """Rounds that are folded one after the other leave pages that nothing needs any more."""
        with self.server.client() as client:
            client.call("schema-put", {"document": json.dumps(SCHEMA)})
            for number in range(6):
                client.call("account-put", {"accounts": [
                    {"id": f"a{i}", "keys": [f"crm:{i}"],
                     "values": {"industry": f"{number}" * 900, "employees": i}}
                    for i in range(ACCOUNTS)], "operation": f"round-{number}"})
                client.call("account-delete", {"ids": [f"a{i}" for i in range(0, ACCOUNTS, 2)]})

    def contents(self):
        found = []
        with self.server.client() as client:
            for i in range(ACCOUNTS):
                try:
                    found.append(client.call("account-get", {"id": f"a{i}"}))
                except icpd.Refused as refused:
                    found.append(refused.code)
            found.append(client.call("schema-get", {}))
        return found

    def serve(self, data):
        self.server.stop()
        self.server.data = data
        self.server.start()
        return self.contents()

    def test_each_step_of_the_guide(self):
        steps = commands()
        self.fill()
        before = self.contents()
        self.server.stop()
        done = self.run_line(steps.pop(0))
        self.assertEqual(done.returncode, 0, done.stderr)
        had, has = map(int, re.search(r"had (\d+) bytes on disk and has (\d+)", done.stdout).groups())
        self.assertLess(has, had)
        self.assertEqual(self.serve(self.server.data), before)
        with self.server.client() as client:  # operation ids are remembered
            again = client.call("account-put", {"accounts": [
                {"id": f"a{i}", "keys": [f"crm:{i}"],
                 "values": {"industry": "5" * 900, "employees": i}} for i in range(ACCOUNTS)],
                "operation": "round-5"})
            self.assertTrue(again["repeated"])
        for line in steps[:2]:
            done = self.run_line(line)
            self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(steps[2],
                         "icpd --data /var/lib/icpd-packed --backup-path /var/backups/icpd")
        self.assertEqual(self.serve(self.server.data + "-packed"), before)

    def test_what_cannot_be_is_refused(self):
        self.fill()
        before = self.contents()
        compact = commands()[0]
        done = self.run_line(compact)
        self.assertEqual(done.returncode, 69, done.stderr)
        self.assertIn("another process", done.stderr)
        self.assertEqual(self.contents(), before)
        self.server.stop()
        whole = hash_of(self.tables)
        done = self.run_line(compact, limit=64 << 10)
        self.assertEqual(done.returncode, 73, done.stderr)
        self.assertIn("full", done.stderr)
        self.assertEqual(hash_of(self.tables), whole)
        self.assertFalse(os.path.exists(os.path.join(self.server.data, "data.compact")))
        done = self.run_line(compact.replace("/var/lib/icpd", "/var/lib/icpd-none"))
        self.assertEqual(done.returncode, 66, done.stderr)
        self.assertFalse(os.path.exists(self.server.data + "-none"))
        with open(self.tables, "r+b") as file:  # in a stored value, wherever it stands
            for found in re.finditer(b"5" * 900, file.read()):
                file.seek(found.start())
                file.write(b"4")
        damaged = hash_of(self.tables)
        done = self.run_line(compact)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertEqual(hash_of(self.tables), damaged)

    def test_a_compaction_that_is_killed_leaves_the_store(self):
        self.fill()
        before = self.contents()
        for wait in (0, 1, 2, 4, 8, 16):
            self.server.stop()
            process = subprocess.Popen([ICPD, "--data", self.server.data, "--compact"],
                                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                process.wait(timeout=wait / 1000)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            self.assertEqual(self.serve(self.server.data), before)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
