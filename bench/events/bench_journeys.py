#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""First touch, bigrams and handoffs, beside DuckDB on one thread: bench_journeys.py ICPD FOLDER [--accounts N].

The same events are told to icpd and put into DuckDB, in a table in the order of accounts and time. The
answers must be the same, row by row. What is compared is processor time: of the whole server from request
to reply, of the node process around the query. icpd shares credit by seven models where DuckDB is asked
for the first touch alone, tests each bigram and confirms it where DuckDB counts journeys with it and those of
them that were won, and gives intervals and medians beside what DuckDB is asked of handoffs. Ends
non-zero if a row falls short of its target, or differs."""

import argparse
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "system")]
import events_peer  # noqa: E402
from bench_events import Base  # noqa: E402
from events_peer import same  # noqa: E402
from journeys_data import DAY, Journeys  # noqa: E402

AS_OF = 20089 * DAY  # 2025-01-01
QUERIES = [
    ("first touch", f"""with won as (select account, min(time) as won from event where type = 'outcome' and kind = 'won'
       and time <= {AS_OF} group by 1),
     seen as (select w.account, arg_min(e.kind, e.time) as kind from won w join event e on e.account = w.account
       and e.type = 'touch' and e.time between w.won - {365 * DAY} and w.won group by 1)
     select kind, count(*) from seen group by 1 order by 1""", 5),
    ("bigrams", f"""with done as (select account, coalesce(min(time) filter (kind = 'won'), max(time)) as done,
       bool_or(kind = 'won') as won from event where type = 'outcome' and time <= {AS_OF} group by 1),
     touch as (select e.account, e.kind, lead(e.kind) over w as next, coalesce(won, false) as won from event e
       left join done d on d.account = e.account where e.type = 'touch' and e.time < coalesce(done, {AS_OF})
       and e.time >= coalesce(done, {AS_OF}) - {10000 * DAY} window w as (partition by e.account order by e.time)),
     pair as (select account, kind, next, any_value(won) as won, count(*) as times from touch where next is not null
       group by 1, 2, 3)
     select kind || ' > ' || next, count(*), sum(times), avg(won::int) from pair group by kind, next order by 1""", 5),
    ("handoffs", f"""with step as (select type, kind, time, lead(kind) over w as next, lead(time) over w as until
       from event where type <> 'touch' and time <= {AS_OF} window w as (partition by account order by time)),
     entry as (select kind as stage, coalesce(next, '') as next, coalesce(until, {AS_OF}) - time as latency
       from step where type = 'stage'),
     pair as (select distinct stage, next from entry where next not in ('', 'lost')),
     spent as (select p.stage, p.next, latency, count(*) as n, sum((e.next = p.next)::int) as gone
       from pair p join entry e on e.stage = p.stage group by 1, 2, 3),
     risk as (select *, sum(n) over (partition by stage, next order by latency rows between current row and
       unbounded following) as risk from spent)
     select stage, next, sum(n), sum(gone),
       1 - exp(sum(case when gone > 0 and latency <= {7 * DAY} then ln(1 - gone / risk) else 0 end))
     from risk group by 1, 2 order by 1, 2""", 3),
]

MEASURES = {
    "first touch": ("attribution", {}),
    "bigrams": ("patterns", {"form": "adjacent", "longest": 2, "first": 100, "window": 36500, "lookback": 10000,
                             "mature": 0, "fit": "none", "show": "all", "top": 10000, "least": 1}),
    "handoffs": ("handoffs", {}),
}


def rows_of(base, name):
    """The question of that name to icpd, its rows as DuckDB gives them, and what it took."""
    measure, more = MEASURES[name]
    reply, cpu, wall = base.call("measure", {"measure": measure, "parameters": {"as-of": AS_OF, **more}})
    names = [column["name"] for column in reply["columns"]]
    rows = [dict(zip(names, row)) for row in reply["rows"]]
    if name == "first touch":
        return sorted([r["channel"], round(r["first"])] for r in rows if r["row"] == "channel"), cpu, wall
    if name == "bigrams":
        return sorted([r["pattern"], r["n"], r["times"], r["rate"]] for r in rows if r["form"] == "adjacent"), cpu, wall
    return sorted([r["from"], r["to"], r["n"], r["accepted"], r["within"]] for r in rows if r["row"] == "pair"), cpu, wall


def duckdb(folder, journeys):
    path = os.path.abspath(os.path.join(folder, "journeys.csv"))
    journeys.csv(path)
    return events_peer.ask(folder, [
        f"""create table event as select * from read_csv('{path}', header = true,
            types = {{'account': 'INTEGER', 'type': 'VARCHAR', 'kind': 'VARCHAR', 'time': 'BIGINT'}})
            order by account, time"""], QUERIES)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("icpd")
    parser.add_argument("folder")
    parser.add_argument("--accounts", type=int, default=100000)
    parser.add_argument("--columns", default="8G", help="of memory for columns; 0: timelines are read")
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    journeys = Journeys(options.accounts)
    base = Base(os.path.abspath(options.icpd), options.folder, options.columns)
    good = True
    try:
        journeys.industry = [0] * options.accounts  # Base tells accounts with one
        rate, cost = base.tell(journeys, 1000)
        print(f"{journeys.count} events of {journeys.accounts} accounts; told durably in batches of 1,000: "
              f"{rate:.0f} a second, {cost:.2f} µs CPU an event", flush=True)
        base.settle()
        peer = duckdb(options.folder, journeys)
        for name, _, wanted in QUERIES:
            best = min((rows_of(base, name) for _ in range(3)), key=lambda one: one[1])
            other = peer[name]
            equal, ratio = same(best[0], other["rows"], absolute=1e-9), other["cpu_ms"] / best[1]
            good = good and equal and ratio >= wanted
            print(f"{name}: {best[1]:.0f} ms CPU ({best[2]:.0f} ms wall), {best[1] * 1e6 / journeys.count:.0f} ns an "
                  f"event; DuckDB {other['cpu_ms']:.0f} ms CPU; {ratio:.1f} times less, wanted {wanted}; "
                  f"{len(best[0])} rows, {'the same' if equal else 'DIFFERENT'}")
    finally:
        base.server.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
