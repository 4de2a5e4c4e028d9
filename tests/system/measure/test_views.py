#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Views of one score, engagement, cards and the change feed on a real server: test_views.py ICPD ICP ROOT.

A company made here (seeded) is told to a server; engagement, the grid, the product view and finance are
held against sums of this file. Real files are read where ICP_TEST_DATA has them."""

import collections
import csv
import json
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
AT = 20000 * DAY  # the moment of looking
SCHEMA = json.dumps({"fields": [
    {"name": "industry", "type": "category"}, {"name": "employees", "type": "number"},
    {"name": "won", "type": "flag", "family": "lifecycle"}, {"name": "company", "type": "category"}],
    "name": "company"})


def icp(*arguments, port, folder="."):
    return subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{port}", *arguments], cwd=folder, text=True,
                          capture_output=True, check=False, env=dict(os.environ, LC_ALL="C.UTF-8"))


def learn(client, activate=True):
    job = client.call("icp-learn", {"label": "won = true", "name": "first", "activate": activate,
                                    "seed": 1, "despite_readiness": True})
    return job


class Company:
    """600 accounts; software companies are won more often. Events of every type, some of them late."""

    def __init__(self, seed=5, accounts=600):
        self.random = r = random.Random(seed)
        self.accounts, self.events = [], []
        for i in range(accounts):
            software = r.random() < 0.5
            won = r.random() < (0.8 if software else 0.15)
            self.accounts.append({
                "id": f"a{i:04}", "keys": [f"crm:{i}"],
                "values": {"industry": "Software" if software else "Retail", "won": won,
                           "employees": r.randrange(5, 900), "company": f"Company {i}"}})
            self.live(f"a{i:04}", won)

    def tell(self, account, type_, day, **more):
        self.events.append({"account": account, "id": f"e{len(self.events):06}", "type": type_,
                            "time": AT - day * DAY, **more})

    def live(self, account, won):
        r = self.random
        for _ in range(r.randrange(0, 8)):
            self.tell(account, "touch", r.randrange(0, 500), kind=r.choice(["email", "call"]),
                      **({"campaign": r.choice(["spring", "fall"])} if r.random() < 0.5 else {}))
        created = r.randrange(200, 900)
        self.tell(account, "stage", created, kind="created", subject="o1", amount=50000, currency="USD")
        if won:
            self.tell(account, "outcome", created - r.randrange(1, 170), kind="won", subject="o1")
            begin = created - 180
            ended = r.random() < 0.3
            self.tell(account, "subscription", begin, subject="s1", months=1, currency="USD",
                      amount=r.choice([1000, 2000, 9000]),
                      **({"end": AT - r.randrange(0, max(1, begin)) * DAY} if ended else {}))
        elif r.random() < 0.8:
            self.tell(account, "outcome", created - r.randrange(1, 170), kind="lost", subject="o1")
        if r.random() < 0.4:
            self.tell(account, "usage", r.randrange(0, 60), kind="report", quantity=3000)
        if r.random() < 0.3:
            self.tell(account, "request", r.randrange(0, 100), kind="feature",
                      label=r.choice(["SSO", "audit log"]))
        if r.random() < 0.3:
            self.tell(account, "spend", r.randrange(0, 300), amount=700, currency="USD",
                      function="marketing", campaign="spring")

    def engagement(self, account, at=AT):
        """The usual definition, event by event."""
        weights = {"touch": (1, 30), "usage": (0.25, 14), "request": (1, 30)}
        total = 0
        for event in self.events:
            if event["account"] != account or event["time"] > at:
                continue
            if event["type"] in weights:
                value, half = weights[event["type"]]
                total += round(value * 2 ** (-(at - event["time"]) / DAY / half) * 1e6)
        return total / 1e6

    def mrr(self, account, at=AT):
        for event in self.events:
            if event["account"] == account and event["type"] == "subscription":
                if event["time"] <= at < event.get("end", 1 << 62):
                    return event["amount"]
        return 0


def band(score):
    return "high" if score >= 10 else "medium" if score >= 3 else "low" if score >= 0.5 else "none"


class Views(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = icpd.Server(ICPD)
        cls.addClassCleanup(cls.server.close)
        cls.client = icpd.Client(cls.server.port)
        cls.addClassCleanup(cls.client.close)
        cls.company = Company()
        cls.client.call("schema-put", {"document": SCHEMA})
        cls.client.call("account-put", {"accounts": cls.company.accounts, "time": 1000})
        for at in range(0, len(cls.company.events), 2000):
            cls.client.call("event-append", {"source": "test", "events": cls.company.events[at:at + 2000]})
        learn(cls.client)
        cls.grades = {}
        after = {}
        while True:
            page = cls.client.call("filter", {"filter": "true", "scores": True, "limit": 1000, **after})
            cls.grades.update(zip(page["ids"], page["grade"].decode()))
            if "next" not in page:
                break
            after = {"after": page["next"]}

    def table(self, reply, view):
        one = next(v for v in reply["views"] if v["view"] == view)
        names = [column["name"] for column in one["columns"]]
        return [dict(zip(names, row)) for row in one["rows"]]

    def test_score_and_explain_give_engagement_where_they_are_asked(self):
        for account in ("a0000", "a0001", "a0002", "a0003"):
            known = self.client.call("score", {"id": account})
            self.assertNotIn("engagement", known)
            for op in ("score", "explain"):
                got = self.client.call(op, {"id": account, "engagement": "usual", "at": AT})["engagement"]
                want = self.company.engagement(account)
                self.assertAlmostEqual(got["score"], want, places=5)
                self.assertEqual(got["band"], band(got["score"]))
                self.assertAlmostEqual(sum(got["parts"].values()), got["score"], places=5)
                self.assertEqual((got["definition"], got["at"]), ("usual", AT))

    def test_engagement_of_before_is_that_of_before(self):
        then = AT - 100 * DAY
        got = self.client.call("explain", {"id": "a0005", "engagement": "usual", "at": then})
        self.assertAlmostEqual(got["engagement"]["score"], self.company.engagement("a0005", then), places=5)

    def test_a_definition_is_kept_and_asked_for_by_name(self):
        document = {"metric": "engagement", "name": "calls", "bands": {"low": 1, "medium": 2, "high": 3},
                    "weights": [{"type": "touch", "kind": "call", "weight": 4, "half_life_days": 10}]}
        put = self.client.call("metric-put", {"definition": json.dumps(document)})
        self.assertEqual((put["metric"], put["version"]), ("engagement", 1))
        again = self.client.call("metric-put", {"definition": json.dumps(document)})
        self.assertTrue(again["unchanged"])
        document["weights"][0]["weight"] = 8
        changed = self.client.call("metric-put", {"definition": json.dumps(document)})
        self.assertEqual(changed["changes"], [{"rule": "touch call", "before": "4 over 10 days",
                                               "now": "8 over 10 days"}])
        one = self.client.call("score", {"id": "a0001", "engagement": "calls@1", "at": AT})["engagement"]
        two = self.client.call("score", {"id": "a0001", "engagement": "calls", "at": AT})["engagement"]
        self.assertEqual((one["version"], two["version"]), (1, 2))
        self.assertAlmostEqual(2 * one["score"], two["score"], places=4)
        for wrong, code in (("nobody", "not-found"), ("calls@9", "not-found")):
            with self.assertRaises(icpd.Refused) as refused:
                self.client.call("score", {"id": "a0001", "engagement": wrong})
            self.assertEqual((refused.exception.code, refused.exception.field), (code, "engagement"))
        with self.assertRaises(icpd.Refused) as refused:
            self.client.call("measure", {"measure": "mrr", "definition_name": "calls",
                                         "parameters": {"from": "2020-01-01", "to": "2021-01-01"}})
        self.assertEqual(refused.exception.field, "definition_name")

    def test_all_views_are_of_one_version_and_one_sequence(self):
        names = ["sales", "marketing", "success", "product", "finance", "grid"]
        reply = self.client.call("view", {"views": names, "parameters": {"as-of": AT, "top": 1000}})
        self.assertEqual([v["view"] for v in reply["views"]], names)
        self.assertEqual((reply["icp"], reply["at"], reply["currency"]), (1, AT, "USD"))
        self.assertEqual(reply["accounts"], 600)
        for view in reply["views"]:
            for row in view["rows"]:
                self.assertEqual(len(row), len(view["columns"]))

    def test_the_grid_is_what_a_count_gives(self):
        reply = self.client.call("view", {"views": ["grid"], "parameters": {"as-of": AT}})
        rows = self.table(reply, "grid")
        accounts, cases, won = (collections.Counter() for _ in range(3))
        by_account = collections.defaultdict(list)
        for event in self.company.events:
            by_account[event["account"]].append(event)
        for account, grade in self.grades.items():
            accounts[grade, band(self.company.engagement(account))] += 1
            created = next((e["time"] for e in by_account[account] if e["type"] == "stage"), None)
            if created is None or created + 180 * DAY > AT:
                continue
            cell = grade, band(self.company.engagement(account, created))
            ends = [e["time"] for e in by_account[account] if e["type"] == "outcome" and e["kind"] == "won"]
            cases[cell] += 1
            won[cell] += bool(ends) and ends[0] <= created + 180 * DAY
        for row in rows:
            cell = row["grade"], row["band"]
            self.assertEqual((row["accounts"], row["n"], row["won"]), (accounts[cell], cases[cell], won[cell]))
            self.assertEqual(row["rate"] is None, cases[cell] < 30)
            self.assertEqual(row["verdict"] == "", cases[cell] >= 30)
        self.assertEqual(sum(row["accounts"] for row in rows), 600)

    def test_sales_names_whom_to_call_and_a_reference(self):
        reply = self.client.call("view", {"views": ["sales"], "parameters": {"as-of": AT, "top": 40}})
        rows = self.table(reply, "sales")
        order = [("ABCD".index(r["grade"]), -["none", "low", "medium", "high"].index(r["band"]), -r["fit"])
                 for r in rows]
        self.assertEqual(order, sorted(order))
        self.assertEqual(len(rows), 40)
        for row in rows:
            self.assertEqual(self.company.mrr(row["account"]), 0)
            self.assertTrue(row["name"].startswith("Company "))
            self.assertTrue(row["reasons"])
            self.assertGreater(self.company.mrr(row["reference"]), 0)
            self.assertTrue(0 <= row["alike"] <= 1)

    def test_product_weighs_requests_by_fit_and_revenue(self):
        reply = self.client.call("view", {"views": ["product"], "parameters": {"as-of": AT}})
        rows = {row["request"]: row for row in self.table(reply, "product")}
        for label in ("SSO", "audit log"):
            asked = {e["account"] for e in self.company.events if e.get("label") == label}
            self.assertEqual(rows[label]["n"], len(asked))
            self.assertEqual(rows[label]["arr"], 12 * sum(self.company.mrr(a) for a in asked))
        self.assertEqual(self.table(self.client.call("view", {
            "views": ["product"], "parameters": {"as-of": AT, "kind": "ticket"}}), "product"), [])

    def test_finance_adds_up_by_grade(self):
        reply = self.client.call("view", {"views": ["finance"], "parameters": {"as-of": AT}, "by": "industry"})
        rows = {(row["figure"], row["of"]): row for row in self.table(reply, "finance")}
        whole = 12 * sum(self.company.mrr(a["id"]) for a in self.company.accounts)
        self.assertEqual(rows["arr", "all"]["value"], whole)
        self.assertEqual(sum(rows["arr", g]["value"] for g in "ABCD"), whole)
        self.assertAlmostEqual(sum(rows["arr share", g]["value"] for g in "ABCD"), 1)
        self.assertEqual(rows["arr", "Software"]["value"] + rows["arr", "Retail"]["value"], whole)
        for row in rows.values():
            self.assertEqual(row["value"] is None, row["verdict"].startswith("insufficient"), row)

    def test_success_tells_of_customers_alone(self):
        reply = self.client.call("view", {"views": ["success"], "parameters": {"as-of": AT, "top": 1000}})
        rows = self.table(reply, "success")
        customers = {a["id"]: self.company.mrr(a["id"]) for a in self.company.accounts}
        self.assertEqual({r["account"]: r["mrr"] for r in rows}, {a: m for a, m in customers.items() if m})
        for row in rows:
            self.assertIn(row["advice"].split(":")[0], ("renew", "mend", "release", "insufficient"))

    def test_marketing_counts_members_of_campaigns(self):
        reply = self.client.call("view", {"views": ["marketing"], "by": "industry", "parameters": {"as-of": AT}})
        rows = {(row["of"], row["name"]): row for row in self.table(reply, "marketing")}
        for campaign in ("spring", "fall"):
            members = {e["account"] for e in self.company.events
                       if e.get("campaign") == campaign and e["type"] == "touch"}
            self.assertEqual(rows["campaign", campaign]["members"], len(members))
        segment = rows["segment", "Software"]
        self.assertEqual(segment["members"], self.client.call("count", {"filter": segment["filter"]})["count"])

    def test_what_is_no_view_or_parameter_is_refused(self):
        for request, field in (({"views": ["sale"]}, "views"), ({"views": ["sales", "sales"]}, "views"),
                               ({"views": ["sales"], "parameters": {"margin": 1}}, "parameters.margin"),
                               ({"views": ["success"], "parameters": {"margin": 2}}, "parameters.margin"),
                               ({"views": ["grid"], "by": "industry"}, "by"),
                               ({"views": ["grid"], "parameters": {"engagement": "x"}},
                                "parameters.engagement")):
            with self.assertRaises(icpd.Refused) as refused:
                self.client.call("view", request)
            self.assertEqual(refused.exception.field, field, request)

    def test_a_card_has_all_of_an_account_and_is_bounded(self):
        reply = self.client.call("card", {"key": "crm:7", "at": AT})
        card = json.loads(reply["card"])
        self.assertEqual((card["id"], card["name"], card["icp"]), ("a0007", "Company 7", 1))
        self.assertEqual(card["grade"], self.grades["a0007"])
        self.assertAlmostEqual(card["engagement"]["score"], self.company.engagement("a0007"), places=5)
        self.assertEqual(card["lifecycle"]["mrr_minor_units"], self.company.mrr("a0007"))
        self.assertEqual(len(card["look_alikes"]), 5)
        self.assertNotIn("a0007", [one["id"] for one in card["look_alikes"]])
        self.assertLess(len(reply["card"]), 1 << 17)
        with self.assertRaises(icpd.Refused):
            self.client.call("card", {"id": "nobody"})

    def test_icp_prints_views_and_cards(self):
        for arguments in (("view", "sales", "--as-of", "2024-10-04", "--top", "3"),
                          ("view", "grid", "finance", "--as-of", "2024-10-04"),
                          ("card", "a0003", "--at", "2024-10-04"), ("explain", "a0003", "--engagement", "usual"), ("score", "a0003", "--engagement", "usual")):
            got = icp(*arguments, port=self.server.port)
            self.assertEqual(got.returncode, 0, got.stderr)
            self.assertTrue(got.stdout)
            self.assertEqual(arguments[0] in ("score", "explain"), "\nengagement" in got.stdout
                             and arguments[0] != "card")
        got = icp("view", "sales", "--margin", "1", port=self.server.port)
        self.assertEqual(got.returncode, 64)
        self.assertIn("--margin", got.stderr)


class RealCompany(unittest.TestCase):
    """RavenStack: five systems of one company, and no evidence for a profile, which is the truth."""

    def test_views_tell_what_there_is_without_a_profile(self):
        plan = os.path.join(REAL, "ravenstack")
        if not os.path.exists(plan):
            self.skipTest(f"{plan} is not there; ICP_TEST_DATA names the folder")
        server = icpd.Server(ICPD)
        self.addCleanup(server.close)
        with tempfile.TemporaryDirectory() as folder:
            for name in os.listdir(plan):
                os.symlink(os.path.join(plan, name), os.path.join(folder, name))
            schema = icp("schema", "infer", "ravenstack_accounts.csv", "--id", "account_id",
                         port=server.port, folder=folder)
            with open(os.path.join(folder, "schema.json"), "w", encoding="utf-8") as file:
                file.write(schema.stdout)
            steps = ((["schema", "put", "schema.json"],), (["import", "ravenstack_accounts.csv"],),
                     (["event", "import", "ravenstack_subscriptions.csv", "--account", "account_id", "--id",
                       "subscription_id", "--start", "start_date", "--end", "end_date", "--amount", "mrr_amount",
                       "--currency", "USD", "--label", "plan_tier", "--trial", "is_trial"],),
                     (["event", "import", "ravenstack_supports_ticket.csv", "--account", "account_id", "--type",
                       "request", "--kind", "=ticket", "--at", "submitted_at", "--end", "closed_at", "--label",
                       "priority", "--id", "ticket_id"],))
            for (arguments,) in steps:
                got = icp(*arguments, port=server.port, folder=folder)
                self.assertEqual(got.returncode, 0, got.stderr)
        with icpd.Client(server.port) as client:
            reply = client.call("view", {"views": ["finance", "product", "sales", "grid"],
                                         "parameters": {"as-of": "2025-01-01"}})
        self.assertEqual((reply["icp"], reply["accounts"], reply["currency"]), (0, 500, "USD"))
        tables = {view["view"]: view for view in reply["views"]}
        names = [column["name"] for column in tables["finance"]["columns"]]
        figures = {row[0]: dict(zip(names, row)) for row in tables["finance"]["rows"]}
        # MRR of 10,159,608 USD, as other programs have it too.
        self.assertEqual(figures["arr"]["value"], 12 * 1015960800)
        self.assertIn("no spend", figures["cac"]["verdict"])
        asked = {row[1]: row for row in tables["product"]["rows"]}
        self.assertEqual(set(asked), {"low", "medium", "high", "urgent"})
        self.assertEqual(sum(row[3] for row in asked.values()), 2000)
        self.assertEqual([row[0] for row in tables["grid"]["rows"]], ["-"] * 4)


class Feed(unittest.TestCase):
    """A mirror that is kept by the feed alone has what the server has."""

    def setUp(self):
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.client = icpd.Client(self.server.port)
        self.addCleanup(self.client.close)
        self.company = Company(seed=9, accounts=300)
        self.client.call("schema-put", {"document": SCHEMA})
        self.client.call("account-put", {"accounts": self.company.accounts})
        learn(self.client)
        self.mirror = {}
        self.labels = {}
        self.since = 0
        self.full = 0

    def follow(self, limit=100):
        request = {"since": self.since, "limit": limit}
        moves = []
        while True:
            page = self.client.call("changes", request)
            self.full += page["full"]
            for move in page["changes"]:
                moves.append(move)
                if move["what"] == "gone":
                    self.mirror.pop(move["id"], None)
                    self.labels.pop(move["id"], None)
                elif move["what"] in ("grade", "new", "is"):
                    self.mirror[move["id"]] = move.get("now")
                if move["what"] in ("segment", "new", "is"):
                    if move["what"] == "segment":
                        self.assertEqual(self.labels[move["id"]], move.get("segment_before"))
                        self.assertNotEqual(self.labels[move["id"]], move.get("segment"))
                    self.labels[move["id"]] = move.get("segment")
            if "after" in page:
                request = {**request, "after": page["after"], "until": page["next"]}
                continue
            request = {"since": page["next"], "limit": limit}
            if page["next"] >= page["seq"]:
                self.since = page["next"]
                return moves

    def truth(self):
        page = self.client.call("filter", {"filter": "true", "scores": True, "limit": 10000})
        return dict(zip(page["ids"], page["grade"].decode()))

    def test_a_mirror_stays_in_step(self):
        self.follow()
        self.assertGreater(self.full, 1)  # page by page
        self.assertEqual(self.mirror, self.truth())
        self.full = 0
        r = random.Random(3)
        for step in range(6):
            ids = r.sample([a["id"] for a in self.company.accounts], 20)
            self.client.call("account-patch", {"accounts": [
                {"id": i, "values": {"industry": r.choice(["Software", "Retail"])}} for i in ids]})
            self.client.call("account-put", {"accounts": [{"id": f"new{step}",
                                                           "values": {"industry": "Software"}}]})
            if step == 2:
                self.client.call("account-delete", {"ids": ["a0000", "a0001"]})
            if step == 4:
                learn(self.client)
                self.client.call("icp-activate", {"icp": 2, "reason": "try"})
            if step % 2:
                self.follow()
                self.assertEqual(self.mirror, self.truth())
        self.client.call("icp-revert", {"reason": "back"})
        self.follow(limit=7)
        self.assertEqual(self.mirror, self.truth())
        self.assertEqual(self.full, 0)
        self.assertEqual(self.follow(), [])

    def labelled(self):
        """Labels as score tells them."""
        return {i: self.client.call("score", {"id": i}).get("segment") for i in self.truth()}

    def test_segments_stay_in_step(self):
        def put(name, **fields):
            self.client.call("segment-put", {"name": name, **fields})

        def steps():
            yield lambda: put("Soft", filter="industry = 'Software'")
            yield lambda: put("Rest", filter="industry is not missing")
            yield lambda: self.client.call("account-patch", {"accounts": [
                {"id": f"a{i:04}", "values": {"industry": "Retail"}} for i in range(40)]})
            yield lambda: put("Soft", filter="industry = 'Retail'")
            yield lambda: self.client.call("account-delete", {"ids": ["a0003"]})
            yield lambda: learn(self.client)
            yield lambda: put("Rest", drop=True)

        self.follow()
        self.assertEqual(set(self.labels.values()), {None})
        start = self.since
        for each in steps():  # followed at once
            each()
            self.follow(limit=50)
            self.assertEqual(self.labels, self.labelled())
            self.assertEqual(self.mirror, self.truth())
        self.full = 0
        truth = self.labelled()
        self.mirror = {a["id"]: None for a in self.company.accounts}
        self.labels = dict(self.mirror)
        self.since = start
        self.follow(limit=50)  # and from long ago, through all that was in force between
        self.assertEqual(self.labels, truth)
        self.assertEqual(self.full, 0)
        for value in ("Software", "Retail"):
            self.client.call("account-patch", {"accounts": [{"id": "a0005", "values": {"industry": value}}]})
        self.assertEqual(self.follow(), [])

    def test_a_grade_that_came_back_is_no_change(self):
        self.follow()
        before = self.client.call("account-get", {"id": "a0002"})["values"]["industry"]["value"]
        other = "Retail" if before == "Software" else "Software"
        for value in (other, before):
            self.client.call("account-patch", {"accounts": [{"id": "a0002", "values": {"industry": value}}]})
        self.assertEqual(self.follow(), [])
        self.client.call("account-patch", {"accounts": [{"id": "a0002", "values": {"industry": other}}]})
        moves = self.follow()
        self.assertLessEqual(len(moves), 1)
        if moves:
            self.assertEqual(moves[0]["keys"], ["crm:2"])
            self.assertNotEqual(moves[0]["before"], moves[0]["now"])

    def test_lists_are_told_on_and_off(self):
        self.follow()
        self.client.call("tal-build", {"name": "q1", "k": 25})
        moves = [m for m in self.follow() if m["what"] == "on list"]
        self.assertEqual(len(moves), 25)
        self.assertEqual({m["list"] for m in moves}, {"q1"})
        learn(self.client)
        moves = [m for m in self.follow() if m["what"] == "off list"]
        self.assertEqual(len(moves), 25)

    def test_what_lies_ahead_is_refused(self):
        with self.assertRaises(icpd.Refused) as refused:
            self.client.call("changes", {"since": 1 << 40})
        self.assertEqual(refused.exception.field, "since")
        with self.assertRaises(icpd.Refused) as refused:
            self.client.call("changes", {"since": 1, "after": 5})
        self.assertEqual(refused.exception.field, "until")

    def test_icp_changes_keeps_its_place_in_a_file(self):
        with tempfile.TemporaryDirectory() as folder:
            first = icp("changes", "--state", "seq", port=self.server.port, folder=folder)
            self.assertEqual(first.returncode, 0, first.stderr)
            lines = [json.loads(line) for line in first.stdout.splitlines()]
            self.assertEqual(len(lines), 301)
            self.assertEqual(list(lines[-1]), ["next"])
            self.client.call("account-put", {"accounts": [{"id": "new", "values": {}}]})
            second = icp("changes", "--state", "seq", port=self.server.port, folder=folder)
            lines = [json.loads(line) for line in second.stdout.splitlines()]
            self.assertEqual([line.get("id") for line in lines], ["new", None])
            wrong = icp("changes", port=self.server.port, folder=folder)
            self.assertEqual(wrong.returncode, 64)

    def test_reconcile_finds_what_was_planted(self):
        truth = self.truth()
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "crm.csv")
            with open(path, "w", newline="", encoding="utf-8") as file:
                rows = csv.writer(file)
                rows.writerow(["crm", "Grade", "Industry"])
                for i, account in enumerate(self.company.accounts):
                    grade = truth[account["id"]]
                    if i == 3:
                        continue  # absent there
                    rows.writerow([i, "D" if i == 5 and grade != "D" else "A" if i == 5 else grade,
                                   "Bank" if i == 6 else account["values"]["industry"]])
                rows.writerow(["7", truth["a0007"], self.company.accounts[7]["values"]["industry"]])  # twice
                rows.writerow(["unheard-of", "A", ""])
            got = icp("reconcile", path, "--key", "crm", "--grade", "Grade", "--label", "industry=Industry",
                      "--csv", port=self.server.port, folder=folder)
            self.assertEqual(got.returncode, 0, got.stderr)
            rows = [(r["account"], r["what"]) for r in csv.DictReader(got.stdout.splitlines())]
            self.assertEqual(sorted(rows), sorted([("a0005", "grade"), ("a0006", "industry"), ("a0007", "twice"),
                                                   ("crm:unheard-of", "absent here"),
                                                   ("a0003", "absent there")]))
            self.assertIn("301 rows: 297 the same, 2 that differ", got.stderr)
            wrong = icp("reconcile", path, "--key", "crm", "--grade", "Grad", port=self.server.port)
            self.assertNotEqual(wrong.returncode, 0)
            self.assertIn("Grade", wrong.stderr)


if __name__ == "__main__":
    unittest.main()
