#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Rows of a file find accounts by key or by name, and a person decides on names:
test_match.py ICP ICPD ROOT."""
import csv
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_icp  # noqa: E402

SCHEMA = {"id": "id", "name": "company", "keys": {"domain": "site"},
          "fields": [{"name": "company", "type": "category"}, {"name": "land", "type": "category"},
                     {"name": "size", "type": "number"}]}
ACCOUNTS = """id,company,site,land,size
anvil,Anvil GmbH,anvil.example,DE,5
brick,Brick Works Ltd,brick.example,GB,9
cobalt,Cobalt & Sons Inc,,US,7
twin1,Twin Peaks,,US,1
twin2,Twin Peaks,,CA,2
"""
ROWS = """Nr,Customer,Web,Country
100,Anvil G.m.b.H.,,
101,The Brickworks,,
102,Somebody Else,www.anvil.example,
103,Cobalt and Sons,,US
104,Twin Peaks LLC,,CA
105,Cobald Sons Ltd,,
106,Dune AG,,
107,"Brick Works"",\x07 Ltd",,GB
"""


class Match(test_icp.Served):
    def setUp(self):
        super().setUp()
        self.icp("schema", "put", self.write("schema.json", json.dumps(SCHEMA)))
        self.icp("import", self.write("accounts.csv", ACCOUNTS))
        self.sheet = self.path("sheet.csv")

    def match(self, *more):
        return self.icp("match", self.write("rows.csv", ROWS), "--name", "Customer", "--as", "billing=Nr",
                        "--key", "domain=Web", "--country", "Country", "--country-field", "land",
                        "--out", self.sheet, *more)

    def lines(self):
        with open(self.sheet, newline="", encoding="utf-8") as file:
            return list(csv.DictReader(file))

    def best(self):
        found = {}
        for line in self.lines():
            found.setdefault(line["key"], (line["match"], line["id"]))
        return found

    def test_rows_find_accounts_and_a_name_never_links_by_itself(self):
        _, told = self.match()
        self.assertEqual(self.best(), {
            "billing:100": ("same", "anvil"), "billing:101": ("same", "brick"),
            "billing:102": ("key", "anvil"), "billing:103": ("same", "cobalt"),
            "billing:104": ("maybe", "twin2"), "billing:105": ("maybe", "cobalt"),
            "billing:106": ("none", ""), "billing:107": ("same", "brick")})
        self.assertIn("8 rows: 1 by key, 0 by name as reviewed, 4 open with the same name, 2 open maybe, "
                      "1 without an account; link rate 12.5 %", told)
        why = {line["key"]: line["why"] for line in reversed(self.lines())}
        self.assertEqual(why["billing:102"], "domain:anvil.example")
        self.assertIn("several accounts are called so", why["billing:104"])
        self.assertIn("same country", why["billing:103"])
        self.assertTrue(all(line["decision"] == "" for line in self.lines()))
        self.assertEqual(json.loads(self.icp("get", "anvil", "--json")[0])["keys"], ["domain:anvil.example"])

    def test_a_review_goes_on_where_it_stopped_and_its_keys_are_imported(self):
        self.match()
        out, told = self.icp("match", "review", self.sheet, stdin=b"x\ny\nq\n")
        self.assertIn("Anvil GmbH", out)
        self.assertIn("1 by key, 1 by name as reviewed", told)
        # 101 is left for later, all that have the same name are taken with the next answer; of the twins
        # the first is wanted; 105 is another company for ever.
        keys = self.path("keys.csv")
        out, told = self.icp("match", "review", self.sheet, "--keys", keys, stdin=b"s\na\ny\nn\n")
        self.assertNotIn("\x07", out)
        self.assertIn("1 by key, 5 by name as reviewed, 0 open with the same name, 0 open maybe, 2 without", told)
        self.assertIn("link rate 75.0 %", told)
        self.icp("import", keys, "--id", "id", "--key", "billing=billing")
        for number, account in ((100, "anvil"), (103, "cobalt"), (104, "twin2"), (101, "brick"), (107, "brick")):
            out, _ = self.icp("get", "--key", f"billing:{number}", "--json")
            self.assertEqual(json.loads(out)["id"], account)
        # Nothing is left to ask; matched again, rows are found by key.
        out, _ = self.icp("match", "review", self.sheet, stdin=b"")
        self.assertNotIn("one company?", out)
        _, told = self.match()
        self.assertIn("8 rows: 6 by key", told)

    def stored(self, *more, **how):
        return self.icp("match", "--stored", "--out", self.sheet, *more, **how)

    def pairs(self):
        return {tuple(sorted((line["key"].removeprefix("account:"), line["id"]))): line for line in self.lines()}

    def test_stored_accounts_that_may_be_one_are_reviewed_and_said(self):
        self.icp("import", self.write("more.csv", "id,company,site,land,size\n"
                                      "anvil2,Anvil AG,,DE,5\nbricks,Bricks & Mortar,,GB,9\n"
                                      "dune,Dune Corp,,US,77\nsand,Sand Company,,US,77\n"))
        self.stored("--same", "size")
        pairs = self.pairs()
        self.assertEqual(set(pairs), {("anvil", "anvil2"), ("brick", "bricks"), ("twin1", "twin2"), ("dune", "sand")})
        self.assertEqual(pairs["anvil", "anvil2"]["match"], "same")
        self.assertIn("; same size", pairs["anvil", "anvil2"]["why"])
        self.assertEqual(pairs["dune", "sand"]["why"], "the names are not alike; same size")
        self.assertEqual((pairs["twin1", "twin2"]["match"], pairs["twin1", "twin2"]["score"]), ("maybe", "1.0000"))
        self.assertTrue(all(line["decision"] == "" for line in self.lines()))
        self.assertEqual(self.lines()[0]["id"], "anvil2")  # the likeliest first
        # A person answers; nothing is said to the server before --say, and then once.
        answers = {("anvil", "anvil2"): b"y\n", ("brick", "bricks"): b"s\n"}
        ask = b"".join(answers.get(tuple(sorted((line["key"][8:], line["id"]))), b"n\n") for line in self.lines())
        out, told = self.icp("match", "review", self.sheet, stdin=ask)
        self.assertIn("Anvil GmbH", out)
        self.assertIn("4 pairs: 1 called one, 2 called never, 0 open with the same name, 1 open maybe", told)
        self.assertNotIn("sources", json.loads(self.icp("get", "anvil", "--json")[0]))
        _, told = self.icp("match", "review", self.sheet, "--say", stdin=b"s\n")
        self.assertIn("1 linked, 2 called never, 0 were so already, 0 refused", told)
        self.assertEqual(json.loads(self.icp("get", "anvil2", "--json")[0])["id"], "anvil")
        _, told = self.icp("match", "review", self.sheet, "--say", stdin=b"s\n")
        self.assertIn("0 linked, 0 called never, 3 were so already, 0 refused", told)
        # What was told apart does not come again, nor what is one account.
        _, told = self.stored("--same", "size")
        self.assertEqual(set(self.pairs()), {("brick", "bricks")})
        self.assertIn("2 pairs left out: somebody said never", told)

    def test_pairs_by_a_key_of_a_field_and_what_does_not_fit(self):
        schema = {"id": "id", "name": "company", "fields": [{"name": "company", "type": "category"},
                                                            {"name": "web", "type": "category"}]}
        self.icp("schema", "put", self.write("schema.json", json.dumps(schema)))
        self.icp("import", self.write("web.csv", "id,company,web\nw1,Umber,https://www.umber.example/about\n"
                                      "w2,Old Umbra Works,umber.example\nw3,Ochre,https://gmail.com\nw4,Slate,gmail.com\n"))
        self.stored("--same", "domain=web", "--filter", "web is not missing")
        self.assertEqual(list(self.pairs()), [("w1", "w2")])
        for words, said in ((("--same", "webb"), "has no field 'webb'"), (("--name", "x"), "goes with a file"),
                            (("rows.csv",), "")):
            _, told = self.stored(*words, status=test_icp.USAGE)
            self.assertIn(said, told)
        _, told = self.icp("match", self.write("rows.csv", ROWS), "--name", "Customer", "--same", "web",
                           status=test_icp.USAGE)
        self.assertIn("--same goes with --stored", told)
        _, told = self.icp("match", "review", self.sheet, "--keys", "k.csv", status=test_icp.USAGE)
        self.assertIn("--say tells the server", told)

    def test_what_cannot_be_done_is_said(self):
        rows = self.write("rows.csv", ROWS)
        _, told = self.icp("match", rows, status=test_icp.USAGE)
        self.assertIn("which column holds the names?", told)
        _, told = self.icp("match", rows, "--name", "Custome", status=test_icp.USAGE)
        self.assertIn("Customer", told)
        _, told = self.icp("match", rows, "--name", "Customer", "--country-field", "size", status=test_icp.DATA)
        self.assertIn("no category field 'size'", told)
        _, told = self.icp("match", "review", rows, status=test_icp.DATA)
        self.assertIn("it is not what icp match writes", told)
        self.match()
        with open(self.sheet, encoding="utf-8") as file:
            text = file.read()
        self.write("sheet.csv", text.replace(",same,", ",perhaps,", 1))
        _, told = self.icp("match", "review", self.sheet, status=test_icp.DATA)
        self.assertIn("line 2", told)
        with open(self.sheet, encoding="utf-8") as file:
            self.assertIn(",perhaps,", file.read())
        nameless = {member: value for member, value in SCHEMA.items() if member != "name"}
        self.icp("schema", "put", self.write("schema.json", json.dumps(nameless)))
        _, told = self.icp("match", rows, "--name", "Customer", status=test_icp.DATA)
        self.assertIn("does not say which field names accounts", told)
        self.icp("match", rows, "--name", "Customer", "--field", "company", "--out", self.sheet)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
