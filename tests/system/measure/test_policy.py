#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""icp label, and icp learn --policy, of the server's events: test_policy.py ICPD ICP.

A random company with opportunities that are won, lost or left lying is told to a server, in any order
and some of it twice; what a policy says of it must be what a plain reading of the same rows says. Another is learned from: a
field that follows the outcome, but is told with a day after it, must not be learned from, and is where
the policy calls it timeless: the control."""

import json
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
SCHEMA = ('{"fields":[{"name":"title","type":"category"},{"name":"size","type":"number"},'
          '{"name":"signed","type":"date"}],"name":"title"}')
POLICY = """{"policy": 1, "name": "won in 30 days", "case": "subject", "moment": "stage:created",
 "archetypes": [{"name": "good", "when": [{"event": "outcome:won", "within": "30 days"}]},
                {"name": "poor", "when": [{"event": "outcome:lost", "within": "30 days"}]}],
 "positive": ["good"], "negative": ["poor"]}
"""


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = icpd.Server(ICPD)
        cls.client = cls.server.client()
        cls.folder = tempfile.TemporaryDirectory()
        cls.client.call("schema-put", {"document": SCHEMA})

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.close()
        cls.folder.cleanup()

    def icp(self, *arguments):
        return subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", *arguments],
                              cwd=self.folder.name, capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C.UTF-8"))

    def write(self, name, text):
        with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as file:
            file.write(text)
        return name


class Label(Base):
    def company(self, seed):
        """Rows of account, opportunity, day created, day of its end, won or lost; one has no end yet."""
        r = random.Random(seed)
        rows = []
        for number in range(150):
            created = r.randrange(100, 200)
            end = created + r.randrange(60) if r.random() < 0.8 else None
            rows.append((f"a{r.randrange(20)}", f"o{number:03}", created, end, r.choice(["won", "lost"])))
        return rows

    def tell(self, rows):
        self.client.call("account-put", {"accounts": [
            {"id": f"a{n}", "values": {"title": f"Company {n}"}} for n in range(25)]})
        events = []
        for account, name, created, end, outcome in rows:
            events.append({"account": account, "type": "stage", "kind": "created", "subject": name,
                           "time": created * DAY, "id": name})
            if end:
                events.append({"account": account, "type": "outcome", "kind": outcome, "subject": name,
                               "time": end * DAY, "id": name + outcome})
        events += events[:20]
        random.Random(1).shuffle(events)
        for at in range(0, len(events), 60):
            self.client.call("event-append", {"events": events[at:at + 60], "source": "crm"})

    def plainly(self, rows, at):
        """Archetype by opportunity, on that day."""
        said = {}
        for _, name, created, end, outcome in rows:
            early = end is not None and end <= created + 30
            if at < created + 30 or (not early and at <= created + 30):
                said[name] = "open"
            else:
                said[name] = {"won": "good", "lost": "poor"}[outcome] if early else "none"
        return said

    def test_labels_are_those_of_a_plain_reading(self):
        rows = self.company(3)
        self.tell(rows)
        newest = max(max(row[2], row[3] or 0) for row in rows)
        for at in (newest, 150, 190):
            more = {} if at == newest else {"at": at * DAY}
            reply = self.client.call("label", {"policy": POLICY, "limit": 10000, **more})
            expected = self.plainly(rows, at)
            self.assertEqual(reply["at"], at * DAY)
            self.assertEqual({case["subject"]: case["archetype"] for case in reply["list"]}, expected)
            counts = {one["name"]: one["cases"] for one in reply["archetypes"]}
            words = list(expected.values())
            self.assertEqual(counts, {name: words.count(name) for name in ("good", "poor", "none")})
            self.assertEqual((reply["positives"], reply["negatives"], reply["open"], reply["cases"]),
                             (words.count("good"), words.count("poor"), words.count("open"), 150))
            self.assertEqual((reply["accounts"], reply["notes"]), (25, []))
            self.assertEqual(reply["without"], 25 - len({row[0] for row in rows}))
            settled = len(words) - words.count("open")
            for one in reply["archetypes"]:
                self.assertTrue(settled == 0 or abs(one["share"] - one["cases"] / settled) < 1e-12)
                self.assertTrue(one["low"] <= one["share"] <= one["high"])
        self.pages(expected)
        self.command_line()

    def pages(self, expected):
        """Page after page is the whole."""
        met, skip = [], 0
        while skip is not None:
            reply = self.client.call("label", {"policy": POLICY, "at": 190 * DAY, "archetype": "open",
                                               "limit": 7, "skip": skip, "names": True})
            met += [case["subject"] for case in reply["list"]]
            self.assertTrue(all(case["name"].startswith("Company ") for case in reply["list"]))
            skip = reply.get("next")
        self.assertEqual(sorted(met), sorted(name for name, word in expected.items() if word == "open"))
        self.assertEqual(reply["count"], len(met))

    def command_line(self):
        self.write("policy.json", POLICY)
        got = self.icp("label", "--policy", "policy.json", "--at", "1970-07-10")
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("looked at on 1970-07-10", got.stderr)
        self.assertIn("archetype  learned as  cases", got.stdout)
        got = self.icp("label", "--policy", "policy.json", "--at", "1970-07-10", "--csv")
        self.assertEqual(got.stdout.count("\n"), 151)
        self.assertTrue(got.stdout.startswith("id,name,subject,moment,archetype,settled\n"))
        self.write("bad.json", POLICY.replace("won\"", "won\", \"untl\": \"x\""))
        got = self.icp("label", "--policy", "bad.json")
        self.assertEqual(got.returncode, 65)
        self.assertIn("bad.json: line 2, column 68: no member of that name is known", got.stderr)

    def test_what_is_no_policy_is_refused_by_its_member(self):
        for policy, code, field in [("{}", "bad-document", "policy.policy"),
                                    (POLICY.replace("outcome:won", "result:won"), "bad-document",
                                     "policy.archetypes[0].when[0].event"),
                                    (POLICY.replace("stage:created", "field:size").replace(
                                        '"case": "subject", ', ""), "bad-field", "policy"),
                                    (POLICY.replace("created", "made"), "no-evidence", "policy")]:
            with self.assertRaises(icpd.Refused) as refusal:
                self.client.call("label", {"policy": policy})
            self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))
        with self.assertRaises(icpd.Refused) as refusal:
            self.client.call("label", {"policy": POLICY, "archetype": "great"})
        self.assertEqual(refusal.exception.field, "archetype")


class Deals(Base):
    """Whether a deal is won follows the size of the account; `after` is the outcome, told behind it."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        r = random.Random(11)
        cls.client.call("schema-put", {"document": json.dumps({"fields": [
            {"name": "size", "type": "number"}, {"name": "after", "type": "number"},
            {"name": "region", "type": "category"}, {"name": "rare", "type": "number"}]})})
        early, late, events = [], [], []
        for n in range(400):
            size = r.random()
            won = r.random() < (0.85 if size > 0.5 else 0.15)
            early.append({"id": f"a{n}", "values": {"size": size, "region": r.choice(["N", "S", "E"])}})
            late.append({"id": f"a{n}", "values": {"after": float(won) + r.random() / 10}})
            events.append({"account": f"a{n}", "type": "stage", "kind": "created", "id": "c",
                           "subject": "o", "time": 300 * DAY})
            events.append({"account": f"a{n}", "type": "outcome", "kind": "won" if won else "lost",
                           "id": "e", "subject": "o", "time": (305 + n % 20) * DAY})
        events.append({"account": "a0", "type": "touch", "id": "t", "time": 400 * DAY})
        cls.client.call("account-patch", {"accounts": early, "time": 200 * DAY, "create": True})
        cls.client.call("account-patch", {"accounts": late, "time": 330 * DAY})
        cls.client.call("event-append", {"events": events, "source": "crm"})

    def learn(self, policy=POLICY, **more):
        reply = self.client.call("icp-learn", {"policy": policy, "exclude": ["rare"], **more})
        return json.loads(reply["evidence"]), json.loads(reply["label"])

    def refused(self, code, field, request):
        with self.assertRaises(icpd.Refused) as refusal:
            self.client.call("icp-learn", request)
        self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))
        return refusal.exception.message


class Learn(Deals):
    def test_a_field_that_is_told_after_the_outcome_is_not_learned_from(self):
        evidence, label = self.learn()
        self.assertEqual([field["field"] for field in evidence["fields"]][0], "size")
        self.assertNotIn("after", [field["field"] for field in evidence["fields"]])
        self.assertIn("after", [field["field"] for field in evidence["refused"]])  # never there
        self.assertTrue(0.7 < evidence["holdout"]["auc"] < 0.97, evidence["holdout"])
        told = label["policy"]
        self.assertEqual((told["cases"], told["open"], told["without"], label["population"]),
                         (400, 0, 0, 400))
        self.assertEqual(label["positives"], told["positives"])
        self.assertEqual(label["expression"], "policy: won in 30 days")
        self.assertEqual(told["document"], json.loads(POLICY))
        complete = {one["figure"]: one for one in evidence["readiness"]}["complete"]
        self.assertEqual((complete["n"], round(complete["share"], 6)), (1200, round(2 / 3, 6)))

    def test_control_where_time_is_not_looked_at_the_same_field_gives_the_outcome_away(self):
        document = json.loads(POLICY)
        document["timeless"] = ["after"]
        evidence, _ = self.learn(json.dumps(document))
        leaks = [one for one in evidence["refused"] if one["field"] == "after"]
        auc = {one["field"]: one["auc_alone"] for one in evidence["fields"]}
        self.assertTrue((leaks and "constant" not in leaks[0]["reason"]) or auc["after"] > 0.99, evidence)

    def test_accounts_that_are_not_ready_are_refused_with_what_to_mend(self):
        request = {"policy": POLICY, "exclude": ["rare"], "floors": {"complete": 0.9}}
        message = self.refused("bad-field", "readiness", request)
        self.assertIn("complete is 0.667", message)
        self.client.call("icp-learn", {**request, "despite_readiness": True})
        self.refused("bad-field", "floors.compleet", {"policy": POLICY, "floors": {"compleet": 0.9}})
        self.refused("bad-field", "floors.fresh", {"policy": POLICY, "floors": {"fresh": 2}})
        self.write("policy.json", POLICY)
        got = self.icp("learn", "--policy", "policy.json", "--floor", "complete=0.9", "--exclude", "rare")
        self.assertEqual(got.returncode, 65)
        self.assertIn("400 cases, 0 open, ", got.stderr)
        self.assertIn("not ready to be learned from: complete is 0.667", got.stderr)
        got = self.icp("learn", "--policy", "policy.json", "--floor", "complete=0.9", "--exclude", "rare",
                       "--despite-readiness")
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("ICP version ", got.stdout)

    def test_what_cannot_be_learned_is_told_by_its_member(self):
        self.refused("missing-field", "label", {})
        self.refused("bad-field", "label", {"label": "size > 1", "policy": POLICY})
        self.refused("bad-document", "policy.moment", {"policy": POLICY.replace("stage:", "stages:")})
        self.refused("bad-field", "policy.timeless[0]",
                     {"policy": POLICY.replace('"positive"', '"timeless": ["sise"], "positive"')})
        message = self.refused("no-evidence", "policy", {"policy": POLICY, "at": 310 * DAY})
        self.assertIn("no evidence: of 400 cases 0 are positive, 0 negative and 400 open", message)
        message = self.refused("no-evidence", "policy", {"policy": POLICY, "fields": ["region"]})
        self.assertIn("no evidence: on ", message)


class Later(Deals):
    """What comes after a profile has been learned."""

    def tell_later(self, prefix, created, follows, r):
        """As many deals of new accounts, a month each; the size tells them apart, or nothing does."""
        accounts, events = [], []
        for n in range(400):
            size = r.random()
            won = r.random() < ((0.85 if size > 0.5 else 0.15) if follows else 0.5)
            accounts.append({"id": f"{prefix}{n}", "values": {"size": size}})
            events.append({"account": f"{prefix}{n}", "type": "stage", "kind": "created", "id": "c",
                           "subject": "o", "time": created * DAY})
            events.append({"account": f"{prefix}{n}", "type": "outcome", "kind": "won" if won else "lost",
                           "id": "e", "subject": "o", "time": (created + n % 20) * DAY})
        events.append({"account": f"{prefix}0", "type": "touch", "id": "t", "time": (created + 31) * DAY})
        self.client.call("account-patch", {"accounts": accounts, "time": (created - 1) * DAY,
                                           "create": True})
        self.client.call("event-append", {"events": events, "source": "crm"})

    def drift(self, icp, since):
        reply = self.client.call("icp-drift", {"icp": icp, "since": since * DAY})
        return reply, {one["name"]: one for one in reply["figures"]}

    def test_a_profile_is_held_against_what_came_later(self):
        icp = self.client.call("icp-learn", {"policy": POLICY, "exclude": ["rare"], "at": 400 * DAY})["icp"]
        r = random.Random(5)
        self.tell_later("b", 500, True, r)
        reply, figures = self.drift(icp, 450)
        self.assertEqual((reply["verdict"], reply["cases"], reply["open"]), ("holds", 400, 0), reply["words"])
        self.assertEqual(reply["label"], "won in 30 days")
        self.assertEqual(sum(grade["cases"] for grade in reply["grades"]), 400)
        self.assertEqual(sum(grade["positives"] for grade in reply["grades"]), reply["positives"])
        self.assertAlmostEqual(figures["rate"]["value"], reply["positives"] / 400)
        self.assertTrue(0 < figures["skill"]["low"] < figures["skill"]["then"] < figures["skill"]["high"])
        self.tell_later("c", 600, False, r)
        reply, figures = self.drift(icp, 550)
        self.assertEqual(reply["verdict"], "rebuild", reply["words"])
        self.assertTrue(reply["words"][0].startswith("rebuild: by 400 outcomes version "))
        size = [field for field in reply["fields"] if field["field"] == "size"][0]
        self.assertEqual((size["lost"], size["shifted"]), (True, False))
        got = self.icp("drift", str(icp), "--since", "1971-07-05")
        self.assertEqual(got.returncode, 0, got.stderr)
        self.assertIn("rebuild: by 400 outcomes", got.stdout)
        self.assertIn("size no longer tells them apart", got.stdout)
        got = self.icp("drift", str(icp), "--since", "1971-07-05", "--csv")
        self.assertTrue(got.stdout.startswith("field,tag,psi,limit,bin,then,now,AUC then,AUC now,is\n"))
        reply, _ = self.drift(icp, 700)
        self.assertEqual((reply["verdict"], reply["cases"], reply["grades"]), ("too few", 0, []))
        for request, code, field in [({"icp": 99}, "not-found", "icp"),
                                     ({"icp": icp, "policy": "{}"}, "bad-document", "policy.policy"),
                                     ({"icp": icp, "label": "sise > 1"}, "bad-filter", "label"),
                                     ({"icp": icp, "label": "size > 1", "policy": POLICY}, "bad-field",
                                      "label")]:
            with self.assertRaises(icpd.Refused) as refusal:
                self.client.call("icp-drift", request)
            self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))

    def test_worth_is_learned_of_those_that_were_won(self):
        """A won deal in the north is worth three times as much; `flat` is worth anything anywhere."""
        r = random.Random(7)
        self.client.call("schema-put", {"document": json.dumps({"fields": [
            {"name": "size", "type": "number"}, {"name": "after", "type": "number"},
            {"name": "region", "type": "category"}, {"name": "rare", "type": "number"},
            {"name": "arr", "type": "number"}, {"name": "flat", "type": "number"}]})})
        late = []
        for n in range(400):
            region = self.client.call("account-get", {"id": f"a{n}"})["values"]["region"]["value"]
            arr = 1000 * (3 if region == "N" else 1) * r.lognormvariate(0, 0.4)
            late.append({"id": f"a{n}", "values": {"arr": arr, "flat": r.lognormvariate(0, 0.4)}})
        self.client.call("account-patch", {"accounts": late, "time": 330 * DAY})
        request = {"policy": POLICY, "exclude": ["rare", "flat"], "at": 400 * DAY, "value": "arr"}
        reply = self.client.call("icp-learn", request)
        told = json.loads(reply["value"])
        self.assertGreater(told["evidence"]["gain_low"], 0)
        self.assertNotIn("arr", [field["field"] for field in json.loads(reply["evidence"])["fields"]])
        icp = reply["icp"]
        said = {}
        for region in ("N", "S"):
            lead = {"values": {"size": 0.9, "region": region}, "icp": icp, "value": True}
            said[region] = self.client.call("score", {**lead, "reasons": 3})
            explained = self.client.call("explain", lead)
            for name in ("value", "value_low", "value_high", "expected", "expected_low", "expected_high"):
                self.assertEqual(said[region][name], explained[name])
            self.assertAlmostEqual(explained["expected"], explained["p"] * explained["value"])
            self.assertTrue(explained["value_low"] < explained["value"] < explained["value_high"])
            plain = self.client.call("score", {**lead, "value": False})
            self.assertEqual((plain["raw"], "value" in plain), (said[region]["raw"], False))
        self.assertTrue(2.2 < said["N"]["value"] / said["S"]["value"] < 3.8, said)
        got = self.icp("explain", "a1", "--icp", str(icp), "--value")
        self.assertRegex(got.stdout, r"\nworth \d+[.\d]* if it has the outcome \(8 of 10: ")
        lead = self.client.call("score-many", {"icp": icp, "leads": [
            {"values": {"size": 1}, "value": True}]})["scores"][0]
        self.assertEqual((lead["error"], lead["field"]), ("bad-field", "value"))
        # A lower end of 95 % is above 0 in one of forty where there is nothing: in two of five never.
        flats = [self.client.call("icp-learn", {**request, "exclude": ["rare", "arr"], "value": "flat", "seed": seed})
                 for seed in range(5)]
        flats = [flat for flat in flats if json.loads(flat["value"])["evidence"]["gain_low"] <= 0]
        self.assertGreaterEqual(len(flats), 4)
        flat = flats[0]
        self.assertTrue(any("no evidence that the fields tell values apart" in warning
                            for warning in json.loads(flat["evidence"])["warnings"]))
        both = [self.client.call("score", {"id": f"a{n}", "icp": flat["icp"], "value": True})["value"]
                for n in range(9)]
        self.assertEqual(len(set(both)), 1)
        self.refused("bad-field", "value", {**request, "value": "region"})
        with self.assertRaises(icpd.Refused) as refusal:
            self.client.call("explain", {"id": "a1", "icp": 1, "value": True})
        self.assertEqual((refusal.exception.code, refusal.exception.field), ("bad-field", "value"))


if __name__ == "__main__":
    unittest.main()
