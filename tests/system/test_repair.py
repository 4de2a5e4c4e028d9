# SPDX-License-Identifier: Apache-2.0
"""A page of the tables is damaged: what a running server answers then, what the scrub says, and the
repair as docs/operating.md says it.

usage: test_repair.py ICPD"""
import hashlib
import json
import os
import re
import struct
import subprocess
import sys
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import icpd  # noqa: E402

ICPD = sys.argv[1]
ACCOUNTS = 300
PAGE = 4096
MARK = "a word that is stored"
SCHEMA = {"fields": [{"name": "industry", "type": "category", "family": "firmographic"},
                     {"name": "employees", "type": "number", "family": "firmographic"}]}


def files_hash(directory):
    found = {}
    for folder, _, names in os.walk(directory):
        for name in names:
            if name.endswith((".lock", "lock.mdb")):
                continue
            path = os.path.join(folder, name)
            with open(path, "rb") as file:
                found[os.path.relpath(path, directory)] = hashlib.sha256(file.read()).hexdigest()
    return found


class Repair(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD)
        with self.server.client() as client:
            client.call("schema-put", {"document": json.dumps(SCHEMA)})
            self.put(client, range(ACCOUNTS))
        self.server.stop()

    def tearDown(self):
        self.server.stop()
        self.server.close()

    def put(self, client, numbers):
        client.call("account-put", {"accounts": [
            {"id": f"a{i}", "keys": [f"crm:{i}"], "values": {"industry": MARK, "employees": i}}
            for i in numbers]})

    def answers(self):
        """Number of each account, or the code that refuses it."""
        found = {}
        with self.server.client() as client:
            for i in range(ACCOUNTS):
                try:
                    values = client.call("account-get", {"id": f"a{i}"})["values"]
                    found[i] = next(v["value"] for v in values if v["name"] == "employees") \
                        if isinstance(values, list) else values["employees"]["value"]
                except icpd.Refused as refused:
                    found[i] = refused.code
        return found

    def damage_leaf(self):
        """The kind of one leaf page with accounts, in the middle of those that hold some."""
        path = os.path.join(self.server.data, "data.mdb")
        with open(path, "r+b") as file:
            bytes_ = file.read(16 << 20)
            pages = sorted({at.start() // PAGE for at in re.finditer(MARK.encode(), bytes_)})
            leaves = [page for page in pages
                      if struct.unpack_from("<QHH", bytes_, page * PAGE)[::2] == (page, 2)]
            page = leaves[len(leaves) // 2]
            file.seek(page * PAGE + 10)
            file.write(b"\x03")
        return page

    def icpd(self, *flags):
        return subprocess.run([ICPD, "--data", self.server.data, *flags], capture_output=True,
                              text=True, timeout=300)

    def test_damage_is_told_and_repaired(self):
        self.server.start()
        before = self.answers()
        self.server.stop()
        self.assertEqual(self.icpd("--scrub").returncode, 0)
        done = self.icpd("--repair", "--yes")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("nothing to repair", done.stdout)
        page = self.damage_leaf()

        self.server.start()
        beside = self.answers()
        lost = [i for i in beside if beside[i] != before[i]]
        self.assertTrue(0 < len(lost) < ACCOUNTS / 2, lost)
        self.assertEqual({beside[i] for i in lost}, {"corrupt"})
        sound = [i for i in range(ACCOUNTS) if i not in lost]
        with self.server.client() as client:  # writes go on, new accounts too
            self.put(client, sound)
            client.call("account-put", {"accounts": [{"id": "new", "values": {"employees": 7}}]})
        self.server.stop()

        done = self.icpd("--scrub")
        self.assertEqual(done.returncode, 65)
        self.assertIn(f"page {page} of table account is damaged", done.stdout)
        whole = files_hash(self.server.data)
        done = self.icpd("--repair")
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertIn(f"{len(lost)} would be given up", done.stdout)
        self.assertIn("nothing was changed", done.stdout)
        self.assertEqual(files_hash(self.server.data), whole)

        done = self.icpd("--repair", "--yes")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        rejects = [name for name in os.listdir(self.server.data) if name.startswith("rejects-")]
        with open(os.path.join(self.server.data, rejects[0]), encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        self.assertEqual([line["what"] for line in lines], ["account"] * len(lost))
        self.assertTrue(os.path.exists(os.path.join(self.server.data, "data.damaged")))
        self.assertEqual(self.icpd("--scrub").stdout, "0 faults found\n")

        self.server.start()
        after = self.answers()
        self.assertEqual({i: after[i] for i in sound}, {i: before[i] for i in sound})
        self.assertEqual({after[i] for i in lost}, {"not-found"})
        with self.server.client() as client:
            self.assertTrue(client.call("account-get", {"id": "new"}))
            self.put(client, lost)
        self.assertEqual(self.answers(), before)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
