# SPDX-License-Identifier: Apache-2.0
"""driver.py FOLDER blocking|asyncio URI OPTIONS: does what its standard input says, a JSON line each, with
the Python client that stands in FOLDER, and answers with a JSON line. driver.mjs does the same in Node; so
one test asks both. Commands: call, all, lead, load, hosts, written, last, server; see answer()."""
import asyncio
import json
import os
import random
import sys
import threading
import time

sys.path.insert(0, sys.argv[1])
import icp  # noqa: E402


def spoken(value):
    """A value as JSON: bytes as hexadecimal."""
    if isinstance(value, bytes):
        return {"$bin": value.hex()}
    if isinstance(value, icp.IcpError):
        return {"error": {"name": value.name, "code": value.code, "field": value.field,
                          "message": value.message, "retryable": value.retryable}}
    if isinstance(value, dict):
        return {key: spoken(one) for key, one in value.items()}
    return [spoken(one) for one in value] if isinstance(value, list) else value


TICK_S = 0.005


def now_ms():
    return time.monotonic() * 1000


def sockets():
    """How many are open."""
    found = 0
    for fd in os.listdir("/proc/self/fd"):
        try:
            found += os.readlink(f"/proc/self/fd/{fd}").startswith("socket:")
        except OSError:
            pass  # that of the folder itself
    return found


class Load:
    """Scores of known accounts, and versions to be stored, until the file `stop` is there and `count` were
    asked; the file `enough` says that they were. Deadlines are timeout_ms, or drawn. Each is answered rightly or fails, once and in time."""

    def __init__(self, wish):
        self.wish = wish
        self.lock = threading.Lock()
        self.schedstats = {}  # descriptor: what it said last
        self.sockets = -sockets()
        self.ids = sorted(wish["raws"])
        self.told = {"asked": 0, "answered": 0, "wrong": 0, "late": 0, "late_ms_max": 0.0,
                     "late_clock_ms_max": 0.0, "lag_clock_ms_max": 0.0, "failed": {},
                     "puts": {}, "successes": [[] for _ in range(wish["workers"])], "sockets": 0}

    def thread_begins(self):
        """Counts from now on how long this thread stands ready while the machine runs something else."""
        with self.lock:
            self.schedstats[os.open("/proc/thread-self/schedstat", os.O_RDONLY)] = 0

    def stood_ms(self):
        """Of all threads: where one holds the interpreter and stands, the others wait with it."""
        for one in list(self.schedstats):
            try:
                self.schedstats[one] = int(os.pread(one, 96, 0).split()[1])
            except ProcessLookupError:
                pass  # that thread has ended
        return sum(self.schedstats.values()) / 1e6

    def goes_on(self):
        if self.told["asked"] < self.wish["count"]:
            return True
        if not os.path.exists(self.wish["enough"]):
            open(self.wish["enough"], "w", encoding="utf-8").close()
        return not os.path.exists(self.wish["stop"])

    def requests(self, worker):
        """What to ask: operation, fields, timeout; and a pause behind it."""
        draw = random.Random(self.wish["seed"] * 100 + worker)
        number = 0
        while self.goes_on():
            number += 1
            with self.lock:
                self.told["asked"] += 1
            timeout = self.wish["timeout_ms"] / 1000 if "timeout_ms" in self.wish else draw.uniform(0.005, 0.204)
            if draw.random() < 1 / 16:
                name = f"put-{worker}-{number}"
                yield "icp-put", {"document": {**self.wish["document"], "name": name}}, timeout, draw.random() / 100
            else:
                yield "score", {"id": draw.choice(self.ids)}, timeout, draw.random() / 100

    def tell(self, worker, op, fields, timeout, began, reply, error):
        """began: when it was asked, and how long threads had stood by then."""
        ended, stood = now_ms(), self.stood_ms()
        late_clock = ended - began[0] - timeout * 1000
        late = late_clock - (stood - began[1])
        with self.lock:
            told = self.told
            told["late"] += late > self.wish["grace_ms"]
            told["late_ms_max"] = max(told["late_ms_max"], late)
            told["late_clock_ms_max"] = max(told["late_clock_ms_max"], late_clock)
            if op == "icp-put":
                told["puts"][fields["document"]["name"]] = None if error else reply["icp"]
            if error is not None:
                told["failed"][error.name] = told["failed"].get(error.name, 0) + 1
                return
            told["answered"] += 1
            told["wrong"] += op == "score" and reply["raw"] != self.wish["raws"][fields["id"]]
            told["successes"][worker].append((ended, stood))

    def ticked(self, began):
        """A timer of TICK_S that began then has come: the control, which no client holds up."""
        self.told["lag_clock_ms_max"] = max(self.told["lag_clock_ms_max"], now_ms() - began - TICK_S * 1000)

    def end(self):
        for one in self.schedstats:
            os.close(one)
        self.told["sockets"] = self.sockets + sockets()
        return self.told


class Blocking:
    def __init__(self, uri, options):
        self.uri, self.options = uri, options
        self.client = icp.Client(uri, **options)

    def close(self):
        self.client.close()

    def call(self, op, fields, timeout):
        return self.client.call(op, fields, timeout=timeout)

    def all(self, requests, timeout):
        return self.client.call_all(requests, timeout=timeout)

    def lead(self, fields, timeout):
        return self.client.score_lead(timeout=timeout, **fields)

    def load(self, wish):
        load = Load(wish)

        def work(worker):
            load.thread_begins()
            with icp.Client(self.uri, **self.options) as client:
                for op, fields, timeout, pause in load.requests(worker):
                    began, reply, error = (now_ms(), load.stood_ms()), None, None
                    try:
                        reply = client.call(op, fields, timeout=timeout)
                    except icp.IcpError as found:
                        error = found
                    load.tell(worker, op, fields, timeout, began, reply, error)
                    time.sleep(pause)

        def ticks():
            while not over.is_set():
                began = now_ms()
                time.sleep(TICK_S)
                load.ticked(began)

        over = threading.Event()
        threads = [threading.Thread(target=work, args=(n,)) for n in range(wish["workers"])]
        for thread in [*threads, ticker := threading.Thread(target=ticks)]:
            thread.start()
        for thread in threads:
            thread.join()
        over.set()
        ticker.join()
        return load.end()


class Asyncio:
    def __init__(self, uri, options):
        self.client = icp.AsyncClient(uri, **options)
        self.loop = asyncio.new_event_loop()

    def close(self):
        self.loop.run_until_complete(self.client.close())
        self.loop.close()

    def call(self, op, fields, timeout):
        return self.loop.run_until_complete(self.client.call(op, fields, timeout=timeout))

    def all(self, requests, timeout):
        return self.loop.run_until_complete(self.client.call_all(requests, timeout=timeout))

    def lead(self, fields, timeout):
        return self.loop.run_until_complete(self.client.score_lead(timeout=timeout, **fields))

    def load(self, wish):
        load = Load(wish)
        load.thread_begins()

        async def work(worker):
            for op, fields, timeout, pause in load.requests(worker):
                began, reply, error = (now_ms(), load.stood_ms()), None, None
                try:
                    reply = await self.client.call(op, fields, timeout=timeout)
                except icp.IcpError as found:
                    error = found
                load.tell(worker, op, fields, timeout, began, reply, error)
                await asyncio.sleep(pause)

        async def ticks():
            while True:
                began = now_ms()
                await asyncio.sleep(TICK_S)
                load.ticked(began)

        async def together():
            ticker = asyncio.ensure_future(ticks())
            await asyncio.gather(*(work(n) for n in range(wish["workers"])))
            ticker.cancel()

        self.loop.run_until_complete(together())
        return load.end()


def choose(steps, count):
    """What the choice of a host says to steps [what, host, ms]: an answer for each `after`."""
    hosts = icp.client.Hosts([f"/{n}" for n in range(count)])
    return [found for what, host, ms in steps
            if (found := getattr(hosts, what)(*((host,) if what == "worked" else (host, ms / 1000)))) is not None]


def answer(driver, command):
    timeout = command.get("timeout_ms", 30000) / 1000
    if "call" in command:
        return driver.call(command["call"], command["fields"], timeout)
    if "all" in command:
        return driver.all(command["all"], timeout)
    if "lead" in command:
        return driver.lead(command["lead"], timeout)
    if "load" in command:
        return driver.load(command["load"])
    if "hosts" in command:
        return choose(command["hosts"], command["count"])
    if "written" in command:
        driver.client.written = command["written"]
    if "written" in command or command.get("last"):
        return {"last": driver.client.written and list(driver.client.written)}
    return driver.client.server


def main():
    options = {"callTimeoutMs": 30000, **json.loads(sys.argv[4])}
    named = {"call_timeout": options["callTimeoutMs"] / 1000}
    for option, name, scale in (("connectTimeoutMs", "connect_timeout", 1000), ("token", "token", 0),
                                ("name", "name", 0), ("checksum", "checksum", 0), ("retry", "retry", 0),
                                ("inFlightMax", "in_flight_max", 0), ("seeWritten", "see_written", 0),
                                ("defaultScore", "default_score", 0), ("tlsCa", "tls_ca", 0), ("tlsCertificate", "tls_certificate", 0),
                                ("tlsKey", "tls_key", 0)):
        if option in options:
            named[name] = options[option] / scale if scale else options[option]
    if "breakDeadlines" in options:  # the control: opening a connection knows no deadline
        opening = icp.client.Connecting.open
        icp.client.Connecting.open = lambda self, until: opening(self, until + 3600)
        ready = icp.AsyncClient._ready
        icp.AsyncClient._ready = lambda self, until: ready(self, until + 3600)
    if "breakOperations" in options:  # the control: a write that is sent again has another id
        outgoing = icp.policy.Task.payload_fields

        def other(self, has_operations, *more):
            self.operation = self.operation and icp.policy.operation_id()
            return outgoing(self, has_operations, *more)

        icp.policy.Task.payload_fields = other
    try:
        driver = (Blocking if sys.argv[2] == "blocking" else Asyncio)(sys.argv[3], named)
    except icp.IcpError as error:
        for _ in sys.stdin:
            print(json.dumps({"found": spoken(error), "ms": 0.0}), flush=True)
        return
    for line in sys.stdin:
        began = time.monotonic()
        try:
            found = answer(driver, json.loads(line))
        except icp.IcpError as error:
            found = error
        except Exception as error:  # a fault of the client itself: the test must see it
            found = {"broken": repr(error)}
        print(json.dumps({"found": spoken(found), "ms": (time.monotonic() - began) * 1000}), flush=True)
    driver.close()


if __name__ == "__main__":
    main()
