#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Look-alike search of a running icpd against brute force in Python: exact answers, filters,
negatives, exclusions, changes under load, restarts and kills."""
import math
import os
import random
import signal
import struct
import sys
import threading
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import icpd  # noqa: E402

BINARY = None
DIMS = 16
SCHEMA = """{"fields": [
  {"name": "text", "type": "vector", "dims": %d},
  {"name": "tier", "type": "number", "family": "firmographic"},
  {"name": "country", "type": "category"},
  {"name": "tech", "type": "tags"}]}""" % DIMS
# Alone in its schema, a vector field is compared as it is.
SCHEMA_VECTOR = '{"fields": [{"name": "text", "type": "vector", "dims": %d}]}' % DIMS


def vector_of(rng):
    return [struct.unpack("<f", struct.pack("<f", rng.gauss(0, 1)))[0] for _ in range(DIMS)]


def packed(vector):
    return struct.pack("<%df" % DIMS, *vector)


def cosine(x, y):
    dot = math.fsum(a * b for a, b in zip(x, y))
    return dot / math.sqrt(math.fsum(a * a for a in x) * math.fsum(b * b for b in y))


def put(client, vectors, extra=None):
    accounts = [dict(id=name, values=dict(text=packed(vector), **(extra(name) if extra else {})))
                for name, vector in vectors.items()]
    for at in range(0, len(accounts), 1000):
        client.call("account-put", {"accounts": accounts[at:at + 1000], "source": "test"})


def ask(client, **request):
    """Asks again while the server says that it is busy opening or building."""
    for _ in range(600):
        try:
            return client.call("similar", request)
        except icpd.Refused as refused:
            if refused.code != "busy":
                raise
            time.sleep(0.1)
    raise AssertionError("busy for a minute")


class Base(unittest.TestCase):
    flags = ()

    def setUp(self):
        self.server = icpd.Server(BINARY, *self.flags)
        self.addCleanup(self.server.close)
        self.client = self.server.client()
        self.addCleanup(lambda: self.client.close())

    def restart(self, number=signal.SIGTERM):
        self.client.close()
        self.server.stop(number)
        self.server.start()
        self.client = self.server.client()

    def fill(self, count, seed=1, schema=SCHEMA_VECTOR, extra=None):
        rng = random.Random(seed)
        self.client.call("schema-put", {"document": schema})
        self.vectors = {"a%05d" % i: vector_of(rng) for i in range(count)}
        put(self.client, self.vectors, extra)

    def check_nearest(self, reply, vector, k, allowed=None, without=()):
        """The reply is what brute force gives; equal similarities may stand in any order here,
        because a float rounds where Python does not."""
        wanted = sorted(((cosine(vector, v), name) for name, v in self.vectors.items()
                         if name not in without and (allowed is None or allowed(name))),
                        key=lambda pair: (-pair[0], pair[1]))[:k]
        results = reply["results"]
        self.assertEqual(len(results), len(wanted))
        self.assertTrue(reply["exact"])
        for result, (similarity, name) in zip(results, wanted):
            self.assertAlmostEqual(result["similarity"], similarity, places=5)
            self.assertAlmostEqual(cosine(vector, self.vectors[result["id"]]), similarity,
                                   places=5)
        self.assertEqual(len({r["id"] for r in results}), len(results))


class Exact(Base):
    def test_equals_brute_force(self):
        self.fill(3000)
        rng = random.Random(7)
        for _ in range(40):
            vector = vector_of(rng)
            k = rng.choice([1, 10, 100])
            reply = ask(self.client, positives=[{"values": {"text": packed(vector)}}], k=k)
            self.check_nearest(reply, vector, k)
        name = "a00017"
        reply = ask(self.client, positives=[{"id": name}], k=5)
        self.check_nearest(reply, self.vectors[name], 5, without=(name,))
        self.assertEqual({r["example"] for r in reply["results"]}, {name})

    def test_control_a_wrong_answer_is_noticed(self):
        self.fill(200)
        reply = ask(self.client, positives=[{"values": {"text": packed([1] * DIMS)}}], k=5)
        self.check_nearest(reply, [1] * DIMS, 5)
        reply["results"][0], reply["results"][4] = reply["results"][4], reply["results"][0]
        with self.assertRaises(AssertionError):
            self.check_nearest(reply, [1] * DIMS, 5)
        del reply["results"][2]
        with self.assertRaises(AssertionError):
            self.check_nearest(reply, [1] * DIMS, 5)

    def test_ties_come_in_order_of_arrival(self):
        self.fill(100)
        same = vector_of(random.Random(3))
        put(self.client, {"t%02d" % i: same for i in range(20)})
        reply = ask(self.client, positives=[{"values": {"text": packed(same)}}], k=15)
        self.assertEqual([r["id"] for r in reply["results"]], ["t%02d" % i for i in range(15)])
        self.assertAlmostEqual(reply["results"][0]["similarity"], 1, places=6)

    def test_negatives_never_win(self):
        self.fill(2000)
        rng = random.Random(11)
        for _ in range(10):
            plus, minus = vector_of(rng), vector_of(rng)
            reply = ask(self.client, positives=[{"values": {"text": packed(plus)}}],
                        negatives=[{"values": {"text": packed(minus)}}], k=300)
            sides = []
            for result in reply["results"]:
                v = self.vectors[result["id"]]
                sides.append(cosine(plus, v) - cosine(minus, v))
            far = next((i for i, d in enumerate(sides) if d < -1e-6), len(sides))
            self.assertTrue(all(d <= 1e-6 for d in sides[far:]), "a negative stands before")

    def test_filters_and_exclusions(self):
        self.fill(2000, schema=SCHEMA,
                  extra=lambda name: {"tier": int(name[1:]) % 10, "country":
                                      "FR" if int(name[1:]) % 3 else "DE"})
        reply = ask(self.client, positives=[{"id": "a00005"}], k=50, filter="country = 'DE'")
        self.assertEqual(len(reply["results"]), 50)
        self.assertTrue(all(int(r["id"][1:]) % 3 == 0 for r in reply["results"]))
        narrow = ask(self.client, positives=[{"id": "a00005"}], k=50,
                     filter="country = 'DE' and tier = 3")
        self.assertTrue(all(int(r["id"][1:]) % 30 == 3 for r in narrow["results"]))
        everything = ask(self.client, positives=[{"id": "a00005"}], k=2000)
        order = [r["id"] for r in everything["results"]]
        self.assertEqual(len(order), 1999)
        self.assertEqual([r["id"] for r in reply["results"]],
                         [i for i in order if int(i[1:]) % 3 == 0][:50])
        gone = order[:3]
        fewer = ask(self.client, positives=[{"id": "a00005"}], k=10, exclude_ids=gone)
        self.assertEqual([r["id"] for r in fewer["results"]], order[3:13])
        with self.assertRaises(icpd.Refused) as caught:
            self.client.call("similar", {"positives": [{"id": "a00005"}], "filter": "nothing ="})
        self.assertEqual(caught.exception.code, "bad-filter")
        where = ask(self.client, positives_where="country = 'DE' and tier = 3", k=5)
        self.assertEqual(where["positives_matched"], len(range(3, 2000, 30)))
        self.assertTrue(all(int(r["id"][1:]) % 30 != 3 for r in where["results"]))

    def test_reasons_name_the_rare_tag(self):
        self.client.call("schema-put", {"document": SCHEMA})
        accounts = [{"id": "b%03d" % i, "values": {"tier": i % 5, "country": "FR",
                                                   "tech": ["common"] if i % 2 else ["other"]}}
                    for i in range(200)]
        accounts[10]["values"]["tech"] = ["common", "rare"]
        accounts[90]["values"]["tech"] = ["other", "rare"]
        self.client.call("account-put", {"accounts": accounts, "source": "test"})
        reply = ask(self.client, positives=[{"id": "b010"}], k=3)
        first = reply["results"][0]
        self.assertEqual(first["id"], "b090")
        self.assertEqual((first["shared"][0]["field"], first["shared"][0]["value"]),
                         ("tech", "rare"))
        self.assertEqual(first["shared"][0]["accounts"], 2)
        self.assertLessEqual(first["similarity"], 1.000001)

    def test_refusals(self):
        with self.assertRaises(icpd.Refused) as caught:
            self.client.call("similar", {"positives": [{"id": "x"}]})
        self.assertEqual(caught.exception.code, "no-vectors")
        self.fill(10)
        for request, code in (({}, "missing-field"), ({"positives": [{"id": "no"}]}, "not-found"),
                              ({"positives": [{"id": "a00001"}], "k": 0}, "bad-field"),
                              ({"positives": [{"id": "a00001"}], "k": 10001}, "bad-field"),
                              ({"positives": [{"id": "a00001"}], "recall": 2}, "bad-field"),
                              ({"positives": [{}]}, "missing-field"),
                              ({"positives": [{"values": {}}]}, "bad-field")):
            with self.assertRaises(icpd.Refused) as caught:
                self.client.call("similar", request)
            self.assertEqual(caught.exception.code, code, request)

    def test_recall_is_measured(self):
        self.fill(3000)
        ask(self.client, positives=[{"id": "a00001"}])
        reply = self.client.call("recall", {"recall": 0.9, "n": 50})
        self.assertEqual(reply["queries"], 50)
        self.assertGreater(reply["measured"], 0.5)
        self.assertEqual(reply["vectors"], 3000)


class Changes(Base):
    def test_acknowledged_is_found_and_deleted_is_gone_at_once(self):
        self.fill(1000)
        ask(self.client, positives=[{"id": "a00001"}])
        rng = random.Random(5)
        for i in range(60):
            name, vector = "n%03d" % i, vector_of(rng)
            put(self.client, {name: vector})
            reply = ask(self.client, positives=[{"values": {"text": packed(vector)}}], k=1)
            self.assertEqual(reply["results"][0]["id"], name)
            other = vector_of(rng)
            put(self.client, {name: other})
            reply = ask(self.client, positives=[{"values": {"text": packed(other)}}], k=1)
            self.assertEqual(reply["results"][0]["id"], name)
            self.client.call("account-delete", {"ids": [name]})
            reply = ask(self.client, positives=[{"values": {"text": packed(other)}}], k=5)
            self.assertNotIn(name, [r["id"] for r in reply["results"]])

    def test_under_load(self):
        """One connection puts and deletes, another asks: whatever was acknowledged before a
        question came holds in its answer."""
        self.fill(2000)
        ask(self.client, positives=[{"id": "a00001"}])
        stop = threading.Event()
        lock = threading.Lock()
        present, absent, faults = {}, set(), []

        def write():
            rng = random.Random(9)
            try:
                with self.server.client() as client:
                    number = 0
                    while not stop.is_set():
                        batch = {"w%06d" % (number + i): vector_of(rng) for i in range(20)}
                        number += 20
                        put(client, batch)
                        with lock:
                            present.update(batch)
                            names = rng.sample(sorted(present), min(10, len(present)))
                            for name in names:  # neither sure to be there nor to be gone
                                present.pop(name)
                        client.call("account-delete", {"ids": names})
                        with lock:
                            absent.update(names)
            except Exception as fault:  # told by the main thread
                faults.append(fault)

        writer = threading.Thread(target=write)
        writer.start()
        asked = 0
        rng = random.Random(10)
        until = time.monotonic() + 4
        try:
            while time.monotonic() < until or asked < 20:
                with lock:
                    gone = set(absent)
                    name = rng.choice(sorted(present)) if present else None
                    vector = present.get(name)
                if name is None:
                    continue
                reply = ask(self.client, positives=[{"values": {"text": packed(vector)}}], k=200,
                            reasons=0)
                found = [r["id"] for r in reply["results"]]
                asked += 1
                self.assertFalse(gone & set(found), "deleted accounts were returned")
                with lock:
                    still = name in present
                if still:
                    self.assertEqual(found[0], name)
        finally:
            stop.set()
            writer.join()
        self.assertFalse(faults, faults)
        self.vectors.update(present)
        vector = vector_of(rng)
        reply = ask(self.client, positives=[{"values": {"text": packed(vector)}}], k=100)
        self.check_nearest(reply, vector, 100)


class Restart(Base):
    def wait_stored(self):
        for _ in range(600):
            jobs = self.client.call("job-list")["jobs"]
            if jobs and all(job["state"] == "done" for job in jobs):
                return
            time.sleep(0.05)
        raise AssertionError(self.client.call("job-list"))

    def check_opened(self):
        rng = random.Random(21)
        for _ in range(5):
            vector = vector_of(rng)
            reply = ask(self.client, positives=[{"values": {"text": packed(vector)}}], k=50)
            self.check_nearest(reply, vector, 50)
        plan = self.client.call("similar-plan")
        self.assertTrue(plan["opened"], plan)
        self.assertEqual(plan["vectors"], len(self.vectors))
        # A graph takes 645 bytes an account at up to 64 numbers, twice what all else does.
        graph = bool(self.flags) and len(self.vectors) >= 1000
        self.assertEqual(plan["bytes"] >= 645 * len(self.vectors), graph, plan)

    def change(self, seed):
        rng = random.Random(seed)
        names = rng.sample(sorted(self.vectors), 60)
        self.client.call("account-delete", {"ids": names[:30]})
        for name in names[:30]:
            del self.vectors[name]
        changed = {name: vector_of(rng) for name in names[30:]}
        changed.update({"s%d-%d" % (seed, i): vector_of(rng) for i in range(30)})
        put(self.client, changed)
        self.vectors.update(changed)

    def test_needs_no_build(self):
        self.fill(2000)
        ask(self.client, positives=[{"id": "a00001"}])
        self.wait_stored()
        self.restart()
        self.check_opened()
        for seed in range(3):
            self.change(seed)
            self.check_opened()
            self.restart()
            self.check_opened()

    def test_survives_kill(self):
        self.fill(2000)
        ask(self.client, positives=[{"id": "a00001"}])
        self.wait_stored()
        for seed in range(4):
            self.change(seed)
            if seed == 2:
                # Killed while a new generation is written: the one in force stands.
                self.client.send("similar-build")
                time.sleep(0.05)
            self.restart(signal.SIGKILL)
            self.check_opened()

    def test_a_new_build_takes_over(self):
        self.fill(500)
        ask(self.client, positives=[{"id": "a00001"}])
        self.wait_stored()
        progress = []
        reply = self.client.call("similar-build", {"progress": True}, progress)
        self.assertEqual(reply["vectors"], 500)
        self.assertFalse(self.client.call("similar-plan")["opened"])
        self.restart()
        self.check_opened()


class RestartGraph(Restart):
    """The same with a graph beside the vectors, which comes back as the vectors do."""
    flags = ("--similar-graph-bytes-max", "64M")

    def check_opened(self):
        super().check_opened()
        rng = random.Random(31)
        found = 0
        for _ in range(10):
            vector = vector_of(rng)
            reply = ask(self.client, positives=[{"values": {"text": packed(vector)}}], k=10,
                        recall=0.9)
            nearest = sorted((cosine(vector, v) for v in self.vectors.values()), reverse=True)
            self.assertEqual(len(reply["results"]), 10)
            for result in reply["results"]:
                similarity = cosine(vector, self.vectors[result["id"]])
                self.assertAlmostEqual(result["similarity"], similarity, places=5)
                found += similarity >= nearest[9] - 1e-6
        self.assertGreaterEqual(found, 85)

    def test_survives_kills_while_places_are_freed(self):
        """Of 2,000 more than one in eight goes: a pass begins, and is cut short again and again,
        with what comes and goes meanwhile."""
        self.fill(2000)
        ask(self.client, positives=[{"id": "a00001"}])
        self.wait_stored()
        rng = random.Random(41)
        for turn in range(4):
            gone = rng.sample(sorted(self.vectors), 150)
            self.client.call("account-delete", {"ids": gone})
            for name in gone:
                del self.vectors[name]
            fresh = {"t%d-%d" % (turn, i): vector_of(rng) for i in range(60)}
            put(self.client, fresh)
            self.vectors.update(fresh)
            time.sleep(0.02 * turn)
            self.restart(signal.SIGKILL)
            self.check_opened()


if __name__ == "__main__":
    BINARY = sys.argv.pop(1)
    unittest.main(verbosity=2)
