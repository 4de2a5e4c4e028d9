# SPDX-License-Identifier: Apache-2.0
"""kill -9 in the middle of writing, again and again, on one store: usage: test_kill.py icpd [ROUNDS]

Three connections write batches, several in flight each; a fourth stores ICP versions and reverts. At
a random moment the server is killed; what was in flight is unknown, all else is not. After each start
every connection's accounts must be as its batches up to some point left them, no earlier than the last
one that was acknowledged: nothing lost, no half of a batch, nothing that nobody wrote. Where the server
knows operation ids, the unsafe writes in flight are repeated under theirs, and must have happened once.

The control puts an older copy of the store in the place of the one that was killed; that must be
noticed. 50 rounds, 2,000 with ICP_LONG=1. Prints rounds, batches, and the 95 % bound."""
import collections
import json
import os
import random
import shutil
import signal
import sys
import threading
import time

from icpd import Refused, Server
from test_operations import SCHEMA, fill

ACCOUNTS, FLIGHT = 40, 4


class Lost(Exception):
    """What was found after a start is not what may be there."""


class Writer:
    """Batches over accounts of its own; remembers what each does."""

    def __init__(self, name, seed):
        self.name = name
        self.random = random.Random(seed)
        self.number = 0  # of the last batch that was sent
        self.state = {}  # account → number, as far as is acknowledged
        self.flight = collections.deque()  # batches sent and not answered, in order
        self.answered = 0

    def batch(self):
        """(operation, request, what it changes: account → number, or None for gone)."""
        self.number += 1
        chosen = self.random.sample(range(ACCOUNTS), self.random.randint(1, 12))
        ids = [f"{self.name}{i}" for i in chosen]
        if self.random.random() < 0.15:
            return "account-delete", {"ids": ids}, {id: None for id in ids}
        # Lengths vary, so that records move between pages.
        accounts = [{"id": id, "values": {"employees": self.number,
                                          "industry": "x" * self.random.randint(1, 900)}}
                    for id in ids]
        return "account-put", {"accounts": accounts}, {id: self.number for id in ids}

    def run(self, server, stop):
        try:
            with server.client() as client:
                while not stop.is_set():
                    while len(self.flight) < FLIGHT:
                        op, request, change = self.batch()
                        self.flight.append(change)
                        client.send(op, request)
                    _, status, _, reply = client.receive()
                    if status:
                        raise Refused(reply)
                    self.state.update(self.flight.popleft())
                    self.answered += 1
        except OSError:
            pass  # killed

    def check(self, client):
        """Some number of the batches in flight happened, the first ones; forgets the others."""
        ids = [f"{self.name}{i}" for i in range(ACCOUNTS)]
        found = {}
        for id in ids:
            client.send("account-get", {"id": id})
        for id in ids:
            _, status, _, reply = client.receive()
            if status and reply["error"] != "not-found":
                raise Lost(f"{id}: {reply}")
            found[id] = None if status else reply["values"]["employees"]["value"]
        state = dict(self.state)
        while any(found[id] != state.get(id) for id in ids):
            if not self.flight:
                wrong = [id for id in ids if found[id] != self.state.get(id)]
                raise Lost(f"writer {self.name}: " + ", ".join(
                    f"{id} is {found[id]}, acknowledged {self.state.get(id)}" for id in wrong[:5]))
            state.update(self.flight.popleft())
        self.state = state
        self.flight.clear()


class Versions:
    """ICP versions and reverts, one at a time, under operation ids where the server knows them."""

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.puts = 0  # acknowledged
        self.switches = 0
        self.flight = None  # (operation, request)
        self.known = False  # operation ids

    def begin(self, client):
        self.known = bool(client.call("hello", {"client": "kill/1"}).get("operations"))
        fill(client, 400)
        client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
        client.call("icp-learn", {"label": "won = 1", "seed": 4, "activate": True})
        self.document = client.call("icp-get")["document"]
        self.puts, self.switches = self.counts(client)

    @staticmethod
    def counts(client):
        listed = client.call("icp-list")
        return len(listed["icps"]), len(listed["switches"])

    def request(self):
        op, request = (("icp-put", {"document": self.document}) if self.random.random() < 0.3
                       else ("icp-revert", {"reason": "again"}))
        if self.known:
            request["operation"] = f"kill-{self.random.getrandbits(64):x}"
        return op, request

    def took(self, op):
        self.puts += op == "icp-put"
        self.switches += op == "icp-revert"
        self.flight = None

    def run(self, server, stop):
        try:
            with server.client() as client:
                while not stop.is_set():
                    self.flight = self.request()
                    client.call(*self.flight)
                    self.took(self.flight[0])
                    time.sleep(0.005)
        except OSError:
            pass

    def check(self, client):
        if self.flight is not None and self.known:
            client.call(*self.flight)  # once, whether it had happened or not
            self.took(self.flight[0])
        puts, switches = self.counts(client)
        op = self.flight[0] if self.flight is not None else None
        if (puts - self.puts not in (0, int(op == "icp-put")) or
                switches - self.switches not in (0, int(op == "icp-revert"))):
            raise Lost(f"{puts} ICP versions and {switches} switches; acknowledged {self.puts} and "
                       f"{self.switches}, in flight {op}")
        self.puts, self.switches, self.flight = puts, switches, None


class Harness:
    def __init__(self, binary, seed):
        self.random = random.Random(seed)
        self.server = Server(binary)
        self.writers = [Writer(name, seed + i) for i, name in enumerate(("ka", "kb", "kc"))]
        self.versions = Versions(seed + 9)
        with self.server.client() as client:
            client.call("schema-put", {"document": json.dumps(SCHEMA)})
            self.versions.begin(client)

    def round(self, longest_s=0.3):
        stop = threading.Event()
        threads = [threading.Thread(target=part.run, args=(self.server, stop))
                   for part in [*self.writers, self.versions]]
        for thread in threads:
            thread.start()
        time.sleep(self.random.random() * longest_s)
        self.server.stop(signal.SIGKILL)
        stop.set()
        for thread in threads:
            thread.join()

    def check(self):
        self.server.start()
        with self.server.client() as client:
            for part in [*self.writers, self.versions]:
                part.check(client)


def control(harness):
    """An older copy in the place of what was killed."""
    copy = harness.server.directory + "/copy"
    harness.server.stop()
    shutil.copytree(harness.server.data, copy)
    harness.server.start()
    harness.round(1.0)
    while not any(writer.answered for writer in harness.writers):
        harness.check()
        harness.round(1.0)
    shutil.rmtree(harness.server.data)
    shutil.move(copy, harness.server.data)
    try:
        harness.check()
    except Lost as lost:
        print(f"control: noticed ({lost})")
        return True
    print("control: an older store was not noticed")
    return False


def main():
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 2000 if os.environ.get("ICP_LONG") == "1" else 50
    seed = int(time.time())
    print(f"seed {seed}", flush=True)
    harness = Harness(sys.argv[1], seed)
    try:
        for number in range(rounds):
            harness.round()
            try:
                harness.check()
            except Lost as lost:
                print(f"round {number}: {lost}")
                return 1
        batches = sum(writer.answered for writer in harness.writers)
        print(f"{rounds} rounds, {batches} batches acknowledged, operation ids "
              f"{'repeated' if harness.versions.known else 'not known to the server'}: 0 lost, 0 twice; "
              f"95 % bound {300 / rounds:.2f} % of kills")
        for writer in harness.writers:
            writer.answered = 0
        return 0 if control(harness) else 1
    finally:
        harness.server.close()


if __name__ == "__main__":
    sys.exit(main())
