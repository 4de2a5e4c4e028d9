#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Patterns of journeys, by icp over files and over a server's events: test_pattern.py ICPD ICP ROOT.

Counts and odds ratios are held against brute force of this file: every choice of places of every case.
The log of ICP_TEST_DATA is counted where it is there, a part of it unless ICP_LONG is set. Failures print
the seed."""

import collections
import csv
import datetime
import io
import itertools
import math
import os
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICPD, ICP, ROOT = (os.path.abspath(sys.argv.pop(1)) for _ in range(3))
REAL = os.environ.get("ICP_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
DAY = 86400
FILE = ["--account", "case", "--at", "at", "--stage", "stage"]


def icp(*arguments, port=None, folder="."):
    uri = ["--uri", f"icp://127.0.0.1:{port}"] if port else []
    return subprocess.run([ICP, *uri, *arguments], cwd=folder, capture_output=True, text=True,
                          check=False, env=dict(os.environ, LC_ALL="C.UTF-8"))


def rows_of(got):
    return list(csv.DictReader(io.StringIO(got.stdout)))


def sequences(steps, goal, window, first, lost="lost"):
    """Of each case: (created, tokens within the window, whether the goal was reached)."""
    cases = collections.OrderedDict()
    for number, (case, time, stage) in enumerate(steps):
        cases.setdefault(case, []).append((time, number, stage))
    out = []
    for rows in cases.values():
        rows.sort()
        tokens, reached, end = [], False, None
        for time, _, stage in rows:
            if stage == goal:
                reached, end = True, time
                break
        if not reached:
            ends = [time for time, _, stage in rows if stage == lost]
            end = ends[-1] if ends else None
        for time, _, stage in rows:
            if stage in (goal, lost):
                continue
            if (end is not None and time >= end) or len(tokens) == first:
                break
            if tokens and time - start > window * DAY:
                break
            start = time if not tokens else start
            tokens.append(stage)
        out.append((rows[0][0], tokens, reached))
    return out


def patterns_of(tokens):
    """{pattern: how often}, of gapped ones whether."""
    found = collections.Counter(tokens)
    for size in (2, 3):
        for at in range(len(tokens) - size + 1):
            found[" > ".join(tokens[at:at + size])] += 1
        for chosen in set(itertools.combinations(tokens, size)):
            found[" ... ".join(chosen)] = 1
    return found


class Brute:
    """Counts and odds of every pattern; fit is a number for each case."""

    def __init__(self, cases, fits=None):
        self.cases = cases
        fits = fits or [0] * len(cases)
        created = sorted(case[0] for case in cases)
        self.cut = created[len(cases) * 3 // 5]
        self.n, self.times, self.earlier, self.won = (collections.Counter() for _ in range(4))
        self.cells = collections.defaultdict(lambda: [0, 0])  # pattern, later, stratum: with, won with
        self.strata = collections.defaultdict(lambda: [0, 0])
        for (time, tokens, won), fit in zip(cases, fits):
            key = (time >= self.cut, len(tokens), fit)
            self.strata[key][0] += 1
            self.strata[key][1] += won
            for pattern, times in patterns_of(tokens).items():
                self.n[pattern] += 1
                self.won[pattern] += won
                self.times[pattern] += times
                self.earlier[pattern] += not key[0]
                self.cells[pattern, key][0] += 1
                self.cells[pattern, key][1] += won

    def odds(self, pattern, later):
        above = below = 0.0
        for key, (n, won) in self.strata.items():
            having, both = self.cells.get((pattern, key), (0, 0)) if key[0] == later else (0, 0)
            above += both * (n - having - (won - both)) / n
            below += (having - both) * (won - both) / n
        return above / below if below else math.inf if above else math.nan


class Patterns(unittest.TestCase):
    def compare(self, rows, brute, least, seed):
        """Every pattern that can be tested, with its counts and odds."""
        count = sum(not case[0] >= brute.cut for case in brute.cases)
        wanted = {p for p, n in brute.earlier.items() if n >= least and count - n >= least}
        self.assertEqual(int(rows[0]["n"]), len(brute.cases), seed)
        got = {row["pattern"]: row for row in rows[1:]}
        self.assertEqual(set(got), wanted, seed)
        for pattern, row in got.items():
            self.assertEqual(int(row["n"]), brute.n[pattern], f"{seed}: {pattern}")
            times = "" if "..." in pattern else str(brute.times[pattern])
            self.assertEqual(row["times"], times, f"{seed}: {pattern}")
            self.assertAlmostEqual(float(row["rate"]), brute.won[pattern] / brute.n[pattern], 12)
            for column, later in (("odds", False), ("later_odds", True)):
                ratio = brute.odds(pattern, later)
                told = row[column]
                if math.isfinite(ratio):
                    self.assertAlmostEqual(float(told) / (ratio or 1), 1 if ratio else 0, 9, f"{seed}: {pattern}")
                else:
                    self.assertEqual(told, "", f"{seed}: {pattern}")

    def log(self, seed, cases=500):
        """Steps of chance: (case, seconds, stage, tier), some at one moment."""
        r = random.Random(seed)
        steps = []
        for case in range(cases):
            time, tier = 10000 * DAY + r.randrange(140) * DAY, r.choice("xyz")
            for _ in range(r.randrange(1, 9)):
                steps.append((f"c{case}", time, r.choice("abcd"), tier))
                time += r.choice([0, 3600, DAY, 9 * DAY])
            steps.append((f"c{case}", time, r.choice(["won", "lost", "lost", "e"]), tier))
        r.shuffle(steps)
        return steps

    def write(self, folder, steps):
        with open(os.path.join(folder, "s.csv"), "w", encoding="utf-8", newline="") as file:
            out = csv.writer(file)
            out.writerow(["case", "at", "stage", "tier"])
            for case, time, stage, tier in steps:
                out.writerow([case, datetime.datetime.utcfromtimestamp(time).strftime("%Y-%m-%d %H:%M:%S"), stage,
                              tier])

    ASKED = ["measure", "patterns", "--show", "all", "--top", "10000", "--least", "5", "--mature", "0", "--first",
             "6", "--window", "20", "--as-of", "1998-01-01", "--csv"]

    def test_a_file_of_steps_is_counted_as_by_brute_force(self):
        for seed in (1, 2):
            steps = self.log(seed)
            with tempfile.TemporaryDirectory() as folder:
                self.write(folder, steps)
                got = icp(*self.ASKED, "--steps", "s.csv", *FILE, "--stratum", "tier", folder=folder)
            self.assertEqual(got.returncode, 0, got.stderr)
            tier = {}
            for case, _, _, of in steps:
                tier.setdefault(case, of)
            cases = sequences([step[:3] for step in steps], "won", 20, 6)
            self.compare(rows_of(got), Brute(cases, list(tier.values())), 5, seed)
            with self.assertRaises(AssertionError):  # the control: a shorter window
                self.compare(rows_of(got), Brute(sequences([s[:3] for s in steps], "won", 20, 5)), 5, seed)

    def test_the_server_gives_the_table_of_the_file(self):
        steps = self.log(3, 200)
        tier = {case: of for case, _, _, of in steps}
        server = icpd.Server(ICPD)
        self.addCleanup(server.close)
        with server.client() as client:
            client.call("schema-put", {"document": '{"fields":[{"name":"tier","type":"category"}]}'})
            client.call("account-put", {"accounts": [{"id": c, "values": {"tier": t}} for c, t in tier.items()]})
            events = [{"account": case, "id": f"s{i:05}", "time": time * 1000, "kind": stage, "subject": case,
                       "type": "outcome" if stage in ("won", "lost") else "stage"}
                      for i, (case, time, stage, _) in enumerate(steps)]
            seq = client.call("event-append", {"events": events, "source": "crm"})["seq"]
            touches = [{"account": case, "id": f"t{i}", "time": time * 1000, "type": "touch", "kind": stage}
                       for i, (case, time, stage, _) in enumerate(steps) if stage in "abcd"]
            client.call("event-append", {"events": touches, "source": "tool"})
            with tempfile.TemporaryDirectory() as folder:
                self.write(folder, steps)
                files = icp(*self.ASKED, "--steps", "s.csv", *FILE, folder=folder)
                tiers = icp(*self.ASKED, "--steps", "s.csv", *FILE, "--stratum", "tier", folder=folder)
            asked = [*self.ASKED, "--steps-of", "stages"]
            served = icp(*asked, "--fit", "none", port=server.port)
            self.assertEqual(served.returncode, 0, served.stderr)
            self.assertEqual(served.stdout, files.stdout)
            self.assertEqual(icp(*asked, "--segment", "tier", port=server.port).stdout, tiers.stdout)
            self.assertEqual(icp(*asked, "--fit", "none", "--seq", str(seq), port=server.port).stdout, files.stdout)
            self.assertIn("not causal", served.stderr)
            both = rows_of(icp(*self.ASKED, "--steps-of", "both", "--fit", "none", port=server.port))
            self.assertIn("a > [a]", {row["pattern"] for row in both})
            none = icp(*asked, port=server.port)
            self.assertIn("or --fit none", none.stderr)
            some = rows_of(icp(*asked, "--fit", "none", "--filter", "tier = 'x'", port=server.port))
            self.assertEqual(int(some[0]["n"]), sum(of == "x" for of in tier.values()))
            self.mistakes(client)

    def mistakes(self, client):
        for code, field, part, more in [
                ("bad-field", "parameters.steps-of", "one of touches, stages, both", {"steps-of": "calls"}),
                ("bad-field", "parameters.form", "adjacent, gapped, both", {"form": "loose"}),
                ("bad-field", "parameters.fit", "score, none", {"fit": "size"}),
                ("bad-field", "parameters.longest", "1 to 3", {"longest": 4}),
                ("bad-field", "parameters.first", "1 to 100", {"first": 101}),
                ("bad-field", "parameters.gaol", "no parameter 'gaol'", {"gaol": "won"}),
                ("no-icp", "icp", "", {}),
                ("no-evidence", "", "insufficient: of 0 journeys (200 more are too young", {"mature": 36500})]:
            with self.assertRaises(icpd.Refused) as refusal:
                client.call("measure", {"measure": "patterns", "parameters": {**({"fit": "none"} if code != "no-icp"
                                                                                 else {}), **more}})
            self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))
            self.assertIn(part, str(refusal.exception))

    def test_mistakes_of_use_are_told(self):
        with tempfile.TemporaryDirectory() as folder:
            self.write(folder, self.log(1, 20))
            for more, part in [(["--form", "loose"], "--form is adjacent, gapped or both, not 'loose'"),
                               (["--show", "some"], "--show is found or all, not 'some'"),
                               (["--longest", "0"], "--longest: a number from 1 to 3 is wanted"),
                               (["--fit", "none"], "--fit is for what the server measures"),
                               (["--channel", "kind"], "--channel is for what the server measures")]:
                got = icp("measure", "patterns", "--steps", "s.csv", *FILE, *more, folder=folder)
                self.assertEqual(got.returncode, 64, got.stderr)
                self.assertIn(part, got.stderr)
            got = icp("measure", "patterns", "--steps", "s.csv", *FILE, "--mature", "0", folder=folder)
            self.assertEqual(got.returncode, 65)
            self.assertIn("insufficient: of 20 journeys", got.stderr)

    def test_the_log_of_loans_is_counted_as_by_brute_force(self):
        path = os.path.join(REAL, "logs/bpi_12_w.csv")
        if not os.path.exists(path):
            raise unittest.SkipTest(f"{path} is not there; ICP_TEST_DATA names the folder")
        with open(path, encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 72413)
        first = 40 if os.environ.get("ICP_LONG") else 12
        steps = [(r["CaseID"], int(datetime.datetime.fromisoformat(r["CompleteTimestamp"] + "+00:00").timestamp()),
                  r["ActivityID"]) for r in rows]
        for goal in ("6", "none"):  # the latter: every step of every case
            got = icp("measure", "patterns", "--steps", path, "--account", "CaseID", "--at", "CompleteTimestamp",
                      "--stage", "ActivityID", "--goal", goal, "--mature", "0", "--show", "all", "--top", "10000",
                      "--least", "1", "--window", "36500", "--first", str(first), "--csv")
            self.assertEqual(got.returncode, 0, got.stderr)
            self.compare(rows_of(got), Brute(sequences(steps, goal, 36500, first)), 1, goal)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
