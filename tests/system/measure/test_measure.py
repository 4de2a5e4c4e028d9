#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""icp measure over files: test_measure.py ICP ROOT.

Pages of docs/methods are run as printed: a block "```csv NAME" is a file, "```sh" a command, and
"```text" behind it what it prints. Random companies are measured beside independent programs: sums
over fractions in Python, Kaplan and Meier's curve by R's survival. Failures print the seed."""

import csv
import datetime
import fractions
import io
import os
import random
import re
import subprocess
import sys
import tempfile
import unittest

PAGES = ["mrr.md", "retention.md", "survival.md"]
BLOCK = re.compile(r"^```(csv \S+|sh|text)\n(.*?)^```$", re.M | re.S)
COLUMNS = ["--account", "account", "--start", "start", "--end", "end", "--amount", "amount",
           "--term", "term", "--trial", "trial"]


def run(folder, arguments, shell=False):
    env = dict(os.environ, PATH=os.path.dirname(ICP) + ":" + os.environ["PATH"], LC_ALL="C.UTF-8")
    return subprocess.run(arguments if not shell else ["sh", "-c", arguments], cwd=folder, env=env,
                          capture_output=True, text=True, check=False)


def page_run(page, text):
    """Faults of one page; None for a page without commands."""
    faults, commands = [], 0
    with tempfile.TemporaryDirectory() as folder:
        printed = None
        for kind, body in BLOCK.findall(text):
            if kind.startswith("csv "):
                with open(os.path.join(folder, kind[4:]), "w", encoding="utf-8") as file:
                    file.write(body)
            elif kind == "sh":
                commands += 1
                printed = run(folder, body, shell=True)
                if printed.returncode != 0:
                    faults.append(f"{page}: {body.strip()}: {printed.stderr.strip()}")
            elif printed is not None and printed.stdout.rstrip() != body.rstrip():
                faults.append(f"{page}: {printed.stdout} instead of\n{body}")
    return faults, commands


class Pages(unittest.TestCase):
    def test_pages_print_what_they_say(self):
        for page in PAGES:
            with open(os.path.join(ROOT, "docs/methods", page), encoding="utf-8") as file:
                faults, commands = page_run(page, file.read())
            self.assertEqual(faults, [])
            self.assertGreater(commands, 0, page)

    def test_control_a_page_that_says_otherwise_is_found(self):
        faults, _ = page_run("x", "```sh\necho 1\n```\n```text\n2\n```\n```sh\nfalse\n```\n")
        self.assertEqual(len(faults), 2)


class Company:
    """Random subscriptions, their file, and what they come to by fractions."""

    def __init__(self, seed, folder):
        self.random = random.Random(seed)
        self.folder = folder
        self.rows = [self.row() for _ in range(self.random.randint(1, 200))]
        self.path = os.path.join(folder, "subs.csv")
        with open(self.path, "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["account", "start", "end", "amount", "term", "trial"])
            out.writerows([f"a{a}", s.strftime("%d-%m-%Y"), e.strftime("%d-%m-%Y") if e else "",
                           f"{m / 100:.2f}", t, "yes" if trial else "no"]
                          for a, s, e, m, t, trial in self.rows)

    def row(self):
        r = self.random
        start = datetime.date(2023, 1, 1) + datetime.timedelta(r.randrange(700))
        end = start + datetime.timedelta(r.randrange(1, 500)) if r.random() < 0.6 else None
        return (r.randrange(30), start, end, r.randrange(0, 1000000),
                r.choice(["monthly", "annual", "3", "2 years"]), r.random() < 0.1)

    def state(self, account, day):
        months = {"monthly": 1, "annual": 12, "3": 3, "2 years": 24}
        total = 0
        for a, start, end, minor, term, trial in self.rows:
            if a == account and not trial and start <= day and (end is None or day < end):
                total += int(fractions.Fraction(minor, months[term]) + fractions.Fraction(1, 2))
        return total

    def before(self, account, day):
        return any(a == account and not trial and minor * 2 >= {"2 years": 24, "annual": 12, "3": 3}.get(term, 1)
                   and start < day for a, start, _, minor, term, trial in self.rows)

    def movements(self, start, end):
        sums = dict.fromkeys(["start", "new", "reactivation", "expansion", "contraction", "churn", "end"], 0)
        for account in {row[0] for row in self.rows}:
            a, b = self.state(account, start), self.state(account, end)
            sums["start"] += a
            sums["end"] += b
            if a == 0 and b > 0:
                sums["reactivation" if self.before(account, start) else "new"] += b
            elif a > 0 and b == 0:
                sums["churn"] += a
            else:
                sums["expansion" if b > a else "contraction"] += abs(b - a)
        return {name: f"{value // 100}.{value % 100:02d}" for name, value in sums.items()}


class Beside(unittest.TestCase):
    def measure(self, company, name, *arguments):
        got = run(company.folder, [ICP, "measure", name, "--subscriptions", company.path, *COLUMNS,
                                   *arguments, "--csv"])
        self.assertEqual(got.returncode, 0, got.stderr)
        return list(csv.DictReader(io.StringIO(got.stdout)))

    def test_movements_are_those_of_sums_over_fractions(self):
        for seed in range(15):
            with tempfile.TemporaryDirectory() as folder:
                company = Company(seed, folder)
                for row in self.measure(company, "mrr", "--from", "2023-06-01", "--to", "2024-12-01",
                                        "--period", "quarter"):
                    days = [datetime.date.fromisoformat(row[name]) for name in ("from", "to")]
                    right = company.movements(*days)
                    self.assertEqual({name: row[name] for name in right}, right, f"seed {seed}")

    def test_the_curve_is_that_of_survfit_with_log_log_intervals(self):
        """Lives of one subscription each, so that the file says what R is told."""
        for seed in range(3):
            rng = random.Random(seed)
            as_of = datetime.date(2025, 1, 1)
            rows = []
            for account in range(80):
                start = datetime.date(2023, 1, 1) + datetime.timedelta(rng.randrange(600))
                end = start + datetime.timedelta(1 + int(rng.expovariate(1 / 300)))
                rows.append((account, start, end if end < as_of else None))
            with tempfile.TemporaryDirectory() as folder:
                path = os.path.join(folder, "lives.csv")
                with open(path, "w", encoding="utf-8") as file:
                    file.write("a,s,e,m\n" + "".join(f"{a},{s},{e or ''},10\n" for a, s, e in rows))
                got = run(folder, [ICP, "measure", "survival", "--subscriptions", path, "--account", "a",
                                   "--start", "s", "--end", "e", "--amount", "m", "--as-of", "2025-01-01",
                                   "--step", "1", "--points", "20", "--csv"])
                self.assertEqual(got.returncode, 0, got.stderr)
                found = list(csv.DictReader(io.StringIO(got.stdout)))
                lives = "".join(f"{((e or as_of) - s).days},{int(e is not None)}\n" for _, s, e in rows)
                script = ('library(survival); d <- read.csv(file("stdin"), header=FALSE); '
                          'f <- survfit(Surv(V1, V2) ~ 1, data=d, conf.type="log-log"); '
                          f's <- summary(f, times=(0:{len(found) - 1}) * 30.4375, extend=TRUE); '
                          'write.csv(data.frame(s$surv, s$lower, s$upper, s$n.risk), row.names=FALSE)')
                told = subprocess.run(["Rscript", "--vanilla", "-e", script], input=lives, text=True,
                                      capture_output=True, check=True)
                right = list(csv.reader(io.StringIO(told.stdout)))[1:]
                self.assertEqual(len(found), len(right))
                for row, (survival, low, high, at_risk) in zip(found, right):
                    self.assertAlmostEqual(float(row["survival"]), float(survival), 12, f"seed {seed}")
                    self.assertEqual(int(row["at_risk"]), int(at_risk), f"seed {seed}, {row}")
                    if float(survival) < 1:
                        self.assertAlmostEqual(float(row["low"]), float(low), 9, f"seed {seed}")
                        self.assertAlmostEqual(float(row["high"]), float(high), 9, f"seed {seed}")


class Mistakes(unittest.TestCase):
    FILE = "a,s,e,m,t\nx,2024-01-01,,10,monthly\n"

    def refused(self, content, part, *more, status=65):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "f.csv"), "w", encoding="utf-8") as file:
                file.write(content)
            got = run(folder, [ICP, "measure", "mrr", "--subscriptions", "f.csv", "--account", "a", "--start",
                               "s", "--end", "e", "--amount", "m", "--term", "t", "--from", "2024-01-01",
                               "--to", "2024-03-01", *more])
            self.assertIn(part, got.stderr)
            self.assertEqual(got.returncode, status, got.stderr)
            self.assertEqual(got.stdout if status else "", "")
            return got

    def test_a_row_that_cannot_be_measured_is_told_with_line_and_column(self):
        for row, part in [
                ("y,2024-01-01,,10,sometimes", "f.csv, line 3, column 18 (t): 'sometimes' is no term"),
                ("y,2024-01-01,,10,5", "f.csv, line 3, column 18 (t): a term of 5 months is not known"),
                ("y,2024-01-01,,ten,monthly", "line 3, column 15 (m): 'ten' is no amount"),
                ("y,2024-01-01,,1.005,monthly", "(m): '1.005' is no amount with two digits"),
                ("y,2024-13-01,,10,monthly", "line 3, column 3 (s): '2024-13-01' is no date"),
                ("y,,,10,monthly", "(s): the start is missing"),
                ("y,2024-02-01,2024-01-01,10,monthly", "line 3, column 14 (e): the end lies before the start"),
                (",2024-02-01,,10,monthly", "line 3, column 1 (a): the account is missing"),
                ("y,2024-02-01,,-10,monthly", "(m): an amount is 0 to"),
                ('y,2024-02-01,,"1"0,monthly', "f.csv, line 3")]:
            self.refused(self.FILE + row + "\n", part)

    def test_bad_rows_are_left_out_only_where_that_is_told(self):
        got = self.refused(self.FILE + "y,2024-01-01,,10,sometimes\n", "1 rows of f.csv are left out",
                           "--skip-bad", status=0)
        self.assertIn("10.00", got.stdout)

    def test_options_that_are_none_are_refused(self):
        self.refused(self.FILE, "--rule: the rule churn-at is one of end, cancel, paid-end", "--rule",
                     "churn-at=x", status=64)
        self.refused(self.FILE, "mrr has no parameter --grace", "--grace", "4", status=64)
        self.refused(self.FILE, "--period is month, quarter or year", "--period", "week", status=64)
        self.refused(self.FILE, "--to lies before --from", "--to", "2023-01-01", status=64)
        self.refused(self.FILE, "no whole period", "--to", "2024-01-20")
        self.refused(self.FILE, "column 'nothing'", "--trial", "nothing", status=64)
        self.refused("a,s,e,m,t\n", "f.csv has no subscriptions")

    def test_a_currency_without_a_rate_is_refused_and_with_one_counts(self):
        content = "a,s,e,m,t,c\nx,2024-01-01,,10,monthly,EUR\n"
        self.refused(content, "column 26 (c): there is no rate for EUR", "--currency", "c")
        got = self.refused(content, "1 subscriptions", "--currency", "c", "--rule", "currency=USD", "--rule",
                           "rate-EUR=1.5", status=0)
        self.assertIn("15.00", got.stdout)


if __name__ == "__main__":
    ICP, ROOT = (os.path.abspath(path) for path in sys.argv[1:3])
    unittest.main(argv=sys.argv[:1])
