# SPDX-License-Identifier: Apache-2.0
"""secure.py KIND FOLDER ICPD: the Python and Node clients speak TLS, and believe no stranger."""
import os
import shutil
import sys
import tempfile
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))

from authority import Authority  # noqa: E402
from drivers import Driver, Failed  # noqa: E402
from icpd import Server  # noqa: E402

KIND, FOLDER, ICPD = sys.argv[1:4]


class Secure(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="icpd-tls-")
        cls.authority = Authority(cls.directory, "authority")
        cls.other = Authority(cls.directory, "other")
        cls.own = cls.authority.sign("server", "DNS:localhost,IP:127.0.0.1")
        cls.shown = cls.authority.sign("client", "DNS:client")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def serve(self, own=None):
        certificate, key = own or self.own
        server = Server(ICPD, "--tls-port", "0", "--tls-certificate", certificate, "--tls-key", key,
                        "--tls-client-ca", self.authority.certificate)
        self.addCleanup(server.close)
        return server

    def driver(self, server, host="localhost", shown=True, ca=None):
        options = {"tlsCa": ca or self.authority.certificate}
        if shown:
            options["tlsCertificate"], options["tlsKey"] = self.shown
        driver = Driver(KIND, FOLDER, f"icps://{host}:{server.tls}", **options)
        self.addCleanup(driver.close)
        return driver

    def test_small_and_large_requests_are_answered(self):
        server = self.serve()
        for host in ("localhost", "127.0.0.1"):
            driver = self.driver(server, host)
            for size in (0, 10, 40000, 3 << 20):
                driver.call("ping", {"junk": "x" * size})
            self.assertIn("metrics", driver.call("stats"))

    def test_a_server_that_comes_back_is_found(self):
        server = self.serve()
        driver = self.driver(server)
        driver.call("ping")
        server.stop()
        flags = list(server.flags)
        flags[flags.index("--tls-port") + 1] = str(server.tls)
        server.flags = flags
        server.start()
        driver.call("ping")

    def test_strangers_are_not_believed_and_it_is_said_why(self):
        server = self.serve()
        elsewhere = self.serve(own=self.authority.sign("elsewhere", "DNS:elsewhere.example"))
        for driver in (self.driver(server, ca=self.other.certificate), self.driver(elsewhere)):
            began = time.monotonic()
            with self.assertRaises(Failed) as caught:
                driver.call("ping", timeout_ms=100000)
            self.assertEqual(caught.exception.name, "connect")
            self.assertRegex(caught.exception.message, "(?i)certificate|altname|CERT")
            self.assertLess(time.monotonic() - began, 90)  # not tried until the time is up
        with self.assertRaises(Failed):
            self.driver(server, shown=False).call("ping", timeout_ms=1000)

    def test_a_file_that_cannot_be_read_is_told(self):
        server = self.serve()
        with self.assertRaises(Failed) as caught:
            self.driver(server, ca=os.path.join(self.directory, "missing")).call("ping")
        self.assertEqual(caught.exception.name, "usage")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
