# SPDX-License-Identifier: Apache-2.0
"""Who is connected, what took long, what is answered now: test_people.py ICPD ICP."""
import json
import os
import subprocess
import sys
import time
import unittest

import icpd

ICP = sys.argv.pop(2)
BINARY = sys.argv.pop(1)


class People(unittest.TestCase):
    def server(self, *flags, **more):
        server = icpd.Server(BINARY, *flags, **more)
        self.addCleanup(server.close)
        return server

    def icp(self, server, *words):
        done = subprocess.run([ICP, *words, "-u", f"icp://127.0.0.1:{server.port}"],
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                              timeout=icpd.WAIT_S)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_clients_are_listed_with_what_they_do(self):
        server = self.server()
        with server.client() as router, icpd.Client(path=server.socket_path) as local:
            router.call("hello", {"client": "router \x1b[31m7"})
            router.call("ping")
            local.call("ping")
            reply = router.call("client-list")
            self.assertEqual(reply["count"], 2)
            newest, oldest = reply["clients"]
            self.assertEqual(oldest["client"], "router \x1b[31m7")
            self.assertRegex(oldest["address"], r"^127\.0\.0\.1:[0-9]+$")
            self.assertEqual((oldest["last"], oldest["requests"]), ("ping", 2))
            self.assertEqual(newest["address"], f"unix pid {os.getpid()}")
            self.assertEqual(newest["role"], "admin")
            # A name is a stranger's: it reaches no terminal as it is.
            text = self.icp(server, "clients")
            self.assertIn("router", text)
            self.assertNotIn("\x1b", text)
        with server.client() as other:
            while other.call("client-list")["count"] > 1:  # the others are gone soon
                time.sleep(0.02)

    def test_slow_requests_are_kept_without_their_content(self):
        server = self.server("--slowlog-us", "1")
        with server.client() as client:
            client.call("hello", {"client": "router"})
            for _ in range(5):
                client.call("stats")
            reply = client.call("slow-log")
            self.assertGreaterEqual(len(reply["requests"]), 5)
            last = reply["requests"][-1]
            self.assertEqual((last["op"], last["status"], last["client"]), ("stats", "ok", "router"))
            self.assertGreaterEqual(last["took_us"], 1)
            again = client.call("slow-log", {"after": reply["next"]})
            self.assertTrue(all(one["op"] == "slow-log" for one in again["requests"]))
        self.assertIn("stats", self.icp(server, "slowlog"))

    def test_nothing_slow_is_said_so(self):
        server = self.server("--slowlog-us", "0")
        with server.client() as client:
            client.call("ping")
        self.assertIn("no request was slow", self.icp(server, "slowlog"))

    def test_monitor_shows_what_is_answered_from_now_on(self):
        server = self.server()
        with server.client() as client, server.client() as watcher:
            client.call("ping")
            first = watcher.call("monitor")
            self.assertEqual(first["requests"], [])
            client.call("ping")
            with self.assertRaises(icpd.Refused):
                client.call("account-get", {"id": "secret-account"})
            reply = watcher.call("monitor", {"after": first["next"]})
            seen = [(one["op"], one["status"]) for one in reply["requests"]]
            self.assertEqual(seen, [("monitor", "ok"), ("ping", "ok"), ("account-get", "no-schema")])
            self.assertNotIn("secret", repr(reply))
        out = subprocess.Popen([ICP, "monitor", "--seconds", "2", "-u",
                                f"icp://127.0.0.1:{server.port}"], stdout=subprocess.PIPE, text=True)
        with server.client() as client:
            while out.poll() is None:
                client.call("ping")
                time.sleep(0.02)
        said = out.stdout.read()
        self.assertIn("ping  ok", said)
        self.assertNotIn("monitor", said)  # its own questions, five a second
        out.stdout.close()

    def test_a_reader_may_not_see_who_is_connected(self):
        env = dict(os.environ, ICPD_READ_TOKEN="a-token-that-reads", ICPD_ADMIN_TOKEN="a-token-for-all-of-it")
        server = self.server(env=env)
        with server.client() as client:
            client.call("hello", {"token": "a-token-that-reads"})
            for op in ("client-list", "monitor"):
                with self.assertRaises(icpd.Refused) as refused:
                    client.call(op)
                self.assertEqual(refused.exception.code, "denied")
            client.call("slow-log")

    def test_the_audit_says_who_wrote_what(self):
        server = self.server()
        schema = json.dumps({"fields": [{"name": "size", "type": "number",
                                         "family": "firmographic"}]})
        with server.client() as importer, server.client() as other:
            importer.call("hello", {"client": "importer/2"})
            importer.call("schema-put", {"document": schema})
            importer.call("account-put", {"accounts": [{"id": "acme", "values": {"size": 1}},
                                                       {"id": "apex", "values": {"size": 2}}],
                                          "operation": "first-import"})
            other.call("account-patch", {"accounts": [{"id": "apex", "values": {"size": 3}}]})
            other.call("account-delete", {"ids": ["acme"]})
            entries = other.call("audit")["entries"]
            self.assertEqual([one["did"] for one in entries],
                             ["schema 1", "put 2", "patch 1", "delete 1"])
            self.assertEqual([one["first"] for one in entries], ["", "acme", "apex", "acme"])
            self.assertRegex(entries[1]["by"], r"^importer/2 \(127\.0\.0\.1:[0-9]+\)$")
            self.assertRegex(entries[2]["by"], r"^127\.0\.0\.1:[0-9]+$")
            self.assertEqual(entries[1]["operation"], "first-import")
            mine = other.call("audit", {"id": "acme"})["entries"]
            self.assertEqual([one["did"] for one in mine], ["put 2", "delete 1"])
            last = other.call("audit", {"limit": 1})["entries"]
            self.assertEqual([one["did"] for one in last], ["delete 1"])
            after = other.call("audit", {"after": entries[0]["seq"], "limit": 2})["entries"]
            self.assertEqual([one["did"] for one in after], ["put 2", "patch 1"])
        # It survives a restart, for it stands in the log.
        server.stop()
        server.start()
        with server.client() as client:
            self.assertEqual(client.call("audit")["entries"], entries)
        self.assertIn("importer/2", self.icp(server, "audit", "acme"))

    def test_as_json(self):
        server = self.server()
        with server.client() as client:
            client.call("ping")
            self.assertEqual(json.loads(self.icp(server, "clients", "--json"))["count"], 2)


if __name__ == "__main__":
    unittest.main()
