# SPDX-License-Identifier: Apache-2.0
"""What the tests of a cluster share: writers, what nodes say, and what must be so at the end."""
import importlib.machinery
import importlib.util
import os
import random
import sys
import threading
import time

from icpd import Client, Refused

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
LONG = os.environ.get("ICP_LONG") == "1"
OPERATIONS = 100_000 if LONG else 600
WRITERS, CHECK_ENTRIES = 4, 200
RETRIED = {"busy", "io", "deadline", "shutting-down", "cancelled", "disk-full", "no-memory"}
SCHEMA = '{"fields": [{"name": "employees", "type": "number"}]}'
PATIENCE_S = 120
STAY = 20  # writes of one writer through one node


def load_tool():
    path = os.path.join(ROOT, "tools/cluster")
    loader = importlib.machinery.SourceFileLoader("cluster_tool", path)
    spec = importlib.util.spec_from_loader("cluster_tool", loader)
    module = importlib.util.module_from_spec(spec)
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


class Doubled(Exception):
    """An operation that is in the log twice, or not at all."""


class Writer(threading.Thread):
    """Puts accounts of its own, one after the other, until each is acknowledged, through one of the
    nodes and now and then another."""

    def __init__(self, name, count, seed, nodes):
        super().__init__(daemon=True)
        self.name, self.count, self.nodes = name, count, nodes
        self.random = random.Random(seed)
        self.client = None
        self.done = 0
        self.tries = 0
        self.fault = None

    def connect(self):
        while True:
            node = self.random.choice(self.nodes)
            try:
                self.client = Client(node.port, timeout=20)
                return
            except OSError:
                time.sleep(0.02)

    def write(self, number):
        account = f"{self.name}-{number}"
        request = {"accounts": [{"id": account, "values": {"employees": number}}],
                   "operation": account}
        until = time.monotonic() + PATIENCE_S
        while time.monotonic() < until:
            if self.client is None:
                self.connect()
            self.tries += 1
            try:
                return self.client.call("account-put", request)
            except Refused as refused:
                if refused.code not in RETRIED:
                    raise
                time.sleep(0.05)
            except (OSError, ConnectionError):
                self.client.close()
                self.client = None
        raise TimeoutError(account)

    def run(self):
        try:
            for number in range(self.count):
                if self.client and number % STAY == 0:
                    self.client.close()
                    self.client = None
                reply = self.write(number)
                assert reply["count"] == 1, reply
                self.done = number + 1
        except Exception as fault:  # told by the main thread
            self.fault = fault


def stats(node):
    with Client(node.port) as client:
        return client.call("stats")["metrics"]["cluster"]


def reason_of(node):
    """Why it does not follow, as /readyz or a refused write says it; "" where it does."""
    with Client(node.port) as client:
        try:
            client.call("account-put", {"accounts": [{"id": "reason", "values": {}}]})
        except Refused as refused:
            return refused.message
    return ""


def log_of(one, after=0):
    with open(one.log, errors="replace") as log:
        log.seek(after)
        return log.read()


def wait_until(what, words, patience_s=PATIENCE_S):
    until = time.monotonic() + patience_s
    while not what():
        if time.monotonic() > until:
            raise TimeoutError(words)
        time.sleep(0.05)


def level(cluster):
    """Waits until every node has applied everything; returns the sequence."""
    def same():
        found = [stats(node) for node in cluster.nodes]
        return len({one["applied"] for one in found}) == 1 and found[0]["lag_entries"] == 0 and \
            all(one["state_following"] for one in found)
    wait_until(same, "the nodes do not come level")
    return stats(cluster.nodes[0])["applied"]


def audit(node):
    """How often each account was put, by what the node's own log tells."""
    times = {}
    after = 0
    with Client(node.port) as client:
        while True:
            reply = client.call("audit", {"after": after, "limit": 10000})
            for entry in reply["entries"]:
                after = max(after, entry["seq"])
                if entry.get("first"):
                    times[entry["first"]] = times.get(entry["first"], 0) + 1
            if after >= reply["newest"] or not reply["entries"]:
                return times


def judge(times, wanted):
    """Each of the wanted once."""
    missing = [one for one in wanted if one not in times]
    doubled = [one for one in wanted if times.get(one, 0) > 1]
    if missing or doubled:
        raise Doubled(f"{len(missing)} missing {missing[:3]}, {len(doubled)} double {doubled[:3]}")


def votes(cluster):
    """Of each sequence at which nodes compared: how many said so, and how many different things."""
    rows = cluster.primary.ask("SELECT seq, count(*), count(DISTINCT (outcome, content)) "
                               "FROM icpd.vote GROUP BY seq ORDER BY seq")
    return [tuple(int(cell) for cell in row.split("|")) for row in rows.splitlines()]


def fill_up(cluster, name):
    """Writes until the nodes compare once more and all have: one whose last comparison is still
    under way passes the next over."""
    request = {"accounts": [{"id": name, "values": {}}]}
    for _ in range(20):
        with Client(cluster.nodes[0].port) as client:
            seq = client.call("account-put", request)["seq"]
            for _ in range(-seq % CHECK_ENTRIES):
                client.send("account-put", request)
            for _ in range(-seq % CHECK_ENTRIES):
                _, status, _, reply = client.receive()
                assert status == 0, reply
        seq += -seq % CHECK_ENTRIES
        for _ in range(20):
            if (seq, len(cluster.nodes)) in [row[:2] for row in votes(cluster)]:
                return seq
            time.sleep(0.1)
    raise TimeoutError(f"not all nodes compared at {seq}")


def written_is_read(cluster, turns=20):
    """What was written through one node is read through each other one that is told the sequence;
    every node names the same log, and is of now while it follows."""
    logs = set()
    for turn in range(turns):
        at = cluster.nodes[turn % 3]
        with Client(at.port) as client:
            seq = client.call("account-put", {"accounts": [{"id": "read",
                                                            "values": {"employees": turn}}]})["seq"]
        for node in cluster.nodes:
            with Client(node.port) as client:
                reply = client.call("account-get", {"id": "read", "min_seq": seq, "staleness": True})
                if reply["values"]["employees"]["value"] != turn:
                    raise AssertionError(f"turn {turn}: {node.name} read {reply}")
                if reply["age_ms"] > 60000:
                    raise AssertionError(f"{node.name} says that it is {reply['age_ms']} ms old")
                logs.add(client.call("hello", {"client": "test"})["log"])
    if len(logs) != 1:
        raise AssertionError(f"one log has several numbers: {logs}")


def tell_logs(cluster):
    """What nodes and servers said last, for whoever looks into a failure."""
    for one in [*cluster.nodes, *cluster.servers]:
        print(f"--- {one.name}\n{log_of(one)[-4000:]}")
