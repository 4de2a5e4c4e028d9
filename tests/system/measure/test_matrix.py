#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Every measure that is served, over all accounts, a filter, segments, an owner, a period, and as of a
sequence: test_matrix.py ICPD.

Each cell answers, and otherwise than over everything, or refuses and says what it lacks. A measure that is
added and is not in the table here fails."""

import os
import random
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICPD = os.path.abspath(sys.argv.pop(1))
SEED = 4  # of most others the data determine no model of how long customers stay
DAY = 86400000
FIRST = 19358 * DAY  # 2023-01-01
SCHEMA = ('{"fields":[{"name":"industry","type":"category"},{"name":"size","type":"number"},'
          '{"name":"won","type":"flag"}]}')
INDUSTRIES = ["Banks", "Retail", "Health", "Hotels"]
PEOPLE = ["ann", "bob", "cy"]
AS_OF = {"as-of": FIRST + 700 * DAY}
PERIOD = {"from": FIRST, "to": FIRST + 600 * DAY}
NO_FIT = {"fit": "none", "least": 1, **AS_OF}

# What each is asked with; "by" is the field of its segments where there is nothing without one.
ASKED = {
    "mrr": PERIOD, "retention": PERIOD, "survival": AS_OF,
    "bridge": {**PERIOD, "metric": "churn-count"},
    "clv-sbg": {**AS_OF, **PERIOD},
    "clv-purchases": {"to": FIRST + 600 * DAY, "unit": "month"},
    "readiness": {}, "attribution": {"least": 1, **AS_OF}, "handoffs": {"owners": 3, **AS_OF}, "grey": AS_OF,
    "gap": {"group-by": "source", "a": "crm", "least": 2, **AS_OF},
    "focus": {"by": "industry", "of": "won", "least": 2, **AS_OF}, "quarter-end": {"least": 1, **AS_OF},
    "price": {"least": 1}, "referral": {"by": "industry", "least": 2, "segments": 2, **AS_OF},
    "campaign": {"least": 1, **AS_OF},
    "grid": AS_OF, "view-sales": AS_OF, "view-marketing": AS_OF, "view-success": AS_OF, "view-product": AS_OF,
    "view-finance": AS_OF,
    "patterns": {"show": "all", **NO_FIT}, "motions": {**AS_OF, **PERIOD}, "yield": {"group-by": "motion", **NO_FIT},
    "adherence": {"tal": "best", "least": 1, **AS_OF},
    "divergence": {"by": "industry", "tal": "best", "least": 2, **AS_OF},
    "resources": AS_OF, "compensation": {"multipliers": "A=1.2,B=1,C=0.8,D=0.5,none=1", **AS_OF},
}
# Parts of what they fit a model to may determine none, and that is an answer.
FITTED = {"clv-sbg", "clv-purchases"}
OF_FILES = {"lift", "rate", "forecast", "promise", "erosion"}


class Company:
    def __init__(self):
        self.random = r = random.Random(SEED)
        self.accounts = {f"a{i:03}": {"industry": r.choice(INDUSTRIES), "size": r.randrange(100)} for i in range(400)}
        for values in self.accounts.values():
            values["won"] = r.random() < 0.1 + 0.6 * (values["size"] > 60)
        self.events = []
        for account in self.accounts:
            self.work(account)
            self.pay(account)

    def tell(self, account, what, day, **more):
        self.events.append({"account": account, "id": f"e{len(self.events):05}", "time": FIRST + day * DAY,
                            "type": what, **more})

    def work(self, account):
        r = self.random
        created, motion, person = r.randrange(560), r.choice(["inbound", "outbound"]), r.choice(PEOPLE)
        for _ in range(r.randrange(5)):
            self.tell(account, "touch", max(created - 20 + r.randrange(40), 0), kind=r.choice(["call", "fair", "email"]),
                      function=r.choice(["sales", "marketing"]), person=r.choice(PEOPLE), motion=motion,
                      campaign=r.choice(["spring", "autumn"]))
        if r.random() < 0.2:
            self.tell(account, "touch", created, kind="referral", label=r.choice(list(self.accounts)))
        self.tell(account, "stage", created, kind="created", subject="o", person=person, motion=motion)
        if r.random() < 0.7:
            self.tell(account, "stage", created + 5, kind="qualified", subject="o", person=r.choice(PEOPLE))
        end = r.choice(["won", "won", "lost", None])
        if end:
            money = {"amount": r.randrange(1000, 90000), "currency": "USD", "label": r.choice(["Basic", "Pro"])}
            self.tell(account, "outcome", created + 30 + r.randrange(60), kind=end, subject="o", person=person,
                      motion=motion, **(money if end == "won" else {}))
        if r.random() < 0.4:
            self.tell(account, "outcome", created + 100, kind="won", subject="more", person=person, amount=5000,
                      currency="USD", label="Basic")
        self.tell(account, "spend", created, function="marketing", motion=motion, amount=r.randrange(100, 9000),
                  currency="USD")

    def pay(self, account):
        r = self.random
        if r.random() < 0.6:
            start = r.randrange(-30, 400)
            ends = {"end": FIRST + (start + r.randrange(90, 500)) * DAY} if r.random() < 0.6 else {}
            self.tell(account, "subscription", start, subject="s", amount=r.randrange(1000, 50000), currency="USD",
                      months=1, label="Basic", **ends)
            self.tell(account, "usage", start + 40, kind="report", quantity=r.randrange(1, 9) * 1000)
        for day in range(r.randrange(300), 700, r.choice([60, 150, 400, 900])):
            self.tell(account, "outcome", day, kind="purchase", amount=r.randrange(1000, 9000), currency="USD")
        if r.random() < 0.3:
            self.tell(account, "outcome", 500, kind="churned")
            self.tell(account, "request", 300, kind="feature", label=r.choice(["export", "import"]))


class Matrix(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = icpd.Server(ICPD, "--scan-ms", "10m")  # what is late is no less right
        cls.addClassCleanup(cls.server.close)
        cls.client = cls.server.client()
        cls.addClassCleanup(cls.client.close)
        call, company = cls.client.call, Company()
        call("schema-put", {"document": SCHEMA})
        call("account-put", {"time": FIRST - 400 * DAY, "accounts": [
            {"id": name, "values": values} for name, values in company.accounts.items()]})
        call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
        call("tal-build", {"name": "best", "k": 150})
        half = len(company.events) // 2
        for events in (company.events[:half], company.events[half:]):
            call("event-append", {"source": "crm", "events": events[::2]})
            seq = call("event-append", {"source": "web", "events": events[1::2]})["seq"]
            cls.seq = getattr(cls, "seq", seq)  # after the first half
        cls.listed = {one["name"]: {p["name"] for p in one["parameters"]}
                      for one in call("measure-list")["measures"]}

    def ask(self, name, parameters=None, **more):
        """Rows, or the refusal."""
        asked = {**ASKED[name], **(parameters or {})}
        request = {"measure": name, "parameters": {k: v for k, v in asked.items() if k != "by"}, **more}
        if "by" in asked:
            request.setdefault("by", asked["by"])
        if name == "bridge":
            request["against"] = {"trials": "counted", "free": "active", "churn-evidence": "event"}
        try:
            return self.client.call("measure", request)["rows"]
        except icpd.Refused as refused:
            return refused

    def cell(self, name, way, rows, reason=None):
        """reason: what a refusal names; None: it must answer."""
        with self.subTest(measure=name, way=way, seed=SEED):
            if reason is not None:
                self.assertIsInstance(rows, icpd.Refused)
                self.assertIn(reason, str(rows))
            elif isinstance(rows, icpd.Refused) and name in FITTED:
                self.assertEqual(rows.code, "no-evidence")
            else:
                self.assertNotIsInstance(rows, icpd.Refused, str(rows))
                self.assertNotEqual(rows, self.everything[name])

    def test_each_measure_over_everything_and_parts_of_it(self):
        self.assertEqual(set(self.listed) - OF_FILES, set(ASKED))
        self.everything = {name: self.ask(name) for name in ASKED}
        for name in ASKED:
            with self.subTest(measure=name, seed=SEED):
                self.assertNotIsInstance(self.everything[name], icpd.Refused, str(self.everything[name]))
                self.assertGreater(len(self.everything[name]), 0)
        for name, has in self.listed.items():
            if name in OF_FILES:
                continue
            self.cell(name, "filter", self.ask(name, filter="size < 90"))
            self.cell(name, "owner", self.ask(name, {"owner": "ann"}), None if "owner" in has else "owner")
            narrow = {"from": FIRST + 100 * DAY, "to": FIRST + 400 * DAY}
            if "from" not in has and "to" in has:
                del narrow["from"]
            self.cell(name, "period", self.ask(name, narrow), None if "to" in has else "from")
            self.cell(name, "sequence", self.ask(name, seq=self.seq), "as they are now" if name == "readiness" else None)
            if ASKED[name].get("by") is None:
                rows = self.ask(name, by="industry")
                self.cell(name, "segments", rows,
                          "no segments, and a filter chooses accounts" if isinstance(rows, icpd.Refused) else None)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
