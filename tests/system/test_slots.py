# SPDX-License-Identifier: Apache-2.0
"""Accounts that come and go against a running icpd: whoever gets the slot of a deleted account must
have nothing of it: no score, no list, no look-alike. Rounds of deletions and puts with lists, starts
after a stop and after kill -9, each compared with a model of plain dictionaries.
usage: test_slots.py path/to/icpd"""
import random
import signal
import sys
import time
import unittest

import test_similar
from icpd import Server
from test_operations import fill, planted

BINARY = sys.argv.pop(1) if __name__ == "__main__" and len(sys.argv) > 1 else "icpd"
ACCOUNTS, ROUNDS, CHANGED = 400, 12, 120


class Lists(unittest.TestCase):
    def setUp(self):
        self.server = Server(BINARY)
        self.addCleanup(self.server.close)
        self.client = self.server.client()
        self.addCleanup(lambda: self.client.close())
        self.random = random.Random(21)
        self.accounts = {a["id"]: a["values"] for a in fill(self.client, ACCOUNTS)}
        self.client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
        self.lists = {}  # name → members that are still the accounts of then
        self.next = ACCOUNTS
        self.pool = []  # ids that were deleted

    def restart(self, number):
        self.client.close()
        self.server.stop(number)
        self.server.start()
        self.client = self.server.client()

    def leave(self, count):
        ids = self.random.sample(sorted(self.accounts), count)
        self.client.call("account-delete", {"ids": ids})
        for id in ids:
            del self.accounts[id]
            for members in self.lists.values():
                members.discard(id)
        self.pool += ids

    def come(self, count):
        """New ids, and some that were there before: another account all the same."""
        accounts = []
        again = self.random.sample(self.pool, min(len(self.pool), count // 4))
        self.pool = [id for id in self.pool if id not in again]
        for id in [f"a{self.next + i}" for i in range(count - len(again))] + again:
            account = planted(int(id[1:]), self.random)
            accounts.append(account)
            self.accounts[id] = account["values"]
        self.next += count - len(again)
        self.client.call("account-put", {"accounts": accounts, "source": "test"})

    def build(self):
        name = f"list {len(self.lists)}"
        self.client.call("tal-build", {"name": name, "k": 40})
        entries = self.client.call("tal-get", {"name": name, "limit": 1000})["entries"]
        self.lists[name] = {entry["id"] for entry in entries}

    def check(self):
        on_any = set().union(*self.lists.values())
        ids = sorted(self.accounts)
        for id in ids:
            self.client.send("score", {"id": id})
            self.client.send("score", {"values": self.accounts[id]})
        for id in ids:
            _, status, _, one = self.client.receive()
            _, plain_status, _, plain = self.client.receive()
            self.assertEqual((status, plain_status), (0, 0), (one, plain))
            self.assertEqual(one["raw"], plain["raw"], id)
            self.assertEqual(bool(one.get("tal")), id in on_any, id)
        for name, members in self.lists.items():
            found = self.client.call("count", {"filter": f"on tal '{name}'"})["count"]
            self.assertEqual(found, len(members), name)
        for id in self.pool[-20:]:
            self.client.send("account-get", {"id": id})
            self.assertEqual(self.client.receive()[3]["error"], "not-found")

    def test_nobody_inherits(self):
        for number in range(ROUNDS):
            self.leave(CHANGED)
            self.come(CHANGED)
            self.check()
            if number % 3 == 0:
                self.build()
                time.sleep(1.1)  # within the second of a list nobody gets a slot again
                self.check()
            if number % 4 == 1:
                self.restart(signal.SIGTERM if number % 8 == 1 else signal.SIGKILL)
                self.check()
        stats = self.client.call("stats")["metrics"]["store"]
        self.assertGreater(stats["slots_given_again"], 0)
        self.assertLess(stats["slots"], ACCOUNTS + ROUNDS * CHANGED / 2)

    def test_control_an_inherited_membership_is_noticed(self):
        self.build()
        self.check()
        self.lists["list 0"].discard(sorted(self.lists["list 0"])[0])
        with self.assertRaises(AssertionError):
            self.check()


class LookAlike(test_similar.Base):
    def test_nobody_is_found_by_the_vector_of_another(self):
        self.fill(1500)
        rng = random.Random(5)
        number, given_again = 0, 0
        while number < ROUNDS or (given_again < 300 and number < 20 * ROUNDS):
            gone = rng.sample(sorted(self.vectors), 300)
            self.client.call("account-delete", {"ids": gone})
            if number >= ROUNDS:
                time.sleep(1)  # a slow machine: until views and look-alikes have seen it
            for name in gone:
                del self.vectors[name]
            fresh = {f"n{number:02}{i:04}": test_similar.vector_of(rng) for i in range(300)}
            test_similar.put(self.client, fresh)
            self.vectors.update(fresh)
            for _ in range(5):
                vector = test_similar.vector_of(rng)
                reply = test_similar.ask(
                    self.client, positives=[{"values": {"text": test_similar.packed(vector)}}], k=50)
                self.check_nearest(reply, vector, 50)
            if number % 4 == 2:
                self.restart(signal.SIGKILL if number % 8 == 2 else signal.SIGTERM)
            number += 1
            given_again = self.client.call("stats")["metrics"]["store"]["slots_given_again"]
        self.assertGreaterEqual(given_again, 300)


if __name__ == "__main__":
    test_similar.BINARY = BINARY
    unittest.main(verbosity=2)
