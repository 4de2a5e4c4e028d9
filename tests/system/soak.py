#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An icpd under a mixed load for a long time: whether its memory and its files stay as they are.

usage: soak.py ICPD [--seconds 3600] [--accounts 10000] [--grow]

The load is stationary. A tenth of a second has a turn: accounts are put and patched, the oldest go and
come back as others, so that histories, events, slots and look-alikes of accounts come and go with them;
scores are asked; each second a filter is counted and a look-alike searched, and a connection is opened
and closed; now and then vectors are built, everything is exported and backed up, and the store is
scrubbed. Any error reply ends it. What only grows by what is asked for (schemas, ICP versions, lists,
operation ids up to their bound) is left out.

Every two seconds anonymous memory, the store's file, its log, descriptors and threads are read. Of the
last three quarters of the time the slope of each figure is estimated: twelve stretches, the largest
value of each, for what folds and backups need comes and goes, and a straight line through them with a
95 % interval. A figure grows if the whole interval is above 1 % of its mean an hour. `--grow` is the
control on a real server: nothing is deleted, and that must be seen.

The CTest runs it for some seconds, in which nothing is judged but the answers and the judge itself, on
figures that are made up."""
import argparse
import json
import os
import random
import shutil
import statistics
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import icpd  # noqa: E402
from test_operations import SCHEMA, planted  # noqa: E402

TURN_S, SAMPLE_S, STRETCHES = 0.1, 2, 12
GROWTH_MAX = 0.01  # of the mean, an hour
T_95 = 2.228  # Student's t for ten degrees of freedom, of twelve points
FIGURES = ("memory", "file", "log", "descriptors", "threads")


# ---- the judge ----


def slope(times, values):
    """Hourly slope relative to the mean, and half of its 95 % interval, over maxima of stretches."""
    first, last = times[0], times[-1]
    maxima = [[] for _ in range(STRETCHES)]
    for moment, value in zip(times, values):
        maxima[min(STRETCHES - 1, int((moment - first) / (last - first) * STRETCHES))].append(value)
    tops = [max(stretch) for stretch in maxima if stretch]
    width = (last - first) / STRETCHES / 3600
    mean_at, mean = (len(tops) - 1) / 2, statistics.fmean(tops)
    square = sum((i - mean_at) ** 2 for i in range(len(tops)))
    rise = sum((i - mean_at) * (top - mean) for i, top in enumerate(tops)) / square
    left = sum((top - mean - rise * (i - mean_at)) ** 2 for i, top in enumerate(tops))
    half = T_95 * (left / (len(tops) - 2) / square) ** 0.5
    return rise / width / mean, half / width / mean


def grows(times, values):
    estimate, half = slope(times, values)
    return estimate - half > GROWTH_MAX


def control():
    """A saw with noise does not grow; the same with 5 % an hour on top does."""
    rng = random.Random(3)
    times = list(range(0, 2700, 2))
    level = [100 + moment % 60 / 3 + rng.random() for moment in times]
    rising = [value * (1 + 0.05 * moment / 3600) for moment, value in zip(times, level)]
    return not grows(times, level) and grows(times, rising)


# ---- the load ----


class Load:
    def __init__(self, server, count, grow):
        self.server, self.count, self.grow = server, count, grow
        self.client = server.client()
        self.random = random.Random(11)
        self.turn = self.requests = 0
        self.next = count  # number of the next account; the oldest is `count` below
        self.client.call("schema-put", {"document": json.dumps(SCHEMA)})
        for at in range(0, count, 500):
            self.call("account-put", {"accounts": self.accounts(range(at, min(at + 500, count))),
                                      "source": "test"})
        self.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
        self.call("similar-build")

    def call(self, op, request=None):
        self.requests += 1
        return self.client.call(op, request)

    def accounts(self, numbers):
        return [planted(number, self.random) for number in numbers]

    def someone(self, count):
        return [self.next - 1 - self.random.randrange(self.count - 50) for _ in range(count)]

    def leave_and_come(self, count):
        fresh = range(self.next, self.next + count)
        if not self.grow:
            self.call("account-delete", {"ids": [f"a{n - self.count}" for n in fresh]})
        self.next += count
        self.call("account-put", {"accounts": self.accounts(fresh), "source": "test"})

    def events(self, count):
        now_ms = int(time.time() * 1000)
        self.call("event-append", {"source": "test", "events": [
            {"account": f"a{number}", "type": "touch", "time": now_ms - self.random.randrange(10 ** 9),
             "id": f"{self.turn}-{i}", "kind": "call"}
            for i, number in enumerate(self.someone(count))]})

    def scores(self, count):
        for number in self.someone(count):
            self.client.send("score", {"id": f"a{number}"})
        for _ in range(count):
            _, status, _, reply = self.client.receive()
            assert status == 0, reply
        self.requests += count

    def once_a_second(self):
        self.call("count", {"filter": "employees > 200 and industry = 'Retail'"})
        self.call("filter", {"filter": "trial = 1", "limit": 20})
        try:
            self.call("similar", {"positives": [{"id": f"a{n}"} for n in self.someone(3)], "k": 10})
        except icpd.Refused as refused:  # while vectors are built
            assert refused.code in ("busy", "not-found"), refused
        with self.server.client() as other:
            other.call("ping")

    def now_and_then(self, number):
        if number % 4 == 0:
            self.call("similar-build")
        elif number % 4 == 1:
            self.call("everything-export")
        elif number % 4 == 2:
            self.call("backup", {"name": "soak", "full": True})
            shutil.rmtree(os.path.join(self.server.backups, "soak"))
        else:
            found = self.call("scrub", {"bytes_per_second": 100000000})
            assert found["faults"] == 0, found

    def step(self):
        second = int(1 / TURN_S)
        self.leave_and_come(self.count // 1000)
        self.call("account-put", {"accounts": self.accounts(sorted(set(self.someone(10)))),
                                  "source": "test"})
        self.call("account-patch", {"source": "other", "accounts": [
            {"id": f"a{number}", "values": {"trial": self.random.random() < 0.5}}
            for number in sorted(set(self.someone(10)))]})
        self.events(5)
        self.scores(50)
        if self.turn % second == 0:
            self.once_a_second()
        if self.turn % (30 * second) == 10:
            self.now_and_then(self.turn // (30 * second))
        self.turn += 1


# ---- what is read ----


def anonymous_bytes(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) * 1024 for line in file if line.startswith("RssAnon"))


def folder_bytes(path):
    total = 0
    for name in os.listdir(path):
        try:
            total += os.path.getsize(os.path.join(path, name))
        except FileNotFoundError:  # it has just been dropped
            pass
    return total


def sample(server):
    pid = server.process.pid
    return {"memory": anonymous_bytes(pid),
            "file": os.path.getsize(os.path.join(server.data, "data.mdb")),
            "log": folder_bytes(os.path.join(server.data, "log")),
            "descriptors": len(os.listdir(f"/proc/{pid}/fd")),
            "threads": len(os.listdir(f"/proc/{pid}/task"))}


def run(server, seconds, accounts, grow):
    load = Load(server, accounts, grow)
    begin = time.monotonic()
    times, samples, late = [], [], 0
    due = begin
    while (now := time.monotonic()) < begin + seconds:
        if not times or now >= begin + times[-1] + SAMPLE_S:
            times.append(now - begin)
            samples.append(sample(server))
        load.step()
        due = max(due + TURN_S, time.monotonic() - TURN_S)  # a slow machine does fewer turns
        late += due < time.monotonic()
        time.sleep(max(0, due - time.monotonic()))
    print(f"{seconds:.0f} s, {load.turn} turns, {late} of them late, {load.requests} requests, "
          f"{load.next} accounts made, {accounts} at a time", flush=True)
    return times, samples


def judge(times, samples):
    """Prints a line for each figure; the names of those that grow."""
    from_at = next(i for i, moment in enumerate(times) if moment >= times[-1] / 4)
    found = []
    for name in FIGURES:
        values = [one[name] for one in samples[from_at:]]
        estimate, half = slope(times[from_at:], values)
        grew = grows(times[from_at:], values)
        found += [name] if grew else []
        print(f"{name:12} from {min(values):>12} to {max(values):>12}  last {values[-1]:>12}  "
              f"{100 * estimate:+7.2f} % an hour, ± {100 * half:.2f}{'  GROWS' if grew else ''}",
              flush=True)
    return found


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("icpd")
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--accounts", type=int, default=10000)
    parser.add_argument("--grow", action="store_true")
    options = parser.parse_args()
    if not control():
        print("a planted growth is not seen, or a level is taken for one")
        return 1
    backups = tempfile.mkdtemp(prefix="icpd-soak-")
    server = icpd.Server(options.icpd, "--fold-bytes", "8M", "--overlay-bytes-max", "64M",
                         "--log-bytes-max", "16M", "--backup-path", backups)
    try:
        server.backups = backups
        times, samples = run(server, options.seconds, options.accounts, options.grow)
        if times[-1] < 60:
            return 0  # too short to say anything of it
        found = judge(times, samples)
        return 0 if bool(found) == options.grow else 1
    finally:
        server.close()
        shutil.rmtree(backups, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
