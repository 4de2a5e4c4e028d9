#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Movements of MRR that are kept with the server, over random streams of subscription events that
come late, come again and are taken back: after each part of the streams they are those that the
server makes anew of the timelines, and those that a few lines of Python make of what was told; and
end less start is the sum of the movements, exactly. One account is one stream: 400, with ICP_LONG=1
100,000."""
import datetime
import os
import random
import sys
import unittest

import icpd

ICPD = sys.argv.pop(1)
DAY = 86400000
STREAMS = 100000 if os.environ.get("ICP_LONG") else 400
PARTS = 5
BATCH = 5000
FIRST = datetime.date(2021, 1, 1).toordinal() - datetime.date(1970, 1, 1).toordinal()
MONTHS = [datetime.date(2021 + n // 12, n % 12 + 1, 1).toordinal() - datetime.date(1970, 1, 1).toordinal()
          for n in range(25)]
PERIOD = {"from": "2021-01-01", "to": "2023-01-01"}
MOVEMENTS = {"new": 1, "reactivation": 1, "expansion": 1, "contraction": -1, "churn": -1}


def stream(account, chance):
    """Events of an account in the order in which they are told: days in no order, some twice, some
    taken back, before or after they are told, and some of that taken back again."""
    told = []
    for subject in range(chance.randint(1, 2)):
        for day in chance.sample(range(FIRST - 200, FIRST + 700), chance.randint(1, 4)):
            event = {"account": account, "type": "subscription", "time": day * DAY, "id": f"{subject}-{day}",
                     "subject": f"s{subject}", "amount": chance.choice((0, chance.randint(1, 100000))),
                     "currency": "USD", "months": chance.choice((1, 3, 12))}
            if chance.random() < 0.5:
                event["end"] = (day + chance.randint(1, 400)) * DAY
            told.append(event)
    for event in list(told):
        if chance.random() < 0.3:
            back = {"account": account, "type": "retraction", "time": event["time"], "id": "r-" + event["id"],
                    "retracts": event["id"]}
            told.append(back)
            if chance.random() < 0.3:
                told.append(dict(back, id="rr-" + event["id"], retracts=back["id"]))
    told += [event for event in told if chance.random() < 0.3]
    chance.shuffle(told)
    return told


def states(told):
    """MRR at each of the months of one account, by what was told so far."""
    known = {event["id"]: event for event in told}
    dead = {}

    def stands(name):
        if name not in dead:
            dead[name] = any(event.get("retracts") == name and stands(event["id"]) for event in known.values())
        return not dead[name]

    spells = {}
    for event in known.values():
        if event["type"] == "subscription" and stands(event["id"]):
            spells.setdefault(event["subject"], []).append(event)
    sums = [0] * len(MONTHS)
    for events in spells.values():
        events.sort(key=lambda event: event["time"])
        for n, event in enumerate(events):
            ends = [e for e in (event.get("end"), events[n + 1]["time"] if n + 1 < len(events) else None)
                    if e is not None]
            minor = (2 * event["amount"] + event["months"]) // (2 * event["months"])
            for m, day in enumerate(MONTHS):
                if event["time"] <= day * DAY and all(day * DAY < end for end in ends):
                    sums[m] += minor
    return sums


class Streams(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.client = self.server.client()
        self.addCleanup(self.client.close)
        self.client.call("schema-put", {"document": '{"fields":[{"name":"industry","type":"category"}]}'})
        for at in range(0, STREAMS, BATCH):
            self.client.call("account-put", {"accounts": [
                {"id": f"a{n}", "values": {}} for n in range(at, min(at + BATCH, STREAMS))]})

    def rows(self, **more):
        reply = self.client.call("measure", {"measure": "mrr", "parameters": PERIOD, **more})
        return [column["name"] for column in reply["columns"]], reply["rows"]

    def test_kept_movements_are_what_the_timelines_come_to_whatever_is_told(self):
        chance = random.Random(8)
        streams = [stream(f"a{n}", chance) for n in range(STREAMS)]
        told = [[] for _ in streams]
        for part in range(PARTS):
            batch = []
            for n, events in enumerate(streams):
                now = events[len(events) * part // PARTS:len(events) * (part + 1) // PARTS]
                told[n] += now
                batch += now
            chance.shuffle(batch)
            for at in range(0, len(batch), BATCH):
                self.client.call("event-append", {"source": "billing", "events": batch[at:at + BATCH]})
            names, kept = self.rows()
            self.assertEqual(kept, self.rows()[1])
            self.assertEqual(kept, self.rows(filter="industry is missing")[1])
            sums = [sum(month) for month in zip(*map(states, told))]
            self.assertEqual(len(kept), len(MONTHS) - 1)
            for n, row in enumerate(kept):
                row = dict(zip(names, row))
                self.assertEqual((row["start"], row["end"]), (sums[n], sums[n + 1]), (part, n))
                self.assertEqual(row["end"] - row["start"], sum(sign * row[name] for name, sign in MOVEMENTS.items()))
        self.assertGreater(sum(sums), 0)
        self.assertGreater(sum(len(one) for one in told), sum(len({e["id"] for e in one}) for one in told))


if __name__ == "__main__":
    unittest.main()
