# SPDX-License-Identifier: Apache-2.0
"""A target account list that is damaged is given up while the server runs: usage: test_tal_drop.py icpd icp

By name while the server still knows it, by number after a restart; a sound one is refused; its name is
free, the others stay, who is on a list is sure again, the audit says it, and log, restart, backup and an
export of everything have it so. The control asks for a list that is sound as if it were damaged."""
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from icpd import WAIT_S, Refused, Server  # noqa: E402
from test_operations import fill  # noqa: E402

ICPD, ICP = sys.argv.pop(1), sys.argv.pop(1)


class Drop(unittest.TestCase):
    def setUp(self):
        backups = tempfile.TemporaryDirectory(prefix="icpd-drop-")
        self.addCleanup(backups.cleanup)
        self.backups = backups.name
        self.server = self.make("--backup-path", self.backups)
        with self.server.client() as client:
            fill(client, 400)
            client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
            for name in ("first", "second", "third"):
                client.call("tal-build", {"name": name, "k": 20})
        self.server.stop()  # folds, so that the tables hold them
        self.server.start()

    def make(self, *flags):
        server = Server(ICPD, *flags)
        self.addCleanup(server.close)
        return server

    def icp(self, *arguments, server=None):
        path = (server or self.server).socket_path
        env = {**os.environ, "ICP_URI": f"icp+unix:{path}"}
        return subprocess.run([ICP, *arguments], capture_output=True, text=True, timeout=WAIT_S,
                              check=False, env=env)

    def damage(self, name):
        """Every copy of the document, below the running server."""
        with open(os.path.join(self.server.data, "data.mdb"), "r+b") as file:
            whole = file.read(32 << 20)
            found = [at.start() for at in re.finditer(b'"name":"%s"' % name.encode(), whole)]
            self.assertTrue(found)
            for at in found:
                file.seek(at + 9)
                file.write(b"X")

    def refused(self, op, request):
        with self.server.client() as client, self.assertRaises(Refused) as caught:
            client.call(op, request)
        return caught.exception.code

    def names(self):
        with self.server.client() as client:
            return [one.get("name", one.get("number")) for one in client.call("tal-list")["tals"]]

    def restart(self, how=signal.SIGKILL):
        self.server.stop(how)
        self.server.start()

    def sound(self):
        self.server.stop()
        done = subprocess.run([ICPD, "--data", self.server.data, "--scrub"], capture_output=True,
                              text=True, timeout=WAIT_S, check=False)
        self.assertEqual((done.returncode, done.stdout), (0, "0 faults found\n"))
        self.server.start()

    def test_by_name_while_the_server_knows_it(self):
        self.damage("second")
        self.assertEqual(self.refused("tal-get", {"name": "second"}), "corrupt")
        self.assertEqual(self.icp("tal", "drop", "second").returncode, 64)
        self.assertEqual(self.icp("tal", "drop", "--damaged").returncode, 64)
        self.assertEqual(self.icp("tal", "drop", "second", "--number", "2", "--damaged").returncode, 64)
        self.assertEqual(self.names(), ["first", "second", "third"])
        done = self.icp("tal", "drop", "second", "--damaged", "--reason", "no backup has it")
        self.assertEqual((done.returncode, done.stdout),
                         (0, "list number 2 is given up; its name is free\n"), done.stderr)
        for _ in range(2):
            self.assertEqual(self.names(), ["first", "third"])
            self.assertEqual(self.refused("tal-get", {"name": "second"}), "not-found")
            self.restart()
        with self.server.client() as client:
            entry = client.call("audit", {"limit": 1})["entries"][0]
            self.assertEqual(entry["did"], "list given up 1")
            self.assertRegex(entry["reason"], "^list 2: .*; no backup has it$")
            self.assertTrue(entry["by"])
            client.call("tal-build", {"name": "second", "k": 10})
            self.assertEqual(len(client.call("tal-get", {"name": "second"})["entries"]), 10)
        self.assertEqual(self.names(), ["first", "third", "second"])
        self.sound()

    def test_by_number_after_a_restart(self):
        with self.server.client() as client:
            entries = client.call("tal-get", {"name": "third"})["entries"]
            member = entries[0]["id"]
        self.damage("second")
        self.restart()
        self.assertEqual(self.names(), ["first", 2, "third"])
        self.assertEqual(self.refused("tal-build", {"name": "fourth", "k": 5}), "corrupt")
        with self.server.client() as client:
            outside = client.call("filter", {"filter": "not on tal 'first'", "limit": 400})["ids"]
            outside = next(name for name in outside if name != member)
            self.assertIs(client.call("score", {"id": outside})["tal_unsure"], True)
        self.assertIn("tal drop --number 2 --damaged", self.icp("tal", "list").stderr)
        request = {"number": 2, "operation": "give up once"}
        with self.server.client() as client:
            done = client.call("tal-drop", request)
            self.assertEqual(client.call("tal-drop", request), {**done, "repeated": True})
            self.assertEqual(client.call("count", {"filter": "on tal 'third'"})["count"], 20)
            self.assertIs(client.call("score", {"id": member})["tal"], True)
            self.assertNotIn("tal_unsure", client.call("score", {"id": outside}))
        self.assertEqual(self.refused("tal-drop", {"number": 2}), "not-found")
        self.restart()
        with self.server.client() as client:
            self.assertEqual(client.call("tal-drop", request)["repeated"], True)
            self.assertEqual(client.call("tal-get", {"name": "third"})["entries"], entries)
            client.call("tal-build", {"name": "fourth", "k": 5})
            client.call("backup", {"name": "whole"})
        self.assertEqual(self.names(), ["first", "third", "fourth"])
        self.exported()
        self.sound()

    def exported(self):
        """Everything, into another server and out again: the same to the byte."""
        paths = [os.path.join(self.backups, name) for name in ("a.ndjson", "b.ndjson")]
        other = self.make()
        for server, path in ((self.server, paths[0]), (other, paths[1])):
            if server is other:
                done = self.icp("import", "--everything", paths[0], server=other)
                self.assertEqual(done.returncode, 0, done.stderr)
            done = self.icp("export", "--everything", path, server=server)
            self.assertEqual(done.returncode, 0, done.stderr)
        texts = []
        for path in paths:
            with open(path, encoding="utf-8") as file:
                texts.append(file.read())
        self.assertEqual(texts[0], texts[1])
        lists = [json.loads(line) for line in texts[0].splitlines() if line.startswith('{"list"')]
        self.assertEqual([(one["list"], one["text"] == "", one["ids"] == []) for one in lists],
                         [(1, False, False), (2, True, True), (3, False, False), (4, False, False)])

    def test_a_sound_list_is_never_given_up(self):
        done = self.icp("tal", "drop", "first", "--damaged")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("is sound", done.stderr)
        self.assertEqual(self.refused("tal-drop", {"number": 1}), "conflict")
        self.assertEqual(self.refused("tal-drop", {"number": 4}), "not-found")
        self.assertEqual(self.refused("tal-drop", {"name": "nobody"}), "not-found")
        self.assertEqual(self.refused("tal-drop", {}), "bad-field")
        self.assertEqual(self.refused("tal-drop", {"name": "first", "number": 1}), "bad-field")
        self.assertEqual(self.names(), ["first", "second", "third"])


if __name__ == "__main__":
    unittest.main()
