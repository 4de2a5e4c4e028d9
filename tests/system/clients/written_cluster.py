# SPDX-License-Identifier: Apache-2.0
"""written_cluster.py ICPD PYTHON_FOLDER [NODE_FOLDER]: three icpd on one log in PostgreSQL. A client writes; the
node that it asked is killed (kill -9), or stopped, and another one, which stood still while the write was made,
goes on in that moment: what the client reads next must be what it wrote. 3 turns of each client; with ICP_LONG=1
20, and 20 more that say how often the same goes wrong where reads name no sequence. Exits with 77 (skipped) where
PostgreSQL is not installed: tools/setup test brings it."""
import importlib.machinery
import importlib.util
import os
import signal
import sys
import time

import planted
from drivers import Driver

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
LONG = os.environ.get("ICP_LONG") == "1"
TURNS = 20 if LONG else 3
WAIT_S = 60
SCHEMA = '{"fields": [{"name": "employees", "type": "number"}]}'


def load_tool():
    loader = importlib.machinery.SourceFileLoader("cluster_tool", os.path.join(ROOT, "tools/cluster"))
    module = importlib.util.module_from_spec(importlib.util.spec_from_loader("cluster_tool", loader))
    sys.dont_write_bytecode = True
    loader.exec_module(module)
    return module


def asked(nodes, name):
    """The node that the client of that name is connected to."""
    for node in nodes:
        with planted.Client(port=node.port) as client:
            if any(one["client"] == name for one in client.call("client-list")["clients"]):
                return node
    raise AssertionError("the client is connected to nobody")


def level(nodes):
    """All have applied the same."""
    until = time.monotonic() + WAIT_S
    while True:
        found = []
        for node in nodes:
            with planted.Client(port=node.port) as client:
                found.append(client.call("stats")["metrics"]["cluster"])
        if len({one["applied"] for one in found}) == 1 and all(one["state_following"] for one in found):
            return
        assert time.monotonic() < until, found
        time.sleep(0.02)


def turn(nodes, client, name, value, kills):
    """Whether the read after the loss saw the write before it."""
    client.call("ping")
    gone = asked(nodes, name)
    behind = [node for node in nodes if node is not gone]
    for node in behind:
        os.kill(node.process.pid, signal.SIGSTOP)
    try:
        client.call("account-patch", {"accounts": [{"id": "a", "values": {"employees": value}}]})
    finally:
        if kills:
            gone.kill()
        else:
            os.kill(gone.process.pid, signal.SIGSTOP)
        for node in behind:
            os.kill(node.process.pid, signal.SIGCONT)
    reply = client.call("account-get", {"id": "a"})
    if kills:
        gone.start()
    else:
        os.kill(gone.process.pid, signal.SIGCONT)
    level(nodes)
    return reply["values"]["employees"]["value"] == value


def turns(nodes, kind, folder, **options):
    """How many of them missed what was written."""
    name = f"written-{kind}"
    missed = 0
    uri = "icp://" + ",".join(f"127.0.0.1:{node.port}" for node in nodes)
    with Driver(kind, folder, uri, name=name, **options) as client:
        for number in range(TURNS):
            missed += not turn(nodes, client, name, number + 1, number % 3 != 2)
    return missed


def main(binary, python, *more):
    tool = load_tool()
    if tool.postgres_programs() is None:
        print("skipped: PostgreSQL is not installed (tools/setup test)")
        return 77
    kinds = [("blocking", python), ("asyncio", python), *(("node", folder) for folder in more)]
    cluster = tool.Cluster(binary)
    try:
        for node in cluster.nodes:
            node.flags = ("--port", str(node.port))
        with planted.Client(port=cluster.nodes[0].port) as client:
            client.call("schema-put", {"document": SCHEMA})
            client.call("account-put", {"accounts": [{"id": "a", "values": {"employees": 0}}]})
        level(cluster.nodes)
        for kind, folder in kinds:
            missed = turns(cluster.nodes, kind, folder)
            print(f"{kind}: {missed} of {TURNS} reads missed what was written", flush=True)
            if LONG:
                without = turns(cluster.nodes, kind, folder, seeWritten=False)
                print(f"{kind}: {without} of {TURNS} where they name no sequence", flush=True)
            if missed:
                return 1
    finally:
        cluster.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
