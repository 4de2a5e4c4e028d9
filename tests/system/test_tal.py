# SPDX-License-Identifier: Apache-2.0
"""filter, count and target account lists against a running icpd; every list is worked out here again
from the scores of single accounts.
usage: test_tal.py path/to/icpd"""
import json
import signal
import struct
import sys
import threading
import time
import unittest

from icpd import HEADER, OPS, Refused, Server
from test_operations import fill

BINARY = sys.argv.pop(1) if __name__ == "__main__" and len(sys.argv) > 1 else "icpd"


def learned_server(count=2000):
    server = Server(BINARY)
    with server.client() as client:
        accounts = fill(client, count)
        client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
    return server, {a["id"]: a["values"] for a in accounts}


def scores(client, ids, icp=0):
    ids = list(ids)
    found = {}
    for at in range(0, len(ids), 5000):
        part = ids[at:at + 5000]
        reply = client.call("score-many", {"ids": part, **({"icp": icp} if icp else {})})
        raws = struct.unpack(f"<{len(part)}q", reply["raw"])
        fits = struct.unpack(f"<{len(part)}f", reply["fit"])
        for i, name in enumerate(part):
            found[name] = (raws[i], fits[i], chr(reply["grade"][i]))
    return found


def ranked(found, keep=lambda name: True):
    """The one order: raw score descending, then id bytewise."""
    return sorted(filter(keep, found), key=lambda name: (-found[name][0], name.encode()))


def greedy(order, k, room):
    """Takes from the order while room(name) says so; what a list must equal."""
    taken = []
    for name in order:
        if len(taken) == k:
            break
        if room(name):
            taken.append(name)
    return taken


class Tal(unittest.TestCase):
    """One server; every test uses list names of its own."""

    @classmethod
    def setUpClass(cls):
        cls.server, cls.accounts = learned_server()
        cls.client = cls.server.client()
        cls.scores = scores(cls.client, cls.accounts)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.close()

    def refused(self, code, op, request, field=None):
        with self.assertRaises(Refused) as caught:
            self.client.call(op, request)
        self.assertEqual(caught.exception.code, code, str(caught.exception))
        if field is not None:
            self.assertEqual(caught.exception.field, field, str(caught.exception))
        return caught.exception

    def entries(self, name):
        return self.client.call("tal-get", {"name": name, "limit": 10000})["entries"]

    def ids(self, name):
        return [entry["id"] for entry in self.entries(name)]

    PREDICATES = {
        "employees > 150": lambda v: v.get("employees", -1) > 150,
        "not employees > 150": lambda v: not v.get("employees", -1) > 150,
        "employees between 20 and 40 or employees is missing":
            lambda v: "employees" not in v or 20 <= v["employees"] <= 40,
        "industry in ('Software', 'Steel') and not tech has 'Jira'":
            lambda v: v["industry"] in ("Software", "Steel") and "Jira" not in v["tech"],
        "tech has all ('SAP', 'Jira') or tech has 'Salesforce'":
            lambda v: {"SAP", "Jira"} <= set(v["tech"]) or "Salesforce" in v["tech"],
        "trial and industry != 'Retail'": lambda v: v["trial"] and v["industry"] != "Retail",
        "embedding is missing": lambda v: True,
        "industry = 'Nothing'": lambda v: False,
    }

    def test_count_and_filter_equal_the_values(self):
        for text, holds in self.PREDICATES.items():
            wanted = [name for name, values in self.accounts.items() if holds(values)]
            reply = self.client.call("count", {"filter": text})
            self.assertEqual((reply["count"], reply["of"]), (len(wanted), len(self.accounts)), text)
            got, after = [], None
            while True:
                page = self.client.call("filter", {"filter": text, "limit": 333,
                                                   **({"after": after} if after else {})})
                got += page["ids"]
                after = page.get("next")
                if not after:
                    break
            self.assertEqual(got, wanted, text)

    def test_conditions_on_scores_equal_the_scores(self):
        for text, holds in {
            "fit >= 80": lambda raw, fit, grade: fit >= 80,
            "score.fit < 12.5 or grade = 'B'": lambda raw, fit, grade: fit < 12.5 or grade == "B",
            "grade not in ('A', 'D')": lambda raw, fit, grade: grade not in "AD",
            "raw > 0": lambda raw, fit, grade: raw > 0,
        }.items():
            wanted = sorted(name for name in self.scores if holds(*self.scores[name]))
            page = self.client.call("filter", {"filter": text, "limit": 10000, "scores": True})
            self.assertEqual(sorted(page["ids"]), wanted, text)
            raws = struct.unpack(f"<{len(page['ids'])}q", page["raw"])
            self.assertEqual(list(raws), [self.scores[name][0] for name in page["ids"]])

    def test_best_first_pages_follow_the_one_order(self):
        wanted = ranked(self.scores, lambda name: self.accounts[name]["industry"] == "Steel")
        got, after = [], None
        while True:
            page = self.client.call("filter", {"filter": "industry = 'Steel'", "sort": "fit",
                                               "limit": 37, **({"after": after} if after else {})})
            got += page["ids"]
            after = page.get("next")
            if not after:
                break
        self.assertEqual(got, wanted)

    def test_values_are_given_as_they_are_stored(self):
        page = self.client.call("filter", {"filter": "trial", "limit": 50,
                                           "fields": ["industry", "employees", "tech"]})
        for name, values in zip(page["ids"], page["values"]):
            own = self.accounts[name]
            self.assertEqual(values.get("industry"), own["industry"])
            self.assertEqual(values.get("employees"), own.get("employees"))
            self.assertEqual(values.get("tech", []), sorted(own["tech"]))

    def test_a_request_that_is_wrong_names_what_is(self):
        self.assertIn("column 11", self.refused("bad-filter", "count",
                                                {"filter": "trial and employes > 3"}).message)
        self.assertIn("column 1", self.refused("bad-filter", "count",
                                               {"filter": "on tal 'nobody'"}).message)
        self.refused("bad-filter", "icp-learn", {"label": "fit > 50"}, "label")
        self.refused("bad-field", "filter", {"filter": "trial", "limit": 10001}, "limit")
        self.refused("bad-field", "filter", {"filter": "trial", "fields": ["nobody"]}, "fields[0]")
        self.refused("bad-field", "filter", {"filter": "trial", "sort": "size"}, "sort")
        for after in ("x", "12", "-3;", "12;x", "99999999999;"):
            self.refused("bad-field", "filter", {"filter": "trial", "after": after}, "after")
        self.refused("bad-field", "filter", {"filter": "trial", "after": "5;", "sort": "fit"}, "after")
        self.refused("not-found", "count", {"filter": "fit > 3", "icp": 77}, "icp")
        build = lambda **more: {"name": "never", **more}
        self.refused("bad-field", "tal-build", {"name": ""}, "name")
        self.refused("bad-field", "tal-build", {"name": "x" * 128}, "name")
        self.refused("bad-field", "tal-build", build(k=0), "k")
        self.refused("bad-field", "tal-build", build(quota=3), "quota")
        self.refused("bad-field", "tal-build", build(quota=3, quota_field="employees"), "quota_field")
        self.refused("missing-field", "tal-build", build(owners=[{"name": "a"}]), "owners[0].capacity")
        self.refused("bad-field", "tal-build",
                     build(segments=[{"name": "a", "quota": 1}, {"name": "a", "quota": 1}]),
                     "segments[1].name")
        self.refused("bad-filter", "tal-build",
                     build(segments=[{"name": "a", "quota": 1, "filter": "trial and"}]),
                     "segments[0].filter")
        self.refused("bad-field", "tal-build", build(exclude_domains=["no domain"]),
                     "exclude_domains[0]")
        self.refused("not-found", "tal-get", {"name": "never"}, "name")
        self.refused("not-found", "tal-diff", {"a": "never", "b": "never"}, "a")
        self.assertNotIn("never", [t["name"] for t in self.client.call("tal-list")["tals"]])

    def test_a_list_is_the_best_that_match_and_are_not_excluded(self):
        order = ranked(self.scores, lambda n: self.accounts[n].get("employees", 0) >= 50)
        out = {order[0], order[3], order[7]}
        built = self.client.call("tal-build", {
            "name": "best", "filter": "employees >= 50", "k": 120, "note": "why",
            "exclude_ids": [order[0], "nobody"], "exclude_keys": [f"crm:{int(order[3][1:]):08d}"],
            "exclude_domains": [f"https://www.company{order[7][1:]}.example/about"]})
        wanted = [name for name in order if name not in out][:120]
        self.assertEqual(self.ids("best"), wanted)
        self.assertEqual((built["count"], built["matched"], built["excluded"]), (120, len(order), 3))
        for rank, entry in enumerate(self.entries("best"), 1):
            one = self.client.call("score", {"id": entry["id"], "reasons": 3})
            self.assertEqual(entry["rank"], rank)
            for name in ("fit", "p", "grade", "raw"):
                self.assertEqual(entry[name], one[name])
            self.assertEqual(entry["reasons"], one["reasons"][:3])
            self.assertTrue(one["tal"])
        head = self.client.call("tal-get", {"name": "best"})["head"]
        self.assertEqual((head["filter"], head["k"], head["note"]), ("employees >= 50", 120, "why"))
        self.assertEqual(len(head["reference"]), 11)
        self.refused("conflict", "tal-build", {"name": "best"}, "name")
        self.assertEqual(self.client.call("count", {"filter": "on tal 'best'"})["count"], 120)
        self.assertEqual(self.client.call("count", {"filter": "on tal 'best' and employees < 50"})["count"], 0)

    def test_builds_in_flight_get_a_number_each_and_a_name_once(self):
        names = [f"flight {i % 8}" for i in range(16)]
        sent = {self.client.send("tal-build", {"name": name, "k": 5}): name for name in names}
        built, refused = [], []
        for _ in names:
            request_id, status, _, reply = self.client.receive()
            if status:
                refused.append((sent[request_id], reply["error"]))
            else:
                built.append(sent[request_id])
        self.assertEqual(sorted(built), sorted(set(names)))
        self.assertEqual(sorted(refused), sorted((name, "conflict") for name in set(names)))

    def test_quotas_segments_and_owners_are_kept_to(self):
        order = ranked(self.scores)
        industry = lambda name: self.accounts[name]["industry"]
        taken = {}

        def quota(name):
            full = taken.get(industry(name), 0) >= 11
            taken[industry(name)] = taken.get(industry(name), 0) + (not full)
            return not full
        self.client.call("tal-build", {"name": "quota", "k": 40, "quota_field": "industry", "quota": 11})
        self.assertEqual(self.ids("quota"), greedy(order, 40, quota))

        segments = [("soft", lambda n: industry(n) == "Software", 7),
                    ("trial", lambda n: self.accounts[n]["trial"], 9)]
        used = {}
        place = {}

        def segment(name):
            for label, holds, most in segments:
                if holds(name) and used.get(label, 0) < most:
                    used[label] = used.get(label, 0) + 1
                    place[name] = label
                    return True
            return False
        owners = [("ann", lambda n: industry(n) == "Software", 4),
                  ("bob", lambda n: industry(n) in ("Software", "Health"), 3),
                  ("eve", lambda n: industry(n) == "Retail", 50)]
        self.client.call("tal-build", {
            "name": "shared", "k": 100,
            "segments": [{"name": "soft", "filter": "industry = 'Software'", "quota": 7},
                         {"name": "trial", "filter": "trial", "quota": 9}],
            "owners": [{"name": "ann", "filter": "industry = 'Software'", "capacity": 4},
                       {"name": "bob", "filter": "industry in ('Software', 'Health')", "capacity": 3},
                       {"name": "eve", "filter": "industry = 'Retail'", "capacity": 50}]})
        entries = self.entries("shared")
        self.assertEqual([e["id"] for e in entries], greedy(order, 100, segment))
        self.assertEqual({e["id"]: e["segment"] for e in entries}, place)
        left = {label: most for label, _, most in owners}
        for entry in entries:
            fits = [(label, left[label]) for label, holds, _ in owners if holds(entry["id"])]
            best = max(fits, key=lambda pair: pair[1], default=None)
            if best is None:
                self.assertIn("no owner's territory", entry["unassigned"])
            elif best[1] == 0:
                self.assertIn("at capacity", entry["unassigned"])
            else:
                self.assertEqual(entry["owner"], best[0])
                left[best[0]] -= 1
        head = self.client.call("tal-get", {"name": "shared", "limit": 0})
        self.assertEqual(head["entries"], [])
        self.assertEqual(sum(o["count"] for o in head["head"]["owners"]) + head["head"]["unassigned"],
                         len(entries))

    def test_two_lists_are_compared_by_account(self):
        self.client.call("tal-build", {"name": "left", "k": 30, "filter": "trial"})
        self.client.call("tal-build", {"name": "right", "k": 40})
        a, b = self.ids("left"), self.ids("right")
        diff = self.client.call("tal-diff", {"a": "left", "b": "right"})
        self.assertEqual((diff["both"], diff["only_a"], diff["only_b"]),
                         (len(set(a) & set(b)), len(set(a) - set(b)), len(set(b) - set(a))))
        self.assertEqual([row["id"] for row in diff["accounts"]], a + [n for n in b if n not in a])
        for row in diff["accounts"]:
            self.assertEqual(row["rank_a"], a.index(row["id"]) + 1 if row["id"] in a else None)
            self.assertEqual(row["rank_b"], b.index(row["id"]) + 1 if row["id"] in b else None)

    def test_the_digest_covers_every_byte_of_the_document(self):
        built = self.client.call("tal-build", {"name": "digest", "k": 5})
        document = self.client.call("tal-get", {"name": "digest", "document": True})["document"]
        self.assertTrue(document.startswith('{"digest":"' + built["digest"] + '"'))
        self.assertEqual(json.loads(document)["count"], 5)
        try:
            import xxhash
        except ImportError:
            return
        self.assertEqual(xxhash.xxh3_64_hexdigest(document.encode()[len('{"digest":"') + 17:]),
                         built["digest"])

    def test_pages_of_a_list_join_to_the_whole(self):
        self.client.call("tal-build", {"name": "pages", "k": 95})
        whole = self.entries("pages")
        parts = [self.client.call("tal-get", {"name": "pages", "offset": at, "limit": 20})["entries"]
                 for at in range(0, 120, 20)]
        self.assertEqual([len(part) for part in parts], [20, 20, 20, 20, 15, 0])
        self.assertEqual(sum(parts, []), whole)


class Changing(unittest.TestCase):
    """Servers whose data or versions change under a list."""

    def setUp(self):
        self.server, self.accounts = learned_server(1000)
        self.client = self.server.client()

    def tearDown(self):
        self.client.close()
        self.server.close()

    def test_check_tells_what_would_differ_and_changes_nothing(self):
        self.client.call("tal-build", {"name": "one", "filter": "industry = 'Software'", "k": 40})
        document = self.client.call("tal-get", {"name": "one", "document": True})["document"]
        checked = self.client.call("tal-check", {"name": "one"})
        self.assertTrue(checked["same"])
        ids = [entry["id"] for entry in json.loads(document)["entries"]]
        self.client.call("account-delete", {"ids": [ids[0]]})
        self.client.call("account-patch", {"accounts": [
            {"id": ids[1], "values": {"industry": "Steel"}}]})
        checked = self.client.call("tal-check", {"name": "one"})
        self.assertFalse(checked["same"])
        self.assertEqual((checked["changed"], checked["gone"]), (1, 1))
        self.assertEqual([c["id"] for c in checked["changes"]], ids[:2])
        self.assertEqual(checked["leaving"], ids[:2])
        self.assertEqual(len(checked["entering"]), 2)
        after = self.client.call("tal-get", {"name": "one", "document": True})["document"]
        self.assertEqual(after, document)
        self.client.call("tal-build", {"name": "two", "filter": "industry = 'Software'", "k": 40})
        two = [e["id"] for e in self.client.call("tal-get", {"name": "two"})["entries"]]
        self.assertEqual(set(two), set(ids) - set(ids[:2]) | set(checked["entering"]))

    def test_lists_survive_kill_and_restart(self):
        self.client.call("tal-build", {"name": "one", "k": 25})
        self.client.call("tal-build", {"name": "two", "k": 10, "filter": "on tal 'one'"})
        listed = self.client.call("tal-list")
        document = self.client.call("tal-get", {"name": "two", "document": True})["document"]
        ids = [e["id"] for e in json.loads(document)["entries"]]
        self.client.close()
        self.server.stop(signal.SIGKILL)
        self.server.start()
        self.client = self.server.client()
        self.assertEqual(self.client.call("tal-list"), listed)
        self.assertEqual(self.client.call("tal-get", {"name": "two", "document": True})["document"],
                         document)
        self.assertTrue(all(self.client.call("score", {"id": name})["tal"] for name in ids))
        self.assertEqual(self.client.call("count", {"filter": "on any tal"})["count"], 25)

    def test_an_account_made_anew_under_the_same_id_is_another(self):
        self.client.call("tal-build", {"name": "one", "k": 5})
        first = self.client.call("tal-get", {"name": "one"})["entries"][0]["id"]
        self.assertTrue(self.client.call("score", {"id": first})["tal"])
        self.client.call("account-delete", {"ids": [first]})
        self.client.call("account-put", {"accounts": [{"id": first, "values": self.accounts[first]}]})
        self.assertFalse(self.client.call("score", {"id": first})["tal"])
        self.client.close()
        self.server.stop()
        self.server.start()
        self.client = self.server.client()
        self.assertFalse(self.client.call("score", {"id": first})["tal"])

    def test_membership_switches_with_the_version_and_never_between(self):
        """Version 1 built a list of Software, version 2 one of everything else. Whatever version a
        score names, its membership is that version's."""
        document = self.client.call("icp-get")["document"]
        self.client.call("icp-put", {"document": document})
        self.client.call("tal-build", {"name": "one", "filter": "industry = 'Software'", "k": 5000})
        self.client.call("tal-build", {"name": "two", "filter": "industry != 'Software'", "k": 5000,
                                       "icp": 2})
        software = {n: v["industry"] == "Software" for n, v in self.accounts.items()}
        names = list(self.accounts)[:64]
        stop = threading.Event()
        wrong, seen = [], set()

        def ask():
            with self.server.client() as client:
                while not stop.is_set():
                    # Written at once, so that the short way for many scores by id is taken as well.
                    import msgpack
                    frames = b""
                    for number, name in enumerate(names):
                        payload = msgpack.packb({"id": name})
                        frames += HEADER.pack(len(payload), 1, OPS["score"], 0, number, 0) + payload
                    client.socket.sendall(frames)
                    for _ in names:
                        number, status, _, reply = client.receive()
                        seen.add(reply["icp"])
                        if status or reply["tal"] != (software[names[number]] == (reply["icp"] == 1)):
                            wrong.append((names[number], reply))
        threads = [threading.Thread(target=ask) for _ in range(3)]
        for thread in threads:
            thread.start()
        for turn in range(60):
            self.client.call("icp-activate", {"icp": 1 + (turn + 1) % 2})
            time.sleep(0.01)
        stop.set()
        for thread in threads:
            thread.join()
        self.assertEqual(wrong[:3], [])
        self.assertEqual(seen, {1, 2})

    def test_a_scan_does_not_wait_for_a_job_nor_a_score_for_a_scan(self):
        learning = self.server.client()
        sent = learning.send("icp-learn", {"label": "won = 1", "seed": 5, "pairs": 8})
        counts = [self.client.send("count", {"filter": "employees = 7 or tech has 'SAP'"})
                  for _ in range(40)]
        ping = self.client.send("ping")
        order = [self.client.receive()[0] for _ in range(41)]
        self.assertEqual(sorted(order), sorted(counts + [ping]))
        self.assertNotEqual(order[-1], ping)
        self.assertEqual(learning.receive()[0], sent)
        learning.close()

    def test_a_cursor_outlives_writes_and_a_restart(self):
        wanted = self.client.call("filter", {"filter": "employees > 0", "limit": 10000})["ids"]
        page = self.client.call("filter", {"filter": "employees > 0", "limit": 7})
        got = page["ids"]
        self.client.call("account-put", {"accounts": [{"id": "late", "values": {"employees": 9}}]})
        self.client.call("account-delete", {"ids": [got[0], wanted[-1]]})
        # These have the places of the deleted, one of which the pages are past.
        self.client.call("account-put", {"accounts": [{"id": f"place {i}", "values": {"employees": 9}}
                                                      for i in range(2)]})
        self.client.close()
        self.server.stop()
        self.server.start()
        self.client = self.server.client()
        while "next" in page:
            page = self.client.call("filter", {"filter": "employees > 0", "limit": 500,
                                               "after": page["next"]})
            got = got + page["ids"]
        self.assertEqual([id for id in got if not id.startswith("place")], wanted[:-1] + ["late"])
        self.assertEqual(len(set(got)), len(got))
        with self.assertRaises(Refused) as caught:
            self.client.call("filter", {"filter": "employees > 0", "sort": "fit", "after": "7;"})
        self.assertEqual((caught.exception.code, caught.exception.field), ("bad-field", "after"))

    def test_a_scan_past_its_deadline_says_so(self):
        asked = [self.client.send("count", {"filter": "employees = 7", "deadline_ms": 1})
                 for _ in range(60)]
        replies = {}
        for _ in asked:
            number, status, _, payload = self.client.receive()
            replies[number] = payload["error"] if status else "ok"
        self.assertLessEqual(set(replies.values()), {"ok", "deadline", "busy"})

    def test_another_version_scores_without_rows(self):
        self.client.call("icp-learn", {"label": "trial = 1 or won = 1", "seed": 9,
                                       "exclude": ["industry"]})
        found = scores(self.client, self.accounts, icp=2)
        self.client.call("tal-build", {"name": "two", "icp": 2, "k": 50, "filter": "employees > 10"})
        wanted = ranked(found, lambda n: self.accounts[n].get("employees", 0) > 10)[:50]
        got = [e["id"] for e in self.client.call("tal-get", {"name": "two"})["entries"]]
        self.assertEqual(got, wanted)
        fit = self.client.call("count", {"filter": "fit > 60", "icp": 2})["count"]
        self.assertEqual(fit, sum(fit > 60 for _, fit, _ in found.values()))


class Empty(unittest.TestCase):
    def test_what_needs_a_schema_or_an_icp_says_so(self):
        server = Server(BINARY)
        try:
            with server.client() as client:
                for op, request, code in (("count", {"filter": "a = 1"}, "no-schema"),
                                          ("tal-build", {"name": "a"}, "no-schema"),
                                          ("tal-get", {"name": "a"}, "not-found")):
                    with self.assertRaises(Refused) as caught:
                        client.call(op, request)
                    self.assertEqual(caught.exception.code, code)
                self.assertEqual(client.call("tal-list"), {"tals": []})
                fill(client, 20)
                self.assertEqual(client.call("count", {"filter": "won is not missing"})["count"], 20)
                for op, request in (("count", {"filter": "fit > 1"}), ("tal-build", {"name": "a"}),
                                    ("filter", {"filter": "won", "sort": "fit"})):
                    with self.assertRaises(Refused) as caught:
                        client.call(op, request)
                    self.assertEqual(caught.exception.code, "no-icp")
        finally:
            server.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
