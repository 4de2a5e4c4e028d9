# SPDX-License-Identifier: Apache-2.0
"""Operation ids against a running icpd: a write that is repeated, over a cut connection or after
kill -9, applies once and is answered as the first time.
usage: test_repeat.py path/to/icpd"""
import json
import random
import signal
import sys
import threading
import unittest
import uuid

import reference
from icpd import Refused, Server
from test_operations import SCHEMA, fill

BINARY = sys.argv.pop(1) if __name__ == "__main__" and len(sys.argv) > 1 else "icpd"
KILLS = 8
DEFINITION = {"metric": "churn-count", "name": "board", "currency": "", "rates": {}, "rules": {
    "churn-at": "end", "churn-evidence": "account-zero", "churn-unit": "account", "discount": "net",
    "end-day": "exclusive", "free": "churned", "one-off": "excluded", "past-due": "counted",
    "paused": "excluded", "reactivation": "apart", "trials": "excluded"}}


def with_operation():
    return {name for name, op in reference.OPERATIONS.items()
            if any(field["name"] == "operation" for field in op["request"])}


class Repeating(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY)
        with cls.server.client() as client:
            fill(client, 400)
            client.call("icp-learn", {"label": "won = 1", "activate": True})
            cls.document = client.call("icp-get")["document"]

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def setUp(self):
        self.client = self.server.client()

    def tearDown(self):
        self.client.close()

    def versions(self):
        return len(self.client.call("icp-list")["icps"])

    def test_the_greeting_says_that_ids_are_known(self):
        self.assertIs(self.client.call("hello", {})["operations"], True)

    def test_every_write_is_answered_as_the_first_time(self):
        requests = {
            "schema-put": {"document": json.dumps(SCHEMA)},
            "account-put": {"accounts": [{"id": "repeated"}]},
            "account-patch": {"accounts": [{"id": "a1", "values": {"employees": 3}}]},
            "account-delete": {"ids": ["a2", "nobody"]},
            "icp-put": {"document": self.document},
            "icp-import": {"document": self.document},
            "icp-activate": {"icp": 2, "reason": "better"},
            "icp-revert": {"reason": "worse"},
            "icp-learn": {"label": "won = 1"},
            "tal-build": {"name": "repeated", "k": 5},
            "plan-add": {"name": "repeated", "act": "create", "body": json.dumps(
                {"from": "2027-01-01", "to": "2027-12-31", "layers": ["data"], "stages": ["renewal"]})},
            "challenge": {"condition": "employees > 10", "claim": "in"},
            "metric-put": {"definition": json.dumps(DEFINITION)},
            "segment-put": {"name": "large", "filter": "employees > 10"},
            "event-append": {"events": [{"account": "a1", "type": "touch", "time": 1700000000000,
                                         "source": "crm", "id": "t-1"}]},
            "identity": {"entries": [{"act": "merge", "account": "a5", "other": "a6"}]},
            "import-mark": {"import_id": "i-1", "name": "accounts.csv"},
            "import-undo": {"import_id": "i-1"},
        }
        # Lines of an export go into an empty store alone: test_everything.py repeats those; a list must
        # be damaged to be given up: test_tal_drop.py does that.
        self.assertEqual(set(requests), with_operation() - {"everything-import", "tal-drop"})
        self.client.call("icp-put", {"document": self.document})
        for op, request in requests.items():
            with self.subTest(op):
                named = dict(request, operation=str(uuid.uuid4()))
                first = self.client.call(op, named)
                seq = self.client.call("account-get", {"id": "a1"})["seq"]
                again = self.client.call(op, dict(named, deadline_ms=60000))
                self.assertIs(again.pop("repeated"), True)
                self.assertNotIn("repeated", first)
                if op in ("icp-learn", "icp-import", "import-undo"):  # a job of its own, which has nothing to do
                    self.assertNotEqual(first.pop("job"), again.pop("job"))
                self.assertEqual(first, again)
                self.assertEqual(self.client.call("account-get", {"id": "a1"})["seq"], seq)
                with self.assertRaises(Refused) as caught:
                    self.client.call("account-delete",
                                     {"ids": ["a3"], "operation": named["operation"]})
                self.assertEqual(caught.exception.code, "conflict")
                self.assertEqual(caught.exception.field, "operation")
        self.assertEqual(self.client.call("account-get", {"id": "a3"})["id"], "a3")

    def test_an_id_has_1_to_64_bytes(self):
        for wrong in ("", "x" * 65):
            with self.assertRaises(Refused) as caught:
                self.client.call("icp-put", {"document": self.document, "operation": wrong})
            self.assertEqual(caught.exception.field, "operation")

    def test_what_was_refused_is_tried_anew(self):
        request = {"accounts": [{"id": "not yet"}], "operation": "tried twice"}
        with self.assertRaises(Refused) as caught:
            self.client.call("account-patch", request)
        self.assertEqual(caught.exception.code, "not-found")
        self.client.call("account-put", {"accounts": [{"id": "not yet"}]})
        self.assertNotIn("repeated", self.client.call("account-patch", request))
        self.assertIs(self.client.call("account-patch", request)["repeated"], True)

    def cut(self, named):
        """Puts versions, each over a connection that is cut before the reply, then again over
        another; how many there are more in the end."""
        before = self.versions()
        for _ in range(20):
            request = {"document": self.document}
            if named:
                request["operation"] = str(uuid.uuid4())
            with self.server.client() as client:
                client.send("icp-put", request)
            self.client.call("icp-put", request)
        # What was cut may still have been on its way.
        self.client.call("account-put", {"accounts": [{"id": "behind"}]})
        return self.versions() - before

    def test_a_repeat_over_a_cut_connection_applies_once(self):
        self.assertEqual(self.cut(named=True), 20)

    def test_control_without_an_id_it_applies_twice(self):
        self.assertGreater(self.cut(named=False), 20)

    def test_repeats_from_many_connections_at_once_apply_once(self):
        before = self.versions()
        request = {"document": self.document, "operation": "all at once"}
        replies = []

        def ask():
            with self.server.client() as client:
                replies.append(client.call("icp-put", request))

        threads = [threading.Thread(target=ask) for _ in range(16)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(self.versions() - before, 1)
        self.assertEqual(sum("repeated" not in reply for reply in replies), 1)
        self.assertEqual(len({reply["seq"] for reply in replies}), 1)

    def test_a_write_whose_time_is_over_is_not_carried_out(self):
        many = [{"id": f"many{i}", "values": {"employees": i}} for i in range(4000)]
        for _ in range(8):
            self.client.send("account-put", {"accounts": many})
        for i in range(50):
            self.client.send("account-put", {"accounts": [{"id": f"late{i}"}], "deadline_ms": 1})
        answers = {}
        for _ in range(58):
            request_id, status, _, payload = self.client.receive()
            answers[request_id] = payload["error"] if status else "ok"
        late = [answers[self.client.last_id - 49 + i] for i in range(50)]
        self.assertLessEqual(set(late), {"ok", "deadline"})
        for i, answer in enumerate(late):
            if answer == "ok":
                self.client.call("account-get", {"id": f"late{i}"})
                continue
            with self.assertRaises(Refused):
                self.client.call("account-get", {"id": f"late{i}"})


class Killed(unittest.TestCase):
    def test_repeats_after_kill_9_apply_once(self):
        """In each round the server is killed while versions are on their way; all of them are sent
        again after the restart, and there is one version for each operation."""
        rng = random.Random(11)
        server = Server(BINARY)
        try:
            with server.client() as client:
                fill(client, 1000)
                client.call("icp-learn", {"label": "won = 1"})
                document = client.call("icp-get", {"icp": 1})["document"]
            sent, versions = [], {}
            for _ in range(KILLS):
                client = server.client()
                more = [str(uuid.uuid4()) for _ in range(30)]
                ids = {client.send("icp-put", {"document": document, "operation": operation}):
                       operation for operation in more}
                for _ in range(rng.randrange(30)):
                    request_id, _, _, payload = client.receive()
                    versions[ids[request_id]] = payload["icp"]
                server.stop(signal.SIGKILL)
                client.close()
                server.start()
                sent += more
                with server.client() as client:
                    for operation in sent:
                        request = {"document": document, "operation": operation}
                        reply = client.call("icp-put", request)
                        known = versions.setdefault(operation, reply["icp"])
                        self.assertEqual(reply["icp"], known)
                    self.assertEqual(len(client.call("icp-list")["icps"]), 1 + len(sent))
            self.assertEqual(sorted(versions.values()), list(range(2, 2 + len(sent))))
        finally:
            server.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
