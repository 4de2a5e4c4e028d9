#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How soon a measure ends that nobody waits for: bench_cancel.py ICPD FOLDER [--accounts N] [--measures A,B].

A company of some ten events an account is told. Each measure is asked in full, then again and again with a
deadline somewhere within that time, and cancelled there over another connection. Printed are the longest times
from the deadline, and from the cancel, to the answer: by the clock, and what the thread of the lane computed
meanwhile, which is what counts where others use the machine too. Ends non-zero if any computed for longer than
--limit milliseconds (100)."""

import argparse
import os
import random
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "system")]
import icpd  # noqa: E402

DAY = 86400000
FIRST = 18262 * DAY  # 2020-01-01
SCHEMA = ('{"fields":[{"name":"industry","type":"category"},{"name":"size","type":"number"},'
          '{"name":"won","type":"flag"}]}')
PEOPLE = [f"person {n}" for n in range(40)]
MOTIONS = ["inbound", "outbound", "partner"]
AS_OF = {"as-of": FIRST + 1500 * DAY}
PERIOD = {"from": FIRST, "to": FIRST + 1096 * DAY}
ASKED = {
    "mrr": PERIOD, "mrr by": {"by": "industry", **PERIOD}, "retention": {"by": "industry", **PERIOD},
    "survival": {"cohort": "quarter", **AS_OF}, "bridge": {"metric": "churn-count", "top": 100, **PERIOD},
    "clv-sbg": {**AS_OF, **PERIOD}, "clv-purchases": {"to": FIRST + 1000 * DAY, "unit": "month"}, "readiness": {},
    "attribution": AS_OF, "attribution by person": {"channel": "person", **AS_OF},
    "handoffs": {"owners": 20, **AS_OF}, "grey": AS_OF, "gap": {"group-by": "motion", "a": "inbound", **AS_OF},
    "gap by field": {"by": "industry", "group-by": "motion", "a": "inbound", **AS_OF},
    "focus": {"by": "industry", "of": "won", **AS_OF}, "focus of customers": {"by": "industry", **AS_OF},
    "quarter-end": AS_OF, "price": {"by": "industry"}, "referral": {"by": "industry", "segments": 2, **AS_OF},
    "campaign": AS_OF, "grid": AS_OF, "view-sales": AS_OF, "view-marketing": AS_OF, "view-success": AS_OF,
    "view-product": AS_OF, "view-finance": AS_OF,
    "patterns": {"show": "all", **AS_OF}, "motions": {**AS_OF, **PERIOD}, "yield": {"group-by": "person", **AS_OF},
    "adherence": {"tal": "best", **AS_OF}, "divergence": {"by": "industry", "tal": "best", **AS_OF},
    "resources": AS_OF, "compensation": {"multipliers": "A=1.2,B=1,C=0.8,D=0.5,none=1", **AS_OF},
}


def measures(text):
    """Of an option: names of those that are asked."""
    names = text.split(",")
    for name in names:
        if name not in ASKED:
            raise argparse.ArgumentTypeError(f"'{name}' is none of: {', '.join(ASKED)}")
    return names


def account_id(n):
    """As icp-bench calls the accounts that it asks scores of."""
    return f"acct-{n:08}"


def events_of(r, n):
    """Of the n-th account, as members beside the account's name."""
    created, motion, person = r.randrange(1200), r.choice(MOTIONS), r.choice(PEOPLE)
    moment = FIRST + created * DAY
    more = {"motion": motion, "person": person}
    for _ in range(5):
        yield {"type": "touch", "time": moment + r.randrange(-40 * DAY, 40 * DAY), "kind": f"channel-{r.randrange(20):02}",
               "function": r.choice(["sales", "marketing"]), "campaign": f"c{r.randrange(9)}", **more}
    yield {"type": "stage", "time": moment, "kind": "created", "subject": "o", **more}
    if r.random() < 0.7:
        yield {"type": "stage", "time": moment + 5 * DAY, "kind": "qualified", "subject": "o", "person": r.choice(PEOPLE)}
    end = r.choice(["won", "lost", None])
    if end:
        money = {"amount": r.randrange(1000, 90000), "currency": "USD", "label": r.choice(["Basic", "Pro"])}
        yield {"type": "outcome", "time": moment + r.randrange(6, 90) * DAY, "kind": end, "subject": "o", **more,
               **(money if end == "won" else {})}
    if r.random() < 0.6:
        ends = {"end": moment + r.randrange(90, 900) * DAY} if r.random() < 0.6 else {}
        yield {"type": "subscription", "time": moment, "subject": "s", "amount": r.randrange(1000, 50000),
               "currency": "USD", "months": r.choice([1, 12]), "label": "Basic", **ends}
        yield {"type": "usage", "time": moment + 40 * DAY, "kind": "report", "quantity": 3000}
    if r.random() < 0.2:
        for month in range(r.randrange(1, 4)):
            yield {"type": "outcome", "time": moment + (100 + 60 * month) * DAY, "kind": "purchase", "amount": 5000,
                   "currency": "USD"}
    if r.random() < 0.1:
        yield {"type": "touch", "time": moment - DAY, "kind": "referral", "label": account_id(r.randrange(n + 1))}
    if r.random() < 0.2:
        yield {"type": "spend", "time": moment, "function": "marketing", "motion": motion, "amount": r.randrange(100, 9000),
               "currency": "USD"}
    if r.random() < 0.1:
        yield {"type": "outcome", "time": moment + 400 * DAY, "kind": "churned"}


class Lane:
    """The server, told of a company, and the thread that measures."""

    def __init__(self, program, accounts, columns):
        self.server = icpd.Server(program, "--event-columns-bytes-max", columns, "--scan-ms", "1h")
        self.client, self.other = self.server.client(), self.server.client()
        self.thread = None
        self.fill(accounts)
        self.thread_find()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.client.close()
        self.other.close()
        self.server.close()

    def fill(self, accounts):
        r, told = random.Random(1), 0
        self.client.call("schema-put", {"document": SCHEMA})
        for at in range(0, accounts, 5000):
            values = [{"id": account_id(n), "values": {"industry": f"i{n % 12}", "size": n * 7919 % 100,
                                                 "won": r.random() < 0.1 + 0.6 * (n * 7919 % 100 > 60)}}
                      for n in range(at, min(at + 5000, accounts))]
            self.client.call("account-put", {"accounts": values, "time": FIRST - 400 * DAY})
            events = [{"account": account_id(n), "id": f"{n}-{i}", **event} for n in range(at, min(at + 5000, accounts))
                      for i, event in enumerate(events_of(r, n))]
            told += len(events)
            for batch in range(0, len(events), 5000):
                self.client.call("event-append", {"events": events[batch:batch + 5000], "source": "bench"})
        self.client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
        self.client.call("tal-build", {"name": "best", "k": max(accounts // 10, 100)})
        self.told = told

    def tasks(self):
        """Nanoseconds computed so far by thread."""
        spent, folder = {}, f"/proc/{self.server.process.pid}/task"
        for task in os.listdir(folder):
            with open(f"{folder}/{task}/schedstat", encoding="ascii") as file:
                spent[task] = int(file.read().split()[0])
        return spent

    def thread_find(self):
        """The lane's thread has no name of its own: it is the one that a measure keeps busy."""
        before = self.tasks()
        self.full("handoffs")
        after = self.tasks()
        self.thread = max(before, key=lambda task: after[task] - before[task])

    def computed_ms(self):
        with open(f"/proc/{self.server.process.pid}/task/{self.thread}/schedstat", encoding="ascii") as file:
            return int(file.read().split()[0]) / 1e6

    def request(self, name, deadline_ms=0):
        asked = ASKED[name]
        request = {"measure": name.split(" ")[0], "parameters": {k: v for k, v in asked.items() if k != "by"}}
        if "by" in asked:
            request["by"] = asked["by"]
        if name == "bridge":
            request["against"] = {"trials": "counted", "free": "active", "churn-evidence": "event"}
        return {**request, "deadline_ms": deadline_ms} if deadline_ms else request

    def full(self, name):
        """Seconds by the clock, and the reason where there was no table."""
        begun = time.monotonic()
        try:
            self.client.call("measure", self.request(name))
            return time.monotonic() - begun, ""
        except icpd.Refused as refused:
            return time.monotonic() - begun, str(refused)[:70]

    def late(self, name, after):
        """Milliseconds from the deadline to the answer, by the clock and computed; None: it was done before."""
        begun = time.monotonic()
        sent = self.client.send("measure", self.request(name, int(after * 1000)))
        time.sleep(max(begun + int(after * 1000) / 1000 - time.monotonic(), 0))
        spent, due = self.computed_ms(), time.monotonic()
        answered, status, _, payload = self.client.receive()
        assert answered == sent
        if not status or payload["error"] != "deadline":
            return None
        return (time.monotonic() - due) * 1000, self.computed_ms() - spent

    def cancelled(self, name, after):
        """The same from a job-cancel over another connection."""
        sent = self.client.send("measure", self.request(name))
        time.sleep(after)
        jobs = [job["job"] for job in self.other.call("job-list")["jobs"]
                if job["op"] == "measure" and job["state"] == "running"]
        spent, due = self.computed_ms(), time.monotonic()
        try:
            for job in jobs:
                self.other.call("job-cancel", {"job": job})
        except icpd.Refused:
            pass  # it has ended
        answered, status, _, payload = self.client.receive()
        assert answered == sent
        if not status or payload["error"] != "cancelled":
            return None
        return (time.monotonic() - due) * 1000, self.computed_ms() - spent


def worst(tries):
    """The longest by the clock and the longest computed."""
    tries = [one for one in tries if one]
    return (max(one[0] for one in tries), max(one[1] for one in tries)) if tries else (0.0, 0.0)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("icpd")
    parser.add_argument("folder", help="for nothing yet: as the benches beside it are called")
    parser.add_argument("--accounts", type=int, default=100000)
    parser.add_argument("--measures", type=measures, default=list(ASKED))
    parser.add_argument("--columns", default="8G", help="of memory for columns; 0: timelines are read")
    parser.add_argument("--tries", type=int, default=12)
    parser.add_argument("--limit", type=float, default=100)
    options = parser.parse_args()
    good = True
    with Lane(os.path.abspath(options.icpd), options.accounts, options.columns) as lane:
        print(f"{lane.told} events of {options.accounts} accounts; longest of {options.tries}, ms by the clock "
              "(computed)", flush=True)
        for name in options.measures:
            lane.full(name)
            whole, why = lane.full(name)
            points = [whole * (i + 0.5) / options.tries for i in range(options.tries)]
            late = worst(lane.late(name, at) for at in points if at >= 0.002)
            cancel = worst(lane.cancelled(name, at) for at in points)
            fine = late[1] <= options.limit and cancel[1] <= options.limit
            good = good and fine
            print(f"{name}: in full {whole * 1000:.0f} ms; deadline {late[0]:.1f} ({late[1]:.1f}); cancel {cancel[0]:.1f} "
                  f"({cancel[1]:.1f}){'' if fine else ' TOO LONG'}{'; ' + why if why else ''}", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
