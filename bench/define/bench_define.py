#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Disputes and views over a large base, through the server: bench_define.py ICPD [--accounts N] [--json].

A million made-up accounts with an owner, an industry and numbers, some of which say whether they were won;
journeys and subscriptions of theirs; two versions learned from a twentieth of them. Asked are challenges
(a condition, a field, a slice), what a version would change (in all, by owner) and the five views: the
first time, again with other claims, and again after a thousand accounts were written. Wall and processor
time of each, of the whole server from request to reply. Counts and means of challenges and moves of grades
must be those that a sum over the scores of all accounts, asked one by one, gives. Ends non-zero where one
differs, or a median falls short of its target: by wall time, or, on a machine that is busy, by processor
time, which is said."""

import argparse
import json
import os
import statistics
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "events"), os.path.join(HERE, "..", "..", "tests", "system")]
import numpy  # noqa: E402
from bench_events import Base  # noqa: E402

DAY = 86400000
AS_OF = 20089 * DAY  # 2025-01-01
INDUSTRIES = [f"Industry {n:02}" for n in range(24)]
SCHEMA = json.dumps({"fields": [
    {"name": "industry", "type": "category"}, {"name": "owner", "type": "category"},
    {"name": "employees", "type": "number"}, {"name": "revenue", "type": "number"},
    {"name": "age", "type": "number"}, {"name": "part", "type": "number"}, {"name": "won", "type": "flag"}]})
TARGETS = {"challenge": 50, "what-if": 100}  # ms
VIEWS = ["sales", "marketing", "success", "product", "finance"]
BATCH = 5000
ACCOUNTS_MIN = 20000  # a twentieth of them is learned of
BEFORE, AFTER = 2, 4  # versions that are compared


class Company:
    def __init__(self, count, seed=1):
        random = numpy.random.default_rng(seed)
        self.count = count
        self.industry = random.integers(0, len(INDUSTRIES), count)
        self.owner = random.integers(0, 40, count)
        self.employees = numpy.round(numpy.exp(random.normal(4, 1.5, count)))
        self.revenue = numpy.round(self.employees * numpy.exp(random.normal(2, 1, count)))
        self.age = random.integers(0, 60, count)
        self.part = random.integers(0, 20, count)
        logit = (-1 + 0.6 * (numpy.log(self.employees + 1) - 4) + 0.05 * (self.industry - 12)
                 - 0.02 * self.age)
        self.won = random.random(count) < 1 / (1 + numpy.exp(-logit))

    def account(self, n):
        return {"id": f"a{n}", "values": {
            "industry": INDUSTRIES[self.industry[n]], "owner": f"owner {self.owner[n]}",
            "employees": float(self.employees[n]), "revenue": float(self.revenue[n]),
            "age": int(self.age[n]), "part": int(self.part[n]), "won": bool(self.won[n])}}

    def events(self, n):
        """A touch, a stage, its end, and a subscription of who was won: some three an account."""
        at = AS_OF - (200 + n % 700) * DAY
        told = [{"account": f"a{n}", "type": "touch", "kind": "call", "time": at - 9 * DAY, "id": f"{n}t"},
                {"account": f"a{n}", "type": "stage", "kind": "created", "subject": "o", "time": at,
                 "id": f"{n}c"}]
        if n % 5:
            told.append({"account": f"a{n}", "type": "outcome", "kind": "won" if self.won[n] else "lost",
                         "subject": "o", "time": at + (n % 60 + 1) * DAY, "id": f"{n}e"})
            if self.won[n]:
                told.append({"account": f"a{n}", "type": "subscription", "subject": "s", "amount": 100 * (n % 50 + 1),
                             "currency": "USD", "months": 1, "time": at + 61 * DAY, "id": f"{n}s"})
        return told


def fill(base, company, first=0, last=None):
    last = company.count if last is None else last
    for at in range(first, last, BATCH):
        base.client.call("account-put", {"accounts": [company.account(n) for n in range(at, min(at + BATCH, last))]})


def tell(base, company):
    waiting = []
    for n in range(company.count):
        waiting += company.events(n)
        if len(waiting) >= BATCH or n + 1 == company.count:
            base.client.call("event-append", {"events": waiting, "source": "bench"})
            waiting = []


def scores(base, company, icp):
    """p and grade of every account, asked by id."""
    p, grades = [], []
    for at in range(0, company.count, 10000):
        reply = base.client.call("score-many", {
            "icp": icp, "ids": [f"a{n}" for n in range(at, min(at + 10000, company.count))]})
        p.append(numpy.frombuffer(reply["p"], "<f4"))
        grades.append(numpy.frombuffer(reply["grade"], "S1"))
    return numpy.concatenate(p).astype(float), numpy.concatenate(grades)


class Bench:
    def __init__(self, base, company):
        self.base, self.company, self.rows, self.good = base, company, [], True

    def timed(self, name, op, requests, target=None):
        """Medians over the requests; the replies."""
        replies, cpu, wall = zip(*(self.base.call(op, request) for request in requests))
        row = {"question": name, "asked": len(requests), "wall_ms": statistics.median(wall),
               "cpu_ms": statistics.median(cpu)}
        verdict = ""
        if target:
            holds = row["wall_ms"] <= target
            by_cpu = not holds and row["cpu_ms"] <= target
            self.good &= holds or by_cpu
            verdict = f"at most {target} ms: " + ("holds" if holds else
                                                  "holds by processor time, the machine was busy"
                                                  if by_cpu else "falls short")
        self.rows.append(row)
        print(f"{name:34} {row['wall_ms']:9.1f} ms  {row['cpu_ms']:9.1f} ms of processor  {verdict}", flush=True)
        return replies

    def same(self, what, ours, wanted, within=0):
        equal = abs(ours - wanted) <= within
        self.good &= equal
        if not equal:
            print(f"differs: {what}: {ours}, and by a sum over all accounts {wanted}")

    def challenges(self, when):
        claims = [{"condition": f"employees > {n}"} for n in (50, 60, 80, 100, 150, 200, 300, 500, 900)]
        first = [] if when else [{"condition": "employees > 40"}]
        if first:
            self.timed("challenge, the first one", "challenge-try", first)
        replies = self.timed(f"challenge a condition{when}", "challenge-try", claims, TARGETS["challenge"])
        self.timed(f"challenge a condition in a slice{when}", "challenge-try",
                   [{**claim, "slice": f"industry = '{INDUSTRIES[3]}'"} for claim in claims], TARGETS["challenge"])
        self.timed(f"challenge a field{when}", "challenge-try",
                   [{"field": name} for name in ("employees", "industry", "age")] * 3, TARGETS["challenge"])
        self.timed(f"challenge a slice{when}", "challenge-try",
                   [{"slice": f"owner = 'owner {n}'"} for n in range(9)], TARGETS["challenge"])
        return zip(claims, replies)

    def what_ifs(self, when):
        requests = [{"icp": AFTER, "against": BEFORE, "limit": 20}] * 9
        if not when:
            self.timed("what-if, the first one", "icp-what-if", requests[:1])
        replies = self.timed(f"what-if{when}", "icp-what-if", requests, TARGETS["what-if"])
        self.timed(f"what-if by owner{when}", "icp-what-if",
                   [{**request, "by": "owner"} for request in requests], TARGETS["what-if"])
        return replies[0]

    def compare(self, challenged, what_if):
        p, before = scores(self.base, self.company, BEFORE)
        _, after = scores(self.base, self.company, AFTER)
        for claim, reply in challenged:
            matches = self.company.employees > float(claim["condition"].split()[-1])
            told = reply["challenge"]
            for mask, names in ((matches, ("accounts", "outcomes", "expected")),
                                (~matches, ("others", "others_outcomes", "others_expected"))):
                for name, wanted in zip(names, (int(mask.sum()), int((mask & self.company.won).sum()),
                                                float(p[mask].mean()))):
                    self.same(f"{claim['condition']}: {name}", told[name], wanted,
                              1e-6 if isinstance(wanted, float) else 0)
        moves = {(move["now"], move["then"]): move["accounts"] for move in what_if["moves"]}
        for a in "ABCD":
            for b in "ABCD":
                count = int(((before == a.encode()) & (after == b.encode())).sum())
                self.same(f"moves {a} to {b}", moves.get((a, b), 0), count)

    def views(self):
        for view in VIEWS:
            self.timed(f"view {view}", "view", [{"views": [view], "parameters": {"as-of": AS_OF}}] * 3)
        self.timed("all five at once", "view", [{"views": VIEWS, "parameters": {"as-of": AS_OF}}] * 3)


def learn(base):
    """Two versions of a twentieth of the accounts, asked of all of them; the first is active."""
    for exclude in (["part"], ["part", "revenue", "industry"]):
        icp = base.client.call("icp-learn", {"label": "won = true", "where": "part = 0", "exclude": exclude,
                                             "despite_readiness": True})["icp"]
        document = json.loads(base.client.call("icp-get", {"icp": icp})["document"])
        document["label"]["where"] = ""
        base.client.call("icp-put", {"document": json.dumps(document)})
    base.client.call("icp-activate", {"icp": BEFORE})


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("icpd")
    parser.add_argument("--accounts", type=int, default=1000000)
    parser.add_argument("--json", action="store_true", help="the rows as JSON at the end")
    parser.add_argument("--no-views", action="store_true", help="tell no events and ask for no view")
    options = parser.parse_args()
    if options.accounts < ACCOUNTS_MIN:
        parser.error(f"--accounts: fewer than {ACCOUNTS_MIN} leave too few to learn of")
    company = Company(options.accounts)
    base = Base(os.path.abspath(options.icpd), ".")
    bench = Bench(base, company)
    try:
        base.client.call("schema-put", {"document": SCHEMA})
        fill(base, company)
        learn(base)
        base.settle()
        challenged = list(bench.challenges(""))
        what_if = bench.what_ifs("")
        bench.compare(challenged, what_if)
        company.employees[:1000] = company.employees[1000:2000]
        company.won[:1000] = ~company.won[:1000]
        fill(base, company, 0, 1000)
        challenged = list(bench.challenges(", after a write"))
        bench.compare(challenged, bench.what_ifs(", after a write"))
        if not options.no_views:
            tell(base, company)
            base.settle()
            bench.views()
    finally:
        base.server.close()
    if options.json:
        print(json.dumps(bench.rows))
    return 0 if bench.good else 1


if __name__ == "__main__":
    sys.exit(main())
