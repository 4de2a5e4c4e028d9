#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Questions to events, beside DuckDB on one thread: bench_events.py ICPD FOLDER [--accounts N] [--each N].

The same events are told to icpd and put into DuckDB. Each question is asked of both; the answers must
be the same, row by row. What is compared is processor time: of the whole server from request to reply,
of the node process around the query. Ends non-zero if a row falls short of its target, or differs.

With --told nothing is asked: what telling cost by thread, the folder's included, and what the events take
on disk, before and after icpd --compact; of these the second needs mdb_stat and mdb_dump (lmdb-utils)."""

import argparse
import os
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "system")]
import events_peer  # noqa: E402
import icpd  # noqa: E402
from events_data import DAY, INDUSTRIES, Events  # noqa: E402
from events_peer import same  # noqa: E402

SCHEMA = '{"fields":[{"name":"industry","type":"category"}]}'
FROM, TO = "2021-01-01", "2024-01-01"
# Subscriptions as spells, in days: until their end or the next of the subject.
SPELLS = """with told as (select e.account, subject, day, amount, months, ends,
    lead(day) over (partition by e.account, subject order by day, cast(id as varchar)) as next
  from event e where type = 'subscription'),
spell as (select account, day as start, least(coalesce(ends, 999999), coalesce(next, 999999)) as stop,
    (2 * amount + months) // (2 * months) as minor from told),
month as (select datediff('day', date '1970-01-01', m::date) as day
  from range(timestamp '2021-01-01', timestamp '2024-01-02', interval 1 month) t(m)),
"""
STATE = SPELLS + """state as (select m.day, s.account, sum(minor) as mrr from month m join spell s
  on s.start <= m.day and m.day < s.stop group by 1, 2)
"""
QUERIES = [
    ("count and sum by type, kind and month",
     """select datediff('day', date '1970-01-01', date_trunc('month', date '1970-01-01' + day)) as month, type,
     coalesce(kind, '') as kind, count(*), count(distinct account), coalesce(sum(amount), 0)
     from event group by 1, 2, 3 order by 1, 2, 3""", 3),
    ("count by industry and year, where amount > 5,000.00",
     """select industry, year(date '1970-01-01' + day) as y, count(*), count(distinct e.account)
     from event e join account a on a.account = e.account where amount > 500000 group by 1, 2 order by 1, 2""", 3),
    ("MRR by month and segment",
     STATE + """select a.industry, m.day, coalesce(sum(s.mrr), 0) from account a cross join month m
     left join state s on s.account = a.account and s.day = m.day group by 1, 2 order by 1, 2""", 3),
    ("NRR by segment",
     SPELLS + """pair as (select a.industry, a.account,
       coalesce(sum(case when start <= lo.day and lo.day < stop then minor end), 0) as a,
       coalesce(sum(case when start <= hi.day and hi.day < stop then minor end), 0) as b
     from account a join spell s on s.account = a.account, (select min(day) as day from month) lo,
       (select max(day) as day from month) hi group by 1, 2)
     select industry, sum(b) / sum(a) from pair where a > 0 group by 1 order by 1""", 3),
    ("retention by cohort",
     """with used as (select account, datediff('day', date '1970-01-01', date_trunc('quarter',
         date '1970-01-01' + day)) as quarter from event where type = 'usage'),
     born as (select account, min(quarter) as cohort from used group by 1),
     size as (select cohort, count(*) as n from born group by 1)
     select b.cohort, u.quarter, count(distinct u.account), any_value(n) from used u join born b
       on b.account = u.account join size s on s.cohort = b.cohort group by 1, 2 order by 1, 2""", 3),
]


class Base:
    """A server and how much processor time it has used."""

    def __init__(self, program, folder, columns="8G"):
        self.server = icpd.Server(program, "--event-columns-bytes-max", columns, "--scan-ms", "10m")
        self.client = self.server.client()
        self.folder = folder

    def threads_ms(self):
        """Processor milliseconds so far by name of thread."""
        spent = {}
        tasks = f"/proc/{self.server.process.pid}/task"
        for task in os.listdir(tasks):
            with open(f"{tasks}/{task}/comm", encoding="ascii") as name, \
                    open(f"{tasks}/{task}/schedstat", encoding="ascii") as file:
                key = name.read().strip()
                spent[key] = spent.get(key, 0.0) + int(file.read().split()[0]) / 1e6
        return spent

    def cpu_ms(self):
        return sum(self.threads_ms().values())

    def settle(self):
        """Waits until what was told is folded: that is no part of a question."""
        quiet = 0
        before = self.cpu_ms()
        for _ in range(600):
            time.sleep(1)
            after = self.cpu_ms()
            quiet = quiet + 1 if after - before < 5 else 0
            if quiet == 5:
                break
            before = after

    def call(self, op, request):
        """The reply, processor ms and wall ms."""
        cpu, begun = self.cpu_ms(), time.monotonic()
        reply = self.client.call(op, request)
        return reply, self.cpu_ms() - cpu, (time.monotonic() - begun) * 1000

    def accounts(self, events):
        self.client.call("schema-put", {"document": SCHEMA})
        for at in range(0, events.accounts, 10000):
            self.client.call("account-put", {"accounts": [
                {"id": f"a{n}", "values": {"industry": INDUSTRIES[events.industry[n]]}}
                for n in range(at, min(at + 10000, events.accounts))]})

    def tell(self, events, batch):
        self.accounts(events)
        return self.append(events, batch)

    def append(self, events, batch):
        """Events a second, durable, and processor microseconds an event; requests are made before."""
        spent, cpu = 0.0, self.cpu_ms()
        part = 100 * batch
        for at in range(0, events.count, part):
            payloads = list(events.requests(at, min(at + part, events.count), batch))
            begun = time.monotonic()
            self.send(payloads)
            spent += time.monotonic() - begun
        return events.count / spent, (self.cpu_ms() - cpu) * 1000 / events.count

    def send(self, payloads, window=32):
        """Pipelined over one connection, replies counted."""
        sock, op = self.client.socket, icpd.OPS["event-append"]
        waiting = 0
        sock.settimeout(600)
        for number, payload in enumerate(payloads):
            sock.sendall(icpd.HEADER.pack(len(payload), 1, op, 0, number + 1, 0) + payload)
            waiting += 1
            if waiting == window:
                self.take()
                waiting -= 1
        for _ in range(waiting):
            self.take()

    def take(self):
        _, status, _, reply = self.client.receive()
        if status:
            raise SystemExit(f"event-append: {reply}")


def rows_of(base, name):
    """The question of that name to icpd, its rows as DuckDB gives them, and what it took."""
    period = {"from": FROM, "to": TO}
    if name.startswith("count and sum"):
        reply, cpu, wall = base.call("event-query", {"members": ["type", "kind"], "period": "month", "sum": "amount"})
        rows = [[row[0] // DAY, row[1], row[2] or "", row[3], row[4], row[9]] for row in reply["rows"]]
    elif name.startswith("count by industry"):
        reply, cpu, wall = base.call("event-query", {"where": "amount > 500000", "by": "industry", "period": "year"})
        rows = [[row[0], time.gmtime(row[1] // 1000).tm_year, row[2], row[3]] for row in reply["rows"]]
    elif name.startswith("MRR"):
        reply, cpu, wall = base.call("measure", {"measure": "mrr", "by": "industry", "parameters": period})
        rows = []
        for row in reply["rows"]:
            if row[12] != "all":
                if row[0] == min(r[0] for r in reply["rows"][:1]):
                    rows.append([row[12], row[0] // DAY, row[2]])
                rows.append([row[12], row[1] // DAY, row[8]])
    elif name.startswith("NRR"):
        reply, cpu, wall = base.call("measure", {"measure": "retention", "by": "industry", "parameters": period})
        rows = [[row[0], row[2]] for row in reply["rows"] if row[1] == "nrr-cohort" and row[0] != "all"]
    else:
        reply, cpu, wall = base.call("event-query", {"types": ["usage"], "cohort": "quarter", "period": "quarter"})
        rows = [[row[0] // DAY, row[1] // DAY, row[3], row[4]] for row in reply["rows"]]
    return rows, cpu, wall


def duckdb(folder, events):
    accounts, told = (os.path.abspath(os.path.join(folder, name)) for name in ("accounts.csv", "events.csv"))
    events.csv(accounts, told)
    return events_peer.ask(folder, [
        f"create table account as select * from read_csv('{accounts}', header = true)",
        f"""create table event as select * from read_csv('{told}', header = true,
            types = {{'account': 'INTEGER', 'type': 'VARCHAR', 'kind': 'VARCHAR', 'day': 'INTEGER',
                      'amount': 'BIGINT', 'quantity': 'BIGINT', 'months': 'INTEGER', 'ends': 'INTEGER',
                      'subject': 'INTEGER', 'id': 'BIGINT'}})
            order by account, day"""], QUERIES)


def compare(base, peer):
    """Rows of the table; whether all hold."""
    good = True
    for name, _, wanted in QUERIES:
        first = rows_of(base, name)
        best = min((rows_of(base, name) for _ in range(3)), key=lambda one: one[1])
        other = peer[name]
        equal = same(best[0], other["rows"], relative=1e-9) and same(first[0], best[0], relative=1e-9)
        ratio = other["cpu_ms"] / best[1]
        good = good and equal and ratio >= wanted
        print(f"{name}: first {first[1]:.0f} ms, then {best[1]:.1f} ms CPU ({best[2]:.1f} ms wall); DuckDB "
              f"{other['cpu_ms']:.1f} ms CPU; {ratio:.1f} times less, wanted {wanted}; {len(best[0])} rows, "
              f"{'the same' if equal else 'DIFFERENT'}")
    return good


def timelines(base, events):
    """Microseconds of wall clock of a timeline: never read before, and read again."""
    cold, warm = [], []
    for n in range(0, min(events.accounts, 2000), 10):
        cold.append(base.call("timeline", {"id": f"a{n}"})[2] * 1000)
        warm.append(min(base.call("timeline", {"id": f"a{n}"})[2] * 1000 for _ in range(3)))
    cold.sort()
    warm.sort()
    print(f"timeline of one account over the wire: median {cold[len(cold) // 2]:.0f} µs at first, "
          f"{warm[len(warm) // 2]:.0f} µs again (99 %: {cold[int(len(cold) * .99)]:.0f}, {warm[int(len(warm) * .99)]:.0f})")


def stored(data, events):
    """Bytes an event of table `event` in a closed store: of its values, and of its pages."""
    shown = subprocess.run(["mdb_stat", "-e", "-s", "event", data], check=True, capture_output=True, text=True).stdout
    facts = dict(line.strip().split(": ") for line in shown.splitlines() if ": " in line)
    table = dict(line.strip().split(": ") for line in shown[shown.index("Status of"):].splitlines()[1:])
    pages = sum(int(table[f"{kind} pages"]) for kind in ("Branch", "Leaf", "Overflow"))
    values = 0
    with subprocess.Popen(["mdb_dump", "-s", "event", data], stdout=subprocess.PIPE, text=True) as dump:
        lines = [line for line in dump.stdout if line.startswith(" ")]
    values = sum((len(line) - 2) // 2 for line in lines[1::2])
    return values / events.count, pages * int(facts["Page size"]) / events.count


def told(base, events):
    """Tells the events, and what that cost and takes."""
    base.accounts(events)
    base.settle()
    before = base.threads_ms()
    rate, _ = base.append(events, 1000)
    base.settle()
    print(f"{events.count} events of {events.accounts} accounts in batches of 1,000: {rate:.0f} a second; "
          "processor time an event, with the fold behind it:")
    spent = {name: (ms - before.get(name, 0.0)) * 1000 / events.count for name, ms in base.threads_ms().items()}
    for name, cost in sorted(spent.items(), key=lambda one: -one[1]):
        if cost >= 0.005:
            print(f"  {name}: {cost:.2f} µs")
    base.server.stop()
    if not (shutil.which("mdb_stat") and shutil.which("mdb_dump")):
        print("on disk: not measured, for there are no mdb_stat and mdb_dump (lmdb-utils)")
        return
    print("on disk, of table event: {:.1f} bytes an event in values, {:.1f} in pages".format(
        *stored(base.server.data, events)))
    subprocess.run([base.server.binary, "--compact", "--data", base.server.data], check=True, capture_output=True)
    print("after icpd --compact: {:.1f} in values, {:.1f} in pages".format(*stored(base.server.data, events)))


def kept(base):
    """Movements of all accounts, which are kept: at first, again, and when 100 accounts were told of."""
    request = {"measure": "mrr", "parameters": {"from": FROM, "to": TO}}
    first = base.call("measure", request)
    again = min((base.call("measure", request) for _ in range(5)), key=lambda one: one[1])
    base.client.call("event-append", {"source": "bench", "events": [
        {"account": f"a{n * 7}", "type": "touch", "time": 0, "id": f"late-{n}"} for n in range(100)]})
    late = base.call("measure", request)
    print(f"MRR of all accounts, kept: first {first[1]:.0f} ms, then {again[1]:.1f} ms CPU ({again[2]:.1f} ms wall), "
          f"{late[1]:.1f} ms CPU after 100 accounts were told of; wanted 10")
    return again[1] <= 10


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("icpd")
    parser.add_argument("folder")
    parser.add_argument("--accounts", type=int, default=100000)
    parser.add_argument("--each", type=int, default=10)
    parser.add_argument("--told", action="store_true", help="what telling costs and takes, and no questions")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    events = Events(options.accounts, options.each)
    base = Base(os.path.abspath(options.icpd), options.folder)
    try:
        if options.told:
            told(base, events)
            return 0
        rate, cost = base.tell(events, 1000)
        print(f"{events.count} events of {events.accounts} accounts; told durably in batches of 1,000: "
              f"{rate:.0f} a second, {cost:.2f} µs CPU an event")
        base.settle()
        timelines(base, events)
        good = compare(base, duckdb(options.folder, events))
        good = kept(base) and good
    finally:
        base.server.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
