#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Files as programs of other people write them, through icp: test_files.py ICP ICPD ROOT."""
import csv
import json
import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import test_icp  # noqa: E402


class Files(test_icp.Served):
    """Files as programs of other people write them: each goes in whole, or says what is wrong."""

    def imported(self, name, content, *arguments, status=0):
        path = self.write(name, content)
        schema, told = test_icp.run("schema", "infer", path, *[a for a in arguments if a != "--strict"])
        self.icp("schema", "put", self.write(name + ".json", schema))
        out, err = self.icp("import", path, *arguments, "--json", status=status)
        self.types = {f["name"]: f["type"] for f in json.loads(schema)["fields"]}
        return json.loads(out), told + err

    def value(self, account, field):
        values = json.loads(self.icp("get", account, "--json")[0])["values"]
        return values[field]["value"] if field in values else None

    def stored(self, counts):
        return counts["stored"], counts["refused"], counts["values_left_out"]

    def test_a_comma_in_a_header_and_a_line_that_names_the_sign(self):
        counts, _ = self.imported("a.csv", "Firma;Umsatz (EUR, netto);Stadt\r\nf1;1500;Ulm\r\nf2;90;Ulm\r\n")
        self.assertEqual(self.stored(counts), (2, 0, 0))
        self.assertEqual(self.value("f1", "Umsatz (EUR, netto)"), 1500)
        counts, _ = self.imported("b.csv", "sep=;\r\nid;size\r\nb1;10\r\nb2;20\r\n")
        self.assertEqual(self.stored(counts), (2, 0, 0))
        # Told wins over found, and what is no sign is refused.
        out, _ = test_icp.run("schema", "infer", self.write("c.csv", "id,x|y,z\n1,2|3,4\n2,3|4,5\n"), "--separator", "|")
        self.assertEqual([f["name"] for f in json.loads(out)["fields"]], ["y,z"])
        _, err = test_icp.run("schema", "infer", self.path("c.csv"), "--separator", "ab", status=test_icp.USAGE)
        self.assertIn("one sign is wanted", err)
        _, err = test_icp.run("schema", "infer", self.path("c.csv"), "--encoding", "utf8", status=test_icp.USAGE)
        self.assertIn("none of utf-8, utf-16, latin1", err)

    def test_rows_that_end_early_or_late_or_hold_nothing(self):
        counts, told = self.imported("a.csv", "id,size,land,note\na,1,SE,x\nb,2,NO\nc,3\nd,4,DK,,\n,,,\n")
        self.assertEqual(self.stored(counts), (4, 0, 0))
        self.assertIn("2 rows end before the header does, first line 3", told)
        self.assertEqual(self.value("c", "size"), 3)
        self.icp("learn", "--label", "size > 2", status=test_icp.DATA)  # too few, but no fault

    def test_german_numbers_and_a_latin_encoding(self):
        rows = [f"k{i};{100 + i}.{141 + i};{i % 90},{i % 10}7;Caf\xe9" for i in range(40)]
        counts, told = self.imported("a.csv", ("id;umsatz;anteil;name\n" + "\n".join(rows) + "\n").encode("latin1"))
        self.assertEqual(self.stored(counts), (40, 0, 0))
        self.assertEqual(self.value("k3", "umsatz"), 103144)
        self.assertAlmostEqual(self.value("k3", "anteil"), 3.37)
        self.assertIn("Windows-1252", told)
        self.assertIn("decimal comma", told)
        self.icp("import", self.path("a.csv"), "--decimal", "point")
        self.assertAlmostEqual(self.value("k3", "umsatz"), 103.144)

    def test_utf16_is_read(self):
        counts, told = self.imported("a.csv", "id\tsize\tort\nü1\t5\tKöln\nü2\t6\tKöln\n".encode("utf-16"))
        self.assertEqual(self.stored(counts), (2, 0, 0))
        self.assertEqual(self.value("ü1", "size"), 5)
        self.assertIn("UTF-16", told)

    def test_amounts_flags_and_errors_of_spreadsheets(self):
        rows = [f"a{i},$%d.5M,%s,%s,%s" % (i + 1, "Ja" if i % 2 else "Nein", "#DIV/0!" if i % 5 == 0 else i,
                "10001-1234" if i % 7 == 0 else 20001 + i % 5) for i in range(60)]
        counts, told = self.imported("a.csv", "id,money,answer,growth,zip\n" + "\n".join(rows) + "\n")
        self.assertEqual(self.stored(counts), (60, 0, 0))
        self.assertEqual(self.types, {"money": "number", "answer": "flag", "growth": "number", "zip": "category"})
        self.assertEqual(self.value("a3", "money"), 4500000)
        self.assertIs(self.value("a3", "answer"), True)
        self.assertIsNone(self.value("a5", "growth"))
        self.assertEqual(self.value("a7", "zip"), "10001-1234")
        self.assertIn("'$1.5M' is read as 1500000", told)

    def test_a_bad_cell_costs_the_cell(self):
        rows = [f"a{i},{i}" for i in range(30)] + ["bad,12 people"]
        counts, told = self.imported("a.csv", "id,size\n" + "\n".join(rows) + "\n")
        self.assertEqual(self.stored(counts), (31, 0, 1))
        self.assertIn("line 32, column 5, size: '12 people' is not a number", told)
        counts, _ = self.imported("b.csv", "id,size\n" + "\n".join(rows) + "\n", "--strict", status=test_icp.DATA)
        self.assertEqual(self.stored(counts), (30, 1, 0))
        # A row of leads is scored all the same, in its place.
        self.learned(2000)
        leads = self.write("leads.csv", "industry,employees,note\nSoftware,many,x\nRetail,20\nRetail,30,y,\n")
        _, err = self.icp("score", "--csv", leads, "--out", self.path("out.csv"), "--values-only")
        with open(self.path("out.csv"), newline="", encoding="utf-8") as file:
            out = list(csv.DictReader(file))
        self.assertEqual([row["note"] for row in out], ["x", "", "y"])
        self.assertTrue(all(row["grade"] in "ABCD" for row in out))
        self.assertIn("'many' is not a number", err)

    def test_namibia_is_a_country(self):
        codes = ("NA", "ZA", "DE", "FR", "SE", "NO")
        rows = [f"a{i},{codes[i % 6]},{'NA' if i % 4 == 0 else 'good' if i % 2 else 'poor'}" for i in range(120)]
        counts, told = self.imported("a.csv", "id,country,state_of_it\n" + "\n".join(rows) + "\n")
        self.assertEqual(self.stored(counts), (120, 0, 0))
        self.assertEqual(self.icp("count", "country = 'NA'")[0], "20 of 120 accounts\n")
        self.assertEqual(self.icp("count", "state_of_it is missing")[0], "30 of 120 accounts\n")
        self.assertIn("'NA' is one of its codes", told)

    def test_ids_that_a_spreadsheet_rewrote_are_told(self):
        _, told = self.imported("a.csv", "id,size\n1001.0,1\n1002.0,2\nx3,3\n")
        self.assertIn("2 ids look rewritten by a spreadsheet, first '1001.0' on line 2", told)
        _, told = self.imported("b.csv", "id,size\n1.001E+03,1\nx2,2\n")
        self.assertIn("1 ids look rewritten", told)
        _, told = self.imported("c.csv", "id,size\n1001,1\nE5,2\n1.5,2\n")
        self.assertIn("'1001' on line 2 is new, but '1001.0' is stored", told)
        _, told = self.imported("d.csv", "id,size\n1003,1\nE6,2\n1.6,2\n")
        self.assertNotIn("rewritten", told)

    def test_formulas_are_guarded_for_a_spreadsheet(self):
        self.imported("a.csv", 'id,group\n=1+1,"=HYPERLINK(""x"")"\n+2,@SUM(1)\n-3,plain\na4,plain\n')
        plain = self.icp("filter", "true", "--fields", "group", "--csv")[0]
        self.assertIn("\n=1+1,", plain)
        guarded = self.icp("filter", "true", "--fields", "group", "--csv", "--for-spreadsheet")[0]
        self.assertIn("\"'=1+1\",\"'=HYPERLINK(\"\"x\"\")\"\n", guarded)
        self.assertIn("\n-3,plain\n", guarded)
        self.icp("filter", "true", "--for-spreadsheet", status=test_icp.USAGE)
        self.learned(2000)
        leads = self.write("leads.csv", 'note,industry\n"=1+1, ""x""",Software\nplain,Retail\n')
        self.icp("score", "--csv", leads, "--out", self.path("out.csv"), "--for-spreadsheet")
        self.assertIn(b'\n"\'=1+1, ""x""",Software,', self.read("out.csv"))
        self.assertIn(b"\nplain,Retail,", self.read("out.csv"))

    def test_an_id_never_moves_the_cursor(self):
        evil = "evil\x9b31mred"
        self.imported("a.csv", f"id,size\n{evil},1\nb,2\n")
        out, _ = self.icp("filter", "true")
        self.assertIn("evil\\xc2\\x9b31mred", out)
        out, err = self.icp("get", "a\033[2Jb", status=test_icp.DATA)
        self.assertNotIn("\033", out + err)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[4:], verbosity=2)
