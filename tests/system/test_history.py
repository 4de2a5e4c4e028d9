#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What values were before, over the wire and with icp: as of a sequence and a time, listed page by
page, over kills and restarts, exported and imported, and gone with their account. And of an account
of several source records: before they were one, since, and after that was taken back."""
import json
import os
import subprocess
import sys
import tempfile
import time
import unittest

import icpd

ICPD, ICP = sys.argv.pop(1), sys.argv.pop(1)
DAY = 86400000
SCHEMA = ('{"fields":[{"name":"employees","type":"number"},{"name":"stage","type":"category"},'
          '{"name":"tech","type":"tags"},{"name":"open","type":"flag"},'
          '{"name":"v","type":"vector","dims":300}]}')


class History(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.open()
        self.client.call("schema-put", {"document": SCHEMA})

    def open(self):
        self.client = self.server.client()
        self.addCleanup(self.client.close)

    def put(self, **values):
        return self.write("account-put", values)

    def patch(self, **values):
        return self.write("account-patch", values)

    def write(self, op, values, **more):
        account = {"id": "acme", "keys": ["crm:1"], "values": values, **more}
        return self.client.call(op, {"accounts": [account], "source": "crm"})["seq"]

    def values(self, **more):
        reply = self.client.call("account-get", {"id": "acme", **more})
        return {name: one["value"] for name, one in reply["values"].items()}

    def changes(self, **more):
        return self.client.call("account-history", {"id": "acme", **more})

    def not_there(self, **more):
        with self.assertRaises(icpd.Refused) as refusal:
            self.values(**more)
        self.assertEqual(refusal.exception.code, "not-found")

    def three(self):
        first = self.put(employees=10, stage="Lead", tech=["a", "b"])
        second = self.patch(employees=20, open=True)
        third = self.put(employees=30, tech=["b"])
        return first, second, third

    def expect_three(self, first, second, third):
        one = {"employees": 10, "stage": "Lead", "tech": ["a", "b"]}
        self.assertEqual(self.values(seq=first), one)
        self.assertEqual(self.values(seq=second), {**one, "employees": 20, "open": True})
        self.assertEqual(self.values(seq=third), {"employees": 30, "tech": ["b"]})
        self.assertEqual(self.values(), {"employees": 30, "tech": ["b"]})
        self.not_there(seq=first - 1)

    def test_an_account_is_what_it_was_then_also_after_a_kill_and_a_restart(self):
        seqs = self.three()
        self.expect_three(*seqs)
        for number in (9, 15):
            self.server.stop(number)
            self.server.start()
            self.open()
            self.expect_three(*seqs)

    def test_a_time_before_it_was_there_is_none_of_its_times(self):
        before = int(time.time() * 1000) - DAY
        first = self.put(employees=10)
        known = self.changes()["count"]
        self.assertEqual(known, 0)
        self.patch(employees=20)
        change = self.changes()["changes"][0]
        self.assertEqual((change["field"], change["kind"], change["value"], change["source"]),
                         ("employees", "changed", 10, "crm"))
        self.assertEqual(self.values(known=change["known"]), {"employees": 20})
        self.not_there(known=before)
        self.assertGreater(change["seq"], first)

    def test_changes_are_listed_newest_first_page_by_page(self):
        self.three()
        page = self.changes(limit=2)
        self.assertEqual(page["count"], 6)
        rest = self.changes(limit=100, skip=page["next"], seq=page["seq"])
        self.assertNotIn("next", rest)
        listed = [(one["field"], one["kind"], one.get("value"))
                  for one in page["changes"] + rest["changes"]]
        self.assertEqual(sorted(listed, key=repr), sorted(
            [("open", "taken", True), ("tech", "changed", ["a", "b"]), ("stage", "taken", "Lead"),
             ("employees", "changed", 20), ("open", "added", None), ("employees", "changed", 10)],
            key=repr))
        seqs = [one["seq"] for one in page["changes"] + rest["changes"]]
        self.assertEqual(seqs, sorted(seqs, reverse=True))
        self.assertEqual([one["value"] for one in self.changes(field="employees")["changes"]],
                         [20, 10])
        with self.assertRaises(icpd.Refused) as refusal:
            self.changes(field="employes")
        self.assertEqual(refusal.exception.field, "field")

    def test_an_older_value_that_comes_late_is_history_only(self):
        now = int(time.time() * 1000)
        self.client.call("account-patch", {
            "accounts": [{"id": "acme", "values": {"employees": 10}, "time": now - DAY}],
            "source": "crm", "create": True})
        for _ in range(2):
            self.client.call("account-patch", {
                "accounts": [{"id": "acme", "values": {"employees": 5}, "time": now - 9 * DAY}],
                "source": "old"})
        self.assertEqual(self.values(), {"employees": 10})
        changes = self.changes()["changes"]
        self.assertEqual([(one["kind"], one["value"], one["source"], one["time"])
                          for one in changes], [("late", 5, "old", now - 9 * DAY)])

    def test_a_long_value_is_said_not_to_be_kept(self):
        first = self.put(employees=1, v=[0.5] * 300)
        self.patch(v=[0.25] * 300)
        reply = self.client.call("account-get", {"id": "acme", "seq": first})
        self.assertEqual(reply["unkept"], ["v"])
        self.assertNotIn("v", reply["values"])
        change = self.changes()["changes"][0]
        self.assertTrue(change["unkept"])
        self.assertNotIn("value", change)

    def test_the_oldest_changes_go_and_it_is_said(self):
        first = self.put(employees=0)
        for i in range(30):
            self.client.call("account-patch", {"source": "crm", "accounts": [
                {"id": "acme", "values": {"employees": 100 * i + n + 1}} for n in range(40)]})
        reply = self.changes(limit=1000)
        self.assertGreater(reply["gone"], first)
        self.not_there(seq=first)
        self.assertEqual(self.values(seq=reply["changes"][-1]["seq"])["employees"] % 100, 40)

    def test_history_goes_with_its_account(self):
        self.three()
        self.client.call("account-delete", {"ids": ["acme"]})
        with self.assertRaises(icpd.Refused):
            self.changes()
        again = self.put(employees=7)
        self.assertEqual(self.changes()["count"], 0)
        self.not_there(seq=again - 1)

    def test_everything_goes_out_and_in_again(self):
        self.three()
        moments = [one["known"] for one in self.changes()["changes"]]
        before = [self.values(known=known) for known in moments]
        with tempfile.TemporaryDirectory() as directory:
            first, second = (os.path.join(directory, name) for name in ("first", "second"))
            self.icp("export", "--everything", first)
            self.server.close()
            self.server = icpd.Server(ICPD)
            self.addCleanup(self.server.close)
            self.open()
            self.icp("import", "--everything", first)
            self.icp("export", "--everything", second)
            with open(first, "rb") as one, open(second, "rb") as two:
                self.assertEqual(one.read(), two.read())
            self.assertEqual([self.values(known=known) for known in moments], before)
            self.icp("import", "--everything", first, "--again")
            self.spoilt_line_is_refused(first)

    def spoilt_line_is_refused(self, path):
        with open(path, encoding="utf-8") as file:
            line = next(one for one in file if one.startswith('{"account"'))
        spoilt = json.loads(line)
        spoilt["account"] = "other"
        spoilt["keys"] = []
        spoilt["history"] = spoilt["history"][:-2]
        with self.assertRaises(icpd.Refused) as refusal:
            self.client.call("everything-import", {"lines": json.dumps(spoilt) + "\n", "line": 7,
                                                   "again": True})
        self.assertIn("line 7, column", str(refusal.exception))

    def two(self):
        """Two records of one company; the sequence before they are one."""
        now = int(time.time() * 1000)
        self.put(employees=10, stage="Lead")
        return self.client.call("account-put", {"source": "billing", "accounts": [
            {"id": "cus_4", "keys": ["billing:4"], "values": {"employees": 25},
             "time": now + 60000}]})["seq"], now

    def touches(self, *accounts):
        self.client.call("event-append", {"source": "mail", "events": [
            {"account": account, "type": "touch", "kind": "email", "time": 1000, "id": name}
            for account, name in accounts]})

    def story(self, name):
        return [one["id"] for one in self.client.call("timeline", {"id": name})["events"]]

    def merge(self, operation):
        return self.client.call("identity", {"operation": operation, "entries": [
            {"act": "merge", "account": "acme", "other": "billing:4", "reason": "same VAT number"}]})

    def test_two_records_are_one_account_and_two_again(self):
        seq, now = self.two()
        self.touches(("acme", "1"), ("cus_4", "2"))
        said = self.merge("m1")
        self.assertEqual((said["count"], said["last"]), (1, 1))
        again = self.merge("m1")
        self.assertTrue(again["repeated"])
        for number in (9, 15):
            for name in ({"id": "acme"}, {"id": "cus_4"}, {"key": "crm:1"}, {"key": "billing:4"}):
                reply = self.client.call("account-get", name)
                self.assertEqual((reply["id"], reply["sources"]), ("acme", ["acme", "cus_4"]))
                self.assertEqual(sorted(reply["keys"]), ["billing:4", "crm:1"])
                self.assertEqual({field: one["value"] for field, one in reply["values"].items()},
                                 {"employees": 25, "stage": "Lead"})
            self.assertEqual((self.story("acme"), self.story("cus_4")), (["1", "2"], ["1", "2"]))
            self.assertEqual(self.client.call("count", {"filter": "employees > 0"})["count"], 1)
            self.server.stop(number)
            self.server.start()
            self.open()
        self.before_it_was_merged(seq)
        entries = self.client.call("identity-list", {"id": "cus_4"})
        self.assertEqual([one["id"] for one in entries["sources"]], ["acme", "cus_4"])
        self.assertEqual((entries["records"], entries["linked"]), (2, 2))
        entry = entries["entries"][0]
        self.assertEqual((entry["act"], entry["account"], entry["other"], entry["state"]),
                         ("merge", "acme", "cus_4", "stands"))
        self.assertGreaterEqual(entry["time"], now)
        self.assertIn("1 ", self.icp("identity", "list", "acme"))
        self.icp("identity", "undo", "1", "--reason", "another company")
        self.assertEqual(self.values(), {"employees": 10, "stage": "Lead"})
        self.assertEqual((self.story("acme"), self.story("cus_4")), (["1"], ["2"]))
        with self.assertRaises(icpd.Refused) as refusal:
            self.client.call("identity", {"entries": [{"act": "undo", "entry": 1}]})
        self.assertEqual((refusal.exception.code, refusal.exception.field),
                         ("conflict", "entries[0].entry"))
        self.assertIn("identity entry 1", self.icp("audit"))

    def before_it_was_merged(self, seq):
        for name, values in (("acme", {"employees": 10, "stage": "Lead"}),
                             ("cus_4", {"employees": 25})):
            for request in ({"id": name, "seq": seq}, {"id": name, "record": True}):
                reply = self.client.call("account-get", request)
                self.assertEqual(reply["id"], name)
                self.assertNotIn("sources", reply)
                self.assertEqual({field: one["value"] for field, one in reply["values"].items()},
                                 values)

    def test_identity_entries_go_out_and_in_again(self):
        self.two()
        self.client.call("account-put", {"accounts": [{"id": "old", "values": {}},
                                                      {"id": "third", "values": {}}]})
        self.touches(("acme", "1"), ("cus_4", "2"))
        self.client.call("identity", {"entries": [
            {"act": "link", "account": "old", "other": "third"},
            {"act": "merge", "account": "acme", "other": "cus_4"},
            {"act": "undo", "entry": 1}, {"act": "pin", "account": "cus_4"},
            {"act": "never", "account": "acme", "other": "third"}]})
        self.client.call("account-delete", {"ids": ["old"]})
        with tempfile.TemporaryDirectory() as directory:
            first, second = (os.path.join(directory, name) for name in ("first", "second"))
            self.icp("export", "--everything", first)
            self.server.close()
            self.server = icpd.Server(ICPD)
            self.addCleanup(self.server.close)
            self.open()
            self.icp("import", "--everything", first)
            self.icp("import", "--everything", first, "--again")
            self.icp("export", "--everything", second)
            with open(first, "rb") as one, open(second, "rb") as two:
                self.assertEqual(one.read(), two.read())
        reply = self.client.call("account-get", {"id": "acme"})
        self.assertEqual((reply["id"], reply["sources"]), ("cus_4", ["cus_4", "acme"]))
        self.assertEqual(self.story("acme"), ["2", "1"])  # of one request: by the order of records
        states = [one["state"] for one in self.client.call("identity-list")["entries"]]
        self.assertEqual(states, ["stands", "stands", "stands", "stands", "taken"])
        self.icp("scrub")  # which fails where anything is wrong

    def test_icp_shows_an_account_as_it_was_and_its_changes(self):
        first, _, _ = self.three()
        self.assertIn("Lead", self.icp("get", "acme", "--as-of", str(first)))
        self.assertNotIn("Lead", self.icp("get", "acme"))
        self.assertIn("Lead", self.icp("history", "acme", "--field", "stage"))
        self.assertEqual(len(self.icp("history", "acme", "--csv").splitlines()), 7)
        failed = subprocess.run([ICP, "get", "acme", "--as-of", "2001-01-01"], text=True,
                                capture_output=True, check=False, env=self.env())
        self.assertNotEqual(failed.returncode, 0)
        self.assertIn("then", failed.stderr)
        failed = subprocess.run([ICP, "get", "acme", "--as-of", "soon"], text=True,
                                capture_output=True, check=False, env=self.env())
        self.assertEqual(failed.returncode, 64)

    def learned(self):
        """Accounts of which the large ones with a stage of Won are open, and a version of that."""
        rows = [{"id": f"r{i}", "values": {"employees": i % 97, "stage": "Won" if i % 3 else "Lead",
                                           "open": i % 97 > 50 and i % 3 > 0}}
                for i in range(600)]
        self.client.call("account-put", {"accounts": rows, "source": "crm"})
        return self.client.call("icp-learn", {"label": "open = true", "activate": True,
                                              "fields": ["employees", "stage"]})["icp"]

    def score(self, **more):
        reply = self.client.call("score", {"id": "acme", "reasons": 5, **more})
        return {name: reply[name] for name in ("icp", "raw", "fit", "grade", "reasons", "missing")}

    def test_a_score_as_of_a_moment_is_what_it_was_then(self):
        first = self.learned()
        before = int(time.time() * 1000) - DAY
        seq = self.put(employees=90, stage="Won")
        was = self.score()
        self.put(employees=2)
        now = self.score()
        self.assertGreater(was["raw"], now["raw"])
        self.assertEqual(self.score(seq=seq), was)
        self.assertEqual(self.score(known=int(time.time() * 1000) + 1000), now)
        other = self.client.call("icp-put", {"document": self.client.call("icp-get")["document"]})
        self.assertEqual(self.score(seq=seq, icp=other["icp"]), {**was, "icp": other["icp"]})
        lead = self.score(seq=seq, values={"employees": 2})
        self.assertEqual(lead["raw"], now["raw"])
        many = self.client.call("score-many", {"reasons": 5, "leads": [
            {"id": "acme", "seq": seq}, {"id": "acme"}, {"id": "acme", "known": before}]})["scores"]
        self.assertEqual([many[0]["raw"], many[1]["raw"]], [was["raw"], now["raw"]])
        self.assertEqual(many[2]["error"], "not-found")
        for wrong in ({"seq": seq - 1}, {"known": before}, {"at": before - 9 * DAY},
                      {"seq": seq, "id": "nobody", "values": {"employees": 2}}):
            with self.assertRaises(icpd.Refused) as refusal:
                self.score(**wrong)
            self.assertEqual(refusal.exception.code, "not-found")
        self.icp_scores_as_of(first, seq, was)

    def icp_scores_as_of(self, version, seq, was):
        then = json.loads(self.icp("score", "acme", "--as-of", str(seq), "--icp", str(version),
                                   "--json"))
        self.assertEqual(then["raw"], was["raw"])
        for wrong in (["score", "--set", "employees=3", "--as-of", str(seq)],
                      ["score", "acme", "--at", "soon"],
                      ["score", "--csv", "none.csv", "--out", "-", "--as-of", str(seq)]):
            failed = subprocess.run([ICP, *wrong], text=True, capture_output=True, check=False,
                                    env=self.env())
            self.assertEqual(failed.returncode, 64, failed.stderr)

    def test_what_was_true_then_is_told_by_true_times(self):
        now = int(time.time() * 1000)
        for employees, days in ((10, 300), (20, 200), (30, 100), (15, 250)):
            self.client.call("account-patch", {
                "accounts": [{"id": "acme", "values": {"employees": employees},
                              "time": now - days * DAY}], "source": "crm", "create": True})
        for days, employees in ((299, 10), (251, 10), (249, 15), (201, 15), (199, 20), (99, 30)):
            self.assertEqual(self.values(at=now - days * DAY), {"employees": employees})
        self.not_there(at=now - 301 * DAY)
        day = time.strftime("%Y-%m-%d", time.gmtime((now - 199 * DAY) / 1000))
        self.assertIn(" 20 ", self.icp("get", "acme", "--at", day))

    def env(self):
        return dict(os.environ, ICP_URI=f"icp://127.0.0.1:{self.server.port}")

    def icp(self, *arguments):
        done = subprocess.run([ICP, *arguments], capture_output=True, text=True, check=False,
                              env=self.env())
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


if __name__ == "__main__":
    unittest.main()
