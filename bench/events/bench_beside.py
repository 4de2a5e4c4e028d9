#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What scores wait for beside a measure: bench_beside.py ICPD ICP_BENCH FOLDER [--accounts N] [--rate N].

The company of bench_cancel.py is told. Scores by id are asked at a fixed rate (open loop: a late one counts from
when it was due) while nothing else is asked, and while one client asks a measure again and again, in turn. Printed
are the 99th percentiles and their ratio, of the middle of --rounds. Ends non-zero if a ratio is above --limit (1.5),
which says something of a machine by itself; 50,000 scores a second want a core for the load too."""

import argparse
import json
import os
import statistics
import subprocess
import sys
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "system")]
import icpd  # noqa: E402
from bench_cancel import Lane, measures  # noqa: E402


class Asking(threading.Thread):
    """One client that asks a measure until it is told to end."""

    def __init__(self, lane, name):
        super().__init__()
        self.lane, self.name, self.times, self.ended = lane, name, 0, threading.Event()

    def run(self):
        with self.lane.server.client() as client:
            while not self.ended.is_set():
                try:
                    client.call("measure", self.lane.request(self.name))
                except icpd.Refused:
                    pass  # too little data is an answer, and took as long
                self.times += 1


def p99_of(lane, options):
    """Microseconds, and scores a second."""
    path = os.path.join(options.folder, "beside.json")
    workload = os.path.join(HERE, "..", "workloads", "score_id.conf")
    subprocess.run([options.bench, "run", f"--port={lane.server.port}", f"--accounts={options.accounts}",
                    f"--rate={options.rate}", f"--seconds={options.seconds}", "--warmup=1", "--connections=8",
                    f"--json={path}", workload], check=True, stdout=subprocess.DEVNULL)
    with open(path, encoding="utf-8") as file:
        run = json.load(file)["series"][0]["runs"][0]
    assert run["errors"] == 0, run["remark"]
    return run["latency_us"]["p99"], run["rate"]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("icpd")
    parser.add_argument("bench", help="icp-bench")
    parser.add_argument("folder")
    parser.add_argument("--accounts", type=int, default=100000)
    parser.add_argument("--rate", type=int, default=50000)
    parser.add_argument("--seconds", type=float, default=5)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measures", type=measures, default="attribution,handoffs,patterns,retention,gap")
    parser.add_argument("--limit", type=float, default=1.5)
    options = parser.parse_args()
    os.makedirs(options.folder, exist_ok=True)
    good = True
    with Lane(os.path.abspath(options.icpd), options.accounts, "8G") as lane:
        print(f"{options.rate} scores a second beside measures of {lane.told} events; p99 in µs", flush=True)
        for name in options.measures:
            lane.full(name)
            idle, beside, asked, rates = [], [], 0, []
            for _ in range(options.rounds):
                idle.append(p99_of(lane, options)[0])
                asking = Asking(lane, name)
                asking.start()
                p99, rate = p99_of(lane, options)
                asking.ended.set()
                asking.join()
                beside.append(p99)
                rates.append(rate)
                asked += asking.times
            ratio = statistics.median(beside) / statistics.median(idle)
            good = good and ratio <= options.limit
            print(f"{name}: alone {statistics.median(idle):.0f}, beside {statistics.median(beside):.0f}, {ratio:.2f} times; "
                  f"{min(rates):.0f} scores a second at least, asked {asked} times", flush=True)
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
