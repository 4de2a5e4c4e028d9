#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""icp report lifecycle: test_report.py ICPD ICP.

Pages are parsed: every element closed, nothing fetched and nothing run, ids unique, each picture with
the table of its figures, names of others escaped. Their figures are those of icp measure --json.
Failures print the seed."""

import datetime
import json
import os
import random
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402
from report_page import Page, number, plain, share  # noqa: E402
from test_operations import fill  # noqa: E402

ICPD, ICP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
DAY = 86400000
EPOCH = datetime.date(1970, 1, 1)
HOSTILE = '<img src=x onerror="a()">&\'"'
PERIOD = ["--from", "2023-03-01", "--to", "2024-12-01"]


def ms(day):
    return (day - EPOCH).days * DAY


class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = icpd.Server(ICPD)
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.addClassCleanup(cls.client.close)

    def icp(self, *arguments):
        return subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", *arguments],
                              capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C.UTF-8"))

    def page(self, *arguments):
        got = self.icp("report", "lifecycle", *arguments)
        self.assertEqual(got.returncode, 0, got.stderr)
        page = Page(got.stdout)
        self.assertEqual(page.faults, [])
        return page, got.stdout

    def measure(self, *arguments):
        got = self.icp("measure", *arguments, "--json")
        self.assertEqual(got.returncode, 0, got.stderr)
        return json.loads(got.stdout)

    def fill(self, seed):
        """Accounts with outcomes to learn from, subscriptions of some, events of churn; one account and
        one value are called as no page would like."""
        rng = random.Random(seed)
        accounts = [account["id"] for account in fill(self.client, 400, seed)] + [HOSTILE]
        self.client.call("account-put", {"accounts": [{"id": HOSTILE, "values": {
            "industry": HOSTILE, "won": True}}], "source": HOSTILE})
        events = []
        for n in range(500):
            start = datetime.date(2023, 1, 1) + datetime.timedelta(rng.randrange(650))
            event = {"type": "subscription", "account": rng.choice(accounts[:150] + [HOSTILE] * 5),
                     "id": f"s{n}", "subject": f"s{n}", "time": ms(start), "amount": rng.randrange(1000000),
                     "currency": "EUR", "months": rng.choice([1, 12])}
            if rng.random() < 0.5:
                event["end"] = ms(start) + rng.randrange(20, 400) * DAY
            events.append(event)
        events += [{"type": "outcome", "kind": "churned", "account": rng.choice(accounts), "id": f"c{n}",
                    "time": ms(datetime.date(2024, 1, 1)) + n * DAY} for n in range(60)]
        self.client.call("event-append", {"events": events, "source": "billing"})

    def compare_revenue(self, page):
        rows = self.measure("mrr", *PERIOD)
        names = ["start", "new", "reactivation", "expansion", "contraction", "churn", "end"]
        right = [[row["from"], row["to"], *[f"{row[name]:.2f}" for name in names], str(row["customers"]),
                  share(row["nrr"]), share(row["grr"])] for row in rows]
        found = page.rows("mrr-table")
        self.assertEqual([plain(row) for row in found[:-1]], right)
        sums = [round(sum(row[name] for row in rows), 2) for name in names[1:-1]]
        self.assertEqual(plain(found[-1])[2:9],
                         [f"{value:.2f}" for value in [rows[0]["start"], *sums, rows[-1]["end"]]])

    def compare_retention(self, page):
        segments = {}
        for row in self.measure("retention", *PERIOD, "--segment", "industry"):
            segments.setdefault(row["segment"], {})[row["metric"]] = row
        found = page.rows("retention-table")
        self.assertEqual([row[0] for row in found], list(segments))
        self.assertIn(HOSTILE, segments)

        def interval(row):
            return "–" if row["low"] is None else \
                f"{row['low'] * 100:.1f} to {row['high'] * 100:.1f} %"
        for row, metrics in zip(found, segments.values()):
            nrr, grr, logo = (metrics[name] for name in ("nrr-cohort", "grr-cohort", "logo-retention"))
            self.assertEqual(row[1:], [
                share(nrr["value"]), interval(nrr), share(grr["value"]), interval(grr),
                share(metrics["nrr-movement"]["value"]), share(metrics["grr-movement"]["value"]),
                share(logo["value"]), interval(logo), str(nrr["n"])])

    def compare_cohorts(self, page):
        asked = ["survival", "--as-of", "2024-12-01", "--step", "3", "--points", "12"]
        right = [[str(row["month"]), share(row["survival"]), share(row["low"]), share(row["high"]),
                  str(row["at_risk"]), str(row["ended"])] for row in self.measure(*asked)]
        self.assertEqual([plain(row) for row in page.rows("survival-table")], right)
        cohorts = {}
        for row in self.measure(*asked, "--cohort", "quarter"):
            cohorts.setdefault((row["cohort"], row["n"]), []).append(
                f"{share(row['survival'])} ({row['at_risk']})")
        found = page.rows("cohort-table")
        self.assertEqual([(row[0], row[1], [cell for cell in row[2:] if cell]) for row in found],
                         [(cohort, str(n), cells) for (cohort, n), cells in cohorts.items()])

    def compare_bridges(self, page):
        rules = [("subscription-end", "each"), ("account-zero", "account"), ("event", "account")]
        for at in range(2):
            asked = ["bridge", *PERIOD, "--metric", "churn-count", "--top", "5"]
            for option, (evidence, unit) in zip(("--rule", "--against"), rules[at:at + 2]):
                asked += [option, f"churn-evidence={evidence}", option, f"churn-unit={unit}"]
            right = [[row["step"], row["change"] or "", row["account"] or "", number(row["value"]),
                      "" if row["accounts"] is None else str(row["accounts"])]
                     for row in self.measure(*asked)]
            self.assertEqual([row[:3] + plain(row[3:]) for row in page.rows(f"bridge-table-{at + 1}")], right)

    def compare_readiness(self, page):
        right = [[row["figure"], row["of"] or "", share(row["share"]), share(row["low"]), share(row["high"]),
                  str(row["n"]), row["verdict"] or ""] for row in self.measure("readiness")]
        self.assertEqual([row[:5] + plain(row[5:6]) + row[6:] for row in page.rows("ready-table")], right)
        self.assertIn(["covered", HOSTILE], [row[:2] for row in right])

    def compare_grades(self, page):
        found = page.rows("grade-table")
        counts = [self.client.call("count", {"filter": f"score.grade = '{grade}'"})["count"]
                  for grade in "ABCD"]
        self.assertEqual([(row[0], int(row[1])) for row in found], list(zip("ABCD", counts)))
        self.assertEqual(sum(counts), 401)
        last = self.measure("mrr", *PERIOD)[-1]
        self.assertEqual(sum(round(100 * float(row[4].replace(",", ""))) for row in found),
                         round(100 * last["end"]))
        self.assertEqual(sum(int(row[3]) for row in found), last["customers"])

    def test_1_a_page_without_events_or_scores_says_why(self):
        self.client.call("schema-put", {"document": '{"fields":[{"name":"size","type":"number"}]}'})
        self.client.call("account-put", {"accounts": [{"id": "x", "values": {"size": 1}}]})
        page, text = self.page()
        self.assertIn("Not measured: no subscription is told of the 1 accounts", text)
        self.assertIn("no ICP version is active", text)
        self.assertEqual([row[0] for row in page.rows("ready-table")],
                         ["complete", "fresh", "unique", "linked", "covered"])
        self.client.call("account-delete", {"ids": ["x"]})

    def test_2_figures_are_those_of_icp_measure_and_names_are_escaped(self):
        seed = 5
        self.fill(seed)
        self.client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
        page, text = self.page(*PERIOD, "--segment", "industry")
        self.assertNotIn("<img", text)
        self.compare_revenue(page)
        self.compare_retention(page)
        self.compare_cohorts(page)
        self.compare_bridges(page)
        self.compare_readiness(page)
        self.compare_grades(page)
        self.assertEqual(text, self.page(*PERIOD, "--segment", "industry")[1])

    def test_3_somebody_elses_definition_stands_before_the_others(self):
        page, _ = self.page(*PERIOD, "--metric", "nrr-movement", "--against", "reactivation=within", "--filter",
                            "employees > 10", "--churn-flag", "trial")
        found = page.rows("bridge-table-1")
        self.assertEqual([row[0] for row in found if not row[2]], ["first", "reactivation", "second"])
        self.assertIn("bridge-table-4", page.tables)
        right = self.measure("bridge", *PERIOD, "--metric", "nrr-movement", "--against",
                             "reactivation=within", "--filter", "employees > 10")
        self.assertEqual([found[0][3], found[-1][3]], [number(right[0]["value"]), number(right[-1]["value"])])

    def test_4_what_cannot_be_asked_is_told(self):
        for arguments, part in [(["--from", "soon"], "--from: 'soon' is no date"),
                                (["--from", "2024-01-01", "--to", "2023-01-01"], "--to must be a later day"),
                                (["--period", "week"], "--period is month, quarter or year"),
                                (["--metric", "mrr"], "--metric is of --against"),
                                (["--metric", "x", "--against", "free=active"], "there is no metric 'x'"),
                                (["--segment", "none"], "the schema has no field 'none'"),
                                (["--floor", "2"], "a number from 0 to 1 is wanted")]:
            got = self.icp("report", "lifecycle", *arguments)
            self.assertNotEqual(got.returncode, 0)
            self.assertIn(part, got.stderr)
            self.assertEqual(got.stdout, "")

    def test_control_a_page_that_is_not_well_made_is_found(self):
        good = ('<!doctype html><html lang="en"><head><title>x</title></head><body><h1>x</h1>{}'
                '</body></html>')
        self.assertEqual(Page(good.format("<p>x</p>")).faults, [])
        for bad in ["<p>", "<script>x</script>", '<a href="https://x.example">x</a>', "<h3>x</h3>",
                    '<p id="a">x</p><p id="a">y</p>', '<p onclick="x">y</p>', '<a href="#none">x</a>',
                    '<figure aria-details="none"></figure>', '<div role="img"></div>', "<p></b></p>",
                    "<style>a{background:url(x)}</style>"]:
            self.assertNotEqual(Page(good.format(bad)).faults, [], bad)


if __name__ == "__main__":
    unittest.main()
