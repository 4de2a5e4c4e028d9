# SPDX-License-Identifier: Apache-2.0
"""What test_icp.py asks of a server that has learned: scores explained, versions compared. A mixin: the
test class has icp, path and write."""
import csv
import io
import json

DATA, USAGE = 65, 64


class Explained:
    def explained(self):
        told = json.loads(self.icp("explain", "acct-000002", "--json")[0])
        for parts in ("contributions", "families"):
            self.assertEqual(told["raw"], told["intercept"] +
                             sum(part["contribution"] for part in told[parts]))
        # As of the moment that was answered it is the same; before there was the account it is nobody.
        same = json.loads(self.icp("explain", "acct-000002", "--as-of", str(told["seq"]), "--json")[0])
        self.assertEqual(same["contributions"], told["contributions"])
        self.icp("explain", "acct-000002", "--as-of", "1", status=DATA)
        document = json.loads(self.icp("show", "1", "--json")[0])
        self.assertEqual((told["accounts"], told["outcome"]),
                         (document["label"]["population"], "stage = 'Won'"))
        self.assertTrue(all(part["accounts"] <= told["accounts"] for part in told["contributions"]))
        # A change that is told comes true, and the answer says which value is strange.
        said = [change for change in told["up"] + told["down"]
                if change["field"] in ("industry", "country", "plan")]
        for change in said:
            then = json.loads(self.icp("explain", "acct-000002", "--set",
                                       f"{change['field']}={change['then']}", "--json")[0])
            self.assertEqual((then["grade"], then["raw"] - told["raw"]),
                             (change["grade"], change["contribution"]))
        strange = json.loads(self.icp("explain", "acct-000002", "--set", "industry=Unheard of",
                                      "--json")[0])
        self.assertEqual(strange["unseen"], ["industry"])
        out, _ = self.icp("explain", "acct-000002")
        self.assertRegex(out.splitlines()[0], r"^acct-000002: grade [A-D]: better than \d+ % of your")
        self.assertLessEqual(len(out[:out.index("\n\n")].splitlines()), 10)
        rows = list(csv.DictReader(io.StringIO(self.icp("explain", "acct-000002", "--csv")[0])))
        self.assertEqual(len(rows), len(told["contributions"]))
        _, err = self.icp("explain", "acct-00000", status=DATA)
        self.assertIn("acct-00000", err)
        self.icp("explain", status=USAGE)
        self.icp("explain", "acct-000002", "--set", "industri=Software", status=USAGE)

    def disputed(self):
        """A version whose grade A begins lower: nobody gets worse, and counts agree with filters."""
        document = json.loads(self.icp("show", "1", "--json")[0])
        document["scorecard"]["grades"]["A"] = 80.0
        self.write("icp.json", json.dumps(document))
        self.assertIn("ICP version 3", self.icp("put", self.path("icp.json"))[0])
        told = json.loads(self.icp("what-if", "3", "--by", "industry", "--limit", "7", "--json")[0])
        counts = {}
        for icp in ("1", "3"):
            out = self.icp("count", "grade = 'A'", "--icp", icp)[0]
            counts[icp] = int(out.replace(",", "").split()[0])
        self.assertEqual((told["icp"], told["against"], told["accounts"]), (3, 1, 3000))
        self.assertEqual((told["up"], told["down"]), (counts["3"] - counts["1"], 0))
        self.assertEqual(sum(part["accounts"] for part in told["parts"]), 3000)
        self.assertEqual(sum(part["up"] for part in told["parts"]), told["up"])
        self.assertEqual({(account["now"], account["then"]) for account in told["changed"]},
                         {("B", "A")})
        self.assertEqual(len(told["changed"]), 7)
        out, _ = self.icp("what-if", "2")
        self.assertIn("0 of 3,000 accounts change grade", out)
        self.icp("what-if", "9", status=DATA)
        _, err = self.icp("what-if", "3", "--filter", "industry = ", status=DATA)
        self.assertIn("column 12", err)
        differs = json.loads(self.icp("diff", "1", "3", "--json")[0])
        self.assertEqual(differs["figures"][0]["a"], document["label"]["population"])
        self.assertEqual(differs["bins"], [])
        out, _ = self.icp("diff", "3", "--by", "industry")
        self.assertIn("with version 1 instead of 3", out)
        self.assertNotIn("points of ", out)
        self.challenged()
        self.segmented()
        self.backtested()
        self.drifted()

    def drifted(self):
        """All outcomes are of before the version was active; counted from long before, they speak for it."""
        out, _ = self.icp("drift")
        self.assertRegex(out, r"^too few outcomes to judge version 1 by: 0 positive and 0 negative")
        told = json.loads(self.icp("drift", "1", "--since", "2000-01-01", "--json")[0])
        self.assertEqual((told["verdict"], told["label"]), ("holds", "stage = 'Won'"))
        document = json.loads(self.icp("show", "1", "--json")[0])
        self.assertEqual(told["cases"], document["label"]["population"])
        self.assertFalse(any(field["shifted"] or field["lost"] for field in told["fields"]))
        out, _ = self.icp("drift", "1", "--since", "2000-01-01")
        self.assertRegex(out, rf"^version 1 holds: by {told['cases']} outcomes it beats the base rate"
                              r"\n  AUC 0\.")
        self.icp("drift", "9", status=DATA)
        self.icp("drift", "--since", "soon", status=USAGE)

    def challenged(self):
        """Disputes of each kind are answered, kept, listed, shown again by another version, and refused
        by their place; the sides agree with counts."""
        told = json.loads(self.icp("challenge", "--condition", "industry = 'Software'", "--claim", "in",
                                   "--note", "sales says so", "--operation", "c-1", "--json")[0])
        said = told["challenge"]
        for name, where in (("accounts", "industry = 'Software'"), ("others", "not industry = 'Software'")):
            out = self.icp("count", where)[0]
            self.assertLessEqual(said[name], int(out.replace(",", "").split()[0]))
        out = self.icp("count", "industry = 'Software' and stage = 'Won'")[0]
        self.assertEqual(said["outcomes"], int(out.replace(",", "").split()[0]))
        self.assertEqual((said["number"], said["icp"], said["note"]), (1, 1, "sales says so"))
        self.assertEqual(said["verdict"], "does not hold" if said["gap_high"] < .05 else said["verdict"])
        again = json.loads(self.icp("challenge", "--condition", "industry = 'Software'", "--claim", "in",
                                    "--note", "sales says so", "--operation", "c-1", "--json")[0])
        self.assertEqual((again["challenge"], again["repeated"]), (said, True))
        out, _ = self.icp("challenge", "--field", "industry")
        self.assertIn("version says", out)
        self.assertRegex(out, r"the bin that is farthest off, \w.*, is [+-]")
        out, _ = self.icp("challenge", "--slice", "employees > 100", "--try")
        self.assertIn("AUC there", out)
        out, _ = self.icp("challenge", "--condition", "industry = 'Nowhere'", "--try")
        self.assertTrue(out.startswith("too little evidence"), out)
        rows = list(csv.DictReader(io.StringIO(self.icp("challenge", "list", "--csv")[0])))
        self.assertEqual([(row["number"], row["disputed"]) for row in rows],
                         [("2", "industry"), ("1", "industry = 'Software'")])
        shown = json.loads(self.icp("challenge", "show", "1", "--icp", "3", "--json")[0])
        self.assertEqual((shown["challenge"], shown["now"]["icp"]), (said, 3))
        self.assertNotIn("number", shown["now"])
        out, _ = self.icp("challenge", "show", "1", "--again")
        self.assertIn("as it is answered now", out)
        _, err = self.icp("challenge", "--condition", "industry = ", status=DATA)
        self.assertIn("column 12", err)
        self.icp("challenge", "show", "9", status=DATA)
        self.icp("challenge", status=DATA)
        self.icp("challenge", "--field", "industry", "--claim", "perhaps", status=DATA)
        self.icp("challenge", "--field", "industry", "--try", "--note", "x", status=USAGE)

    def segmented(self):
        """Each segment is a filter that matches as many accounts as are told; the frontier only grows."""
        told = json.loads(self.icp("segments", "--icp", "1", "--json")[0])
        self.assertEqual(told["confirmed"], sum(part["confirmed"] for part in told["segments"]))
        covered = 0
        for part in told["segments"]:
            out = self.icp("count", f"({part['filter']}) and stage in ('Won','Lost')")[0]
            self.assertEqual(part["accounts"], int(out.replace(",", "").split()[0]))
            self.assertGreaterEqual(part["covered"], max(covered, part["accounts"]))
            covered = part["covered"]
        self.assertGreater(told["confirmed"], 0)
        out, _ = self.icp("segments", "--icp", "1")
        self.assertRegex(out, r"^\d+ segments?: ")
        out, _ = self.icp("segments", "--icp", "1", "--filter", "industry = 'Nowhere'")
        self.assertTrue(out.startswith("No evidence of any segment"), out)
        _, err = self.icp("segments", "--filter", "industry = ", status=DATA)
        self.assertIn("column 12", err)

    def backtested(self):
        """The lists part, a profile of two conditions is judged, and a slip in it is told by its place."""
        out, _ = self.icp("backtest", "--k", "50", "--csv")
        rows = list(csv.DictReader(io.StringIO(out)))
        won = {name: sum(int(row["outcome"]) for row in rows if row["list"] == name)
               for name in ("best", "poor", "control")}
        self.assertEqual(len(rows), 150)
        self.assertGreater(won["best"], won["control"])
        self.assertGreater(won["control"], won["poor"])
        self.write("ours.json", json.dumps(
            {"name": "ours", "points": [{"if": "industry = 'Software'", "points": 10},
                                        {"if": "office_floor > 3", "points": 5}]}))
        _, err = self.icp("backtest", "--profile", self.path("nowhere.json"), status=66)
        self.assertNotIn("line", err)
        out, _ = self.icp("backtest", "--profile", self.path("ours.json"), "--by", "industry")
        self.assertRegex(out, r"ours: AUC 0\.\d+")
        self.assertRegex(out, r"67 % of its points have evidence")
        self.assertRegex(out, r"values of industry explain \d")
        self.write("ours.json", '{"points": [{"if": "industry =", "points": 1}]}')
        _, err = self.icp("backtest", "--profile", self.path("ours.json"), status=DATA)
        self.assertIn("points[0] of the profile", err)
        self.assertIn("column", err)
        self.write("ours.json", '{"points": [{"if": "true", "points": 1}')
        _, err = self.icp("backtest", "--profile", self.path("ours.json"), status=DATA)
        self.assertIn("line 1, column", err)
        self.write("ours.json", '{"points": [{"when": "true", "points": 1}]}')
        _, err = self.icp("backtest", "--profile", self.path("ours.json"), status=DATA)
        self.assertIn("points[0]: a member that is not known", err)
