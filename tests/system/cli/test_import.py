#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What an import does to accounts that are there already: test_import.py ICP ICPD ROOT."""
import json
import os
import random
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
            "values_changed": 2, "values_lost": 0, "keys_added": 1, "keys_lost": 0, "values_kept": 0})
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


class Dates(test_icp.Served):
    """A date goes in as a file has it, and comes out as RFC 3339 everywhere."""

    def infer(self, name, content, *arguments):
        path = self.write(name, content)
        schema, told = test_icp.run("schema", "infer", path, *arguments)
        self.icp("schema", "put", self.write("schema.json", schema))
        return {field["name"]: field["type"] for field in json.loads(schema)["fields"]}, told

    def stored(self, account):
        values = json.loads(self.icp("get", account, "--json")[0])["values"]
        return {name: value["value"] for name, value in values.items()}

    def ids(self, expression):
        return self.icp("filter", expression, "--csv")[0].split()[1:]

    def test_from_a_file_to_filters(self):
        rows = ["id,signed,seen,size"]
        rows += [f"a{i},{i}.{1 + i % 12}.2023,2023-{1 + i % 12:02}-{i:02}T0{i % 10}:30:00+02:00,{i}"
                 for i in range(1, 29)]
        types, told = self.infer("a.csv", "\n".join(rows) + "\n")
        self.assertEqual(types, {"signed": "date", "seen": "date", "size": "number"})
        self.assertIn("'1.2.2023' is read as 2023-02-01", told)
        self.icp("import", self.path("a.csv"))
        self.assertEqual(self.stored("a3"), {"signed": "2023-04-03", "seen": "2023-04-03T01:30:00Z", "size": 3})
        self.assertEqual(self.ids("signed = '2023-04-03' and seen = '2023-04-03'"), ["a3"])
        self.assertEqual(self.ids("signed > '2023-12-10'"), ["a11", "a23"])
        self.assertEqual(len(self.ids("signed is missing")), 0)
        _, err = self.icp("filter", "signed > 'yesterday'", status=test_icp.DATA)
        self.assertIn("is not a date; write it like 2023-01-31", err)
        # The same values again change nothing.
        counts = json.loads(self.icp("import", self.path("a.csv"), "--dry-run", "--json")[0])["change"]
        self.assertEqual(counts["accounts_same"], 28)

    def test_what_could_be_two_dates_is_asked_for(self):
        lines = [f"a{i},0{1 + i % 9}/0{1 + i % 7}/2023,{i % 5}" for i in range(40)]
        types, told = self.infer("open.csv", "id,signed,size\n" + "\n".join(lines) + "\n")
        self.assertEqual(types, {"size": "number"})
        self.assertIn("first line 9: '08/01/2023'", told)
        self.assertIn("--dates dmy or mdy says which", told)
        types, told = self.infer("open.csv", "id,signed,size\n" + "\n".join(lines) + "\n", "--dates", "mdy")
        self.assertEqual(types, {"signed": "date", "size": "number"})
        rows = "id,signed,size\na,03/04/2023,1\nb,05/06/2023,2\nc,,3\nd,soon,4\n"
        schema = {"id": "id", "fields": [{"name": "signed", "type": "date"}, {"name": "size", "type": "number"}]}
        self.icp("schema", "put", self.write("schema.json", json.dumps(schema)))
        out, err = self.icp("import", self.write("a.csv", rows), "--json")
        self.assertEqual((json.loads(out)["stored"], json.loads(out)["values_left_out"]), (4, 3))
        self.assertIn("a.csv, line 2, column 3, signed: '03/04/2023' could be two dates", err)
        self.assertIn("'soon' is not a date", err)
        self.assertEqual(self.stored("a"), {"size": 1})
        self.icp("import", self.path("a.csv"), "--dates", "dmy")
        self.assertEqual(self.stored("a")["signed"], "2023-04-03")
        self.icp("import", self.path("a.csv"), "--dates", "mdy")
        self.assertEqual(self.stored("a")["signed"], "2023-03-04")
        self.icp("import", self.path("a.csv"), "--dates", "ymd", status=test_icp.USAGE)

    def test_a_client_gives_and_gets_text(self):
        self.icp("schema", "put", self.write("schema.json", json.dumps(
            {"fields": [{"name": "signed", "type": "date"}, {"name": "size", "type": "number"}]})))
        with test_icp.icpd.Client(self.server.port) as client:
            client.call("account-put", {"accounts": [
                {"id": "x", "values": {"signed": "2023-01-08T01:00:00+01:00"}},
                {"id": "y", "values": {"signed": "Jan 9, 2023 10:00:00.5", "size": 1}}]})
            self.assertEqual(client.call("account-get", {"id": "x"})["values"]["signed"]["value"], "2023-01-08")
            self.assertEqual(client.call("account-get", {"id": "y"})["values"]["signed"]["value"],
                             "2023-01-09T10:00:00.500Z")
            for wrong in (1673136000000, "01/02/2023", True, "2023-02-30"):
                with self.assertRaises(test_icp.icpd.Refused) as refused:
                    client.call("account-put", {"accounts": [{"id": "z", "values": {"signed": wrong}}]})
                self.assertEqual((refused.exception.code, refused.exception.field),
                                 ("bad-field", "accounts[0].values.signed"))
            page = client.call("filter", {"filter": "signed < '2023-01-09'", "fields": ["signed"]})
            self.assertEqual((page["ids"], page["values"]), (["x"], [{"signed": "2023-01-08"}]))

    def test_learning_splits_by_a_date_and_does_not_learn_from_one(self):
        dice = random.Random(7)
        rows = ["id,created,closed,size,won"]
        for i in range(3000):
            size = dice.randrange(1000)
            won = "yes" if dice.random() < 0.1 + size / 1500 else "no"
            rows.append(f"a{i},2022-{1 + i % 12:02}-{1 + i % 28:02},2023-{1 + i % 12:02}-01,{size},{won}")
        self.infer("a.csv", "\n".join(rows) + "\n", "--label", "won")
        self.icp("import", self.path("a.csv"))
        out, _ = self.icp("learn", "--label", "won", "--time-field", "created", "--json")
        evidence = json.loads(out)["evidence"]
        self.assertEqual(evidence["holdout"]["split"], "time")
        learned = json.loads(self.icp("show", "1", "--json")[0])
        self.assertNotIn("closed", [column["field"] for column in learned["codebook"]["columns"]])
        _, err = self.icp("learn", "--label", "won", "--fields", "closed,size", status=test_icp.DATA)
        self.assertIn('"closed" is a date', err)
        out, _ = self.icp("similar", "--build", "--json")
        self.icp("similar", "--id", "a1", "--json")
        # A score takes dates, and is the same with them.
        with test_icp.icpd.Client(self.server.port) as client:
            plain = client.call("score", {"icp": 1, "values": {"size": 900}})
            dated = client.call("score", {"icp": 1, "values": {"size": 900, "closed": "2023-05-01"}})
            self.assertEqual(plain["raw"], dated["raw"])


class Matching(Accounts):
    def test_any_key_finds_the_account_and_only_what_is_new_is_made(self):
        # No ids of ours: the second system has its own key and its own names of columns.
        counts = self.file("billing.csv", "customer,Website,crm,Staff\nc1,http://www.one.example/x,,11\nc2,,8,21\n"
                           "c3,three.example,,31\n", "--match", "domain,crm", "--key", "domain=Website",
                           "--key", "billing=customer", "--map", "Staff=size", "--source", "billing")
        self.assertEqual((counts["stored"], counts["created"], counts["refused"]), (3, 1, 0))
        self.assertEqual(self.account("a1"), ({"land": "SE", "size": 11, "paid": True, "tools": ["x", "y"]},
                                              ["billing:c1", "crm:7", "domain:one.example"]))
        self.assertEqual(self.account("a2")[0]["size"], 21)
        self.assertEqual(self.account("three.example"), ({"size": 31}, ["billing:c3", "domain:three.example"]))
        # Once more, and nothing is new.
        out, _ = self.icp("import", self.path("billing.csv"), "--match", "billing", "--key", "billing=customer",
                          "--map", "Staff=size", "--json")
        self.assertEqual(json.loads(out)["created"], 0)

    def test_a_row_that_is_two_accounts_is_refused_with_both_ids(self):
        counts = self.file("mixed.csv", "site,crm,size\none.example,8,5\nnew.example,9,6\n", "--match", "domain",
                           "--match", "crm", "--rejects", self.path("rejects.csv"), status=test_icp.DATA)
        self.assertEqual((counts["stored"], counts["refused"]), (1, 1))
        rejects = self.read("rejects.csv").decode()
        for part in ("2,", 'a1', "domain:one.example", "a2", "crm:8", "row refused"):
            self.assertIn(part, rejects)
        self.assertEqual((self.account("a1")[0]["size"], self.account("a2")[0]["size"]), (10, 20))
        # An id counts as a key does.
        counts = self.file("ids.csv", "id,crm,size\na1,8,5\n", "--match", "crm", status=test_icp.DATA)
        self.assertEqual(counts["refused"], 1)

    def test_a_row_that_cannot_be_anybodys_or_is_there_already_is_told(self):
        counts = self.file("odd.csv", "site,size\none.example,5\n,6\nwww.one.example,7\ngmail.com,8\n",
                           "--match", "domain", status=test_icp.DATA)
        self.assertEqual((counts["stored"], counts["refused"]), (1, 3))
        self.assertIn("odd.csv, line 3: no id, and none of the keys", self.told)
        self.assertIn("line 4, column 1, site: domain:one.example stands on line 2 already", self.told)
        # The same account by two different keys.
        counts = self.file("twice.csv", "site,crm,size\none.example,,5\n,7,6\n", "--match", "domain,crm",
                           status=test_icp.DATA)
        self.assertIn('line 3: the account "a1" (found by crm:7) is that of line 2 already', self.told)

    def test_a_dry_run_finds_accounts_too(self):
        counts = self.file("some.csv", "site,size\none.example,10\nnew.example,6\n", "--match", "domain", "--dry-run")
        self.assertEqual((counts["change"]["accounts_same"], counts["change"]["accounts_added"]), (1, 1))

    def test_a_name_in_other_case_is_the_field(self):
        counts = self.file("case.csv", "ID,SIZE,Land,land\na1,77,XX,YY\n")
        self.assertEqual((counts["stored"], self.account("a1")[0]["size"], self.account("a1")[0]["land"]), (1, 77, "YY"))

    def test_what_to_match_must_be_a_key(self):
        _, err = self.icp("import", self.write("x.csv", "id,size\na1,5\n"), "--match", "vat", status=test_icp.USAGE)
        self.assertIn("no column of", err)
        self.assertIn("--key vat=COLUMN", err)

    def test_a_mapping_is_written_and_read(self):
        path = self.write("second.csv", "Konto,Netz,Land,Leute\na1,one.example,DK,5\na2,two.example,DK,6\nb1,b.example,SE,7\n")
        text, _ = test_icp.run("schema", "infer", path, "--id", "Konto", "--key", "domain=Netz", "--map")
        mapping = json.loads(text)
        self.assertEqual(mapping, {"id": "Konto", "keys": {"domain": "Netz"},
                                   "columns": {"Land": "Land", "Leute": "Leute"}})
        mapping["columns"] = {"Land": "", "Leute": "size"}
        out, _ = self.icp("import", path, "--map", self.write("map.json", json.dumps(mapping)), "--json")
        self.assertEqual(json.loads(out)["created"], 1)
        self.assertEqual(self.account("a1")[0], {"land": "SE", "size": 5, "paid": True, "tools": ["x", "y"]})
        self.assertEqual(self.account("b1"), ({"size": 7}, ["domain:b.example"]))
        for wrong, told in (("{", "line 1"), ('{"fields": []}', "'fields' is not what a mapping has"),
                            ('{"columns": {"Leuten": "size"}}', "did you mean 'Leute'"),
                            ('{"id": "Konto", "columns": {"Leute": "sise"}}', "did you mean 'size'"),
                            ('{"id": "Konto", "columns": {"Leute": "size", "Land": "size"}}',
                             "are both the field 'size'")):
            _, err = self.icp("import", path, "--id", "Konto", "--map", self.write("w.json", wrong), status=test_icp.DATA)
            self.assertIn(told, err)

    def test_values_of_a_later_time_stay(self):
        self.file("now.csv", "id,size,land\na1,50,\n", "--time", "2023-05-01")
        counts = self.file("then.csv", "id,size,land,paid\na1,9,FI,no\na4,4,FI,no\n", "--time", "2017-05-01T12:00:00+02:00")
        # a1's values of the first file are of today.
        self.assertEqual((counts["change"]["values_kept"], counts["created"]), (3, 1))
        self.assertEqual(self.account("a1")[0], {"land": "SE", "size": 10, "paid": True, "tools": ["x", "y"]})
        counts = self.file("later.csv", "id,size,land,paid\na4,5,,yes\n", "--time", "2018-05-01", "--dry-run")
        self.assertEqual((counts["change"]["values_changed"], counts["change"]["values_kept"]), (2, 0))
        self.file("later.csv", "id,size\na4,5\n", "--time", "2018-05-01")
        self.file("then.csv", "id,size,paid\na4,6,\n", "--time", "2018-04-30")
        self.assertEqual(self.account("a4")[0], {"land": "FI", "size": 5, "paid": False})
        got = json.loads(self.icp("get", "a4", "--json")[0])["values"]
        self.assertEqual((got["size"]["time"], got["size"]["source"]), (1525132800000, "later.csv"))
        # Whatever is imported without a time is of now.
        self.file("free.csv", "id,size\na4,7\n")
        self.assertEqual(self.account("a4")[0]["size"], 7)

    def test_a_time_ahead_or_none_is_refused(self):
        path = self.write("ahead.csv", "id,size\na1,5\n")
        _, err = self.icp("import", path, "--time", "2199-01-01", status=test_icp.DATA)
        self.assertIn("more than a day ahead", err)
        _, err = self.icp("import", path, "--time", "soon", status=test_icp.USAGE)
        self.assertIn("--time: 'soon' is no date", err)
        self.assertEqual(self.account("a1")[0]["size"], 10)

    def test_ids_that_a_spreadsheet_has_rewritten_are_told(self):
        head = "id,crm,size\n"
        self.file("digits.csv", head + "00123,1,1\n4007,2,1\n77.0,3,1\nb-1,4,1\n")
        for row, told in (("123,,2", "'123' on line 2 is new, but '00123' is stored (1 of the first 1 "),
                          ("004007,,2", "'004007' on line 2 is new, but '4007' is stored"),
                          ("4007.0,,2", "'4007.0' on line 2 is new, but '4007' is stored"),
                          ("77,,2", "'77' on line 2 is new, but '77.0' is stored")):
            self.file("again.csv", head + row + "\n", "--dry-run")
            self.assertIn(told, self.told)
        for row in ("00123,,2", "4007,,2", "77.0,,2", "b-2,,2", "9999,,2"):
            self.file("again.csv", head + row + "\n", "--dry-run")
            self.assertNotIn("is stored", self.told)
        # Keys are ids of other systems.
        self.file("keys.csv", head + "b-2,900100.0,1\n", "--dry-run")
        self.assertIn("1 ids look rewritten by a spreadsheet, first '900100.0' on line 2", self.told)

    def test_a_source_that_goes_before_keeps_its_values(self):
        order = ("--precedence", "crm,billing")
        self.file("c.csv", "id,land,size\na1,DK,1\n", "--source", "crm", *order)
        counts = self.file("b.csv", "id,land,size,paid\na1,FI,2,no\na3,FI,3,no\n", "--source", "billing", *order)
        self.assertEqual((counts["change"]["values_kept"], counts["created"]), (2, 1))
        self.assertEqual(self.account("a1")[0], {"land": "DK", "size": 1, "paid": False, "tools": ["x", "y"]})
        # The order is the import's: without it the last one wins.
        self.file("b.csv", "id,land,size\na1,FI,2\n", "--source", "billing")
        self.assertEqual(self.account("a1")[0]["size"], 2)
        self.file("c.csv", "id,size\na1,4\n", "--source", "crm", *order)
        self.assertEqual(self.account("a1")[0]["size"], 4)
        self.icp("import", self.path("c.csv"), "--replace", *order, status=test_icp.USAGE)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
