# SPDX-License-Identifier: Apache-2.0
"""What icpd tells its service manager and what it takes from it, and the packaged units:
test_notify.py ICPD UNIT."""
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest

import icpd

UNIT = sys.argv.pop(2)
BINARY = sys.argv.pop(1)


class Notify(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="icpd-notify-")
        self.addCleanup(shutil.rmtree, self.folder)

    def listen(self, name):
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        listener.bind(name)
        listener.settimeout(icpd.WAIT_S)
        self.addCleanup(listener.close)
        return listener

    def round(self, listener, name):
        server = icpd.Server(BINARY, env=dict(os.environ, NOTIFY_SOCKET=name))
        self.addCleanup(server.close)
        self.assertEqual(listener.recv(4096), b"READY=1")
        server.process.send_signal(signal.SIGHUP)
        self.assertRegex(listener.recv(4096), rb"^RELOADING=1\nMONOTONIC_USEC=[0-9]+$")
        self.assertEqual(listener.recv(4096), b"READY=1")
        server.process.send_signal(signal.SIGTERM)
        self.assertEqual(listener.recv(4096), b"STOPPING=1")
        self.assertEqual(server.process.wait(icpd.WAIT_S), 0)

    def test_each_step_is_told_to_a_socket_of_a_path(self):
        path = os.path.join(self.folder, "notify")
        self.round(self.listen(path), path)

    def test_and_to_one_of_the_abstract_namespace(self):
        name = "icpd-test-" + os.path.basename(self.folder)
        self.round(self.listen("\0" + name), "@" + name)

    def test_a_socket_that_nobody_has_stops_nothing(self):
        server = icpd.Server(BINARY, env=dict(os.environ, NOTIFY_SOCKET=self.folder + "/none"))
        self.addCleanup(server.close)
        self.assertEqual(server.stop(), 0)

    def test_systemd_accepts_the_unit_and_finds_it_closed(self):
        with open(UNIT, encoding="utf-8") as file:
            text = file.read().replace("/usr/sbin/icpd", BINARY)
        unit = os.path.join(self.folder, "icpd.service")
        with open(unit, "w", encoding="utf-8") as file:
            file.write(text)
        shutil.copy(os.path.splitext(UNIT)[0] + ".socket", self.folder)
        done = subprocess.run(["systemd-analyze", "verify", unit,
                               os.path.join(self.folder, "icpd.socket")], text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # It speaks of other units of the machine too.
        own = [line for line in done.stdout.splitlines()
               if ("icpd.service" in line or "icpd.socket" in line) and "man icpd" not in line]
        self.assertEqual(own, [])
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20",
                               unit], text=True, timeout=120, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout[-3000:])
        # The control: without its hardening the unit must not pass.
        bare = os.path.join(self.folder, "bare.service")
        with open(bare, "w", encoding="utf-8") as file:
            file.write(f"[Service]\nExecStart={BINARY}\n")
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20",
                               bare], timeout=120, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertNotEqual(done.returncode, 0)


# What a service manager does between fork and exec.
HAND_OVER = """
import os, sys
count, names = int(sys.argv[1]), sys.argv[2]
kept = [os.dup(int(fd)) for fd in sys.argv[3:3 + count]]
for place, fd in enumerate(kept):
    os.dup2(fd, 3 + place)
    os.close(fd) if fd != 3 + place else None
    os.set_inheritable(3 + place, True)
os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS=str(count), LISTEN_FDNAMES=names)
os.execv(sys.argv[3 + count], sys.argv[3 + count:])
"""


class Activation(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="icpd-activate-")
        self.addCleanup(shutil.rmtree, self.folder)
        self.ports = os.path.join(self.folder, "ports")

    def listening(self, address=("127.0.0.1", 0)):
        listener = socket.socket(socket.AF_UNIX if isinstance(address, str) else socket.AF_INET)
        listener.bind(address)
        listener.listen(16)
        self.addCleanup(listener.close)
        return listener

    def start(self, listeners, names, *flags, **more):
        fds = [listener.fileno() for listener in listeners]
        # Descriptors far from 3, so that none is overwritten while they are moved there.
        fds = [os.dup(fd) for fd in fds]
        command = [sys.executable, "-c", HAND_OVER, str(len(fds)), names, *map(str, fds), BINARY,
                   "--data", os.path.join(self.folder, "data"), "--ports-file", self.ports, *flags]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            process = subprocess.Popen(command, pass_fds=fds, stderr=log, **more)
        for fd in fds:
            os.close(fd)
        self.addCleanup(lambda: (process.kill(), process.wait()))
        return process

    def served(self, process):
        end = time.monotonic() + icpd.WAIT_S
        while not os.path.exists(self.ports):
            self.assertIsNone(process.poll(), self.log())
            self.assertLess(time.monotonic(), end)
            time.sleep(0.02)

    def log(self):
        with open(os.path.join(self.folder, "log"), encoding="utf-8") as file:
            return file.read()

    def ends(self, process):
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(icpd.WAIT_S), 0, self.log())
        os.path.exists(self.ports) and os.unlink(self.ports)

    def test_sockets_are_served_and_kept_over_a_restart(self):
        tcp, pages = self.listening(), self.listening()
        path = os.path.join(self.folder, "socket")
        local = self.listening(path)
        port = tcp.getsockname()[1]
        for workers in ("1", "3"):
            process = self.start([tcp, local, pages], "icp:icp:http", "--workers", workers)
            self.served(process)
            for client in (icpd.Client(port=port), icpd.Client(path=path)):
                with client:
                    client.call("ping")
            connection = http.client.HTTPConnection("127.0.0.1", pages.getsockname()[1],
                                                    timeout=icpd.WAIT_S)
            connection.request("GET", "/livez")
            self.assertEqual(connection.getresponse().status, 200)
            connection.close()
            with open(self.ports, encoding="utf-8") as file:
                self.assertIn(f"port = {port}\nhttp = {pages.getsockname()[1]}\n", file.read())
            self.ends(process)
            self.assertTrue(os.path.exists(path), "the path is the manager's")
        # Who comes between two runs waits for the next.
        waiting = icpd.Client(port=port)
        process = self.start([tcp], "icpd.socket", "--http-port", "0")
        waiting.call("ping")
        waiting.close()
        self.served(process)
        self.ends(process)

    def test_what_is_for_another_process_is_left_alone(self):
        env = dict(os.environ, LISTEN_PID="1", LISTEN_FDS="7", LISTEN_FDNAMES="icp")
        server = icpd.Server(BINARY, env=env)
        self.addCleanup(server.close)
        with server.client() as client:
            client.call("ping")

    def refused(self, listeners, names, what, *flags, **more):
        process = self.start(listeners, names, "--port", "0", "--http-port", "0", *flags, **more)
        self.assertEqual(process.wait(icpd.WAIT_S), 78, self.log())
        self.assertIn(what, self.log())

    def test_what_cannot_be_served_is_refused_by_name(self):
        tcp = self.listening()
        with tempfile.TemporaryFile() as file:
            self.refused([file], "icp", "descriptor 3 is no socket that listens")
        self.refused([tcp, self.listening()], "icp:icp", "is a second socket for the same")
        self.refused([tcp], "icps", "no certificate to answer with")
        # Everybody could reach it, and nobody would need a token.
        self.refused([self.listening(("0.0.0.0", 0))], "icp", "others can reach")
        self.refused([self.listening(("0.0.0.0", 0))], "http", "others can reach")

    def test_what_kubernetes_sets_for_a_service_of_this_name_stops_nothing(self):
        env = dict(os.environ, ICPD_PORT="tcp://10.0.0.1:4273", ICPD_SERVICE_HOST="10.0.0.1",
                   ICPD_SERVICE_PORT="4273", ICPD_SERVICE_PORT_ICP="4273",
                   ICPD_PORT_4273_TCP="tcp://10.0.0.1:4273", ICPD_PORT_4273_TCP_PROTO="tcp",
                   ICPD_PORT_4273_TCP_PORT="4273", ICPD_PORT_4273_TCP_ADDR="10.0.0.1")
        server = icpd.Server(BINARY, env=env)
        self.addCleanup(server.close)
        with server.client() as client:
            client.call("ping")


if __name__ == "__main__":
    unittest.main()
