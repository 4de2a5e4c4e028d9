# SPDX-License-Identifier: Apache-2.0
"""several_hosts.py KIND FOLDER ICPD: which host the Python and Node clients ask, and which reads name the
sequence of a write, as tests/unit/client/test_hosts.c and test_token.c have it of libicp; and three icpd of
which the one that is asked dies. KIND is blocking, asyncio or node."""
import os
import shutil
import signal
import sys
import threading
import time
import unittest

import planted
from drivers import Driver
from fake import Fake

KIND, FOLDER, ICPD = sys.argv[1:4] if len(sys.argv) > 3 else ("", "", "")
LOG, SEQ = 5, 900
SCORE = {"icp": 1, "seq": 1, "found": True, "tal": False, "fit": 50.0, "p": 0.5, "grade": "B", "raw": 7}
COUNT = {"seq": 1, "count": 1, "of": 1}
PATCHED = {"count": 1, "created": 0, "seq": SEQ}
PATCH = {"accounts": [{"id": "a1", "values": {}}]}


def driver(*ports, **options):
    return Driver(KIND, FOLDER, "icp://" + ",".join(f"127.0.0.1:{port}" for port in ports), **options)


def good(connection, number, op, request_id, payload):
    Fake.reply(connection, request_id, PATCHED if op == "account-patch" else
               {"time": 1} if op == "ping" else SCORE if op == "score" else COUNT)


def refuse(name, **more):
    return lambda connection, number, op, request_id, payload: Fake.refuse(connection, request_id, name, **more)


class Choice(unittest.TestCase):
    """By a clock of the test's own."""

    @classmethod
    def setUpClass(cls):
        cls.client = driver(1)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()

    def after(self, steps, count):
        return self.client.ask(hosts=steps, count=count)

    def test_hosts_follow_in_the_order_of_the_uri(self):
        self.assertEqual(self.after([["after", 0, 0], ["after", 2, 0]], 3), [1, 0])

    def test_host_that_failed_is_passed_over_for_a_while(self):
        for _ in range(20):  # by chance
            found = self.after([["failed", 1, 1000], ["after", 0, 1000], ["after", 0, 1499], ["after", 0, 2001]], 3)
            self.assertEqual(found, [2, 2, 1])

    def test_host_that_goes_on_failing_is_passed_over_for_half_a_minute_at_most(self):
        steps = [["failed", 1, 0]] * 60 + [["after", 0, 14999], ["after", 0, 30001]]
        self.assertEqual(self.after(steps, 2), [0, 1])

    def test_host_that_worked_is_tried_in_its_turn(self):
        steps = [["failed", 1, 0], ["failed", 1, 0], ["worked", 1, 0], ["after", 0, 0], ["failed", 1, 0],
                 ["after", 0, 1001]]
        self.assertEqual(self.after(steps, 2), [1, 1])  # at last as after a first failure

    def test_order_is_kept_where_all_have_failed(self):
        steps = [["failed", host, 0] for host in range(3)] + [["after", host, 0] for host in range(3)]
        self.assertEqual(self.after(steps, 3), [1, 2, 0])


class Leaving(unittest.TestCase):
    """Two hosts, of which the first refuses all that it is asked."""

    def asked(self, on_request, **options):
        """How often each was connected to, and asked."""
        with Fake(on_request) as first, Fake(good) as second, driver(first.port, second.port, **options) as client:
            for _ in range(3):
                self.assertEqual(client.call("count", {"filter": "a"})["count"], 1)
            return (first.connections, len(first.seen)), (second.connections, len(second.seen))

    def test_host_that_drains_is_left(self):
        self.assertEqual(self.asked(refuse("shutting-down")), ((1, 1), (1, 3)))

    def test_host_that_is_behind_is_left(self):
        self.assertEqual(self.asked(refuse("behind")), ((1, 1), (1, 3)))

    def test_host_that_stays_busy_is_left(self):
        self.assertEqual(self.asked(refuse("busy")), ((1, 2), (1, 3)))

    def test_host_that_never_answers_a_request_is_left(self):
        def close(connection, number, op, request_id, payload):
            return "close"
        self.assertEqual(self.asked(close), ((1, 1), (1, 3)))

    def test_host_that_says_nothing_is_left(self):
        self.assertEqual(self.asked(lambda *_: "silent"), ((1, 1), (1, 3)))

    def test_host_that_says_how_long_to_wait_is_kept(self):
        told = []

        def busy_twice(connection, number, op, request_id, payload):
            told.append(op)
            (refuse("busy", retry_after_ms=1) if len(told) < 3 else good)(connection, number, op, request_id, payload)
        self.assertEqual(self.asked(busy_twice), ((1, 5), (0, 0)))

    def test_only_host_is_kept_though_it_is_behind(self):
        told = []

        def behind_once(connection, number, op, request_id, payload):
            told.append(op)
            (refuse("behind") if len(told) < 2 else good)(connection, number, op, request_id, payload)
        with Fake(behind_once) as fake, driver(fake.port) as client:
            self.assertEqual(client.call("count", {"filter": "a"})["count"], 1)
            self.assertEqual((fake.connections, len(fake.seen)), (1, 2))


class Written(unittest.TestCase):
    """What reads name (min_seq)."""

    def named(self, reads, log=LOG, then=LOG, fields=None, **options):
        """One connection takes the write and ends; the reads go over the next, of the log `then`."""
        def serve(connection, number, op, request_id, payload):
            good(connection, number, op, request_id, payload)
            if number == 1:
                fake.greeting["log"] = then
                return "close"
            return None
        with Fake(serve, log=log) as fake, driver(fake.port, **options) as client:
            client.call("account-patch", PATCH)
            for _ in range(reads):
                client.call("count", {"filter": "a", **(fields or {})})
            written = client.ask(last=True)["last"]
            return [payload.get("min_seq") for _, payload in fake.seen], written

    def test_read_over_another_connection_names_the_write(self):
        self.assertEqual(self.named(3), ([None, SEQ, None, None], [LOG, SEQ]))

    def test_sequence_that_the_request_names_stays(self):
        self.assertEqual(self.named(1, fields={"min_seq": 17})[0], [None, 17])

    def test_option_and_another_log_keep_reads_as_they_are(self):
        self.assertEqual(self.named(1, seeWritten=False)[0], [None, None])
        self.assertEqual(self.named(1, then=LOG + 1)[0], [None, None])
        self.assertEqual(self.named(1, log=0, then=0), ([None, None], None))

    def test_it_goes_to_another_client_which_may_forget_it(self):
        with Fake(good, log=LOG) as fake, driver(fake.port) as client:
            self.assertEqual(client.ask(written=[LOG, 77])["last"], [LOG, 77])
            client.call("count", {"filter": "a"})
            self.assertEqual(client.ask(written=None)["last"], None)
            self.assertEqual([payload.get("min_seq") for _, payload in fake.seen], [77])

    def test_writes_name_nothing_and_only_the_last_counts(self):
        def serve(connection, number, op, request_id, payload):
            Fake.reply(connection, request_id, {**PATCHED, "seq": payload["accounts"][0]["values"]["seq"]})
        with Fake(serve, log=LOG) as fake, driver(fake.port) as client:
            for seq in (8, 9, 4):
                client.call("account-patch", {"accounts": [{"id": "a1", "values": {"seq": seq}}]})
            self.assertEqual(client.ask(last=True)["last"], [LOG, 9])
            self.assertEqual([payload.get("min_seq") for _, payload in fake.seen], [None] * 3)

    def test_many_at_once_name_it_too(self):
        with Fake(good, log=LOG) as fake, driver(fake.port) as client:
            client.call("ping")
            client.ask(written=[LOG, 77])
            client.ask(all=[["count", {"filter": "a"}]] * 3)
            self.assertEqual([payload.get("min_seq") for _, payload in fake.seen], [77] * 3)

    def test_host_that_waits_for_it_leaves_time_for_another(self):
        with Fake(refuse("behind"), log=LOG) as first, Fake(good, log=LOG) as second, \
                driver(first.port, second.port) as client:
            client.ask(written=[LOG, 77])
            self.assertEqual(client.call("score", {"id": "a"}, timeout_ms=20000)["raw"], SCORE["raw"])
            self.assertEqual([fake.seen[0][1]["min_seq"] for fake in (first, second)], [77, 77])
            self.assertLessEqual(first.seen[0][1]["deadline_ms"], 10000)


class Nodes(unittest.TestCase):
    """Three icpd that hold the same; the one that is asked is killed, or stands still."""

    @classmethod
    def setUpClass(cls):
        cls.servers = [planted.Server(ICPD)]
        planted.fill(cls.servers[0])
        cls.servers[0].stop()
        for _ in range(2):
            copy = planted.Server(ICPD)
            copy.stop()
            shutil.rmtree(copy.data)
            shutil.copytree(cls.servers[0].data, copy.data)
            cls.servers.append(copy)
        for server in cls.servers:
            server.start()
            server.flags = ("--port", str(server.port), "--http-host", "")  # the port beside it may be taken
        cls.client = driver(*(server.port for server in cls.servers), name="several")
        cls.raw = cls.client.call("score", {"id": "a00007"})["raw"]

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        for server in cls.servers:
            server.close()

    def asked(self):
        """The server that the client is connected to."""
        for server in self.servers:
            with server.client() as client:
                if any(one["client"] == "several" for one in client.call("client-list")["clients"]):
                    return server
        raise AssertionError("the client is connected to nobody")

    def score(self):
        self.assertEqual(self.client.call("score", {"id": "a00007"}, timeout_ms=60000)["raw"], self.raw)

    def test_one_that_is_killed_costs_no_answer(self):
        for _ in range(2):
            server = self.asked()
            server.process.kill()
            server.process.wait()
            for _ in range(5):
                self.score()
            server.start()
            self.score()
            self.assertIsNot(self.asked(), server)  # another one worked, and is kept

    def test_one_that_stands_still_costs_no_answer(self):
        for _ in range(2):
            server = self.asked()
            os.kill(server.process.pid, signal.SIGSTOP)
            try:
                for _ in range(5):
                    self.score()
            finally:
                os.kill(server.process.pid, signal.SIGCONT)


if __name__ == "__main__":
    threading.stack_size(1 << 20)
    unittest.main(argv=[sys.argv[0], *sys.argv[4:]], verbosity=2)
