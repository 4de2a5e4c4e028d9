#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the server measures beside SQL: test_oracle.py ICPD.

Companies like those that billing has (several subscriptions an account that overlap, change and end,
trials, yearly plans, corrections, retractions, what is told twice) are told to a server as events, and
put as they are into tables of SQLite. Movements, retention and survival are then asked of both, by
statements that share nothing with the server but the page docs/methods. Failures print the seed."""

import datetime
import os
import random
import sqlite3
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICPD = os.path.abspath(sys.argv.pop(1))
LONG = os.environ.get("ICP_LONG") == "1"
DAY = 86400000
EPOCH = datetime.date(1970, 1, 1)
Z = 1.9599639845400545
MONTH = 2629800000
SCHEMA = '{"fields":[{"name":"industry","type":"category"}]}'

# Each event once, as it was told first; what is taken back, by a retraction that is not taken back
# itself, falls out. A subscription ends where it says so or where the next of its subject begins.
SPELLS = """
create temp table once as select * from (
  select *, row_number() over (partition by account, source, id order by told) as copy from event)
  where copy = 1;
create temp table gone as select r.account, r.source, r.retracts as id from once r
  where r.type = 'retraction' and not exists (
    select 1 from once b where b.type = 'retraction' and b.account = r.account
      and b.source = r.source and b.retracts = r.id);
create temp table standing as select * from once e where type = 'subscription' and not exists (
    select 1 from gone g where g.account = e.account and g.source = e.source and g.id = e.id);
create temp table spell as
  select account, start, ends, (2 * amount + months) / (2 * months) as minor from (
    select account, time as start, kind, amount, months, min(coalesce(end, 9e15), coalesce(
        lead(time) over (partition by account, subject order by time, source, id), 9e15)) as ends
    from standing)
  where kind <> 'trial' and months > 0 and ends > start and (2 * amount + months) / (2 * months) > 0;
create index spell_account on spell (account);
"""

# State of each account at each day that is asked for.
STATE = """
create temp table state as
  select d.day, a.id as account, a.industry,
    coalesce((select sum(minor) from spell s where s.account = a.id and start <= d.day and d.day < ends), 0)
      as mrr,
    exists (select 1 from spell s where s.account = a.id and s.start < d.day) as before
  from day d cross join account a;
create temp table move as
  select b.account, b.industry, a.day as start_day, b.day as end_day, a.mrr as a, b.mrr as b, a.before
  from state a join state b on a.account = b.account
    and b.day = (select min(day) from day where day > a.day);
"""

MOVEMENTS = """
select start_day, end_day, sum(a),
  sum(case when a = 0 and not before then b else 0 end),
  sum(case when a = 0 and before then b else 0 end),
  sum(case when a > 0 and b > a then b - a else 0 end),
  sum(case when b > 0 and b < a then a - b else 0 end),
  sum(case when b = 0 then a else 0 end),
  sum(b), sum(b > 0)
from move where :industry is null or industry = :industry group by start_day order by start_day
"""

COHORT = """
with ends as (select a.account, a.mrr as a, b.mrr as b from state a join state b on a.account = b.account
    where a.day = (select min(day) from day) and b.day = (select max(day) from day)
      and (:industry is null or a.industry = :industry)),
  base as (select * from ends where a > 0),
  ratio as (select count(*) as n, avg(a) as mean, sum(b) * 1.0 / sum(a) as nrr,
      sum(min(a, b)) * 1.0 / sum(a) as grr, sum(b > 0) as kept from base)
select n, nrr, grr, kept,
  (select sum((b - nrr * a) * (b - nrr * a)) from base) / (n * (n - 1) * mean * mean),
  (select sum((min(a, b) - grr * a) * (min(a, b) - grr * a)) from base) / (n * (n - 1) * mean * mean)
from ratio
"""

FORMS = """
select (start + up - down - lost) * 1.0 / start, (start - down - lost) * 1.0 / start from (
  select sum(case when start_day = (select min(day) from day) then a else 0 end) as start,
    sum(case when a > 0 and b > a then b - a else 0 end) as up,
    sum(case when b > 0 and b < a then a - b else 0 end) as down,
    sum(case when b = 0 then a else 0 end) as lost
  from move where :industry is null or industry = :industry)
"""

# A life lasts from the first spell to the first moment that none covers.
LIVES = """
create temp table life as
  with edge as (select account, ends, (select min(start) from spell f where f.account = s.account) as first
      from spell s where ends < :as_of and not exists (
        select 1 from spell c where c.account = s.account and c.start <= s.ends and s.ends < c.ends)),
    born as (select account, min(start) as first from spell where start < :as_of group by account)
  select b.account, b.first, coalesce(min(e.ends), :as_of) - b.first as lasted, count(e.ends) > 0 as ended
  from born b left join edge e on e.account = b.account group by b.account
"""

SURVIVAL = """
with at as (select lasted, sum(ended) as gone,
    (select count(*) from life l where l.lasted >= d.lasted) as risk
  from life d where lasted <= :at group by lasted having sum(ended) > 0)
select coalesce(exp(sum(ln(1 - gone * 1.0 / risk))), 1), coalesce(sum(gone), 0),
  (select count(*) from life where lasted >= :at), (select count(*) from life)
from at
"""

# Events that stand, counted by segment, cohort of the first of them, month and kind.
QUESTION = """
with lasting as (select e.*, a.industry from once e join account a on a.id = e.account
    where type <> 'retraction' and amount >= :least and not exists (
      select 1 from gone g where g.account = e.account and g.source = e.source and g.id = e.id)),
  born as (select account, industry, strftime('%Y-%m-01', min(time) / 1000, 'unixepoch') as cohort
    from lasting group by account)
select l.industry, b.cohort, strftime('%Y-%m-01', l.time / 1000, 'unixepoch') as month, l.kind, count(*),
  count(distinct l.account), (select count(*) from born c where c.cohort = b.cohort and c.industry = l.industry),
  sum(l.amount)
from lasting l join born b on b.account = l.account
where l.time >= :since
group by 1, 2, 3, 4 order by 1, 2, 3, 4
"""


def ms(day):
    return (day - EPOCH).days * DAY


def day(time):
    return (EPOCH + datetime.timedelta(time // DAY)).isoformat()


class Company:
    """Accounts with subscriptions as billing tells them, in the order in which they are told."""

    def __init__(self, seed, accounts=60, subscriptions=260):
        self.random = r = random.Random(seed)
        self.accounts = [(f"A-{i:04}", r.choice(["EdTech", "FinTech", "DevTools"])) for i in range(accounts)]
        self.events = []
        for n in range(subscriptions):
            self.subscription(n)
        r.shuffle(self.events)
        self.events += self.random.sample(self.events, 40)  # told twice
        taken = [event for event in self.events[:subscriptions] if r.random() < 0.1]
        for event in taken:
            self.events.append({"type": "retraction", "account": event["account"], "id": "R" + event["id"],
                                "time": event["time"], "retracts": event["id"]})
        for event in taken[:len(taken) // 3]:  # which was wrong
            self.events.append({"type": "retraction", "account": event["account"], "id": "RR" + event["id"],
                                "time": event["time"], "retracts": "R" + event["id"]})

    def subscription(self, n):
        r = self.random
        start = datetime.date(2023, 1, 1) + datetime.timedelta(r.randrange(700))
        account, amount = r.choice(self.accounts)[0], r.randrange(1, 500000)
        for step in range(r.choice([1, 1, 1, 2, 3])):  # changes of one subscription
            event = {"type": "subscription", "account": account, "id": f"S{n}.{step}", "subject": f"S{n}",
                     "time": ms(start), "amount": max(1, amount + r.randrange(-amount, amount) * (step > 0)),
                     "currency": "USD", "months": r.choice([1, 1, 1, 3, 12, 24])}
            if r.random() < 0.5:
                event["end"] = ms(start + datetime.timedelta(r.randrange(1, 500)))
            if r.random() < 0.15:
                event["kind"] = "trial"
            if r.random() < 0.05:
                event["months"] = 0  # once for all
            self.events.append(event)
            start += datetime.timedelta(r.randrange(1, 120))

    def base(self, days):
        base = sqlite3.connect(":memory:")
        base.execute("create table account (id text, industry text)")
        base.execute("create table event (account text, source text, id text, type text, time int, end int,"
                     " subject text, kind text, amount int, months int, retracts text, told int)")
        base.execute("create table day (day int)")
        base.executemany("insert into account values (?, ?)", self.accounts)
        base.executemany("insert into day values (?)", [(day,) for day in days])
        base.executemany("insert into event values (?, 'billing', ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", [
            (e["account"], e["id"], e["type"], e["time"], e.get("end"), e.get("subject"), e.get("kind", ""),
             e.get("amount"), e.get("months"), e.get("retracts"), told)
            for told, e in enumerate(self.events)])
        base.executescript(SPELLS + STATE)
        return base


class Oracle(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.client = self.server.client()
        self.addCleanup(self.client.close)
        self.client.call("schema-put", {"document": SCHEMA})

    def tell(self, company):
        self.client.call("account-put", {"accounts": [{"id": id, "values": {"industry": industry}}
                                                      for id, industry in company.accounts]})
        for at in range(0, len(company.events), 100):
            self.client.call("event-append", {"events": company.events[at:at + 100], "source": "billing"})

    def rows(self, measure, by=None, **parameters):
        reply = self.client.call("measure", {"measure": measure, "parameters": parameters,
                                             **({"by": by} if by else {})})
        names = [column["name"] for column in reply["columns"]]
        return [dict(zip(names, row)) for row in reply["rows"]]

    def near(self, found, right, seed):
        if right is None:
            self.assertIsNone(found, f"seed {seed}")
        else:
            self.assertAlmostEqual(found, right, 9, f"seed {seed}")

    def compare_movements(self, base, seed, period):
        names = ["from", "to", "start", "new", "reactivation", "expansion", "contraction", "churn", "end",
                 "customers"]
        rows = self.rows("mrr", "industry", **period)
        for segment, industry in [("all", None), ("DevTools", "DevTools"), ("EdTech", "EdTech")]:
            found = [[row[name] for name in names] for row in rows if row["segment"] == segment]
            right = [list(row) for row in base.execute(MOVEMENTS, {"industry": industry})]
            self.assertEqual(found, right, f"seed {seed}, {segment}")
            self.assertTrue(all(any(row[i] for row in found) for i in range(2, 10)), "a movement never happens")

    def compare_retention(self, base, seed, period):
        found = {(row["segment"], row["metric"]): row for row in self.rows("retention", "industry", **period)}
        for segment, industry in [("all", None), ("EdTech", "EdTech"), ("FinTech", "FinTech")]:
            n, nrr, grr, kept, nrr_square, grr_square = base.execute(COHORT, {"industry": industry}).fetchone()
            for metric, right, square in [("nrr-cohort", nrr, nrr_square), ("grr-cohort", grr, grr_square)]:
                row = found[segment, metric]
                self.assertEqual(row["n"], n, f"seed {seed}")
                self.near(row["value"], right, seed)
                high = right + Z * square ** 0.5
                self.near(row["high"], min(high, 1) if metric == "grr-cohort" else high, seed)
                self.near(row["low"], max(right - Z * square ** 0.5, 0) if metric == "grr-cohort"
                          else right - Z * square ** 0.5, seed)
            self.near(found[segment, "logo-retention"]["value"], kept / n, seed)
            forms = base.execute(FORMS, {"industry": industry}).fetchone()
            self.near(found[segment, "nrr-movement"]["value"], forms[0], seed)
            self.near(found[segment, "grr-movement"]["value"], forms[1], seed)

    def compare_survival(self, base, seed, as_of):
        base.execute(LIVES, {"as_of": ms(as_of)})
        found = self.rows("survival", **{"as-of": as_of.isoformat(), "step": 2, "points": 9})
        self.assertEqual(len(found), 10, f"seed {seed}")
        for row in found:
            right = base.execute(SURVIVAL, {"at": row["month"] * MONTH}).fetchone()
            self.near(row["survival"], right[0], seed)
            self.assertEqual([row["ended"], row["at_risk"], row["n"]], list(right[1:]), f"seed {seed}, {row}")

    def compare_question(self, base, seed, since):
        reply = self.client.call("event-query", {
            "types": ["subscription"], "where": "amount >= 20000", "since": since, "by": "industry",
            "cohort": "month", "period": "month", "members": ["kind"], "sum": "amount"})
        names = [column["name"] for column in reply["columns"]]
        self.assertEqual(names, ["segment", "cohort", "period", "kind", "events", "accounts", "of", "rate", "low",
                                 "high", "sum"])
        found = [[row[0], day(row[1]), day(row[2]), row[3] or "", *row[4:7], row[10]] for row in reply["rows"]]
        right = [list(row) for row in base.execute(QUESTION, {"least": 20000, "since": since})]
        self.assertEqual(found, right, f"seed {seed}")
        self.assertGreater(len(found), 100)
        self.assertEqual(reply["events"], sum(row[4] for row in right))
        for row in reply["rows"]:
            self.assertAlmostEqual(row[7], row[5] / row[6])
            p, n = row[7], row[6]
            middle = (p + Z * Z / (2 * n)) / (1 + Z * Z / n)
            half = Z * ((p * (1 - p) + Z * Z / (4 * n)) / n) ** 0.5 / (1 + Z * Z / n)
            self.near(row[8], middle - half, seed)
            self.near(row[9], middle + half, seed)

    def test_figures_are_those_of_sql_over_the_same_events(self):
        days = [ms(datetime.date(2023 + month // 12, month % 12 + 1, 1)) for month in range(4, 24)]
        period = {"from": days[0], "to": days[-1]}
        for seed in range(40 if LONG else 2):
            company = Company(seed)
            if seed > 0:
                self.client.call("account-delete", {"ids": [account[0] for account in company.accounts]})
            self.tell(company)
            base = company.base(days)
            self.compare_movements(base, seed, period)
            self.compare_retention(base, seed, period)
            self.compare_survival(base, seed, datetime.date(2025, 1, 1))
            self.compare_question(base, seed, days[3])
            base.close()

    def test_control_an_event_that_one_of_them_lacks_is_found(self):
        days = [ms(datetime.date(2023, month, 1)) for month in range(6, 13)]
        company = Company(3)
        self.tell(company)
        company.events.append({"type": "subscription", "account": "A-0000", "id": "X", "subject": "X",
                               "time": days[0], "amount": 1, "months": 1})
        base = company.base(days)
        self.addCleanup(base.close)
        with self.assertRaises(AssertionError):
            self.compare_movements(base, 3, {"from": days[0], "to": days[-1]})
        base.execute("update once set amount = amount + 1 where id = (select id from once where amount > 20000 and "
                     "time > ? limit 1)", [days[3]])
        with self.assertRaises(AssertionError):
            self.compare_question(base, 3, days[0])


if __name__ == "__main__":
    unittest.main()
