#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""icp measure of the server's events: test_measure_served.py ICPD ICP.

Random companies are told to a server as events, some of them twice, some wrong at first and taken
back later, and written as files. Whatever is measured must come out the same, byte for byte, and as of
the sequence before the corrections as the files said then. Failures print the seed."""

import csv
import datetime
import os
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICPD, ICP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
LONG = os.environ.get("ICP_LONG") == "1"
DAY = 86400000
EPOCH = datetime.date(1970, 1, 1)
SCHEMA = ('{"fields":[{"name":"industry","type":"category"},{"name":"churned","type":"flag"},'
          '{"name":"embedding","type":"vector","dims":2}]}')
TERMS = {"monthly": 1, "3": 3, "annual": 12, "2 years": 24}
COLUMNS = ["--account", "account", "--start", "start", "--end", "end", "--amount", "amount", "--term",
           "term", "--trial", "trial"]
BESIDE = ["--accounts", "accounts.csv", "--churn-events", "churn.csv", "--churn-date", "day"]
ASKED = [
    ["mrr", "--from", "2023-03-01", "--to", "2024-12-01"],
    ["mrr", "--from", "2023-03-31", "--to", "2024-12-31", "--period", "quarter", "--rule",
     "trials=counted"],
    ["retention", "--from", "2023-09-01", "--to", "2024-09-01", "--segment", "industry"],
    ["survival", "--as-of", "2025-01-01", "--cohort", "quarter", "--segment", "industry"],
    ["survival", "--as-of", "2025-01-01", "--grace", "40", "--rule", "end-day=inclusive"],
    ["bridge", "--from", "2023-09-01", "--to", "2024-09-01", "--metric", "nrr-movement", "--against",
     "trials=counted", "--against", "reactivation=within", "--top", "3"],
    ["bridge", "--from", "2023-09-01", "--to", "2024-09-01", "--metric", "churn-count", "--rule",
     "churn-evidence=flag", "--against", "churn-evidence=event", "--churn-flag", "churned", "--top", "2"],
]


def ms(day):
    return (day - EPOCH).days * DAY


class Company:
    def __init__(self, seed, accounts=40, rows=150):
        self.random = random.Random(seed)
        r = self.random
        self.accounts = [(f"a{i:03}", r.choice(["Steel", "Bread", "Ships", ""]), r.random() < 0.3)
                         for i in range(accounts)]
        self.rows = sorted((self.row(n) for n in range(rows)), key=lambda row: row["account"])
        self.churned = [(r.choice(self.accounts)[0], self.day()) for _ in range(20)]

    def day(self):
        return datetime.date(2023, 1, 1) + datetime.timedelta(self.random.randrange(700))

    def row(self, number):
        r, start = self.random, self.day()
        end = start + datetime.timedelta(r.randrange(0, 500)) if r.random() < 0.6 else None
        return {"id": f"s{number}", "account": r.choice(self.accounts)[0], "start": start, "end": end,
                "minor": r.randrange(0, 1000000), "term": r.choice(list(TERMS)), "trial": r.random() < 0.1}

    def event(self, row):
        told = {"type": "subscription", "account": row["account"], "id": row["id"],
                "subject": row["id"].split(".")[0], "time": ms(row["start"]), "amount": row["minor"],
                "currency": "EUR", "months": TERMS[row["term"]]}
        if row["end"]:
            told["end"] = ms(row["end"])
        if row["trial"]:
            told["kind"] = "trial"
        return told

    def write(self, folder, rows):
        with open(os.path.join(folder, "subs.csv"), "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["account", "start", "end", "amount", "term", "trial"])
            out.writerows([row["account"], row["start"], row["end"] or "",
                           f"{row['minor'] // 100}.{row['minor'] % 100:02}", row["term"],
                           "yes" if row["trial"] else "no"] for row in rows)
        with open(os.path.join(folder, "accounts.csv"), "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["account", "industry", "churned"])
            out.writerows([id, industry, "yes" if flag else "no"]
                          for id, industry, flag in self.accounts)
        with open(os.path.join(folder, "churn.csv"), "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["account", "day"])
            out.writerows(self.churned)


class Base(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.client = self.server.client()
        self.addCleanup(self.client.close)
        self.client.call("schema-put", {"document": SCHEMA})

    def icp(self, *arguments, folder="."):
        return subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", *arguments], cwd=folder,
                              capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C.UTF-8"))

    def append(self, events, **more):
        return self.client.call("event-append", {"events": events, "source": "billing", **more})

    def put(self, company):
        self.client.call("account-put", {"accounts": [
            {"id": id, "values": {**({"industry": industry} if industry else {}), "churned": flag}}
            for id, industry, flag in company.accounts]})


class Same(Base):
    def compare(self, company, rows, asked, seed, *more):
        """Files beside the server."""
        with tempfile.TemporaryDirectory() as folder:
            company.write(folder, rows)
            beside = BESIDE if asked[0] in ("retention", "survival", "bridge") else []
            files = self.icp("measure", *asked, "--subscriptions", "subs.csv", *COLUMNS, *beside, "--csv",
                             folder=folder)
        served = self.icp("measure", *asked, *more, "--csv")
        self.assertEqual((files.returncode, served.returncode), (0, 0), (seed, files.stderr, served.stderr))
        self.assertTrue(files.stdout.count("\n") > 1)
        self.assertEqual(served.stdout, files.stdout, f"seed {seed}: {asked}")
        return served

    def tell(self, company):
        """All rows, some of them wrong at first; what was told before the corrections, and its sequence."""
        r = company.random
        wrong = {row["id"]: {**row, "id": row["id"] + ".w", "minor": row["minor"] // 2 + 1}
                 for row in company.rows if r.random() < 0.2}
        late = {row["id"] for row in company.rows if r.random() < 0.1} - set(wrong)
        first = [wrong.get(row["id"], row) for row in company.rows if row["id"] not in late]
        events = [company.event(row) for row in first]
        r.shuffle(events)
        self.append(events)
        seq = self.append(events[:50] + [
            {"type": "outcome", "account": account, "id": f"c{n}", "kind": "churned", "time": ms(day)}
            for n, (account, day) in enumerate(company.churned)])["seq"]
        rest = [company.event(row) for row in company.rows if row["id"] in late or row["id"] in wrong]
        rest += [{"type": "retraction", "account": row["account"], "id": "r" + row["id"],
                  "time": ms(row["start"]), "retracts": row["id"]} for row in wrong.values()]
        r.shuffle(rest)
        for at in range(0, len(rest), 7):
            self.append(rest[at:at + 7])
        return first, seq

    def test_the_server_measures_as_files_do_now_and_as_it_was(self):
        for seed in range(40 if LONG else 2):
            company = Company(seed)
            if seed > 0:
                ids = [account[0] for account in company.accounts]
                self.client.call("account-delete", {"ids": ids})
            self.put(company)
            first, seq = self.tell(company)
            for asked in ASKED:
                self.compare(company, company.rows, asked, seed)
            self.compare(company, first, ASKED[0], seed, "--seq", str(seq))
            self.identity(seed)

    def identity(self, seed):
        reply = self.client.call("measure", {"measure": "mrr", "parameters":
                                             {"from": "2023-01-15", "to": "2025-01-15"}})
        names = [column["name"] for column in reply["columns"]]
        self.assertEqual(len(reply["rows"]), 24)
        before = None
        for row in (dict(zip(names, cells)) for cells in reply["rows"]):
            self.assertEqual(row["start"] + row["new"] + row["reactivation"] + row["expansion"]
                             - row["contraction"] - row["churn"], row["end"], f"seed {seed}: {row}")
            self.assertTrue(before is None or row["start"] == before, f"seed {seed}")
            before = row["end"]
        self.assertEqual(reply["currency"], "EUR")
        self.assertEqual(reply["accounts"], 40)
        self.assertEqual(reply["rules"]["churn-at"], "end")

    def test_a_filter_leaves_accounts_out_and_a_definition_is_quoted(self):
        company = Company(99)
        self.put(company)
        self.append([company.event(row) for row in company.rows])
        steel = {account[0] for account in company.accounts if account[1] == "Steel"}
        rows = [row for row in company.rows if row["account"] in steel]
        company.accounts = [account for account in company.accounts if account[0] in steel]
        told = self.compare(company, rows, ASKED[0], 99, "--filter", "industry = 'Steel'")
        self.assertIn(f"{len(rows)} subscriptions of {len(steel)} accounts, sequence ", told.stderr)
        with tempfile.TemporaryDirectory() as folder:
            definition = self.icp("measure", "list", "--definition", "mrr").stdout
            with open(os.path.join(folder, "d.json"), "w", encoding="utf-8") as file:
                file.write(definition)
            got = self.icp("measure", *ASKED[0], "--definition", "d.json", "--json", folder=folder)
            self.assertEqual(got.returncode, 0, got.stderr)
        reply = self.client.call("measure", {
            "measure": "mrr", "parameters": {"from": "2023-03-01", "to": "2024-12-01"},
            "definition": definition, "rules": {"currency": "EUR"}})
        self.assertEqual((reply["definition"], reply["version"]), ("usual", 1))

    def test_control_a_figure_that_differs_is_found(self):
        company = Company(7)
        self.put(company)
        self.append([company.event(row) for row in company.rows[1:]])
        company.rows[0].update(minor=123456, trial=False, start=datetime.date(2023, 1, 1), end=None)
        with self.assertRaises(AssertionError):
            self.compare(company, company.rows, ASKED[0], 7)


class Mistakes(Base):
    GOOD = {"measure": "mrr", "parameters": {"from": "2024-01-01", "to": "2024-03-01"}}

    def refused(self, code, field, **more):
        with self.assertRaises(icpd.Refused) as refusal:
            self.client.call("measure", {**self.GOOD, **more})
        self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))

    def test_what_cannot_be_measured_is_told_by_its_member(self):
        self.client.call("account-put", {"accounts": [{"id": "x"}, {"id": "y"}]})
        self.refused("no-evidence", "")
        self.refused("bad-field", "measure", measure="nrr")
        cohort = {"from": "2024-01-01", "to": "2024-02-01", "as-of": "2024-06-01"}
        self.refused("missing-field", "parameters.from", measure="clv-sbg", parameters={})
        self.refused("bad-field", "parameters.lost", measure="clv-sbg", parameters={**cohort, "lost": "1,2"})
        self.refused("no-evidence", "", measure="clv-sbg", parameters=cohort)
        self.refused("no-evidence", "", measure="clv-purchases", parameters={"to": "2024-01-01"})
        self.refused("missing-field", "parameters.to", parameters={"from": "2024-01-01"})
        self.refused("bad-field", "parameters.from", parameters={"from": "soon", "to": "2024-01-01"})
        self.refused("bad-field", "parameters.from", parameters={"from": None, "to": "2024-01-01"})
        self.refused("bad-field", "parameters.to", parameters={"from": "2024-01-01", "to": "2024-01-01"})
        self.refused("bad-field", "parameters.none",
                     parameters={"from": "2024-01-01", "to": "2024-03-01", "none": 1})
        self.refused("bad-filter", "filter", filter="employees >")
        self.refused("bad-field", "by", measure="retention", by="nothing")
        self.refused("bad-field", "by", measure="retention", by="embedding")
        self.refused("bad-field", "rules.churn-at", rules={"churn-at": "never"})
        self.refused("bad-field", "rules.churn", rules={"churn": "end"})
        self.refused("bad-field", "rules.rate-EUR", rules={"rate-EUR": "-1"})
        self.refused("bad-field", "rules.churn-at", rules={"churn-at": 7})
        self.refused("bad-document", "definition", definition="[")
        self.refused("bad-document", "definition.metric",
                     definition='{"metric": "x", "version": 1, "name": "n", "currency": "", "rates": {}, '
                                '"rules": {}}')
        self.refused("missing-field", "against", measure="bridge")
        self.refused("bad-field", "churn_flag", churn_flag="churned")
        self.refused("bad-field", "seq", measure="readiness", parameters={}, seq=1)
        self.refused("bad-field", "parameters.floor", measure="readiness", parameters={"floor": 2})

    def test_amounts_of_several_currencies_need_rates(self):
        self.client.call("account-put", {"accounts": [{"id": "x"}, {"id": "y"}]})
        paid = {"type": "subscription", "time": ms(datetime.date(2024, 1, 1)), "subject": "s",
                "amount": 1000, "months": 1}
        self.append([{**paid, "account": "x", "id": "1", "currency": "USD"},
                     {**paid, "account": "y", "id": "2", "currency": "EUR"}])
        self.refused("bad-field", "rules.currency")
        self.refused("bad-field", "accounts[y].currency", rules={"currency": "USD"})
        got = self.icp("measure", "mrr", "--from", "2024-01-01", "--to", "2024-02-01", "--rule",
                       "currency=USD", "--rule", "rate-EUR=1.5", "--csv")
        self.assertIn(",25.00,", got.stdout)
        self.append([{**paid, "account": "y", "id": "3", "subject": "t", "currency": "USD", "months": 5}])
        self.refused("bad-field", "accounts[y].term", rules={"currency": "USD", "rate-EUR": "1.5"})

    def test_options_of_files_and_of_the_server_do_not_mix(self):
        days = ["--from", "2024-01-01", "--to", "2024-02-01"]
        for arguments, part in [(["--account", "a"], "--account is of files"),
                                (["--skip-bad"], "--skip-bad is of files"),
                                (["--known", "soon"], "--known: 'soon' is no time"),
                                (["--subscriptions", "x.csv", "--seq", "1"], "--seq is for what the server")]:
            got = self.icp("measure", "mrr", *days, *arguments)
            self.assertEqual(got.returncode, 64, got.stderr)
            self.assertIn(part, got.stderr)

    def test_what_there_is_to_measure_is_listed(self):
        reply = self.client.call("measure-list")
        of_files = {one["name"] for one in reply["measures"] if not one["served"]}
        # A list and those beside it: verdict and erosion measure these of what the server holds.
        self.assertEqual(of_files, {"erosion", "forecast", "lift", "promise", "rate"})
        self.assertIn("nrr-cohort", [one["name"] for one in reply["metrics"]])
        rules = {rule["name"]: [choice["name"] for choice in rule["choices"]] for rule in reply["rules"]}
        self.assertEqual(rules["churn-at"], ["end", "cancel", "paid-end"])


class Lifetime(Base):
    def test_a_cohort_is_counted_as_it_leaves(self):
        rng = random.Random(17)
        events, lost, of = [], [0] * 8, 0
        first = datetime.date(2023, 1, 1)
        for n in range(400):
            start = first + datetime.timedelta(rng.randrange(40))
            months, leaves = 1, rng.betavariate(0.8, 2.5)
            while months < 14 and rng.random() > leaves:
                months += 1
            event = {"type": "subscription", "account": f"c{n}", "id": f"s{n}", "subject": "s",
                     "time": ms(start), "amount": 1000, "currency": "EUR", "months": 1}
            if months < 14:
                event["end"] = ms(datetime.date(start.year + (start.month - 1 + months) // 12,
                                                (start.month - 1 + months) % 12 + 1, min(start.day, 28)))
            events.append(event)
            if start < datetime.date(2023, 2, 1):  # the cohort; the others are not of it
                of += 1
                if months <= 8:
                    lost[months - 1] += 1
        self.client.call("account-put", {"accounts": [{"id": f"c{n}"} for n in range(400)]})
        self.append(events)
        served = self.icp("measure", "clv-sbg", "--from", "2023-01-01", "--to", "2023-02-01", "--as-of",
                          "2023-10-01", "--discount", "0.02", "--csv")
        counted = self.icp("measure", "clv-sbg", "--lost", ",".join(map(str, lost)), "--of", str(of),
                           "--discount", "0.02", "--csv")
        self.assertEqual((served.returncode, counted.returncode), (0, 0), served.stderr + counted.stderr)
        self.assertEqual(served.stdout, counted.stdout)
        for more, part in [(["--of", "7"], "the server counts"), (["--lost", "1,2", "--of", "9", "--from", "2023"],
                                                                  "--from is for what the server")]:
            got = self.icp("measure", "clv-sbg", "--to", "2023-02-01", "--as-of", "2023-10-01", "--from",
                           "2023-01-01", *more)
            self.assertNotEqual(got.returncode, 0)
            self.assertIn(part, got.stderr)

    def test_purchases_are_those_of_a_file_whatever_the_currency(self):
        for currency, digits in [("EUR", 2), ("JPY", 0)]:
            rng = random.Random(digits)
            rows = []
            for n in range(400):
                day = datetime.date(2023, 1, 1) + datetime.timedelta(rng.randrange(80))
                often, leaves, mean = rng.gammavariate(0.7, 0.4), rng.betavariate(0.8, 2.5), rng.gammavariate(6, 400)
                while day < datetime.date(2024, 1, 1):
                    rows.append((f"p{currency}{n:03}", day, 1 + round(rng.gammavariate(4, mean / 4))))
                    if rng.random() < leaves:
                        break
                    day += datetime.timedelta(1 + min(500, round(7 * rng.expovariate(often + 0.001))))
            self.client.call("account-put", {"accounts": [{"id": id} for id in sorted({row[0] for row in rows})]})
            self.append([{"type": "outcome", "kind": "purchase", "account": id, "id": f"{currency}{n}",
                          "time": ms(day), "amount": minor, "currency": currency}
                         for n, (id, day, minor) in enumerate(rows)])
            with tempfile.TemporaryDirectory() as folder:
                with open(os.path.join(folder, "orders.csv"), "w", encoding="utf-8") as file:
                    file.write("who,day,total\n" + "".join(
                        f"{id},{day},{minor / 10 ** digits:.{digits}f}\n" for id, day, minor in rows))
                more = ["--to", "2024-01-15", "--horizon", "20", "--margin", "0.7", "--csv"]
                files = self.icp("measure", "clv-purchases", "--purchases", "orders.csv", "--account", "who", "--at",
                                 "day", "--amount", "total", "--rule", f"currency={currency}", *more, folder=folder)
                served = self.icp("measure", "clv-purchases", *more)
            self.assertEqual((files.returncode, served.returncode), (0, 0), files.stderr + served.stderr)
            self.assertEqual(served.stdout, files.stdout)
            self.assertIn("gamma-gamma", served.stdout)
            self.client.call("account-delete", {"ids": sorted({row[0] for row in rows})})

    def test_money_is_told_by_the_minor_unit_of_its_currency(self):
        self.client.call("account-put", {"accounts": [{"id": "x"}, {"id": "y"}]})
        paid = {"type": "subscription", "time": ms(datetime.date(2024, 1, 1)), "subject": "s", "months": 1}
        self.append([{**paid, "account": "x", "id": "1", "amount": 5000, "currency": "JPY"}])
        days = ["--from", "2024-01-01", "--to", "2024-02-01", "--csv"]
        self.assertIn(",5000,0,0,", self.icp("measure", "mrr", *days).stdout)
        self.append([{**paid, "account": "y", "id": "2", "amount": 1000, "currency": "USD"}])
        got = self.icp("measure", "mrr", *days, "--rule", "currency=JPY", "--rule", "rate-USD=150")
        self.assertIn(",6500,0,0,", got.stdout, got.stderr)  # 10 dollars are 1,500 yen
        got = self.icp("measure", "mrr", *days, "--rule", "currency=USD", "--rule", "rate-JPY=0.0066")
        self.assertIn(",43.00,0.00,", got.stdout, got.stderr)  # 5,000 yen are 33 dollars
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "s.csv"), "w", encoding="utf-8") as file:
                file.write("a,s,e,m,c\nx,2024-01-01,,5000,JPY\ny,2024-01-01,,10.00,USD\n")
            files = ["measure", "mrr", "--subscriptions", "s.csv", "--account", "a", "--start", "s", "--end", "e",
                     "--amount", "m", "--currency", "c", *days]
            got = self.icp(*files, "--rule", "currency=USD", "--rule", "rate-JPY=0.0066", folder=folder)
            self.assertIn(",43.00,0.00,", got.stdout, got.stderr)
            with open(os.path.join(folder, "s.csv"), "a", encoding="utf-8") as file:
                file.write("y,2024-01-01,,10.50,JPY\n")
            got = self.icp(*files, "--rule", "currency=USD", "--rule", "rate-JPY=0.0066", folder=folder)
            self.assertIn("amount of JPY with 0 digits behind the point", got.stderr)


class Readiness(Base):
    def test_accounts_of_one_source_are_as_ready_as_the_rows_of_their_file(self):
        rng = random.Random(11)
        days = [datetime.date(2024, 1, 1) + datetime.timedelta(rng.randrange(400)) for _ in range(50)]
        rows = [(f"a{n}", day, rng.choice(["crm", "billing"]), rng.choice(["Steel", ""]), "yes",
                 rng.choice(["7", ""])) for n, day in enumerate(days)]
        self.client.call("schema-put", {"document": '{"fields":[{"name":"industry","type":"category"},'
                                        '{"name":"churned","type":"flag"},{"name":"size","type":"number"}]}'})
        for id, day, source, industry, _, size in rows:
            values = {"churned": True, **({"industry": industry} if industry else {}),
                      **({"size": 7} if size else {})}
            self.client.call("account-put", {"accounts": [{"id": id, "values": values}], "source": source,
                                             "time": ms(day)})
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "rows.csv"), "w", encoding="utf-8", newline="") as file:
                out = csv.writer(file)
                out.writerow(["id", "day", "system", "industry", "churned", "size"])
                out.writerows(rows)
            for more in [[], ["--stale-days", "100", "--floor", "0.4"], ["--as-of", "2024-06-01"]]:
                files = self.icp("measure", "readiness", "--rows", "rows.csv", "--account", "id", "--at", "day",
                                 "--source", "system", *more, "--csv", folder=folder)
                served = self.icp("measure", "readiness", *more, "--csv")
                self.assertEqual((files.returncode, served.returncode), (0, 0), files.stderr + served.stderr)
                self.assertEqual(served.stdout, files.stdout)
        self.client.call("account-patch", {"accounts": [{"id": "a0", "values": {"size": 9}}],
                                           "source": "support"})
        table = self.icp("measure", "readiness", "--csv").stdout.splitlines()
        self.assertTrue(any(row.startswith("linked,,0.02,") for row in table), table)
        self.assertTrue(any(row.startswith("covered,support,0.02,") for row in table), table)
        one = self.client.call("measure", {"measure": "readiness", "filter": "size = 9"})
        self.assertEqual((one["accounts"], one["events"], one["currency"]), (1, 0, ""))


class Lifecycle(Base):
    def test_an_account_is_told_as_of_a_moment_and_a_sequence(self):
        self.client.call("account-put", {"accounts": [{"id": "x", "keys": ["crm:1"]}]})
        start = ms(datetime.date(2024, 1, 1))
        seq = self.append([
            {"type": "subscription", "time": start, "account": "x", "id": "1", "subject": "s",
             "amount": 120000, "currency": "USD", "months": 12, "label": "Pro"},
            {"type": "touch", "time": start - 9 * DAY, "account": "x", "id": "2", "kind": "email"},
            {"type": "outcome", "time": start + DAY, "account": "x", "id": "3", "kind": "nps",
             "quantity": 9000}])["seq"]
        reply = self.client.call("lifecycle", {"key": "crm:1", "at": start + 30 * DAY})
        self.assertEqual((reply["id"], reply["mrr"], reply["currency"], reply["customer"], reply["since"],
                          reply["tenure_days"], reply["first_touch"], reply["nps"], reply["renewals"]),
                         ("x", 10000, "USD", True, start, 30, start - 9 * DAY, 9000, 0))
        self.assertEqual(reply["open"], [{"subject": "s", "label": "Pro", "amount": 120000,
                                          "currency": "USD", "months": 12, "start": start}])
        self.append([{"type": "retraction", "time": start, "account": "x", "id": "4", "retracts": "1"}])
        self.assertEqual(self.client.call("lifecycle", {"id": "x", "at": start + DAY})["mrr"], 0)
        was = self.client.call("lifecycle", {"id": "x", "at": start + DAY, "seq": seq})
        self.assertEqual((was["mrr"], was["seq"], was["events"]), (10000, seq, 3))
        for request, code, field in [({}, "missing-field", "id"), ({"id": "z"}, "not-found", ""),
                                     ({"id": "x", "at": 1 << 62}, "bad-field", "at"),
                                     ({"id": "x", "rules": {"x": "y"}}, "bad-field", "rules.x")]:
            with self.assertRaises(icpd.Refused) as refusal:
                self.client.call("lifecycle", request)
            self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))


if __name__ == "__main__":
    unittest.main()
