#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Journeys, measured by icp over files and over a server's events: test_journey.py ICPD ICP ROOT.

Random companies with touches, opportunities and outcomes are told to a server and measured beside
independent sums of this file: paths enumerated one by one, chains solved in fractions. Published values
are asked of the command line where the files of ICP_TEST_DATA are there. Failures print the seed."""

import csv
import datetime
import fractions
import io
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
DAY = 86400000
NOON = DAY // 2
SCHEMA = '{"fields":[{"name":"tier","type":"category"}]}'


def real(name):
    path = os.path.join(REAL, name)
    if not os.path.exists(path):
        raise unittest.SkipTest(f"{path} is not there; ICP_TEST_DATA names the folder")
    return path


def icp(*arguments, port=None, folder="."):
    uri = ["--uri", f"icp://127.0.0.1:{port}"] if port else []
    return subprocess.run([ICP, *uri, *arguments], cwd=folder, capture_output=True, text=True,
                          check=False, env=dict(os.environ, LC_ALL="C.UTF-8"))


def rows_of(got):
    return list(csv.DictReader(io.StringIO(got.stdout)))


class Company:
    """Touches before, during and after opportunities, some of them typed in late."""

    CHANNELS = ["email", "call", "webinar", "event", "ad"]
    STAGES = ["created", "qualified", "demo", "proposal"]

    def __init__(self, seed, accounts=60, first=400):
        self.random = r = random.Random(seed)
        self.events = []  # told in this order, in two batches
        self.late = []
        self.accounts = [f"a{i:03}" for i in range(accounts)]
        self.count = 0
        self.first = first
        for account in self.accounts:
            for number in range(r.randrange(0, 4)):
                self.opportunity(account, f"{account}-o{number}")
            for _ in range(r.randrange(0, 5)):
                self.touch(account, first + r.randrange(300), None)

    def tell(self, account, what, day, late=False, **more):
        self.count += 1
        event = {"account": account, "id": f"e{self.count:05}", "time": day * DAY + NOON, "type": what, **more}
        (self.late if late else self.events).append(event)
        return event

    def touch(self, account, day, subject):
        more = {"subject": subject} if subject else {}
        if self.random.random() < 0.9:
            more["kind"] = self.random.choice(self.CHANNELS)
        if self.random.random() < 0.5:
            more["function"] = self.random.choice(["sales", "marketing"])
        self.tell(account, "touch", day, self.random.random() < 0.1, **more)

    def opportunity(self, account, subject):
        r = self.random
        day = self.first + r.randrange(200)
        person = r.choice(["ann", "bob", "cy", None])
        more = {"person": person} if person else {}
        for stage in self.STAGES[:r.randrange(1, 5)]:
            self.tell(account, "stage", day, kind=stage, subject=subject, **more)
            day += r.randrange(1, 30)
        for _ in range(r.randrange(0, 4)):
            self.touch(account, day - r.randrange(0, 80), subject)
        end = r.random()
        if end < 0.4:
            self.tell(account, "outcome", day, kind="won", subject=subject, amount=r.randrange(1, 10) * 10000,
                      currency="EUR", **more)
        elif end < 0.8:
            label = {"label": r.choice(["price", "timing"])} if r.random() < 0.8 else {}
            self.tell(account, "outcome", day, kind="lost", subject=subject, **label, **more)

    def journeys(self, as_of, lookback, mature, until_created=False, without_late=False):
        """Of each opportunity: (subject, end, touches, created, end day, steps)."""
        late = {id(event) for event in self.late}
        out = []
        for account in self.accounts:
            mine = [e for e in self.events + self.late if e["account"] == account]
            mine.sort(key=lambda e: (e["time"], id(e) in late, e["id"]))
            subjects = sorted({e["subject"] for e in mine if e["type"] != "touch"})
            touches = [e for e in mine if e["type"] == "touch"]
            for subject in subjects or [None]:
                steps = [e for e in mine if e["type"] != "touch" and e["subject"] == subject]
                outcome = steps[-1] if steps and steps[-1]["type"] == "outcome" else None
                end_time = outcome["time"] if outcome else as_of
                created = steps[0]["time"] if steps else None
                last = min(created, end_time) if until_created and steps else end_time
                seen = [t for t in touches if last - lookback * DAY <= t["time"] <= last
                        and t.get("subject", subject) == subject
                        and not (without_late and outcome and id(t) in late)]
                if not steps and not seen:
                    continue
                created = created if steps else seen[0]["time"]
                end = outcome["kind"] if outcome else "open"
                if end == "open" and created <= as_of - mature * DAY:
                    end = "null"
                out.append((subject, end, seen, created, end_time, steps))
        return out


def solved(rows, right):
    """x of rows · x = right, by elimination in fractions."""
    rows = [[*row, value] for row, value in zip(rows, right)]
    for k in range(len(rows)):
        pivot = next(i for i in range(k, len(rows)) if rows[i][k])
        rows[k], rows[pivot] = rows[pivot], rows[k]
        rows[k] = [value / rows[k][k] for value in rows[k]]
        for i, row in enumerate(rows):
            if i != k and row[k]:
                rows[i] = [a - row[k] * b for a, b in zip(row, rows[k])]
    return [row[-1] for row in rows]


def markov(paths):
    """Removal effects of each channel, from paths of (channels, won) with a touch, by solving each
    chain without the channel anew."""
    names = sorted({c for channels, _ in paths for c in channels})
    moves, won, begins = {(a, b): 0 for a in names for b in names}, dict.fromkeys(names, 0), dict.fromkeys(names, 0)
    total = dict.fromkeys(names, 0)
    for channels, is_won in paths:
        begins[channels[0]] += 1
        won[channels[-1]] += is_won
        for i, here in enumerate(channels):
            total[here] += 1
            if i + 1 < len(channels):
                moves[here, channels[i + 1]] += 1

    def rate(without):
        kept = [n for n in names if n != without]
        rows = [[(a == b) - fractions.Fraction(moves[a, b], total[a]) for b in kept] for a in kept]
        reach = solved(rows, [fractions.Fraction(won[n], total[n]) for n in kept])
        return sum((fractions.Fraction(begins[n], len(paths)) * x for n, x in zip(kept, reach)),
                   fractions.Fraction(0))

    whole = rate(None)
    return {n: float(1 - rate(n) / whole) for n in names}


class Attribution(unittest.TestCase):
    def credits(self, company, journeys, channel=lambda t: t.get("kind", "(none)"), weight=lambda steps: 1):
        """What each model comes to, and the counts of the first row."""
        names = sorted({channel(t) for _, end, seen, *_ in journeys if end != "open" for t in seen})
        credit = {n: dict.fromkeys(["first", "last", "linear", "position", "decay", "shapley"], 0.0)
                  for n in names}
        won = [j for j in journeys if j[1] == "won"]
        for _, _, seen, _, end, steps in won:
            if not seen:
                continue
            w, path = weight(steps), [channel(t) for t in seen]
            n = len(path)
            places = [1.0] if n == 1 else [0.5, 0.5] if n == 2 else [0.4, *[0.2 / (n - 2)] * (n - 2), 0.4]
            halves = [2 ** (-(end - t["time"]) / DAY / 7) for t in seen]
            credit[path[0]]["first"] += w
            credit[path[-1]]["last"] += w
            for name, place, half in zip(path, places, halves):
                credit[name]["linear"] += w / n
                credit[name]["position"] += w * place
                credit[name]["decay"] += w * half / sum(halves)
            for name in set(path):
                credit[name]["shapley"] += w / len(set(path))
        paths = [([channel(t) for t in j[2]], j[1] == "won") for j in journeys if j[2] and j[1] != "open"]
        removal = markov(paths)
        total = sum(models["first"] for models in credit.values())
        for name in names:
            credit[name]["removal"] = removal[name]
            credit[name]["markov"] = total * removal[name] / sum(removal.values())
        return credit, len(won), sum(not j[2] for j in won)

    def compare(self, got, wanted, seed):
        self.assertEqual(got.returncode, 0, got.stderr)
        rows = rows_of(got)
        credit, won, unseen = wanted
        self.assertEqual((rows[0]["row"], int(rows[0]["n"])), ("unseen", won), seed)
        self.assertAlmostEqual(float(rows[0]["value"]), unseen / won, 12, seed)
        self.assertEqual([row["row"] for row in rows[1:3]], ["kendall-w", "jsd"])
        channels = {row["channel"]: row for row in rows[3:]}
        self.assertEqual(set(channels), set(credit), seed)
        for name, models in credit.items():
            for model, value in models.items():
                self.assertAlmostEqual(float(channels[name][model]), value, 8, f"seed {seed}: {name} {model}")
        self.assertIn("not causal", got.stderr)

    def test_the_server_credits_as_sums_by_hand_do(self):
        server = icpd.Server(ICPD)
        self.addCleanup(server.close)
        with server.client() as client:
            company = Company(3)
            client.call("schema-put", {"document": SCHEMA})
            client.call("account-put", {"accounts": [{"id": a, "values": {"tier": "ABC"[i % 3]}}
                                                     for i, a in enumerate(company.accounts)]})
            client.call("event-append", {"events": company.events, "source": "crm"})
            seq = client.call("event-append", {"events": company.late, "source": "crm"})["seq"]
            as_of = 720 * DAY
            base = ["measure", "attribution", "--as-of", "1971-12-22", "--csv", "--least", "5"]
            for more, known in [
                    ([], company.journeys(as_of, 365, 90)),
                    (["--lookback", "20", "--mature", "0"], company.journeys(as_of, 20, 0)),
                    (["--until", "created"], company.journeys(as_of, 365, 90, until_created=True)),
                    (["--typed-in", "left-out"], company.journeys(as_of, 365, 90, without_late=True))]:
                self.compare(icp(*base, *more, port=server.port), self.credits(company, known), more)
            worth = self.credits(company, company.journeys(as_of, 365, 90),
                                 weight=lambda steps: steps[-1]["amount"] / 100)
            self.compare(icp(*base, "--weigh", "value", port=server.port), worth, "value")
            function = self.credits(company, company.journeys(as_of, 365, 90),
                                    channel=lambda t: t.get("function", "(none)"))
            self.compare(icp(*base, "--channel", "function", port=server.port), function, "function")
            company.late = []  # as it was before they were told
            before = self.credits(company, company.journeys(as_of, 365, 90))
            self.compare(icp(*base, "--seq", str(seq - 1), port=server.port), before, "seq")
            company.accounts = company.accounts[0::3]
            some = self.credits(company, company.journeys(as_of, 365, 90))
            self.compare(icp(*base, "--seq", str(seq - 1), "--filter", "tier = 'A'", port=server.port), some,
                         "filter")
            with self.assertRaises(AssertionError):  # the control: other credits are told apart
                self.compare(icp(*base, "--lookback", "10", port=server.port), some, "control")
            self.mistakes(client)

    def mistakes(self, client):
        for code, field, part, more in [
                ("bad-field", "parameters.channel", "one of kind, motion, function", {"channel": "colour"}),
                ("bad-field", "parameters.unit", "opportunity, account", {"unit": "deal"}),
                ("bad-field", "parameters.lookback", "1 to 36500", {"lookback": 0}),
                ("bad-field", "parameters.to", "later than from", {"from": "2024-01-01", "to": "2023-01-01"}),
                ("bad-field", "parameters.period", "no parameter 'period'", {"period": "month"}),
                ("no-evidence", "", "insufficient: 0 outcomes", {"won-kind": "married"}),
                ("no-evidence", "", "100000 with one are needed", {"least": 100000})]:
            with self.assertRaises(icpd.Refused) as refusal:
                client.call("measure", {"measure": "attribution", "parameters": more})
            self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))
            self.assertIn(part, str(refusal.exception))

    def test_published_paths_come_out(self):
        got = icp("measure", "attribution", "--paths", real("paths/pathdata.csv"), "--path", "path",
                  "--conversions", "total_conversions", "--nulls", "total_null", "--csv")
        self.assertEqual(got.returncode, 0, got.stderr)
        alpha = next(row for row in rows_of(got) if row["channel"] == "alpha")
        self.assertEqual((float(alpha["first"]), float(alpha["last"])), (6308, 8447))
        for name, value in [("linear", 7574.719), ("markov", 5344.948), ("shapley", 7627.944)]:
            self.assertEqual(round(float(alpha[name]), 3), value)
        self.assertEqual(round(float(alpha["removal"]), 4), 0.5584)
        self.assertIn("19785 won and 68602 lost", got.stderr)
        self.assertIn(f"{19785 / 88387:.6f}", got.stderr)

    def test_a_path_that_cannot_be_read_is_told_by_its_place(self):
        with tempfile.TemporaryDirectory() as folder:
            for row, part in [("email > > call,1,1", "line 2, column 1 (p): a channel without a name"),
                              ("email,one,1", "line 2, column 7 (w): 'one' is no whole number up to"),
                              ("email,1.5,1", "(w): '1.5' is no whole number up to 1000000000"),
                              ("email,1,-2", "(l): a count is 0 or more, not -2")]:
                with open(os.path.join(folder, "p.csv"), "w", encoding="utf-8") as file:
                    file.write(f"p,w,l\n{row}\n")
                got = icp("measure", "attribution", "--paths", "p.csv", "--path", "p", "--conversions", "w",
                          "--nulls", "l", folder=folder)
                self.assertEqual(got.returncode, 65, got.stderr)
                self.assertIn(part, got.stderr)
            got = icp("measure", "attribution", "--paths", "p.csv", "--lookback", "3", folder=folder)
            self.assertEqual(got.returncode, 64)
            self.assertIn("--lookback is for what the server measures", got.stderr)


CURVES = """library(survival)
options(digits = 15)
d <- read.csv("lives.csv")
for (g in unique(d$pair)) {
  s <- summary(survfit(Surv(time, ended) ~ 1, data = d[d$pair == g, ], conf.type = "log-log"),
               times = WITHIN, extend = TRUE)
  cat(g, s$surv, s$lower, s$upper, "\\n")
}
"""


class Handoffs(unittest.TestCase):
    """Steps of cases, as rows (case, time in seconds, stage, person, reason)."""

    def lives(self, steps, as_of):
        """By pair, with None for any stage: (seconds, whether it came to that)."""
        cases = {}
        for row in steps:
            cases.setdefault(row[0], []).append(row)
        entries = []
        for rows in cases.values():
            rows.sort(key=lambda row: row[1])
            for i, (_, time, stage, *_) in enumerate(rows):
                if stage in ("won", "lost"):
                    continue
                after = rows[i + 1] if i + 1 < len(rows) else None
                entries.append((stage, after[2] if after else None, (after[1] if after else as_of) - time))
        lives, pairs = {}, {(s, a) for s, a, _ in entries if a not in (None, "lost")}
        for stage, after, seconds in entries:
            lives.setdefault((stage, ""), []).append((seconds, after not in (None, "lost")))
            for pair in (pair for pair in pairs if pair[0] == stage):
                lives.setdefault(pair, []).append((seconds, after == pair[1]))
        return lives

    def curves(self, lives, within, folder):
        """Survival within some seconds by R's survfit."""
        with open(os.path.join(folder, "lives.csv"), "w", encoding="utf-8") as file:
            file.write("pair,time,ended\n")
            for (stage, after), rows in lives.items():
                file.writelines(f"{stage}>{after},{seconds},{int(ended)}\n" for seconds, ended in rows)
        got = subprocess.run(["Rscript", "-e", CURVES.replace("WITHIN", str(within))], cwd=folder,
                             capture_output=True, text=True, check=True)
        return {tuple(line.split()[0].split(">")): [float(x) if x != "NA" else None for x in line.split()[1:]]
                for line in got.stdout.splitlines()}

    def compare(self, got, steps, as_of, days, seed):
        self.assertEqual(got.returncode, 0, got.stderr)
        lives = self.lives(steps, as_of)
        rows = {(row["from"], row["to"]): row for row in rows_of(got) if row["row"] in ("pair", "stage")}
        self.assertEqual(set(rows), set(lives), seed)
        for pair, row in rows.items():
            ended = sum(ended for _, ended in lives[pair])
            self.assertEqual((int(row["n"]), int(row["accepted"])), (len(lives[pair]), ended), (seed, pair))
        with tempfile.TemporaryDirectory() as folder:
            curves = self.curves(lives, days * 86400, folder)
        for pair, row in rows.items():
            longest = max(seconds for seconds, _ in lives[pair])
            if longest >= days * 86400:
                survival, low, high = curves[pair]
                self.assertAlmostEqual(float(row["within"]), 1 - survival, 9, (seed, pair))
                if 0 < survival < 1:
                    self.assertAlmostEqual(float(row["within_low"]), 1 - high, 9, (seed, pair))
                    self.assertAlmostEqual(float(row["within_high"]), 1 - low, 9, (seed, pair))

    def steps(self, seed, cases=120):
        r = random.Random(seed)
        steps = []
        for case in range(cases):
            time = 86400 * (10000 + r.randrange(100))
            for stage in ["lead", "demo", "lead", "offer"][:r.randrange(1, 5)]:
                steps.append((f"c{case:03}", time, stage, r.choice(["ann", "bob", ""]), ""))
                time += r.randrange(1, 20 * 86400)
            if r.random() < 0.7:
                end = r.choice(["won", "lost"])
                steps.append((f"c{case:03}", time, end, "", "price" if end == "lost" else ""))
        return steps

    def write(self, folder, steps):
        with open(os.path.join(folder, "s.csv"), "w", encoding="utf-8") as file:
            file.write("case,at,stage,person,reason\n")
            for case, time, *rest in steps:
                at = datetime.datetime.fromtimestamp(time, datetime.timezone.utc)
                file.write(",".join([case, at.strftime("%Y-%m-%d %H:%M:%S"), *rest]) + "\n")

    FILE = ["--steps", "s.csv", "--account", "case", "--at", "at", "--stage", "stage", "--person", "person",
            "--reason", "reason"]

    def test_files_and_the_server_give_the_curves_of_r(self):
        steps = self.steps(5)
        asked = ["measure", "handoffs", "--as-of", "1998-01-01", "--within", "5", "--owners", "3", "--csv"]
        as_of = 10227 * 86400
        with tempfile.TemporaryDirectory() as folder:
            self.write(folder, steps)
            files = icp(*asked, *self.FILE, folder=folder)
        self.compare(files, steps, as_of, 5, 5)
        lost = next(row for row in rows_of(files) if row["row"] == "stage" and row["from"] == "offer")
        self.assertEqual((lost["reason"], lost["to"]), ("price", ""))
        server = icpd.Server(ICPD)
        self.addCleanup(server.close)
        with server.client() as client:
            client.call("schema-put", {"document": SCHEMA})
            client.call("account-put", {"accounts": [{"id": case} for case in sorted({s[0] for s in steps})]})
            events = [{"account": case, "id": f"s{i:05}", "time": time * 1000, "kind": stage, "subject": case,
                       "type": "outcome" if stage in ("won", "lost") else "stage",
                       **({"person": person} if person else {}), **({"label": reason} if reason else {})}
                      for i, (case, time, stage, person, reason) in enumerate(steps)]
            touches = [{"account": s[0], "id": f"t{i}", "time": s[1] * 1000 + 7200000, "type": "touch",
                        "function": "sales" if i % 2 else "marketing"} for i, s in enumerate(steps[:40])]
            client.call("event-append", {"events": events + touches, "source": "crm"})
            served = icp(*asked, port=server.port)
            self.assertEqual(served.returncode, 0, served.stderr)
            head, lead, *rest = served.stdout.splitlines()
            self.assertEqual("\n".join([head, *rest]), files.stdout.rstrip())
            self.assertTrue(lead.startswith("speed to lead,"))
            sales = rows_of(icp(*asked, "--answered-by", "sales", port=server.port))[0]
            starts = {}
            for case, time, *_ in steps:
                starts[case] = min(starts.get(case, time), time)
            ends = {s[0]: s[1] for s in steps if s[2] in ("won", "lost")}
            answered = {s[0] for i, s in enumerate(steps[:40]) if i % 2
                        and s[1] + 7200 <= ends.get(s[0], as_of)}
            self.assertEqual((int(sales["n"]), int(sales["accepted"])), (120, len(answered)))
            with self.assertRaises(icpd.Refused) as refusal:
                client.call("measure", {"measure": "handoffs", "parameters": {"within": "soon"}})
            self.assertEqual(refusal.exception.field, "parameters.within")

    def test_control_a_step_that_differs_is_found(self):
        steps = self.steps(6)
        with tempfile.TemporaryDirectory() as folder:
            self.write(folder, steps[:-9])
            got = icp("measure", "handoffs", "--as-of", "1998-01-01", "--within", "5", "--csv", *self.FILE,
                      folder=folder)
        with self.assertRaises(AssertionError):
            self.compare(got, steps, 10227 * 86400, 5, "control")

    def test_the_log_of_a_help_desk_is_that_of_r(self):
        steps = []
        with open(real("logs/helpdesk.csv"), encoding="utf-8") as file:
            for row in csv.DictReader(file):
                at = datetime.datetime.fromisoformat(row["CompleteTimestamp"] + "+00:00")
                steps.append((row["CaseID"], int(at.timestamp()), row["ActivityID"], "", ""))
        got = icp("measure", "handoffs", "--steps", real("logs/helpdesk.csv"), "--account", "CaseID", "--at",
                  "CompleteTimestamp", "--stage", "ActivityID", "--within", "2", "--csv")
        self.compare(got, steps, max(step[1] for step in steps), 2, "helpdesk")

    def test_a_step_that_cannot_be_read_is_told_by_its_place(self):
        with tempfile.TemporaryDirectory() as folder:
            for row, part in [("a,2024-13-01,lead,,", "s.csv, line 2, column 3 (at): '2024-13-01' is no date"),
                              ("a,,lead,,", "(at): the time is missing"),
                              ("a,2024-01-01,,,", "(stage): the stage is missing"),
                              (",2024-01-01,lead,,", "(case): the account is missing")]:
                with open(os.path.join(folder, "s.csv"), "w", encoding="utf-8") as file:
                    file.write(f"case,at,stage,person,reason\n{row}\n")
                got = icp("measure", "handoffs", *self.FILE, folder=folder)
                self.assertEqual(got.returncode, 65, got.stderr)
                self.assertIn(part, got.stderr)


# Men and women admitted to six departments at Berkeley (Bickel, Hammel and O'Connell 1975).
BERKELEY = {"A": (825, 512, 108, 89), "B": (560, 353, 25, 17), "C": (325, 120, 593, 202), "D": (417, 138, 375, 131),
            "E": (191, 53, 393, 94), "F": (373, 22, 341, 24)}


class GreyAndGap(unittest.TestCase):
    """What nobody saw, and whether a gap is of leads or of follow-up."""

    def shares(self, journeys, late, before, near, silent):
        """Of one kind of end: figure: (value, n)."""
        seen = [j for j in journeys if j[2]]
        times, covered, longest = [], [], []
        for _, _, touches, _, end, _ in seen:
            days = [t["time"] for t in touches]
            times.append(end - days[0])
            ends = sorted([(max(d - near * DAY, days[0]), min(d + near * DAY, end)) for d in days])
            total, reached = 0, days[0]
            for low, high in ends:
                total += max(0, high - max(low, reached))
                reached = max(reached, high)
            covered.append(total)
            longest.append(max(b - a for a, b in zip(days, days[1:] + [end])))
        touches = [t for j in seen for t in j[2]]
        untouched = [j for j in journeys if not any(j[3] - before * DAY <= t["time"] <= j[3] for t in j[2])]
        return {"unseen": ((len(journeys) - len(seen)) / len(journeys), len(journeys)),
                "untouched": (len(untouched) / len(journeys), len(journeys)),
                "covered": (sum(covered) / sum(times), len(seen)),
                "silent": (sum(gap > silent * DAY for gap in longest) / len(seen), len(seen)),
                "typed in": (sum(id(t) in late for t in touches) / len(touches), len(touches))}

    def parts(self, counts):
        """(gap, follow-up, mix, not comparable) of {stratum: (n_a, won_a, n_b, won_b)}, in fractions."""
        frac = fractions.Fraction
        n_a, n_b = sum(c[0] for c in counts.values()), sum(c[2] for c in counts.values())
        gap = frac(sum(c[1] for c in counts.values()), n_a) - frac(sum(c[3] for c in counts.values()), n_b)
        follow, mix, rest = frac(0), frac(0), frac(0)
        for a, won_a, b, won_b in counts.values():
            if a and b:
                follow += (frac(a, n_a) + frac(b, n_b)) / 2 * (frac(won_a, a) - frac(won_b, b))
                mix += (frac(won_a, a) + frac(won_b, b)) / 2 * (frac(a, n_a) - frac(b, n_b))
            else:
                rest += frac(won_a, n_a) - frac(won_b, n_b)
        self.assertEqual(follow + mix + rest, gap)
        return [float(part) for part in (gap, follow, mix, rest)]

    def gap_is(self, got, counts):
        self.assertEqual(got.returncode, 0, got.stderr)
        rows = rows_of(got)
        self.assertEqual([row["part"] for row in rows[:4]], ["gap", "follow-up", "mix", "not comparable"])
        for row, wanted in zip(rows, self.parts(counts)):
            self.assertAlmostEqual(float(row["value"]), wanted, 12)
            self.assertLessEqual(float(row["low"]) - 1e-9, wanted)
            self.assertGreaterEqual(float(row["high"]) + 1e-9, wanted)
        whole = [int(row["millionths"]) for row in rows[:4]]
        self.assertEqual(whole[0], sum(whole[1:]))
        self.assertEqual({row["stratum"]: (int(row["n_a"]), int(row["n_b"])) for row in rows[4:]},
                         {name: (c[0], c[2]) for name, c in counts.items() if c[0] + c[2]})
        return rows

    def test_the_admissions_of_berkeley_come_out(self):
        with tempfile.TemporaryDirectory() as folder:
            with open(os.path.join(folder, "b.csv"), "w", encoding="utf-8") as file:
                file.write("sex,dept,admitted,n\n")
                for dept, (men, men_in, women, women_in) in BERKELEY.items():
                    file.write(f"men,{dept},yes,{men_in}\nmen,{dept},no,{men - men_in}\n"
                               f"women,{dept},yes,{women_in}\nwomen,{dept},no,{women - women_in}\n")
            asked = ["measure", "gap", "--rows", "b.csv", "--group", "sex", "--stratum", "dept", "--reached",
                     "admitted", "--cases", "n", "--csv"]
            rows = self.gap_is(icp(*asked, "--a", "men", "--b", "women", folder=folder), BERKELEY)
            self.assertEqual([round(float(row["value"]), 6) for row in rows[:4]],
                             [0.141645, -0.036028, 0.177674, 0])
            self.assertEqual(icp(*asked, "--a", "men", folder=folder).stdout,
                             icp(*asked, "--a", "men", "--b", "women", folder=folder).stdout)
            got = icp(*asked, "--a", "man", folder=folder)
            self.assertEqual(got.returncode, 64)
            self.assertIn("--a: no row is of 'man'; there are men, women", got.stderr)
            got = icp(*asked, "--a", "men", "--segment", "dept", folder=folder)
            self.assertEqual(got.returncode, 64)
            self.assertIn("--segment: of files mrr, retention and survival have segments, not gap", got.stderr)

    def test_the_server_gives_the_sums_of_its_journeys(self):
        server = icpd.Server(ICPD)
        self.addCleanup(server.close)
        company = Company(11, accounts=90)
        tier = {account: "ABC"[i % 3] for i, account in enumerate(company.accounts)}
        with server.client() as client:
            client.call("schema-put", {"document": SCHEMA})
            client.call("account-put", {"accounts": [{"id": a, "values": {"tier": t}} for a, t in tier.items()]})
            client.call("event-append", {"events": company.events, "source": "crm"})
            client.call("event-append", {"events": company.late, "source": "crm"})
            journeys = company.journeys(720 * DAY, 365, 90)
            got = icp("measure", "grey", "--as-of", "1971-12-22", "--before", "40", "--near", "5", "--silent",
                      "20", "--least", "5", "--csv", port=server.port)
            self.assertEqual(got.returncode, 0, got.stderr)
            rows = {(row["of"], row["figure"]): row for row in rows_of(got)}
            late = {id(event) for event in company.late}
            for end in ("won", "lost"):
                mine = [j for j in journeys if j[1] == end]
                for figure, (value, n) in self.shares(mine, late, 40, 5, 20).items():
                    row = rows[end, figure]
                    self.assertEqual(int(row["n"]), n, figure)
                    self.assertAlmostEqual(float(row["value"]), value, 12, figure)
                    self.assertTrue(float(row["low"]) <= value <= float(row["high"]), figure)
            counts = {t: [0, 0, 0, 0] for t in "ABC"}
            for subject, end, _, _, _, steps in journeys:
                if steps and end != "open":
                    at = counts[tier[subject[:4]]]
                    side = 0 if steps[0].get("person") == "ann" else 2
                    at[side] += 1
                    at[side + 1] += end == "won"
            asked = ["measure", "gap", "--a", "ann", "--as-of", "1971-12-22", "--least", "5", "--csv"]
            self.gap_is(icp(*asked, "--segment", "tier", port=server.port), counts)
            with self.assertRaises(AssertionError):  # the control: another owner
                self.gap_is(icp(*asked, "--segment", "tier", "--b", "bob", port=server.port), counts)
            none = icp(*asked, port=server.port)
            self.assertIn("no ICP", none.stderr)
            self.assertIn("or --segment FIELD", none.stderr)
            nobody = icp(*asked, "--segment", "tier", "--a", "dan", port=server.port)
            self.assertIn("icp measure: --a: no journey that can be counted is of 'dan'; there are ", nobody.stderr)
            self.assertNotIn("…", nobody.stderr)
            near = icp("measure", "grey", "--near", "-1", port=server.port)
            self.assertIn("icp measure: --near: a number from 0 to 36500 is wanted", near.stderr)
            field = icp(*asked, "--segment", "tire", port=server.port)
            self.assertIn("icp measure: --segment: the schema has no field 'tire'", field.stderr)
            for measure, field, more in [("gap", "parameters.a", {}), ("gap", "parameters.group-by",
                                                                      {"a": "ann", "group-by": "region"}),
                                         ("grey", "parameters.near", {"near": -1})]:
                with self.assertRaises(icpd.Refused) as refusal:
                    client.call("measure", {"measure": measure, "parameters": more})
                self.assertEqual(refusal.exception.field, field)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
