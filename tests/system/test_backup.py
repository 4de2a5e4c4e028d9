# SPDX-License-Identifier: Apache-2.0
"""Backup and restore as docs/operating.md says them, to the letter: every command of its section is run,
with directories of its own in the place of those named there.

usage: test_backup.py ICPD ICP OPERATING.md"""
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import icpd  # noqa: E402

ICPD, ICP, PAGE = sys.argv[1:4]
SCHEMA = {"fields": [{"name": "industry", "type": "category", "family": "firmographic"},
                     {"name": "employees", "type": "number", "family": "firmographic"}]}


def section(title):
    """The shell commands of a section, in order."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    part = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## )", text, re.M | re.S).group(1)
    blocks = re.findall(r"^```sh\n(.*?)^```", part, re.M | re.S)
    return [line.split("#")[0].strip() for block in blocks for line in block.splitlines()]


class Backup(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD, "--backup-path", "BACKUPS")
        self.server.stop()
        self.backups = os.path.join(self.server.directory, "backups")
        os.mkdir(self.backups)
        self.server.flags = ["--backup-path", self.backups]
        self.server.start()

    def tearDown(self):
        self.server.stop()
        self.server.close()

    def run_line(self, line, good=True):
        words = shlex.split(line.replace("/var/backups/icpd", self.backups)
                            .replace("/var/lib/icpd", self.server.data))
        words[0] = {"icpd": ICPD, "icp": ICP}[words[0]]
        environment = dict(os.environ, ICP_URI=f"icp://127.0.0.1:{self.server.port}")
        done = subprocess.run(words, capture_output=True, text=True, timeout=300, env=environment)
        if good:
            self.assertEqual(done.returncode, 0, f"{line}\n{done.stdout}\n{done.stderr}")
        return done

    def fill(self, client, first, count, industry="Steel"):
        client.call("account-put", {"accounts": [
            {"id": f"a{i}", "keys": [f"crm:{i}"], "values": {"industry": industry, "employees": i}}
            for i in range(first, first + count)]})

    def contents(self, client, count):
        found = []
        for i in range(count):
            try:
                found.append(client.call("account-get", {"id": f"a{i}"}))
            except icpd.Refused as refused:
                found.append(refused.code)
        return found, client.call("schema-get", {})["document"]

    def serve_restored(self, data):
        """What a server on the restored store says."""
        self.server.stop()
        self.server.data = data
        self.server.start()
        with self.server.client() as client:
            return self.contents(client, 120)

    def test_each_step_of_the_guide(self):
        steps = section("Backup and restore")
        self.assertEqual(steps.pop(0), "icpd --data /var/lib/icpd --backup-path /var/backups/icpd")
        with self.server.client() as client:
            client.call("schema-put", {"document": json.dumps(SCHEMA)})
            self.fill(client, 0, 100)
            self.assertIn("base-", self.run_line(steps.pop(0)).stdout)
            # What comes later is in the second backup: changed, new and removed accounts.
            self.fill(client, 50, 60, "Retail")
            client.call("account-delete", {"ids": ["a7"]})
            before = self.contents(client, 120)
        done = self.run_line(steps.pop(0))
        self.assertIn("base-", done.stdout)
        self.assertEqual(len(os.listdir(os.path.join(self.backups, "nightly"))), 3)  # base, log, base
        self.run_line(steps.pop(0))
        self.run_line(steps.pop(0))
        restored = self.serve_restored(self.server.data + "-restored")
        self.assertEqual(restored, before)
        shutil.rmtree(self.server.data)
        self.server.data = self.server.data[:-len("-restored")]
        self.run_line(steps.pop(0))
        self.assertEqual(self.serve_restored(self.server.data + "-before"), before)
        self.assertEqual(steps, [])

    def test_an_earlier_moment_by_sequence(self):
        with self.server.client() as client:
            client.call("schema-put", {"document": json.dumps(SCHEMA)})
            self.run_line("icp backup")
            self.fill(client, 0, 10)
            middle = self.contents(client, 120)
            seq = client.call("account-delete", {"ids": ["a3"]})["seq"]
            self.run_line("icp backup")
        self.run_line(f"icpd --data /var/lib/icpd-middle --restore /var/backups/icpd --until {seq - 1}")
        self.assertEqual(self.serve_restored(self.server.data + "-middle"), middle)

    def test_what_cannot_be_is_refused(self):
        with self.server.client() as client:
            for name in ["../up", ".hidden", "a/b", "", "x" * 101, "-rf"]:
                with self.assertRaises(icpd.Refused) as refused:
                    client.call("backup", {"name": name})
                self.assertEqual((refused.exception.code, refused.exception.field),
                                 ("bad-field", "name"), name)
        self.assertEqual(os.listdir(self.backups), [])
        with self.server.client() as client:
            client.call("schema-put", {"document": json.dumps(SCHEMA)})
        self.run_line("icp backup")
        self.assertEqual(self.run_line("icpd --data /var/lib/icpd --restore /var/backups/icpd",
                                       good=False).returncode, 73)  # a store is there
        for until, code in [("nonsense", 64), ("99999", 66), ("2001-01-01T00:00:00Z", 66)]:
            done = self.run_line(f"icpd --data /var/lib/icpd-x --restore /var/backups/icpd --until {until}",
                                 good=False)
            self.assertEqual(done.returncode, code, done.stderr)
        self.assertEqual(self.run_line("icpd --verify-backup /var/backups/icpd-none",
                                       good=False).returncode, 66)
        self.server.stop()
        self.server.flags = []
        self.server.start()
        with self.server.client() as client:
            with self.assertRaises(icpd.Refused) as refused:
                client.call("backup", {})
            self.assertEqual(refused.exception.code, "bad-config")

    def test_an_operation_is_applied_once_across_a_restore(self):
        """One of them lies in the base, one in the log behind it, one came after the backup."""
        document = json.dumps({"fields": [*SCHEMA["fields"], {"name": "x", "type": "number",
                                                             "family": "firmographic"}]})
        writes = [("schema-put", {"document": json.dumps(SCHEMA), "operation": "in the base"}),
                  ("schema-put", {"document": document, "operation": "in the log"}),
                  ("account-put", {"accounts": [{"id": "a1", "values": {"employees": 1}}],
                                   "operation": "afterwards"})]
        with self.server.client() as client:
            replies = []
            for op, request in writes:
                replies.append(client.call(op, request))
                if op == "schema-put":
                    self.run_line("icp backup")
        self.run_line("icpd --data /var/lib/icpd-again --restore /var/backups/icpd")
        self.serve_restored(self.server.data + "-again")
        for _ in range(2):
            with self.server.client() as client:
                for (op, request), reply in zip(writes[:2], replies):
                    self.assertEqual(client.call(op, request), {**reply, "repeated": True})
                with self.assertRaises(icpd.Refused) as refused:  # the id, but another request
                    client.call("schema-put", {**writes[0][1], "operation": "in the log"})
                self.assertEqual(refused.exception.code, "conflict")
                self.assertEqual(len(json.loads(client.call("schema-get", {})["document"])["fields"]), 3)
            self.server.stop(9)
            self.server.start()
        with self.server.client() as client:  # what no backup has is applied, then once
            self.assertNotIn("repeated", client.call(*writes[2]))
            self.assertIs(client.call(*writes[2])["repeated"], True)

    def test_a_file_that_is_gone_or_damaged_is_not_passed_over(self):
        with self.server.client() as client:
            client.call("schema-put", {"document": json.dumps(SCHEMA)})
            self.run_line("icp backup")
            ends = []
            for i in range(3):
                self.fill(client, 0, 10 + i)
                self.run_line("icp backup")
                ends.append(self.contents(client, 120))
        names = sorted(name for name in os.listdir(self.backups) if name.startswith("log-"))
        self.assertEqual(len(names), 3)
        last = os.path.join(self.backups, names[2])
        with open(last, "r+b") as file:  # its head alone
            file.seek(20)
            file.write(b"\xff")
        line = "icpd --data /var/lib/icpd-x --restore /var/backups/icpd"
        done = self.run_line(line, good=False)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertIn(f"{names[2]} is damaged", done.stderr)
        until = re.search(r"with --until (\d+)$", done.stderr.strip()).group(1)
        os.unlink(os.path.join(self.backups, names[1]))
        done = self.run_line(line, good=False)
        self.assertEqual(done.returncode, 65, done.stderr)
        done = self.run_line(line + f" --until {until}", good=False)  # beyond what is left
        self.assertNotEqual(done.returncode, 0)
        until = re.search(r"end with batch (\d+)", done.stderr).group(1)
        self.run_line(line + f" --until {until}")
        self.assertEqual(self.serve_restored(self.server.data + "-x"), ends[0])

    def test_a_damaged_file_is_found(self):
        self.run_line("icp backup")
        name = os.path.join(self.backups, os.listdir(self.backups)[0])
        with open(name, "r+b") as file:
            file.seek(100)
            byte = file.read(1)
            file.seek(100)
            file.write(bytes([byte[0] ^ 8]))
        done = self.run_line("icpd --verify-backup /var/backups/icpd", good=False)
        self.assertEqual(done.returncode, 65, done.stdout)
        self.assertIn("bad: base-", done.stdout)
        self.assertEqual(self.run_line("icpd --data /var/lib/icpd-x --restore /var/backups/icpd",
                                       good=False).returncode, 65)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
