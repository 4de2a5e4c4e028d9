#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""More than a server can do: usage: overload.py icpd [--seconds S] [--factor X] [--share X] [--accounts N]

Walks of the base, look-alikes and durable writes, each first as fast as 50 connections get answers one after another,
which is what the server can do; then at --factor times that rate (2), whether or not answers come. Goodput is what is
answered rightly a second, as a share of the first; the rest must be told `busy`, and nothing may be lost. Printed are
goodput, the share that was busy, and how long the good and the busy ones took, median and 99th percentile, from when
each was due. --share says how much goodput there must be (0.9 in docs/performance.md), for a quiet machine; CI asks only that
every request is answered once, rightly or `busy`. Whoever asks takes a processor as well: with --accounts (2,000) walks
and look-alikes are made longer, until it is the server that has too much to do."""
import argparse
import os
import select
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import attack  # noqa: E402
from icpd import WAIT_S, Server  # noqa: E402

CONNECTIONS = 50
BUSY = 20
WORK = {
    "count": lambda number: {"filter": f"employees > {number % 1000} and trial = 1"},
    "similar": lambda number: {"positives": [{"id": f"a{number % attack.ACCOUNTS}"}], "k": 100},
    "account-patch": lambda number: {"accounts": [{"id": f"a{number % attack.ACCOUNTS}", "values": {"employees": number % 5000}}]},
}


class Run:
    """Requests over all connections, at a rate or, without one, one after another on each."""

    def __init__(self, clients, op, seconds, rate=None):
        self.clients, self.op, self.rate = clients, op, rate
        self.waits, self.good, self.busy, self.wrong = {}, [], [], 0
        self.number = self.in_time = 0
        began = time.monotonic()
        self.play(began, began + seconds)
        self.per_s = self.in_time / seconds

    def ask(self, client, due):
        self.waits[client, client.send(self.op, WORK[self.op](self.number))] = due
        self.number += 1

    def play(self, due, end):
        poll = select.epoll()
        by_fd = {client.socket.fileno(): client for client in self.clients}
        for fd in by_fd:
            poll.register(fd, select.EPOLLIN)
        if self.rate is None:
            for client in self.clients:
                self.ask(client, due)
        until = end + WAIT_S
        while (self.waits or time.monotonic() < end) and time.monotonic() < until:
            now = time.monotonic()
            while self.rate is not None and due <= now and due < end:
                self.ask(self.clients[self.number % CONNECTIONS], due)
                due += 1 / self.rate
            pause = due - now if self.rate is not None and due < end else 0.05
            for fd, _ in poll.poll(max(0, pause)):
                self.take(by_fd[fd], end)
        self.wrong += len(self.waits)

    def take(self, client, end):
        request_id, status, _, _ = client.receive()
        asked = self.waits.pop((client, request_id), None)
        now = time.monotonic()
        if asked is None or status not in (0, BUSY):
            self.wrong += 1
        else:
            (self.busy if status else self.good).append(now - asked)
            self.in_time += status == 0 and now <= end
        if self.rate is None and now < end:
            self.ask(client, now)


def at(took, share):
    return sorted(took)[int(len(took) * share)] * 1e3 if took else float("nan")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("icpd")
    parser.add_argument("--seconds", type=float, default=10 if os.environ.get("ICP_LONG") else 0.2)
    parser.add_argument("--factor", type=float, default=2)
    parser.add_argument("--share", type=float, default=0)
    parser.add_argument("--accounts", type=int, default=attack.ACCOUNTS)
    options = parser.parse_args()
    server = Server(options.icpd, env=dict(os.environ, ICPD_ADMIN_TOKEN=attack.TOKEN))
    good = True
    try:
        with attack.entered(server.port) as client:
            attack.fill(client, options.accounts)
            client.call("icp-learn", {"label": "won = 1", "seed": 1, "activate": True})
        print(f"{'work':14} {'can/s':>8} {'asked/s':>8} {'goodput':>8} {'busy':>6} {'good ms':>16} {'busy ms':>16}")
        for op in WORK:
            clients = [attack.entered(server.port) for _ in range(CONNECTIONS)]
            clients[0].call(op, WORK[op](0))  # what is built at the first is there
            can = Run(clients, op, options.seconds)
            more = Run(clients, op, options.seconds, can.per_s * options.factor or 100)
            for client in clients:
                client.close()
            share = more.per_s / can.per_s if can.per_s else 0
            asked = len(more.good) + len(more.busy)
            print(f"{op:14} {can.per_s:8.0f} {more.number / options.seconds:8.0f} {share:8.2f} "
                  f"{len(more.busy) / asked if asked else 0:6.2f} {at(more.good, .5):7.1f} {at(more.good, .99):8.1f} "
                  f"{at(more.busy, .5):7.1f} {at(more.busy, .99):8.1f}", flush=True)
            good = good and can.wrong + more.wrong == 0 and share >= options.share
        good = server.stop() == 0 and good
    finally:
        server.close()
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
