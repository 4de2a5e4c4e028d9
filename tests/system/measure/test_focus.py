#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Where a company sells and what it gets, measured over a server's events: test_focus.py ICPD ICP ROOT.

A random company with deals, subscriptions, referrals and campaigns is told to a server and measured beside
independent sums of this file; assortativity beside the table of who referred whom. Published values are asked where the files of ICP_TEST_DATA are. Failures print the seed."""

import csv
import datetime
import io
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICPD, ICP, ROOT = (os.path.abspath(sys.argv.pop(1)) for _ in range(3))
REAL = os.environ.get("ICP_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
DAY = 86400000
EPOCH = datetime.date(1970, 1, 1)
FIRST = (datetime.date(2023, 1, 1) - EPOCH).days
AS_OF = "2025-01-01"
AS_OF_DAY = (datetime.date(2025, 1, 1) - EPOCH).days
SCHEMA = '{"fields":[{"name":"sector","type":"category"},{"name":"land","type":"category"},' \
         '{"name":"by","type":"category"}]}'
LIST = {"Basic": 1000, "Pro": 3000}


def icp(*arguments, port=None, folder="."):
    uri = ["--uri", f"icp://127.0.0.1:{port}"] if port else []
    return subprocess.run([ICP, *uri, *arguments], cwd=folder, capture_output=True, text=True,
                          check=False, env=dict(os.environ, LC_ALL="C.UTF-8"))


def rows_of(got):
    return list(csv.DictReader(io.StringIO(got.stdout)))


def month_quarter(day):
    date = EPOCH + datetime.timedelta(day)
    return date.year * 4 + (date.month - 1) // 3


def quarter_last(day):
    """Last day of the quarter of a day."""
    year, quarter = divmod(month_quarter(day) + 1, 4)
    return (datetime.date(year, quarter * 3 + 1, 1) - EPOCH).days - 1


class Company:
    """Deals of accounts with a sector and a land, who referred whom, campaigns and what followed."""

    def __init__(self, seed, count=240):
        self.random = r = random.Random(seed)
        self.accounts = {f"a{i:03}": {"sector": r.choice("ABCDEFGHIJ"), "land": r.choice(["DE", "FR", None])}
                         for i in range(count)}
        self.events, self.deals, self.referrals, self.members, self.churns = [], [], [], [], {}
        self.plans = []
        names = list(self.accounts)
        for account in names:
            for number in range(r.randrange(0, 4)):
                self.deal(account, f"{account}-d{number}")
            if r.random() < 0.4:
                self.subscribe(account)
            if r.random() < 0.3:
                near = [n for n in names if self.accounts[n]["sector"] == self.accounts[account]["sector"]]
                by = r.choice(near if r.random() < 0.5 else names)
                self.accounts[account]["by"] = by
                self.tell(account, "touch", r.randrange(600), kind="referral", label=by)
                if by != account:
                    self.referrals.append((by, account))
            if r.random() < 0.5:
                self.campaign(account)
        self.tell(names[0], "touch", 5, kind="referral", label="nobody at all")

    def tell(self, account, what, day, **more):
        event = {"account": account, "id": f"e{len(self.events):05}", "time": (FIRST + day) * DAY, "type": what, **more}
        self.events.append(event)
        return event

    def deal(self, account, subject):
        r = self.random
        day = r.randrange(500)
        end = day + r.randrange(1, 150)
        self.tell(account, "stage", day, kind="created", subject=subject, person=r.choice(["ann", "bob"]))
        how = r.choice(["won", "won", "lost", "open"])
        amount, label, seats = None, None, None
        if how == "won":
            label, seats = r.choice(["Basic", "pro", "Other"]), r.choice([None, 2, 5])
            amount = r.randrange(500, 3000) * 100 * (seats or 1)
            more = {"quantity": seats * 1000} if seats else {}
            self.tell(account, "outcome", end, kind="won", subject=subject, amount=amount, currency="EUR",
                      label=label, **more)
            if r.random() < 0.2:
                gone = end + r.randrange(0, 400)
                self.churns.setdefault(account, []).append(gone)
                self.tell(account, "outcome", gone, kind="churned", subject=subject + "-x")
        elif how == "lost":
            self.tell(account, "outcome", end, kind="lost", subject=subject)
        self.deals.append((account, FIRST + day, FIRST + end, how, amount, label, seats))

    def subscribe(self, account):
        r = self.random
        seats, months = r.choice([1, 4]), r.choice([1, 12])
        amount = r.randrange(1, 100) * 1200 * seats
        self.tell(account, "subscription", r.randrange(400), subject=account + "-s", amount=amount, currency="EUR",
                  months=months, label="Basic", quantity=seats * 1000)
        self.plans.append((account, amount / months, seats))

    def campaign(self, account):
        r = self.random
        day, name = r.randrange(300, 728), r.choice(["spring", "fair"])
        self.tell(account, "touch", day, kind="email", campaign=name)
        if r.random() < 0.3:
            self.tell(account, "touch", day + 1, kind="email", campaign=name)
        work = r.randrange(0, 20) if r.random() < 0.6 else None
        if work is not None and day + work <= AS_OF_DAY - FIRST:
            self.tell(account, "touch", day + work, kind="call", function="sales", person="cy")
        else:
            work = None
        self.members.append((account, name, FIRST + day, work))

    def churned(self, account, day):
        return any(day <= FIRST + gone <= day + 365 for gone in self.churns.get(account, []))


def assortativity(pairs):
    """Of pairs of segments, by the table of shares (Newman 2003)."""
    names = sorted({s for pair in pairs for s in pair})
    n = len(pairs)
    same = sum(a == b for a, b in pairs) / n
    chance = sum(sum(a == s for a, _ in pairs) / n * sum(b == s for _, b in pairs) / n for s in names)
    return (same - chance) / (1 - chance)


class Focus(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.company = company = Company(7)
        cls.server = icpd.Server(ICPD)
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.addClassCleanup(cls.client.close)
        cls.client.call("schema-put", {"document": SCHEMA})
        cls.client.call("account-put", {"accounts": [
            {"id": a, "values": {name: value for name, value in values.items() if value}}
            for a, values in company.accounts.items()]})
        cls.client.call("event-append", {"events": company.events, "source": "crm"})

    def measure(self, *arguments):
        got = icp("measure", *arguments, "--csv", port=self.server.port)
        self.assertEqual(got.returncode, 0, got.stderr)
        return rows_of(got)

    def compare_focus(self, rows, weights, groups):
        """weights: what each account is worth; groups: of each its group."""
        for by in ("logos", "value"):
            of = {a: 1 if by == "logos" else w for a, w in weights.items()}
            total, sums = sum(of.values()), {}
            for account, weight in of.items():
                sums[groups[account]] = sums.get(groups[account], 0) + weight
            hhi = sum((s / total) ** 2 for s in sums.values())
            squares = sum(w * w for w in of.values())
            found = {row["row"]: row for row in rows if row["by"] == by and row["row"] != "group"}
            self.assertAlmostEqual(float(found["hhi"]["value"]), hhi, 12)
            self.assertAlmostEqual(float(found["effective"]["value"]), 1 / hhi, 9)
            self.assertAlmostEqual(float(found["unbiased"]["value"]), (sum(s * s for s in sums.values()) - squares)
                                   / (total * total - squares), 12)
            self.assertLess(float(found["hhi"]["low"]), hhi)
            self.assertGreater(float(found["hhi"]["high"]), hhi)
            deal = total / len(of)
            shares = {row["group"]: row for row in rows if row["by"] == by and row["row"] == "group"}
            self.assertEqual(set(shares), set(sums))
            for group, row in shares.items():
                self.assertAlmostEqual(float(row["value"]), sums[group] / total, 12)
                after = dict(sums, **{group: sums[group] + deal})
                grown = sum((s / (total + deal)) ** 2 for s in after.values())
                self.assertAlmostEqual(float(row["next"]), grown - hhi, 12)

    def test_concentration_is_that_of_the_sums(self):
        company = self.company
        sector = {a: v["sector"] for a, v in company.accounts.items()}
        pair = {a: f"{v['sector']} / {v['land'] or '(none)'}" for a, v in company.accounts.items()}
        won, paid = {}, {}
        for account, _, _, how, amount, *_ in company.deals:
            if how == "won":
                won[account] = won.get(account, 0) + amount
        for account, monthly, _ in company.plans:
            paid[account] = 12 * int(monthly + 0.5)
        asked = ["focus", "--segment", "sector", "--as-of", AS_OF, "--top", "100"]
        self.compare_focus(self.measure(*asked, "--of", "won"), won, sector)
        self.compare_focus(self.measure(*asked, "--of", "won", "--second", "land"), won, pair)
        self.compare_focus(self.measure(*asked), paid, sector)
        with self.assertRaises(AssertionError):  # the control: a deal that was not told
            self.compare_focus(self.measure(*asked, "--of", "won"), dict(won, **{next(iter(won)): 1}), sector)

    def cells(self, deals):
        won = [d for d in deals if d[3] == "won"]
        prices = {"Basic": 1000, "pro": 3000}
        listed = [d for d in won if d[5] in prices]
        watched = [d for d in won if d[2] + 365 <= AS_OF_DAY]
        return {"n": len(deals), "won": len(won), "discount_n": len(listed), "churn_n": len(watched),
                "discount": 1 - sum(d[4] for d in listed) / 100 / sum(prices[d[5]] * (d[6] or 1) for d in listed)
                if listed else None,
                "churn": sum(self.company.churned(d[0], d[2]) for d in watched) / len(watched) if watched else None}

    def compare_cells(self, row, deals):
        for name, value in self.cells(deals).items():
            if value is None:
                self.assertEqual(row[name], "", name)
            else:
                self.assertAlmostEqual(float(row[name]), value, 12, name)

    def test_quarter_ends_are_those_of_the_calendar(self):
        asked = ["quarter-end", "--as-of", AS_OF, "--list", json.dumps(LIST), "--days", "20"]
        rows = self.measure(*asked)
        closed = [d for d in self.company.deals if d[3] != "open" and d[2] <= AS_OF_DAY]
        last = [d for d in closed if quarter_last(d[2]) - d[2] <= 20]
        before = [d for d in closed if d not in last]
        self.compare_cells(rows[0], last)
        self.compare_cells(rows[1], before)
        self.assertAlmostEqual(float(rows[2]["won_share"]), float(rows[0]["won_share"]) -
                               float(rows[1]["won_share"]), 12)
        self.assertEqual(sum(int(row["n"]) for row in rows if row["row"] == "week"), len(closed))
        cohorts = {row["of"]: row for row in rows if row["row"] == "cohort"}
        for row in cohorts.values():
            quarter = month_quarter((datetime.date.fromisoformat(row["of"]) - EPOCH).days)
            mine = [d for d in self.company.deals if month_quarter(d[1]) == quarter]
            mature = [d for d in mine if d[1] <= AS_OF_DAY - 90]
            self.assertEqual((int(row["n"]), int(row["immature"])), (len(mature), len(mine) - len(mature)))
            self.assertEqual(int(row["won"]), sum(d[3] == "won" and d[2] - d[1] <= 90 for d in mature))
        shifted = self.measure(*asked, "--first-month", "2")
        self.assertNotEqual(shifted[0]["n"], rows[0]["n"])

    def test_prices_are_medians_and_discounts_ratios(self):
        rows = {(row["segment"], row["package"]): row for row in
                self.measure("price", "--segment", "land", "--list", json.dumps(LIST), "--least", "5")}
        won = [d for d in self.company.deals if d[3] == "won"]
        for (segment, package), row in rows.items():
            mine = [d for d in won if segment in ("all", self.company.accounts[d[0]]["land"] or "(none)")]
            of = [d for d in mine if package in ("all", d[5])]
            self.assertEqual(int(row["n"]), len(of))
            self.assertAlmostEqual(float(row["share"]), len(of) / len(mine), 12)
            self.assertAlmostEqual(float(row["price"]), statistics.median(d[4] / (d[6] or 1) for d in of) / 100, 9)
            self.assertAlmostEqual(float(row["amount"]), sum(d[4] for d in of) / 100, 2)
            discount = self.cells(of)["discount"]
            self.assertEqual(row["discount"] == "", discount is None)
            if discount is not None:
                self.assertAlmostEqual(float(row["discount"]), discount, 12)
        self.assertEqual(rows["all", "pro"]["list"], "3000")
        plans = self.measure("price", "--of", "subscriptions", "--least", "5")
        self.assertEqual(int(plans[0]["n"]), len(self.company.plans))
        self.assertAlmostEqual(float(plans[0]["price"]),
                               statistics.median(paid / seats / 100 for _, paid, seats in self.company.plans), 9)

    def test_referrals_are_a_network(self):
        company = self.company
        sector = {a: v["sector"] for a, v in company.accounts.items()}
        pairs = [(sector[a], sector[b]) for a, b in company.referrals]
        rows = self.measure("referral", "--segment", "sector", "--as-of", AS_OF)
        figures = {(row["figure"], row["of"]): row for row in rows}
        self.assertAlmostEqual(float(rows[0]["value"]), assortativity(pairs), 12)
        self.assertLessEqual(float(rows[0]["p"]), 0.05)
        accounts = {a for pair in company.referrals for a in pair}
        self.assertAlmostEqual(float(figures["density", ""]["value"]),
                               len(pairs) / len(accounts) / (len(accounts) - 1), 12)
        self.assertEqual(int(rows[0]["n"]), len(pairs))
        self.assertAlmostEqual(float(figures["unknown", ""]["value"]), 1 / (len(pairs) + 1), 12)
        won = {d[0] for d in company.deals if d[3] == "won"}
        known = won | {d[0] for d in company.deals if d[3] == "lost" or d[1] <= AS_OF_DAY - 90} | \
            {e["account"] for e in company.events if e["type"] == "touch" and e["time"] <= (AS_OF_DAY - 90) * DAY}
        referred = {b for _, b in company.referrals}
        for name, side in (("referred", known & referred), ("others", known - referred)):
            self.assertEqual(int(figures["rate", name]["n"]), len(side))
            self.assertAlmostEqual(float(figures["rate", name]["value"]), len(won & side) / len(side), 12)
        brought = sum(a in won and b in won for a, b in company.referrals)
        self.assertAlmostEqual(float(figures["reproduction", ""]["value"]), brought / len(won), 12)
        self.assertEqual(figures["lift", ""]["verdict"], "at equal segment: no ICP version is active")
        field = self.measure("referral", "--segment", "sector", "--as-of", AS_OF, "--field", "by")
        self.assertEqual([row for row in field if row["figure"] != "unknown"],
                         [row for row in rows if row["figure"] != "unknown"])
        few = self.measure("referral", "--segment", "land", "--as-of", AS_OF)
        self.assertIn("insufficient: 3 segments", few[0]["verdict"])

    def test_campaigns_are_held_against_list_segment_and_work(self):
        company = self.company
        rows = self.measure("campaign", "--as-of", AS_OF, "--worked-by", "sales", "--within", "5",
                            "--segment-filter", "land = 'DE'", "--segment", "land")
        heads = {row["campaign"]: row for row in rows if row["owner"] == "all"}
        self.assertEqual(set(heads), {"spring", "fair"})
        for name, row in heads.items():
            mine = [m for m in company.members if m[1] == name]
            worked = [m for m in mine if m[3] is not None and m[3] <= 5]
            watched = [m for m in mine if m in worked or m[2] + 5 <= AS_OF_DAY]
            self.assertEqual((int(row["n"]), int(row["watched"])), (len(mine), len(watched)))
            self.assertEqual(int(row["worked"]), len(worked))
            self.assertEqual(int(row["in_segment"]), sum(company.accounts[m[0]]["land"] == "DE" for m in mine))
            self.assertEqual(row["on_list"], "")
            of = {r["owner"]: int(r["n"]) for r in rows if r["campaign"] == name and r["owner"] != "all"}
            self.assertEqual(of["DE"], int(row["in_segment"]))
            self.assertEqual(sum(of.values()), len(mine))
        one = self.measure("campaign", "--as-of", AS_OF, "--campaign", "fair")
        self.assertEqual({row["campaign"] for row in one}, {"fair"})

    def test_what_cannot_be_asked_is_told(self):
        for arguments, part in [
                (["focus"], "--segment: focus needs it"),
                (["focus", "--segment", "sector", "--of", "logos"], "--of: one of customers, won is wanted"),
                (["focus", "--segment", "sector", "--from", "2023-01-01"], "from and to are of deals"),
                (["focus", "--segment", "sector", "--second", "size"], "--second: the schema has no field 'size'"),
                (["focus", "--segment", "sector", "--days", "3"], "focus has no parameter --days"),
                (["quarter-end", "--days", "60"], "--days: a number from 1 to 45 is wanted"),
                (["quarter-end", "--list", "{"], "--list: list prices are a JSON object"),
                (["quarter-end", "--segment", "sector"], "quarter-end has no segments"),
                (["price", "--package", "x"], "--package and --list-price are columns of --prices"),
                (["price", "--least", "100000"], "insufficient: "),
                (["referral"], "--segment: referral needs it"),
                (["referral", "--segment", "sector", "--kind", "hint"], "insufficient: no referral between two"),
                (["campaign", "--tal", "none such"], "--tal: there is no target account list"),
                (["campaign", "--segment-filter", "lnad = 'x'"], "--segment-filter: column 1: there is no field"),
                (["campaign", "--campaign", "autumn"], "insufficient: no touch of the campaign")]:
            got = icp("measure", *arguments, port=self.server.port)
            self.assertNotEqual(got.returncode, 0, arguments)
            self.assertIn(part, got.stderr)
            self.assertEqual(got.stdout, "")


class Check(unittest.TestCase):
    """The members of a file before anybody writes to them."""

    @classmethod
    def setUpClass(cls):
        cls.server = icpd.Server(ICPD)
        cls.addClassCleanup(cls.server.close)
        with cls.server.client() as client:
            client.call("schema-put", {"document": '{"fields":[{"name":"size","type":"number"},'
                                                   '{"name":"no_mail","type":"flag"},{"name":"won","type":"flag"}]}'})
            client.call("account-put", {"accounts": [
                {"id": f"a{n}", "keys": [f"domain:a{n}.example"],
                 "values": {"size": n // 25, "no_mail": n % 10 == 3, "won": (n >= 500) != (n % 5 == 0)}} for n in range(1000)]})
            client.call("event-append", {"source": "billing", "events": [
                {"account": f"a{n}", "type": "subscription", "id": "s", "subject": "s", "time": 1600000000000,
                 "amount": 100, "currency": "EUR", "months": 1,
                 **({"end": 1650000000000} if n == 4 else {})} for n in (4, 5, 6)]})
            client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
            client.call("tal-build", {"name": "best", "k": 5, "filter": "size = 0"})

    def check(self, folder, rows, *arguments):
        path = os.path.join(folder, "members.csv")
        with open(path, "w", encoding="utf-8") as file:
            file.write("who,name\n" + "".join(f"{row},x\n" for row in rows))
        return icp("campaign", "check", path, "--account", "who", *arguments, port=self.server.port, folder=folder)

    def test_rows_are_held_against_the_server(self):
        with tempfile.TemporaryDirectory() as folder:
            rows = ["a1", "a2", "a3", "a4", "a5", "zz", "a1", "domain:a2.example", "ann@a7.example", "bob@nowhere.example"]
            got = self.check(folder, rows, "--opt-out", "no_mail", "--out", "send.csv", "--csv")
            self.assertEqual(got.returncode, 0, got.stderr)
            found = {row["figure"]: (int(row["count"]), row["share"]) for row in rows_of(got)}
            self.assertEqual({name: count for name, (count, _) in found.items()},
                             {"rows": 10, "unknown": 2, "named again": 2, "accounts": 6, "customers already": 1,
                              "opted out": 1, "to send": 4})
            with open(os.path.join(folder, "send.csv"), encoding="utf-8") as file:
                self.assertEqual(file.read(), "who,name\na1,x\na2,x\na4,x\nann@a7.example,x\n")

    def test_a_list_says_who_it_is_for(self):
        with self.server.client() as client:
            listed = {entry["id"] for entry in client.call("tal-get", {"name": "best"})["entries"]}
        rows = [f"a{n}" for n in range(1, 9)] + ["a999"]
        with tempfile.TemporaryDirectory() as folder:
            got = self.check(folder, rows, "--tal", "best", "--csv")
        found = {row["figure"]: int(row["count"]) for row in rows_of(got)}
        on_list = len(listed & set(rows))
        self.assertEqual((found["on the list"], found["off the list"]), (on_list, 9 - on_list))
        self.assertEqual(found["to send"], len((listed & set(rows)) - {"a5", "a6"}))

    def test_what_cannot_be_checked_is_told(self):
        with tempfile.TemporaryDirectory() as folder:
            for arguments, rows, part in [
                    (["--tal", "none such"], ["a1"], "there is no target account list"),
                    (["--opt-out", "size"], ["a1"], "--opt-out: 'size' is no flag"),
                    (["--opt-out", "mail"], ["a1"], "--opt-out: the schema has no field 'mail'"),
                    ([], ["a1", ""], "members.csv, line 3, column 1 (who): the account is missing")]:
                got = self.check(folder, rows, *arguments, "--out", "send.csv")
                self.assertNotEqual(got.returncode, 0)
                self.assertIn(part, got.stderr)
                self.assertFalse(os.path.exists(os.path.join(folder, "send.csv")))


class Real(unittest.TestCase):
    """Maven's CRM, imported by icp alone: the published trap at the end of the quarter."""

    def test_deals_of_the_last_14_days_are_won_more_often(self):
        pipeline, accounts, products = (os.path.join(REAL, "maven_crm", name) for name in (
            "sales_pipeline.csv", "accounts.csv", "products.csv"))
        if not os.path.exists(pipeline):
            self.skipTest(f"{pipeline} is not there; ICP_TEST_DATA names the folder")
        server = icpd.Server(ICPD)
        self.addCleanup(server.close)

        def run(*arguments):
            got = icp(*arguments, port=server.port)
            self.assertIn(got.returncode, (0, 65), got.stderr)
            return got
        schema = run("schema", "infer", accounts, "--id", "account", "-q").stdout
        with server.client() as client:
            client.call("schema-put", {"document": schema})
        run("import", accounts)
        run("event", "import", pipeline, "--account", "account", "--id", "opportunity_id", "--created",
            "engage_date", "--won", "deal_stage = 'Won'", "--lost", "deal_stage = 'Lost'", "--at", "close_date",
            "--amount", "close_value", "--currency", "USD", "--label", "product", "--person", "sales_agent",
            "--source", "crm")
        rows = rows_of(run("measure", "quarter-end", "--as-of", "2018-01-01", "--prices", products, "--package",
                           "product", "--list-price", "sales_price", "--csv"))
        self.assertEqual([(row["row"], row["n"], row["won"]) for row in rows[:2]],
                         [("last", "1282", "1027"), ("before", "5429", "3211")])
        self.assertEqual(round(float(rows[0]["won_share"]), 3), 0.801)
        self.assertEqual(int(rows[-1]["immature"]), 991)
        self.assertEqual(int(rows[0]["discount_n"]) + int(rows[1]["discount_n"]), 4238)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
