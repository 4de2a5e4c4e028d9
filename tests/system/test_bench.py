# SPDX-License-Identifier: Apache-2.0
"""icp-bench from the outside: storing records, refusing nonsense, writing a page.

usage: test_bench.py ICPD ICP_BENCH"""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest

ICPD, BENCH = sys.argv[1:3]


def run(*words):
    return subprocess.run((BENCH,) + words, capture_output=True, text=True, timeout=280)


class Bench(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="icpd-bench-")

    def tearDown(self):
        shutil.rmtree(self.folder, ignore_errors=True)

    def test_records_are_stored_by_everybody_and_reported(self):
        done = run("ingest", "--icpd", ICPD, "--folder", self.folder, "--accounts", "2000", "--rounds",
                   "1", "--seconds", "0.2", "--warmup", "0.05", "--server-cpu", "-1", "--load-cpu",
                   "-1", "10", "100")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with open(os.path.join(self.folder, "ingest.json"), encoding="utf-8") as file:
            result = json.load(file)
        measured = [one["name"] for one in result["contenders"] if one["measured"]]
        self.assertIn("icp", measured)
        self.assertEqual(len(result["series"]), 2 * 2 * len(measured))
        for series in result["series"]:
            self.assertEqual([run["errors"] for run in series["runs"]], [0])
            self.assertGreater(series["runs"][0]["records_per_s"], 0)
        # Nobody's files are left behind, and whoever is missing was named.
        self.assertEqual(os.listdir(self.folder), ["ingest.json"])
        if len(measured) < len(result["contenders"]):
            self.assertIn("left out", done.stderr)
        page = os.path.join(self.folder, "page.html")
        self.assertEqual(run("report", os.path.join(self.folder, "ingest.json"), "--html",
                             page).returncode, 0)
        with open(page, encoding="utf-8") as file:
            text = file.read()
        self.assertIn("Storing records", text)
        self.assertNotIn("<script", text)

    def test_a_long_run_and_its_starts_are_reported(self):
        done = run("sustain", "--icpd", ICPD, "--folder", self.folder, "--accounts", "3000",
                   "--seconds", "2", "--score-rate", "200", "--connections", "4", "--no-vectors",
                   "--server-cpu", "-1", "--load-cpu", "-1")
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        with open(os.path.join(self.folder, "sustain.json"), encoding="utf-8") as file:
            result = json.load(file)
        self.assertGreater(result["updates_per_s"], 0)
        rows = {row["text"]: row for row in result["rows"]}
        for text in ("first score after a stop, warm", "first score after kill -9 under load, warm",
                     "bytes written to the disk, of the bytes of the records"):
            self.assertGreater(rows[text]["median"] if "median" in rows[text]
                               else rows[text]["measured"]["median"], 0, rows[text])
        self.assertEqual(os.listdir(self.folder), ["sustain.json"])

    def test_nonsense_is_refused_by_name(self):
        for words, word in ((("run", "no_such_load"), "no_such_load"),
                            (("run", "score_id", "--depth", "many"), "depth"),
                            (("run", "score_id", "--connections", "0"), "connections"),
                            (("run", "score_id", "--replay", "x"), "not both"),
                            (("run",), "workload"),
                            (("run", "--replay", "/nowhere"), "/nowhere"),
                            (("gate", "everything"), "everything"),
                            (("gate", "serving", "--rounds", "0"), "rounds"),
                            (("ingest", "0"), "batches"),
                            (("sustain", "--seconds", "no"), "seconds"),
                            (("echo", "--port", "70000"), "port"),
                            (("nothing",), "nothing")):
            done = run(*words)
            self.assertNotEqual(done.returncode, 0, words)
            self.assertIn(word, done.stderr, words)
            self.assertLess(len(done.stderr.splitlines()), 16, words)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:])
