#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Requests that name a sequence (min_seq) or an age (max_age_ms): test_await.py ICPD"""
import os
import sys
import time
import unittest

sys.path[:0] = [os.path.join(os.path.dirname(os.path.abspath(__file__)), one) for one in (".", "clients")]
import planted  # pylint: disable=wrong-import-position
from icpd import Refused  # pylint: disable=wrong-import-position

ICPD = sys.argv.pop(1)
FAR = 2**62
# One request of each lane, and of the event loop; what writes is asked under an operation id.
READS = {
    "ping": {}, "score": {"id": "a00001"}, "account-get": {"id": "a00001"}, "stats": {},
    "count": {"filter": "employees > 10"}, "similar": {"like": ["a00001"], "k": 3}, "icp-list": {},
    "score-many": {"ids": [f"a{i:05}" for i in range(1500)] * 2},
}


class Await(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = planted.Server(ICPD, "--applied-ms", "100ms")
        planted.fill(cls.server)

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.client = self.server.client()
        self.other = self.server.client()
        self.addCleanup(self.client.close)
        self.addCleanup(self.other.close)

    def put(self, employees=77):
        patch = {"accounts": [{"id": "a00001", "values": {"employees": employees}}]}
        return self.other.call("account-patch", patch)["seq"]

    def waiting(self):
        metrics = self.other.call("stats")["metrics"]
        return sum(metrics["lanes_waiting"].values())

    def until_waiting(self, count):
        while self.waiting() != count:
            time.sleep(0.01)

    def refused(self, op, request):
        with self.assertRaises(Refused) as caught:
            self.client.call(op, request)
        return caught.exception

    def test_what_is_applied_is_answered_at_once(self):
        seq = self.put(employees=78)
        found = self.client.call("account-get", {"id": "a00001", "min_seq": seq, "max_age_ms": 0})
        self.assertGreaterEqual(found["seq"], seq)
        for op, request in READS.items():
            if op != "similar":
                self.client.call(op, {**request, "min_seq": seq})

    def test_a_read_waits_for_the_write(self):
        seq = self.put()
        for op, request in READS.items():
            if op == "similar":
                continue
            self.client.send(op, {**request, "min_seq": seq + 1, "deadline_ms": 600000})
            self.until_waiting(1)
            seq = self.put()
            _, status, _, payload = self.client.receive()
            self.assertEqual(status, 0, (op, payload))
            if "seq" in payload:
                self.assertGreaterEqual(payload["seq"], seq)

    def test_a_write_that_waits_is_carried_out_once(self):
        seq = self.put()
        patch = {"accounts": [{"id": "a00002", "values": {"employees": 5}}], "operation": f"o{seq}"}
        self.client.send("account-patch", {**patch, "min_seq": seq + 1, "deadline_ms": 600000})
        self.until_waiting(1)
        self.put()
        _, status, _, payload = self.client.receive()
        self.assertEqual(status, 0)
        again = self.client.call("account-patch", patch)  # min_seq is no part of what is asked
        self.assertEqual((again["seq"], again["repeated"]), (payload["seq"], True))

    def test_an_answer_says_how_old_it_is(self):
        ask = {"min_seq": self.put(), "staleness": True}
        for op, request in READS.items():
            sent = self.client.send(op, {**request, **ask})
            found, status, _, payload = self.client.receive()
            if op != "similar":  # nothing was built to look into
                self.assertEqual((found, status), (sent, 0), op)
                self.assertEqual(payload["age_ms"], 0)
                plain = self.client.call(op, request)
                self.assertEqual(payload.keys() - {"age_ms"}, plain.keys())

    def test_what_does_not_come_is_behind(self):
        seq = self.put()
        for op, request in READS.items():
            for deadline in ({}, {"deadline_ms": 50}):
                fault = self.refused(op, {**request, **deadline, "min_seq": FAR})
                self.assertEqual((fault.code, fault.field), ("behind", "min_seq"), op)
                self.assertIn(f"applied sequence {seq} ", fault.message)
        self.assertGreaterEqual(self.other.call("stats")["metrics"]["server"]["requests_awaited"], 2 * len(READS))

    def test_others_are_answered_while_one_waits(self):
        waits = self.client.send("ping", {"min_seq": FAR, "deadline_ms": 600000})
        self.until_waiting(1)
        sent = self.client.send("ping")  # behind it, on the same connection
        self.assertEqual(self.client.receive()[0], sent)
        self.assertNotEqual(sent, waits)

    def test_who_goes_leaves_nothing_waiting(self):
        for op, request in READS.items():
            self.client.send(op, {**request, "min_seq": FAR, "deadline_ms": 600000})
        self.until_waiting(len(READS))
        self.client.close()
        self.until_waiting(0)

    def test_too_many_are_busy(self):
        clients = [self.server.client() for _ in range(4)]
        for client in clients * 256:
            client.send("ping", {"min_seq": FAR, "deadline_ms": 600000})
        self.until_waiting(1024)
        with self.server.client() as third:
            with self.assertRaises(Refused) as caught:
                third.call("ping", {"min_seq": FAR})
            self.assertEqual(caught.exception.code, "busy")
            third.call("ping")
        for client in clients:
            client.close()
        self.until_waiting(0)

    def test_large_requests_are_not_kept(self):
        leads = [{"id": "x" * 250, "values": {"industry": "Software"}}] * 400
        fault = self.refused("score-many", {"leads": leads, "min_seq": FAR, "deadline_ms": 600000})
        self.assertEqual(fault.code, "behind")

    def test_hello_is_the_same_on_every_server(self):
        hello = self.client.call("hello", {"min_seq": FAR, "max_age_ms": 0})
        self.assertNotIn("log", hello)  # it follows none: nobody may compare its sequences

    def test_what_must_have_ended_waits_no_longer(self):
        server = planted.Server(ICPD)
        self.addCleanup(server.close)
        planted.fill(server)
        server.stop()
        server.flags = (*server.flags, "--scan-ms", "1ms")
        server.start()
        with server.client() as client, server.client() as other:
            far = {"min_seq": FAR, "deadline_ms": 600000}
            with self.assertRaises(Refused) as caught:
                client.call("count", {"filter": "employees > 10", **far})  # of a lane that --scan-ms bounds
            self.assertEqual(caught.exception.code, "behind")
            seq = client.call("account-get", {"id": "a00001"})["seq"]
            sent = client.send("ping", {"min_seq": seq + 1, "deadline_ms": 600000})  # and of none
            while sum(other.call("stats")["metrics"]["lanes_waiting"].values()) != 1:
                time.sleep(0.01)
            time.sleep(0.01)
            other.call("account-patch", {"accounts": [{"id": "a00001", "values": {"employees": 3}}]})
            found, status, _, payload = client.receive()
            self.assertEqual((found, status), (sent, 0), payload)

    def test_a_stop_refuses_what_waits(self):
        server = planted.Server(ICPD)
        self.addCleanup(server.close)
        with server.client() as client:
            client.send("ping", {"min_seq": FAR, "deadline_ms": 600000})
            with server.client() as other:
                while sum(other.call("stats")["metrics"]["lanes_waiting"].values()) != 1:
                    time.sleep(0.01)
            server.stop()
            _, _, _, payload = client.receive()
            self.assertEqual(payload["error"], "shutting-down")


if __name__ == "__main__":
    unittest.main(argv=sys.argv)
