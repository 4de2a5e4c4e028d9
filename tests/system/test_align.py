# SPDX-License-Identifier: Apache-2.0
"""An audit of alignment by the command line, without a server: usage: test_align.py icp

W is held against scipy's Friedman test, alpha against the values of Krippendorff (2011), rank
correlations against scipy's Spearman; what is wrong in a file is told by line and column."""
import csv
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest

from scipy import stats

ICP = sys.argv.pop(1)
OBSERVERS = ("123321412...", "1233224125.3", ".3332342251.", "12332441251.")


class Align(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="icp-align-")

    def tearDown(self):
        self.folder.cleanup()

    def icp(self, *arguments, status=0):
        done = subprocess.run([ICP, *arguments], capture_output=True, text=True, timeout=300, check=False,
                              cwd=self.folder.name, env={**os.environ, "ICP_URI": "icp://127.0.0.1:1"})
        self.assertEqual(done.returncode, status, (arguments, done.stdout, done.stderr))
        return done.stderr if status else done.stdout

    def written(self, name, rows):
        path = os.path.join(self.folder.name, name)
        with open(path, "w", encoding="utf-8", newline="") as file:
            csv.writer(file).writerows(rows)
        return name

    def answers(self, rows):
        return self.written("answers.csv", [("person", "function", "question", "item", "answer"), *rows])

    def shown(self, *arguments):
        rows = csv.DictReader(io.StringIO(self.icp("align", "show", *arguments, "--csv")))
        return {(row["measure"], row["of"]): row for row in rows}

    def test_alpha_is_as_it_was_published(self):
        rows = [(f"p{person}", "", "statement", f"unit {unit}", "" if value == "." else value)
                for person, values in enumerate(OBSERVERS) for unit, value in enumerate(values)]
        shown = self.shown(self.answers(rows))
        for measure, of, alpha in (("alpha-ordinal", "statements", 0.815), ("alpha-nominal", "statements, the very same", 0.743)):
            found = shown[(measure, of)]
            self.assertAlmostEqual(float(found["value"]), alpha, places=3)
            self.assertTrue(float(found["low"]) < alpha < float(found["high"]))
            self.assertEqual(found["n"], "4")

    def test_w_and_rank_correlations_are_those_of_scipy(self):
        rng = random.Random(5)
        for people, items in ((4, 5), (7, 6), (12, 9)):
            names = [f"s{i}" for i in range(items)]
            ranks = [[rng.randint(1, items) if rng.random() < .3 else i + 1 for i in range(items)]
                     for _ in range(people)]
            figures = [rng.random() for _ in names]
            path = self.answers([(f"p{p}", "sales", "segment", name, rank)
                                 for p, row in enumerate(ranks) for name, rank in zip(names, row)])
            data = self.written("data.csv", [("segment", "win rate"), *zip(names, figures)])
            found = self.shown(path, "--against", data)
            w = found[("kendall-w", "order of segments")]
            chi = stats.friedmanchisquare(*zip(*ranks)).statistic
            self.assertAlmostEqual(float(w["value"]), chi / (people * (items - 1)), places=4)
            for person, row in enumerate(ranks):
                rho = stats.spearmanr(row, [-figure for figure in figures]).statistic
                told = found[("spearman", f"p{person}: win rate")]["value"]
                # W with ties is (1 + rho) / 2 where both have the same ties, and near it otherwise.
                self.assertAlmostEqual(float(told), rho, delta=0.15)

    def test_the_form_is_answered_and_becomes_a_page(self):
        self.icp("align", "form", "--segments", "Banks, Retail,Health & <Care>", "--leaders", "3", "--out", "form.html",
                 "--sheet", "sheet.csv")
        with open(os.path.join(self.folder.name, "form.html"), encoding="utf-8") as file:
            form = file.read()
        self.assertIn("Health &amp; &lt;Care&gt;", form)
        self.assertNotIn("<script", form)
        with open(os.path.join(self.folder.name, "sheet.csv"), encoding="utf-8", newline="") as file:
            rows = list(csv.reader(file))
        self.assertEqual(len(rows), 1 + 3 * (3 + 10 + 8 + 2))
        # An empty sheet says that nobody has answered, and is no fault.
        empty = self.shown("sheet.csv")
        self.assertEqual(empty[("kendall-w", "order of segments")]["says"], "too few answers")
        filled = [rows[0]]
        for number, row in enumerate(rows[1:]):
            answer = {"segment": str(number % 3 + 1), "statement": str(number % 5 + 1)}.get(row[2], "")
            if row[2] == "account" and int(row[3]) <= 4:
                answer = f"acme {row[3]}"
            filled.append([*row[:4], answer])
        self.written("filled.csv", filled)
        page = self.icp("report", "audit", "filled.csv")
        self.assertNotIn("<script", page)
        self.assertIn("leader 3", page)
        self.assertIn("Health &amp; &lt;Care&gt;", page)
        whole = json.loads(self.icp("align", "show", "filled.csv", "--json"))
        self.assertEqual(next(row["value"] for row in whole if row["measure"] == "jaccard"), 1)

    def test_what_is_wrong_is_told_where_it_stands(self):
        for row, words in (
                (("a", "", "segment", "x", "0"), "line 2, column 14: a rank is wanted"),
                (("a", "", "segment", "", "1"), "what the answer is of is missing"),
                (("a", "", "statement", "x", "6"), "1 (no) to 5 (yes)"),
                (("a", "", "account", "0", "x"), "a place from 1 to 100"),
                (("a", "", "colour", "x", "1"), "segment, account, statement or filter"),
                (("", "", "segment", "x", "1"), "a person is missing"),
                (("a", "", "segment", "x", "1"), "two are needed")):
            self.assertIn(words, self.icp("align", "show", self.answers([row]), status=65))
        twice = [("a", "", "segment", "x", 1), ("b", "", "segment", "x", 1), ("a", "", "segment", "x", 2)]
        self.assertIn("has answered that already", self.icp("align", "show", self.answers(twice), status=65))
        self.assertIn("no column 'person'", self.icp("align", "show", self.written("x.csv", [("a", "b"), (1, 2)]), status=65))
        self.assertIn("--segments", self.icp("align", "form", "--out", "x.html", status=64))
        self.icp("align", "show", "nowhere.csv", status=66)


if __name__ == "__main__":
    unittest.main()
