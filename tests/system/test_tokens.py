# SPDX-License-Identifier: Apache-2.0
"""Named tokens of a running icpd, and icp token: test_tokens.py ICPD ICP."""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.request

import icpd
import reference

ICP = sys.argv.pop(2)
BINARY = sys.argv.pop(1)


def run(*words, **more):
    return subprocess.run([ICP, *words], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=icpd.WAIT_S, **more)


ROLES_PAGE = os.path.join(os.path.dirname(reference.PATH), "roles.md")


def documented():
    """The matrix of docs/reference/roles.md: by operation, which roles may ask for it."""
    with open(ROLES_PAGE, encoding="utf-8") as file:
        rows = [[cell.strip() for cell in line.strip().strip("|").split("|")]
                for line in file if line.startswith("| ")]
    head = next(row for row in rows if row[0] == "Operation")
    return {row[0][1:row[0].index("]")]: {role for role, cell in zip(head[1:], row[1:])
                                          if cell == "yes"}
            for row in rows if row[0].startswith("[")}


SCHEMA = {"fields": [{"name": "size", "type": "number"}]}


class Tokens(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="icpd-tokens-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.path = os.path.join(self.folder, "tokens")
        self.said = ""  # by every icp that was run, but for the tokens of icp token new

    def icp(self, *words, status=0, env=None):
        done = run(*words, env=env)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.said += done.stdout + done.stderr
        return done

    def new(self, name, role, *more):
        done = run("token", "new", name, "--file", self.path, "--role", role, *more)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.said += done.stderr
        token = done.stdout.strip()
        self.assertRegex(token, "^" + name + r"\.[0-9a-f]{64}$")
        return token

    def serve(self, *flags):
        server = icpd.Server(BINARY, "--tokens-file", self.path, *flags)
        self.addCleanup(server.close)
        return server

    def wait_log(self, server, line, times=1):
        end = time.monotonic() + icpd.WAIT_S
        while server.log().count(line) < times:
            self.assertLess(time.monotonic(), end, server.log())
            time.sleep(0.02)

    def reload(self, server, line):
        """SIGHUP, and wait until the log has said so once more."""
        before = server.log().count(line)
        server.process.send_signal(signal.SIGHUP)
        self.wait_log(server, line, before + 1)

    def enter(self, server, token, name="test/1"):
        client = server.client()
        self.addCleanup(client.close)
        return client, client.call("hello", {"client": name, "token": token})["role"]

    def refused(self, client, op, request, code):
        with self.assertRaises(icpd.Refused) as caught:
            client.call(op, request)
        self.assertEqual(caught.exception.code, code)
        return caught.exception

    def ends(self, client):
        """What the server says under id 0 before it closes."""
        request_id, status, flags, payload = client.receive()
        self.assertEqual((request_id, flags), (0, icpd.REPLY))
        self.assertEqual(status, payload["code"])
        with self.assertRaises(ConnectionError):
            client.receive()
        return payload

    def test_roles_names_and_secrets(self):
        reader = self.new("reader", "read", "--expires", "90d")
        admin = self.new("boss", "admin")
        server = self.serve("--log-level", "debug", "--slowlog-us", "1")
        stranger = server.client()
        self.addCleanup(stranger.close)
        self.refused(stranger, "stats", {}, "denied")
        one, role = self.enter(server, reader, "router/1")
        self.assertEqual(role, "read")
        self.refused(one, "client-list", {}, "denied")
        two, role = self.enter(server, admin)
        self.assertEqual(role, "admin")
        two.call("schema-put", {"document": json.dumps(SCHEMA)})
        listed = {each["client"]: each["token"] for each in two.call("client-list")["clients"]}
        self.assertEqual(listed["router/1"], "reader")
        self.assertEqual(listed["test/1"], "boss")
        slow = two.call("slow-log")["requests"]
        self.assertIn("boss", {each["token"] for each in slow})
        by = two.call("audit")["entries"][0]["by"]
        self.assertRegex(by, r"^test/1 \(127\.0\.0\.1:[0-9]+, token boss\)$")
        for wrong in ("reader." + "0" * 64, "nobody." + "0" * 64, reader[:-1], ""):
            client = server.client()
            self.addCleanup(client.close)
            self.refused(client, "hello", {"token": wrong}, "bad-token")
        env = dict(os.environ, ICP_TOKEN=admin)
        uri = f"icp://127.0.0.1:{server.port}"
        for words in (("clients",), ("slowlog",), ("audit",), ("stats", "--json"), ("clients", "-x"),
                      ("monitor", "--seconds", "1")):
            self.icp(*words, "--uri", uri, env=env)
        self.assertIn("boss", self.said)
        self.metrics(server, reader)
        self.icp("token", "list", "--file", self.path)
        server.stop()
        # Neither the secret nor its hash stands in anything that anyone is shown.
        with open(self.path) as file:
            hashes = [word[5:] for word in file.read().split() if word.startswith("hash=")]
        self.assertEqual(len(hashes), 2)
        for secret in [reader.split(".")[1], admin.split(".")[1], *hashes]:
            self.assertNotIn(secret, self.said)
            self.assertNotIn(secret, server.log())
        self.assertIn("reader", server.log())
        with open(self.path) as file:
            self.assertNotIn(admin.split(".")[1], file.read())

    def test_each_role_may_ask_what_the_reference_says(self):
        """Every operation, as every role, by every way to come by it, over the wire."""
        matrix = documented()
        self.assertEqual(set(matrix), set(icpd.OPS))
        named = {role: self.new("a-" + role, role)
                 for role in ("metrics", "score", "read", "write", "admin")}
        plain = {role: f"the-plain-token-of-{role}" for role in ("read", "write", "admin")}
        env = dict(os.environ, **{f"ICPD_{role.upper()}_TOKEN": token
                                  for role, token in plain.items()})
        server = icpd.Server(BINARY, "--tokens-file", self.path, env=env)
        self.addCleanup(server.close)
        shown = [("none", None), *named.items(), *plain.items()]
        for role, token in shown:
            self.matrix_row(server, role, token, matrix)
        for role in matrix["stats"] & set(named):
            self.metrics(server, named[role])
        with self.assertRaises(urllib.error.HTTPError) as caught:
            self.metrics(server, named["score"])
        caught.exception.close()
        self.assertEqual(caught.exception.code, 401)
        server.stop()
        # Without any token whoever comes is admin.
        server = icpd.Server(BINARY)
        self.addCleanup(server.close)
        self.matrix_row(server, "admin", None, matrix)
        server.stop()

    def matrix_row(self, server, role, token, matrix):
        with server.client() as client:
            if token:
                self.assertEqual(client.call("hello", {"token": token})["role"], role)
            asked = {client.send(op, {"operation": None}): op for op in matrix}
            may = set()
            while asked:
                request_id, status, flags, payload = client.receive()
                if flags & icpd.MORE:
                    continue
                if status == 0 or payload["error"] != "denied":
                    may.add(asked[request_id])
                del asked[request_id]
            self.assertEqual(may, {op for op in matrix if role in matrix[op]}, (role, token))

    def metrics(self, server, token):
        url = f"http://127.0.0.1:{server.http}/metrics"
        with self.assertRaises(urllib.error.HTTPError) as caught:
            urllib.request.urlopen(url, timeout=icpd.WAIT_S)
        caught.exception.close()
        self.assertEqual(caught.exception.code, 401)
        asked = urllib.request.Request(url, headers={"Authorization": "Bearer " + token})
        with urllib.request.urlopen(asked, timeout=icpd.WAIT_S) as reply:
            text = reply.read().decode()
        self.assertTrue("icpd_server_requests_limited_total 0\n" in text)
        self.said += text

    def test_a_token_that_is_taken_away_ends_its_connections_and_no_others(self):
        gone = self.new("gone", "read")
        stays = self.new("stays", "read")
        server = self.serve()
        one, _ = self.enter(server, gone)
        two, _ = self.enter(server, stays)
        self.icp("token", "revoke", "gone", "--file", self.path)
        one.call("ping")  # until it is read anew the token holds
        later = self.new("later", "write")
        self.reload(server, "tokens read anew")
        told = self.ends(one)
        self.assertEqual(told["error"], "denied")
        self.assertIn("gone was taken away", told["message"])
        two.call("ping")
        self.refused(two, "hello", {"token": gone}, "bad-token")
        self.assertEqual(self.enter(server, later)[1], "write")
        self.wait_log(server, "a token holds no longer")
        self.wait_log(server, "a connection ends with its token")
        # A file that cannot be used changes nothing.
        os.chmod(self.path, 0o644)
        self.reload(server, "the tokens stay as they were")
        self.assertIn("chmod 600", server.log())
        self.assertEqual(self.enter(server, stays)[1], "read")
        server.stop()

    def test_a_token_that_expires_ends_its_connections(self):
        token = self.new("short", "read")
        server = self.serve()
        client, _ = self.enter(server, token)
        with open(self.path) as file:
            line = file.read().strip()
        with open(self.path, "w") as file:
            file.write(line + " expires=2001-01-01T00:00:00Z\n")
        self.reload(server, "tokens read anew")
        self.assertIn("short has expired", self.ends(client)["message"])
        other = server.client()
        self.addCleanup(other.close)
        self.assertIn("has expired", self.refused(other, "hello", {"token": token},
                                                  "bad-token").message)
        server.stop()

    def test_what_is_over_a_rate_is_told_busy_and_how_long_to_wait(self):
        # A burst, and then so little that the machine cannot be slow enough for one more.
        limited = self.new("limited", "read", "--requests", "1/40", "--connections", "2")
        free = self.new("free", "admin")
        server = self.serve()
        one, _ = self.enter(server, limited)  # the hello itself had no token to pay for it
        frame = icpd.HEADER.pack(0, 1, icpd.OPS["ping"], 0, 7, 0)
        one.socket.sendall(frame * 2000)
        answers = [one.receive() for _ in range(2000)]
        good = sum(status == 0 for _, status, _, _ in answers)
        self.assertGreaterEqual(good, 40)
        refused = [payload for _, status, _, payload in answers if status]
        self.assertGreater(len(refused), 0)
        for payload in refused:
            self.assertEqual((payload["error"], payload["retryable"]), ("busy", True))
        self.assertRegex(refused[0]["message"], r"limited is over its rate: wait [0-9]+ ms")
        # The connection goes on; others are not held.
        two, _ = self.enter(server, free)
        stats = two.call("stats")["metrics"]
        self.assertEqual(stats["server"]["requests_limited"], len(refused))
        self.assertEqual(stats["errors"]["busy"], len(refused))
        self.enter(server, limited)
        third = server.client()
        self.addCleanup(third.close)
        self.assertIn("2 connections", self.refused(third, "hello", {"token": limited},
                                                    "busy").message)
        one.close()
        end = time.monotonic() + icpd.WAIT_S
        while True:  # the server sees the close a moment later
            try:
                third.call("hello", {"token": limited})
                break
            except icpd.Refused as refusal:
                self.assertEqual(refusal.code, "busy")
                self.assertLess(time.monotonic(), end)
        server.stop()

    def test_bytes_are_limited_too_and_a_large_request_is_only_delayed(self):
        token = self.new("small", "read", "--bytes", "1K/4K")
        server = self.serve()
        client, _ = self.enter(server, token)
        client.call("ping", {"x": "y" * 1000000})  # nothing was owed
        self.refused(client, "ping", {"x": "y" * 3000}, "busy")
        server.stop()

    def test_frames_behind_a_token_are_that_ones_to_pay_for(self):
        token = self.new("burst", "read", "--requests", "1/5")
        server = self.serve()
        client = server.client()
        self.addCleanup(client.close)
        hello = icpd.msgpack.packb({"token": token})
        frames = icpd.HEADER.pack(len(hello), 1, icpd.OPS["hello"], 0, 1, 0) + hello
        frames += icpd.HEADER.pack(0, 1, icpd.OPS["ping"], 0, 2, 0) * 500
        client.socket.sendall(frames)
        answers = [client.receive() for _ in range(501)]
        self.assertEqual(answers[0][1], 0)
        self.assertIn("busy", {payload["error"] for _, status, _, payload in answers if status})
        server.stop()

    def test_one_address_has_so_many_connections(self):
        self.new("one", "read")
        server = self.serve("--address-exempt", "none", "--address-connections-max", "3")
        clients = [server.client() for _ in range(3)]
        for client in clients:
            self.addCleanup(client.close)
            client.call("ping")
        more = server.client()
        self.addCleanup(more.close)
        told = self.ends(more)
        self.assertEqual(told["error"], "busy")
        self.assertIn("address_connections_max", told["message"])
        local = icpd.Client(path=server.socket_path)  # has no address
        self.addCleanup(local.close)
        local.call("ping")
        clients[0].close()
        self.again(lambda: self.call_alone(server, "ping", {}))
        server.stop()
        server = self.serve("--address-connections-max", "3")  # loopback is not counted
        for _ in range(6):
            client = server.client()
            self.addCleanup(client.close)
            client.call("ping")
        server.stop()

    def again(self, what):
        """Until it is not refused: the server sees a close a moment later."""
        end = time.monotonic() + icpd.WAIT_S
        while True:
            try:
                return what()
            except (icpd.Refused, ConnectionError, AssertionError):
                self.assertLess(time.monotonic(), end)
                time.sleep(0.02)

    def call_alone(self, server, op, request):
        with server.client() as client:
            return client.call(op, request)

    def test_one_address_shows_so_many_wrong_tokens(self):
        good = self.new("good", "read")
        # Two at once, and then one in half a minute, which no machine here is too slow for: each
        # costs as much as the wait for the next.
        server = self.serve("--address-exempt", "none", "--address-wrong-max", "2")
        wrong = {"token": "good." + "0" * 64}
        for _ in range(2):
            with server.client() as client:
                self.refused(client, "hello", wrong, "bad-token")
        codes = []
        for _ in range(20):
            with server.client() as client:
                with self.assertRaises(icpd.Refused) as caught:
                    client.call("hello", wrong)
                codes.append(caught.exception.code)
                if caught.exception.code == "busy":
                    self.assertRegex(caught.exception.message, "wait [0-9]+ ms")
        self.assertIn("busy", codes)
        local = icpd.Client(path=server.socket_path)
        self.addCleanup(local.close)
        local.call("hello", {"token": good})
        held = local.call("stats")["metrics"]["server"]["logins_held"]
        self.assertEqual(held, codes.count("busy"))
        server.stop()

    def test_files_that_cannot_be_used_stop_a_start_with_the_place(self):
        self.new("one", "read")
        with open(self.path, "a") as file:
            file.write("two role=king\n")
        said = subprocess.run([BINARY, "--test", "--tokens-file", self.path], text=True,
                              stderr=subprocess.PIPE, timeout=icpd.WAIT_S)
        self.assertEqual(said.returncode, 78)
        self.assertIn(f"{self.path}:2:10: role must be", said.stderr)
        with self.assertRaises(RuntimeError) as caught:
            self.serve()
        self.assertIn(":2:10: role must be", str(caught.exception))
        self.icp("token", "list", "--file", self.path, status=66)
        self.icp("token", "new", "three", "--role", "read", "--file", self.path, status=65)
        os.chmod(self.path, 0o666)
        self.assertIn("chmod 600",
                      self.icp("token", "list", "--file", self.path, status=66).stderr)
        os.unlink(self.path)
        self.icp("token", "list", "--file", self.path, status=66)
        self.icp("token", "revoke", "one", "--file", self.path, status=65)

    def test_the_command_line_says_what_is_wrong(self):
        for words in (("new", "a.b", "--role", "read"), ("new", "a"), ("new", "a", "--role", "king"),
                      ("new", "a", "--role", "read", "--expires", "yesterday"),
                      ("new", "a", "--role", "read", "--expires", "2001-01-01"),
                      ("new", "a", "--role", "read", "--expires", "0d"),
                      ("new", "a", "--role", "read", "--requests", "many"),
                      ("new", "a", "--role", "read", "--bytes", "1T"),
                      ("new", "a", "--role", "read", "--connections", "0"), ("new",)):
            self.icp("token", *words, *(("--file", self.path)), status=64)
        self.assertFalse(os.path.exists(self.path))
        self.new("a", "read", "--expires", "12h", "--requests", "5/9", "--bytes", "1M",
                 "--connections", "3")
        self.icp("token", "new", "a", "--role", "read", "--file", self.path, status=65)
        env = dict(os.environ, ICPD_TOKENS_FILE=self.path)
        listed = json.loads(self.icp("token", "list", "--json", env=env).stdout)
        self.assertEqual(len(listed), 1)
        self.assertEqual(listed[0]["name"], "a")
        self.assertEqual(listed[0]["requests"], "5/9")
        self.icp("token", "revoke", "b", env=env, status=65)
        self.icp("token", "revoke", "a", env=env)
        self.assertEqual(os.path.getsize(self.path), 0)
        self.assertEqual(os.stat(self.path).st_mode & 0o777, 0o600)


if __name__ == "__main__":
    unittest.main(verbosity=2)
