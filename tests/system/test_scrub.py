# SPDX-License-Identifier: Apache-2.0
"""A scrub of a running server: usage: test_scrub.py icpd icp

It finds nothing in a sound store while writes go on, and in a damaged one each thing that was damaged
(pages of the tables, the log), going on behind it; it keeps to its rate, is listed, tells its progress,
and ends when it is cancelled. The control looks for faults without any."""
import json
import os
import random
import subprocess
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from icpd import WAIT_S, Refused, Server  # noqa: E402
from test_operations import fill  # noqa: E402

ICPD, ICP = sys.argv.pop(1), sys.argv.pop(1)
PAGE = 4096


class Scrub(unittest.TestCase):
    def setUp(self):
        self.server = Server(ICPD, "--fold-bytes", "1M", "--overlay-bytes-max", "64M")
        self.addCleanup(self.server.close)
        with self.server.client() as client:
            fill(client, 3000)
            client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})

    def icp(self, *arguments):
        env = {**os.environ, "ICP_URI": f"icp+unix:{self.server.socket_path}"}
        return subprocess.run([ICP, *arguments], capture_output=True, text=True, timeout=WAIT_S,
                              check=False, env=env)

    def test_nothing_is_found_while_writes_go_on(self):
        with self.server.client() as client, self.server.client() as writer:
            sent = client.send("scrub", {"bytes_per_second": 1500000, "progress": True})
            frames, puts = [], 0
            client.socket.settimeout(0.05)
            while True:
                accounts = [{"id": f"new {puts} {i}", "values": {"employees": i, "industry": "Steel" * 50}}
                            for i in range(20)]
                writer.call("account-put", {"accounts": accounts})
                puts += 1
                try:
                    client.socket.recv(1, 2)  # MSG_PEEK: something has come
                except TimeoutError:
                    continue
                client.socket.settimeout(WAIT_S)
                request_id, status, flags, payload = client.receive()
                client.socket.settimeout(0.05)
                self.assertEqual((request_id, status), (sent, 0), payload)
                frames.append(payload)
                if not flags & 4:
                    break
            self.assertEqual((frames[-1]["faults"], frames[-1]["told"]), (0, []))
            self.assertGreater(len(frames), 1)
            self.assertEqual(sorted(f["done"] for f in frames[:-1]), [f["done"] for f in frames[:-1]])
            self.assertGreater(puts, 3)

    @staticmethod
    def scrubs(client):
        jobs = [job for job in client.call("job-list")["jobs"] if job["op"] == "scrub"]
        return sorted(jobs, key=lambda job: job["job"])

    def test_it_is_listed_and_cancelled_keeps_its_rate_and_nobody_waits_for_it(self):
        with self.server.client() as client, self.server.client() as other:
            for _ in range(4):
                client.send("scrub", {"bytes_per_second": 1000000})
            until = time.monotonic() + WAIT_S
            while len(jobs := self.scrubs(other)) < 4 or jobs[0]["state"] == "queued":
                self.assertLess(time.monotonic(), until)
            self.assertEqual(jobs[3]["state"], "queued")
            self.assertEqual(other.call("everything-export")["accounts"], 3000)  # a job, too
            self.assertIn(self.scrubs(other)[3]["state"], ("queued", "running"))
            for job in reversed(jobs):
                try:
                    other.call("job-cancel", {"job": job["job"]})
                except Refused as refused:  # on a slow machine the first may have ended
                    self.assertEqual((refused.code, job != jobs[3]), ("not-found", True))
            ended = [client.receive() for _ in jobs]
            self.assertEqual(ended[3][3]["error"], "cancelled", ended)
            self.assertEqual(self.scrubs(other)[3]["state"], "cancelled")
        self.refused_rate(999999)

    def refused_rate(self, rate):
        with self.server.client() as client, self.assertRaises(Refused) as caught:
            client.call("scrub", {"bytes_per_second": rate})
        self.assertEqual(caught.exception.field, "bytes_per_second")

    def test_what_is_damaged_is_found_and_the_rest_is_read(self):
        done = self.icp("scrub")
        self.assertEqual((done.returncode, done.stdout), (0, "0 faults found\n"), done.stderr)
        self.server.stop()  # folds, so that the tables hold all
        path = os.path.join(self.server.data, "data.mdb")
        draw = random.Random(7)
        self.server.start()
        with open(path, "r+b") as file:
            pages = os.path.getsize(path) // PAGE
            # One byte in the middle of some pages, behind the metas: values, or pages that are free.
            for page in draw.sample(range(4, pages), (pages - 4) // 8):
                file.seek(page * PAGE + 2048)
                byte = file.read(1)
                file.seek(page * PAGE + 2048)
                file.write(bytes([byte[0] ^ 1]))
        log = os.path.join(self.server.data, "log")
        segment = sorted(name for name in os.listdir(log) if name.endswith(".seg"))[0]
        with open(os.path.join(log, segment), "r+b") as file:
            file.seek(PAGE + 100)
            byte = file.read(1)
            file.seek(PAGE + 100)
            file.write(bytes([byte[0] ^ 1]))
        done = self.icp("scrub", "--rate", "1000", "--json")
        found = json.loads(done.stdout)
        self.assertEqual(done.returncode, 65, done.stderr)
        self.assertGreater(found["faults"], 3)
        text = "\n".join(found["told"])
        self.assertIn("of the log", text)
        self.assertRegex(text, "account|row|id")
        self.assertLessEqual(len(found["told"]), min(100, found["faults"]))
        self.assertEqual(len(found["told"]), len(set(found["told"])))
        with self.server.client() as client:  # it goes on serving what is sound
            client.call("ping")
            taken = 0
            for number in range(40):  # one in eight of them belongs where a page is damaged
                try:
                    client.call("account-put", {"accounts": [{"id": f"after {number}"}]})
                    taken += 1
                except Refused as refused:
                    self.assertEqual(refused.code, "corrupt")
            self.assertGreater(taken, 10)
            self.assertGreater(client.call("stats")["metrics"]["store"]["corrupt_found"], 3)
        done = self.icp("scrub")
        self.assertEqual(done.returncode, 65)
        self.assertRegex(done.stdout, r"(?s)bad: .*\d+ faults found\n$")


if __name__ == "__main__":
    unittest.main()
