# SPDX-License-Identifier: Apache-2.0
"""A model that XGBoost trained, imported with the command line and served: every score and every
contribution beside what XGBoost said of the row (tests/unit/foreign/models), for stored accounts and
for leads, and what else is asked of a version.
usage: test_foreign.py path/to/icpd path/to/icp path/to/tests/unit/foreign/models"""
import json
import math
import os
import subprocess
import sys
import tempfile
import unittest

from icpd import Server

MODELS = sys.argv.pop(3) if __name__ == "__main__" and len(sys.argv) > 3 else "models"
ICP = sys.argv.pop(2) if __name__ == "__main__" and len(sys.argv) > 2 else "icp"
BINARY = sys.argv.pop(1) if __name__ == "__main__" and len(sys.argv) > 1 else "icpd"
FEATURES = [f"x{i}" for i in range(5)]


def rows(name):
    """Values by field, margin, contributions by field, bias."""
    with open(os.path.join(MODELS, name + ".txt")) as file:
        for line in file:
            cells = [None if c == "-" else float(c) for c in line.split()]
            yield ({f: v for f, v in zip(FEATURES, cells) if v is not None}, cells[5],
                   dict(zip(FEATURES, cells[6:11])), cells[11])


class Imported(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY)
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.addClassCleanup(lambda: cls.client.close())
        fields = [{"name": f, "type": "number"} for f in [*FEATURES, "won"]]
        cls.client.call("schema-put", {"document": json.dumps({"fields": fields})})
        cls.rows = list(rows("numbers"))
        cls.client.call("account-put", {"source": "test", "accounts": [
            {"id": f"a{i}", "values": {**values, "won": float(margin + math.sin(i) > 0)}}
            for i, (values, margin, _, _) in enumerate(cls.rows)]})
        cls.first = cls.icp("icp", "import", f"{MODELS}/numbers.json", "--label", "won = 1",
                            "--name", "theirs", "--activate")

    @classmethod
    def icp(cls, *arguments, status=0):
        done = subprocess.run([ICP, *arguments], capture_output=True, text=True, env={
            **os.environ, "ICP_URI": f"icp://127.0.0.1:{cls.server.port}", "LC_ALL": "C.UTF-8"})
        assert done.returncode == status, (done.returncode, done.stdout, done.stderr)
        return done.stdout if status == 0 else done.stderr

    def test_the_import_tells_what_was_imported_and_how_it_does(self):
        for words in ("ICP version 1 imported, and active", "XGBoost 1.7.4, binary:logistic: 12 trees",
                      "On the 200 accounts that are stored", "AUC", "the model was trained elsewhere"):
            self.assertIn(words, self.first)

    def test_scores_are_those_of_xgboost(self):
        for i, (values, margin, _, _) in enumerate(self.rows):
            p = 1 / (1 + math.exp(-margin))
            for asked in ({"id": f"a{i}"}, {"values": values}):
                score = self.client.call("score", asked)
                self.assertLess(abs(score["p"] - p), 3e-6)
        fits = [self.client.call("score", {"id": f"a{i}"})["fit"] for i in range(len(self.rows))]
        by_margin = sorted(range(len(fits)), key=lambda i: self.rows[i][1])
        ranked = [fits[i] for i in by_margin]
        self.assertEqual(ranked, sorted(ranked))
        self.assertLess(ranked[0], 2)
        self.assertGreater(ranked[-1], 98)

    def test_contributions_are_those_of_xgboost_and_add_up(self):
        for i, (values, margin, parts, bias) in enumerate(self.rows[:60]):
            told = self.client.call("explain", {"id": f"a{i}"})
            self.assertLess(abs(1e-6 * told["raw"] - margin), 1e-5)
            self.assertLess(abs(1e-6 * told["intercept"] - bias), 1e-4)
            self.assertEqual(told["raw"], told["intercept"] + sum(
                part["contribution"] for part in told["contributions"]))
            for part in told["contributions"]:
                self.assertLess(abs(1e-6 * part["contribution"] - parts[part["field"]]), 1e-4)
                self.assertNotIn("shape", part)
            self.assertLessEqual(told["fit_low"], told["fit"])
            self.assertGreaterEqual(told["fit_high"], told["fit"])
            self.assertEqual(sorted(told["missing"]), sorted(set(FEATURES) - set(values)))
            score = self.client.call("score", {"id": f"a{i}", "reasons": 5})
            said = {r["field"]: r["contribution"] for r in score["reasons"]}
            every = {p["field"]: p["contribution"] for p in told["contributions"]}
            for field, contribution in said.items():
                self.assertEqual(contribution, every[field])

    def test_a_change_that_is_told_moves_the_grade(self):
        moved = 0
        for i, (values, _, _, _) in enumerate(self.rows[:40]):
            told = self.client.call("explain", {"id": f"a{i}"})
            for change in told["up"]:
                low, high = bounds(change["then"])
                value = high if high is not None else low + 1
                score = self.client.call("score", {"values": {**values, change["field"]: value}})
                self.assertEqual(score["grade"], change["grade"])
                self.assertLess(abs(score["fit"] - change["fit"]), 1e-9)
                moved += 1
        self.assertGreater(moved, 10)

    def test_filters_counts_and_versions_read_its_fit(self):
        best = self.client.call("filter", {"filter": "fit >= 90", "limit": 500})["ids"]
        fits = [self.client.call("score", {"id": f"a{i}"})["fit"] for i in range(len(self.rows))]
        self.assertEqual(len(best), sum(fit >= 90 for fit in fits))
        version = self.client.call("icp-list", {})["icps"][0]
        self.assertEqual((version["name"], version["accounts"]), ("theirs", len(self.rows)))
        self.assertIn("12 trees of xgboost 1.7.4 (numbers.json)", self.icp("show", "1"))

    def test_whatever_reads_a_version_reads_this_one(self):
        for view in ("sales", "marketing", "success", "product", "finance", "grid"):
            self.icp("view", view)
        best = max(range(len(self.rows)), key=lambda i: self.rows[i][1])
        self.assertIn("A", self.icp("card", f"a{best}"))
        self.icp("tal", "build", "theirs", "-k", "20", "--hold-out", "10%", "--seed", "s")
        self.icp("tal", "check", "theirs")
        self.icp("segment", "put", "Some", "x0 > 0")
        score = self.client.call("score", {"id": f"a{best}", "reasons": 3})
        self.assertEqual(score.get("segment", "Some"), "Some")
        self.icp("segment", "show", "Some")
        self.icp("changes", "--since", "0")
        self.icp("challenge", "--condition", "x0 > 0", "--claim", "in", "--try")
        self.icp("backtest")
        self.icp("segments")
        with tempfile.TemporaryDirectory() as folder:
            self.icp("report", "icp", "--out", os.path.join(folder, "icp.html"))
            self.icp("report", "lifecycle", "--out", os.path.join(folder, "lifecycle.html"), "--from", "2024-01-01",
                     "--to", "2025-01-01")
        self.client.call("ping")

    def test_the_document_means_the_same_when_it_is_put_again(self):
        document = self.client.call("icp-get", {"icp": 1})["document"]
        again = self.client.call("icp-put", {"document": document})["icp"]
        for i, (values, _, _, _) in enumerate(self.rows[:20]):
            first = self.client.call("score", {"values": values, "icp": 1})
            second = self.client.call("score", {"values": values, "icp": again})
            self.assertEqual({**first, "icp": 0}, {**second, "icp": 0})
        self.assertIn("0 of 200 accounts change grade", self.icp("what-if", str(again)))

    def test_a_model_without_chances_needs_an_outcome(self):
        told = self.icp("icp", "import", f"{MODELS}/deep.json", status=65)
        self.assertIn("name the outcome", told)
        told = self.icp("icp", "import", f"{MODELS}/deep.json", "--label", "won = 1", "--json")
        version = json.loads(told)["icp"]
        curve = []
        for values, _, _, _ in self.rows:
            asked = {"values": values, "icp": version}
            curve.append((self.client.call("explain", asked)["raw"],
                          self.client.call("score", asked)["p"]))
        chances = [p for _, p in sorted(curve)]
        self.assertEqual(chances, sorted(chances))
        self.assertGreater(chances[-1], 0.6)

    def test_what_cannot_be_used_is_refused_and_stores_nothing(self):
        before = len(self.client.call("icp-list", {})["icps"])
        with open(f"{MODELS}/numbers.json") as file:
            text = file.read()
        with tempfile.TemporaryDirectory() as folder:
            for change, words in (
                    (('"name":"gbtree"', '"name":"dart"'), "the booster dart is not served"),
                    (('"left_children":[1', '"left_children":[0'), "line 1, column "),
                    (('"feature_names":["x0"', '"feature_names":["size"'),
                     "the schema has no field \"size\"")):
                with open(f"{folder}/model.json", "w") as file:
                    file.write(text.replace(*change))
                self.assertIn(words, self.icp("icp", "import", f"{folder}/model.json", status=65))
            with open(f"{folder}/model.json", "w") as file:
                file.write(text.replace('"feature_names":["x0"', '"feature_names":["size"'))
            self.icp("icp", "import", f"{folder}/model.json", "--map", "size=x0", "--draft")
            with open(f"{folder}/map.json", "w") as file:
                file.write('{"size": "x9"}')
            self.assertIn("no field \"x9\"", self.icp("icp", "import", f"{folder}/model.json", "--map",
                                                     f"{folder}/map.json", status=65))
        self.assertIn("none of 200 accounts", self.icp(
            "icp", "import", f"{MODELS}/numbers.json", "--label", "won = 7", status=65))
        self.assertEqual(len(self.client.call("icp-list", {})["icps"]), before)


def bounds(words):
    """The ends of a bin in words; None where it has none."""
    words = words.replace(" ", "")
    if words.startswith("x>"):
        return float(words[2:]), None
    high = float(words.split("≤")[1])
    return None, high


if __name__ == "__main__":
    unittest.main()
