#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Win by stage, from the events to the list that sales reads: test_stage.py ICPD ICP.

A company is told whose opportunities go from one stage to the next, are won, lost or still open; large
accounts win more often, and that matters less the further an opportunity has come. What a policy by stage
says of it must be what a plain reading of the same stories says; what is learned must be near to the
chances that the stories were drawn with; and each open opportunity in the view of sales must have the
score of its account with its stage."""

import json
import math
import os
import random
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

ICPD, ICP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
DAY = 86400000
NOW = 1000
STAGES = ["created", "demo", "proposal"]
FIELDS = [{"name": "size", "type": "number"}, {"name": "deal_stage", "type": "category"}]
POLICY = {"policy": 1, "name": "won in 60 days from a stage", "case": "stage", "moment": "stage",
          "stage_field": "deal_stage",
          "archetypes": [{"name": "good", "when": [{"event": "outcome:won", "within": "60 days"}]},
                         {"name": "poor", "when": [{"event": "outcome:won", "within": "60 days",
                                                    "not": True}]}]}
# Chance to get past each stage, small and large.
PASS = {"created": (0.3, 0.8), "demo": (0.4, 0.8), "proposal": (0.6, 0.8)}


def chance(stage, large):
    return math.prod(PASS[one][large] for one in STAGES[STAGES.index(stage):])


def story(r, number):
    """Steps of an opportunity as (type, kind, day), each stage some days behind the one before."""
    large = r.random() < 0.5
    day = r.randrange(100, NOW - 1)
    steps, ended = [], False
    for stage in STAGES:
        steps.append(("stage", stage, day))
        if number % 9 == 0 and stage == "demo":
            steps.append(("stage", stage, day + 1))  # entered again: no case of its own
        day += r.randrange(2, 15)
        ended = r.random() > PASS[stage][large]
        if ended:
            break
    steps.append(("outcome", "lost" if ended else "won", day))
    if number % 10 == 0:
        steps.append(("stage", "closed", day))  # typed in with the end: it says how it ended
    return large, [step for step in steps if step[2] <= NOW]


class Stages(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = icpd.Server(ICPD)
        cls.client = cls.server.client()
        cls.folder = tempfile.TemporaryDirectory()
        cls.client.call("schema-put", {"document": json.dumps({"fields": FIELDS})})
        r = random.Random(5)
        accounts, events, cls.stories = [], [], []
        for n in range(5000):
            large, steps = story(r, n)
            cls.stories.append((f"a{n}", large, steps))
            accounts.append({"id": f"a{n}", "values": {"size": (500 if large else 0) + r.randrange(500)}})
            for at, (kind, what, day) in enumerate(steps):
                events.append({"account": f"a{n}", "type": kind, "kind": what, "subject": f"o{n}",
                               "time": day * DAY, "id": f"{n}-{at}"})
        r.shuffle(events)
        for at in range(0, len(accounts), 500):
            cls.client.call("account-patch", {"accounts": accounts[at:at + 500], "time": 50 * DAY,
                                              "create": True})
        for at in range(0, len(events), 2000):
            cls.client.call("event-append", {"events": events[at:at + 2000], "source": "crm"})
        cls.learned = cls.client.call("icp-learn", {"policy": json.dumps(POLICY), "at": NOW * DAY})
        cls.icp = cls.learned["icp"]

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.close()
        cls.folder.cleanup()

    def command(self, *arguments):
        return subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", *arguments],
                              cwd=self.folder.name, capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C.UTF-8"))

    def plainly(self):
        """Archetype by (opportunity, stage)."""
        said, ended = {}, 0
        for name, _, steps in self.stories:
            end = [day for kind, _, day in steps if kind == "outcome"]
            won = [day for kind, what, day in steps if kind == "outcome" and what == "won"]
            first = {}
            for kind, what, day in steps:
                if kind == "stage":
                    first.setdefault(what, day)
            for stage, day in first.items():
                if end and end[0] <= day:
                    ended += 1
                    continue
                key = ("o" + name[1:], stage)
                if won and won[0] <= day + 60:
                    said[key] = "good" if day + 60 <= NOW else "open"
                else:
                    said[key] = "poor" if day + 60 < NOW else "open"
        return said, ended

    def test_cases_are_those_of_a_plain_reading(self):
        said, ended = self.plainly()
        reply = self.client.call("label", {"policy": json.dumps(POLICY), "at": NOW * DAY, "limit": 10000})
        self.assertEqual({(one["subject"], one["stage"]): one["archetype"] for one in reply["list"]}, said)
        self.assertEqual(reply["cases"], len(said))
        self.assertEqual(reply["notes"], ["stages that were entered when their opportunity had ended, at "
                                          f"that very moment or later, are no cases: {ended}"])
        with open(os.path.join(self.folder.name, "policy.json"), "w", encoding="utf-8") as file:
            json.dump(POLICY, file)
        got = self.command("label", "--policy", "policy.json", "--csv", "--limit", "3")
        self.assertTrue(got.stdout.startswith("id,subject,stage,moment,archetype,settled\n"), got.stdout)

    def test_the_stage_is_learned_from_and_told_in_its_bins(self):
        said, ended = self.plainly()
        evidence, label = (json.loads(self.learned[name]) for name in ("evidence", "label"))
        self.assertEqual({one["field"] for one in evidence["fields"]}, {"size", "deal_stage"})
        self.assertEqual((label["policy"]["cases"], label["policy"]["ended"]), (len(said), ended))
        self.assertEqual(label["policy"]["document"], POLICY)
        self.assertTrue(evidence["holdout"]["auc"] > 0.75, evidence["holdout"])
        for stage in STAGES:
            for large in (0, 1):
                p = self.client.call("score", {"values": {"size": 250 + 500 * large, "deal_stage": stage},
                                               "icp": self.icp})["p"]
                self.assertLess(abs(p - chance(stage, large)), 0.08, (stage, large))

    def test_sales_sees_the_chance_of_each_open_opportunity(self):
        view = self.client.call("view", {"views": ["sales"], "parameters": {
            "top": 1000, "as-of": NOW * DAY, "least": 1}})
        names = [column["name"] for column in view["views"][0]["columns"]]
        rows = [dict(zip(names, row)) for row in view["views"][0]["rows"]]
        open_now = {}
        for name, _, steps in self.stories:
            if steps and not any(kind == "outcome" for kind, _, _ in steps):
                open_now[name] = [what for kind, what, _ in steps if kind == "stage"][-1]
        self.assertTrue(len(open_now) > 8)
        met = {row["account"]: row for row in rows if row["stage"]}
        shown = {row["account"] for row in rows}
        self.assertEqual({name: row["stage"] for name, row in met.items()},
                         {name: stage for name, stage in open_now.items() if name in shown})
        self.assertTrue(met)
        for name, row in met.items():
            p = self.client.call("score", {"id": name, "values": {"deal_stage": row["stage"]},
                                           "icp": self.icp})["p"]
            self.assertAlmostEqual(row["win"], p, places=9)
            self.assertTrue(row["stage_low"] < row["stage_rate"] < row["stage_high"])
            self.assertTrue(row["stage_n"] > 50)

    def test_a_version_is_held_against_what_came_since(self):
        reply = self.client.call("icp-drift", {"icp": self.icp, "since": 700 * DAY, "at": NOW * DAY})
        self.assertEqual(reply["verdict"], "holds", reply["words"])
        self.assertEqual({one["field"] for one in reply["fields"]}, {"size", "deal_stage"})

    def refused(self, operation, code, field, request):
        with self.assertRaises(icpd.Refused) as refusal:
            self.client.call(operation, request)
        self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))
        return refusal.exception.message

    def test_what_cannot_be_is_told_by_its_member(self):
        for other, why in (("stage", "is no category of the schema"), ("size", "is no category")):
            self.assertIn(why, self.refused("icp-learn", "bad-field", "policy.stage_field", {
                "policy": json.dumps({**POLICY, "stage_field": other})}))
            self.assertIn(why, self.refused("icp-drift", "bad-field", "policy.stage_field", {
                "icp": self.icp, "since": 700 * DAY, "at": NOW * DAY,
                "policy": json.dumps({**POLICY, "stage_field": other})}))
        self.refused("label", "bad-document", "policy.stage_field", {"policy": json.dumps(
            {name: value for name, value in POLICY.items() if name != "stage_field"})})
        self.assertIn("count an opportunity once", self.refused("verdict", "bad-field", "policy", {
            "name": "q1", "policy": json.dumps(POLICY)}))
        by_account = self.client.call("icp-learn", {"policy": json.dumps({
            **{name: value for name, value in POLICY.items() if name != "stage_field"},
            "case": "subject", "moment": "stage:created"}), "at": NOW * DAY, "activate": False})["icp"]
        for stages, code in ((by_account, "bad-field"), (99, "not-found")):
            self.refused("view", code, "parameters.stages",
                         {"views": ["sales"], "parameters": {"stages": stages}})
        got = self.command("view", "sales", "--stages", str(self.icp), "--top", "1000",
                           "--as-of", "1972-09-27", "--icp", str(self.icp))
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("won, of all in the stage", got.stdout)


class Alone(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.client = self.server.client()
        self.addCleanup(self.client.close)

    def test_without_a_profile_the_stage_is_told_alone(self):
        told = [("demo", "one", 10), ("proposal", "two", 12), ("created", "two", 3), ("late", "three", 30)]
        events = [{"account": "a", "type": "stage", "kind": kind, "subject": subject, "time": day * DAY,
                   "id": f"{subject}{day}"} for kind, subject, day in told]
        events.append({"account": "a", "type": "outcome", "kind": "lost", "subject": "three",
                       "time": 31 * DAY, "id": "end"})
        self.client.call("schema-put", {"document": json.dumps({"fields": FIELDS})})
        self.client.call("account-put", {"accounts": [{"id": "a", "values": {"size": 1}}]})
        self.client.call("event-append", {"source": "crm", "events": events})
        view = self.client.call("view", {"views": ["sales"]})["views"][0]
        row = dict(zip([column["name"] for column in view["columns"]], view["rows"][0]))
        self.assertEqual((row["stage"], row["open"], row["win"], row["stage_n"]),
                         ("proposal", 2, None, None))

    def test_what_came_of_a_rare_stage_is_not_told_of_all_rare_ones_together(self):
        told = [(n % 100, "demo", n, "won" if (n % 100 > 50) != ((n + n // 100) % 6 == 0) else "lost")
                for n in range(600)]
        told += [(n, "pilot", n, "lost") for n in range(3)]  # too few for a bin of its own
        told += [(1000, "pilot", NOW - 1, None), (1000, "unheard", NOW - 1, None), (1000, "demo", NOW - 1, None)]
        accounts, events = [], []
        for at, (size, stage, day, end) in enumerate(told):
            accounts.append({"id": f"a{at}", "values": {"size": size}})
            for kind, what, time in [("stage", stage, day), ("outcome", end, day + 9)][:2 if end else 1]:
                events.append({"account": f"a{at}", "type": kind, "kind": what, "subject": "o", "time": time * DAY,
                               "id": f"{at}{kind}"})
        self.client.call("schema-put", {"document": json.dumps({"fields": FIELDS})})
        self.client.call("account-put", {"accounts": accounts, "time": 0})
        self.client.call("event-append", {"source": "crm", "events": events})
        self.client.call("icp-learn", {"policy": json.dumps(POLICY), "at": NOW * DAY, "activate": True})
        view = self.client.call("view", {"views": ["sales"], "filter": "size = 1000", "parameters": {
            "as-of": NOW * DAY, "least": 1}})["views"][0]
        names = [column["name"] for column in view["columns"]]
        rows = {row["stage"]: row for row in (dict(zip(names, one)) for one in view["rows"])}
        self.assertEqual({stage: row["stage_n"] for stage, row in rows.items()},
                         {"pilot": None, "unheard": None, "demo": 600})
        self.assertTrue(all(row["win"] > 0 for row in rows.values()))
        self.assertIsNone(rows["pilot"]["stage_rate"])


if __name__ == "__main__":
    unittest.main(verbosity=2)
