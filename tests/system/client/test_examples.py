#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The examples of client/examples against a running icpd: test_examples.py ICPD EXAMPLE..."""
import os
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd

BINARY, *EXAMPLES = sys.argv[1:]


class Examples(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(BINARY)
        self.addCleanup(self.server.close)

    def run_example(self, example, *arguments):
        return subprocess.run([example, *arguments], capture_output=True, text=True, timeout=60, check=False)

    def test_each_answers_every_id(self):
        """Nothing is stored: the answers are faults of the server, one for each id, in words."""
        for example in EXAMPLES:
            ids = [f"a{i}" for i in range(40)]
            run = self.run_example(example, f"icp://127.0.0.1:{self.server.port}", *ids)
            lines = run.stdout.splitlines()
            self.assertEqual(sorted(line.split(":")[0] for line in lines), sorted(ids), run.stderr)
            self.assertTrue(all("no-schema" in line or "no-icp" in line for line in lines), lines[0])
            self.assertEqual(run.returncode, 1)

    def test_each_says_that_nobody_answers(self):
        uri = f"icp://127.0.0.1:{self.server.port}"
        self.server.stop()
        for example in EXAMPLES:
            run = self.run_example(example, uri, "a1")
            self.assertIn("a1: connect: cannot connect", run.stdout)
            self.assertEqual(run.returncode, 1)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]])
