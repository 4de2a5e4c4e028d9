# SPDX-License-Identifier: Apache-2.0
"""Three icpd on one log in PostgreSQL with a synchronous standby: usage:
test_cluster.py icpd cluster_alter [clock_shim]

Writers put accounts through whatever node answers, each under an operation id, and repeat what has no
answer through another node, while everything in cluster_chaos.py befalls the nodes. At the end every
operation must be in the log once, as the audit of each node tells, what was acknowledged must be
there, and all nodes must hold the same at the same sequence.

Two controls: a node whose store was altered must be found, and without operation ids an operation
that was repeated must be found twice. 600 operations, 100,000 with ICP_LONG=1. Exits 0 with a word
where PostgreSQL is not installed: tools/setup test brings it."""
import os
import shutil
import signal
import subprocess
import sys
import threading

from cluster_chaos import chaotic_cluster, everything_is_there_once
from cluster_world import (CHECK_ENTRIES, SCHEMA, Doubled, audit, fill_up, judge, level, load_tool, log_of,
                           reason_of, stats, tell_logs, votes, wait_until, written_is_read)
from icpd import Client, Refused

SNAPSHOT_ENTRIES = 300


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


def spoil(path):
    """One byte in the middle, which only who reads it whole finds."""
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


def snapshots(tool, cluster, binary, flags):
    """A node writes snapshots as the log grows; what is behind the oldest of them is trimmed, though
    somebody asks for more; a node without a store is made of the newest, or, where that is damaged,
    of the one before."""
    folder = os.path.join(cluster.directory, "snapshots")
    flags = (*flags, "--cluster-snapshots", folder)
    writer = cluster.nodes[1]
    writer.stop()
    writer.flags = [*writer.flags, "--cluster-snapshots", folder, "--cluster-snapshots-kept", "2",
                    "--cluster-snapshot-entries", str(SNAPSHOT_ENTRIES)]
    writer.start()
    further = [tool.Node(cluster.directory, name, binary, cluster.where,
                         (*flags, "--cluster-snapshot-entries", "0"))
               for name in ("seeded", "seeded-again")]

    def kept():
        return sorted(int(name.split("-")[1].split(".")[0]) for name in os.listdir(folder)
                      if name.startswith("base-"))

    def settled():
        found = stats(writer)
        return found["applied"] < found["snapshot"] + SNAPSHOT_ENTRIES and \
            len(kept()) == 2 and kept()[-1] == found["snapshot"]

    def base():
        return int(cluster.primary.ask("SELECT base FROM icpd.head"))

    seen, began = set(), base()
    while len(seen - {0}) < 3:
        seq = fill_up(cluster, "snapshot")
        seen.add(stats(writer)["snapshot"])
        now = base()
        assert now == began or len(kept()) >= 2, "trimmed before there were two snapshots"
    wait_until(settled, "two snapshots are to be kept")
    oldest, newest = kept()
    # Who was here and is gone for good is waited for no longer.
    cluster.primary.ask("DELETE FROM icpd.node WHERE name IN ('empty', 'restored')")
    wait_until(lambda: base() == oldest, "what no snapshot needs was not trimmed")
    assert cluster.primary.ask(f"SELECT icpd.trim({seq})") == str(oldest), "trimmed too much"
    further[0].start()
    assert f'made of a snapshot","seq":{newest}' in log_of(further[0]), log_of(further[0])
    spoil(os.path.join(folder, f"base-{newest:020}.icpb"))
    further[1].start()
    assert "a snapshot cannot be used" in log_of(further[1]), log_of(further[1])
    assert f'made of a snapshot","seq":{oldest}' in log_of(further[1]), log_of(further[1])
    cluster.nodes += further
    seq = fill_up(cluster, "seeded")
    assert votes(cluster)[-1] == (seq, len(cluster.nodes), 1), votes(cluster)
    for node in further:
        node.stop()
    del cluster.nodes[3:]
    print(f"snapshots: the log begins behind {oldest}, nodes without a store at {newest} and {oldest}")


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
    node.stop()
    node.flags = [*node.flags, "--cluster-quarantine-reads=no"]
    node.start()
    threading.Thread(target=lambda: fill_up(cluster, "again"), daemon=True).start()
    wait_until(lambda: stats(node)["state_quarantine"], "the altered store was not found again")
    with Client(node.port) as client:
        for operation in ("account-get", "score"):
            try:
                client.call(operation, {"id": "w0-1"})
                raise AssertionError("a node that is not to be read in quarantine was")
            except Refused as refused:
                assert refused.code == "behind" and "quarantine" in refused.message, refused.message
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


def main():
    tool = load_tool()
    binary, alter = sys.argv[1:3]
    if tool.postgres_programs() is None:
        print("no PostgreSQL is installed here (tools/setup test): nothing was tested")
        return
    flags = ("--cluster-check-entries", str(CHECK_ENTRIES))
    cluster = chaotic_cluster(tool, binary, (sys.argv + [None])[3], flags)
    try:
        with Client(cluster.nodes[0].port) as client:
            client.call("schema-put", {"document": SCHEMA})
        level(cluster)
        repeated_operations(cluster)
        everything_is_there_once(cluster)
        written_is_read(cluster)
        replaced_primary(cluster)
        further_nodes(tool, cluster, binary, flags)
        snapshots(tool, cluster, binary, flags)
        altered_store(cluster, alter)
        damaged_log(cluster)
    except BaseException:
        tell_logs(cluster)
        raise
    finally:
        cluster.close()


if __name__ == "__main__":
    main()
