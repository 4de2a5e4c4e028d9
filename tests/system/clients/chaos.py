# SPDX-License-Identifier: Apache-2.0
"""chaos.py KIND FOLDER ICPD PROXY [--count N] [--seed S] [--control WHICH]: a client of Python or Node
under what libicp is put under by client_chaos, through the same proxy (tests/system/client/chaos_proxy.h).

Eight workers score accounts and store ICP versions, with deadlines of 5 to 204 ms, while one kind of trouble
follows another: connections that are cut, delayed, passed on byte by byte, spoilt, half closed, swallowed,
answered busy or refused, and a server that is killed and started again. After every few the server is well
for a while. It goes on until --count requests were asked (1,500; with ICP_LONG in the environment 100,000)
and every trouble came. Required:
- every request is answered rightly or fails, once, by its deadline + 50 ms, and no fault is told but those
  that chaos explains;
- each version that was answered is stored once, each that failed once or not at all: an ICP version is not
  safe to store twice, so the client repeats it by an operation id alone;
- within a second of the server's return each worker has an answer. It has returned when a bare client that
  opens a connection of its own, one after another, has an answer: that shows what proxy, server and machine
  took, and is told apart;
- at the end no socket is left but the one in use.
Time in which a thread stood ready and the machine ran something else does not count. Told beside it: the
same by the clock, and how late timers of the client's own event loop (or a thread) came.

With --control the client is spoilt, and the test passes if that is found: `deadlines` it disregards them;
`operations` each time it sends a write it gives it another operation id."""
import argparse
import json
import os
import queue
import random
import subprocess
import sys
import tempfile
import time

import planted
from drivers import Driver

WORKERS = 8
GRACE_MS = 50
RECOVERY_MS = 1000
TROUBLES = ("cut", "delay", "dribble", "garbage", "half-close", "silent", "busy", "down", "kill")
EXPLAINED = {"timeout", "closed", "connect", "busy", "bad-reply", "shutting-down"}


def now_ms():
    return time.monotonic() * 1000


def stood_ms(pid):
    """How long the threads of a process stood ready to run while the machine ran something else."""
    total = 0
    for thread in os.listdir(f"/proc/{pid}/task"):
        try:
            with open(f"/proc/{pid}/task/{thread}/schedstat", encoding="ascii") as file:
                total += int(file.read().split()[1])
        except OSError:
            pass  # that thread has ended
    return total / 1e6


class Proxy:
    def __init__(self, binary, seed):
        self.process = subprocess.Popen([binary, str(seed)], text=True, stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE)
        self.port = int(self.process.stdout.readline())

    def say(self, line):
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        self.process.stdout.readline()

    def close(self):
        self.process.stdin.close()
        self.process.wait(timeout=30)
        self.process.stdout.close()


class Chaos:
    """Trouble and recovery, until the client has asked enough."""

    def __init__(self, server, proxy, known, seed, troubles):
        self.server, self.proxy, self.known = server, proxy, known
        self.recent = []  # troubles since the server was well
        self.random = random.Random(seed)
        self.counts = dict.fromkeys(troubles, 0)
        self.returns = []  # of each: when the proxy was clean, when a bare client had an answer, how long server
        # and proxy had stood by when, the troubles before

    def trouble(self):
        fewest = min(self.counts.values())
        kind = self.random.choice([one for one in self.counts if self.counts[one] == fewest])
        self.counts[kind] += 1
        self.recent.append(kind)
        if kind == "kill":
            self.server.stop(9)
        else:
            self.proxy.say(f"mode {kind}")
        time.sleep(self.random.uniform(0.1, 0.5))
        if kind == "kill":
            self.server.start()
            self.proxy.say(f"backend {self.server.port}")

    def recovery(self):
        self.proxy.say("mode clean")
        clean = now_ms()
        back = self.bare_answer()
        others = (self.proxy.process.pid, self.server.process.pid)
        stood = sum(map(stood_ms, others))
        others_stood = []
        while now_ms() < back + RECOVERY_MS + 200:
            time.sleep(0.01)
            others_stood.append((now_ms(), sum(map(stood_ms, others)) - stood))
        self.returns.append((clean, back, others_stood, self.recent))
        self.recent = []

    def bare_answer(self):
        """The control: a connection of its own and one score, until that comes. When it did."""
        while True:
            try:
                with planted.Client(port=self.proxy.port, timeout=0.25) as client:
                    client.call("score", {"id": self.known})
                    return now_ms()
            except (OSError, AssertionError, planted.Refused):  # the proxy's mode of a moment ago
                time.sleep(0.002)

    def round(self):
        for _ in range(self.random.randint(1, 3)):
            self.trouble()
        self.recovery()

    def is_covered(self):
        return min(self.counts.values()) > 0


def returns_judge(returns, workers):
    """How long after the server's return the last worker had an answer, at most; the same by the clock; how many
    had none; and how long the bare client took at most. workers: of each the moments of its answers and how long
    it had stood ready by then."""
    slowest, by_clock, none, bare, troubles = 0, 0, 0, 0, ()
    for clean, back, others_stood, kinds in returns:
        bare = max(bare, back - clean)
        for answers in workers:
            before = max((stood for at, stood in answers if at <= clean), default=0.0)
            after = [(at, stood) for at, stood in answers if clean < at]
            if not after:
                none += 1
                continue
            at, stood = after[0]
            by_clock = max(by_clock, at - back)
            others = next((stood for then, stood in others_stood if then >= at), others_stood[-1][1])
            took = at - back - (stood - before) - others
            if took > slowest:
                slowest, troubles = took, kinds
    return slowest, by_clock, none, bare, troubles


def versions_judge(server, puts):
    """puts: the name of each version that was to be stored, and its number where that was answered."""
    with planted.Client(port=server.port) as client:
        stored = {}
        for row in client.call("icp-list")["icps"]:
            stored.setdefault(row["name"], []).append(row["icp"])
    answered = {name: number for name, number in puts.items() if number is not None}
    twice = [name for name in puts if len(stored.get(name, ())) > 1]
    lost = [name for name, number in answered.items() if stored.get(name) != [number]]
    print(f"versions: {len(puts)} to be stored, {len(answered)} answered, "
          f"{sum(name in stored for name in puts)} there")
    if twice or lost:
        return f"stored twice: {twice[:3]}, answered and not there as answered: {lost[:3]}"
    return "" if answered else "no version was stored: this shows nothing"


def judge(count, told, chaos):
    settled = told["answered"] + sum(told["failed"].values())
    slowest, by_clock, none, bare, troubles = returns_judge(chaos.returns, told["successes"])
    print(f"requests {told['asked']}: answered {told['answered']}, failed {told['failed']}\n"
          f"beyond the deadline: at most {told['late_ms_max']:.0f} ms ({told['late_clock_ms_max']:.0f} by the clock), "
          f"more than {GRACE_MS} ms: {told['late']}; timers of its own: {told['lag_clock_ms_max']:.0f} by the clock\n"
          f"recoveries {len(chaos.returns)}: at most {slowest:.0f} ms ({by_clock:.0f} by the clock) after "
          f"{', '.join(troubles)}; a bare client: {bare:.0f}; workers that did not: {none}\n"
          f"troubles: {chaos.counts}; sockets left: {told['sockets']}")
    if settled != told["asked"] or settled < count:
        return f"{settled} of {told['asked']} requests were settled, {count} were wished for"
    if told["wrong"] or told["late"] or set(told["failed"]) - EXPLAINED:
        return "wrong or late answers, or faults that chaos does not explain"
    if told["answered"] < told["asked"] / 4:
        return "too little was answered: this shows nothing"
    if none or slowest > RECOVERY_MS:
        return "the client did not recover within a second"
    return "" if told["sockets"] <= 1 else "sockets are left"


def run_deadlines(options, server, proxy, wish, stop):
    """Nobody answers, and no call knows its deadline: it must be seen that none ends in time."""
    driver = Driver(options.kind, options.folder, f"icp://127.0.0.1:{proxy.port}", breakDeadlines=True)
    try:
        proxy.say("mode silent")
        driver.begin(load={**wish, "count": WORKERS})
        open(stop, "w", encoding="utf-8").close()
        try:
            told = driver.end(3)
            return "" if told["late"] else f"with deadlines disregarded: {told}"
        except queue.Empty:
            return ""
    finally:
        driver.process.kill()
        driver.close()


def run_chaos(options, server, proxy, wish, stop):
    is_control = options.control == "operations"
    chaos = Chaos(server, proxy, min(wish["raws"]), options.seed, ("cut",) if is_control else TROUBLES)
    with Driver(options.kind, options.folder, f"icp://127.0.0.1:{proxy.port}",
                **({"breakOperations": True} if is_control else {})) as driver:
        driver.begin(load=wish)
        while not chaos.is_covered() or not os.path.exists(wish["enough"]):
            chaos.round()
        chaos.recovery()
        open(stop, "w", encoding="utf-8").close()
        told = driver.end()
        if is_control:
            return "" if "stored twice: ['" in versions_judge(server, told["puts"]) else "nothing was found"
        return judge(options.count, told, chaos) or versions_judge(server, told["puts"])


def run(options, folder):
    server = planted.Server(options.icpd, "--http-port", "0")
    proxy = Proxy(options.proxy, options.seed)
    try:
        ids = [one["id"] for one in planted.fill(server)[:100]]
        with planted.Client(port=server.port) as client:
            raws = {one: client.call("score", {"id": one})["raw"] for one in ids}
            document = json.loads(client.call("icp-get", {"icp": 1})["document"])
        stop, enough = os.path.join(folder, "stop"), os.path.join(folder, "enough")
        wish = {"raws": raws, "document": document, "count": options.count, "workers": WORKERS, "seed": options.seed,
                "grace_ms": GRACE_MS, "stop": stop, "enough": enough}
        proxy.say(f"backend {server.port}")
        return (run_deadlines if options.control == "deadlines" else run_chaos)(options, server, proxy, wish, stop)
    finally:
        proxy.close()
        server.close()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("blocking", "asyncio", "node"))
    parser.add_argument("folder")
    parser.add_argument("icpd")
    parser.add_argument("proxy")
    parser.add_argument("--count", type=int, default=100000 if os.environ.get("ICP_LONG") else 1500)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", choices=("deadlines", "operations"))
    options = parser.parse_args()
    print(f"{options.kind}, seed {options.seed}")
    with tempfile.TemporaryDirectory(prefix="icp-chaos-") as folder:
        fault = run(options, folder)
    print(fault or ("the control was found" if options.control else "every request was settled in time"))
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
