# SPDX-License-Identifier: Apache-2.0
"""TLS as its clients, and whoever is none, find it: usage: test_tls.py icpd icp

Certificates are made by the openssl command. The clients are Python's ssl module, and libicp in icp."""
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))

from authority import Authority  # noqa: E402
from icpd import HEADER, OPS, WAIT_S, Client, Server  # noqa: E402
from test_operations import fill  # noqa: E402

BINARY = sys.argv.pop(1)
ICP = sys.argv.pop(1)
EX_CONFIG = 78


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.directory = tempfile.mkdtemp(prefix="icpd-tls-")
        cls.authority = Authority(cls.directory, "authority")
        cls.other = Authority(cls.directory, "other")
        cls.own = cls.authority.sign("server", "DNS:localhost,IP:127.0.0.1")

    @classmethod
    def tearDownClass(cls):
        shutil.rmtree(cls.directory)

    def serve(self, *flags, own=None):
        certificate, key = own or self.own
        server = Server(BINARY, "--tls-port", "0", "--tls-certificate", certificate, "--tls-key",
                        key, *flags)
        self.addCleanup(server.close)
        return server

    def context(self, certificate=None, most=None):
        context = ssl.create_default_context(cafile=self.authority.certificate)
        if certificate:
            context.load_cert_chain(*certificate)
        if most:
            context.maximum_version = most
        return context

    def client(self, server, **options):
        plain = socket.create_connection(("127.0.0.1", server.tls), WAIT_S)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            return Client(connected=self.context(**options).wrap_socket(
                plain, server_hostname="localhost"))
        except OSError:
            plain.close()
            raise

    def refused(self, server, **options):
        """A TLS 1.3 client has shaken hands before the server judges it: the first read tells."""
        with self.assertRaises((ssl.SSLError, ConnectionError)):
            with self.client(server, **options) as client:
                client.call("ping")

    def test_speaks_as_the_plain_port_does(self):
        server = self.serve()
        with self.client(server) as client, server.client() as plain:
            self.assertEqual(client.socket.version(), "TLSv1.3")
            accounts = fill(client, 300)
            id_ = accounts[7]["id"]
            self.assertEqual(client.call("account-get", {"id": id_}),
                             plain.call("account-get", {"id": id_}))
            with self.client(server) as second:
                for i in range(2000):
                    second.send("ping" if i % 2 else "stats")
                seen = [second.receive()[0] for _ in range(2000)]
                self.assertEqual(sorted(seen), list(range(1, 2001)))

    def test_one_byte_at_a_time_and_one_large_record_after_another(self):
        server = self.serve()
        context = self.context()
        with socket.create_connection(("127.0.0.1", server.tls), WAIT_S) as plain:
            come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
            session = context.wrap_bio(come, go, server_hostname="localhost")

            def send():
                for byte in go.read():
                    plain.sendall(bytes((byte,)))

            def step(what):
                while True:
                    try:
                        done = what()
                        send()
                        return done
                    except ssl.SSLWantReadError:
                        send()
                        come.write(plain.recv(65536))

            step(session.do_handshake)
            session.write(HEADER.pack(0, 1, OPS["ping"], 0, 7, 0))
            send()
            reply = step(lambda: session.read(65536))
            self.assertEqual(HEADER.unpack(reply[:HEADER.size])[4], 7)
        with self.client(server) as client:
            payload = b"\x81\xa4junk\xc6" + (9 << 20).to_bytes(4, "big") + bytes(9 << 20)
            for number in range(3):
                client.socket.sendall(HEADER.pack(len(payload), 1, OPS["ping"], 0, number, 0))
                client.socket.sendall(payload)
                self.assertEqual(client.receive()[:2], (number, 0))

    def test_a_reader_that_pauses_gets_everything(self):
        server = self.serve("--out-bytes-high", "32K")
        with self.client(server) as client:
            for _ in range(3000):
                client.send("stats")
            time.sleep(0.5)
            self.assertEqual(len({client.receive()[0] for _ in range(3000)}), 3000)

    def test_older_versions_and_plain_bytes_are_refused(self):
        server = self.serve()
        self.refused(server, most=ssl.TLSVersion.TLSv1_2)
        for said in (HEADER.pack(0, 1, OPS["ping"], 0, 1, 0), b"GET / HTTP/1.1\r\n\r\n", bytes(5000),
                     b"\x16\x03\x01\xff\xff" + b"\xff" * 70000):
            with socket.create_connection(("127.0.0.1", server.tls), WAIT_S) as plain:
                try:
                    plain.sendall(said)
                    while plain.recv(4096):
                        pass
                except ConnectionError:
                    pass
        with self.client(server) as client:
            client.call("ping")
            self.assertGreater(client.call("stats")["metrics"]["net"]["tls_failed"], 3)
        self.assertIn("a TLS session failed", server.log())

    def test_clients_show_a_certificate_with_a_name(self):
        server = self.serve("--tls-client-ca", self.authority.certificate, "--tls-client-names",
                            "router.example, spiffe://acme/crm,ops@acme.example")
        self.refused(server)
        self.refused(server, certificate=self.authority.sign("w", "DNS:router.example.org"))
        self.refused(server, certificate=self.authority.sign("router.example", "DNS:elsewhere"))
        self.refused(server, certificate=self.other.sign("o", "DNS:router.example"))
        for name in ("DNS:router.example", "URI:spiffe://acme/crm", "DNS:a,email:ops@acme.example"):
            with self.client(server, certificate=self.authority.sign("c", name)) as client:
                client.call("ping")

    def test_a_new_certificate_is_taken_over_and_a_bad_one_is_not(self):
        def serial(client):
            return client.socket.getpeercert()["serialNumber"]

        def wait_for(text):
            until = time.monotonic() + WAIT_S
            while text not in server.log():
                self.assertLess(time.monotonic(), until)
                time.sleep(0.02)

        own = self.authority.sign("turned", "DNS:localhost")
        server = self.serve(own=own)
        with self.client(server) as before:
            first = serial(before)
            self.authority.sign("turned", "DNS:localhost")
            server.process.send_signal(signal.SIGHUP)
            wait_for("configuration read anew")
            until = time.monotonic() + WAIT_S
            while True:
                with self.client(server) as after:
                    after.call("ping")
                    if serial(after) != first:
                        break
                self.assertLess(time.monotonic(), until)
            before.call("ping")
            with open(own[1], "w") as file:
                file.write("no key\n")
            server.process.send_signal(signal.SIGHUP)
            wait_for("TLS goes on with the certificate that it has")
            with self.client(server) as again:
                again.call("ping")

    def test_what_cannot_be_used_is_told(self):
        certificate, key = self.own
        loose = os.path.join(self.directory, "loose.key")
        shutil.copy(key, loose)
        os.chmod(loose, 0o644)
        missing = os.path.join(self.directory, "missing")
        for flags, said in (
                (("--tls-certificate", certificate), "tls_key"),
                (("--tls-certificate", missing, "--tls-key", key), "No such file"),
                (("--tls-certificate", certificate, "--tls-key", missing), "No such file"),
                (("--tls-certificate", key, "--tls-key", key), "no start line"),
                (("--tls-certificate", certificate, "--tls-key", self.other.key), "not the key of"),
                (("--tls-certificate", certificate, "--tls-key", loose), "loose.key"),
                (("--tls-client-ca", certificate), "tls_client_ca"),
                (("--tls-certificate", certificate, "--tls-key", key, "--tls-client-names", "a"),
                 "tls_client_names"),
                (("--tls-certificate", certificate, "--tls-key", key, "--tls-client-ca", key),
                 "tls_client_ca"),
                (("--tls-certificate", certificate, "--tls-key", key, "--tls-host", "0.0.0.0"),
                 "admin_token")):
            ended = subprocess.run([BINARY, "--test", *flags], capture_output=True, text=True)
            self.assertEqual(ended.returncode, EX_CONFIG, flags)
            self.assertIn(said, ended.stderr)

    def test_a_flood_of_handshakes_and_half_ones_leaves_the_connected_served(self):
        server = self.serve()
        end = threading.Event()

        def flood():
            while not end.is_set():
                try:
                    self.client(server).close()
                except OSError:
                    pass

        def leave_half():
            hello = self.hello()
            while not end.is_set():
                with socket.create_connection(("127.0.0.1", server.tls), WAIT_S) as plain:
                    plain.sendall(hello)

        threads = [threading.Thread(target=work) for work in (flood, flood, leave_half, leave_half)]
        with self.client(server) as client:
            for thread in threads:
                thread.start()
            for _ in range(300):
                client.call("ping")
            end.set()
            for thread in threads:
                thread.join()
            until = time.monotonic() + WAIT_S
            while client.call("stats")["metrics"]["net"]["tls_waiting"] > 0:
                self.assertLess(time.monotonic(), until)
            self.assertEqual(server.stop(), 0)

    def hello(self):
        come, go = ssl.MemoryBIO(), ssl.MemoryBIO()
        session = self.context().wrap_bio(come, go, server_hostname="localhost")
        with self.assertRaises(ssl.SSLWantReadError):
            session.do_handshake()
        return go.read()

    def icp(self, server, *words, host="localhost", ca=None, status=0, **options):
        certificate, key = options.get("certificate", ("", ""))
        environment = dict(os.environ, ICP_TLS_CA=ca or self.authority.certificate)
        if certificate:
            environment.update(ICP_TLS_CERTIFICATE=certificate, ICP_TLS_KEY=key)
        ended = subprocess.run([ICP, "--uri", f"icps://{host}:{server.tls}", "--timeout",
                                "2" if status else "60", *words],
                               env=environment, capture_output=True, text=True)
        self.assertEqual(ended.returncode, status, ended.stderr)
        return ended.stdout + ended.stderr

    def test_libicp_speaks_it_and_believes_no_stranger(self):
        server = self.serve("--tls-client-ca", self.authority.certificate)
        shown = self.authority.sign("cli", "DNS:cli")
        rows = os.path.join(self.directory, "rows.csv")
        with open(rows, "w") as file:
            file.write("id,size,text\n")
            file.writelines(f"a{i},{i},{'word ' * (i % 200)}\n" for i in range(6000))
        schema = os.path.join(self.directory, "schema.json")
        with open(schema, "w") as file:
            subprocess.run([ICP, "schema", "infer", rows, "--id", "id", "-q"], check=True,
                           stdout=file)
        for host in ("localhost", "127.0.0.1"):
            self.icp(server, "ping", certificate=shown, host=host)
        self.icp(server, "schema", "put", schema, certificate=shown)
        self.assertIn("6,000", self.icp(server, "import", rows, certificate=shown))
        self.assertIn("5999", self.icp(server, "get", "a5999", certificate=shown))
        self.assertEqual(self.icp(server, "filter", "size >= 3000", "--csv", "--limit", "3000",
                                  certificate=shown).count("\n"), 3001)
        unavailable = 69
        said = self.icp(server, "ping", status=unavailable)
        self.assertIn("certificate required", said)
        said = self.icp(server, "ping", certificate=shown, ca=self.other.certificate,
                        status=unavailable)
        self.assertIn("its certificate does not hold", said)
        elsewhere = self.serve(own=self.authority.sign("elsewhere", "DNS:elsewhere.example"))
        for host in ("localhost", "127.0.0.1"):
            self.assertIn("mismatch", self.icp(elsewhere, "ping", host=host, status=unavailable))
        self.icp(server, "ping", ca=os.path.join(self.directory, "missing"), status=64)
        plain = subprocess.run([ICP, "--uri", f"icps://127.0.0.1:{server.port}", "--timeout", "2",
                                "ping"], capture_output=True, text=True)
        self.assertIn(plain.returncode, (unavailable, 75), plain.stderr)  # 75: not in time

    def test_the_end_of_the_server_answers_first(self):
        server = self.serve()
        with self.client(server) as client:
            for _ in range(50):
                client.send("ping")
            client.receive()
            server.process.send_signal(signal.SIGTERM)
            for _ in range(49):
                client.receive()
            with self.assertRaises(ConnectionError):
                client.receive()  # close_notify, not a cut
            self.assertEqual(server.process.wait(WAIT_S), 0)


if __name__ == "__main__":
    unittest.main()
