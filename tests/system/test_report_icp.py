# SPDX-License-Identifier: Apache-2.0
"""The page of a version against a running icpd: every figure of its tables is the one of the JSON that
commands give, no script is in it, each picture has its table, and what was not asked says why.
usage: test_report_icp.py path/to/icpd path/to/icp"""
import html.parser
import json
import os
import subprocess
import sys
import tempfile
import unittest

from icpd import Server
from test_operations import fill

ICP = sys.argv.pop(2) if __name__ == "__main__" and len(sys.argv) > 2 else "icp"
BINARY = sys.argv.pop(1) if __name__ == "__main__" and len(sys.argv) > 1 else "icpd"


class Page(html.parser.HTMLParser):
    """Ids, tags, the cells of each table by the id of its caption, and the answers of sections."""

    def __init__(self, text):
        super().__init__()
        self.ids, self.tags, self.tables, self.answers = [], set(), {}, []
        self.described = []
        self.rows = self.cell = self.answer = None
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.tags.add(tag)
        if "id" in attrs:
            self.ids.append(attrs["id"])
        self.described += attrs.get("aria-details", "").split()
        if tag == "table":
            self.rows = []
        elif tag == "caption":
            self.tables[attrs.get("id")] = self.rows
        elif tag == "tr" and self.rows is not None:
            self.rows.append([])
        elif tag in ("td", "th") and self.rows is not None:
            self.cell = ""
        elif tag == "p" and attrs.get("class") == "answer":
            self.answer = ""

    def handle_endtag(self, tag):
        if tag in ("td", "th") and self.cell is not None:
            self.rows[-1].append(self.cell.strip())
            self.cell = None
        elif tag == "p" and self.answer is not None:
            self.answers.append(self.answer)
            self.answer = None

    def handle_data(self, data):
        if self.cell is not None:
            self.cell += data
        if self.answer is not None:
            self.answer += data


def number(text):
    return float(text.replace(",", "").replace(" ", "").replace("\u202f", "").replace("%", ""))


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY)
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.addClassCleanup(lambda: cls.client.close())
        fill(cls.client, 1200)
        cls.client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
        cls.client.call("challenge", {"condition": "employees > 10", "claim": "in"})
        cls.data = json.loads(cls.icp("report", "icp", "--json"))
        cls.text = cls.icp("report", "icp")
        cls.page = Page(cls.text)

    @classmethod
    def icp(cls, *arguments):
        done = subprocess.run([ICP, *arguments], capture_output=True, text=True, env={
            **os.environ, "ICP_URI": f"icp://127.0.0.1:{cls.server.port}", "LC_ALL": "C.UTF-8"})
        assert done.returncode == 0, (done.stdout, done.stderr)
        return done.stdout

    def test_the_page_stands_alone(self):
        self.assertFalse(self.page.tags & {"script", "link", "img", "iframe"})
        self.assertEqual(len(self.page.ids), len(set(self.page.ids)))
        for described in self.page.described:
            self.assertIn(described, self.page.ids)
        for section in ("evidence", "reliability", "gains", "grades", "shapes", "segments", "disputes",
                        "drift", "hand", "refused", "ground"):
            self.assertIn(section, self.page.ids)
        self.assertEqual(self.text, self.icp("report", "icp"))

    def test_evidence_is_that_of_the_document(self):
        held = self.data["document"]["evidence"]["holdout"]
        rows = {row[0]: row for row in self.page.tables["evidence-table"][1:]}
        for name, member in (("AUC", "auc"), ("Log loss", "log_loss"), ("Brier", "brier"),
                             ("ECE", "ece"), ("KS", "ks"), ("Lift", "lift_top_decile")):
            self.assertEqual(rows[name][1], f"{held[member]:.4f}")
        for name, member in (("AUC", "auc"), ("Log loss", "log_loss"), ("ECE", "ece")):
            low, high = held[f"{member}_low"], held[f"{member}_high"]
            self.assertLessEqual(low, held[member])
            self.assertLessEqual(held[member], high)
            self.assertEqual(rows[name][2], f"{low:.4f} to {high:.4f}")
        bins = self.page.tables["reliability-table"][1:]
        self.assertEqual([[row[0], number(row[1]), number(row[2])] for row in bins],
                         [[f"{b['p']:.4f}", b["n"], b["positives"]] for b in held["reliability"]])
        grades = self.page.tables["grades-table"][1:]
        self.assertEqual([[row[0], number(row[1]), number(row[2])] for row in grades],
                         [[g["grade"], g["n"], g["positives"]] for g in held["grades"]])
        gains = self.page.tables["gains-table"][1:]
        self.assertEqual((number(gains[-1][0]), number(gains[-1][2])), (held["n"], held["positives"]))

    def test_counts_have_their_thousands_apart_and_one_is_one(self):
        label = self.data["document"]["label"]
        self.assertIn(f"<dd>{label['population']:,}; {label['positives']:,} with the outcome</dd>", self.text)
        self.assertTrue(any(" Of 1,200 accounts " in answer for answer in self.page.answers), self.page.answers)
        self.assertTrue(any(a.startswith("It was disputed 1 time; ") for a in self.page.answers))

    def test_shapes_are_the_points_of_the_scorecard_and_their_accounts(self):
        document = self.data["document"]
        columns = document["codebook"]["columns"]
        support = {tuple(s["columns"]): s for s in document["evidence"]["support"]}
        shown = 0
        for term in document["scorecard"]["terms"]:
            if len(term["columns"]) == 2:
                continue
            wanted = [[f"{p / 1e4:+.0f}", n, k] for p, n, k in zip(
                term["table"], support[tuple(term["columns"])]["n"],
                support[tuple(term["columns"])]["positives"])]
            found = [[[row[1], number(row[2]), number(row[3])] for row in rows[1:]]
                     for name, rows in self.page.tables.items() if name.startswith("shape-")]
            shown += wanted in found
        self.assertGreaterEqual(shown, min(3, len(columns)))
        fields = document["evidence"]["fields"]
        self.assertEqual([row[0] for row in self.page.tables["importance-table"][1:]],
                         [f["field"] for f in fields])

    def test_segments_and_disputes_are_what_the_commands_say(self):
        found = self.data["segments"]["segments"]
        rows = self.page.tables.get("segments-table", [[]])[1:]
        self.assertEqual([[row[0], number(row[1])] for row in rows],
                         [[s["filter"], s["accounts"]] for s in found])
        challenge, = self.data["challenges"]
        row = self.page.tables["disputes-table"][1]
        self.assertEqual([row[0], row[3], row[4], number(row[5])],
                         [str(challenge["number"]), challenge["condition"], challenge["verdict"],
                          challenge["accounts"]])

    def test_a_profile_by_hand_stands_beside_the_version_as_in_the_backtest(self):
        """The figures are those of icp backtest and of counts; without a profile the page says how."""
        self.assertIsNone(self.data["hand_written"])
        self.assertTrue(any(a.startswith("Not compared: ") for a in self.page.answers))
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ours.json")
            with open(path, "w", encoding="utf-8") as file:
                json.dump({"name": "<ours>", "points": [{"if": "employees > 100", "points": 10},
                                                        {"if": "employees <= 100", "points": -2.5}]}, file)
            hand = json.loads(self.icp("report", "icp", "--json", "--profile", path))["hand_written"]
            page = Page(self.icp("report", "icp", "--profile", path))
            told = self.icp("backtest", "--profile", path).splitlines()
            where = json.loads(self.icp("report", "icp", "--json", "--profile", path,
                                        "--where", "employees > 50"))["hand_written"]
        learned, ours = hand["version"], hand["profile"]
        self.assertIn(f"on {hand['accounts']} accounts with an outcome, of which {hand['outcomes']} had it", told[0])
        self.assertIn(f"AUC {learned['auc']:.3f}, 95 % interval {learned['auc_low']:.3f} to", told[0])
        self.assertEqual(told[1], f"<ours>: AUC {ours['auc']:.3f}, {ours['auc_low']:.3f} to {ours['auc_high']:.3f}; "
                                  f"its top tenth holds {ours['lift_top_decile']:.1f} times as many; the version finds "
                                  f"{hand['lift_over']:.2f} times as many there; "
                                  f"{100 * hand['weight_with_evidence']:.0f} % of its points have evidence")
        self.assertAlmostEqual(hand["lift_over"], learned["lift_top_decile"] / ours["lift_top_decile"])
        weights = [abs(c["points"]) for c in hand["conditions"] if c["evidence"]]
        self.assertAlmostEqual(hand["weight_with_evidence"], sum(weights) / 12.5)
        self.assertLess(where["accounts"], hand["accounts"])
        self.assertEqual([row[:3] for row in page.tables["hand-table"][1:]],
                         [[name, f"{side['auc']:.4f}", f"{side['auc_low']:.4f} to {side['auc_high']:.4f}"]
                          for name, side in (("version 1", learned), ("<ours>", ours))])
        self.assertEqual([[row[0], row[1], number(row[2]), row[7]] for row in page.tables["conditions-table"][1:]],
                         [[c["if"], f"{c['points']:+g}", c["accounts"], "yes" if c["evidence"] else "no"]
                          for c in hand["conditions"]])
        self.assertFalse(page.tags & {"ours", "script"})

    def test_a_profile_that_is_none_is_refused_by_its_place(self):
        def refused(*arguments):
            done = subprocess.run([ICP, "report", "icp", *arguments], capture_output=True, text=True, env={
                **os.environ, "ICP_URI": f"icp://127.0.0.1:{self.server.port}", "LC_ALL": "C.UTF-8"})
            self.assertEqual(done.stdout, "")
            return done.returncode, done.stderr
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "ours.json")
            with open(path, "w", encoding="utf-8") as file:
                file.write('{"points": [{"if": "employees =", "points": 1}]}')
            status, err = refused("--profile", path)
            self.assertEqual(status, 65)
            self.assertIn("points[0] of the profile", err)
            self.assertIn("column", err)
        self.assertEqual(refused("--profile", "/nowhere/ours.json")[0], 66)
        status, err = refused("--where", "employees > 50")
        self.assertEqual(status, 64)
        self.assertIn("--profile", err)

    def test_what_cannot_be_asked_says_why(self):
        if self.data["drift"] is None:
            self.assertTrue(any(a.startswith("Not asked: ") for a in self.page.answers))
        else:
            self.assertIn(self.data["drift"]["words"][0], self.page.answers)


if __name__ == "__main__":
    unittest.main()
