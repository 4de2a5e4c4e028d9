# SPDX-License-Identifier: Apache-2.0
"""What whoever connects can take from others: usage: test_strangers.py icpd [clock_shim]

Strangers who say nothing, or too much, or guess tokens; a log that nobody reads; scans of a connection
that is gone, or that does not read its replies; an end while scans are under way. In each, what an honest
client asks is answered. So it is while the wall clock jumps, where the shim (clock_shim.c) is given."""
import mmap
import os
import re
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))

from icpd import HEADER, MORE, OPS, PATIENCE, WAIT_S, Client, Refused, Server  # noqa: E402
from test_operations import fill  # noqa: E402

BINARY = sys.argv.pop(1)
SHIM = sys.argv.pop(1) if len(sys.argv) > 1 and sys.argv[1].endswith(".so") else None
ASKED = 400  # of a reader that does not read; more than the kernels keep for it
TOKEN = "a-token-for-all-of-it"
ROUNDS = 100 if os.environ.get("ICP_LONG") else 3  # of ends


def closed(sock):
    """Whether the server closes; what it says until then."""
    said = b""
    try:
        while True:
            part = sock.recv(65536)
            if not part:
                return said
            said += part
    except ConnectionError:
        return said


class Strangers(unittest.TestCase):
    def start(self, *flags):
        env = dict(os.environ, ICPD_ADMIN_TOKEN=TOKEN)
        server = Server(BINARY, *flags, env=env)
        self.addCleanup(server.close)
        return server

    def honest(self, server):
        client = server.client()
        self.addCleanup(client.close)
        self.assertEqual(client.call("hello", {"token": TOKEN})["role"], "admin")
        return client

    def test_idle_ones_lock_nobody_out(self):
        server = self.start("--connections-max", "50")
        client = self.honest(server)
        strangers = [socket.create_connection(("127.0.0.1", server.port), WAIT_S) for _ in range(200)]
        for _ in range(20):
            self.honest(server)
        client.call("ping")
        for stranger in strangers:
            stranger.close()

    def test_control_without_tokens_idle_ones_do(self):
        server = Server(BINARY, "--connections-max", "10")
        self.addCleanup(server.close)
        strangers = [socket.create_connection(("127.0.0.1", server.port), WAIT_S) for _ in range(10)]
        for stranger in strangers:  # each is in
            stranger.sendall(HEADER.pack(0, 1, OPS["ping"], 0, 1, 0))
            self.assertTrue(stranger.recv(16))
        with server.client() as client:
            self.assertEqual(client.receive()[3]["error"], "busy")
        for stranger in strangers:
            stranger.close()

    def test_large_frames_before_a_token_end_the_connection_at_once(self):
        server = self.start()
        client = self.honest(server)
        for op in ("hello", "ping", "account-put"):
            with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as stranger:
                # The header alone: the server waits for no more.
                stranger.sendall(HEADER.pack(16 << 20, 1, OPS[op], 0, 1, 0))
                self.assertIn(b"too-large", closed(stranger))
        client.call("ping")

    def test_no_token_in_time_ends_the_connection(self):
        server = self.start("--token-ms", "3s")
        client = self.honest(server)
        with socket.create_connection(("127.0.0.1", server.port), WAIT_S) as stranger:
            stranger.sendall(HEADER.pack(0, 1, OPS["ping"], 0, 1, 0))
            closed(stranger)
        client.call("ping")

    def test_wrong_tokens_are_few_and_told(self):
        server = self.start("--token-ms", "0")
        with server.client() as guesser:
            began = time.monotonic()
            for i in range(3):
                with self.assertRaises(Refused) as caught:
                    guesser.call("hello", {"token": f"a-wrong-token-{i}-of-many"})
                self.assertEqual(caught.exception.code, "bad-token")
            # The first answer comes at once; each of the others waited for a second.
            self.assertGreater(time.monotonic() - began, 1.9)
            with self.assertRaises(ConnectionError):
                guesser.call("ping")
        self.assertIn("wrong token", server.log())
        self.assertNotIn("a-wrong-token", server.log())
        self.honest(server).call("ping")


class Stalled(unittest.TestCase):
    def test_a_log_that_nobody_reads_stops_nothing(self):
        read, write = os.pipe()
        self.addCleanup(os.close, read)
        server = Server(BINARY)
        server.stop()
        ports = os.path.join(server.directory, "ports")
        os.unlink(ports) if os.path.exists(ports) else None
        command = [BINARY, "--host", "127.0.0.1", "--port", "0", "--data", server.data, "--ports-file",
                   ports, "--log-level", "debug", "--slowlog-us", "1", *PATIENCE]
        server.process = subprocess.Popen(command, stderr=write)
        self.addCleanup(server.close)
        os.close(write)
        until = time.monotonic() + WAIT_S
        while not os.path.exists(ports):
            self.assertLess(time.monotonic(), until)
            time.sleep(0.02)
        with open(ports) as file:
            port = int(re.search(r"port = (\d+)", file.read()).group(1))
        for _ in range(400):  # each connection is a line and more; a pipe holds 64 KiB
            with Client(port=port) as client:
                client.call("hello", {"client": "x" * 120})
                client.call("ping")
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(server.process.wait(timeout=WAIT_S), 0)
        held = os.read(read, 1 << 20)
        self.assertGreater(len(held), 40000)  # it was full


    def test_a_log_on_a_full_disk_stops_nothing(self):
        server = Server(BINARY, "--log-file", "/dev/full", "--log-level", "debug", "--slowlog-us", "1")
        self.addCleanup(server.close)
        for _ in range(50):
            with server.client() as client:
                client.call("hello", {"client": "x" * 120})
        self.assertEqual(server.stop(), 0)


def held(client):
    return client.call("stats")["metrics"]["net"]["bytes_held"]


class Scans(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY, "--scan-ms", "60s")
        with cls.server.client() as client:
            fill(client, 2000)
            client.call("icp-learn", {"label": "won = 1", "seed": 1, "activate": True})

    @classmethod
    def tearDownClass(cls):
        cls.server.close()

    def waiting(self, client):
        return [job for job in client.call("job-list")["jobs"] if job["state"] in ("queued", "running")]

    def test_scans_of_a_connection_that_is_gone_end(self):
        with self.server.client() as client:
            gone = self.server.client()
            for _ in range(40):
                gone.send("filter", {"filter": "employees > 1 and employees < 1000000", "limit": 2000})
            gone.close()
            client.call("count", {"filter": "trial = 1"})
            until = time.monotonic() + WAIT_S
            while self.waiting(client):
                self.assertLess(time.monotonic(), until)

    # Of each lane: what is asked for, some hundred kilobytes a reply.
    MUCH = {
        "filter": {"filter": "employees > 0", "limit": 2000, "fields": ["employees", "industry"]},
        "similar": {"positives": [{"id": "a1"}], "k": 1000, "reasons": 3},
        "icp-get": {},
        "score-many": {"ids": [f"a{i}" for i in range(500)]},
    }

    def hoard(self, client, op):
        """A reader that does not read asks; what is held for it at most, and itself."""
        hoarder = socket.socket()
        hoarder.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        hoarder.connect(("127.0.0.1", self.server.port))
        hoarder.settimeout(WAIT_S)
        self.addCleanup(hoarder.close)
        most, asking = held(client), Client(connected=hoarder)
        until = time.monotonic() + WAIT_S
        for _ in range(ASKED):
            asking.send(op, self.MUCH[op])
            # Nothing is refused because too much waits: what is refused is for what was not read.
            while len(self.waiting(client)) > 16 and time.monotonic() < until:
                most = max(most, held(client))
            most = max(most, held(client))
        while self.waiting(client) and time.monotonic() < until:
            most = max(most, held(client))
        return most, asking

    def test_unread_replies_are_few(self):
        with self.server.client() as client:
            client.call("ping")
            for op in self.MUCH:
                before = held(client)
                most, hoarder = self.hoard(client, op)
                self.assertLess(most - before, 2 << 20, op)
                client.call("count", {"filter": "trial = 1"})
                # Whoever reads at last gets each reply once: good ones, then refusals that say why.
                codes, unread = set(), 0
                for _ in range(ASKED):
                    _, status, _, payload = hoarder.receive()
                    codes.add(payload["error"] if status else "ok")
                    unread += bool(status) and "not read" in payload["message"]
                self.assertLessEqual(codes, {"ok", "busy"}, op)
                self.assertIn("ok", codes, op)
                if op in ("filter", "similar"):
                    self.assertGreater(unread, 0, op)  # the control: it asked for more than it took
                hoarder.close()


class Figures(unittest.TestCase):
    def test_figures_are_whole_while_operations_are_asked_for_first(self):
        """A map that says how many entries follow is written while workers count: it was one short when an
        operation was counted for the first time between the number and the entries."""
        server = Server(BINARY)
        self.addCleanup(server.close)
        done = threading.Event()
        answered = []

        def ask_each():
            try:
                with server.client() as client:
                    for op in sorted(OPS.values()):
                        client.send(op, {"no-such-member": 1})
                        answered.append(client.receive())
            finally:
                done.set()

        asker = threading.Thread(target=ask_each)
        with server.client() as client:
            asker.start()
            while not done.is_set():
                client.call("stats")
        asker.join()
        self.assertEqual(len(answered), len(OPS))


class Clock(unittest.TestCase):
    """The wall clock is set forward and back while requests of each lane come and wait."""
    DAY = 86400
    ASKED = (("score", {"id": "a1"}), ("count", {"filter": "trial = 1", "deadline_ms": 60000}),
             ("similar", {"positives": [{"id": "a1"}], "k": 5}), ("job-list", None))

    def ask_all(self, client, number):
        client.call("account-put", {"accounts": [{"id": f"c{number}", "values": {"employees": number}}]})
        self.assertEqual(client.call("account-get", {"id": f"c{number}"})["values"]["employees"]["value"], number)
        for op, request in self.ASKED:
            client.call(op, request)

    @unittest.skipUnless(SHIM, "no shim")
    def test_a_clock_that_jumps_makes_nobody_wait(self):
        path = os.path.join(tempfile.mkdtemp(prefix="icpd-clock-"), "moved")
        self.addCleanup(shutil.rmtree, os.path.dirname(path))
        with open(path, "wb") as file:
            file.write(bytes(8))
        server = Server(BINARY, "--drain-ms", "10m", env=dict(os.environ, LD_PRELOAD=SHIM, CLOCK_FILE=path))
        self.addCleanup(server.close)
        with server.client() as client, open(path, "r+b") as file, mmap.mmap(file.fileno(), 8) as moved:
            fill(client, 2000)
            client.call("icp-learn", {"label": "won = 1", "seed": 1, "activate": True})
            before = client.call("ping")["time"]
            for number, days in enumerate((0, 1, -1, 400, 0, 3650, 1)):
                struct.pack_into("<q", moved, 0, days * self.DAY)
                for _ in range(3):
                    self.ask_all(client, number)
                # The control: the server sees it.
                self.assertAlmostEqual((client.call("ping")["time"] - before) / 1000 / self.DAY, days, delta=0.5)
            for _ in range(20):
                client.send("filter", {"filter": "employees > 0", "limit": 2000})
            struct.pack_into("<q", moved, 0, 0)
            server.process.send_signal(signal.SIGTERM)
            self.assertEqual(len({client.receive()[0] for _ in range(20)}), 20)
            self.assertEqual(server.process.wait(timeout=WAIT_S), 0)


class Drain(unittest.TestCase):
    """The end of a server in the midst of scans, jobs, writes and large requests: each is answered, once."""

    def test_each_request_is_answered_when_the_server_ends(self):
        server = Server(BINARY, "--drain-ms", "10m")  # a slow machine needs minutes for a dozen jobs
        self.addCleanup(server.close)
        with server.client() as client:
            fill(client, 2000)
            client.call("icp-learn", {"label": "won = 1", "seed": 1, "activate": True})
        for number in range(ROUNDS):
            if number > 0:
                server.start()
            self.end_under_load(server, number)

    def end_under_load(self, server, number):
        clients = [server.client() for _ in range(12)]
        asked = 0
        for place, client in enumerate(clients):
            for _ in range(5):
                client.send("filter", {"filter": "employees > 0 or trial = 1", "limit": 2000})
            client.send("icp-learn", {"label": "won = 1", "seed": 2, "pairs": 0, "progress": True})
            client.send("account-put", {"junk": bytes(70000), "accounts": [{"id": f"end{number}-{place}"}]})
            client.send("account-put", {"accounts": [{"id": f"end{number}-{place}", "values": {"employees": 1}}]})
            asked = client.last_id
        answers = []

        def read(client):
            seen = set()
            try:
                while len(seen) < asked:
                    request_id, _, flags, _ = client.receive()
                    if not flags & MORE:
                        self.assertNotIn(request_id, seen)
                        seen.add(request_id)
            except ConnectionError:
                pass
            answers.append(len(seen))

        readers = [threading.Thread(target=read, args=(client,)) for client in clients]
        time.sleep(0.02 * (number % 7))
        for reader in readers:
            reader.start()
        self.assertEqual(server.stop(), 0)
        for reader in readers:
            reader.join()
        self.assertEqual(answers, [asked] * 12)
        for client in clients:
            client.close()


if __name__ == "__main__":
    unittest.main()
