# SPDX-License-Identifier: Apache-2.0
"""test_clients.py KIND FOLDER ICPD: the Python and Node clients against a real server, and against one that
misbehaves. KIND is blocking, asyncio or node; the same tests ask all three."""
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
import unittest

import planted
from drivers import Driver, Failed
from fake import Fake

KIND, FOLDER, ICPD = sys.argv[1:4] if len(sys.argv) > 3 else ("", "", "")
SCORE = {"icp": 1, "seq": 1, "found": True, "tal": False, "fit": 50.0, "p": 0.5, "grade": "B", "raw": 7}


def driver(uri, **options):
    return Driver(KIND, FOLDER, uri, **options)


class Server(unittest.TestCase):
    """A real server with a learned version."""

    @classmethod
    def setUpClass(cls):
        cls.server = planted.Server(ICPD)
        cls.accounts = planted.fill(cls.server)
        cls.uri = f"icp://127.0.0.1:{cls.server.port}"
        cls.client = driver(cls.uri)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.close()

    def failed(self, name, op, fields, field=None):
        with self.assertRaises(Failed) as caught:
            self.client.call(op, fields)
        self.assertEqual(caught.exception.name, name)
        if field is not None:
            self.assertEqual(caught.exception.field, field)
        return caught.exception

    def test_score_with_reasons_adds_up(self):
        score = self.client.call("score", {"key": "domain:c7.example", "reasons": 5})
        total = score["intercept"] + score["rest"] + sum(one["contribution"] for one in score["reasons"])
        self.assertEqual((score["id"], total), ("a00007", score["raw"]))

    def test_lead_is_scored_by_its_values(self):
        low = self.client.call("score", {"values": {"industry": "Steel", "employees": 5}})
        high = self.client.call("score", {"values": {"industry": "Software", "employees": 2500.0}})
        self.assertGreater(high["fit"], low["fit"])
        self.assertFalse(high["found"])

    def test_many_at_once_come_back_in_order(self):
        ids = [one["id"] for one in self.accounts]
        many = self.client.ask(all=[["score", {"id": one}] for one in ids + ["nobody"]])
        self.assertEqual(many[-1]["error"]["name"], "not-found")
        columns = self.client.call("score-many", {"ids": ids})
        raws = bytes.fromhex(columns["raw"]["$bin"])
        self.assertEqual([one["raw"] for one in many[:-1]],
                         [int.from_bytes(raws[8 * i:8 * i + 8], "little", signed=True) for i in range(len(ids))])

    def test_refusal_tells_what_is_allowed(self):
        error = self.failed("bad-field", "similar", {"positives": [{"id": "a00001"}], "k": 10001}, "k")
        self.assertIn("1 to 10000 accounts (similar_k_max)", error.message)
        self.assertFalse(error.retryable)
        self.failed("too-large", "score-many", {"leads": [{"id": "a"}] * 501}, "leads")
        self.failed("missing-field", "filter", {}, "filter")

    def test_unknown_operation_is_the_callers_fault(self):
        self.failed("usage", "scor", {})

    def test_every_page_of_a_filter_is_read(self):
        found, after = [], {}
        while True:
            page = self.client.call("filter", {"filter": "employees > 100", "limit": 200, **after})
            found += page["ids"]
            if "next" not in page:
                break
            after = {"after": page["next"]}
        wanted = [one["id"] for one in self.accounts if one["values"]["employees"] > 100]
        self.assertEqual(found, wanted)

    def test_accounts_and_documents_go_both_ways(self):
        put = {"id": "x1", "keys": ["domain:zürich.example"], "values": {"employees": 3, "industry": "Käse"}}
        self.assertEqual(self.client.call("account-put", {"accounts": [put]})["created"], 1)
        got = self.client.call("account-get", {"id": "x1"})
        self.assertEqual(got["values"]["industry"]["value"], "Käse")
        self.assertEqual(self.client.call("account-delete", {"ids": ["x1"]})["count"], 1)
        document = json.loads(self.client.call("icp-get")["document"])
        again = self.client.call("icp-put", {"document": document})  # as an object: it becomes text
        self.assertGreater(again["icp"], 1)

    def test_a_deadline_holds_and_the_connection_goes_on(self):
        with self.assertRaises(Failed) as caught:
            self.client.call("icp-learn", {"label": "won = true", "pairs": 3}, timeout_ms=1)
        self.assertEqual(caught.exception.name, "timeout")
        self.assertTrue(self.client.call("score", {"id": "a00001"})["found"])

    def test_largest_frames_are_taken(self):
        accounts = [{"id": f"big{n}", "values": {"industry": "x" * 1000}} for n in range(10000)]
        self.assertEqual(self.client.call("account-put", {"accounts": accounts})["created"], 10000)
        gone = self.client.call("account-delete", {"ids": [one["id"] for one in accounts]})
        self.assertEqual(gone["count"], 10000)

    def test_a_write_that_is_repeated_applies_once(self):
        document = json.loads(self.client.call("icp-get", {"icp": 1})["document"])
        request = {"document": document, "operation": f"test-of-{KIND}"}
        first, second = self.client.call("icp-put", request), self.client.call("icp-put", request)
        self.assertEqual(first["icp"], second["icp"])
        self.assertTrue(self.client.ask(server=True)["operations"])

    def test_unix_socket_serves(self):
        with driver("icp+unix:" + self.server.socket_path) as client:
            self.assertTrue(client.call("score", {"id": "a00001"})["found"])


class Connections(unittest.TestCase):
    def test_wrong_uris_are_told(self):
        for uri in ("http://a", "icps://", "icp://a:port", "icp://", "icp://a:70000", "icp+unix:relative"):
            with driver(uri) as client, self.assertRaises(Failed) as caught:
                client.call("ping")
            self.assertEqual(caught.exception.name, "usage", uri)

    def test_nobody_there_is_told_in_time(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        with driver(f"icp://127.0.0.1:{port}", retry=False) as client, self.assertRaises(Failed) as caught:
            client.call("ping")
        self.assertEqual(caught.exception.name, "connect")
        with driver(f"icp://127.0.0.1:{port}") as client, self.assertRaises(Failed) as caught:
            client.call("ping", timeout_ms=300)
        self.assertIn(caught.exception.name, ("connect", "timeout"))

    def test_the_second_host_serves_where_the_first_does_not(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        with Fake(answer_score) as fake, Fake(answer_score, greet=False) as mute:
            for first in (port, mute.port):
                with driver(f"icp://127.0.0.1:{first},127.0.0.1:{fake.port}") as client:
                    self.assertEqual(client.call("score", {"id": "a"})["raw"], 7)

    def test_however_many_were_not_greeted_another_is_tried(self):
        with Fake(answer_score, greet=False) as fake, driver(fake.uri, connectTimeoutMs=60000) as client:
            client.begin(call="score", fields={"id": "a"}, timeout_ms=60000)
            while fake.connections < 10:  # more than are tried beside each other
                time.sleep(0.01)
            fake.greet = True
            self.assertEqual(client.end()["raw"], 7)

    def test_a_wrong_token_is_not_tried_again(self):
        server = planted.Server(ICPD, env={"ICPD_ADMIN_TOKEN": "secret-of-the-test", "PATH": "/usr/bin"})
        try:
            with driver(f"icp://127.0.0.1:{server.port}", token="guess") as client, \
                    self.assertRaises(Failed) as caught:
                client.call("stats")
            self.assertEqual(caught.exception.name, "bad-token")
            with driver(f"icp://127.0.0.1:{server.port}", token="secret-of-the-test") as client:
                self.assertIn("metrics", client.call("stats"))
        finally:
            server.close()

    def test_a_restarted_server_is_found_again(self):
        server = planted.Server(ICPD)
        try:
            port = server.port
            with driver(f"icp://127.0.0.1:{port}") as client:
                client.call("ping")
                server.stop()
                with self.assertRaises(Failed):
                    client.call("ping", timeout_ms=200)
                server.flags = ("--port", str(port), "--http-port", "0")
                server.start()
                client.call("ping")
        finally:
            server.close()


def answer_score(fake, number, op, request_id, payload):
    Fake.reply(fake, request_id, SCORE)


class Parts:
    """Where a connection would send, gathers."""

    def __init__(self, parts):
        self.sendall = parts.append


class Repeats(unittest.TestCase):
    """What is sent again, and what is not."""

    def asked(self, on_request, op, fields, greeting=None, **options):
        """The reply or the Failed, and what the server saw."""
        with Fake(on_request, **(greeting or {})) as fake, driver(fake.uri, **options) as client:
            try:
                found = client.call(op, fields, timeout_ms=20000)
            except Failed as error:
                found = error
            return found, fake.seen

    @staticmethod
    def lost_once(connection, number, op, request_id, payload):
        if number == 1:
            return "close"
        return Fake.reply(connection, request_id, {**SCORE, "previous": 1})

    def test_a_safe_request_is_sent_again_after_a_loss(self):
        found, seen = self.asked(self.lost_once, "score", {"id": "a"})
        self.assertEqual((found["raw"], len(seen)), (7, 2))

    def test_not_without_retry(self):
        found, seen = self.asked(self.lost_once, "score", {"id": "a"}, retry=False)
        self.assertEqual((found.name, len(seen)), ("closed", 1))

    def test_an_unsafe_request_is_not_sent_again(self):
        found, seen = self.asked(self.lost_once, "icp-revert", {})
        self.assertEqual((found.name, len(seen)), ("closed", 1))
        self.assertNotIn("operation", seen[0][1])

    def test_an_unsafe_request_is_sent_again_under_its_operation_id(self):
        found, seen = self.asked(self.lost_once, "icp-revert", {}, {"operations": True})
        self.assertEqual((found["previous"], len(seen)), (1, 2))
        self.assertEqual(seen[0][1], seen[1][1])
        self.assertTrue(1 <= len(seen[0][1]["operation"]) <= 64)

    def test_an_operation_without_ids_is_not_sent_again(self):
        found, seen = self.asked(self.lost_once, "capture-start", {"name": "x"}, {"operations": True})
        self.assertEqual((found.name, len(seen)), ("closed", 1))
        self.assertNotIn("operation", seen[0][1])

    def test_operation_ids_differ(self):
        def answer(connection, number, op, request_id, payload):
            Fake.reply(connection, request_id, {**SCORE, "previous": 1})
        with Fake(answer, operations=True) as fake, driver(fake.uri) as client:
            client.call("icp-revert")
            client.call("icp-revert")
            client.call("icp-revert", {"operation": "mine"})
        ids = [payload["operation"] for _, payload in fake.seen]
        self.assertEqual((len(set(ids)), ids[2]), (3, "mine"))

    def test_busy_is_waited_out(self):
        told = []

        def busy_twice(connection, number, op, request_id, payload):
            told.append(op)
            if len(told) < 3:
                return Fake.refuse(connection, request_id, "busy")
            return Fake.reply(connection, request_id, {**SCORE, "previous": 1})
        found, seen = self.asked(busy_twice, "icp-revert", {})  # unsafe, but nothing was done
        self.assertEqual((found["previous"], len(seen)), (1, 3))

    def test_a_busy_that_says_how_long_is_waited_out_that_long(self):
        told = []

        def busy_once(connection, number, op, request_id, payload):
            told.append(time.monotonic())
            if len(told) < 2:
                return Fake.refuse(connection, request_id, "busy", retry_after_ms=300)
            return Fake.reply(connection, request_id, {**SCORE, "previous": 1})
        found, seen = self.asked(busy_once, "icp-revert", {})
        self.assertEqual((found["previous"], len(seen)), (1, 2))
        self.assertGreater(told[1] - told[0], 0.29)

    def test_a_busy_that_outlasts_the_deadline_is_told_at_once(self):
        def busy(connection, number, op, request_id, payload):
            Fake.refuse(connection, request_id, "busy", retry_after_ms=600000)
        found, seen = self.asked(busy, "icp-revert", {})
        self.assertEqual((found.name, len(seen)), ("busy", 1))

    def test_other_refusals_are_told_at_once(self):
        def refuse(connection, number, op, request_id, payload):
            Fake.refuse(connection, request_id, "io")
        found, seen = self.asked(refuse, "score", {"id": "a"})
        self.assertEqual((found.name, found.retryable, len(seen)), ("io", True, 1))

    def test_nothing_is_sent_for_ever(self):
        def close(connection, number, op, request_id, payload):
            return "close"
        found, seen = self.asked(close, "score", {"id": "a"})
        self.assertEqual((found.name, len(seen)), ("closed", 8))

    def test_garbage_is_a_bad_reply_and_not_repeated(self):
        def garbage(connection, number, op, request_id, payload):
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        found, seen = self.asked(garbage, "score", {"id": "a"})
        self.assertEqual((found.name, len(seen)), ("bad-reply", 1))

    def test_what_came_before_garbage_counts(self):
        def answered_then_garbage(connection, number, op, request_id, payload):
            both = []
            Fake.reply(Parts(both), request_id, SCORE)
            connection.sendall(b"".join(both) + b"HTTP/1.1 400 Bad Request\r\n\r\n")
        found, seen = self.asked(answered_then_garbage, "score", {"id": "a"})
        self.assertEqual((found["raw"], len(seen)), (7, 1))

    def test_a_reply_that_lacks_a_field_is_a_bad_reply(self):
        def lacks(connection, number, op, request_id, payload):
            Fake.reply(connection, request_id, {"fit": 1.0})
        found, _ = self.asked(lacks, "score", {"id": "a"})
        self.assertEqual(found.name, "bad-reply")

    def test_a_late_reply_is_dropped(self):
        held = []

        def late(connection, number, op, request_id, payload):
            if payload["id"] == "slow":
                held.append(request_id)
                return None
            for request in held:
                Fake.reply(connection, request, {**SCORE, "raw": -1})
            return Fake.reply(connection, request_id, SCORE)
        with Fake(late) as fake, driver(fake.uri) as client:
            client.call("score", {"id": "a"})
            results = client.ask(all=[["score", {"id": "slow"}], ["score", {"id": "b"}]], timeout_ms=500)
            self.assertEqual(results[1]["raw"], 7)
            self.assertEqual(client.call("score", {"id": "c"})["raw"], 7)

    def test_a_scan_is_told_how_long_it_may_take(self):
        def answer(connection, number, op, request_id, payload):
            Fake.reply(connection, request_id, {"seq": 1, "count": 1, "of": 1})
        _, seen = self.asked(answer, "count", {"filter": "won"})
        self.assertTrue(0 < seen[0][1]["deadline_ms"] <= 20000)

    def test_silence_is_left_for_another_connection(self):
        def silent_first(connection, number, op, request_id, payload):
            if number == 1:
                return "silent"
            return Fake.reply(connection, request_id, SCORE)
        with Fake(silent_first) as fake, driver(fake.uri) as client:
            with self.assertRaises(Failed) as caught:
                client.call("score", {"id": "a"}, timeout_ms=200)
            self.assertEqual(caught.exception.name, "timeout")
            self.assertEqual(client.call("score", {"id": "a"})["raw"], 7)


    def test_a_connection_that_died_without_a_word_is_replaced(self):
        def silent_first(connection, number, op, request_id, payload):
            return "silent" if number == 1 else Fake.reply(connection, request_id, SCORE)
        with Fake(silent_first) as fake, driver(fake.uri) as client:
            found = client.ask(all=[["score", {"id": one}] for one in ("a", "b")], timeout_ms=60000)
            self.assertEqual([one["raw"] for one in found], [7, 7])
            self.assertEqual([one[1]["id"] for one in fake.seen], ["a", "b", "a", "b"])
            self.assertGreaterEqual(fake.connections, 2)

    def test_a_connection_that_says_only_what_came_too_late_is_left(self):
        def byte_by_byte(connection, frame):
            try:
                for byte in frame:
                    connection.sendall(bytes((byte,)))
                    time.sleep(0.01)
            except OSError:
                pass  # it was left

        def late_first(connection, number, op, request_id, payload):
            if number > 1:
                Fake.reply(connection, request_id, SCORE)
            elif not late:
                Fake.reply(Parts(late), request_id, {**SCORE, "id": "x" * 60000})
                threading.Thread(target=byte_by_byte, args=(connection, late[0])).start()
        late = []
        with Fake(late_first) as fake, driver(fake.uri) as client:
            for _ in range(100):  # 60,000 bytes take ten minutes
                try:
                    self.assertEqual(client.call("score", {"id": "a"}, timeout_ms=150)["raw"], 7)
                    break
                except Failed as error:
                    self.assertIn(error.name, ("timeout", "connect"))
            self.assertEqual(client.call("score", {"id": "a"})["raw"], 7)
            self.assertGreaterEqual(fake.connections, 2)

    def test_a_write_on_it_is_not_sent_again_without_operation_ids(self):
        found, seen = self.asked(lambda connection, number, op, request_id, payload:
                                 "silent" if number == 1 else Fake.reply(connection, request_id, {"icp": 1, "seq": 1}),
                                 "icp-put", {"document": "{}"})
        self.assertEqual((found.name, len(seen)), ("closed", 1))

    def test_a_slow_answer_on_one_that_lives_is_waited_for(self):
        def slow(connection, number, op, request_id, payload):
            if op == "ping":
                Fake.reply(connection, request_id, {"time": 1})
            else:
                threading.Timer(1.5, Fake.reply, (connection, request_id, SCORE)).start()
        with Fake(slow) as fake, driver(fake.uri) as client:
            self.assertEqual(client.call("score", {"id": "a"})["raw"], 7)
            self.assertEqual((len(fake.seen), fake.connections), (1, 1))

    def test_a_client_that_was_stopped_reads_before_it_judges(self):
        """What came while it had no processor is there when its timer is overdue."""
        stopped = []

        def slow(connection, number, op, request_id, payload):
            if op != "ping":
                threading.Timer(2.5, Fake.reply, (connection, request_id, SCORE)).start()
                return
            if not stopped:
                stopped.append(op)
                client.process.send_signal(signal.SIGSTOP)
                threading.Timer(0.8, client.process.send_signal, (signal.SIGCONT,)).start()
            Fake.reply(connection, request_id, {"time": 1})
        with Fake(slow) as fake, driver(fake.uri) as client:
            self.assertEqual(client.call("score", {"id": "a"})["raw"], 7)
            self.assertEqual((len(fake.seen), fake.connections, len(stopped)), (1, 1, 1))


class Checksums(unittest.TestCase):
    """Flag 2: of what is sent, and of what is answered."""

    @staticmethod
    def altered_once(connection, number, op, request_id, payload):
        altered = connection not in Checksums.warned
        Checksums.warned.append(connection)
        Fake.reply(connection, request_id, {**SCORE, "previous": 1}, 0, 3 if altered else 1, 0x5eed if altered else 0)

    def setUp(self):
        Checksums.warned = []

    def test_each_request_carries_one_that_holds(self):
        def slow(connection, number, op, request_id, payload):  # so that it is pinged
            if op == "ping":
                Fake.reply(connection, request_id, {"time": 1})
            else:
                threading.Timer(0.6, Fake.reply, (connection, request_id, SCORE)).start()
        for wish, found in ((True, {"right"}), (False, {"none"})):
            with Fake(slow) as fake, driver(fake.uri, checksum=wish) as client:
                client.call("score", {"id": "a" * 5000})
                self.assertEqual(fake.checksums, found)

    def test_they_are_sent_where_nothing_is_said(self):
        with Fake(answer_score) as fake, driver(fake.uri) as client:
            client.call("score", {"id": "a"})
            self.assertEqual(fake.checksums, {"right"})

    def test_an_altered_reply_is_asked_for_again(self):
        with Fake(self.altered_once) as fake, driver(fake.uri) as client:
            self.assertEqual(client.call("score", {"id": "a"}, timeout_ms=20000)["raw"], 7)
            self.assertEqual((len(fake.seen), fake.connections), (2, 1))

    def test_an_altered_reply_to_a_write_is_told(self):
        with Fake(self.altered_once) as fake, driver(fake.uri) as client, self.assertRaises(Failed) as caught:
            client.call("icp-revert", timeout_ms=20000)
        self.assertEqual((caught.exception.name, len(fake.seen)), ("bad-checksum", 1))

    def test_a_server_finds_them_right(self):
        server = planted.Server(ICPD)
        try:
            with driver(f"icp://127.0.0.1:{server.port}", checksum=True) as client:
                for size in (0, 1, 9, 17, 129, 241, 1024, 1025, 70000):
                    with self.assertRaises(Failed) as caught:
                        client.call("filter", {"filter": "x" * size})
                    self.assertIn(caught.exception.name, ("bad-field", "bad-filter", "missing-field", "no-schema"))
        finally:
            server.close()


class DefaultScore(unittest.TestCase):
    DEFAULT = {"grade": "C", "fit": 40, "p": 0.1}

    def test_it_is_given_where_no_server_answers(self):
        with socket.create_server(("127.0.0.1", 0)) as unused:
            port = unused.getsockname()[1]
        with driver(f"icp://127.0.0.1:{port}", defaultScore=self.DEFAULT) as client:
            score = client.ask(lead={"email": "ann@acme.com"}, timeout_ms=100)
        self.assertEqual((score["grade"], score["fit"], score["is_default"]), ("C", 40, True))
        self.assertIn(score["error"]["error"]["name"] if "error" in score["error"] else "", ("connect", "timeout"))

    def test_an_answer_is_marked_as_one(self):
        with Fake(answer_score) as fake, driver(fake.uri, defaultScore=self.DEFAULT) as client:
            score = client.ask(lead={"id": "a"})
        self.assertEqual((score["raw"], score["is_default"]), (7, False))

    def test_it_does_not_hide_a_fault_of_the_query(self):
        def refuse(connection, number, op, request_id, payload):
            Fake.refuse(connection, request_id, "bad-field", False)
        with Fake(refuse) as fake, driver(fake.uri, defaultScore=self.DEFAULT) as client, \
                self.assertRaises(Failed) as caught:
            client.ask(lead={"id": 7})
        self.assertEqual(caught.exception.name, "bad-field")


class Threads(unittest.TestCase):
    def test_load_without_chaos_is_answered_whole(self):
        server = planted.Server(ICPD)
        try:
            accounts = planted.fill(server)
            with driver(f"icp://127.0.0.1:{server.port}") as client:
                ids = [one["id"] for one in accounts[:50]]
                raws = {one: client.call("score", {"id": one})["raw"] for one in ids}
                document = json.loads(client.call("icp-get", {"icp": 1})["document"])
                with tempfile.TemporaryDirectory() as folder:
                    stop = os.path.join(folder, "stop")
                    open(stop, "w", encoding="utf-8").close()
                    told = client.ask(load={"raws": raws, "document": document, "count": 1000, "workers": 8, "seed": 1,
                                            "timeout_ms": 60000, "grace_ms": 1000, "stop": stop,
                                            "enough": os.path.join(folder, "enough")})
            self.assertGreaterEqual(told["answered"], 1000)
            self.assertEqual((told["asked"] - told["answered"], told["wrong"], told["failed"]), (0, 0, {}))
        finally:
            server.close()


if __name__ == "__main__":
    threading.stack_size(1 << 20)
    unittest.main(argv=sys.argv[:1], verbosity=2)
