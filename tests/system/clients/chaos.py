# SPDX-License-Identifier: Apache-2.0
"""chaos.py KIND FOLDER ICPD [--count N] [--seed S] [--control]: a client between a server and a proxy that
does to its connections what networks do. Every request must be answered rightly or fail, once, by its
deadline; and afterwards, with the server back and the proxy quiet, all must be answered.

Each connection gets one fate and is lost after some 20 to 20,000 bytes of replies: whole or one byte at a
time or slow until it is cut, with garbage or half closed at the end, a listener that says nothing, `busy`. Meanwhile the server is
killed and started again. With --control the client is told to disregard deadlines, and the test passes if
that is found."""
import argparse
import queue
import random
import socket
import struct
import sys
import threading
import time

import msgpack
import planted
from drivers import Driver

FATES = ("whole", "trickle", "slow", "garbage", "half", "mute", "busy")
WORKERS = 8
TIMEOUT_MS = 1000
# What a machine that is busy with something else may add before a deadline that was kept is seen as such.
GRACE_MS = 3000
HEADER = struct.Struct("<IBBHII")


def whole_frames(data):
    """The frames that are there whole, and the rest. Garbage comes between frames: within one, and without
    a checksum, it would be a value like any other, and these clients ask for none."""
    at = 0
    while len(data) - at >= HEADER.size:
        behind = at + HEADER.size + HEADER.unpack_from(data, at)[0]
        if behind > len(data):
            break
        at = behind
    return data[:at], data[at:]


class Proxy:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.target = 0
        self.quiet = False
        self.lock = threading.Lock()
        self.fates = {fate: 0 for fate in FATES}
        self.open = set()
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            fate = "whole" if self.quiet else self.random.choice(FATES)
            seed = self.random.getrandbits(32)
            self.fates[fate] += 1
            threading.Thread(target=self._serve, args=(client, fate, random.Random(seed)), daemon=True).start()

    def _serve(self, client, fate, rng):
        with self.lock:
            self.open.add(client)
        try:
            if fate == "mute":
                self._wait(client, rng.uniform(0.1, 2.0))
            elif fate == "busy":
                body = msgpack.packb({"code": 20, "error": "busy", "message": "by chance", "field": "",
                                      "retryable": True})
                client.sendall(HEADER.pack(len(body), 1, 20, 1, 0, 0) + body)
            else:
                self._join(client, fate, rng)
        except OSError:
            pass
        finally:
            self._end(client)

    def _wait(self, client, seconds):
        client.settimeout(seconds)
        try:
            while client.recv(65536):
                pass
        except socket.timeout:
            pass

    def _join(self, client, fate, rng):
        with socket.create_connection(("127.0.0.1", self.target), 5) as server:
            server.settimeout(None)
            with self.lock:
                self.open.add(server)
            back = threading.Thread(target=self._pass, args=(server, client, fate, rng, True), daemon=True)
            back.start()
            self._pass(client, server, "whole", rng)
            back.join()
        with self.lock:
            self.open.discard(server)

    def _pass(self, source, drain, fate, rng, back=False):
        left = rng.randrange(20, 20000) if back and not self.quiet else 1 << 60
        frames = b""
        try:
            while True:
                data = source.recv(65536)
                if not data:
                    break
                if fate == "garbage" and left < 1 << 60:
                    frames += data
                    data, frames = whole_frames(frames)
                    if len(data) > left:
                        drain.sendall(data + rng.randbytes(64))
                        break
                if len(data) > left:
                    drain.sendall(data[:left])
                    if fate == "half":
                        drain.shutdown(socket.SHUT_WR)
                        time.sleep(rng.uniform(0, 0.5))
                    if fate in ("whole", "trickle", "slow"):  # a reset in place of an end
                        drain.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    break
                left -= len(data)
                if fate == "trickle" and len(data) < 2000:
                    for at in range(len(data)):
                        drain.sendall(data[at:at + 1])
                    continue
                if fate == "slow":
                    time.sleep(rng.uniform(0, 0.05))
                drain.sendall(data)
        except OSError:
            pass
        for one in (source, drain):
            self._end(one)

    def _end(self, one):
        with self.lock:
            self.open.discard(one)
        try:
            one.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        one.close()

    def calm(self):
        """From now on every connection is whole, and those of before end."""
        self.quiet = True
        with self.lock:
            old = list(self.open)
        for one in old:
            self._end(one)


def restarts(server, proxy, over, rng):
    """Kills the server every second or two and starts it again."""
    while not over.wait(rng.uniform(0.7, 1.5)):
        server.stop(9)
        server.start()
        proxy.target = server.port


def run(options):
    server = planted.Server(options.icpd, "--http-port", "0")
    proxy = Proxy(options.seed)
    driver = None
    over = threading.Event()
    try:
        accounts = planted.fill(server)
        proxy.target = server.port
        with Driver(options.kind, options.folder, f"icp://127.0.0.1:{server.port}") as direct:
            ids = [one["id"] for one in accounts[:100]]
            replies = direct.ask(all=[["score", {"id": one}] for one in ids], timeout_ms=60000)
        raws = {one: reply["raw"] for one, reply in zip(ids, replies)}
        more = {"breakDeadlines": True} if options.control else {}
        driver = Driver(options.kind, options.folder, f"icp://127.0.0.1:{proxy.port}", **more)
        wish = {"raws": raws, "count": options.count, "workers": WORKERS, "timeout_ms": TIMEOUT_MS,
                "grace_ms": GRACE_MS}
        if options.control:
            proxy.target = 1  # nobody
            server.stop(9)
            driver.begin(load=wish)
            try:
                told = driver.end((TIMEOUT_MS + GRACE_MS) / 1000 * 2)
                return f"with deadlines disregarded: {told}" if not told["late"] else ""
            except queue.Empty:
                return ""
        breaker = threading.Thread(target=restarts, args=(server, proxy, over, random.Random(options.seed + 1)))
        breaker.start()
        told = driver.ask(wait_s=300 + options.count / 50, load=wish)
        over.set()
        breaker.join()
        proxy.calm()
        after = driver.ask(load={**wish, "count": 200, "timeout_ms": 60000})
        print(f"{options.kind}, seed {options.seed}: {told}\nafterwards: {after}\nfates: {proxy.fates}")
        return judge(options, told, after)
    finally:
        over.set()
        if driver is not None:
            driver.process.kill() if options.control else None
            driver.close()
        proxy.listener.close()
        server.close()


def judge(options, told, after):
    settled = told["answered"] + sum(told["failed"].values())
    unknown = set(told["failed"]) - {"timeout", "closed", "connect", "busy", "bad-reply", "shutting-down"}
    if settled != options.count:
        return f"{settled} of {options.count} requests were settled"
    if told["wrong"] or told["late"] or unknown:
        return "wrong or late answers, or faults that chaos does not explain"
    if told["answered"] < options.count / 10:
        return "next to nothing was answered: this shows nothing"
    if after["answered"] != 200 or after["wrong"]:
        return "the client did not recover"
    return ""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("kind", choices=("blocking", "asyncio", "node"))
    parser.add_argument("folder")
    parser.add_argument("icpd")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--control", action="store_true")
    options = parser.parse_args()
    fault = run(options)
    print(fault or ("the control was found" if options.control else "every request was settled in time"))
    return 1 if fault else 0


if __name__ == "__main__":
    sys.exit(main())
