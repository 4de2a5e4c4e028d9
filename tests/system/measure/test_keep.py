#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How a list is kept, measured over a server's events and over files: test_keep.py ICPD ICP.

A random company whose marketing drifts off the list is told to a server; adherence, divergence, resources and
compensation, and leaders' views, are held against sums of this file, scipy's beta distribution and Jensen-Shannon distance, and scores of
the server as of when a deal was created. Another company with
ICP_SEED."""

import collections
import csv
import io
import os
import random
import subprocess
import sys
import tempfile
import unittest

from scipy.spatial.distance import jensenshannon
from scipy.stats import beta, spearmanr

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICPD, ICP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
DAY = 86400000
FIRST = 19358 * DAY  # 2023-01-01
AS_OF = "2024-12-01"
SCHEMA = '{"fields":[{"name":"industry","type":"category"},{"name":"size","type":"number"},{"name":"won","type":"flag"}]}'
INDUSTRIES = ["Banks", "Retail", "Health", "Hotels"]
TEAMS = "north: sales 1, sales 2; south: sales 3,success 1"


def icp(*arguments, port=None, folder="."):
    uri = ["--uri", f"icp://127.0.0.1:{port}"] if port else []
    return subprocess.run([ICP, *uri, *arguments], cwd=folder, capture_output=True, text=True, check=False,
                          env=dict(os.environ, LC_ALL="C.UTF-8"))


def rows_of(got):
    assert got.returncode == 0, got.stderr
    return list(csv.DictReader(io.StringIO(got.stdout)))


def effective(counts):
    return sum(counts) ** 2 / sum(n * n for n in counts)


def shrunk(counts, accounts):
    """Shares and middle 95 % of the posterior of {group: (on, effective)}, as docs/methods/adherence.md says.

    accounts: the effective acts of all groups together."""
    total = sum(n for _, n in counts.values())
    p = sum(k for k, _ in counts.values()) / total
    squares = sum(n * n for _, n in counts.values())
    chance = p * (1 - p) * (len(counts) - 1)
    room = p * (1 - p) * (total - squares / total) - chance
    spread = sum(n * (k / n - p) ** 2 for k, n in counts.values())
    rho = (spread - chance) / room if room > 0 else 0
    weight = 1 / rho - 1 if rho > 0 else float("inf")
    out = {}
    for name, (k, n) in counts.items():
        w = min(weight, total - n, accounts)
        a, b = k + w * p, n - k + w * (1 - p)
        out[name] = (a / (a + b), beta.ppf(0.025, a, b), beta.ppf(0.975, a, b))
    return out


class Company:
    def __init__(self, seed, count=600):
        self.random = r = random.Random(seed)
        self.accounts = {f"a{i:03}": {"industry": r.choice(INDUSTRIES), "size": r.randrange(100)} for i in range(count)}
        for values in self.accounts.values():
            values["won"] = r.random() < 0.12 + 0.4 * (values["size"] > 60) + 0.2 * (values["industry"] == "Banks")
        self.touches, self.spends, self.deals, self.events = [], [], [], []

    def tell(self, account, what, day, **more):
        self.events.append({"account": account, "id": f"e{len(self.events):05}", "time": FIRST + day * DAY, "type": what,
                            **more})

    def work(self, listed):
        r = self.random
        on, off = sorted(listed), sorted(set(self.accounts) - set(listed))
        off_hotels = [name for name in off if self.accounts[name]["industry"] == "Hotels"]
        for function, people, count, share in (("sales", 3, 400, 0.8), ("marketing", 2, 400, 0.3), ("success", 2, 150, 0.75)):
            for _ in range(count):
                drift = off_hotels if function == "marketing" else off
                account = r.choice(on if r.random() < share else drift)
                person = f"{function} {r.randrange(people) + 1}"
                day, hours = r.randrange(600), r.choice([None, None, 0.5, 2])
                more = {"end": FIRST + day * DAY + int(hours * 3600000)} if hours else {}
                self.tell(account, "touch", day, function=function, person=person, kind="call", **more)
                self.touches.append((account, function, person, hours or 0))
        for _ in range(80):
            account, amount = r.choice(on + off), r.randrange(100, 90000)
            self.tell(account, "spend", r.randrange(600), function="marketing", amount=amount, currency="EUR")
            self.spends.append((account, "marketing", amount))
        for number in range(120):
            account, day = r.choice(on + off), r.randrange(300)
            subject, person, amount = f"d{number:03}", f"sales {r.randrange(3) + 1}", r.randrange(1, 5000001)
            self.tell(account, "stage", day, kind="created", subject=subject, person="nobody in particular")
            self.tell(account, "outcome", day + 40, kind="won", subject=subject, person=person, amount=amount, currency="EUR")
            self.deals.append((account, subject, person, amount, FIRST + day * DAY, FIRST + (day + 40) * DAY))


class Keep(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        # One in some twenty companies has a function above its share by chance, which a verdict then says.
        cls.seed = int(os.environ.get("ICP_SEED", 9))
        cls.company = company = Company(cls.seed)
        cls.server = icpd.Server(ICPD)
        cls.addClassCleanup(cls.server.close)
        with cls.server.client() as client:
            client.call("schema-put", {"document": SCHEMA})
            client.call("account-put", {"time": FIRST - 400 * DAY, "accounts": [
                {"id": name, "values": values} for name, values in company.accounts.items()]})
            client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
            client.call("tal-build", {"name": "best", "k": 150})
            cls.listed = [e["id"] for e in client.call("tal-get", {"name": "best", "limit": 10000})["entries"]]
            company.work(cls.listed)
            client.call("event-append", {"source": "crm", "events": company.events})

    def setUp(self):
        self.addCleanup(lambda: print(f"seed {self.seed}", file=sys.stderr))

    def measure(self, *arguments):
        return rows_of(icp("measure", *arguments, "--csv", port=self.server.port))

    def close(self, text, number, places=6):
        self.assertAlmostEqual(float(text), number, places)

    def adherence_check(self, rows, group_of):
        """Every row beside sums; the touches' group by the function given."""
        listed, by = set(self.listed), collections.defaultdict(lambda: collections.defaultdict(int))
        for account, function, person, _ in self.company.touches:
            by[group_of(function, person)][account] += 1
        counts = {}
        for name, accounts in by.items():
            n = sum(accounts.values())
            alone = effective(accounts.values())
            on = sum(a for account, a in accounts.items() if account in listed)
            counts[name] = (on / n * alone, alone)
        together = effective(collections.Counter(t[0] for t in self.company.touches).values())
        expected = shrunk(counts, together)
        found = {row["group"]: row for row in rows}
        self.assertEqual({name for name, row in found.items() if int(row["n"])} - {"(all)"}, set(by))
        for name, (mean, low, high) in expected.items():
            row = found[name]
            self.assertEqual(int(row["n"]), sum(by[name].values()))
            self.close(row["effective"], counts[name][1], 4)
            self.close(row["shrunk"], mean)
            self.close(row["low"], low)
            self.close(row["high"], high)
            self.assertEqual(row["rank"] == "", counts[name][1] < 30)
        self.close(found["(all)"]["effective"], together, 3)
        ranks = sorted((int(row["rank"]), -float(row["shrunk"])) for row in rows if row["rank"])
        self.assertEqual([rank for rank, _ in ranks], list(range(1, len(ranks) + 1)))
        self.assertEqual([value for _, value in ranks], sorted(value for _, value in ranks))
        return found

    def test_adherence_by_function_person_and_team_is_that_of_scipy(self):
        found = self.adherence_check(self.measure("adherence", "--tal", "best", "--as-of", AS_OF, "--committed", "0.7"),
                                     lambda function, person: function)
        self.assertEqual(found["marketing"]["verdict"], "below what was committed")
        self.assertEqual(found["success"]["verdict"], "")
        spend = [(account, amount) for account, _, amount in self.company.spends]
        off = sum(amount for account, amount in spend if account not in self.listed)
        self.assertEqual(found["marketing"]["off_spend"].replace(",", "").replace(".", ""), str(off))
        hours = sum(h for account, function, _, h in self.company.touches if function == "sales" and account not in self.listed)
        self.close(found["sales"]["off_hours"], hours, 3)
        self.adherence_check(self.measure("adherence", "--tal", "best", "--group-by", "person"), lambda function, person: person)
        team = {"sales 1": "north", "sales 2": "north", "sales 3": "south", "success 1": "south"}
        self.adherence_check(self.measure("adherence", "--tal", "best", "--group-by", "team", "--teams", TEAMS),
                             lambda function, person: team.get(person, "(none)"))

    def test_divergence_is_that_of_scipy_and_marketing_drifts(self):
        rows = self.measure("divergence", "--tal", "best", "--segment", "industry", "--segments", "1")
        of = {name: values["industry"] for name, values in self.company.accounts.items()}
        listed = collections.Counter(of[name] for name in self.listed)
        heads = {row["group"]: row for row in rows if row["segment"] == "all"}
        self.assertEqual(set(heads), {"sales", "marketing", "success"})
        for function, row in heads.items():
            worked = collections.Counter(of[a] for a in {t[0] for t in self.company.touches if t[1] == function})
            self.assertEqual(int(row["n"]), sum(worked.values()))
            self.close(row["distance"], jensenshannon([worked[i] for i in INDUSTRIES], [listed[i] for i in INDUSTRIES], 2))
            self.assertLessEqual(float(row["low"]), float(row["high"]))
        self.assertEqual(heads["marketing"]["verdict"], "works other segments than were committed")
        self.assertEqual([row["segment"] for row in rows if row["group"] == "marketing"], ["all", "Hotels"])
        again = self.measure("divergence", "--tal", "best", "--segment", "industry", "--segments", "1")
        self.assertEqual(rows, again)

    def test_resources_stand_beside_expected_value(self):
        with self.server.client() as client:
            names = list(self.company.accounts)
            scores = [client.call("score", {"id": name}) for name in names]
        p = {name: score["p"] for name, score in zip(names, scores)}
        for arguments, key in ((["--segment", "industry"], lambda n, s: self.company.accounts[n]["industry"]),
                               ([], lambda n, s: s["grade"])):
            group = {name: key(name, score) for name, score in zip(names, scores)}
            rows = self.measure("resources", *arguments)
            acts = collections.Counter(group[t[0]] for t in self.company.touches)
            value = collections.Counter()
            for name in names:
                value[group[name]] += p[name]
            for row in (row for row in rows if row["resource"] == "acts"):
                self.close(row["share"], acts[row["group"]] / len(self.company.touches))
                self.close(row["value_share"], value[row["group"]] / sum(p.values()))
                self.close(row["split"], value[row["group"]] / sum(p.values()))
                self.assertLess(float(row["low"]), float(row["gap"]))
            spent = sum(amount for _, _, amount in self.company.spends) / 100
            self.close(sum(float(row["used"]) for row in rows if row["resource"] == "spend"), spent, 2)
            self.close(sum(float(row["move"]) for row in rows if row["resource"] == "acts"), 0, 4)

    def test_deals_are_paid_by_the_grade_of_their_creation_to_the_cent(self):
        factors = {"A": 125, "B": 100, "C": 80, "D": 50}
        rows = self.measure("compensation", "--multipliers", "A=1.25,B=1,C=0.8,D=0.5", "--rate", "0.08", "--top", "1000")
        paid = {row["deal"]: row for row in rows if row["row"] == "deal"}
        cents = lambda text: int(text.replace(",", "").replace(".", ""))
        sums = collections.Counter()
        with self.server.client() as client:
            for account, subject, person, amount, created, _ in self.company.deals:
                score, row = client.call("score", {"id": account, "at": created}), paid[subject]
                self.assertEqual((row["grade"], row["account"], row["person"]), (score["grade"], account, person))
                self.close(row["fit"], score["fit"], 3)
                credit = (amount * 80000 * factors[score["grade"]] + 50000000) // 100000000
                self.assertEqual((cents(row["amount"]), cents(row["credit"])), (amount, credit))
                self.assertIn("icp challenge --icp 1 --field", row["dispute"])
                sums[person] += credit
        self.assertEqual({row["person"]: cents(row["credit"]) for row in rows if row["row"] == "person"}, dict(sums))
        self.assertEqual([cents(row["credit"]) for row in rows if row["row"] == "all"], [sum(sums.values())])
        one = self.measure("compensation", "--multipliers", "A=1,B=1,C=1,D=1", "--owner", "sales 2", "--top", "1")
        self.assertEqual([row["row"] for row in one], ["all", "person", "deal"])

    def test_files_are_measured_as_the_server_is(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "work.csv"), "w", encoding="utf-8") as file:
                file.write("who,account,on,all\n")
                for account, function, _, _ in self.company.touches:
                    file.write(f"{function},{account},{int(account in self.listed)},1\n")
            rows = rows_of(icp("measure", "adherence", "--rows", "work.csv", "--group", "who", "--account", "account",
                               "--on", "on", "--all", "all", "--csv", folder=folder))
            self.adherence_check(rows, lambda function, person: function)
            bare = rows_of(icp("measure", "adherence", "--rows", "work.csv", "--group", "who", "--on", "on", "--all", "all",
                               "--csv", folder=folder))
            self.assertEqual(float(bare[0]["effective"]), len(self.company.touches))
            of = {name: values["industry"] for name, values in self.company.accounts.items()}
            with open(os.path.join(folder, "accounts.csv"), "w", encoding="utf-8") as file:
                file.write("who,industry\n" + "".join(f"list,{of[name]}\n" for name in self.listed))
                for function in ("sales", "marketing", "success"):
                    for account in sorted({t[0] for t in self.company.touches if t[1] == function}):
                        file.write(f"{function},{of[account]}\n")
            rows = rows_of(icp("measure", "divergence", "--rows", "accounts.csv", "--group", "who", "--stratum", "industry",
                               "--csv", folder=folder))
            served = self.measure("divergence", "--tal", "best", "--segment", "industry")
            self.assertEqual({row["group"]: row["distance"] for row in rows if row["segment"] == "all"},
                             {row["group"]: row["distance"] for row in served if row["segment"] == "all"})
            with open(os.path.join(folder, "split.csv"), "w", encoding="utf-8") as file:
                file.write("grade,acts,value\n" + "A,10,0.9\n" * 40 + "B,20,0.3\n" * 40)
            rows = rows_of(icp("measure", "resources", "--rows", "split.csv", "--group", "grade", "--all", "acts", "--value",
                               "value", "--csv", folder=folder))
            self.close(rows[0]["gap"], 1 / 3 - 3 / 4)
            self.assertEqual([row["verdict"] for row in rows], ["less than its value", "more than its value"])

    def test_leaders_are_held_against_the_servers_own_figures(self):
        orders = {"ann": [1, 2, 3, 4], "bo": [4, 3, 2, 1], "cy": [2, 1, 4, 3]}
        stated = {"ann": "size > 60", "bo": "industry = 'Hotels'", "cy": "size < 5 and industry = 'Banks'"}
        accounts = self.company.accounts
        bookings = {name: sum(d[3] for d in self.company.deals if accounts[d[0]]["industry"] == name) for name in INDUSTRIES}
        matches = {"ann": lambda v: v["size"] > 60, "bo": lambda v: v["industry"] == "Hotels",
                   "cy": lambda v: v["size"] < 5 and v["industry"] == "Banks"}
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "answers.csv"), "w", encoding="utf-8") as file:
                file.write("person,function,question,item,answer\n")
                for person, ranks in orders.items():
                    file.write("".join(f"{person},,segment,{name.upper()},{rank}\n" for name, rank in zip(INDUSTRIES, ranks)))
                    file.write(f'{person},,filter,1,"{stated[person]}"\n')
            asked = ["answers.csv", "--segment", "industry", "--from", "2023-01-01", "--to", AS_OF, "--outcome", "won"]
            got = icp("align", "show", *asked, "--csv", port=self.server.port, folder=folder)
            rows = {(row["measure"], row["of"]): row for row in rows_of(got)}
            self.assertIn("retention: no subscription is told", got.stderr)
            for person, ranks in orders.items():
                rho = spearmanr(ranks, [-bookings[name] for name in INDUSTRIES]).statistic
                self.close(rows["spearman", f"{person}: bookings"]["value"], rho, 4)
                self.assertIn(("spearman", f"{person}: win rate"), rows)
                good = sum(v["won"] for v in accounts.values())
                n = sum(map(matches[person], accounts.values()))
                both = sum(matches[person](v) and v["won"] for v in accounts.values())
                of = f"{person}: {stated[person]}"
                self.close(rows["lift", of]["value"], both / n / (good / len(accounts)), 4)
                self.close(rows["coverage", of]["value"], both / good, 4)
                self.close(rows["auc", of]["value"], (1 + both / good - (n - both) / (len(accounts) - good)) / 2, 4)
            self.assertEqual(rows["auc", "ann: size > 60"]["says"], "better than chance")
            got = icp("report", "audit", *asked, "--out", "audit.html", port=self.server.port, folder=folder)
            self.assertEqual(got.returncode, 0, got.stderr)
            with open(os.path.join(folder, "audit.html"), encoding="utf-8") as file:
                page = file.read()
            self.assertIn("Each stated profile against what came of it", page)
            self.assertIn("better than chance", page)
            for bad, part in ((["--outcome", "lost ="], "column"), (["--from", "2023-01-01"], "--from and --to are of the figures"),
                              (["--segment", "colour"], "no field 'colour'"),
                              (["--segment", "industry", "--against", "x.csv"], "not both")):
                got = icp("align", "show", "answers.csv", *bad, port=self.server.port, folder=folder)
                self.assertNotEqual(got.returncode, 0, bad)
                self.assertIn(part, got.stderr)

    def test_what_cannot_be_asked_is_told(self):
        for arguments, part in [
                (["adherence", "--tal", "none such"], "--tal: there is no target account list"),
                (["adherence", "--group-by", "team"], "--teams: group-by team needs it"),
                (["adherence", "--teams", TEAMS], "--teams: teams are of group-by team"),
                (["adherence", "--group-by", "team", "--teams", "north"], "--teams: a team is its name, a colon"),
                (["adherence", "--group-by", "team", "--teams", "n: a; s: a"], "--teams: 'a' is told in a team already"),
                (["adherence", "--group-by", "colour"], "--group-by: one of kind"),
                (["adherence", "--from", "2031-01-01"], "insufficient: no work is told, 30 effective acts"),
                (["adherence", "--segment", "industry"], "adherence has no segments"),
                (["divergence"], "--segment: divergence needs it"),
                (["divergence", "--segment", "industry", "--a", "x"], "--a: it is of files"),
                (["divergence", "--segment", "colour"], "the schema has no field 'colour'"),
                (["resources", "--elasticity", "1"], "--elasticity: a number from 0 to 0.9"),
                (["resources", "--from", "2031-01-01"], "insufficient: neither an act nor spend is told"),
                (["compensation"], "--multipliers is needed"),
                (["compensation", "--multipliers", "A=1,B=1,C=1"], "--multipliers: there is none for grade D"),
                (["compensation", "--multipliers", "A=1,B=1,C=1,D=9"], "--multipliers: 'D=9' is no multiplier"),
                (["compensation", "--multipliers", "A=1,B=1,C=1,D=1", "--from", "2031-01-01"], "no deal was won")]:
            got = icp("measure", *arguments, port=self.server.port)
            self.assertNotEqual(got.returncode, 0, arguments)
            self.assertIn(part, got.stderr)
            self.assertEqual(got.stdout, "")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
