# SPDX-License-Identifier: Apache-2.0
"""Opportunities of a company, the same for a seed and a number of accounts: touches of the account, then
stages, then an outcome, some ten events an account. As a table for DuckDB (CSV) and as requests for icpd.
No two events of an account are of one moment, so that both put them in the same order."""
import csv

import msgpack
import numpy

DAY = 86400000
FIRST = 18262  # 2020-01-01
DAYS = 1400
CHANNELS = [f"channel-{n:02}" for n in range(20)]
STAGES = ["created", "qualified", "demo", "proposal"]
KINDS = {"touch": CHANNELS, "stage": STAGES, "outcome": ["won", "lost"]}
TYPES = list(KINDS)


class Journeys:
    def __init__(self, accounts, seed=1):
        random = numpy.random.default_rng(seed)
        self.accounts = accounts
        created = FIRST * DAY + random.integers(0, DAYS * DAY, accounts)
        owner = numpy.arange(accounts)
        steps = [(owner, 1, numpy.zeros(accounts, int), created)]
        at, alive = created, numpy.ones(accounts, bool)
        for stage in range(1, 4):
            alive = alive & (random.random(accounts) < 0.75)
            at = at + random.integers(3600000, 20 * DAY, accounts)
            steps.append((owner[alive], 1, numpy.full(alive.sum(), stage), at[alive]))
        ends = random.random(accounts) < 0.85
        at = at + random.integers(3600000, 60 * DAY, accounts)
        steps.append((owner[ends], 2, (random.random(ends.sum()) < 0.5).astype(int), at[ends]))
        for _ in range(6):
            near = created + random.integers(-60 * DAY, 60 * DAY, accounts)
            steps.append((owner, 0, random.integers(0, len(CHANNELS), accounts), near))
        self.account, self.type, self.kind, self.time = (numpy.concatenate([
            part if not numpy.isscalar(part) else numpy.full(len(step[0]), part)
            for step in steps for part in [step[of]]]) for of in range(4))
        order = random.permutation(len(self.account))  # told in no order
        self.account, self.type, self.kind, self.time = (
            column[order] for column in (self.account, self.type, self.kind, self.time))
        self.time = self.time // 16 * 16 + numpy.arange(len(order)) % 16
        self.count = len(order)

    def kind_of(self, i):
        return KINDS[TYPES[self.type[i]]][self.kind[i]]

    def event(self, i):
        event = {"account": f"a{self.account[i]}", "type": TYPES[self.type[i]], "time": int(self.time[i]),
                 "id": f"{i}", "kind": self.kind_of(i)}
        if self.type[i] > 0:
            event["subject"] = "o"
        return event

    def requests(self, first, last, batch):
        """Payloads of event-append, `batch` events each."""
        pack = msgpack.Packer(use_bin_type=True)
        for at in range(first, last, batch):
            events = [self.event(i) for i in range(at, min(at + batch, last))]
            yield pack.pack({"events": events, "source": "bench"})

    def csv(self, path):
        with open(path, "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["account", "type", "kind", "time"])
            out.writerows([self.account[i], TYPES[self.type[i]], self.kind_of(i), self.time[i]]
                          for i in range(self.count))
