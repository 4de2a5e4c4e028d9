#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Motions and yield of a server's journeys beside sums of this file: test_motion.py ICPD ICP.

Companies of chance are told with their spend and subscriptions. Failures print the seed."""

import collections
import csv
import io
import os
import random
import statistics
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICPD, ICP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
DAY = 86400000
# The period: days 400 to 700 of 1970; what is looked at is day 900.
FROM, TO, AS_OF = ("1971-02-05", 400), ("1971-12-02", 700), ("1972-06-19", 900)
SCHEMA = '{"fields":[{"name":"tier","type":"category"}]}'


def icp(*arguments, port=None):
    return subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{port}", *arguments], capture_output=True, text=True,
                          check=False, env=dict(os.environ, LC_ALL="C.UTF-8"))


def rows_of(got):
    return list(csv.DictReader(io.StringIO(got.stdout)))


class Company:
    """Journeys of (account, subject, motion, person, created, touches, end kind, end day, amount)."""

    def __init__(self, seed, accounts=150):
        r = random.Random(seed)
        self.accounts = {f"a{i:03}": r.choice("xyz") for i in range(accounts)}
        self.journeys, self.spend, self.paid, self.events = [], [], [], []
        for account in self.accounts:
            for number in range(r.randrange(0, 3)):
                created = r.randrange(300, 850)
                end = r.choice(["won", "lost", "lost", None])
                ended = created + r.randrange(1, 60) if end else None
                touches = sorted(created + r.randrange(0, 40) for _ in range(r.randrange(0, 6)))
                self.journeys.append((account, f"{account}-{number}", r.choice(["inbound", "outbound", None]),
                                      r.choice(["ann", "bob"]), created, touches, end, ended, r.randrange(1, 99) * 100))
            for _ in range(r.randrange(0, 4)):
                self.spend.append((account, r.choice(["inbound", "outbound"]), r.randrange(300, 800),
                                   r.randrange(1, 50) * 100))
            if r.random() < 0.5:
                start = r.randrange(300, 850)
                self.paid.append((account, start, start + r.randrange(30, 400), r.randrange(1, 20) * 100))
        self.make()

    def tell(self, account, what, day, **more):
        event = {"account": account, "id": f"e{len(self.events):05}", "time": day * DAY, "type": what, **more}
        self.events.append({key: value for key, value in event.items() if value is not None})

    def make(self):
        for account, subject, motion, person, created, touches, end, ended, amount in self.journeys:
            self.tell(account, "stage", created, kind="created", subject=subject, motion=motion, person=person)
            for day in touches:
                self.tell(account, "touch", day, kind="call", subject=subject)
            if end:
                money = {"amount": amount, "currency": "USD"} if end == "won" else {}
                self.tell(account, "outcome", ended, kind=end, subject=subject, **money)
        for account, motion, day, amount in self.spend:
            self.tell(account, "spend", day, motion=motion, amount=amount, currency="USD")
        for account, start, stop, amount in self.paid:
            self.tell(account, "subscription", start, subject="s", amount=amount, currency="USD", months=1,
                      end=stop * DAY)


def motions(company, lag):
    """{(group, figure): (value, n)}."""
    out, groups = {}, collections.defaultdict(lambda: collections.defaultdict(list))
    first, homes = {}, {}
    start, stop, now = FROM[1], TO[1], AS_OF[1]
    for account, _, motion, _, created, _, end, ended, amount in company.journeys:
        motion = motion or "(none)"
        if created > now:
            continue
        for name in ("(all)", motion):
            group = groups[name]
            if start <= created < stop:
                group["created"].append(created)
                if created <= now - 90:
                    group["mature"].append(end == "won")
                if end == "won":
                    group["cycle"].append(ended - created)
            if end == "won" and start <= ended < stop:
                group["value"].append(amount)
        if end == "won" and (account not in first or ended < first[account][0]):
            first[account] = (ended, motion)
        if account not in homes or created < homes[account][0]:
            homes[account] = (created, motion)
    for ended, motion in first.values():
        for name in ("(all)", motion) if start <= ended < stop else ():
            groups[name]["customers"].append(1)
    for _, motion, day, amount in company.spend:
        for name in ("(all)", motion) if start - lag <= day < stop - lag else ():
            groups[name]["spend"].append(amount)
    for account, begins, ends, amount in company.paid:
        at = [amount if begins <= day < ends else 0 for day in (start, stop)]
        home = first.get(account, homes.get(account, (0, "(none)")))[1]
        for name in ("(all)", home):
            groups[name]["arr"].append(12 * (at[1] - at[0]))
            groups[name]["fresh"] += [at[1]] if begins >= start and at[1] else []
    whole = groups["(all)"]
    for name, group in groups.items():
        spend = sum(group["spend"])
        out[name, "share"] = (len(group["created"]) / len(whole["created"]), len(whole["created"]))
        out[name, "conversion"] = (sum(group["mature"]) / len(group["mature"]), len(group["mature"]))
        out[name, "cycle"] = (statistics.median(group["cycle"]), len(group["cycle"]))
        out[name, "spend"] = (spend / 100, len(group["spend"]))
        out[name, "cac"] = (spend / 100 / len(group["customers"]), len(group["customers"]))
        out[name, "net new revenue"] = (sum(group["arr"]) / 100, len(group["fresh"]))
        fresh, arr = sum(group["fresh"]), sum(group["arr"])
        out[name, "payback"] = (spend / fresh / 0.5 if fresh else None, len(group["fresh"]))
        out[name, "efficiency"] = (spend / arr if arr > 0 else None, len(group["fresh"]))
        if name != "(all)":
            drain = spend / sum(whole["spend"]) - sum(group["value"]) / sum(whole["value"])
            out[name, "drain"] = (drain, None)
    return out


def worked(company, group_of, tiers):
    """{group: (n, touches, rate, more, better)}, each against all others at equal tier."""
    items = []
    for account, _, motion, person, created, touches, end, _, _ in company.journeys:
        if created <= AS_OF[1] - 90:
            count = sum(day - created <= 20 for day in touches if end is None or day <= created + 60)
            items.append((group_of(motion, person), tiers[account], count, end == "won"))
    out = {}
    for group in {item[0] for item in items}:
        mine, weights, more, better = [i for i in items if i[0] == group], 0, 0, 0
        for tier in "xyz":
            a = [i for i in mine if i[1] == tier]
            b = [i for i in items if i[1] == tier and i[0] != group]
            if a and b:
                w = len(a) * len(b) / (len(a) + len(b))
                weights += w
                more += w * (statistics.mean(i[2] for i in a) - statistics.mean(i[2] for i in b))
                better += w * (statistics.mean(i[3] for i in a) - statistics.mean(i[3] for i in b))
        out[group] = (len(mine), statistics.mean(i[2] for i in mine), statistics.mean(i[3] for i in mine),
                      more / weights, better / weights)
    return out


class MotionsAndYield(unittest.TestCase):
    def serve(self, seed):
        company = Company(seed)
        server = icpd.Server(ICPD)
        self.addCleanup(server.close)
        client = server.client()
        self.addCleanup(client.close)
        client.call("schema-put", {"document": SCHEMA})
        client.call("account-put", {"accounts": [{"id": a, "values": {"tier": t}}
                                                 for a, t in company.accounts.items()]})
        # Touches after the outcome are not of the journey.
        client.call("event-append", {"events": company.events, "source": "crm"})
        return company, server, client

    def test_motions_are_sums_by_hand(self):
        for seed in (1, 2):
            company, server, client = self.serve(seed)
            asked = ["measure", "motions", "--from", FROM[0], "--to", TO[0], "--as-of", AS_OF[0], "--margin", "0.5",
                     "--csv"]
            for lag in (0, 60):
                got = icp(*asked, "--lag", str(lag), port=server.port)
                self.assertEqual(got.returncode, 0, got.stderr)
                told = {(row["motion"], row["figure"]): row for row in rows_of(got)}
                for key, (value, n) in motions(company, lag).items():
                    row = told[key]
                    if value is None:
                        self.assertEqual(row["value"], "", f"{seed}: {key}")
                        self.assertIn("refused", row["verdict"])
                        continue
                    self.assertAlmostEqual(float(row["value"]), value, 9, f"{seed}: {key}")
                    if n is not None:
                        self.assertEqual(int(row["n"]), n, f"{seed}: {key}")
                    if row["low"]:
                        self.assertTrue(float(row["low"]) <= value <= float(row["high"]), f"{seed}: {key}")
            with self.assertRaises(AssertionError):  # the control: another period
                other = rows_of(icp(*asked, "--to", "1971-06-01", port=server.port))
                self.assertEqual([row["value"] for row in other], [row["value"] for row in rows_of(got)])
            self.assertIn("not causal", got.stderr)
            for code, field, part, more in [
                    ("bad-field", "parameters.weigh", "one of value, count", {"weigh": "gold"}),
                    ("bad-field", "parameters.lag", "0 to 3650", {"lag": -1}),
                    ("bad-field", "parameters.to", "later than from", {"from": "2024-01-01", "to": "2023-01-01"}),
                    ("no-evidence", "", "100000 are needed", {"least": 100000})]:
                with self.assertRaises(icpd.Refused) as refusal:
                    client.call("measure", {"measure": "motions", "parameters": more})
                self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))
                self.assertIn(part, str(refusal.exception))
            client.call("event-append", {"source": "crm", "events": [
                {"account": "a000", "id": "euro", "time": 500 * DAY, "type": "spend", "amount": 5, "currency": "EUR"}]})
            mixed = icp(*asked, port=server.port)
            self.assertIn("amounts are in", mixed.stderr)

    def test_yield_is_sums_by_hand(self):
        company, server, client = self.serve(3)
        asked = ["measure", "yield", "--as-of", AS_OF[0], "--window", "20", "--least", "5", "--csv"]
        for by, group_of in [("person", lambda motion, person: person),
                             ("motion", lambda motion, person: motion or "(none)")]:
            got = icp(*asked, "--group-by", by, "--segment", "tier", port=server.port)
            self.assertEqual(got.returncode, 0, got.stderr)
            told = {row["group"]: row for row in rows_of(got)}
            wanted = worked(company, group_of, company.accounts)
            self.assertEqual(set(told), set(wanted))
            for group, (n, _, rate, _, better) in wanted.items():
                row = told[group]
                self.assertEqual(int(row["n"]), n)
                self.assertAlmostEqual(float(row["rate"]), rate, 12)
                self.assertAlmostEqual(float(row["better"]), better, 12)
                self.assertTrue(float(row["better_low"]) < better < float(row["better_high"]))
        quarters = rows_of(icp(*asked, "--group-by", "quarter", "--fit", "none", port=server.port))
        self.assertEqual([row["against"] for row in quarters[1:]], [row["group"] for row in quarters[:-1]])
        self.assertEqual(sorted(row["group"] for row in quarters), [row["group"] for row in quarters])
        self.assertTrue(all(row["group"][4:] in ("-01-01", "-04-01", "-07-01", "-10-01") for row in quarters))
        none = icp(*asked, port=server.port)
        self.assertIn("or --fit none", none.stderr)
        with self.assertRaises(icpd.Refused) as refusal:
            client.call("measure", {"measure": "yield", "parameters": {"group-by": "week", "fit": "none"}})
        self.assertEqual(refusal.exception.field, "parameters.group-by")
        self.assertIn("source, month, quarter, year", str(refusal.exception))
        ann = rows_of(icp(*asked, "--group-by", "motion", "--owner", "ann", "--fit", "none", port=server.port))
        self.assertEqual(sum(int(row["n"]) for row in ann),
                         sum(j[3] == "ann" and j[4] <= AS_OF[1] - 90 for j in company.journeys))


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
