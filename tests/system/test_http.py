# SPDX-License-Identifier: Apache-2.0
"""What those see who watch icpd over HTTP: test_http.py ICPD."""
import http.client
import os
import re
import shutil
import signal
import subprocess
import sys
import unittest

import icpd

BINARY = sys.argv.pop(1)
# tools/setup test puts it there: installing its package would start a server.
PROMTOOL = shutil.which("promtool") or shutil.which(
    os.path.join(os.path.dirname(__file__), "../../build/promtool/usr/bin/promtool"))


def get(port, path, method="GET", **headers):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=icpd.WAIT_S)
    try:
        connection.request(method, path, headers=headers)
        reply = connection.getresponse()
        return reply.status, reply.read().decode(), reply.headers
    finally:
        connection.close()


def lint(text):
    """What promtool says of a page of figures; "" if nothing."""
    run = subprocess.run([PROMTOOL, "check", "metrics"], input=text, text=True, timeout=120,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return run.stdout if run.returncode else ""


class Http(unittest.TestCase):
    def server(self, *flags, **more):
        server = icpd.Server(BINARY, *flags, **more)
        self.addCleanup(server.close)
        return server

    def test_figures_count_what_was_asked(self):
        server = self.server()
        with server.client() as client:
            for _ in range(3):
                client.call("ping")
            with self.assertRaises(icpd.Refused):
                client.call("account-get", {"id": "nobody"})
        status, text, headers = get(server.http, "/metrics")
        self.assertEqual(status, 200)
        self.assertTrue(headers["Content-Type"].startswith("text/plain; version=0.0.4"))
        self.assertIn('icpd_requests_total{operation="ping"} 3\n', text)
        self.assertIn('icpd_errors_total{error="no-schema"} 1\n', text)
        self.assertIn('icpd_request_duration_seconds_count{operation="ping"} 3\n', text)
        self.assertRegex(text, r"icpd_net_bytes_in_total [1-9]")
        self.assertRegex(text, r"icpd_store_map_bytes [1-9]")
        for lane in ("job", "measure", "scan", "large", "search"):
            self.assertIn(f'icpd_lane_waiting{{lane="{lane}"}} 0\n', text)
            self.assertIn(f'icpd_lane_running{{lane="{lane}"}} 0\n', text)

    def test_histograms_never_fall_and_end_at_their_count(self):
        server = self.server()
        with server.client() as client:
            for _ in range(50):
                client.call("ping")
        text = get(server.http, "/metrics")[1]
        buckets = [int(count) for count in re.findall(
            r'icpd_request_duration_seconds_bucket\{operation="ping",le="[^"]+"\} (\d+)', text)]
        self.assertEqual(buckets, sorted(buckets))
        self.assertEqual(buckets[-1], 50)

    @unittest.skipUnless(PROMTOOL, "promtool is not installed")
    def test_promtool_finds_nothing(self):
        server = self.server()
        with server.client() as client:
            client.call("ping")
        text = get(server.http, "/metrics")[1]
        self.assertEqual(lint(text), "")
        # The control: a counter without its suffix must be told.
        self.assertIn("icpd_x", lint(text + "# HELP icpd_x x\n# TYPE icpd_x counter\nicpd_x 1\n"))

    def test_probes_need_no_token_and_figures_do(self):
        env = dict(os.environ, ICPD_READ_TOKEN="a-token-that-reads", ICPD_ADMIN_TOKEN="a-token-for-all-of-it")
        server = self.server(env=env)
        self.assertEqual(get(server.http, "/livez")[0], 200)
        self.assertEqual(get(server.http, "/readyz")[0], 200)
        self.assertEqual(get(server.http, "/metrics")[0], 401)
        self.assertEqual(get(server.http, "/metrics", Authorization="Bearer wrong")[0], 401)
        for token in ("a-token-that-reads", "a-token-for-all-of-it"):
            self.assertEqual(get(server.http, "/metrics", Authorization=f"Bearer {token}")[0], 200)

    def test_a_server_that_ends_is_not_ready_but_lives(self):
        server = self.server("--drain-ms", "60s")
        with server.client() as client:
            client.call("ping")
            # A request that never becomes whole holds the drain open.
            client.socket.sendall(b"\x10\x00\x00\x00\x01")
            server.process.send_signal(signal.SIGTERM)
            status = 200
            while status == 200 and server.process.poll() is None:
                status, text, _ = get(server.http, "/readyz")
            self.assertEqual(status, 503)
            self.assertIn("[-] serving: the server is ending", text)
            self.assertEqual(get(server.http, "/livez")[0], 200)
        self.assertEqual(server.process.wait(icpd.WAIT_S), 0)

    def test_without_an_address_nobody_listens(self):
        server = self.server("--http-host", "")
        self.assertIsNone(server.http)

    def test_a_taken_port_is_named_and_ends_the_start_with_69(self):
        server = self.server()
        second = subprocess.run(
            [BINARY, "--port", "0", "--http-port", str(server.http), "--data",
             os.path.join(server.directory, "other")],
            stderr=subprocess.PIPE, text=True, timeout=icpd.WAIT_S)
        self.assertEqual(second.returncode, 69)
        self.assertIn("http_port", second.stderr)


if __name__ == "__main__":
    unittest.main()
