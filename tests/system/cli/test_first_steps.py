#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a new user runs first: test_first_steps.py ICP ICPD ROOT. tools/setup where nobody may install
anything, tools/demo in other locales and with a file of one's own. The programs are those of this
build; that tools/demo builds them on a bare machine is shown by tools/fresh-root."""
import os
import pty
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

ICP, ICPD, ROOT = sys.argv[1:4]
DENIED, USAGE, NOINPUT = 77, 64, 66


def demo(*arguments, **environment):
    programs = f"{os.path.dirname(ICPD)}:{os.path.dirname(ICP)}"
    full = {key: value for key, value in os.environ.items() if not key.startswith(("LC_", "LANG"))}
    return subprocess.run(
        [os.path.join(ROOT, "tools", "demo"), *arguments],
        env={**full, "ICP_DEMO_PROGRAMS": programs, **environment},
        capture_output=True, text=True, timeout=300, check=False)


class Setup(unittest.TestCase):
    """A machine on which everything is missing, and a user who is not root: a PATH of its own."""

    TOOLS = ("bash", "cat", "cmp", "cp", "dirname", "env", "mkdir", "sed", "sleep", "true")

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="icp-setup-")
        self.addCleanup(shutil.rmtree, self.folder)
        for name in self.TOOLS:
            os.symlink(shutil.which(name), os.path.join(self.folder, name))
        self.fake("id", "echo 1000")
        self.fake("dpkg-query", "exit 1")
        self.fake("apt-get", 'echo "apt-get $*" >>"$CALLS"')

    def fake(self, name, script):
        path = os.path.join(self.folder, name)
        with open(path, "w", encoding="utf-8") as file:
            file.write(f"#!{shutil.which('bash')}\n{script}\n")
        os.chmod(path, 0o755)

    def setup(self, **options):
        calls = os.path.join(self.folder, "calls")
        done = subprocess.run(
            ["bash", os.path.join(ROOT, "tools", "setup"), "run"], text=True, timeout=60, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=options.get("stdin", subprocess.DEVNULL),
            env={"PATH": self.folder, "CALLS": calls})
        called = ""
        if os.path.exists(calls):
            with open(calls, encoding="utf-8") as file:
                called = file.read()
        return done, called

    def refused(self, done, called, why):
        self.assertEqual(done.returncode, DENIED, done.stderr)
        self.assertIn(why, done.stderr)
        self.assertIn("apt-get install -y --no-install-recommends gcc libc6-dev cmake", done.stderr)
        self.assertEqual(called, "", "nothing may be tried that cannot work")

    def test_without_sudo_the_line_for_root_is_printed(self):
        self.refused(*self.setup(), "there is no sudo")

    def test_a_sudo_that_asks_where_nobody_can_answer_is_told(self):
        self.fake("sudo", 'echo "sudo: a password is required" >&2; exit 1')
        done, called = self.setup()
        self.refused(done, called, "sudo asks for a password")
        self.assertNotIn("sudo: a password is required", done.stderr)

    def test_a_sudo_that_asks_nothing_is_used(self):
        # What it installs is still missing afterwards, for apt-get is a fake: that is told too.
        self.fake("sudo", '[ "$1" != -n ] || shift; exec "$@"')
        done, called = self.setup()
        self.assertIn("install -y --no-install-recommends gcc", called)
        self.assertEqual(done.returncode, 1)
        self.assertIn("still missing after the installation: gcc", done.stderr)

    def test_where_somebody_can_answer_sudo_asks(self):
        self.fake("sudo", 'case $1 in -n) exit 1 ;; -v) echo "[sudo] password:" >&2 ;; *) exec "$@" ;; esac')
        calls = os.path.join(self.folder, "calls")
        pid, fd = pty.fork()
        if pid == 0:
            os.execve(shutil.which("bash"), ["bash", os.path.join(ROOT, "tools", "setup"), "run"],
                      {"PATH": self.folder, "CALLS": calls})
        text = b""
        while True:
            try:
                got = os.read(fd, 4096)
            except OSError:
                break
            if not got:
                break
            text += got
        os.waitpid(pid, 0)
        os.close(fd)
        self.assertIn(b"sudo asks for your password", text)
        self.assertIn(b"[sudo] password:", text)
        with open(calls, encoding="utf-8") as file:
            self.assertIn("install", file.read())


class Demo(unittest.TestCase):
    def whole(self, done):
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertRegex(done.stdout, r"AUC on accounts not seen: 0\.7\d\d; the planted truth")
        self.assertRegex(done.stdout, r"from the read of a request to its reply: p50 [0-9.]+ µs, p99 ")
        self.assertIn("\nWhat next\n", done.stdout)
        self.assertEqual(done.stderr, "")

    def test_in_the_plainest_locale(self):
        self.whole(demo(LC_ALL="C"))

    def test_where_a_comma_divides_whole_from_parts(self):
        with tempfile.TemporaryDirectory() as place:
            made = shutil.which("localedef") and subprocess.run(
                ["localedef", "-i", "de_DE", "-f", "UTF-8", f"{place}/de_DE.UTF-8"],
                capture_output=True, check=False).returncode == 0
            if not made:
                self.skipTest("no German locale can be made here")
            german = {"LOCPATH": place, "LC_ALL": "de_DE.UTF-8"}
            # The control: there such a number is an error.
            control = subprocess.run(["bash", "-c", "printf %.3f 0.85"], capture_output=True, check=False,
                                     env={**os.environ, **german})
            self.assertNotEqual(control.returncode, 0)
            # glibc keeps the list of LOCPATH up to the end; a build with sanitizers would tell.
            self.whole(demo(ASAN_OPTIONS="detect_leaks=0", **german))

    def test_with_a_file_of_ones_own(self):
        draw = random.Random(7)
        with tempfile.TemporaryDirectory() as place:
            path = os.path.join(place, "leads of mine.csv")
            with open(path, "w", encoding="utf-8") as file:
                file.write("id;size;trade;came of it\n")
                for i in range(3000):
                    size, trade = draw.randrange(1, 500), draw.choice(("bread", "steel", "cloth"))
                    won = draw.random() < 0.1 + 0.5 * (size > 200) + 0.2 * (trade == "steel")
                    file.write(f"L{i};{size};{trade};{'yes' if won else 'no'}\n")
            done = demo(path, "--label", "`came of it` = true")
            self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
            self.assertRegex(done.stdout, r"AUC 0\.[78]\d+")
            self.assertIn("What next", done.stdout)

    def test_slips_are_told(self):
        self.assertEqual(demo("/nonexistent.csv", "--label", "x = 1").returncode, NOINPUT)
        done = demo(os.path.abspath(__file__))
        self.assertEqual(done.returncode, USAGE)
        self.assertIn("--label", done.stderr)
        self.assertEqual(demo("--nothing").returncode, USAGE)


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1])
