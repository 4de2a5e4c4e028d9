#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Look-alike search of a running icpd: metrics, weights, families, queries that wait together, bits
that flip on disk, and a thousand inserts and deletes a second."""
import json
import os
import random
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import icpd  # noqa: E402

BINARY = None
DIMS = 8
VECTOR_ALONE = '{"fields": [{"name": "text", "type": "vector", "dims": %d}]}' % DIMS
GROUPS = """{"fields": [{"name": "text", "type": "vector", "dims": %d},
  {"name": "parent", "type": "category"}, {"name": "owner", "type": "category"},
  {"name": "size", "type": "number"}]}""" % DIMS


def packed(vector):
    return struct.pack("<%df" % DIMS, *vector)


def product(x, y):
    return sum(a * b for a, b in zip(x, y))


def distance2(x, y):
    return sum((a - b) ** 2 for a, b in zip(x, y))


# By metric: the similarity, and a whole number that orders as it does, so that ties are exact.
METRICS = {
    "dot": (product, product),
    "l2": (lambda x, y: 1 / (1 + distance2(x, y) ** 0.5), lambda x, y: -distance2(x, y)),
}


def ask(client, **request):
    for _ in range(600):
        try:
            return client.call("similar", request)
        except icpd.Refused as refused:
            if refused.code != "busy":
                raise
            time.sleep(0.05)
    raise AssertionError("busy for half a minute")


def ids(reply):
    return [result["id"] for result in reply["results"]]


def example(vector):
    return [{"values": {"text": packed(vector)}}]


class Base(unittest.TestCase):
    def setUp(self):
        self.server = icpd.Server(BINARY)
        self.addCleanup(self.server.close)
        self.client = self.server.client()
        self.addCleanup(lambda: self.client.close())

    def restart(self, between=None):
        self.client.close()
        self.server.stop()
        if between:
            between()
        self.server.start()
        self.client = self.server.client()

    def put(self, accounts, client=None):
        for at in range(0, len(accounts), 1000):
            (client or self.client).call("account-put", {"accounts": accounts[at:at + 1000],
                                                         "source": "test"})

    def wait_stored(self):
        for _ in range(1200):
            jobs = self.client.call("job-list")["jobs"]
            # A build that a query was quicker with fails, and the newest job stores the vectors.
            if jobs and jobs[0]["state"] == "done" or self.client.call("similar-plan")["opened"]:
                return
            time.sleep(0.05)
        raise AssertionError(self.client.call("job-list"))


class Metrics(Base):
    def check(self, vectors, metric, rng, filtered):
        """Exactly what brute force gives, ties in order of arrival."""
        value, order = METRICS[metric]
        query = [rng.randint(-2, 2) for _ in range(DIMS)]
        k = rng.choice([1, 10, 60, len(vectors) + 5])
        request = {"positives": example(query), "k": k, "reasons": 0}
        allowed = range(len(vectors))
        if filtered:
            request["filter"] = "size >= 5"
            allowed = [i for i in allowed if i % 10 >= 5]
        if not any(query):
            with self.assertRaises(icpd.Refused):
                ask(self.client, **request)
            return
        reply = ask(self.client, **request)
        wanted = sorted(allowed, key=lambda i: (-order(query, vectors[i]), i))[:k]
        self.assertEqual(reply["metric"], metric)
        self.assertTrue(reply["exact"])
        self.assertEqual(ids(reply), ["a%04d" % i for i in wanted])
        for result, i in zip(reply["results"], wanted):
            self.assertAlmostEqual(result["similarity"], value(query, vectors[i]), places=9)
            if metric == "l2":
                self.assertTrue(0 < result["similarity"] <= 1)

    def test_dot_and_l2_equal_brute_force_with_ties_and_filters(self):
        rng = random.Random(3)
        schema = json.loads(VECTOR_ALONE)
        schema["fields"].append({"name": "size", "type": "number"})
        self.client.call("schema-put", {"document": json.dumps(schema)})
        vectors = [[rng.randint(-2, 2) for _ in range(DIMS)] for _ in range(700)]
        for i in range(0, 700, 9):  # duplicates, and some of nothing
            vectors[i] = vectors[i // 2] if i % 2 else [0] * DIMS
        self.put([{"id": "a%04d" % i, "values": {"text": packed(v), "size": i % 10}}
                  for i, v in enumerate(vectors)])
        for metric in METRICS:
            # The number is for the filter alone: the vector is then compared as it is.
            built = self.client.call("similar-build", {"metric": metric, "weights": {"size": 0}})
            self.assertEqual(built["dims"], DIMS)
            for round_number in range(40):
                self.check(vectors, metric, rng, round_number % 2 == 1)

    def test_wishes_outlive_restart_refit_and_damage(self):
        self.client.call("schema-put", {"document": VECTOR_ALONE})
        rng = random.Random(4)
        self.put([{"id": "a%04d" % i, "values": {"text": packed([rng.gauss(0, 1) for _ in
                                                                 range(DIMS)])}}
                  for i in range(300)])
        self.assertEqual(ask(self.client, positives=[{"id": "a0001"}])["metric"], "cosine")
        self.client.call("similar-build", {"metric": "l2", "vector_share": 0.75, "dims": 64})
        self.client.call("similar-build", {"icp_weights": True})  # the rest stays
        wishes = {"metric": "l2", "vector_share": 0.75, "dims": 64, "icp_weights": True}
        self.assertEqual(json.loads(self.client.call("similar-plan")["wishes"]), wishes)
        self.wait_stored()
        self.restart()
        self.assertEqual(ask(self.client, positives=[{"id": "a0001"}])["metric"], "l2")
        self.client.call("schema-put", {"document": GROUPS})
        self.put([{"id": "a%04d" % i, "values": {
            "text": packed([rng.gauss(0, 1) for _ in range(DIMS)]), "size": i,
            "owner": "o%d" % (i % 5)}} for i in range(300)])
        reply = ask(self.client, positives=[{"id": "a0001"}])  # the schema changed: a refit
        self.assertEqual(reply["metric"], "l2")
        plan = self.client.call("similar-plan")
        self.assertEqual(json.loads(plan["wishes"]), wishes)
        shares = {f["field"]: f["share"] for f in json.loads(plan["plan"])["fields"]}
        self.assertAlmostEqual(shares["text"], 0.75)
        self.client.call("similar-build", {"defaults": True, "weights": {"size": 3, "owner": 1}})
        plan = self.client.call("similar-plan")
        self.assertEqual(plan["metric"], "cosine")
        shares = {f["field"]: f["share"] for f in json.loads(plan["plan"])["fields"]}
        self.assertAlmostEqual(shares["text"], 0.5)
        self.assertAlmostEqual(shares["size"], 3 * shares["owner"])

    def test_builds_that_make_no_sense_are_refused(self):
        self.client.call("schema-put", {"document": VECTOR_ALONE})
        self.put([{"id": "a", "values": {"text": packed([1] * DIMS)}}])
        for request, field in (({"metric": "manhattan"}, "metric"), ({"dims": 8}, "dims"),
                               ({"dims": 4096}, "dims"), ({"vector_share": 1}, "vector_share"),
                               ({"weights": {"nobody": 1}}, "weights"),
                               ({"weights": {"text": -1}}, "weights"),
                               ({"weights": {"text": "much"}}, "weights")):
            with self.assertRaises(icpd.Refused) as caught:
                self.client.call("similar-build", request)
            self.assertEqual(caught.exception.code, "bad-field", request)
            self.assertTrue(caught.exception.field.startswith(field), caught.exception)


class Families(Base):
    def fill(self, count=600, families=6):
        self.client.call("schema-put", {"document": GROUPS})
        rng = random.Random(5)
        accounts = []
        self.parent = {}
        for i in range(count):
            name = "a%04d" % i
            values = {"text": packed([rng.gauss(0, 1) for _ in range(DIMS)])}
            if i >= families:
                head = i % families
                # Half of the children know their parent by its key.
                values["parent"] = "crm:%d" % head if i % 2 else "a%04d" % head
                self.parent[name] = "a%04d" % head
            accounts.append({"id": name, "keys": ["crm:%d" % i], "values": values})
        self.put(accounts)

    def check(self, excluded, **request):
        everybody = ids(ask(self.client, k=1000, reasons=0, positives=request["positives"]))
        for k in (1, 10, 100, 1000):
            found = ids(ask(self.client, k=k, reasons=0, **request))
            self.assertEqual(found, [i for i in everybody if not excluded(i)][:k])

    def test_children_of_a_parent_by_id_and_by_key(self):
        self.fill()
        for name in ("a0003", "crm:3"):
            self.check(lambda i: i == "a0003" or self.parent.get(i) == "a0003",
                       positives=[{"id": "a0200"}], exclude_parents=[name])
        self.check(lambda i: self.parent.get(i, i) in ("a0003", "a0004"),
                   positives=[{"id": "a0200"}], exclude_parents=["a0003", "crm:4", "nobody"])

    def test_the_family_of_an_example(self):
        self.fill()
        family = self.parent["a0200"]
        self.check(lambda i: self.parent.get(i, i) == family, positives=[{"id": "a0200"}],
                   exclude_family=True)
        self.check(lambda i: self.parent.get(i) == "a0001", positives=[{"id": "a0001"}],
                   exclude_family=True)

    def test_another_field_and_none(self):
        self.fill()
        self.put([{"id": "a0300", "values": {"owner": "a0002"}}])
        self.check(lambda i: i in ("a0300", "a0002"), positives=[{"id": "a0200"}],
                   exclude_parents=["a0002"], parent_field="owner")
        for field in ("size", "absent"):
            with self.assertRaises(icpd.Refused) as caught:
                self.client.call("similar", {"positives": [{"id": "a0200"}], "parent_field": field,
                                             "exclude_family": True})
            self.assertEqual((caught.exception.code, caught.exception.field),
                             ("bad-field", "parent_field"))

    def test_control_a_child_among_the_results_is_noticed(self):
        self.fill()
        with self.assertRaises(AssertionError):
            self.check(lambda i: i == "a0003" or self.parent.get(i) == "a0003",
                       positives=[{"id": "a0200"}])


class Together(Base):
    def test_waiting_queries_are_answered_as_if_alone(self):
        rng = random.Random(6)
        self.client.call("schema-put", {"document": GROUPS})
        self.put([{"id": "a%04d" % i, "values": {
            "text": packed([rng.gauss(0, 1) for _ in range(DIMS)]), "size": i % 100,
            "parent": "p%d" % (i % 7)}} for i in range(3000)])
        ask(self.client, positives=[{"id": "a0001"}])
        kinds = [
            lambda: {"positives": [{"id": "a%04d" % rng.randrange(3000)}], "k": 20},
            lambda: {"positives": example([rng.gauss(0, 1) for _ in range(DIMS)]), "k": 5},
            lambda: {"positives": [{"id": "a0007"}], "filter": "size < %d" % rng.choice([2, 50])},
            lambda: {"positives": [{"id": "a0009"}], "recall": 0.9},
            lambda: {"positives": [{"id": "a0011"}, {"id": "a0012"}],
                     "negatives": [{"id": "a0013"}]},
            lambda: {"positives": [{"id": "a0015"}], "exclude_parents": ["p3"]},
            lambda: {"positives": [{"id": "nobody"}]},
            lambda: {"positives": [{"id": "a0017"}], "filter": "size <"},
            lambda: {"positives": [{"id": "a0017"}], "k": 0},
        ]
        requests = [rng.choice(kinds)() for _ in range(400)]
        alone = []
        for request in requests:
            try:
                alone.append(ask(self.client, **request))
            except icpd.Refused as refused:
                alone.append(refused.code)
        for at in range(0, len(requests), 40):
            sent = {self.client.send("similar", r): at + i
                    for i, r in enumerate(requests[at:at + 40])}
            for _ in range(len(sent)):
                number, status, _, reply = self.client.receive()
                self.assertEqual(reply["error"] if status else reply, alone[sent.pop(number)])


class Damage(Base):
    def test_a_bit_that_flips_in_stored_vectors_is_found_and_never_changes_an_answer(self):
        rng = random.Random(8)
        self.client.call("schema-put", {"document": VECTOR_ALONE})
        self.put([{"id": "a%04d" % i, "values": {"text": packed([rng.gauss(0, 1) for _ in
                                                                 range(DIMS)])}}
                  for i in range(1500)])
        queries = [[rng.gauss(0, 1) for _ in range(DIMS)] for _ in range(6)]

        # Whatever builds anew, by itself or for a query, keeps to what was asked for.
        self.client.call("similar-build", {"metric": "l2"})

        def answers():
            self.assertEqual(ask(self.client, positives=example(queries[0]))["metric"], "l2")
            return [ids(ask(self.client, positives=example(q), k=50, reasons=0)) for q in queries]

        wanted = answers()
        found = kept = 0
        for _ in range(24):
            self.wait_stored()
            self.restart(lambda: self.flip(rng))
            self.assertEqual(answers(), wanted)
            if self.client.call("similar-plan")["opened"]:
                kept += 1  # a page that a former generation left behind
            else:
                found += 1
                self.assertIn("must be built anew", self.server.log())
        self.assertGreater(found, 5, "hardly any of the flips hit what is in use")

    def flip(self, rng):
        """One bit anywhere in a block of vectors: its header or what follows."""
        path = os.path.join(self.server.data, "data.mdb")
        with open(path, "r+b") as file:
            data = file.read()
            places = []
            at = data.find(b"ISB1")
            while at >= 0:
                # Within a value of its own pages, behind the headers of page and value. Elsewhere
                # the mark is what a block left behind in a page that holds accounts now.
                page = at - at % 4096
                number, flags = struct.unpack_from("<Q2xH", data, page)
                if at - page == 16 + 64 and number == page // 4096 and flags & 0x04:
                    places.append(at)
                at = data.find(b"ISB1", at + 1)
            place = rng.choice(places) + rng.randrange(800)
            file.seek(place)
            file.write(bytes([data[place] ^ (1 << rng.randrange(8))]))


class Load(Base):
    """A thousand inserts and a thousand deletes a second, in batches of 50."""
    RATE, BATCH, TOTAL = 1000, 50, 5000

    def check(self, reply, vector_name, gone):
        found = ids(reply)
        self.assertFalse(gone & set(found), "deleted accounts were returned")
        if vector_name is not None:
            self.assertEqual(found[0], vector_name, "an acknowledged account was not found")

    def write(self):
        try:
            with self.server.client() as client:
                self.write_with(client, random.Random(9))
        except Exception as fault:  # told by the main thread
            self.faults.append(fault)
        self.ended = time.monotonic()

    def write_with(self, client, rng):
        begun = time.monotonic()
        for number in range(0, self.TOTAL, self.BATCH):
            ahead = begun + number / self.RATE - time.monotonic()
            if ahead > 0:
                time.sleep(ahead)
            batch = {"w%06d" % (number + i): [rng.gauss(0, 1) for _ in range(DIMS)]
                     for i in range(self.BATCH)}
            self.put([{"id": name, "values": {"text": packed(v)}} for name, v in batch.items()],
                     client)
            with self.lock:
                self.present.update(batch)
                names = rng.sample(sorted(self.present), self.BATCH)
                for name in names:  # neither sure to be there nor to be gone
                    self.leaving[name] = self.present.pop(name)
            client.call("account-delete", {"ids": names})
            with self.lock:
                for name in names:
                    self.gone[name] = self.leaving.pop(name)

    def test_nothing_deleted_is_returned_and_everything_acknowledged_is_found(self):
        rng = random.Random(10)
        self.client.call("schema-put", {"document": VECTOR_ALONE})
        self.put([{"id": "a%04d" % i, "values": {"text": packed([rng.gauss(0, 1) for _ in
                                                                 range(DIMS)])}}
                  for i in range(3000)])
        ask(self.client, positives=[{"id": "a0001"}])
        self.lock, self.faults = threading.Lock(), []
        self.present = {"w-%d" % i: [rng.gauss(0, 1) for _ in range(DIMS)] for i in range(500)}
        self.put([{"id": n, "values": {"text": packed(v)}} for n, v in self.present.items()])
        self.leaving, self.gone = {}, {}
        writer = threading.Thread(target=self.write)
        begun = time.monotonic()
        writer.start()
        asked = 0
        while writer.is_alive():
            with self.lock:
                gone = dict(self.gone)
                name = rng.choice(sorted(self.present))
                vector = self.present[name]
            if gone and asked % 2:  # where a deleted one would come first
                vector, name = rng.choice(sorted(gone.items()))[1], None
            reply = ask(self.client, positives=example(vector), k=50, reasons=0)
            with self.lock:
                still = name in self.present
            self.check(reply, name if still else None, set(gone))
            asked += 1
        writer.join()
        self.assertFalse(self.faults, self.faults)
        print("%d inserts, %d deletes in %.1f s, %d queries" %
              (self.TOTAL, len(self.gone), self.ended - begun, asked))
        self.assertGreater(asked, 20)

    def test_control_a_late_answer_is_noticed(self):
        self.client.call("schema-put", {"document": VECTOR_ALONE})
        rng = random.Random(11)
        vector = [rng.gauss(0, 1) for _ in range(DIMS)]
        self.put([{"id": "a%02d" % i, "values": {"text": packed([rng.gauss(0, 1) for _ in
                                                                 range(DIMS)])}}
                  for i in range(50)])
        before = ask(self.client, positives=example(vector), k=5)
        self.put([{"id": "new", "values": {"text": packed(vector)}}])
        between = ask(self.client, positives=example(vector), k=5)
        self.client.call("account-delete", {"ids": ["new"]})
        after = ask(self.client, positives=example(vector), k=5)
        self.check(between, "new", set())
        self.check(after, None, {"new"})
        with self.assertRaises(AssertionError):
            self.check(before, "new", set())
        with self.assertRaises(AssertionError):
            self.check(between, None, {"new"})


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
