# SPDX-License-Identifier: Apache-2.0
"""icp-router against a real icpd: usage: test_router.py icpd icp-router

Each lead is answered, each decision is stored exactly once, and shares keep to the weights, whatever is
killed meanwhile. With ICP_LONG=1 the leads come at 10,000 a second for ten seconds, in open loop, and none
may be answered after its deadline, from the moment at which it was due; without it few come, and the clock
is not judged. Beside the router a tenth of the lines goes through cat, which only copies: what that takes
is the machine's and the harness's own, and is taken off."""
import http.client
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

from icpd import WAIT_S, Refused, Server  # noqa: E402
from test_operations import fill  # noqa: E402

ICPD, ROUTER = sys.argv.pop(1), sys.argv.pop(1)
LONG = os.environ.get("ICP_LONG") == "1"
ACCOUNTS = 300

RULES = """
deadline 60000            # CI is slow; a long run has its own
default grade=C p=0.1
person ann weight=3
person bo weight=2
person cy weight=1.5 territory=DE,AT
person di active=no
owner a7 bo
conflict ann a8
rule german territory=DE,AT to=ann,bo,cy,di
rule rest to=ann,bo
"""
WEIGHTS = {"ann": 3, "bo": 2, "cy": 1.5}


class Lines:
    """What a program writes, with the moments at which it came; it is read apart from who looks, who is slow."""

    def __init__(self, file):
        self.chunks, self.count = [], 0
        self.thread = threading.Thread(target=self.read, args=(file.fileno(),))
        self.thread.start()

    def read(self, file):
        while True:
            chunk = os.read(file, 1 << 20)
            if not chunk:
                return
            self.chunks.append((time.monotonic(), chunk))
            self.count += chunk.count(b"\n")

    def told(self):
        """Each whole line as an object, with its moment; a kill may have cut off the last."""
        rest = b""
        for moment, chunk in list(self.chunks):
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                yield moment, json.loads(line)


class Router:
    """icp-router on standard input, with its answers by id."""

    def __init__(self, folder, uri, *flags, rules=RULES):
        self.folder = folder
        self.rules = os.path.join(folder, "rules")
        with open(self.rules, "w", encoding="utf-8") as file:
            file.write(rules)
        self.log = open(os.path.join(folder, "told"), "ab")  # pylint: disable=consider-using-with
        self.process = subprocess.Popen(
            [ROUTER, "--stdin", "--rules", self.rules, "--uri", uri, "--spool", os.path.join(folder, "spool"), *flags],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log)
        self.lines = Lines(self.process.stdout)

    @property
    def answers(self):
        return {answer["id"]: answer for _, answer in self.lines.told() if "error" not in answer}

    @property
    def errors(self):
        return [answer for _, answer in self.lines.told() if "error" in answer]

    def send(self, *leads):
        self.process.stdin.write(b"".join(json.dumps(lead).encode() + b"\n" for lead in leads))
        self.process.stdin.flush()

    def raw(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def wait_for(self, count):
        deadline = time.monotonic() + WAIT_S
        while self.lines.count < count:
            assert time.monotonic() < deadline and self.process.poll() is None, (self.lines.count, self.told())
            time.sleep(0.01)

    def end(self, status=0):
        self.process.stdin.close()
        code = self.process.wait(WAIT_S)
        self.lines.thread.join(WAIT_S)
        self.process.stdout.close()
        self.log.close()
        assert code == status, (code, self.told())

    def kill(self):
        self.process.kill()
        self.process.wait(WAIT_S)
        self.lines.thread.join(WAIT_S)
        self.process.stdin.close()
        self.process.stdout.close()
        self.log.close()

    def told(self):
        with open(os.path.join(self.folder, "told"), encoding="utf-8") as file:
            return file.read()

    def listening(self):
        deadline = time.monotonic() + WAIT_S
        while True:
            found = re.findall(r"listening on port (\d+)", self.told())
            if found:
                return int(found[-1])
            assert time.monotonic() < deadline, self.told()
            time.sleep(0.01)


def lead(number, prefix="L", **more):
    """Every tenth is of nobody who is known, every third in Austria."""
    country = "AT" if number % 3 == 0 else "FR"
    values = {"country": country}
    if number % 10 == 0:
        return {"id": f"{prefix}{number}", "email": f"x@unknown{number}.example", "values": values, **more}
    return {"id": f"{prefix}{number}", "account": f"a{number % ACCOUNTS}", "values": values, **more}


class Routing(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="icp-router-")
        self.routers = []
        self.server = Server(ICPD)
        with self.server.client() as client:
            fill(client, ACCOUNTS)
            client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
        self.uri = f"icp+unix:{self.server.socket_path}"

    def tearDown(self):
        for router in self.routers:
            if router.process.poll() is None:
                router.kill()
        self.server.close()
        self.folder.cleanup()

    def router(self, *flags, **more):
        # Under a sanitizer beside other tests icpd takes more than the usual ten seconds at the end.
        patient = () if "--linger" in flags else ("--linger", "120000")
        self.routers.append(Router(self.folder.name, self.uri, *flags, *patient, **more))
        return self.routers[-1]

    def stored(self):
        """Decisions that icpd holds."""
        with self.server.client() as client:
            return client.call("event-query", {"types": ["decision"]})["events"]

    def told(self):
        """The lead of each decision that icpd holds, by the timelines: one that is told again stands again, be it
        under another id or another account."""
        leads = []
        with self.server.client() as client:
            for name in [f"a{i}" for i in range(ACCOUNTS)] + [f"router:unmatched-{i:02}" for i in range(64)]:
                try:
                    events = client.call("timeline", {"id": name, "limit": 1000})["events"]
                except Refused:  # an account for strangers that nobody needed
                    continue
                leads += [event["subject"] for event in events if event["type"] == "decision"]
        return leads

    def shares_hold(self, answers):
        """Turns of a rule among the same people differ from the weights by less than one lead. Whom a conflict bars
        leaves one person here, who gets what they are owed at once, so that the other sets are as if alone."""
        turns = [one for one in answers if one["way"] == "turn"]
        for candidates in {tuple(one["candidates"]) for one in turns}:
            same = [one["person"] for one in turns if tuple(one["candidates"]) == candidates]
            total = sum(WEIGHTS[name] for name in candidates)
            for name in candidates:
                share = len(same) * WEIGHTS[name] / total
                bound = 1 - 1 / (2 * len(candidates) - 2) if len(candidates) > 1 else 0
                self.assertLessEqual(abs(same.count(name) - share), bound + 1e-6, (name, candidates))

    def test_a_lead_is_routed_and_the_decision_says_why(self):
        router = self.router()
        router.send(lead(1), lead(3), lead(7), lead(8), lead(10), lead(11, owner="ann"), lead(1))
        router.raw(b"{]\n\n[1]\n" + b"x" * 70000 + b"\n{\"account\":\"a1\"}\n{\"id\":\"q\",\"country\":\"DE\"}\n")
        router.wait_for(11)
        router.end()
        one = router.answers
        self.assertEqual(sorted(one), ["L1", "L10", "L11", "L3", "L7", "L8"])
        self.assertEqual((one["L1"]["rule"], one["L1"]["way"], one["L1"]["candidates"]), ("rest", "turn", ["ann", "bo"]))
        self.assertEqual(one["L3"]["barred"], {"di": "inactive"})
        self.assertEqual((one["L7"]["way"], one["L7"]["person"]), ("owner", "bo"))
        self.assertEqual((one["L8"]["person"], one["L8"]["barred"]), ("bo", {"ann": "conflict"}))
        self.assertEqual((one["L10"]["matched"], one["L10"]["account"]), ("none", None))
        self.assertEqual((one["L11"]["way"], one["L11"]["person"]), ("owner", "ann"))
        self.assertTrue(all(not answer["default"] and answer["icp"] == 1 for answer in one.values()))
        told = " ".join(error["error"] for error in router.errors)
        for words in ("no JSON", "must be an object", "at most 65536", "\"id\" is missing", "\"country\" is none of"):
            self.assertIn(words, told)
        self.assertEqual(self.stored(), 6)
        with self.server.client() as client:
            event = [e for e in client.call("timeline", {"id": "a7"})["events"] if e["type"] == "decision"][0]
            score = client.call("score", {"id": "a7", "values": {}})
        self.assertEqual((event["kind"], event["person"], event["id"], event["source"]), ("routed", "bo", "L7", "router"))
        self.assertIn(f"p {one['L7']['p']:.6f}", event["label"])
        self.assertEqual(event["quantity"], round(one["L7"]["p"] * 1000))
        self.assertAlmostEqual(one["L7"]["p"], score["p"])

    def test_a_dry_run_keeps_nothing(self):
        router = self.router("--dry-run")
        router.send(*[lead(i) for i in range(1, 20)])
        router.wait_for(19)
        router.end()
        self.assertTrue(all(answer["dry"] for answer in router.answers.values()))
        self.assertEqual(self.stored(), 0)
        self.assertFalse(os.path.exists(os.path.join(self.folder.name, "spool")))

    def test_rules_are_read_again_and_a_slip_keeps_those_before(self):
        router = self.router()
        router.send(lead(1))
        router.wait_for(1)
        for number, (rules, person, told) in enumerate((
                ("person ed\nrule all to=ed\n", "ed", "read again"),
                ("person ed\nrule all to=ed,eva\n", "ed", "rules:2:10: 'eva' is nobody")), 2):
            with open(router.rules, "w", encoding="utf-8") as file:
                file.write(rules)
            router.process.send_signal(signal.SIGHUP)
            deadline = time.monotonic() + WAIT_S
            while told not in router.told():
                self.assertLess(time.monotonic(), deadline, router.told())
                time.sleep(0.01)
            router.send(lead(number))
            router.wait_for(number)
            self.assertEqual(router.answers[f"L{number}"]["person"], person)
        router.end()

    def test_by_http(self):
        router = self.router("--http", "127.0.0.1:0")
        there = http.client.HTTPConnection("127.0.0.1", router.listening(), timeout=WAIT_S)

        def ask(method, path, body=None, **headers):
            there.request(method, path, None if body is None else json.dumps(body), headers)
            reply = there.getresponse()
            return reply.status, reply.read().decode()

        status, tried = ask("POST", "/try", lead(1))
        self.assertEqual((status, json.loads(tried)["dry"]), (200, True))
        self.assertEqual(ask("GET", "/why/L1")[0], 404)
        status, routed = ask("POST", "/route", lead(1))
        self.assertEqual(status, 200)
        self.assertEqual(json.loads(routed)["person"], json.loads(tried)["person"])
        self.assertEqual(json.loads(ask("GET", "/why/L1")[1]), json.loads(routed))
        self.assertTrue(json.loads(ask("POST", "/route", lead(1))[1])["repeated"])
        odd = "of Zo\u00eb: 7/8?"
        routed = ask("POST", "/route", lead(2, id=odd))[1]
        self.assertEqual(json.loads(ask("GET", "/why/" + urllib.parse.quote(odd, safe=""))[1]), json.loads(routed))
        self.assertEqual(ask("POST", "/route", [1])[0], 400)
        self.assertEqual(ask("GET", "/nothing")[0], 404)
        figures = json.loads(ask("GET", "/stats")[1])
        self.assertEqual((figures["decided"], figures["repeated"]), (2, 1))
        self.assertGreater(figures["p99_us"], 0)
        self.assertIn("icp-router", ask("GET", "/")[1])
        there.close()
        for raw, code, words in (
                (b"nonsense\r\n\r\n", 400, "no request of HTTP"),
                (b"DELETE / HTTP/1.1\r\n\r\n", 405, "none of GET and POST"),
                (b"POST /route HTTP/1.1\r\n\r\n", 411, "Content-Length is missing"),
                (b"POST /route HTTP/1.1\r\nContent-Length: 99999\r\n\r\n", 413, "65536 bytes at most"),
                (b"POST /route HTTP/1.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "no request of HTTP"),
                (b"POST /route HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n", 411, "in no chunks"),
                (b"GET /" + b"a" * 600 + b" HTTP/1.1\r\n\r\n", 414, "more than 511 bytes"),
                (b"GET /" + b"a" * 20000 + b" HTTP/1.1\r\n", 431, "16384 bytes at most")):
            there = http.client.HTTPConnection("127.0.0.1", router.listening(), timeout=WAIT_S)
            there.connect()
            there.sock.sendall(raw)
            told = there.sock.recv(4096).decode()
            self.assertEqual(int(told.split()[1]), code, raw[:60])
            self.assertIn(words, told)
            there.close()
        router.end()
        self.assertEqual(self.stored(), 2)

    def test_a_spool_that_is_full_refuses_and_what_it_holds_is_stored_later(self):
        self.server.stop(signal.SIGKILL)
        rules = RULES.replace("deadline 60000", "deadline 400")
        router = self.router("--spool-max", "1", "--linger", "0", rules=rules)
        sent = 4000
        router.send(*[lead(i) for i in range(sent)])
        router.wait_for(sent)
        kept = len(router.answers)
        self.assertTrue(all(answer["default"] and answer["p"] == 0.1 for answer in router.answers.values()))
        self.assertTrue(all("the spool is full" in error["error"] for error in router.errors))
        self.assertTrue(0 < kept < sent, kept)
        router.end(75)
        self.server.start()
        router = self.router()
        router.end()
        self.assertEqual(self.stored(), kept)
        self.assertEqual(os.listdir(os.path.join(self.folder.name, "spool")).__len__(), 1)

    def test_a_router_that_is_killed_forgets_nothing_that_it_answered(self):
        answered = {}
        for life in range(3):
            router = self.router()
            router.send(*[lead(i, f"k{life}-") for i in range(400)])
            router.wait_for(100)
            if life == 1:
                self.server.stop(signal.SIGKILL)
                self.server.start()
            router.kill()
            answered.update(router.answers)
        router = self.router()
        router.end()
        leads = self.told()
        self.assertEqual(len(leads), len(set(leads)))
        self.assertEqual(len(leads), self.stored())
        self.assertEqual(set(answered) - set(leads), set())

    def test_a_decision_that_is_told_twice_is_noticed(self):
        router = self.router()
        router.send(*[lead(i) for i in range(1, 13)])
        router.wait_for(12)
        router.end()
        self.assertEqual((self.stored(), len(self.told()), len(set(self.told()))), (12, 12, 12))
        with self.server.client() as client:
            event = next(e for e in client.call("timeline", {"id": "a1"})["events"] if e["type"] == "decision")
            names = ("type", "kind", "time", "source", "id", "subject", "person", "label", "quantity", "function",
                     "motion")
            event = {name: event[name] for name in names}
            client.call("event-append", {"events": [{**event, "account": "a1"}]})  # the same is one
            self.assertEqual((self.stored(), len(self.told())), (12, 12))
            for again in ({"account": "a1", "id": "again"}, {"account": "a2"}):
                client.call("event-append", {"events": [{**event, **again}]})
        self.assertEqual((self.stored(), len(self.told()), len(set(self.told()))), (14, 14, 12))

    def test_leads_of_no_known_account_are_counted_where_they_are_stored(self):
        router = self.router("--http", "127.0.0.1:0")
        router.send(lead(1), lead(10), lead(20), {"id": "K1", "key": "nobody:7"}, {"id": "A1", "account": "nobody"})
        router.wait_for(5)
        there = http.client.HTTPConnection("127.0.0.1", router.listening(), timeout=WAIT_S)
        deadline = time.monotonic() + WAIT_S
        figures = {"waiting": 5}
        while figures["waiting"] > 0:
            self.assertLess(time.monotonic(), deadline, figures)
            there.request("GET", "/stats")
            figures = json.loads(there.getresponse().read())
            time.sleep(0.01)
        there.request("GET", "/")
        page = there.getresponse().read().decode()
        there.close()
        router.end()
        self.assertEqual((figures["stored"], figures["moved"]), (5, 4))
        self.assertIn("<td>of them, under an account for leads of no known account<td class=n>4</tr>", page)

    def open_loop(self, write, rate, seconds):
        """Calls write(from, to) when those leads are due, and kills icpd three times; returns when it began."""
        total, sent, kills, start = rate * seconds, 0, 0, None
        begun = time.monotonic()
        while sent < total:
            due = min(int((time.monotonic() - begun) * rate) + 1, total)
            if due > sent:
                write(sent, due)
                sent = due
            if sent > total * (kills + 1) // 4 and kills < 3 and not (start and start.is_alive()):
                kills += 1
                start = threading.Thread(target=lambda: (self.server.stop(signal.SIGKILL), self.server.start()))
                start.start()
            time.sleep(0.001)
        start.join(WAIT_S)
        return begun

    def test_open_loop_beside_kills_of_icpd(self):
        rate, seconds = (10000, 10) if LONG else (500, 2)
        rules = RULES.replace("deadline 60000", "deadline 1000") if LONG else RULES
        router = self.router("--http", "127.0.0.1:0", "--linger", "120000", rules=rules)
        lines = [json.dumps(lead(i)).encode() + b"\n" for i in range(rate * seconds)]
        control = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        copied = Lines(control.stdout)

        def write(begin, end):
            router.raw(b"".join(lines[begin:end]))
            control.stdin.write(b"".join(line for i, line in enumerate(lines[begin:end], begin) if i % 10 == 0))
            control.stdin.flush()

        begun = self.open_loop(write, rate, seconds)
        router.wait_for(len(lines))
        control.stdin.close()
        control.wait(WAIT_S)
        copied.thread.join(WAIT_S)
        control.stdout.close()
        there = http.client.HTTPConnection("127.0.0.1", router.listening(), timeout=WAIT_S)
        there.request("GET", "/stats")
        figures = json.loads(there.getresponse().read())
        there.close()
        router.end()
        answers = router.answers
        waited, beside = (sorted(moment - begun - int(one["id"][1:]) / rate for moment, one in told)
                          for told in (router.lines.told(), copied.told()))
        print(json.dumps(figures), *(f"{who}: half {1000 * times[len(times) // 2]:.1f} ms, 99 of 100 "
                                     f"{1000 * times[len(times) * 99 // 100]:.0f}, all {1000 * times[-1]:.0f}"
                                     for who, times in (("from when a lead was due", waited), ("cat", beside))),
              sep="\n", file=sys.stderr)
        self.assertEqual(len(answers), len(lines), router.errors[:3])
        self.assertEqual(self.stored(), len(lines))
        self.assertEqual(len(beside), len(lines) // 10)
        self.shares_hold(answers.values())
        if LONG:
            self.assertEqual(figures["late"], 0)
            self.assertEqual([late for late in waited if late > 1 + beside[-1]], [])


if __name__ == "__main__":
    unittest.main()
