#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an import does to accounts that are there already: test_import.py ICP ICPD ROOT."""
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_icp  # noqa: E402

SCHEMA = {"id": "id", "keys": {"domain": "site", "crm": "crm"},
          "fields": [{"name": "land", "type": "category"}, {"name": "size", "type": "number"},
                     {"name": "paid", "type": "flag"}, {"name": "tools", "type": "tags"}]}
FIRST = "id,site,crm,land,size,paid,tools\na1,one.example,7,SE,10,yes,x;y\na2,two.example,8,NO,20,no,x\n"


class Accounts(test_icp.Served):
    def setUp(self):
        super().setUp()
        self.icp("schema", "put", self.write("schema.json", json.dumps(SCHEMA)))
        self.file("first.csv", FIRST)

    def file(self, name, content, *arguments, status=0):
        out, self.told = self.icp("import", self.write(name, content), *arguments, "--json", status=status)
        return json.loads(out)

    def account(self, account):
        got = json.loads(self.icp("get", account, "--json")[0])
        return {name: value["value"] for name, value in got["values"].items()}, sorted(got["keys"])


class LayingOver(Accounts):
    def test_what_a_file_does_not_name_stays(self):
        counts = self.file("part.csv", "id,size\na1,15\na3,5\n")
        self.assertEqual((counts["stored"], counts["created"]), (2, 1))
        self.assertIn("stay as they are: land, paid, tools", self.told)
        self.assertEqual(self.account("a1"), ({"land": "SE", "size": 15, "paid": True, "tools": ["x", "y"]},
                                              ["crm:7", "domain:one.example"]))
        # Nor does an empty cell take anything away, nor one that cannot be read.
        counts = self.file("gaps.csv", "id,size,land\na1,,DK\na2,many,\n")
        self.assertEqual(counts["values_left_out"], 1)
        self.assertEqual(self.account("a1")[0]["size"], 15)
        self.assertEqual(self.account("a2")[0], {"land": "NO", "size": 20, "paid": False, "tools": ["x"]})

    def test_replace_takes_away_what_a_file_does_not_name(self):
        self.file("part.csv", "id,size\na1,15\n", "--replace")
        self.assertIn("will be missing", self.told)
        self.assertEqual(self.account("a1"), ({"size": 15}, []))
        self.assertEqual(self.account("a2")[0]["land"], "NO")

    def test_values_keep_the_source_that_they_came_from(self):
        self.file("billing.csv", "id,size\na1,15\n", "--source", "billing")
        values = json.loads(self.icp("get", "a1", "--json")[0])["values"]
        self.assertEqual((values["size"]["source"], values["land"]["source"]), ("billing", "first.csv"))

    def test_a_dry_run_counts_and_stores_nothing(self):
        part = "id,site,size,tools\na1,one.example,15,\na2,new.example,20,y;x\na3,,5,\n"
        before = self.icp("filter", "true", "--fields", "land,size,paid,tools", "--csv")[0]
        counts = self.file("part.csv", part, "--dry-run")
        self.assertEqual(counts["change"], {
            "accounts_added": 1, "accounts_changed": 2, "accounts_same": 0, "values_added": 1,
            "values_changed": 2, "values_lost": 0, "keys_added": 1, "keys_lost": 0})
        counts = self.file("part.csv", part, "--dry-run", "--replace")["change"]
        # a1 loses land, paid, tools and crm:7; a2 land, paid, crm:8 and domain:two.example.
        self.assertEqual((counts["values_lost"], counts["keys_lost"]), (5, 3))
        same = self.file("first.csv", FIRST, "--dry-run", "--replace")["change"]
        self.assertEqual((same["accounts_same"], sum(same.values())), (2, 2))
        self.assertEqual(self.icp("filter", "true", "--fields", "land,size,paid,tools", "--csv")[0], before)
        out, _ = self.icp("import", self.path("part.csv"), "--dry-run")
        self.assertIn("would add 1 account, 1 value and 1 key, change 2 accounts and 2 values", out)

    def test_batches_of_any_size_count_alike(self):
        lines = ["id,site,size"] + [f"b{i},h{i}.example,{i}" for i in range(700)]
        text = "\n".join(lines) + "\n"
        for batch in ("1", "7", "1000"):
            counts = self.file("many.csv", text, "--dry-run", "--batch", batch)["change"]
            self.assertEqual((counts["accounts_added"], counts["values_added"], counts["keys_added"]), (700, 700, 700))

    def test_a_key_of_another_account_costs_the_key(self):
        counts = self.file("keys.csv", "id,site,crm,size\nb1,b.example,7,1\nb2,c.example,9,2\n")
        self.assertEqual((counts["stored"], counts["refused"], counts["keys"]), (2, 0, 3))
        self.assertIn('keys.csv, line 2, keys: the key "crm:7" already names the account "a1"', self.told)
        self.assertEqual(self.account("b1")[1], ["domain:b.example"])
        counts = self.file("keys.csv", "id,site,crm,size\nb3,d.example,7,1\n", "--strict", status=test_icp.DATA)
        self.assertEqual((counts["stored"], counts["refused"]), (0, 1))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
