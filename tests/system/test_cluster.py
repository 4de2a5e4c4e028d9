# SPDX-License-Identifier: Apache-2.0
"""Three icpd on one log in PostgreSQL with a synchronous standby: usage: test_cluster.py icpd cluster_alter

Writers put accounts through whatever node answers, each under an operation id, and repeat what has no
answer through another node. Meanwhile nodes are killed (kill -9) and started again, the standby is
stopped for a while (commits wait), the primary is killed and the standby promoted. At the end every
operation must be in the log once, as the audit of each node tells, what was acknowledged must be
there, and all nodes must hold the same at the same sequence.

Two controls: a node whose store was altered must be found, and without operation ids an operation
that was repeated must be found twice. 600 operations, 100,000 with ICP_LONG=1. Exits 0 with a word
where PostgreSQL is not installed: tools/setup test brings it."""
import importlib.machinery
import importlib.util
import os
import random
import shutil
import signal
import subprocess
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
    """Puts accounts of its own, one after the other, until each is acknowledged."""

    def __init__(self, cluster, name, count, seed):
        super().__init__(daemon=True)
        self.cluster, self.name, self.count = cluster, name, count
        self.random = random.Random(seed)
        self.client = None
        self.done = 0
        self.tries = 0
        self.fault = None

    def connect(self):
        while True:
            node = self.random.choice(self.cluster.nodes)
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


def wait_until(what, words):
    until = time.monotonic() + PATIENCE_S
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


def chaos(cluster, writers):
    """One thing after another, each at a share of the operations."""
    def await_share(share):
        wait_until(lambda: sum(writer.done for writer in writers) >= share * OPERATIONS or
                   any(writer.fault for writer in writers), f"writers stand before {share}")

    def node_falls(place):
        cluster.nodes[place].kill()
        time.sleep(0.1)
        cluster.nodes[place].start()

    await_share(0.15)
    node_falls(1)
    await_share(0.3)
    cluster.standby.signal_all(signal.SIGSTOP)
    time.sleep(1)
    cluster.standby.signal_all(signal.SIGCONT)
    await_share(0.45)
    node_falls(0)
    await_share(0.6)
    cluster.fail_over()
    await_share(0.75)
    node_falls(2)
    for round_ in range(20 if LONG else 0):
        await_share(0.75 + 0.24 * round_ / 20)
        node_falls(round_ % len(cluster.nodes))


def everything_is_there_once(cluster):
    writers = [Writer(cluster, f"w{i}", OPERATIONS // WRITERS, i)
               for i in range(WRITERS)]
    for writer in writers:
        writer.start()
    chaos(cluster, writers)
    for writer in writers:
        writer.join(PATIENCE_S * (10 if LONG else 1))
        if writer.fault or writer.is_alive():
            raise writer.fault or TimeoutError(writer.name)
    wanted = [f"{writer.name}-{i}" for writer in writers for i in range(writer.count)]
    seq = level(cluster)
    for node in cluster.nodes:
        judge(audit(node), wanted)
    fill_up(cluster, "last")
    found = votes(cluster)
    assert all(kinds == 1 for _, _, kinds in found), found
    print(f"{len(wanted)} operations in {sum(writer.tries for writer in writers)} tries, "
          f"{seq} entries, 0 missing, 0 double; {len(found)} comparisons, all the same")


def put_twice(cluster, account, operation):
    """A node is killed while its append waits for the standby, and the write is repeated through
    another: was the first one done or not? Both are."""
    request = {"accounts": [{"id": account, "values": {"employees": 1}}]}
    if operation:
        request["operation"] = account
    cluster.standby.signal_all(signal.SIGSTOP)
    first = Client(cluster.nodes[0].port)
    first.send("account-put", request)
    wait_until(lambda: cluster.primary.ask(
        "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") != "0",
        "no append waits for the standby")
    cluster.nodes[0].kill()
    first.close()
    with Client(cluster.nodes[1].port) as second:
        second.send("account-put", request)
        cluster.standby.signal_all(signal.SIGCONT)
        _, status, _, reply = second.receive()
    assert status == 0, reply
    cluster.nodes[0].start()
    level(cluster)
    assert bool(reply.get("repeated")) == operation, reply
    return {name: count for name, count in audit(cluster.nodes[2]).items() if name == account}


def repeated_operations(cluster):
    judge(put_twice(cluster, "once", True), ["once"])
    try:
        judge(put_twice(cluster, "twice", False), ["twice"])
    except Doubled:
        print("control: without an operation id a repeated write is found to be there twice")
        return
    raise AssertionError("the control was not found: a write without an id, repeated")


def written_is_read(cluster):
    """What was written through one node is read through each other one that is told the sequence;
    every node names the same log, and is of now while it follows."""
    logs = set()
    for turn in range(20):
        at = cluster.nodes[turn % 3]
        with Client(at.port) as client:
            seq = client.call("account-put", {"accounts": [{"id": "read", "values": {"employees": turn}}]})["seq"]
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


def further_nodes(tool, cluster, binary, flags):
    """One that is empty reads everything from the log, one that is restored what is behind its
    backup; and one whose backup ends before what the log keeps is told so."""
    node = cluster.nodes[0]
    old, new = (os.path.join(cluster.directory, name) for name in ("old", "new"))
    with Client(node.port) as client:
        client.call("backup", {"name": "b"})
    shutil.copytree(os.path.join(cluster.directory, "backups", "b"), old)
    fill_up(cluster, "between")
    with Client(node.port) as client:
        client.call("backup", {"name": "b"})
    shutil.copytree(os.path.join(cluster.directory, "backups", "b"), new)
    for name, backup in (("empty", None), ("restored", new)):
        further = tool.Node(cluster.directory, name, binary, cluster.where, flags)
        if backup:
            subprocess.run([binary, "--data", further.data, "--restore", backup], check=True,
                           stdout=subprocess.DEVNULL)
        further.start()
        cluster.nodes.append(further)
    seq = fill_up(cluster, "all")
    assert votes(cluster)[-1] == (seq, len(cluster.nodes), 1), votes(cluster)
    wait_until(lambda: cluster.primary.ask("SELECT min(seq) FROM icpd.node") == str(seq),
               "not all nodes say that they are level")
    kept = cluster.primary.ask(f"SELECT icpd.trim({seq - 10})")
    assert kept == str(seq - 10), kept
    late = tool.Node(cluster.directory, "late", binary, cluster.where, flags)
    subprocess.run([binary, "--data", late.data, "--restore", old], check=True,
                   stdout=subprocess.DEVNULL)
    late.start()
    wait_until(lambda: stats(late)["state_quarantine"], "a node that came too late was let in")
    assert f"keeps entries after {kept}" in log_of(late)
    late.stop()
    for further in cluster.nodes[3:]:
        further.stop()
    del cluster.nodes[3:]
    os.mkdir(os.path.join(cluster.directory, "twin"))
    twin = tool.Node(os.path.join(cluster.directory, "twin"), node.name, binary, cluster.where, flags)
    twin.start()
    wait_until(lambda: stats(twin)["state_away"], "two processes are one node")
    assert f'another process follows the shared log as node \\"{node.name}' in log_of(twin)
    twin.stop()
    print("a node from nothing and one from a backup hold the same; one that came too late is told")


def altered_store(cluster, alter):
    """The control: one record of one store is another, under a good checksum."""
    seq = fill_up(cluster, "before")
    node = cluster.nodes[2]
    node.stop()
    subprocess.run([alter, node.data, "w0-1"], check=True)
    node.start()
    level(cluster)
    fill = threading.Thread(target=lambda: fill_up(cluster, "behind"), daemon=True)
    fill.start()
    wait_until(lambda: stats(node)["state_quarantine"], "the altered store was not found")
    others = [stats(one)["state_quarantine"] for one in cluster.nodes[:2]]
    assert others == [0, 0], others
    with Client(node.port) as client:
        client.call("account-get", {"id": "w0-1"})  # it goes on answering
        try:
            client.call("account-put", {"accounts": [{"id": "x", "values": {}}]})
            raise AssertionError("a node in quarantine took a write")
        except Refused as refused:
            assert refused.code == "busy" and "quarantine" in refused.message, refused.message
    print(f"control: the altered store was in quarantine by the comparison behind {seq}")


def replaced_primary(cluster):
    """The primary that was killed comes back as it was while the one that took its place is down:
    no node follows it, and all go on where they were."""
    old = cluster.servers[0]
    seq = level(cluster)
    cluster.primary.stop()
    old.start()
    wait_until(lambda: all("primary that was replaced" in reason_of(node) for node in cluster.nodes),
               "a primary that was replaced was not told apart")
    assert [stats(node)["state_away"] for node in cluster.nodes] == [1, 1, 1]
    old.kill()
    cluster.primary.start()
    assert level(cluster) >= seq
    fill_up(cluster, "after")
    assert all(kinds == 1 for _, _, kinds in votes(cluster)), votes(cluster)


def damaged_log(cluster):
    """Tables that no icpd has written are told so, and nothing is made of them."""
    node = cluster.nodes[0]
    for one in cluster.nodes:
        one.stop()
    for damage in ("time_ms = -1", "base = seq + 1", "chain = '\\x00'", "version = 2", "log = 0"):
        column = damage.split()[0]
        was = cluster.primary.ask(f"SELECT {column} FROM icpd.head")
        cluster.primary.ask(f"UPDATE icpd.head SET {damage}")
        told = os.path.getsize(node.log)
        node.start()
        wait_until(lambda: "none of icpd's" in log_of(node, told), damage)
        assert stats(node)["state_away"], damage
        cluster.primary.ask(f"UPDATE icpd.head SET {column} = '{was}'")
        wait_until(lambda: stats(node)["state_following"], "the log is whole, and the node away")
        node.stop()
    print("a primary that was replaced, and tables that are none of icpd's, are told apart")


def tell_logs(cluster):
    """What nodes and servers said last, for whoever looks into a failure."""
    for one in [*cluster.nodes, *cluster.servers]:
        print(f"--- {one.name}\n{log_of(one)[-4000:]}")


def main():
    tool = load_tool()
    binary, alter = sys.argv[1:3]
    if tool.postgres_programs() is None:
        print("no PostgreSQL is installed here (tools/setup test): nothing was tested")
        return
    flags = ("--cluster-check-entries", str(CHECK_ENTRIES))
    cluster = tool.Cluster(binary, 3, (*flags, "--backup-path", "DIR/backups"))
    try:
        with Client(cluster.nodes[0].port) as client:
            client.call("schema-put", {"document": SCHEMA})
        level(cluster)
        repeated_operations(cluster)
        everything_is_there_once(cluster)
        written_is_read(cluster)
        replaced_primary(cluster)
        further_nodes(tool, cluster, binary, flags)
        altered_store(cluster, alter)
        damaged_log(cluster)
    except BaseException:
        tell_logs(cluster)
        raise
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
