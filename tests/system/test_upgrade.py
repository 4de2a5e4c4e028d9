# SPDX-License-Identifier: Apache-2.0
"""A store that a build of disk format 1 wrote (format1/, see make.py) opens, is brought up, and answers as
that build did; so after a restart, and with what is written since. The way there and back is the one of
docs/operating.md, every command of its section, with directories of its own.

The control looks for answers of which one is changed: they must not pass.

usage: test_upgrade.py ICPD OPERATING.md"""
import hashlib
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(1, os.path.join(HERE, "format1"))
from answers import answers  # noqa: E402
from icpd import Server  # noqa: E402

ICPD, PAGE = sys.argv[1:3]
del sys.argv[1:3]
with open(os.path.join(HERE, "format1", "answers.json"), encoding="utf-8") as answered:
    EXPECTED = json.load(answered)


def differs(expected, found, way=""):
    """Where `found` is not what is expected. A later build may say more, never something else."""
    if isinstance(expected, dict) and isinstance(found, dict):
        return [line for key in expected
                for line in differs(expected[key], found.get(key), f"{way}.{key}")]
    if isinstance(expected, list) and isinstance(found, list) and len(expected) == len(found):
        return [line for i, item in enumerate(expected) for line in differs(item, found[i], f"{way}[{i}]")]
    return [] if expected == found else [f"{way}: {expected!r} was {found!r}"]


def commands(title):
    """The shell commands of a section, in order."""
    with open(PAGE, encoding="utf-8") as file:
        text = file.read()
    part = re.search(rf"^## {re.escape(title)}\n(.*?)(?=^## )", text, re.M | re.S).group(1)
    blocks = re.findall(r"^```sh\n(.*?)^```", part, re.M | re.S)
    return [line.strip() for block in blocks for line in block.splitlines()]


def digest(folder):
    with open(os.path.join(folder, "data.mdb"), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


class Upgrade(unittest.TestCase):
    def setUp(self):
        self.server = Server(ICPD)
        self.server.stop()
        shutil.rmtree(self.server.data)
        os.mkdir(self.server.data, 0o700)
        with tarfile.open(os.path.join(HERE, "format1", "store.tar.xz")) as tar:
            tar.extractall(self.server.data)
        os.chmod(self.server.data, 0o700)

    def tearDown(self):
        self.server.close()

    def differences(self, expected=EXPECTED):
        with self.server.client() as client:
            return differs(expected, json.loads(json.dumps(answers(client))))

    def test_it_answers_as_before_and_after_a_restart(self):
        self.server.start()
        self.assertIn("brought up to another format", self.server.log())
        self.assertEqual(self.differences(), [])
        with self.server.client() as client:
            self.assertEqual(client.call("icp-revert", {"reason": "and back"})["icp"], 2)
            self.assertEqual(client.call("icp-revert", {"reason": "again"})["icp"], 1)
            client.call("account-put", {"accounts": [{"id": "new", "values": {"employees": 1}}]})
        self.assertEqual(self.server.stop(), 0)
        self.server.start()
        self.assertEqual(self.differences(), [])
        with self.server.client() as client:
            self.assertEqual(client.call("account-get", {"id": "new"})["values"]["employees"]["value"], 1)
        self.assertEqual(self.server.stop(), 0)
        scrub = subprocess.run([ICPD, "--scrub", "--data", self.server.data], check=False)
        self.assertEqual(scrub.returncode, 0)

    def test_a_changed_answer_is_found(self):
        self.server.start()
        changed = json.loads(json.dumps(EXPECTED))
        changed["score a2"]["raw"] += 1
        self.assertEqual(len(self.differences(changed)), 1)

    def test_the_way_there_and_back_is_the_documented_one(self):
        before = digest(self.server.data)
        ran = 0
        with tempfile.TemporaryDirectory(prefix="icpd-upgrade-") as folder:
            for line in commands("Upgrade and the way back"):
                words = shlex.split(line.split("#")[0])
                if not words:
                    continue
                ran += 1
                if words == ["systemctl", "stop", "icpd"]:
                    self.server.stop()
                elif words == ["systemctl", "start", "icpd"]:
                    self.server.start()
                    self.assertEqual(self.differences(), [])
                elif words[0] == "apt":
                    pass  # the other build; this test has one
                else:
                    words = [os.path.join(folder, word[len("/var/lib/icpd/"):])
                             if word.startswith("/var/lib/icpd/") and word != "/var/lib/icpd/data"
                             else self.server.data if word == "/var/lib/icpd/data" else word
                             for word in words]
                    subprocess.run(words, check=True)
                    if words[0] == "mv" and words[-1] == self.server.data:
                        self.assertEqual(digest(self.server.data), before)
        self.assertGreater(ran, 6)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v"])
