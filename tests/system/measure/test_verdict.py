#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""icp verdict, icp erosion, lists of format 2 and the measures about them: test_verdict.py ICPD ICP ROOT.

A company with planted effects (a list that is right, effort that is not alike, a segment that promised
too much) is told to a server; every block is counted here again from the same rows, and every factor of
the e-process comes from scipy's noncentral hypergeometric. Published values stand where their files are
(ICP_TEST_DATA names the folder); without them that part says so and passes."""

import collections
import csv
import datetime
import hashlib
import html.parser
import json
import math
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import unittest

from scipy import stats

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICPD, ICP, ROOT = (os.path.abspath(sys.argv.pop(1)) for _ in range(3))
DATA = os.environ.get("ICP_TEST_DATA", os.path.join(ROOT, "..", "shared", "data"))
DAY = 86400000
WEEK = 7 * DAY
# A Monday.
START = 20457 * DAY
SCHEMA = {"fields": [{"name": "title", "type": "category"}, {"name": "industry", "type": "category"},
                     {"name": "employees", "type": "number"}, {"name": "won", "type": "flag"}],
          "name": "title"}
POLICY = """{"policy": 1, "name": "won in 30 days", "case": "subject", "moment": "stage:created",
 "maturity": "60 days",
 "archetypes": [{"name": "good", "when": [{"event": "outcome:won", "within": "30 days"}]},
                {"name": "poor", "when": [{"event": "outcome:won", "within": "30 days", "not": true}]}]}
"""


def half_normal_points():
    return [stats.norm.ppf((1 + (i + 0.5) / 60) / 2) for i in range(60)]


def log_e(blocks, sign):
    """ln of the mean over 60 odds ratios of the product of scipy's probabilities over those of no effect."""
    def log_p(block, log_ratio):
        on, off, won, k = block
        return stats.nchypergeom_fisher.logpmf(k, on + off, on, won, math.exp(log_ratio))
    telling = [b for b in blocks if min(b[0], b[2]) > max(0, b[2] - b[1])]
    null = sum(log_p(b, 0) for b in telling)
    logs = [sum(log_p(b, sign * z) for b in telling) - null for z in half_normal_points()]
    peak = max(logs)
    return peak + math.log(sum(math.exp(x - peak) for x in logs) / 60)


def mantel(blocks):
    above = sum(k * (off - (won - k)) / (on + off) for on, off, won, k in blocks if on + off)
    below = sum((on - k) * (won - k) / (on + off) for on, off, won, k in blocks if on + off)
    return above / below


def week_of(ms):
    return (ms // DAY + 3) // 7 * 7 - 3


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = icpd.Server(ICPD)
        cls.client = cls.server.client()
        cls.folder = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.close()
        cls.folder.cleanup()

    def icp(self, *arguments, code=0):
        done = subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", *arguments],
                              cwd=self.folder.name, capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C.UTF-8"))
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout if code == 0 else done.stderr

    @classmethod
    def write(cls, name, text):
        with open(os.path.join(cls.folder.name, name), "w", encoding="utf-8") as file:
            file.write(text)
        return name


def table(reply, name):
    """Rows of a table as dictionaries, by the columns of measure-list."""
    return next(t["rows"] for t in reply["tables"] if t["measure"] == name)


class Company(Base):
    """2,000 accounts; large ones of Software are good. A list of 200 with a fifth held out."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.random = random.Random(11)
        cls.client.call("schema-put", {"document": json.dumps(SCHEMA)})
        accounts = []
        for n in range(2000):
            industry = cls.random.choice(["Software", "Health", "Retail", "Energy"])
            employees = int(math.exp(cls.random.uniform(1, 8)))
            chance = 0.1 + 0.4 * (industry == "Software") + 0.3 * (employees > 400)
            accounts.append({"id": f"a{n:04}", "values": {
                "title": f"Company {n}", "industry": industry, "employees": employees,
                "won": cls.random.random() < chance}})
        for at in range(0, 2000, 500):
            cls.client.call("account-put", {"accounts": accounts[at:at + 500], "source": "test"})
        for seed in (1, 2):
            cls.client.call("icp-learn", {"label": "won", "seed": seed, "activate": True,
                                          "exclude": ["title"] if seed == 2 else ["title", "employees"]})
        cls.built = cls.client.call("tal-build", {"name": "list", "k": 200, "hold_out": 0.2,
                                                  "seed": "monday", "sample": 600})
        cls.columns = {m["name"]: [c["name"] for c in m["columns"]]
                       for m in cls.client.call("measure-list")["measures"]}
        parts = {}
        for part in ("members", "just-missed", "sample"):
            parts[part] = cls.client.call("tal-get", {"name": "list", "part": part, "limit": 10000})["entries"]
        cls.parts = parts
        cls.part, cls.sampled, cls.p = {}, set(), {}
        for entry in parts["sample"]:
            cls.part[entry["id"]], cls.p[entry["id"]] = "other", entry["p"]
            cls.sampled.add(entry["id"])
        for entry in parts["just-missed"]:
            cls.part[entry["id"]], cls.p[entry["id"]] = "missed", entry["p"]
        for entry in parts["members"]:
            cls.part[entry["id"]] = "held" if entry.get("held_out") else "member"
            cls.p[entry["id"]] = entry["p"]
        cls.tell()
        cls.write("won.json", POLICY)

    @classmethod
    def tell(cls):
        """Three opportunities for each frozen account: members are won at .42, all others at .2, and
        whoever is touched more at .1 more; members are touched more. Rows are kept for the count."""
        r = cls.random
        cls.rows, events = [], []
        for account in sorted(cls.part):
            for n in range(3):
                created = START + r.randrange(40 * 7) * DAY + r.randrange(DAY)
                touches = r.choice([0, 1, 2, 3, 5, 8] if cls.part[account] == "member" else [0, 0, 0, 1, 2, 4])
                won = r.random() < (.32 if cls.part[account] == "member" else .12) + .1 * (touches > 2)
                name = f"{account}-{n}"
                cls.rows.append((account, created, touches, won))
                events.append({"account": account, "type": "stage", "kind": "created", "subject": name,
                               "time": created, "id": name, "person": r.choice(["Ann", "Ben"])})
                events.append({"account": account, "type": "outcome", "kind": "won" if won else "lost",
                               "subject": name, "time": created + r.randrange(1, 29) * DAY, "id": name + "e"})
                for t in range(touches):
                    events.append({"account": account, "type": "touch", "kind": "email",
                                   "time": created + (t + 1) * DAY, "id": f"{name}t{t}"})
        # Something happened later, so that the day of looking is known: cases of the last weeks are open.
        cls.at = START + (40 * 7 + 30) * DAY
        events.append({"account": "a0000", "type": "touch", "kind": "email", "time": cls.at, "id": "last"})
        cls.touches = collections.defaultdict(list)
        for event in events:
            if event["type"] == "touch":
                cls.touches[event["account"]].append(event["time"])
        for at in range(0, len(events), 5000):
            cls.client.call("event-append", {"events": events[at:at + 5000], "source": "crm"})

    def ask(self, **more):
        reply = self.client.call("verdict", {"name": "list", "policy": POLICY, "since": START, **more})
        return reply, {t["measure"]: [dict(zip(self.columns[t["measure"]], row)) for row in t["rows"]]
                       for t in reply["tables"]}

    def effort(self, account, created):
        """Touches of the account until the case is settled or looked at, in bins."""
        until = min(created + 60 * DAY, self.at)
        n = sum(created <= time <= until for time in self.touches[account])
        return 0 if n == 0 else 1 if n <= 2 else 2 if n <= 5 else 3 if n <= 10 else 4

    def blocks(self, other, effort=True, sampled=False):
        """(on, off, won, won on) of each week and stratum, of weeks that are matured, and how many of all
        rows are not."""
        weeks = collections.defaultdict(list)
        for row in self.rows:
            weeks[week_of(row[1])].append(row)
        blocks, waiting = collections.defaultdict(lambda: [0, 0, 0, 0]), 0
        for week, rows in weeks.items():
            if max(row[1] for row in rows) + 60 * DAY > self.at or (week + 7) * DAY > self.at:
                waiting += len(rows)
                continue
            for account, created, _, won in rows:
                part = self.part[account]
                on = part == "member"
                if not on and part != other and not (sampled and part == "missed" and account in self.sampled):
                    continue
                block = blocks[week, self.effort(account, created) if effort else 0]
                block[0] += on
                block[1] += not on
                block[2] += won
                block[3] += won and on
        return list(blocks.values()), waiting

    def compare(self, row, blocks):
        total = [sum(block[i] for block in blocks) for i in range(4)]
        self.assertEqual((row["on"], row["off"], row["won_on"], row["won_on"] + row["won_off"]),
                         (total[0], total[1], total[3], total[2]))
        self.assertAlmostEqual(row["mantel"], mantel(blocks), 9)
        self.assertAlmostEqual(row["e_more"], log_e(blocks, 1), 4)
        if len(blocks) < 100:  # scipy takes a millisecond a factor
            self.assertAlmostEqual(row["e_less"], log_e(blocks, -1), 4)

    def test_a_list_freezes_what_it_is_compared_with(self):
        self.assertEqual((self.built["count"], self.built["just_missed"], self.built["sample"],
                          self.built["seed"]), (200, 200, 600, "monday"))
        ranks = [e["rank"] for part in ("members", "just-missed") for e in self.parts[part]]
        self.assertEqual(ranks, list(range(1, 401)))
        raws = [e["raw"] for part in ("members", "just-missed") for e in self.parts[part]]
        self.assertEqual(raws, sorted(raws, reverse=True))
        self.assertEqual(len({e["id"] for e in self.parts["sample"]}), 600)
        self.assertTrue(all(0 <= e["p_last"] <= 1 and "reasons" in e for e in self.parts["sample"]))
        # The sample is of all: about as many of it are members as 600 of 2,000 would have.
        drawn = sum(self.part[e["id"]] in ("member", "held") for e in self.parts["sample"])
        self.assertTrue(35 <= drawn <= 85, drawn)

    def test_anybody_can_work_out_who_is_held_out(self):
        head = self.client.call("tal-get", {"name": "list", "limit": 0})["head"]
        self.assertEqual(head["format"], 2)
        below = head["draw"]["below"]
        held = {e["id"] for e in self.parts["members"]
                if hashlib.sha256(f"monday:{e['id']}".encode()).hexdigest()[:16] < below}
        self.assertEqual(held, {a for a, part in self.part.items() if part == "held"})
        self.assertEqual(self.built["held_out"], len(held))
        self.assertTrue(20 <= len(held) <= 60, len(held))
        listed = {e["id"] for e in self.client.call("tal-get", {"name": "list", "part": "hold-out",
                                                                "limit": 10000})["entries"]}
        self.assertEqual(listed, held)
        one = min(held)
        self.assertFalse(self.client.call("score", {"id": one})["tal"])
        found = self.client.call("filter", {"filter": "on tal 'list'", "limit": 10000})
        self.assertEqual(found["matched"] if "matched" in found else len(found["ids"]), 200 - len(held))
        told = self.client.call("tal-account", {"name": "list", "id": one})
        self.assertEqual((told["part"], told["below"] > told["draw"]), ("held-out", True))
        self.assertIn("held out: not to be worked", self.icp("tal", "check", "list", one))
        self.assertEqual(self.client.call("tal-check", {"name": "list"})["held_out"], len(held))
        for part, word in (("member", "member"), ("missed", "just-missed"), ("other", "none")):
            account = min(a for a, p in self.part.items() if p == part)
            self.assertEqual(self.client.call("tal-account", {"name": "list", "id": account})["part"], word)

    def test_every_block_is_that_of_a_plain_count_and_scipy(self):
        reply, tables = self.ask()
        rows = {row["against"]: row for row in tables["lift"]}
        blocks, waiting = self.blocks("other", sampled=True)
        self.assertEqual(reply["open"], waiting)
        self.assertGreater(waiting, 0)
        self.compare(rows["equal-effort"], blocks)
        self.compare(rows["just-missed"], self.blocks("missed")[0])
        self.compare(rows["hold-out"], self.blocks("held", effort=False)[0])
        self.assertEqual(reply["verdict"], "supported")
        self.assertGreater(rows["equal-effort"]["rule_low"], 1)
        self.assertTrue(reply["words"][0].startswith("Supported"))
        self.assertIn("a day before the list was made", reply["words"][-1])
        self.assertEqual(reply["alpha"], 0.025)
        rates = {row["group"]: row for row in tables["rate"]}
        self.assertEqual(rates["on the list"]["n"], rows["equal-effort"]["on"])
        self.assertEqual(set(rates), {"on the list", "held out", "just missed", "sample"})

    def test_each_week_is_what_was_known_then(self):
        _, weekly = self.ask(weekly=True)
        rows = [row for row in weekly["lift"] if row["against"] == "equal-effort"]
        self.assertGreater(len(rows), 20)
        self.assertEqual([r["as_of"] for r in rows], sorted(r["as_of"] for r in rows))
        for row in (rows[8], rows[-1]):
            _, then = self.ask(at=row["as_of"])
            now = next(r for r in then["lift"] if r["against"] == "equal-effort")
            for name in ("on", "won_on", "off", "won_off", "ratio", "rule_low", "verdict"):
                self.assertEqual(now[name], row[name], name)
        widths = [r["rule_high"] / r["rule_low"] for r in rows if r["rule_low"] and r["rule_high"]]
        self.assertLess(widths[-1], widths[0])

    def test_strata_of_a_field_and_of_owners(self):
        _, tables = self.ask(by="industry", owners=True)
        row = next(r for r in tables["lift"] if r["against"] == "equal-effort")
        _, plain = self.ask()
        self.assertEqual(row["on"], next(r for r in plain["lift"] if r["against"] == "equal-effort")["on"])
        self.assertNotEqual(row["ratio"], next(r for r in plain["lift"] if r["against"] == "equal-effort")["ratio"])

    def test_predictions_and_promises(self):
        profile = json.dumps({"name": "what we believe", "points": [
            {"if": "industry = 'Energy'", "points": 5}, {"if": "employees > 50", "points": 1}]})
        reply, tables = self.ask(profile=profile)
        self.assertEqual([r["rival"] for r in tables["forecast"]], ["base-rate", "last-version", "by-hand"])
        for row in tables["forecast"]:
            self.assertAlmostEqual(row["difference"], row["rival_brier"] - row["brier"], 9)
            self.assertTrue(row["low"] <= row["difference"] <= row["high"])
        # The label said .1 and more for everybody; the outcomes are planted elsewhere: some promise is off.
        self.assertTrue(any(r["verdict"] for r in tables["promise"]), tables["promise"][:3])
        self.assertTrue(any("Look at" in line for line in reply["next"]), reply["next"])
        whole = [r for r in tables["promise"] if r["of"] == "grade"]
        for row in whole:
            ids = {e["id"] for part in self.parts.values() for e in part if e["grade"] == row["value"]}
            self.assertGreaterEqual(len(ids), 10)

    def test_without_touches_nothing_is_judged_but_by_those_held_out(self):
        reply = self.client.call("verdict", {"name": "list", "policy": POLICY, "since": START, "effort": False})
        self.assertIn(reply["verdict"], ("supported", "insufficient"))
        later = self.client.call("verdict", {"name": "list", "policy": POLICY})
        self.assertEqual((later["verdict"], later["cases"]), ("insufficient", 0))
        self.assertIn("nothing is matured yet", later["words"][0])

    def test_the_command_line_says_the_same(self):
        since = datetime.datetime.fromtimestamp(START / 1000, datetime.timezone.utc).strftime("%Y-%m-%d")
        out = self.icp("verdict", "list", "--policy", "won.json", "--since", since)
        self.assertTrue(out.startswith("Supported: the list was right."), out[:200])
        self.assertIn("What to do next, as a draft:", out)
        rows = list(csv.DictReader(self.icp("verdict", "list", "--policy", "won.json", "--since", since,
                                            "--weekly", "--csv").splitlines()))
        self.assertGreater(len(rows), 60)
        said = json.loads(self.icp("verdict", "list", "--policy", "won.json", "--since", since, "--json"))
        self.assertEqual(said["verdict"], "supported")
        self.icp("report", "verdict", "list", "--policy", "won.json", "--since", since, "--out", "v.html")
        with open(os.path.join(self.folder.name, "v.html"), encoding="utf-8") as file:
            page = file.read()
        Page(self).feed(page)
        self.assertIn("Supported: the list was right.", page)
        self.assertIn("How the list was kept", page)
        kept = next(csv.DictReader(self.icp("measure", "adherence", "--tal", "list", "--from", since, "--csv").splitlines()))
        self.assertIn(f"of {int(kept['n']):,} acts went to accounts of the list", page)
        self.assertNotIn("<script", page)
        self.assertIn("--policy FILE.json is needed", self.icp("verdict", "list", code=64))
        self.assertIn("there is no target account list 'other'",
                      self.icp("verdict", "other", "--policy", "won.json", code=65))
        self.assertIn("which list?", self.icp("verdict", "--policy", "won.json", code=64))
        self.assertIn("no field", self.icp("verdict", "list", "--policy", "won.json", "--by", "nosuch", code=65)
                      .replace("there is no field", "no field"))

    def test_erosion(self):
        reply = self.client.call("erosion", {"name": "list", "committed": 0.9, "since": START})
        rows = [dict(zip(self.columns["erosion"], row)) for row in reply["rows"]]
        weeks = collections.defaultdict(lambda: [0, 0])
        for account, times in self.touches.items():
            for time in times:
                weeks[week_of(time) * DAY][0] += self.part.get(account) == "member"
                weeks[week_of(time) * DAY][1] += 1
        for row in rows:
            self.assertEqual([row["on"], row["all"]], weeks[row["week"]])
        self.assertEqual(sum(r["all"] for r in rows), reply["all"])
        self.assertGreater(reply["alarms"], 0)
        self.assertIn("Alarm: since the week of", self.icp("erosion", "list", "--committed", "0.9",
                                                           "--since", "2026-01-05"))
        calm = self.client.call("erosion", {"name": "list", "committed": 0.05, "since": START})
        self.assertEqual(calm["alarms"], 0)
        self.assertIn("--committed is needed", self.icp("erosion", "list", code=64))

    def test_what_is_wrong_is_named(self):
        for op, request, field in (
                ("tal-build", {"name": "x", "hold_out": 0.6}, "hold_out"),
                ("tal-build", {"name": "x", "seed": "a b"}, "seed"),
                ("tal-build", {"name": "x", "last_icp": 99}, "last_icp"),
                ("tal-get", {"name": "list", "part": "everything"}, "part"),
                ("verdict", {"name": "list", "policy": "{}"}, "policy"),
                ("verdict", {"name": "list", "policy": POLICY, "by": "nosuch"}, "by"),
                ("verdict", {"name": "list", "policy": POLICY, "profile": "{\"points\": 1}"}, "profile"),
                ("verdict", {"name": "nosuch", "policy": POLICY}, "name")):
            with self.assertRaises(icpd.Refused) as caught:
                self.client.call(op, request)
            self.assertIn(field, caught.exception.field, str(caught.exception))


class Old(unittest.TestCase):
    """A store with a list of format 1, made before anything was frozen beside the members."""

    def setUp(self):
        self.server = icpd.Server(ICPD)
        self.server.stop()
        shutil.rmtree(self.server.data)
        os.mkdir(self.server.data, 0o700)
        with tarfile.open(os.path.join(ROOT, "tests", "system", "format1", "store.tar.xz")) as tar:
            tar.extractall(self.server.data)
        os.chmod(self.server.data, 0o700)
        self.server.start()

    def tearDown(self):
        self.server.close()

    def test_it_is_read_and_says_what_it_cannot_answer(self):
        with self.server.client() as client:
            got = client.call("tal-get", {"name": "first list"})
            self.assertEqual((got["head"]["format"], "draw" in got["head"]), (1, False))
            member = got["entries"][0]["id"]
            for part in ("just-missed", "sample", "hold-out"):
                with self.assertRaises(icpd.Refused) as caught:
                    client.call("tal-get", {"name": "first list", "part": part})
                self.assertIn("format 1", str(caught.exception))
            told = client.call("tal-account", {"name": "first list", "id": member})
            self.assertEqual((told["part"], "draw" in told), ("member", False))
            events = []
            for n, account in enumerate([member, "a1", "a2", "a3"] * 5):
                events += [{"account": account, "type": "stage", "kind": "created", "subject": f"o{n}",
                            "time": START + n * DAY, "id": f"o{n}"},
                           {"account": account, "type": "outcome", "kind": "won" if n % 4 == 0 else "lost",
                            "subject": f"o{n}", "time": START + (n + 5) * DAY, "id": f"o{n}e"}]
            events.append({"account": member, "type": "touch", "kind": "email", "time": START + 200 * DAY, "id": "t"})
            client.call("event-append", {"events": events, "source": "crm"})
            reply = client.call("verdict", {"name": "first list", "policy": POLICY, "since": START, "effort": False})
            self.assertEqual((reply["format"], reply["verdict"], reply["elsewhere"]), (1, "insufficient", 0))
            self.assertIn("format 1", reply["cannot"][0])
            rows = table(reply, "lift")
            self.assertEqual([row[1] for row in rows], ["equal-effort"])
            self.assertEqual(sum(row[4] + row[6] for row in rows), 20)


class Page(html.parser.HTMLParser):
    """Well made: every tag closed, ids once, tables with captions, headings that name sections."""

    VOID = {"meta", "path", "circle", "line", "rect", "br"}

    def __init__(self, test):
        super().__init__()
        self.test, self.open, self.ids = test, [], set()

    def handle_starttag(self, tag, attrs):
        for name, value in attrs:
            if name == "id":
                self.test.assertNotIn(value, self.ids)
                self.ids.add(value)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            self.test.assertEqual(self.open.pop(), tag)


class Files(Base):
    """The measures over rows, with published values."""

    def rows(self, *arguments):
        return list(csv.DictReader(self.icp("measure", *arguments, "--csv").splitlines()))

    def test_berkeley(self):
        table_ = [("A", "Male", 512, 313), ("A", "Female", 89, 19), ("B", "Male", 353, 207),
                  ("B", "Female", 17, 8), ("C", "Male", 120, 205), ("C", "Female", 202, 391),
                  ("D", "Male", 138, 279), ("D", "Female", 131, 244), ("E", "Male", 53, 138),
                  ("E", "Female", 94, 299), ("F", "Male", 22, 351), ("F", "Female", 24, 317)]
        lines = ["department,gender,admitted,count"]
        for department, gender, yes, no in table_:
            lines += [f"{department},{gender},yes,{yes}", f"{department},{gender},no,{no}"]
        self.write("berkeley.csv", "\n".join(lines) + "\n")
        row = self.rows("lift", "--rows", "berkeley.csv", "--group", "gender", "--a", "Male", "--stratum",
                        "department", "--reached", "admitted", "--cases", "count")[0]
        blocks = [(m[2] + m[3], f[2] + f[3], m[2] + f[2], m[2]) for m, f in zip(table_[::2], table_[1::2])]
        self.assertAlmostEqual(float(row["ratio"]), .90507, 5)
        self.assertAlmostEqual(float(row["mantel"]), .90470, 5)
        self.assertAlmostEqual(float(row["e_more"]), log_e(blocks, 1), 5)
        self.assertAlmostEqual(float(row["e_less"]), log_e(blocks, -1), 5)
        self.assertIn("there are", self.icp("measure", "lift", "--rows", "berkeley.csv", "--group", "gender",
                                            "--a", "Men", "--reached", "admitted", code=64))

    def test_rates(self):
        self.write("rates.csv", "won,count\nyes,700\nno,300\n")
        row = self.rows("rate", "--rows", "rates.csv", "--reached", "won", "--cases", "count")[0]
        self.assertAlmostEqual(float(row["low"]), .651629, 5)
        self.assertAlmostEqual(float(row["high"]), .745949, 5)
        self.write("rates.csv", "won,count\nyes,5\nno,45\n")
        row = self.rows("rate", "--rows", "rates.csv", "--reached", "won", "--cases", "count", "--best-at", "50")[0]
        self.assertAlmostEqual(float(row["low"]), .013021, 5)
        self.assertAlmostEqual(float(row["high"]), .269264, 5)

    def test_erosion_of_weeks(self):
        self.write("weeks.csv", "week,on,all\n2027-01-04,60,100\n2027-01-11,60,100\n2027-01-18,40,100\n")
        rows = self.rows("erosion", "--rows", "weeks.csv", "--on", "on", "--all", "all", "--at", "week",
                         "--committed", "0.6")
        e = [sum(stats.binom.pmf(x, 100, .6 - d) / stats.binom.pmf(x, 100, .6) for d in (.05, .1, .2)) / 3
             for x in (60, 60, 40)]
        r = 0
        for row, factor in zip(rows, e):
            r = (1 + r) * factor
            self.assertAlmostEqual(float(row["log_r"]), math.log(r), 9)
        self.assertEqual([row["alarm"] for row in rows], ["", "", "alarm"])
        self.write("weeks.csv", "week,on,all\n2027-01-04,160,100\n")
        self.assertIn("line 2", self.icp("measure", "erosion", "--rows", "weeks.csv", "--on", "on", "--all", "all",
                                         "--committed", "0.6", code=65))

    def test_forecasts_of_baseball(self):
        path = os.path.join(DATA, "forecasts", "mlb_2010_2019.csv")
        if not os.path.exists(path):
            self.skipTest("mlb_2010_2019.csv is not here")
        row = self.rows("forecast", "--rows", path, "--p", "fivethirtyeight", "--rival", "vegas", "--reached", "y")[0]
        self.assertAlmostEqual(float(row["low"]), -.002652, 6)
        self.assertAlmostEqual(float(row["high"]), -.000615, 6)
        self.assertEqual((row["n"], row["verdict"]), ("25165", "worse"))

    def test_a_promise_that_was_wrong(self):
        r = random.Random(2)
        lines = ["p,kind,won"]
        for i in range(900):
            kind = "retail" if i % 3 == 0 else "other"
            lines.append(f"{.3 if kind == 'retail' else .2},{kind},{int(r.random() < (.08 if kind == 'retail' else .2))}")
        self.write("p.csv", "\n".join(lines) + "\n")
        rows = self.rows("promise", "--rows", "p.csv", "--p", "p", "--group", "kind", "--reached", "won")
        self.assertEqual((rows[0]["value"], rows[0]["verdict"]), ("retail", "too much was promised"))
        self.assertEqual(rows[1]["verdict"], "")
        self.write("p.csv", "p,kind,won\n1.2,a,1\n")
        self.assertIn("line 2", self.icp("measure", "promise", "--rows", "p.csv", "--p", "p", "--group", "kind",
                                         "--reached", "won", code=65))


class Maven(Base):
    """The opportunities of a CRM: a list frozen at a date, looked at each week by cohorts that are matured,
    and naively by the day of closing, which drifts by itself."""

    CREATED = datetime.date(2017, 3, 1)

    def test_cohorts_do_not_drift_and_closing_dates_do(self):
        path = os.path.join(DATA, "maven_crm")
        if not os.path.exists(path):
            self.skipTest("maven_crm is not here")
        with open(os.path.join(path, "accounts.csv"), encoding="utf-8") as file:
            accounts = list(csv.DictReader(file))
        with open(os.path.join(path, "sales_pipeline.csv"), encoding="utf-8") as file:
            deals = [d for d in csv.DictReader(file) if d["account"] and d["engage_date"]]
        self.icp("schema", "put", self.write("schema.json", json.dumps({"fields": [
            {"name": "sector", "type": "category"}, {"name": "employees", "type": "number"},
            {"name": "revenue", "type": "number"}, {"name": "large", "type": "flag"}]})))
        self.client.call("account-put", {"accounts": [
            {"id": a["account"], "values": {"sector": a["sector"], "employees": float(a["employees"]),
                                            "revenue": float(a["revenue"]), "large": float(a["revenue"]) > 1500},
             "time": 1451606400000} for a in accounts]})
        # Maven's accounts tell nothing of who wins, so the profile is of size: a list of the largest.
        self.client.call("icp-learn", {"label": "large", "activate": True, "seed": 1, "exclude": ["revenue"]})
        self.client.call("tal-build", {"name": "largest", "k": 30, "sample": 85})
        day = lambda text: int(datetime.datetime.fromisoformat(text).replace(  # noqa: E731
            tzinfo=datetime.timezone.utc).timestamp() * 1000)
        events = []
        for d in deals:
            events.append({"account": d["account"], "type": "stage", "kind": "created", "subject": d["opportunity_id"],
                           "time": day(d["engage_date"]), "id": d["opportunity_id"]})
            if d["deal_stage"] in ("Won", "Lost"):
                events.append({"account": d["account"], "type": "outcome", "kind": d["deal_stage"].lower(),
                               "subject": d["opportunity_id"], "time": day(d["close_date"]),
                               "id": d["opportunity_id"] + "e"})
        for at in range(0, len(events), 5000):
            self.client.call("event-append", {"events": events[at:at + 5000], "source": "crm"})
        policy = POLICY.replace("30 days", "140 days").replace("60 days", "140 days")
        reply = self.client.call("verdict", {"name": "largest", "policy": policy, "effort": False, "weekly": True,
                                             "since": day(self.CREATED.isoformat())})
        columns = next(m for m in self.client.call("measure-list")["measures"] if m["name"] == "lift")["columns"]
        rows = [dict(zip((c["name"] for c in columns), row)) for row in table(reply, "lift")]
        rows = [row for row in rows if row["against"] == "equal-effort"]
        self.assertGreater(len(rows), 10)
        self.assertEqual({row["verdict"] for row in rows}, {"insufficient"}, "there is no signal in these data")
        for row in rows:
            self.assertTrue(row["rule_low"] < 1 and (row["rule_high"] is None or row["rule_high"] > 1), row)
        # Naively: of the same matured deals what had closed within so many days, by the day of closing.
        last = max(row["as_of"] for row in rows)
        matured = [(day(d["close_date"]) - day(d["engage_date"])) // DAY if d["close_date"] else None
                   for d in deals if day(d["engage_date"]) >= day(self.CREATED.isoformat())
                   and day(d["engage_date"]) + 140 * DAY <= last]
        won = [d["deal_stage"] == "Won" for d in deals if day(d["engage_date"]) >= day(self.CREATED.isoformat())
               and day(d["engage_date"]) + 140 * DAY <= last]
        naive = []
        for days in (14, 60, 138):
            closed = [w for w, d in zip(won, matured) if d is not None and d <= days]
            naive.append(sum(closed) / len(closed))
        self.assertGreater(naive[2] - naive[0], .05, f"by the day of closing the share won must rise: {naive}")
        # A cohort that is matured is told alike whenever it is looked at.
        weekly = {row["as_of"]: row for row in rows}
        for at in sorted(weekly)[3::8]:
            then = self.client.call("verdict", {"name": "largest", "policy": policy, "effort": False, "at": at,
                                                "since": day(self.CREATED.isoformat())})
            row = next(r for r in table(then, "lift") if r[1] == "equal-effort")
            self.assertEqual(row[4:8], [weekly[at][name] for name in ("on", "won_on", "off", "won_off")])


if __name__ == "__main__":
    unittest.main()
