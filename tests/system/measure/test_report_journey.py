#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""icp report journey: test_report_journey.py ICPD ICP.

Pages are well made, and every cell of their tables is what icp measure --json gives for the same events;
one account, one channel and one label are called as no page would like. Failures print the seed."""

import json
import os
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import icpd  # noqa: E402
from report_page import Page, number, plain, share  # noqa: E402

ICPD, ICP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
DAY = 86400000
HOSTILE = '<img src=x onerror="a()">&\'"'
AS_OF = ["--as-of", "2025-01-01"]
FIRST = 19358  # 2023-01-01
SCHEMA = '{"fields":[{"name":"sector","type":"category"},{"name":"land","type":"category"}]}'
# Tables of the page, what asks for the same, and whether it takes the list of prices.
ASKED = {"grey-table": ["grey"], "attribution-table": ["attribution"], "handoffs-table": ["handoffs", "--owners", "5"],
         "patterns-table": ["patterns", "--segment", "sector"], "motions-table": ["motions"],
         "yield-table": ["yield", "--segment", "sector"], "deals-table": ["focus", "--of", "won", "--segment", "sector"],
         "quarter-end-table": ["quarter-end"], "price-table": ["price", "--segment", "sector"],
         "referral-table": ["referral", "--segment", "sector"], "campaign-table": ["campaign", "--segment", "sector"]}
PRICED = ("quarter-end-table", "price-table")
LIST = ["--list", '{"Basic": 1000}']


def events(seed):
    r = random.Random(seed)
    names = [f"a{i:03}" for i in range(150)] + [HOSTILE]
    out = []

    def tell(account, what, day, **more):
        out.append({"account": account, "id": f"e{len(out):05}", "time": (FIRST + day) * DAY + DAY // 2,
                    "type": what, **more})

    for account in names:
        for number_ in range(r.randrange(1, 4)):
            subject, day, person = f"{account[:4]}-{number_}", r.randrange(500), r.choice(["ann", "bob", "cy"])
            for _ in range(r.randrange(0, 4)):
                tell(account, "touch", day - r.randrange(0, 30), kind=r.choice(["email", "call", HOSTILE[:60]]),
                     campaign=r.choice(["spring", "fair"]), function=r.choice(["sales", "marketing"]))
            tell(account, "stage", day, kind="created", subject=subject, person=person)
            if r.random() < 0.7:
                tell(account, "stage", day + 5, kind="demo", subject=subject, person=person)
            end = r.random()
            if end < 0.5:
                tell(account, "outcome", day + r.randrange(6, 90), kind="won", subject=subject, person=person,
                     amount=r.randrange(50000, 150000), currency="EUR", label=r.choice(["Basic", HOSTILE]))
            elif end < 0.8:
                tell(account, "outcome", day + r.randrange(6, 90), kind="lost", subject=subject, person=person,
                     label="price")
        if r.random() < 0.3:
            tell(account, "touch", 400, kind="referral", label=r.choice(names))
    return names, out


def shown(value, kind):
    """A cell of --json as the page shows it."""
    if value is None or value == "":
        return ""
    if kind == "text" or kind == "time":
        return str(value)
    if kind == "count":
        return str(value)
    return f"{value:.2f}" if kind == "money" else number(float(value))


class Journey(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = icpd.Server(ICPD)
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.addClassCleanup(cls.client.close)
        names, told = events(3)
        cls.client.call("schema-put", {"document": SCHEMA})
        cls.client.call("account-put", {"accounts": [
            {"id": name, "values": {"sector": "ABCDEFGHI"[i % 9] if name != HOSTILE else HOSTILE, "land": "DE"}}
            for i, name in enumerate(names)]})
        cls.client.call("event-append", {"events": told, "source": "crm"})
        listed = cls.client.call("measure-list", {})["measures"]
        cls.columns = {m["name"]: {c["name"]: c["kind"] for c in m["columns"]} for m in listed}

    def icp(self, *arguments):
        return subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", *arguments],
                              capture_output=True, text=True, check=False, env=dict(os.environ, LC_ALL="C.UTF-8"))

    def page(self, *arguments):
        got = self.icp("report", "journey", *AS_OF, *arguments)
        self.assertEqual(got.returncode, 0, got.stderr)
        page = Page(got.stdout)
        self.assertEqual(page.faults, [])
        return page, got.stdout

    def measure(self, *arguments):
        got = self.icp("measure", *arguments, "--json")
        self.assertEqual(got.returncode, 0, got.stderr)
        return json.loads(got.stdout)

    def compare(self, page, table, asked):
        rows = self.measure(*asked)
        kinds = self.columns[asked[0]]
        heads = [head.replace(" ", "_") for head in page.tables[table][0]]
        found = [plain(row) for row in page.rows(table)]
        right = [[plain([shown(row[head], kinds[head])])[0] for head in heads] for row in rows]
        self.assertEqual(found, right[:len(found)], table)
        self.assertEqual(len(found), min(len(rows), 200))
        for name in set(kinds) - set(heads):  # what is left out says nothing
            self.assertEqual({row[name] for row in rows[:len(found)]} - {None, ""}, set(), name)

    def test_figures_are_those_of_icp_measure_and_names_are_escaped(self):
        page, text = self.page("--segment", "sector", *LIST, "--account", HOSTILE)
        self.assertNotIn("<img", text)
        for table, asked in ASKED.items():
            self.compare(page, table, [*asked, *AS_OF] + (LIST if table in PRICED else [])
                         if asked[0] != "price" else [*asked, *LIST])
        owner = next(row["owner"] for row in self.measure("handoffs", "--owners", "5", *AS_OF) if row["row"] == "owner")
        self.compare(page, "gap-table", ["gap", "--a", owner, "--segment", "sector", *AS_OF])
        for row in page.rows("curve-table"):
            stages = {r["from"]: r for r in self.measure("handoffs", "--within", row[0], *AS_OF) if r["row"] == "stage"}
            self.assertEqual(row[1:], [share(stages[head]["within"]) for head in page.tables["curve-table"][0][1:]])
        self.assertIn("Not measured: insufficient: no subscription is told", text)
        path = [row for row in self.client.call("timeline", {"id": HOSTILE})["events"]]
        self.assertEqual(len(page.rows("path-table")), len(path))
        self.assertEqual([row[1] for row in page.rows("path-table")], [event["type"] for event in path])
        self.assertEqual(text, self.page("--segment", "sector", *LIST, "--account", HOSTILE)[1])

    def test_options_go_to_every_measure_that_has_them(self):
        page, _ = self.page("--segment", "sector", "--from", "2023-06-01", "--a", "bob", "--b", "cy", "--least", "5",
                            "--mature", "60", "--second", "land")
        same = ["--from", "2023-06-01", *AS_OF, "--least", "5"]
        self.compare(page, "handoffs-table", ["handoffs", "--owners", "5", "--mature", "60", *same])
        self.compare(page, "gap-table", ["gap", "--a", "bob", "--b", "cy", "--segment", "sector", "--mature", "60", *same])
        self.compare(page, "deals-table", ["focus", "--of", "won", "--segment", "sector", "--second", "land", *same])
        with self.assertRaises(AssertionError):  # the control: another owner's gap
            self.compare(page, "gap-table", ["gap", "--a", "ann", "--segment", "sector", "--mature", "60", *same])

    def test_what_is_missing_says_what_would_do(self):
        _, text = self.page("--filter", "land = 'FR'")
        for part in ("Not measured: insufficient: 0 journeys were won, 30 are needed",
                     "Not measured: --segment FIELD names the field", "Not measured: --a names a group"):
            self.assertIn(part, text)
        _, text = self.page("--a", "ann")
        self.assertIn("--segment FIELD makes strata that need none", text)

    def test_what_cannot_be_asked_is_told(self):
        for arguments, part in [(["--as-of", "soon"], "--as-of: 'soon' is no date"),
                                (["--segment", "none"], "the schema has no field 'none'"),
                                (["--account", "nobody"], "--account: there is no account 'nobody'"),
                                (["--channel", "colour"], "--channel: one of kind, motion"),
                                (["--list", "x"], "list prices are a JSON object"),
                                (["--tal", "none such"], "there is no target account list"),
                                (["now"], "is too much")]:
            got = self.icp("report", "journey", *arguments)
            self.assertNotEqual(got.returncode, 0, arguments)
            self.assertIn(part, got.stderr)
            self.assertEqual(got.stdout, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
