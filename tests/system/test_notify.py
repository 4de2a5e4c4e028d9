# SPDX-License-Identifier: Apache-2.0
"""What icpd tells its service manager, and the packaged unit: test_notify.py ICPD UNIT."""
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
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
        done = subprocess.run(["systemd-analyze", "verify", unit], text=True, timeout=120,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        # It speaks of other units of the machine too.
        own = [line for line in done.stdout.splitlines()
               if "icpd.service" in line and "man icpd" not in line]
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


if __name__ == "__main__":
    unittest.main()
