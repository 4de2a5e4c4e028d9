# SPDX-License-Identifier: Apache-2.0
"""driver.py FOLDER blocking|asyncio URI OPTIONS: does what its standard input says, a JSON line each, with
the Python client that stands in FOLDER, and answers with a JSON line. driver.mjs does the same in Node; so
one test asks both. Commands: call, all, lead, load, server; see answer()."""
import asyncio
import json
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


class Load:
    """Scores of known accounts: each is answered rightly or failed, once and in time."""

    def __init__(self, wish):
        self.wish = wish
        self.lock = threading.Lock()
        self.told = {"answered": 0, "wrong": 0, "late": 0, "slowest_ms": 0.0, "failed": {}}

    def tell(self, account, score, error, began):
        took_ms = (time.monotonic() - began) * 1000
        with self.lock:
            self.told["slowest_ms"] = max(self.told["slowest_ms"], took_ms)
            self.told["late"] += took_ms > self.wish["timeout_ms"] + self.wish["grace_ms"]
            if error is not None:
                self.told["failed"][error.name] = self.told["failed"].get(error.name, 0) + 1
            else:
                self.told["answered"] += 1
                self.told["wrong"] += score["raw"] != self.wish["raws"][account]

    def accounts(self, worker):
        ids = sorted(self.wish["raws"])
        for index in range(worker, self.wish["count"], self.wish["workers"]):
            yield ids[index % len(ids)]


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
            with icp.Client(self.uri, **self.options) as client:
                for account in load.accounts(worker):
                    began, score, error = time.monotonic(), None, None
                    try:
                        score = client.score(id=account, timeout=wish["timeout_ms"] / 1000)
                    except icp.IcpError as found:
                        error = found
                    load.tell(account, score, error, began)

        threads = [threading.Thread(target=work, args=(n,)) for n in range(wish["workers"])]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return load.told


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

        async def work(worker):
            for account in load.accounts(worker):
                began, score, error = time.monotonic(), None, None
                try:
                    score = await self.client.score(id=account, timeout=wish["timeout_ms"] / 1000)
                except icp.IcpError as found:
                    error = found
                load.tell(account, score, error, began)

        async def together():
            await asyncio.gather(*(work(n) for n in range(wish["workers"])))

        self.loop.run_until_complete(together())
        return load.told


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
    return driver.client.server


def main():
    options = {"callTimeoutMs": 30000, **json.loads(sys.argv[4])}
    named = {"call_timeout": options["callTimeoutMs"] / 1000}
    for option, name, scale in (("connectTimeoutMs", "connect_timeout", 1000), ("token", "token", 0),
                                ("retry", "retry", 0), ("inFlightMax", "in_flight_max", 0),
                                ("defaultScore", "default_score", 0)):
        if option in options:
            named[name] = options[option] / scale if scale else options[option]
    if "breakDeadlines" in options:  # the control: opening a connection knows no deadline
        opening = icp.client.Connecting.open
        icp.client.Connecting.open = lambda self, first, until: opening(self, first, until + 3600)
        ready = icp.AsyncClient._ready
        icp.AsyncClient._ready = lambda self, until: ready(self, until + 3600)
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
