# SPDX-License-Identifier: Apache-2.0
"""Each allocation and each system call of a real icpd fails once:
usage: test_fault.py icpd shim [PLACES [REQUEST]]

Start: with the place that fails moving from the first to the last of a start. A start either fails with
an exit code that says so (71 where memory is what is short), or what is served is right: schema, ICP,
score and count as without a fault. Requests: the same for each of a list of requests, counted from
where it is sent; its answer is the right one or a fault that says that nothing was changed, and the
server goes on; one of them is a backup, which has what was written before folded first. In both, no signal ends the server; libuv and libmicrohttpd end the process by themselves
where they cannot go on, which is counted apart and listed. The store is whole at the end.

The control loses a byte of an answer. PLACES (150; all with ICP_LONG=1) is how many places of each kind
are tried, evenly spread."""
import collections
import errno
import json
import mmap
import os
import re
import resource
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

from icpd import PATIENCE, Refused, Server  # noqa: E402
from test_operations import fill  # noqa: E402

ALLOCATIONS, CALLS = "allocation", "call"
START_S = 60
HONEST = {64, 69, 71, 73, 74, 78}  # exit codes of a start that says what is wrong
# What a request may be answered where it cannot be carried out.
REFUSALS = {"no-memory", "io", "disk-full", "busy"}
DONE = "it was done, but"  # a fault that says so: the reply could not be made
LEAVES = {71, 74}  # the server gives up, to be started anew (docs/operating.md)


class Shared:
    """The file that shim and test share (fault_shim.c)."""

    def __init__(self, path):
        with open(path, "wb") as file:
            file.write(bytes(4096))
        with open(path, "r+b") as file:
            self.map = mmap.mmap(file.fileno(), 4096)

    def get(self, at):
        return struct.unpack_from("<Q", self.map, at)[0]

    def put(self, at, value):
        struct.pack_into("<Q", self.map, at, value)

    def so_far(self, kind):
        return self.get(0 if kind == ALLOCATIONS else 16)

    def fail(self, kind, number, code=0, run=1):
        self.put(32, code)
        self.put(40, run)
        self.put(8, number if kind == ALLOCATIONS else 0)
        self.put(24, number if kind == CALLS else 0)

    def clear(self):
        self.map[:128] = bytes(128)

    @property
    def hits(self):
        return self.get(48)

    @property
    def last(self):
        return self.map[56:120].split(b"\0")[0].decode(errors="replace")


class Watched(Server):
    """A server under the shim. Does not raise where it does not start."""

    def __init__(self, binary, shim, *flags):
        self.shim = shim
        super().__init__(binary, *flags)

    def start(self):
        path = os.path.join(self.directory, "fault")
        if not os.path.exists(path):
            self.shared = Shared(path)
        self.env = dict(os.environ, LD_PRELOAD=self.shim, FAULT_FILE=path)
        return self.try_start()

    def try_start(self):
        """None once it serves; else its exit code, or "hung"."""
        ports = os.path.join(self.directory, "ports")
        if os.path.exists(ports):
            os.unlink(ports)
        command = [self.binary, "--host", "127.0.0.1", "--port", "0", "--data", self.data,
                   "--socket-path", self.socket_path, "--ports-file", ports, *PATIENCE, *self.flags]
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(command, stderr=log, stdout=log, env=self.env)
        deadline = time.monotonic() + START_S
        while not os.path.exists(ports):
            if self.process.poll() is not None:
                return self.process.returncode
            if time.monotonic() > deadline:
                return "hung"
            time.sleep(0.005)
        with open(ports) as file:
            self.port = int(dict(line.strip().split(" = ", 1) for line in file)["port"])
        return None


def truth(client):
    """What a client can learn of the store, apart from times."""
    found = {}
    found["schema"] = client.call("schema-get")["document"]
    found["icp"] = client.call("icp-get")["document"]
    found["icps"] = len(client.call("icp-list")["icps"])
    for i in range(0, 300, 50):
        score = client.call("score", {"id": f"a{i}", "reasons": 3})
        score.pop("seq", None)
        found[f"score a{i}"] = score
    found["count"] = client.call("count", {"filter": "trial = 1"})["count"]
    found["metric"] = client.call("metric-get", {"name": "kept"})["definition"]
    return found


def definition(client, name, number):
    """The usual rules of MRR, but for one that goes to and fro."""
    rules = {rule["name"]: rule["choices"][0]["name"] for rule in client.call("measure-list")["rules"]}
    rules["free"] = ["churned", "active"][number % 2]
    return json.dumps({"metric": "mrr", "name": name, "currency": "", "rates": {}, "rules": rules})


def spread(total, most):
    if total <= most:
        return list(range(1, total + 1))
    return sorted({1 + i * (total - 1) // (most - 1) for i in range(most)})


class Report:
    def __init__(self):
        self.outcomes = collections.Counter()
        self.bad = []
        self.libraries = collections.Counter()

    def take(self, where, outcome, last, detail=""):
        self.outcomes[outcome] += 1
        if outcome.startswith("BAD"):
            self.bad.append(f"{where}: {outcome[4:]} ({last}) {detail}")
        elif outcome == "ended by a library":
            self.libraries[last] += 1

    def print(self, what):
        print(f"{what}: " + ", ".join(f"{count} {name}" for name, count in self.outcomes.items()))
        for line in self.bad[:20]:
            print("   " + line)
        for last, count in self.libraries.items():
            print(f"   a library ended the process {count} times: {last}")
        sys.stdout.flush()


def died(server, code):
    """How a server that is gone is judged."""
    if code is not None and code < 0:
        if -code == signal.SIGABRT and "icpd" not in server.shared.last.split(" from ")[-1]:
            return "ended by a library"
        return f"BAD ended by signal {-code}"
    return None


def gone(server, patience_s=1):
    """The exit code of a server that is going; None if it stays."""
    try:
        return server.process.wait(timeout=patience_s)
    except subprocess.TimeoutExpired:
        return None


def serving(server, expected):
    """What a server says that has started. A request that is hit may be refused or lose its
    connection; the next time all must be right."""
    detail = ""
    for attempt in range(2):
        try:
            with server.client(timeout=START_S) as client:
                found = truth(client)
            wrong = [key for key in expected if found.get(key) != expected[key]]
            return (f"BAD served {wrong}" if wrong else
                    "served right" if attempt == 0 else "served right at the second try"), detail
        except Refused as fault:
            detail = str(fault)
            if fault.code not in REFUSALS:
                return "BAD answered", detail
        except (OSError, AssertionError) as fault:
            detail = repr(fault)
        code = gone(server)
        if code is not None:
            return died(server, code) or f"BAD died while serving, exit {code}", detail
    return "BAD answered twice", detail


def start_once(server, kind, number, code, expected, report):
    where = f"start, {kind} {number}" + (f", {errno.errorcode[code]}" if code else "")
    server.shared.clear()
    server.shared.fail(kind, number, code)
    result = server.try_start()
    last = server.shared.last
    detail = ""
    if result is None:
        outcome, detail = serving(server, expected)
        ended = server.stop()
        last = server.shared.last
        if outcome.startswith("served") and ended != 0:
            outcome = died(server, ended) or f"BAD exit {ended} at the end"
    elif result == "hung":
        server.stop(signal.SIGKILL)
        outcome = "BAD hung"
    else:
        outcome = died(server, result) or "refused to start"
        if outcome == "refused to start" and (result not in HONEST or
                                              (kind == ALLOCATIONS and result != 71)):
            outcome = f"BAD exit {result}"
            detail = server.log()[-300:]
    report.take(where, outcome, last, detail)


def starts(server, expected, places):
    server.shared.clear()
    assert server.try_start() is None, server.log()
    with server.client() as client:
        truth(client)
    server.stop()
    totals = {kind: server.shared.so_far(kind) for kind in (ALLOCATIONS, CALLS)}
    bad = 0
    for kind, codes in ((ALLOCATIONS, (0,)), (CALLS, (errno.EIO, errno.ENOSPC, errno.EMFILE))):
        report = Report()
        # What is counted is start, a few requests and end, so that each is hit.
        for index, number in enumerate(spread(totals[kind], places)):
            start_once(server, kind, number, codes[index % len(codes)], expected, report)
        report.print(f"starts, {totals[kind]} {kind}s")
        bad += len(report.bad)
    return bad


VARYING = {"seq", "time", "uptime_s", "job", "icp", "version", "took_ms", "created", "stats",
           "file"}


# A scrub names what the disk does not give, and the reason.
UNREAD = re.compile("(cannot read the log|opening a segment of the log): [A-Z]")


def stable(reply):
    """A reply without what differs from one time to the next."""
    if isinstance(reply, dict) and "told" in reply:
        read = [line for line in reply["told"] if not UNREAD.search(line)]
        return {"faults": reply["faults"] - len(reply["told"]) + len(read), "told": read}
    if isinstance(reply, dict):
        return {key: stable(value) for key, value in reply.items() if key not in VARYING}
    return [stable(item) for item in reply] if isinstance(reply, list) else reply


def accounts_state(client):
    found = []
    for i in range(3):
        try:
            found.append(client.call("account-get", {"id": f"f{i}"})["values"]["employees"]["value"])
        except Refused as fault:
            if fault.code != "not-found":
                raise
            found.append(None)
    return found


def icps_state(client):
    listed = client.call("icp-list")
    return [len(listed["icps"]), len(listed["switches"])]


def nothing_state(client):
    return client.call("ping") and None


def put(number):
    return {"accounts": [{"id": f"f{i}", "values": {"employees": number, "industry": "Software"}}
                         for i in range(3)]}


def told():
    """Subscriptions of some accounts from some day of January 2020 on, for measures."""
    return {"source": "billing", "events": [
        {"account": f"a{i}", "type": "subscription", "id": f"s{i}", "subject": f"s{i % 2}",
         "time": 1577836800000 + i * 86400000, "amount": 100 + i, "currency": "USD", "months": 1}
        for i in range(30)]}


def turn(number):
    """More than a segment of the log holds (a quarter of --log-bytes-max): each begins the next."""
    fillers = [{"id": f"t{i}", "values": {"employees": number, "industry": "x" * 1000}}
               for i in range(300)]
    return {"accounts": put(number)["accounts"] + fillers}


def unfolded_state(client):
    """Leaves something that lies in the log alone, for the backup to have folded."""
    client.call("account-put", put(77))


LEAD = {"values": {"industry": "Software", "employees": 700, "tech": ["Jira"]}}
# name, operation, request of the n-th time, what it changes
REQUESTS = [
    ("score", "score", lambda n: {"id": "a1", "reasons": 3}, nothing_state),
    ("lead", "score", lambda n: dict(LEAD, reasons=3), nothing_state),
    ("score-many", "score-many", lambda n: {"ids": [f"a{i}" for i in range(100)]}, nothing_state),
    ("account-get", "account-get", lambda n: {"id": "a2"}, nothing_state),
    ("as of a moment", "account-get", lambda n: {"id": "a0", "known": 1 << 42}, nothing_state),
    ("account-history", "account-history", lambda n: {"id": "a0"}, nothing_state),
    ("filter", "filter", lambda n: {"filter": "employees > 100 and trial = 1"}, nothing_state),
    ("count", "count", lambda n: {"filter": "employees > 100"}, nothing_state),
    ("measure", "measure", lambda n: {"measure": "retention", "by": "industry", "parameters":
                                      {"from": "2020-01-01", "to": "2020-04-01"}}, nothing_state),
    ("readiness", "measure", lambda n: {"measure": "readiness", "parameters": {}}, nothing_state),
    ("lifecycle", "lifecycle", lambda n: {"id": "a3", "at": 1580000000000}, nothing_state),
    ("label", "label", lambda n: {"policy": POLICY, "limit": 5}, nothing_state),
    ("account-put", "account-put", put, accounts_state),
    ("account-patch", "account-patch", put, accounts_state),
    ("account-delete", "account-delete", lambda n: {"ids": ["f1"]} if n % 2 else put(n),
     accounts_state),
    ("icp-put", "icp-put", lambda n: {"document": DOCUMENT}, icps_state),
    ("icp-revert", "icp-revert", lambda n: {"reason": "again"}, icps_state),
    ("icp-learn", "icp-learn", lambda n: {"label": "won = 1", "seed": 3}, icps_state),
    ("similar-build", "similar-build", lambda n: {}, nothing_state),
    ("similar", "similar", lambda n: {"positives": [{"id": "a1"}], "k": 5}, nothing_state),
    ("tal-build", "tal-build", lambda n: {"name": f"list {n}", "k": 20},
     lambda client: len(client.call("tal-list")["tals"])),
    ("tal-list", "tal-list", lambda n: {}, nothing_state),
    ("metric-put", "metric-put", lambda n: {"definition": DEFINITIONS[n % 2]},
     lambda client: len(client.call("metric-list", {"all": True})["definitions"])),
    ("metric-get", "metric-get", lambda n: {"name": "kept@1"}, nothing_state),
    ("segment-put", "segment-put", lambda n: {"name": f"s{n % 3}", "filter": f"employees > {n}"},
     lambda client: len(client.call("segment-list", {"all": True})["segments"])),
    ("by a definition", "measure", lambda n: {
        "measure": "bridge", "definition_name": "kept@1", "against_name": "usual",
        "parameters": {"from": "2020-01-01", "to": "2020-04-01", "top": 3}}, nothing_state),
    ("stats", "stats", lambda n: {}, nothing_state),
    ("scrub", "scrub", lambda n: {}, nothing_state),
    ("turn of the log", "account-put", turn, accounts_state),
    ("fold and backup", "backup", lambda n: {"name": f"b{n}"}, unfolded_state),
]
DOCUMENT = ""
DEFINITIONS = ["", ""]
POLICY = """{"policy": 1, "name": "n", "moment": "customer", "maturity": "9 days", "archetypes": [
 {"name": "good", "when": [{"measure": "nrr", "after": "5 days", "at_least": 1}]}]}"""


class Target:
    """A server that one request after the other is sent to."""

    def __init__(self, server):
        self.server = server
        self.client = None
        self.number = 1000

    def up(self):
        if self.server.process.poll() is not None:
            self.server.shared.clear()
            if self.server.try_start() is not None:
                raise RuntimeError("the server does not start any more:\n" + self.server.log())
            self.client = None
        if self.client is None:
            self.client = self.server.client(timeout=START_S)

    def drop(self):
        if self.client is not None:
            self.client.close()
        self.client = None

    def calm(self, call):
        """Without a fault; a connection that was hit is opened anew."""
        self.server.shared.fail(ALLOCATIONS, 0)
        for attempt in range(3):
            try:
                self.up()
                return call(self.client)
            except OSError:
                self.drop()
                gone(self.server, 0.5)
        raise RuntimeError("the server does not answer any more")

    def send(self, op, make):
        self.number += 1
        request = make(self.number)
        op = "account-put" if "accounts" in request and op == "account-delete" else op
        return self.client.call(op, request)


def request_once(target, row, kind, offset, code, expected, report):
    name, op, make, state = row
    server = target.server
    before = target.calm(state)
    where = f"{name}, {kind} {offset}" + (f", {errno.errorcode[code]}" if code else "")
    server.shared.fail(kind, server.shared.so_far(kind) + offset, code)
    detail = ""
    try:
        reply = target.send(op, make)
        outcome = "right" if expected is None or stable(reply) == expected else "BAD answered wrong"
        detail = "" if outcome == "right" else f"{reply}"[:300]
    except Refused as fault:
        outcome = ("refused" if fault.code in REFUSALS else
                   "done, but told so by a fault" if DONE in fault.message else "BAD refused")
        detail = str(fault)
    except OSError as fault:
        outcome = "closed"
        detail = repr(fault)
        target.drop()
    except AssertionError as fault:
        outcome = "BAD reply"
        detail = str(fault)[:300]
    last = server.shared.last
    server.shared.fail(ALLOCATIONS, 0)
    code = gone(server, 1 if outcome == "closed" else 0)
    if code is not None:
        outcome = died(server, code) or ("left" if code in LEAVES else f"BAD died, exit {code}")
        detail = server.log()[-300:]
        target.drop()
    after = target.calm(state)
    if outcome == "refused" and after != before:
        outcome = "BAD refused and done"
        detail += f" {before} → {after}"
    report.take(where, outcome, last, detail)


def requests(server, places, only):
    global DOCUMENT
    target = Target(server)
    target.up()
    DOCUMENT = target.client.call("icp-get")["document"]
    DEFINITIONS[:] = [definition(target.client, "turns", number) for number in range(2)]
    target.calm(lambda client: client.call("account-put", put(1)))
    target.calm(lambda client: client.call("event-append", told()))
    bad = 0
    for row in REQUESTS:
        name, op, make, state = row
        if only is not None and name != only:
            continue
        used = {}
        replies = []
        for _ in range(3):
            target.calm(state)
            counted = {kind: server.shared.so_far(kind) for kind in (ALLOCATIONS, CALLS)}
            replies.append(stable(target.calm(lambda client: target.send(op, make))))
            used = {kind: server.shared.so_far(kind) - counted[kind] for kind in counted}
        steady = all(reply == replies[0] for reply in replies)
        for kind, codes in ((ALLOCATIONS, (0,)), (CALLS, (errno.EIO, errno.ENOSPC, errno.ENOMEM))):
            report = Report()
            for index, offset in enumerate(spread(used[kind], max(3, places // 6))):
                request_once(target, row, kind, offset, codes[index % len(codes)],
                             replies[0] if steady else None, report)
            report.print(f"{name}, {used[kind]} {kind}s")
            bad += len(report.bad)
    target.drop()
    server.stop()
    return bad


def scrubbed(server):
    run = subprocess.run([server.binary, "--scrub", "--data", server.data], capture_output=True,
                         text=True, check=False)
    print("scrub: " + run.stdout.strip())
    return run.returncode == 0


def control(server, expected):
    server.shared.clear()
    assert server.try_start() is None
    with server.client() as client:
        values = {"employees": 1, "industry": "Steel", "tech": [], "trial": True}
        client.call("account-put", {"accounts": [{"id": "a0", "values": values}]})
        found = truth(client)
    server.stop()
    noticed = found != expected
    print("control: a change is " + ("noticed" if noticed else "not noticed"))
    return noticed


def main():
    binary, shim = sys.argv[1:3]
    places = (int(sys.argv[3]) if len(sys.argv) > 3 else
              10 ** 9 if os.environ.get("ICP_LONG") == "1" else 150)
    only = sys.argv[4] if len(sys.argv) > 4 else None
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if os.access("/dev/shm", os.W_OK):
        os.environ["TMPDIR"] = "/dev/shm"
    backups = tempfile.mkdtemp(prefix="icpd-fault-")
    server = Watched(binary, shim, "--workers", "1", "--log-bytes-max", "1M", "--backup-path", backups)
    try:
        with server.client() as client:
            fill(client, 300)
            client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
            client.call("icp-learn", {"label": "won = 1", "seed": 4, "activate": True})
            client.call("metric-put", {"definition": definition(client, "kept", 1)})
            expected = truth(client)
        server.stop()
        bad = 0 if only is not None else starts(server, expected, places)
        good = control(server, expected) or only is not None
        assert server.try_start() is None
        bad += requests(server, places, only)
        return 0 if scrubbed(server) and good and bad == 0 else 1
    finally:
        server.close()
        shutil.rmtree(backups)


if __name__ == "__main__":
    sys.exit(main())
