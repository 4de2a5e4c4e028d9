# SPDX-License-Identifier: Apache-2.0
"""A capture of real requests: recorded by the server, unreadable in the file, played back.

usage: test_capture.py ICPD ICP ICP_BENCH"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import icpd  # noqa: E402

ICPD, ICP, BENCH = sys.argv[1:4]
ACCOUNTS = 2000
SECRETS = [b"acct-00000042", b"acct00000042.example", b"Top Secret Inc", b"ann.lee", b"1234567.25"]


def run(*words, good=True):
    done = subprocess.run(words, capture_output=True, text=True, timeout=300)
    if good and done.returncode != 0:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class Capture(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.mkdtemp(prefix="icpd-capture-")
        cls.server = icpd.Server(ICPD)
        cls.uri = f"icp://127.0.0.1:{cls.server.port}"
        run(BENCH, "fill", "--uri", cls.uri, "--accounts", str(ACCOUNTS), "--quiet")

    @classmethod
    def tearDownClass(cls):
        cls.server.stop()
        cls.server.close()
        shutil.rmtree(cls.folder, ignore_errors=True)

    def icp(self, *words, good=True):
        return run(ICP, *words, "--uri", self.uri, good=good)

    def bench(self, *words, good=True):
        return run(BENCH, "run", "--port", str(self.server.port), "--accounts", str(ACCOUNTS), *words,
                   good=good)

    def capture(self, name):
        """Records some requests of every kind; returns the file."""
        self.icp("capture", "start", name)
        with self.server.client() as client:
            for i in range(40):
                client.call("score", {"id": "acct-00000042"})
                client.call("score", {"email": f"ann.lee@acct{i:08d}.example", "reasons": 3})
            client.call("score", {"email": "x@nobody.example", "values": {"Top Secret Inc": 1234567.25}})
            client.call("score-many", {"ids": [f"acct-{i:08d}" for i in range(50)]})
            client.call("account-patch", {"accounts": [
                {"id": "acct-00000042", "values": {"won": True}}]})
            client.call("count", {"filter": "won"})
            time.sleep(0.3)
            client.call("account-get", {"key": "domain:acct00000042.example"})
        told = json.loads(self.icp("capture", "stop", "--json").stdout)
        self.assertEqual(told["lost"], 0)
        # Hello of the client is not sent here; count's filter cannot be masked. The stop itself, and
        # what the command line said before it, may be there too.
        self.assertGreaterEqual(told["records"], 85)
        self.assertGreaterEqual(told["left_out"], 1)
        return told

    def test_what_is_recorded_cannot_be_read_and_can_be_played(self):
        told = self.capture("main")
        with open(told["file"], "rb") as file:
            content = file.read()
        for secret in SECRETS:
            self.assertNotIn(secret, content)
        self.assertIn(b"values", content)  # control: names of fields stay, so the search is sound
        result = os.path.join(self.folder, "replay.json")
        done = self.bench("--replay", told["file"], "--json", result)
        self.assertIn("left out", done.stdout)
        with open(result, encoding="utf-8") as file:
            played = json.load(file)["series"][0]["runs"][0]
        self.assertEqual(played["errors"], 0, done.stdout)
        self.assertEqual(played["unanswered"], 0)
        self.assertGreaterEqual(played["completed"], 80)
        self.assertGreater(played["seconds"], 0.3)

    def test_a_replay_can_be_faster_and_may_leave_writes_out(self):
        told = self.capture("fast")
        before = self.stats("server", "accounts_written")
        slow = time.monotonic()
        self.bench("--replay", told["file"], "--no-writes")
        slow = time.monotonic() - slow
        self.assertEqual(self.stats("server", "accounts_written"), before)
        done = self.bench("--replay", told["file"], "--speed", "10")
        self.assertIn("10 times", done.stdout)
        self.assertEqual(self.stats("server", "accounts_written"), before + 1)

    def stats(self, *path):
        with self.server.client() as client:
            found = client.call("stats")["metrics"]
        for key in path:
            found = found[key]
        return found

    def test_a_damaged_file_is_refused_with_a_word(self):
        told = self.capture("damaged")
        with open(told["file"], "rb") as file:
            content = bytearray(file.read())
        path = os.path.join(self.folder, "damaged.icpcap")
        for damaged, word in ((content[:-10], "cut off"), (content[:100], "cut off"),
                              (b"PK" + content[2:], "no capture"),
                              (content[:200] + bytes([content[200] ^ 1]) + content[201:], "checksum")):
            with open(path, "wb") as file:
                file.write(damaged)
            done = self.bench("--replay", path, good=False)
            self.assertNotEqual(done.returncode, 0)
            self.assertIn(word, done.stderr)

    def test_one_at_a_time_and_bounded_names(self):
        self.icp("capture", "start", "one", "--seconds", "30")
        self.assertNotEqual(self.icp("capture", "start", "two", good=False).returncode, 0)
        self.assertIn("recording", self.icp("capture", "state").stdout)
        self.icp("capture", "stop")
        self.assertIn("ended", self.icp("capture", "state").stdout)
        self.assertNotEqual(self.icp("capture", "stop", good=False).returncode, 0)
        for name in ("one", "../up", "x" * 65):
            self.assertNotEqual(self.icp("capture", "start", name, good=False).returncode, 0, name)

    def test_stages_are_told(self):
        for _ in range(40):  # on a busy machine few turns are not interrupted
            self.bench("score_id", "--seconds", "0.5", "--warmup", "0.1", "--connections", "4")
            if self.stats("stage_frames", "count") > 0:
                break
        told = self.stats()  # once: the turn that answers may be one that is timed
        for stage in ("read", "split", "serve", "write"):
            self.assertGreater(told[f"stage_{stage}_ns"]["sum"], 0)
        self.assertEqual(told["stage_frames"]["count"], told["stage_serve_ns"]["count"])


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:])
