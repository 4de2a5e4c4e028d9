#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Imports are listed and taken back with icp, over a kill; the files of a company by one plan, whatever
their order, and over a kill of icp: test_import_undo.py ICPD ICP."""
import json
import os
import signal
import subprocess
import sys
import tempfile
import unittest

import icpd

ICPD, ICP = (os.path.abspath(sys.argv.pop(1)) for _ in range(2))
SCHEMA = ('{"fields":[{"name":"employees","type":"number"},{"name":"stage","type":"category"}],'
          '"id":"id","keys":{"domain":"website"}}')


EVERY = "employees >= 0"
PLAN = {"plan": 1, "name": "company", "schema": "schema.json", "precedence": ["crm", "billing"], "files": [
    {"file": "tickets.csv", "events": {
        "account": "domain=site", "type": "request", "kind": "=ticket", "at": "day", "id": "ticket",
        "source": "support", "batch": 50}},
    {"file": "billing.csv", "accounts": {
        "match": ["domain"], "key": {"domain": "Website"}, "map": {"People": "employees", "Plan": None},
        "source": "billing"}},
    {"file": "deals.csv", "events": {
        "account": "id", "id": "deal", "created": "created", "won": "stage = 'Won'",
        "lost": "stage = 'Lost'", "at": "closed", "source": "crm"}},
    {"file": "crm.csv", "accounts": {"source": "crm", "batch": 40}}]}


class Base(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.client = self.server.client()
        self.addCleanup(lambda: self.client.close())

    def icp(self, *arguments, status=0):
        got = subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", *arguments],
                             cwd=self.folder.name, capture_output=True, text=True, check=False,
                             env=dict(os.environ, LC_ALL="C.UTF-8"))
        self.assertEqual(got.returncode, status, got.stdout + got.stderr)
        return got.stdout

    def write(self, name, text):
        with open(os.path.join(self.folder.name, name), "w", encoding="utf-8") as file:
            file.write(text)

    def plan_write(self, files=None):
        self.write("schema.json", SCHEMA)
        self.write("crm.csv", "id,website,employees,stage\n"
                   + "".join(f"c{n},firm{n}.com,{n + 1},Lead\n" for n in range(200)))
        self.write("billing.csv", "Website,People,Plan\n"
                   + "".join(f"www.firm{n}.com,{n + 500},gold\n" for n in range(100, 300)))
        self.write("deals.csv", "deal,id,created,closed,stage\n"
                   + "".join(f"d{n},c{n},2024-01-02,2024-02-0{1 + n % 9},{('Won', 'Lost')[n % 2]}\n"
                             for n in range(150)))
        self.write("tickets.csv", "ticket,site,day\n"
                   + "".join(f"t{n},firm{n % 300}.com,2024-03-0{1 + n % 9}\n" for n in range(900)))
        self.write("plan.json", json.dumps(dict(PLAN, files=files or PLAN["files"]), indent=1))

    def plan(self, *arguments):
        return subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", "import", "--plan",
                               os.path.join(self.folder.name, "plan.json"), *arguments],
                              capture_output=True, text=True, check=False,
                              env=dict(os.environ, LC_ALL="C.UTF-8"))

    def told(self):
        """All that the store holds of the company."""
        ids = self.client.call("filter", {"filter": EVERY, "limit": 1000})["ids"]
        return {name: (self.values(name), sorted(self.account(name)["keys"]),
                       sorted((one["type"], one["id"]) for one in
                              self.client.call("timeline", {"id": name})["events"])) for name in ids}

    def account(self, name):
        return self.client.call("account-get", {"id": name})

    def values(self, name):
        return {field: one["value"] for field, one in self.account(name)["values"].items()}

    def gone(self, name):
        with self.assertRaises(icpd.Refused) as refusal:
            self.account(name)
        self.assertEqual(refusal.exception.code, "not-found")

    def undo(self, *arguments):
        return json.loads(self.icp("import", "undo", *arguments, "--json"))



class Plan(Base):
    def test_a_plan_is_one_company_whatever_its_order(self):
        self.plan_write()
        self.client.call("schema-put", {"document": SCHEMA})
        dry = self.plan("--dry-run")
        self.assertIn("dry run, nothing stored", dry.stderr)
        self.assertEqual(self.client.call("count", {"filter": EVERY})["count"], 0)
        got = self.plan()
        self.assertEqual(got.returncode, 0, got.stdout + got.stderr)
        first = self.told()
        self.assertEqual(len(first), 300)
        self.assertEqual(first["c150"][0], {"employees": 151.0, "stage": "Lead"})  # crm goes before
        self.assertEqual(first["firm250.com"][0], {"employees": 750.0})
        self.assertEqual(len(first["c7"][2]), 5)
        seq = json.loads(self.icp("import", "list", "--json"))["imports"][0]["last"]
        again = self.plan()
        self.assertEqual(again.stderr.count("stored before, passed over"), 5, again.stderr)
        self.assertEqual(json.loads(self.icp("import", "list", "--json"))["imports"][0]["last"], seq)
        self.client.close()
        self.server.close()
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.client = self.server.client()
        self.plan_write(PLAN["files"][::-1])
        self.assertEqual(self.plan().returncode, 0)
        self.assertEqual(self.told(), first)

    def test_a_plan_that_is_killed_goes_on(self):
        self.plan_write()
        run = subprocess.Popen([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", "import", "--plan",
                                "plan.json"], cwd=self.folder.name, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
        for line in run.stderr:  # the schema and the first accounts are stored, the second ones begin
            if "billing.csv" in line:
                run.kill()
                break
        run.wait()
        run.stderr.close()
        got = self.plan()
        self.assertEqual(got.returncode, 0, got.stdout + got.stderr)
        self.assertIn("crm.csv (accounts): stored before, passed over", got.stderr)
        told = self.told()
        self.assertEqual((len(told), sum(len(one[2]) for one in told.values())), (300, 1200))
        self.undo("support")
        self.assertEqual(self.plan().stderr.count("its events stay so, and count as told already"), 1)
        self.assertNotIn("its events stay so", self.plan("--dry-run").stderr.split("crm.csv")[-1])

    def test_a_slip_is_told_by_its_place(self):
        self.plan_write()
        text = json.dumps(PLAN, indent=1)
        for wrong, words in [(text.replace('"account": "id"', '"acount": "id"'),
                              "line 41, column 5: 'icp event import' has no such option for a plan; did you "
                              "mean account (files[2].events.acount)"),
                             (text.replace('"name": "company"', '"name": "a b"'), "line 3, column 2: a name of"),
                             (text.replace('"plan": 1,', '"plan": 1'), "line 3"),
                             (text.replace('"crm.csv"', '"none.csv"'), "cannot read none.csv")]:
            self.write("plan.json", wrong)
            got = self.plan()
            self.assertNotEqual(got.returncode, 0)
            self.assertIn(words, got.stderr)
        self.write("plan.json", text)
        self.write("tickets.csv", "ticket,site,day\nt1,firm1.com,2024-99-01\nt2,firm2.com,2024-03-01\n")
        got = self.plan()
        self.assertEqual(got.returncode, 65)
        self.assertIn("tickets.csv, line 2, column 14, day", got.stderr)
        again = self.plan()
        self.assertEqual(again.stderr.count("passed over"), 4)  # the one with a refused row runs again


class Undo(Base):
    def company(self):
        self.client.call("schema-put", {"document": SCHEMA})
        self.write("crm.csv", "id,website,employees,stage\nacme,acme.com,10,Lead\n")
        self.write("billing.csv", "id,website,employees\nacme,payacme.com,99\n"
                   + "".join(f"b{n},b{n}.com,{n}\n" for n in range(1, 400)))
        self.icp("import", "crm.csv", "--source", "crm")
        self.icp("import", "billing.csv", "--source", "billing", "--batch", "100")
        self.client.call("account-patch", {"accounts": [{"id": "b7", "values": {"stage": "Won"}}],
                                           "source": "sales"})

    def test_an_import_is_listed_and_taken_back(self):
        self.company()
        listed = json.loads(self.icp("import", "list", "--json"))["imports"]
        self.assertEqual([(one["name"], one["state"], one["accounts"]) for one in listed],
                         [("billing.csv as billing", "done", 400), ("crm.csv as crm", "done", 1)])
        self.assertIn("billing.csv as billing", self.icp("import", "list"))
        dry = self.undo("billing", "--dry-run")
        self.assertEqual(self.values("acme"), {"employees": 99.0, "stage": "Lead"})
        before = self.account("acme")["keys"]
        self.client.close()
        self.server.stop(signal.SIGKILL)
        self.server.start()
        self.client = self.server.client()
        done = self.undo("billing.csv")
        figures = ("batches", "removed", "changed", "values", "keys", "staying")
        self.assertEqual({name: dry[name] for name in figures}, {name: done[name] for name in figures})
        self.assertEqual((done["batches"], done["removed"], done["staying"]), (4, 398, 1))
        self.assertEqual([(one["id"], one["account"]) for one in done["stays"]], [("b7", True)])
        self.assertEqual(self.values("acme"), {"employees": 10.0, "stage": "Lead"})
        self.assertEqual(before, ["domain:acme.com", "domain:payacme.com"])
        self.assertEqual(self.account("acme")["keys"], ["domain:acme.com"])
        self.assertEqual(self.values("b7"), {"stage": "Won"})
        self.gone("b8")
        kinds = [one["kind"] for one in self.client.call("account-history", {"id": "acme"})["changes"]]
        self.assertEqual(kinds.count("key added"), 1)
        self.assertEqual(kinds.count("key taken"), 1)
        self.assertEqual(json.loads(self.icp("import", "list", "--json"))["imports"][0]["state"], "undone")
        self.icp("import", "undo", "billing", status=65)  # nothing of that name stands
        self.assertEqual(self.undo(done_id(listed))["batches"], 0)
        self.icp("import", "billing.csv", "--source", "billing")
        self.assertEqual(self.values("b8"), {"employees": 8.0})

    def test_what_was_merged_since_is_taken_back_by_its_records(self):
        self.client.call("schema-put", {"document": SCHEMA})
        self.write("crm.csv", "id,employees,stage\nacme,10,Lead\nacme.de,7,Lead\nbeta,5,Lead\n")
        self.write("billing.csv", "id,employees\nacme.de,99\ngamma,1\n")
        self.icp("import", "crm.csv", "--source", "crm")
        self.icp("identity", "merge", "acme", "acme.de")
        self.icp("import", "billing.csv", "--source", "billing")
        self.assertEqual(self.values("acme")["employees"], 99)
        done = self.undo("billing")
        self.assertEqual((done["values"], done["removed"], done["staying"]), (2, 1, 0))
        self.assertEqual(self.values("acme")["employees"], 10)
        self.client.call("account-patch", {"accounts": [{"id": "acme", "values": {"stage": "Won"}}]})
        done = self.undo("crm")
        # What the other undo gave back of acme.de is the import's all the same: with it the record goes.
        self.assertEqual((done["removed"], {one["id"] for one in done["stays"]}), (2, {"acme"}))
        self.assertEqual(self.values("acme"), {"stage": "Won"})
        self.gone("acme.de")

    def calls(self, source):
        return subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", "event", "import",
                               "calls.csv", "--account", "account", "--type", "touch", "--kind", "=call",
                               "--at", "day", "--id", "call", "--source", source],
                              cwd=self.folder.name, capture_output=True, text=True, check=False)

    def test_events_are_taken_back(self):
        self.company()
        self.write("calls.csv", "account,day,call\nacme,2024-01-02,c1\nb1,2024-01-03,c2\n")
        self.icp("event", "import", "calls.csv", "--account", "account", "--type", "touch", "--kind",
                 "=call", "--at", "day", "--id", "call", "--source", "phone", "--import-id", "calls")
        self.assertEqual(self.undo("phone", "--dry-run")["events"], 2)
        self.assertEqual(self.client.call("timeline", {"id": "acme"})["count"], 1)
        self.assertIn("2 events that are taken back", self.icp("import", "undo", "calls"))
        self.assertEqual(self.client.call("timeline", {"id": "acme"})["count"], 0)
        for again, words in [("phone", "import calls was taken back: its events stay so"), ("dialler", "")]:
            got = self.calls(again)
            self.assertEqual((got.returncode, words in got.stderr), (0, True), got.stderr)
            self.assertEqual("taken back:" in got.stderr, again == "phone")
        self.assertEqual(self.client.call("timeline", {"id": "acme"})["count"], 1)
        self.write("more.csv", "id,website,employees\nacme,acme.com,7\nz,z.com,1\n")
        for _ in range(2):
            self.icp("import", "more.csv")
        got = subprocess.run([ICP, "--uri", f"icp://127.0.0.1:{self.server.port}", "import", "undo",
                              "more.csv"], capture_output=True, text=True, check=False)
        self.assertEqual(got.returncode, 65)
        self.assertIn("2 imports are called 'more.csv', say which: ", got.stderr)


def done_id(listed):
    return listed[0]["id"]


if __name__ == "__main__":
    unittest.main()
