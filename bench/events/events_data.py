# SPDX-License-Identifier: Apache-2.0
"""Events of a company that sells by subscription, the same for a seed and a number of accounts:
subscriptions that begin, change and end, use, touches and outcomes, ten an account. As columns for
DuckDB (CSV) and as requests for icpd."""
import csv

import msgpack
import numpy

DAY = 86400000
FIRST = 18262  # 2020-01-01
DAYS = 1826
INDUSTRIES = ["Agriculture", "Automotive", "Construction", "Education", "Energy", "Finance", "Health",
              "Insurance", "Logistics", "Media", "Retail", "Software"]
FEATURES = [f"feature-{n}" for n in range(20)]
CHANNELS = ["email", "call", "webinar", "fair", "ad", "partner"]
OUTCOMES = ["won", "lost", "renewed", "expanded"]
TYPES = ["usage", "touch", "outcome", "subscription"]


class Events:
    def __init__(self, accounts, each=10, seed=1):
        random = numpy.random.default_rng(seed)
        count = accounts * each
        self.accounts, self.count = accounts, count
        self.industry = random.integers(0, len(INDUSTRIES), accounts)
        self.account = random.integers(0, accounts, count)
        self.type = random.choice(4, count, p=[0.4, 0.25, 0.15, 0.2])
        self.day = FIRST + random.integers(0, DAYS, count)
        self.kind = random.integers(0, 1 << 30, count)
        self.amount = random.integers(1000, 1000000, count)
        self.quantity = random.integers(1, 50, count) * 1000
        self.months = random.choice(numpy.array([1, 1, 3, 12]), count)
        self.ends = numpy.where(random.random(count) < 0.5, self.day + random.integers(20, 700, count), 0)
        self.subject = random.integers(0, 3, count)

    def kind_of(self, i):
        names = [FEATURES, CHANNELS, OUTCOMES][self.type[i]] if self.type[i] < 3 else None
        return names[self.kind[i] % len(names)] if names else None

    def event(self, i):
        kind = int(self.type[i])
        event = {"account": f"a{self.account[i]}", "type": TYPES[kind], "time": int(self.day[i]) * DAY, "id": f"{i}"}
        if kind < 3:
            event["kind"] = self.kind_of(i)
        if kind == 0:
            event["quantity"] = int(self.quantity[i])
        if kind == 2:
            event["amount"], event["currency"] = int(self.amount[i]), "USD"
        if kind == 3:
            event.update(subject=f"s{self.subject[i]}", amount=int(self.amount[i]), currency="USD",
                         months=int(self.months[i]))
            if self.ends[i]:
                event["end"] = int(self.ends[i]) * DAY
        return event

    def requests(self, first, last, batch):
        """Payloads of event-append, `batch` events each."""
        pack = msgpack.Packer(use_bin_type=True)
        for at in range(first, last, batch):
            events = [self.event(i) for i in range(at, min(at + batch, last))]
            yield pack.pack({"events": events, "source": "bench"})

    def csv(self, accounts_path, events_path):
        with open(accounts_path, "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["account", "industry"])
            out.writerows([n, INDUSTRIES[industry]] for n, industry in enumerate(self.industry))
        with open(events_path, "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["account", "type", "kind", "day", "amount", "quantity", "months", "ends", "subject", "id"])
            for i in range(self.count):
                kind = int(self.type[i])
                out.writerow([self.account[i], TYPES[kind], self.kind_of(i) or "", self.day[i],
                              self.amount[i] if kind >= 2 else "", self.quantity[i] if kind == 0 else "",
                              self.months[i] if kind == 3 else "",
                              self.ends[i] if kind == 3 and self.ends[i] else "",
                              self.subject[i] if kind == 3 else "", i])
