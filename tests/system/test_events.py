#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Events over the wire: told, told again, contradicted, taken back, read as they were known, over a
kill and a restart, exported and imported; whatever is wrong is told by event and member."""
import os
import subprocess
import sys
import tempfile
import unittest

import icpd

ICPD, ICP = sys.argv.pop(1), sys.argv.pop(1)
DAY = 86400000
SCHEMA = '{"fields":[{"name":"employees","type":"number"}]}'
T0 = 1700000000000


def event(id, **more):
    return {"account": "acme", "id": id, "type": "touch", "time": T0, "kind": "email", **more}


class Events(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(ICPD)
        self.addCleanup(self.server.close)
        self.open()
        self.client.call("schema-put", {"document": SCHEMA})
        self.client.call("account-put", {"accounts": [{"id": "acme", "keys": ["crm:1"]},
                                                      {"id": "other"}]})

    def open(self):
        self.client = self.server.client()
        self.addCleanup(self.client.close)

    def append(self, *events, **more):
        return self.client.call("event-append", {"events": list(events), "source": "crm", **more})

    def timeline(self, **more):
        return self.client.call("timeline", {"id": "acme", **more})

    def ids(self, **more):
        return [one["id"] for one in self.timeline(**more)["events"]]

    def refused(self, code, field, *events):
        with self.assertRaises(icpd.Refused) as refusal:
            self.append(*events)
        self.assertEqual((refusal.exception.code, refusal.exception.field), (code, field))

    def test_what_was_told_is_read_in_the_order_in_which_it_happened(self):
        reply = self.append(event("2", time=T0 + 2 * DAY), event("1", time=T0 + DAY),
                            {"key": "crm:1", "id": "3", "type": "outcome", "time": T0 + 3 * DAY,
                             "kind": "won", "amount": 120000, "currency": "USD"})
        self.assertEqual(reply["count"], 3)
        events = self.timeline()["events"]
        self.assertEqual([one["id"] for one in events], ["1", "2", "3"])
        self.assertEqual({**events[2], "known": 0, "seq": 0},
                         {"type": "outcome", "time": T0 + 3 * DAY, "known": 0, "seq": 0,
                          "source": "crm", "id": "3", "kind": "won", "amount": 120000,
                          "currency": "USD"})
        self.assertEqual(self.ids(newest=True), ["3", "2", "1"])
        self.assertEqual(self.ids(types=["outcome"]), ["3"])
        self.assertEqual(self.ids(since=T0 + DAY, until=T0 + 3 * DAY), ["1", "2"])
        page = self.timeline(limit=2)
        self.assertEqual((page["count"], page["next"], len(page["events"])), (3, 2, 2))
        self.append(event("0", time=T0))
        last = self.timeline(limit=2, skip=2, seq=page["seq"])
        self.assertEqual([one["id"] for one in last["events"]], ["3"])
        self.assertNotIn("next", last)

    def test_an_event_that_is_told_again_is_no_second_one_also_after_a_kill(self):
        self.assertEqual(self.append(event("1"), event("1"))["count"], 1)
        self.assertEqual(self.append(event("1"), event("2"))["count"], 1)
        self.server.stop(9)
        self.server.start()
        self.open()
        self.assertEqual(self.append(event("1"), event("2"), event("3"))["count"], 1)
        self.assertEqual(sorted(self.ids()), ["1", "2", "3"])
        self.server.stop()
        self.server.start()
        self.open()
        self.assertEqual(self.append(event("1"), event("2"), event("3"))["count"], 0)
        self.assertEqual(sorted(self.ids()), ["1", "2", "3"])

    def test_another_event_under_the_same_id_is_refused_with_all(self):
        self.append(event("1"))
        self.refused("conflict", "events[1].id", event("2"), event("1", kind="call"))
        self.assertEqual(self.ids(), ["1"])

    def test_what_is_taken_back_is_gone_and_can_be_seen(self):
        first = self.append(event("1"), event("2"))["seq"]
        self.append({"account": "acme", "id": "r", "type": "retraction", "time": T0,
                     "retracts": "1", "label": "twice"})
        self.assertEqual(self.ids(), ["2"])
        self.assertEqual(self.ids(seq=first), ["1", "2"])
        self.assertEqual([(one["id"], one.get("retracted", False))
                          for one in self.timeline(all=True)["events"]],
                         [("1", True), ("2", False), ("r", False)])
        # A retraction may come before what it takes back, and be taken back itself.
        self.append({"account": "acme", "id": "s", "type": "retraction", "time": T0,
                     "retracts": "late"})
        self.append(event("late"))
        self.assertEqual(self.ids(), ["2"])
        self.append({"account": "acme", "id": "t", "type": "retraction", "time": T0,
                     "retracts": "s"})
        self.assertEqual(self.ids(), ["2", "late"])

    def test_each_bad_event_is_told_by_place_and_member(self):
        good = event("1")
        self.refused("missing-field", "events[1].type",
                     good, {"account": "acme", "id": "x", "time": T0})
        self.refused("bad-field", "events[1].type", good, event("x", type="tuch"))
        self.refused("bad-field", "events[0].amount", event("x", amount=1))
        self.refused("bad-field", "events[0].kind", event("x", kind="k" * 64))
        self.refused("bad-field", "events[0].time", event("x", time=T0 * 2))
        self.refused("missing-field", "events[0].account",
                     {"id": "x", "type": "touch", "time": T0})
        self.refused("not-found", "events[1].account", good, event("x", account="nobody"))
        self.refused("bad-field", "events[0].currency",
                     event("x", type="outcome", kind="won", amount=5))
        self.assertEqual(self.ids(), [])
        with self.assertRaises(icpd.Refused) as refusal:
            self.timeline(types=["touch", "x"])
        self.assertEqual(refusal.exception.field, "types[1]")

    def test_events_go_with_their_account_and_no_other_gets_them(self):
        self.append(*[event(str(i)) for i in range(300)])
        self.client.call("account-delete", {"ids": ["acme"]})
        self.client.call("account-put", {"accounts": [{"id": "acme"}]})
        self.assertEqual(self.ids(), [])
        self.assertEqual(self.client.call("timeline", {"id": "other"})["events"], [])

    def test_everything_goes_out_and_in_again_with_the_times_at_which_it_became_known(self):
        self.append(*[event(str(i), time=T0 + i, label="Zürich") for i in range(500)])
        self.append({"account": "other", "id": "s", "type": "subscription", "time": T0,
                     "subject": "S-1", "amount": 2786, "currency": "USD", "months": 1,
                     "quantity": 14000, "end": T0 + DAY})
        with tempfile.TemporaryDirectory() as directory:
            first, second = (os.path.join(directory, name) for name in ("first", "second"))
            self.icp("export", "--everything", first)
            before = self.timeline(limit=500)["events"]
            self.server.close()
            self.server = icpd.Server(ICPD)
            self.addCleanup(self.server.close)
            self.open()
            self.icp("import", "--everything", first)
            self.icp("export", "--everything", second)
            with open(first, "rb") as one, open(second, "rb") as two:
                self.assertEqual(one.read(), two.read())
            after = self.timeline(limit=500)["events"]
            self.assertEqual([{**one, "seq": 0} for one in before],
                             [{**one, "seq": 0} for one in after])
            self.icp("import", "--everything", first, "--again")

    def icp(self, *arguments):
        done = subprocess.run([ICP, *arguments], capture_output=True, text=True, check=False,
                              env=dict(os.environ,
                                       ICP_URI=f"icp://127.0.0.1:{self.server.port}"))
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout


if __name__ == "__main__":
    unittest.main()
