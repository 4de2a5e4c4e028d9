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

import numpy
from scipy import optimize, special

PAGES = ["attribution.md", "bridge.md", "clv.md", "focus.md", "gap.md", "handoffs.md", "mrr.md", "patterns.md", "readiness.md", "referral.md", "retention.md", "survival.md"]
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
                if printed.returncode != 0 and "2>&1" not in body:
                    faults.append(f"{page}: {body.strip()}: {printed.stderr.strip()}")
            elif printed is not None and (not body.strip() or printed.stdout.rstrip() != body.rstrip()):
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
        faults, _ = page_run("x", "```sh\necho 1\n```\n```text\n2\n```\n```sh\nfalse\n```\n```text\n\n```\n")
        self.assertEqual(len(faults), 3)


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


class Lifetime(unittest.TestCase):
    """Fits beside scipy's, over scipy's special functions."""

    def rows(self, folder, *arguments):
        got = run(folder, [ICP, "measure", *arguments, "--csv"])
        self.assertEqual(got.returncode, 0, got.stderr)
        return {(row["model"], row["figure"]): row for row in csv.DictReader(io.StringIO(got.stdout))}

    def test_contracts_are_fitted_as_by_scipy(self):
        for seed in range(4):
            rng = numpy.random.default_rng(seed)
            theta = rng.beta(0.8, 2.5, 3000)
            lives = rng.geometric(numpy.maximum(theta, 1e-9))
            lost = [int((lives == t).sum()) for t in range(1, 8)]

            def minus(x, lost=lost):
                times = numpy.arange(8.0)
                share = numpy.exp(special.betaln(numpy.exp(x[0]), numpy.exp(x[1]) + times)
                                  - special.betaln(numpy.exp(x[0]), numpy.exp(x[1])))
                return -(numpy.array(lost) * numpy.log(share[:-1] - share[1:])).sum() \
                    - (3000 - sum(lost)) * numpy.log(share[-1])
            best = optimize.minimize(minus, [0, 1], method="Nelder-Mead",
                                     options={"xatol": 1e-9, "fatol": 1e-10})
            found = self.rows(".", "clv-sbg", "--lost", ",".join(map(str, lost)), "--of", "3000")
            for name, right in zip(("alpha", "beta"), numpy.exp(best.x)):
                self.assertAlmostEqual(float(found["sbg", name]["value"]) / right, 1, 4, f"seed {seed}")
            self.assertAlmostEqual(float(found["sbg", "log-likelihood"]["value"]), -best.fun, 5)
            alpha, beta = numpy.exp(best.x)
            derl = beta / (alpha + beta) * special.hyp2f1(1, beta + 1, alpha + beta + 1, 1 / 1.1)
            self.assertAlmostEqual(float(found["sbg", "residual 1"]["value"]) / derl, 1, 4)

    def test_purchases_are_fitted_as_by_scipy(self):
        rng = numpy.random.default_rng(3)
        start = datetime.date(2023, 1, 1)
        orders, buyers = [], []
        for customer in range(600):
            first, at = int(rng.integers(0, 80)), 0.0
            rate, gone, scale = rng.gamma(0.8) / 35, rng.beta(1.2, 3), rng.gamma(4) / 15
            days = [first]
            while rng.random() >= gone or at == 0:
                at += rng.exponential(1 / rate)
                if first + at > 270:
                    break
                days.append(int(first + at))
            paid = [(day, round(float(rng.gamma(6) / scale), 2)) for day in days]
            orders += [(customer, start + datetime.timedelta(day), value) for day, value in paid]
            distinct = sorted(set(days))
            repeats = len(distinct) - 1
            mean = sum(v for d, v in paid if d > first) / repeats if repeats else 0
            buyers.append((repeats, (distinct[-1] - first) / 7, (270 - first) / 7, mean))
        x, tx, watched, mean = (numpy.array(column, float) for column in zip(*buyers))

        def minus(v):
            r, alpha, a, b = numpy.exp(v)
            common = (special.gammaln(r + x) - special.gammaln(r) + r * numpy.log(alpha) + special.gammaln(a + b)
                      + special.gammaln(b + x) - special.gammaln(b) - special.gammaln(a + b + x))
            alive = -(r + x) * numpy.log(alpha + watched)
            gone = numpy.where(x > 0, numpy.log(a) - numpy.log(b + numpy.maximum(x, 1) - 1)
                               - (r + x) * numpy.log(alpha + tx), -numpy.inf)
            return -(common + numpy.logaddexp(alive, gone)).sum()

        def minus_value(v):
            p, q, gamma = numpy.exp(v)
            n, m = x[x > 0], mean[x > 0]
            return -(special.gammaln(p * n + q) - special.gammaln(p * n) - special.gammaln(q) + q * numpy.log(gamma)
                     + (p * n - 1) * numpy.log(m) + p * n * numpy.log(n)
                     - (p * n + q) * numpy.log(gamma + m * n)).sum()
        settings = {"xatol": 1e-9, "fatol": 1e-9, "maxiter": 20000, "maxfev": 20000}
        often = optimize.minimize(minus, [0, 1, 0, 1], method="Nelder-Mead", options=settings)
        value = optimize.minimize(minus_value, [1, 1, 3], method="Nelder-Mead", options=settings)
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "orders.csv"), "w", encoding="utf-8") as file:
                file.write("c,d,v\n" + "".join(f"{c},{d},{v}\n" for c, d, v in orders))
            end = start + datetime.timedelta(270)
            found = self.rows(folder, "clv-purchases", "--purchases", "orders.csv", "--account", "c", "--at", "d",
                              "--amount", "v", "--to", end.isoformat())
        for name, right in zip(("r", "alpha", "a", "b"), numpy.exp(often.x)):
            self.assertAlmostEqual(float(found["bg/nbd", name]["value"]) / right, 1, 3, name)
        self.assertAlmostEqual(float(found["bg/nbd", "log-likelihood"]["value"]), -often.fun, 4)
        for name, right in zip(("p", "q", "gamma"), numpy.exp(value.x)):
            self.assertAlmostEqual(float(found["gamma-gamma", name]["value"]) / right, 1, 3, name)
        self.assertAlmostEqual(float(found["gamma-gamma", "log-likelihood"]["value"]), -value.fun, 4)

    def test_what_determines_nothing_is_refused(self):
        for arguments, part in [
                (["--lost", "1,2,x", "--of", "10"], "whole numbers with commas between"),
                (["--lost", "5,6,7", "--of", "10"], "18 of 10 customers are lost"),
                (["--lost", "512,256,128", "--of", "1024"], "no highest point"),
                (["--lost", "1,2", "--of", "10", "--discount", "0"], "a number from 0.0001 to 10"),
                (["--of", "10"], "--lost COUNTS is needed")]:
            got = run(".", [ICP, "measure", "clv-sbg", *arguments])
            self.assertNotEqual(got.returncode, 0)
            self.assertIn(part, got.stderr)


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
        self.refused(self.FILE, "--to must be a later day than --from", "--to", "2023-01-01", status=64)
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
