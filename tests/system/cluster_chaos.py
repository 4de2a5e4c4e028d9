# SPDX-License-Identifier: Apache-2.0
"""What befalls a cluster while writers write: nodes are killed, the standby stands still, lines to
PostgreSQL are slow, half-open and cut, a node's clock is set, the primary dies.

Of three nodes the second reaches PostgreSQL over lines (slow_line.py) alone, and the third has a
clock that can be set (clock_shim.c), where the shim is given."""
import os
import random
import signal
import struct
import time

from cluster_world import (LONG, OPERATIONS, PATIENCE_S, WRITERS, Writer, audit, fill_up, judge, level,
                           stats, votes, wait_until, written_is_read)
from icpd import Client
from slow_line import Line

ROUNDS = 40  # of one thing after another, at random, of the long run
SLOW_RATE = 2000  # bytes a second and way
DAY_S = 86400
PINNED = 6  # writes through the second node while its line is cut over and over
CUTS = 20  # connections at most meanwhile: a slow machine comes to nothing else
ANSWER_BYTES = 120  # about those of one answer or question: where a line is cut within it


def chaotic_cluster(tool, binary, shim, flags):
    cluster = tool.Cluster(binary, 0)
    flags = [*flags, "--backup-path", os.path.join(cluster.directory, "backups")]
    cluster.lines = [Line(server.port) for server in cluster.servers]
    over_lines = cluster.where
    for server, line in zip(cluster.servers, cluster.lines):
        over_lines = over_lines.replace(f":{server.port}", f":{line.port}")
    cluster.clock = os.path.join(cluster.directory, "clock") if shim else None
    set_clock(cluster, 0)
    try:
        nodes_start(tool, cluster, binary, shim, over_lines, flags)
    except BaseException:
        cluster.close()
        raise
    return cluster


def nodes_start(tool, cluster, binary, shim, over_lines, flags):
    leaping = {"LD_PRELOAD": shim, "CLOCK_FILE": cluster.clock} if shim else {}
    for name, where, environment in (
            ("node-a", cluster.where, {}), ("node-b", over_lines, {}),
            ("node-c", cluster.where, leaping)):
        node = tool.Node(cluster.directory, name, binary, where, flags, environment)
        if not cluster.nodes:
            node.found()
        cluster.nodes.append(node)
        node.start()


def set_clock(cluster, seconds):
    """Of the third node, so far from what it is."""
    if cluster.clock:
        mode = "r+b" if os.path.exists(cluster.clock) else "wb"
        with open(cluster.clock, mode, buffering=0) as file:
            file.write(struct.pack("=q", seconds))


class Chaos:
    """Each thing that befalls is a method; what must be there afterwards is in `wanted`, and what
    happened in `told`."""

    def __init__(self, cluster, writers):
        self.cluster = cluster
        self.writers = writers
        self.random = random.Random(7)
        self.wanted = []
        self.told = {}
        self.number = 0

    def tell(self, what, most=0):
        times, before = self.told.get(what, (0, 0))
        self.told[what] = (times + 1, max(before, most))

    def done(self):
        return sum(writer.done for writer in self.writers)

    def await_share(self, share):
        wait_until(lambda: self.done() >= share * OPERATIONS or
                   any(writer.fault for writer in self.writers), f"writers stand before {share}",
                   PATIENCE_S * (10 if LONG else 1))

    def again(self):
        """Appends of the node behind the lines that were tried again, their outcome not known."""
        return stats(self.cluster.nodes[1])["appends_again"]

    def node_falls(self, place=None):
        node = self.cluster.nodes[self.random.randrange(3) if place is None else place]
        node.kill()
        time.sleep(0.1)
        node.start()
        self.tell("nodes killed")

    def standby_stands(self):
        """Appends wait for it; where the line is cut meanwhile, nobody knows what came of one, and
        it is tried again under the same ids."""
        cluster, node = self.cluster, self.cluster.nodes[1]
        account = f"stood-{len(self.wanted)}"
        before = self.again()
        cluster.standby.signal_all(signal.SIGSTOP)
        stood = self.done()
        with Client(node.port) as client:
            client.send("account-put", {"accounts": [{"id": account, "values": {}}],
                                        "operation": account})
            wait_until(lambda: cluster.primary.ask(
                "SELECT count(*) FROM pg_stat_activity WHERE wait_event = 'SyncRep'") != "0",
                "no append waits for the standby")
            time.sleep(1)
            # What the standby had before may still be answered: one of each writer.
            more = self.done() - stood
            assert more <= WRITERS, f"{more} writes were acknowledged while the standby stood still"
            for line in cluster.lines:
                line.cut()
            wait_until(lambda: self.again() > before, "the append was not tried again")
            cluster.standby.signal_all(signal.SIGCONT)
            _, status, _, reply = client.receive()
            assert status == 0, reply
        self.wanted.append(account)
        self.tell("times the standby stood still")

    def slow_line(self):
        seconds = self.random.uniform(2, 10) if LONG else 2
        for line in self.cluster.lines:
            line.rate = SLOW_RATE
        until = time.monotonic() + seconds
        behind = 0
        while time.monotonic() < until:
            first, second = (stats(node)["applied"] for node in self.cluster.nodes[:2])
            behind = max(behind, first - second)
            time.sleep(0.1)
        for line in self.cluster.lines:
            line.good()
        self.tell(f"slow lines of {SLOW_RATE} bytes a second, entries behind at most", behind)

    def half_open(self):
        """Nothing goes either way, and nobody says so; then it goes on, or is found to be cut."""
        seconds = self.random.uniform(3, 40) if LONG else 1.5
        for cuts in (False, True):
            for line in self.cluster.lines:
                line.hold()
            time.sleep(seconds)
            for line in self.cluster.lines:
                if cuts:
                    line.cut()
                line.good()
        self.tell("half-open lines, s at most", round(seconds))

    def resets(self):
        return sum(line.resets for line in self.cluster.lines)

    def pinned(self, cut):
        """Writes through the node behind the lines, which are cut over and over meanwhile."""
        self.number += 1
        writer = Writer(f"p{self.number}", PINNED, 0, self.cluster.nodes[1:2])
        writer.start()
        resets = self.resets()
        while writer.is_alive():
            for line in self.cluster.lines if self.resets() < resets + CUTS else ():
                cut(line, self.random.randrange(1, ANSWER_BYTES))
            writer.join(0.25)
        if writer.fault:
            raise writer.fault
        for line in self.cluster.lines:
            line.good()
        self.wanted += [f"{writer.name}-{i}" for i in range(PINNED)]
        return self.resets() - resets

    def cut_in_answers(self):
        before, unknown = self.again(), 0
        for _ in range(20):
            self.tell("times that answers were cut, connections at most", self.pinned(Line.cut_answers))
            unknown = self.again() - before
            if unknown > 0:
                break
        assert unknown > 0, "no answer of an append was lost"
        self.tell("times, appends that were tried again at most", unknown)

    def cut_in_questions(self):
        self.tell("times that questions were cut, connections at most", self.pinned(Line.cut_questions))

    def clock_leaps(self):
        """What a node answers is as old as it is, whatever its clock says."""
        if not self.cluster.clock:
            return
        for seconds in (3600, -DAY_S, 30 * DAY_S, 0):
            set_clock(self.cluster, seconds)
            written_is_read(self.cluster, 3)
            self.tell("leaps of a clock")

    def primary_dies(self):
        self.cluster.fail_over()
        self.tell("primaries killed, the standby promoted")

    def run_short(self):
        things = [self.node_falls, self.standby_stands, self.slow_line, self.half_open,
                  self.cut_in_answers, self.cut_in_questions, self.clock_leaps,
                  lambda: self.node_falls(0), self.primary_dies, lambda: self.node_falls(2)]
        for place, thing in enumerate(things):
            self.await_share((place + 1) / (len(things) + 2))
            thing()

    def run_long(self):
        things = [self.node_falls, self.slow_line, self.half_open, self.cut_in_answers,
                  self.cut_in_questions, self.clock_leaps]
        for round_ in range(ROUNDS):
            self.await_share((round_ + 1) / (ROUNDS + 2))
            if round_ == ROUNDS // 2:
                self.primary_dies()
            elif round_ % 5 == 0 and self.cluster.standby:
                self.standby_stands()
            else:
                things[round_ % len(things)]()


def everything_is_there_once(cluster):
    writers = [Writer(f"w{i}", OPERATIONS // WRITERS, i, cluster.nodes) for i in range(WRITERS)]
    for writer in writers:
        writer.start()
    chaos = Chaos(cluster, writers)
    (chaos.run_long if LONG else chaos.run_short)()
    for writer in writers:
        writer.join(PATIENCE_S * (10 if LONG else 1))
        if writer.fault or writer.is_alive():
            raise writer.fault or TimeoutError(writer.name)
    wanted = chaos.wanted + [f"{writer.name}-{i}" for writer in writers for i in range(writer.count)]
    seq = level(cluster)
    for node in cluster.nodes:
        judge(audit(node), wanted)
    fill_up(cluster, "last")
    found = votes(cluster)
    assert all(kinds == 1 for _, _, kinds in found), found
    for what, (times, most) in chaos.told.items():
        print(f"  {times} {what}" + (f": {most}" if most else ""))
    print(f"{len(wanted)} operations in {sum(writer.tries for writer in writers)} tries, "
          f"{seq} entries, 0 missing, 0 double; {len(found)} comparisons, all the same")
