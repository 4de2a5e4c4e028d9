#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Accounts are shown by name beside their ids: test_names.py ICP ICPD ROOT."""
import csv
import io
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_icp  # noqa: E402

FIELDS = [{"name": "company", "type": "category"}, {"name": "size", "type": "number"},
          {"name": "won", "type": "flag", "family": "lifecycle"}]
NAMED = ["Anvil AB", "株式会社レンガ", "=Coal & Co", "\x1b[31mRed\x07 Ltd", ""]


class Names(test_icp.Served):
    def schema(self, **members):
        return self.write("schema.json", json.dumps({"id": "id", "fields": FIELDS, **members}))

    def setUp(self):
        super().setUp()
        self.icp("schema", "put", self.schema(name="company"))
        rows = [f'a{i},"{name}",{i + 1},' for i, name in enumerate(NAMED)]
        # Larger ones win more often, by no rule without exception.
        rows += [f"b{i},Filler {i},{i % 90},{'yes' if i * 7919 % 100 < i % 90 else 'no'}" for i in range(900)]
        self.icp("import", self.write("accounts.csv", "id,company,size,won\n" + "\n".join(rows) + "\n"))

    def rows(self, *arguments):
        return list(csv.DictReader(io.StringIO(self.icp(*arguments, "--csv")[0])))

    def test_lists_show_the_name_beside_the_id(self):
        out, _ = self.icp("filter", "size <= 5 and won is missing")
        lines = out.splitlines()
        self.assertRegex(lines[0], r"^id\s+name")
        self.assertTrue(any(line.split() == ["a4"] for line in lines), out)
        self.assertNotIn("\x1b", out)
        self.assertNotIn("\x07", out)
        self.assertIn("株式会社レンガ", out)
        rows = self.rows("filter", "size <= 5 and won is missing")
        self.assertEqual([row["name"] for row in rows], NAMED)
        self.assertEqual(list(rows[0])[:2], ["id", "name"])
        guarded, _ = self.icp("filter", "company = '=Coal & Co'", "--csv", "--for-spreadsheet")
        self.assertIn("\"'=Coal & Co\"", guarded)
        out, _ = self.icp("filter", "company = 'Anvil AB'", "--json")
        self.assertEqual(json.loads(out), [{"id": "a0", "name": "Anvil AB"}])

    def test_scores_look_alikes_and_target_lists_do_too(self):
        self.icp("learn", "--label", "won = 1", "--where", "won is not missing", "--activate")
        evidence = json.loads(self.icp("show", "--json")[0])["evidence"]
        self.assertNotIn("company", [field["field"] for field in evidence["fields"]])
        _, err = self.icp("learn", "--label", "won = 1", "--fields", "company,size", status=test_icp.DATA)
        self.assertIn("it says who, not what like", err)
        out, _ = self.icp("score", "a0")
        self.assertIn("\nAnvil AB\n", out)
        self.assertEqual(json.loads(self.icp("score", "a1", "--json")[0])["name"], NAMED[1])
        leads = self.write("leads.csv", "id,size\na0,3\na4,4\nnobody,5\n")
        out, err = self.icp("score", "--csv", leads, "--names", "--out", "-")
        self.assertNotIn("names accounts", err)
        self.assertEqual([row["account_name"] for row in csv.DictReader(io.StringIO(out))],
                         ["Anvil AB", "", ""])
        out, _ = self.icp("score", "--set", "size=3")
        self.assertNotIn("Anvil", out)
        self.assertTrue(self.icp("get", "a0")[0].startswith("a0  Anvil AB  (no keys)"))
        self.assertTrue(self.icp("get", "a4")[0].startswith("a4  (no keys)"))
        self.assertEqual(json.loads(self.icp("get", "a1", "--json")[0])["name"], NAMED[1])
        rows = self.rows("similar", "a0", "--k", "3", "--build")
        self.assertEqual([list(row)[:2] for row in rows], [["id", "name"]] * 3)
        self.assertTrue(all(row["name"] for row in rows if row["id"].startswith("b")), rows)
        self.icp("tal", "build", "one", "--k", "20")
        self.icp("tal", "build", "two", "--k", "30")
        rows = self.rows("tal", "show", "one")
        self.assertTrue(all(row["name"] == "Filler " + row["id"][1:] for row in rows
                            if row["id"].startswith("b")), rows)
        self.assertIn("Filler", self.icp("tal", "diff", "one", "two")[0])
        path = self.path("list.csv")
        self.icp("tal", "export", "one", "--out", path)
        with open(path, newline="", encoding="utf-8") as file:
            self.assertEqual([row["name"] for row in csv.DictReader(file)], [row["name"] for row in rows])
        # The document holds ids alone, so that its digest says what was frozen.
        self.assertNotIn("Filler", self.icp("tal", "export", "one", "--json")[0])
        self.icp("delete", rows[0]["id"])
        self.icp("import", self.write("new.csv", "id,company,size\nnew,Newcomer SA,89\n"))
        out, _ = self.icp("tal", "check", "one")
        self.assertIn(f"would go: {rows[0]['id']}\n", out)
        self.assertRegex(out, r"would come: \S+ \(\w+")
        self.assertEqual(self.rows("tal", "show", "one")[0]["name"], "")

    def test_a_schema_may_name_another_field_or_none(self):
        _, err = self.icp("schema", "put", self.schema(name="compani"), status=test_icp.DATA)
        self.assertIn("did you mean 'company'?", err)
        _, err = self.icp("schema", "put", self.schema(name="size"), status=test_icp.DATA)
        self.assertIn("'size' is a number; what names an account is a category", err)
        self.icp("schema", "put", self.schema())
        self.assertEqual(list(self.rows("filter", "size = 1")[0]), ["id"])
        self.assertNotIn("name", json.loads(self.icp("get", "a0", "--json")[0]))

    def test_a_change_of_schema_is_shown_before_it_is_made(self):
        self.icp("learn", "--label", "won = 1", "--where", "won is not missing", "--activate")
        self.icp("tal", "build", "small", "--k", "3", "--filter", "size < 9 and company is not missing")
        fields = [{"name": "size", "type": "flag"}, {"name": "won", "type": "flag", "stale_after_days": 30},
                  {"name": "web", "type": "category"}]
        path = self.write("next.json", json.dumps({"id": "id", "fields": fields}))
        before = self.icp("score", "b7", "--json")[0]
        out, told = self.icp("schema", "put", path, "--dry-run", "--csv")
        rows = {row["field"]: row for row in csv.DictReader(io.StringIO(out))}
        self.assertEqual({name: row["change"] for name, row in rows.items()}, {
            "company": "goes", "size": "number → flag", "web": "new, category",
            "won": "family lifecycle → firmographic, stale after days 0 → 30"})
        self.assertEqual((rows["company"]["accounts"], rows["won"]["accounts"], rows["web"]["accounts"]),
                         ("904", "900", ""))
        # Of the sizes 0 to 89 only 0 and 1 are flags: ten of each, and a0.
        self.assertEqual(rows["size"]["accounts"], "905")
        self.assertRegex(rows["size"]["then"], r"^empty until it is imported again; 884 values would not do, such as '")
        self.assertEqual(rows["company"]["used by"], "list small")
        self.assertEqual(rows["size"]["used by"], "list small, ICP version 1 (active)")
        self.assertEqual(rows["won"]["used by"], "ICP version 1 (active)")
        self.assertIn("nothing was put: without --dry-run this is schema version 2", " ".join(told.split()))
        self.assertIn("schema version 1,", self.icp("schema", "get")[0])
        out, _ = self.icp("schema", "put", path, "-n")
        self.assertIn("accounts are named by: company → none", out)
        self.icp("schema", "put", path)
        _, told = self.icp("score", "--csv", self.write("leads.csv", "id\na0\n"), "--names", "--out", "-")
        self.assertIn("no field of the schema names accounts, so account_name is empty", told)
        now = json.loads(self.icp("score", "b7", "--json")[0])
        self.assertEqual(now["raw"], json.loads(before)["raw"])  # by what is stored of the field that went
        # Put back as it was, every field has its values again, and that is said first.
        back = self.schema(name="company")
        out, _ = self.icp("schema", "put", back, "-n", "--json")
        rows = {row["field"]: row for row in json.loads(out)}
        self.assertEqual(rows["company"]["change"], "comes back, category")
        self.assertEqual(rows["size"]["accounts"], 0)
        self.icp("schema", "put", back)
        self.assertEqual(self.icp("count", "size is not missing")[0].split()[0], "905")
        self.assertIn("no field changes", self.icp("schema", "put", back, "-n")[0])
        # The same once more is no new version.
        was = self.icp("schema", "get", "--json")[0]
        out, _ = self.icp("schema", "put", back)
        self.assertRegex(out, r"^schema version \d+ says the same and is in force: nothing was stored")
        told = json.loads(self.icp("schema", "put", back, "--json")[0])
        self.assertTrue(told["unchanged"])
        self.assertEqual(self.icp("schema", "get", "--json")[0], was)
        _, told = self.icp("schema", "put", self.schema(name="compani"), "-n", status=test_icp.DATA)
        self.assertIn("did you mean 'company'?", told)

    def test_infer_proposes_the_name_and_says_so(self):
        rows = "".join(f"x{i},Firm number {i},{i % 7}\n" for i in range(300))
        out, told = self.icp("schema", "infer", self.write("firms.csv", "id,Company Name,size\n" + rows))
        self.assertEqual(json.loads(out)["name"], "Company Name")
        self.assertIn("names the accounts", " ".join(told.split()))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
