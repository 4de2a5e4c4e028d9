# SPDX-License-Identifier: Apache-2.0
"""Every operation against a running icpd: what works, what is refused, what survives a restart.
usage: test_operations.py path/to/icpd"""
import json
import os
import random
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import reference
from icpd import HEADER, Client, Refused, Server

BINARY = sys.argv.pop(1) if __name__ == "__main__" and len(sys.argv) > 1 else "icpd"

SCHEMA = {
    "fields": [
        {"name": "industry", "type": "category", "family": "firmographic"},
        {"name": "employees", "type": "number", "family": "firmographic", "missing": ["unknown"]},
        {"name": "tech", "type": "tags", "family": "technographic"},
        {"name": "trial", "type": "flag", "family": "behavioural"},
        {"name": "embedding", "type": "vector", "dims": 4, "family": "behavioural"},
        {"name": "won", "type": "flag", "family": "lifecycle"},
    ],
    "missing": ["Select", "N/A"],
}


def planted(index, rng):
    """An account whose outcome follows a rule with noise, so that there is something to learn."""
    industry = rng.choice(["Software", "Retail", "Health", "Steel"])
    employees = int(rng.lognormvariate(5, 1.5)) + 1
    tech = [t for t in ("Salesforce", "SAP", "Jira") if rng.random() < 0.4]
    score = (industry == "Software") * 1.5 + (employees > 150) * 1.5 + ("Jira" in tech) - 2.2
    won = rng.random() < 1 / (1 + 2.718281828 ** -score)
    values = {"industry": industry, "employees": employees, "tech": tech,
              "trial": rng.random() < 0.3, "won": won}
    if rng.random() < 0.1:
        del values["employees"]
    return {"id": f"a{index}", "keys": [f"domain:company{index}.example", f"crm:{index:08d}"],
            "values": values}


def fill(client, count=2000, seed=7):
    rng = random.Random(seed)
    client.call("schema-put", {"document": json.dumps(SCHEMA)})
    accounts = [planted(i, rng) for i in range(count)]
    for at in range(0, count, 500):
        client.call("account-put", {"accounts": accounts[at:at + 500], "source": "test"})
    return accounts


def number(value):
    return value if value is not None else float("nan")


class Asking(unittest.TestCase):
    def refused(self, code, op, request=None, field=None):
        with self.assertRaises(Refused) as caught:
            self.client.call(op, request)
        self.assertEqual(caught.exception.code, code, str(caught.exception))
        if field is not None:
            self.assertEqual(caught.exception.field, field, str(caught.exception))
        return caught.exception


class Fresh(Asking):
    """A server without data."""

    def setUp(self):
        self.server = Server(BINARY)
        self.client = self.server.client()

    def tearDown(self):
        self.client.close()
        self.server.close()

    def test_a_reply_that_is_not_as_documented_is_found(self):
        self.assertEqual(reference.faults("ping", {"time": 1}), [])
        self.assertEqual(reference.faults("ping", {"time": "1"}), ["ping.time: '1' is no uint"])
        self.assertEqual(reference.faults("ping", {}), ["ping: no time"])
        self.assertEqual(reference.faults("ping", {"time": 1, "x": 2}),
                         ["ping.x is not documented"])
        switch = {"icp": 1, "time": 5, "reason": None}
        self.assertEqual(reference.faults("icp-list", {"icps": [], "switches": [switch]}),
                         ["icp-list.switches[0].reason: None is no text"])

    def test_hello_tells_limits_and_role(self):
        reply = self.client.call("hello", {"client": "test/1"})
        self.assertEqual(reply["protocol"], 1)
        self.assertEqual(reply["role"], "admin")
        self.assertEqual((reply["schema"], reply["icp"]), (0, 0))
        self.assertEqual(reply["limits"]["depth_max"], 8)

    def test_what_needs_a_schema_or_an_icp_says_so(self):
        self.refused("no-schema", "account-put", {"accounts": [{"id": "a"}]})
        self.refused("no-schema", "icp-learn", {"label": "x = 1"})
        self.refused("no-icp", "score", {"id": "a"})
        self.refused("no-icp", "icp-get")
        self.refused("not-found", "icp-get", {"icp": 3}, "icp")
        self.assertEqual(self.client.call("icp-list"), {"icps": [], "switches": []})

    def test_a_request_that_is_wrong_names_the_field_and_harms_nothing(self):
        self.client.call("schema-put", {"document": json.dumps(SCHEMA)})
        put = lambda *accounts: {"accounts": list(accounts)}
        self.refused("missing-field", "account-put", {}, "accounts")
        self.refused("bad-field", "account-put", put(), "accounts")
        self.refused("missing-field", "account-put", put({"id": "a"}, {}), "accounts[1].id")
        self.refused("bad-field", "account-put", put({"id": ""}), "accounts[0].id")
        self.refused("bad-field", "account-put", put({"id": "x" * 256}), "accounts[0].id")
        self.refused("bad-field", "account-put",
                     put({"id": "a", "values": {"employees": "many"}}),
                     "accounts[0].values.employees")
        self.refused("bad-field", "account-put", put({"id": "a", "values": {"nobody": 1}}),
                     "accounts[0].values.nobody")
        self.refused("bad-field", "account-put",
                     put({"id": "a", "values": {"embedding": [1, 2, 3]}}),
                     "accounts[0].values.embedding")
        self.refused("bad-field", "account-put", put({"id": "a", "keys": ["acme.com"]}),
                     "accounts[0].keys")
        self.refused("unknown-op", 250)
        self.refused("bad-field", "score", {"id": 7}, "id")
        self.refused("not-found", "account-get", {"id": "a"})
        self.assertIn("time", self.client.call("ping"))

    def test_put_replaces_patch_merges_delete_removes(self):
        self.client.call("schema-put", {"document": json.dumps(SCHEMA)})
        put = self.client.call("account-put", {"accounts": [
            {"id": "acme", "keys": ["domain:ACME.com", "crm:1"],
             "values": {"industry": "Software", "employees": "1,200", "tech": "Jira;SAP",
                        "embedding": [1, 2, 3, 4]}}], "source": "crm", "time": 1700000000000})
        self.assertEqual((put["count"], put["created"]), (1, 1))
        got = self.client.call("account-get", {"key": "domain:acme.com"})
        self.assertEqual(got["id"], "acme")
        self.assertEqual(sorted(got["keys"]), ["crm:1", "domain:acme.com"])
        self.assertEqual(got["values"]["employees"]["value"], 1200)
        self.assertEqual(got["values"]["employees"]["source"], "crm")
        self.assertEqual(got["values"]["employees"]["time"], 1700000000000)
        self.assertEqual(got["values"]["tech"]["value"], ["Jira", "SAP"])
        self.assertEqual(struct.unpack("<4f", got["values"]["embedding"]["value"]), (1, 2, 3, 4))
        self.assertGreaterEqual(got["seq"], put["seq"])

        self.client.call("account-patch", {"accounts": [
            {"id": "acme", "keys": ["billing:cus_1"],
             "values": {"industry": "Select", "trial": True}}], "source": "billing"})
        got = self.client.call("account-get", {"email": "Jo@ACME.com"})
        self.assertNotIn("industry", got["values"])
        self.assertEqual(got["values"]["trial"]["source"], "billing")
        self.assertEqual(got["values"]["employees"]["source"], "crm")
        self.assertIn("billing:cus_1", got["keys"])

        self.client.call("account-put", {"accounts": [{"id": "acme", "values": {"trial": False}}]})
        got = self.client.call("account-get", {"id": "acme"})
        self.assertEqual((list(got["values"]), got["keys"]), (["trial"], []))
        self.refused("not-found", "account-get", {"key": "crm:1"})

        self.refused("not-found", "account-patch", {"accounts": [{"id": "nobody"}]})
        reply = self.client.call("account-patch", {"create": True, "accounts": [
            {"id": "acme", "values": {"employees": 7}},
            {"id": "new", "keys": ["crm:n"], "values": {"employees": 8, "trial": None}}]})
        self.assertEqual((reply["count"], reply["created"]), (2, 1))
        self.assertEqual(list(self.client.call("account-get", {"id": "acme"})["values"]),
                         ["employees", "trial"])
        self.assertEqual(list(self.client.call("account-get", {"key": "crm:n"})["values"]),
                         ["employees"])
        self.client.call("account-delete", {"ids": ["new"]})
        self.assertEqual(self.client.call("account-delete", {"ids": ["acme", "nobody"]})["count"], 1)
        self.refused("not-found", "account-get", {"id": "acme"})

    def test_an_account_named_twice_is_stored_as_it_comes_last(self):
        self.client.call("schema-put", {"document": json.dumps(SCHEMA)})
        reply = self.client.call("account-put", {"accounts": [
            {"id": "x", "keys": ["crm:1"], "values": {"employees": 1, "trial": True}},
            {"id": "y", "keys": ["crm:2"]},
            {"id": "x", "keys": ["crm:3"], "values": {"employees": 2}},
            {"id": "z", "keys": ["crm:1"]}]})
        self.assertEqual((reply["count"], reply["created"]), (4, 3))
        found = self.client.call("account-get", {"id": "x"})
        self.assertEqual(found["keys"], ["crm:3"])
        self.assertEqual({n: v["value"] for n, v in found["values"].items()}, {"employees": 2})
        self.assertEqual(self.client.call("account-get", {"key": "crm:1"})["id"], "z")
        reply = self.client.call("account-patch", {"accounts": [
            {"id": "x", "values": {"employees": 3}}, {"id": "x", "values": {"trial": False}}]})
        self.assertEqual(reply["count"], 2)
        found = self.client.call("account-get", {"id": "x"})["values"]
        self.assertEqual({n: v["value"] for n, v in found.items()},
                         {"employees": 3, "trial": False})
        self.refused("conflict", "account-put",
                     {"accounts": [{"id": "v", "keys": ["crm:9"]}, {"id": "w", "keys": ["crm:9"]}]},
                     "accounts[1].keys[0]")

    def test_a_free_mail_provider_is_found_by_its_key_alone(self):
        self.client.call("schema-put", {"document": json.dumps(SCHEMA)})
        self.client.call("account-put", {"accounts": [
            {"id": "provider", "keys": ["domain:gmail.com"]},
            {"id": "acme", "keys": ["domain:acme.co.uk"]}]})
        self.refused("not-found", "account-get", {"email": "ann@gmail.com"})
        self.assertEqual(self.client.call("account-get", {"key": "domain:gmail.com"})["id"],
                         "provider")
        self.assertEqual(self.client.call("account-get", {"email": "ann@mail.acme.co.uk"})["id"],
                         "acme")

    def test_a_key_names_one_account(self):
        self.client.call("schema-put", {"document": json.dumps(SCHEMA)})
        self.client.call("account-put", {"accounts": [{"id": "a", "keys": ["crm:1"]}]})
        self.refused("conflict", "account-put",
                     {"accounts": [{"id": "c"}, {"id": "b", "keys": ["crm:1"]}]})
        self.refused("not-found", "account-get", {"id": "c"})
        self.refused("conflict", "account-put",
                     {"accounts": [{"id": "b", "keys": ["crm:2"]}, {"id": "d", "keys": ["crm:2"]}]})

    def test_schema_versions_are_kept_and_bad_ones_refused(self):
        first = self.client.call("schema-put", {"document": json.dumps(SCHEMA)})
        wider = dict(SCHEMA, fields=SCHEMA["fields"] + [{"name": "city", "type": "category"}])
        second = self.client.call("schema-put", {"document": json.dumps(wider)})
        self.assertEqual((first["schema"], second["schema"]), (1, 2))
        old = json.loads(self.client.call("schema-get", {"schema": 1})["document"])
        self.assertEqual(len(old["fields"]), 6)
        self.refused("not-found", "schema-get", {"schema": 9}, "schema")
        fault = self.refused("bad-schema", "schema-put", {"document": '{"fields": [\n {"name" 1}]}'})
        self.assertIn("line 2", fault.message)
        self.refused("bad-schema", "schema-put",
                     {"document": json.dumps({"fields": [{"name": "x", "type": "colour"}]})})

    def test_schemas_in_flight_get_a_version_each_and_ids_of_their_own(self):
        names = [f"field{i}" for i in range(20)]
        for name in names:
            self.client.send("schema-put", {"document": json.dumps(
                {"fields": [{"name": name, "type": "number"}]})})
        versions = {}
        for _ in names:
            request_id, status, _, reply = self.client.receive()
            self.assertEqual(status, 0, reply)
            versions[request_id] = reply["schema"]
        self.assertEqual(sorted(versions.values()), list(range(1, 21)))
        documents = [json.loads(self.client.call("schema-get", {"schema": v})["document"])
                     for v in range(1, 21)]
        self.assertEqual([d["version"] for d in documents], list(range(1, 21)))
        self.assertEqual(sorted(d["fields"][0]["id"] for d in documents), list(range(20)))

    def test_pipelined_requests_are_each_answered_once(self):
        sent = [self.client.send("ping") for _ in range(5000)]
        seen = [self.client.receive()[0] for _ in sent]
        self.assertEqual(sorted(seen), sent)


class Roles(unittest.TestCase):
    def test_a_token_gives_a_role_and_no_token_gives_none(self):
        server = Server(BINARY, env={"ICPD_READ_TOKEN": "a-token-that-reads", "ICPD_ADMIN_TOKEN": "a-token-for-all-of-it"})
        try:
            with server.client() as client:
                self.assertIn("time", client.call("ping"))
                for op, code in (("stats", "denied"), ("icp-list", "denied")):
                    with self.assertRaises(Refused) as caught:
                        client.call(op)
                    self.assertEqual(caught.exception.code, code)
                with self.assertRaises(Refused) as caught:
                    client.call("hello", {"token": "a-token-for-all-of-i"})
                self.assertEqual(caught.exception.code, "bad-token")
                self.assertEqual(client.call("hello", {"token": "a-token-that-reads"})["role"], "read")
                self.assertIn("metrics", client.call("stats"))
                with self.assertRaises(Refused):
                    client.call("schema-put", {"document": json.dumps(SCHEMA)})
                self.assertEqual(client.call("hello", {"token": "a-token-for-all-of-it"})["role"], "admin")
                client.call("schema-put", {"document": json.dumps(SCHEMA)})
            with server.client() as other:
                with self.assertRaises(Refused):
                    other.call("stats")
        finally:
            server.close()


class Learned(Asking):
    """A server with accounts and an ICP that was learned from them."""

    @classmethod
    def setUpClass(cls):
        cls.server = Server(BINARY)
        cls.client = cls.server.client()
        cls.accounts = fill(cls.client)
        cls.progress = []
        cls.learned = cls.client.call(
            "icp-learn", {"label": "won = 1", "seed": 3, "activate": True, "progress": True,
                          "name": "first"}, cls.progress)

    @classmethod
    def tearDownClass(cls):
        cls.client.close()
        cls.server.close()

    def test_learning_reports_progress_and_evidence(self):
        self.assertEqual(self.learned["icp"], 1)
        self.assertGreater(len(self.progress), 3)
        self.assertEqual([p["done"] for p in self.progress],
                         sorted(p["done"] for p in self.progress))
        evidence = json.loads(self.learned["evidence"])
        self.assertGreater(evidence["holdout"]["auc_low"], 0.6)
        listed = self.client.call("icp-list")
        self.assertEqual(listed["icps"][0]["label"], "won = 1")
        self.assertTrue(listed["icps"][0]["active"])

    def test_contributions_add_up_to_the_raw_score_exactly(self):
        for account in self.accounts[:300]:
            for reasons in (1, 3, 1000):
                reply = self.client.call("score", {"id": account["id"], "reasons": reasons})
                total = reply["intercept"] + reply["rest"]
                total += sum(r["contribution"] for r in reply["reasons"])
                self.assertEqual(total, reply["raw"])
            self.assertEqual(reply["rest"], 0)
            self.assertLessEqual(reply["fit_low"], reply["fit"] + 1e-9)
            self.assertGreaterEqual(reply["fit_high"], reply["fit"] - 1e-9)

    def test_a_misspelt_field_of_a_lead_is_told_and_does_not_count(self):
        values = {"employees": 200}
        plain = self.client.call("score", {"values": values, "reasons": 2})
        self.assertNotIn("unknown", plain)
        slip = dict(values, industri="Software", **{f"extra{i}": i for i in range(3)})
        told = self.client.call("score", {"values": slip, "reasons": 2})
        self.assertEqual(told.pop("unknown"), ["industri", "extra0", "extra1", "extra2"])
        self.assertEqual(told, plain)
        many = self.client.call("score-many", {"leads": [{"values": slip}, {"values": values}]})
        self.assertEqual([len(s.get("unknown", [])) for s in many["scores"]], [4, 0])
        # The list is bounded in number and in the length of a name, which is cut between characters.
        flood = {"é" * 100 + str(i): i for i in range(40)}
        names = self.client.call("score", {"values": flood})["unknown"]
        self.assertEqual(names, ["é" * 63] * 16)

    def test_a_lead_of_score_many_cannot_say_what_holds_for_all(self):
        for name, value in (("icp", 1), ("reasons", 3), ("names", True)):
            scores = self.client.call("score-many", {"leads": [
                {"values": {"employees": 5}, name: value}, {"values": {"employees": 5}}]})["scores"]
            self.assertEqual((scores[0]["error"], scores[0]["field"]), ("bad-field", name))
            self.assertIn("fit", scores[1])

    def test_every_way_to_name_an_account_gives_the_same_score(self):
        for index in (0, 17, 1999):
            account = self.accounts[index]
            by_id = self.client.call("score", {"id": account["id"]})
            self.assertTrue(by_id["found"])
            for name in ({"key": account["keys"][1]}, {"key": account["keys"][0]},
                         {"email": f"x@company{index}.example"},
                         {"email": f"x@mail.company{index}.example"}):
                self.assertEqual(self.client.call("score", name), by_id, name)
            inline = self.client.call("score", {"values": account["values"]})
            self.assertFalse(inline["found"])
            self.assertEqual(inline["raw"], by_id["raw"])
            explained = self.client.call("score", {"id": account["id"], "reasons": 3})
            self.assertEqual(explained["raw"], by_id["raw"])

    def test_values_are_laid_over_the_stored_account(self):
        account = next(a for a in self.accounts if a["values"]["industry"] == "Steel")
        changed = dict(account["values"], industry="Software")
        laid_over = self.client.call("score", {"id": account["id"],
                                               "values": {"industry": "Software", "extra": 1}})
        inline = self.client.call("score", {"values": changed})
        self.assertTrue(laid_over["found"])
        self.assertEqual(laid_over["raw"], inline["raw"])
        unknown = self.client.call("score", {"id": "nobody", "values": changed})
        self.assertFalse(unknown["found"])
        self.assertEqual(unknown["raw"], inline["raw"])

    def test_free_mail_addresses_find_nobody(self):
        with self.assertRaises(Refused) as caught:
            self.client.call("score", {"email": "someone@gmail.com"})
        self.assertEqual(caught.exception.code, "not-found")
        lead = self.client.call("score", {"email": "x@gmail.com", "values": {"employees": 90}})
        self.assertFalse(lead["found"])

    def test_version_0_is_the_one_in_force(self):
        for op, request in (("score", {"id": "a1", "reasons": 2}), ("icp-get", {}),
                            ("schema-get", {}), ("count", {"filter": "fit > 50"}),
                            ("score-many", {"ids": ["a1", "a2"]})):
            name = "schema" if op == "schema-get" else "icp"
            self.assertEqual(self.client.call(op, {**request, name: 0}),
                             self.client.call(op, request))
        with self.assertRaises(Refused) as caught:
            self.client.call("icp-activate", {"icp": 0})
        self.assertEqual((caught.exception.code, caught.exception.field), ("bad-field", "icp"))

    def test_many_at_once_equal_one_by_one(self):
        ids = [a["id"] for a in self.accounts[:500]] + ["nobody"]
        many = self.client.call("score-many", {"ids": ids})
        fits = struct.unpack(f"<{len(ids)}f", many["fit"])
        raws = struct.unpack(f"<{len(ids)}q", many["raw"])
        for i, account in enumerate(self.accounts[:500]):
            one = self.client.call("score", {"id": account["id"]})
            self.assertEqual(raws[i], one["raw"])
            self.assertAlmostEqual(fits[i], one["fit"], places=4)
            self.assertEqual(many["grade"][i:i + 1].decode(), one["grade"])
        self.assertEqual(many["grade"][500:], b"-")
        self.assertNotEqual(fits[500], fits[500])
        many = self.client.call("score-many", {"leads": [{"id": "a1"}], "reasons": 2**32})
        self.assertGreater(len(many["scores"][0]["reasons"]), 1)
        with self.assertRaises(Refused) as caught:
            self.client.call("score-many", {"leads": [{"id": "a1"}] * 501})
        self.assertEqual(caught.exception.code, "too-large")
        leads = self.client.call("score-many", {"reasons": 2, "leads": [
            {"id": "a1"}, {"id": "nobody"}, {"values": {"employees": "x"}}, {"email": "a"}]})
        self.assertEqual(leads["scores"][0]["raw"], raws[1])
        self.assertEqual(leads["scores"][1]["error"], "not-found")
        self.assertEqual(leads["scores"][2]["field"], "values.employees")
        self.assertEqual(leads["scores"][3]["error"], "not-found")

    def test_a_label_that_is_wrong_points_at_its_column(self):
        with self.assertRaises(Refused) as caught:
            self.client.call("icp-learn", {"label": "won = 1 and emploees > 3"})
        self.assertEqual((caught.exception.code, caught.exception.field), ("bad-filter", "label"))
        self.assertIn("column 13", caught.exception.message)
        self.assertIn("employees", caught.exception.message)

    def test_noise_gives_no_icp(self):
        with self.assertRaises(Refused) as caught:
            self.client.call("icp-learn", {"label": "won = 1", "fields": ["trial"]})
        self.assertEqual(caught.exception.code, "no-evidence")

    def test_lists_stay_below_a_frame(self):
        document = self.client.call("icp-get")["document"]
        named = json.loads(document)
        named["name"] = "n" * 128
        self.refused("bad-document", "icp-put", {"document": json.dumps(named)}, "name")
        self.refused("bad-field", "icp-learn", {"label": "won = 1", "name": "n" * 128}, "name")
        self.refused("bad-field", "icp-revert", {"reason": "r" * 1024}, "reason")
        self.refused("duplicate-key", "filter", {"filter": "trial = 1",
                                                 "fields": ["employees", "trial", "employees"]},
                     "fields[2]")

    def test_stats_count_what_happened(self):
        metrics = self.client.call("stats")["metrics"]
        self.assertEqual(metrics["store"]["accounts"], 2000)
        self.assertGreater(metrics["requests"]["account-put"], 3)
        self.assertGreater(metrics["latency_p50_us"]["account-put"], 0)
        self.assertEqual(metrics["server"]["accounts_written"], 2000)
        self.assertEqual(metrics["server"]["jobs_running"], 0)
        before = metrics["server"]["scores"]
        self.client.call("score", {"id": "a1"})
        self.client.call("score", {"id": "nobody", "values": {}})
        self.client.call("score-many", {"ids": ["a1", "a2", "a3"]})
        after = self.client.call("stats")["metrics"]
        self.assertEqual(after["server"]["scores"], before + 5)
        self.assertGreater(after["server"]["scores_unknown"], 0)
        self.assertGreaterEqual(after["score_many_items"]["max"], 3)
        self.assertGreater(after["batch_frames"]["count"], 0)


class Versions(unittest.TestCase):
    def test_versions_switch_revert_and_survive_a_restart_and_a_kill(self):
        server = Server(BINARY)
        try:
            client = server.client()
            fill(client, 1500)
            client.call("icp-learn", {"label": "won = 1", "seed": 1, "activate": True})
            client.call("icp-learn", {"label": "won = 1", "seed": 2})
            score = lambda c, **more: c.call("score", {"id": "a5", **more})
            first, second = score(client, icp=1), score(client, icp=2)
            self.assertEqual(score(client)["icp"], 1)
            switched = client.call("icp-activate", {"icp": 2, "reason": "newer"})
            self.assertEqual((switched["icp"], switched["previous"]), (2, 1))
            self.assertEqual(score(client)["raw"], second["raw"])
            self.assertEqual(client.call("icp-revert")["icp"], 1)
            self.assertEqual(score(client)["raw"], first["raw"])
            document = client.call("icp-get", {"icp": 2})["document"]
            self.assertEqual(client.call("icp-put", {"document": document})["icp"], 3)
            self.assertEqual(score(client, icp=3)["raw"], second["raw"])
            with self.assertRaises(Refused) as caught:
                client.call("icp-put", {"document": document[:-10]})
            self.assertEqual(caught.exception.code, "bad-document")
            client.close()

            self.assertEqual(server.stop(), 0)
            server.start()
            with server.client() as client:
                self.assertEqual(score(client)["raw"], first["raw"])
                self.assertEqual(score(client, icp=2)["raw"], second["raw"])
                switches = client.call("icp-list")["switches"]
                self.assertEqual([s["icp"] for s in switches], [1, 2, 1])
                client.call("account-put", {"accounts": [{"id": "late"}]})
            server.stop(signal.SIGKILL)
            server.start()
            with server.client() as client:
                self.assertEqual(client.call("account-get", {"id": "late"})["id"], "late")
        finally:
            server.close()

    def test_two_servers_learn_the_same_document_from_the_same_data(self):
        documents = []
        for _ in range(2):
            server = Server(BINARY)
            try:
                with server.client() as client:
                    fill(client, 1500)
                    client.call("icp-learn", {"label": "won = 1", "seed": 5})
                    document = json.loads(client.call("icp-get", {"icp": 1})["document"])
                    document.pop("created")
                    documents.append(document)
            finally:
                server.close()
        self.assertEqual(documents[0], documents[1])


class Life(unittest.TestCase):
    def test_a_job_can_be_cancelled_and_scores_go_on(self):
        server = Server(BINARY)
        try:
            client, other = server.client(), server.client()
            fill(client, 6000)
            client.call("icp-learn", {"label": "won = 1", "activate": True})
            sent = client.send("icp-learn", {"label": "won = 1", "progress": True})
            job = client.receive()[3]["job"]
            self.assertTrue(other.call("score", {"id": "a1"})["found"])
            other.call("job-cancel", {"job": job})
            while True:
                request_id, status, flags, payload = client.receive()
                if not flags & 4:
                    break
            self.assertEqual((request_id, payload["error"]), (sent, "cancelled"))
            self.assertEqual(other.call("job-list")["jobs"][0]["state"], "cancelled")
            with self.assertRaises(Refused):
                other.call("job-cancel", {"job": job})
        finally:
            server.close()

    def test_a_second_server_on_the_same_data_is_refused(self):
        server = Server(BINARY)
        try:
            second = Server.__new__(Server)
            second.__dict__.update(server.__dict__)
            second.directory, second.process = server.directory + "-second", None
            os.mkdir(second.directory)
            second.log_path = os.path.join(second.directory, "log")
            second.socket_path = os.path.join(second.directory, "socket")
            with self.assertRaises(RuntimeError) as caught:
                second.start()
            self.assertIn("locked", str(caught.exception))
            second.close()
            with server.client() as client:
                client.call("ping")
        finally:
            server.close()

    def test_term_answers_what_was_asked_before_it_ends(self):
        server = Server(BINARY)
        try:
            with server.client() as client:
                client.call("schema-put", {"document": json.dumps(SCHEMA)})
                for i in range(50):
                    client.send("account-put", {"accounts": [{"id": f"t{i}"}]})
                client.receive()
                stopper = threading.Thread(target=server.stop)
                stopper.start()
                answered = 1
                try:
                    while True:
                        _, status, _, payload = client.receive()
                        self.assertIn(status, (0, 23), payload)
                        answered += 1
                except ConnectionError:
                    pass
                stopper.join()
                self.assertEqual(answered, 50)
            self.assertEqual(server.process.returncode, 0, server.log())
        finally:
            server.close()

    def test_a_start_that_fails_leaves_the_ports_file_of_the_server_that_runs(self):
        server = Server(BINARY)
        try:
            ports = os.path.join(server.directory, "ports")
            second = subprocess.run([BINARY, "--port", "0", "--data", server.data, "--ports-file",
                                     ports], stderr=subprocess.DEVNULL, check=False)
            self.assertEqual(second.returncode, 69)
            self.assertTrue(os.path.exists(ports))
            server.stop()
            self.assertFalse(os.path.exists(ports))
        finally:
            server.close()

    def test_each_way_not_to_start_has_its_exit_code(self):
        def ends(*flags):
            return subprocess.run([BINARY, *flags], capture_output=True, check=False,
                                  timeout=60).returncode

        with tempfile.TemporaryDirectory() as folder, socket.socket() as other:
            data = os.path.join(folder, "data")
            other.bind(("127.0.0.1", 0))
            other.listen()
            port = str(other.getsockname()[1])
            file = os.path.join(folder, "file")
            with open(file, "wb"):
                pass
            self.assertEqual(ends("--data", data, "--port", port), 69)
            self.assertEqual(ends("--data", data, "--nonsense"), 64)
            self.assertEqual(ends("--data", data, "--port", "65536"), 64)
            self.assertEqual(ends("--data", data, "--port", "0", "--socket-path", file), 78)
            self.assertEqual(ends("--data", file, "--port", "0"), 73)
            self.assertEqual(ends("--data", os.path.join(folder, "none"), "--scrub"), 66)
            for wrong in (("--compact", "--repair"), ("--scrub", "--yes"), ("--until", "5")):
                self.assertEqual(ends("--data", data, *wrong), 64)

    def test_the_log_names_a_client_once_and_jobs_by_their_area(self):
        server = Server(BINARY, "--log-level", "debug")
        try:
            with server.client() as client:
                client.call("hello", {"client": "router/7\n\u202e" + 300 * "x"})
                client.call("hello", {"client": "again"})
                fill(client, 600)
                client.call("icp-learn", {"label": "won = 1"})
            server.stop()
            lines = [json.loads(line) for line in server.log().splitlines()]
            hellos = [line for line in lines if line["message"] == "hello"]
            self.assertEqual(len(hellos), 1)
            self.assertTrue(hellos[0]["client"].startswith("router/7"))
            self.assertLess(len(hellos[0]["client"]), 150)
            self.assertEqual(hellos[0]["role"], "admin")
            jobs = [line for line in lines if line["message"] == "a job ended"]
            self.assertEqual(
                [(line["area"], line["job"], line["op"], line["state"]) for line in jobs],
                [("engine", 1, "icp-learn", "done")],
            )
            self.assertEqual([line for line in lines if line["message"] == "note"], [])
        finally:
            server.close()

    def test_a_hangup_does_not_cut_a_drain_short(self):
        server = Server(BINARY)
        try:
            with server.client() as client:
                fill(client, 6000)
                client.send("icp-learn", {"label": "won = 1"})
                server.process.send_signal(signal.SIGTERM)
                server.process.send_signal(signal.SIGHUP)
                # A learn that ended before the signal came is answered with its result; a drain cut
                # short would answer nothing, and receive() would raise.
                _, _, _, payload = client.receive()
                self.assertIn(payload.get("error"), (None, "cancelled", "shutting-down"))
            self.assertEqual(server.process.wait(timeout=300), 0)
        finally:
            server.close()

    def test_a_deadline_beyond_all_time_is_none(self):
        server = Server(BINARY)
        try:
            with server.client() as client:
                fill(client, 600)
                learned = client.call("icp-learn", {"label": "won = 1", "deadline_ms": 2**63 - 1})
                self.assertEqual(learned["icp"], 1)
        finally:
            server.close()

    def test_a_scrub_of_nothing_is_refused_and_makes_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            missing = os.path.join(folder, "typo")
            scrub = subprocess.run([BINARY, "--data", missing, "--scrub"], check=False,
                                   stderr=subprocess.DEVNULL)
            self.assertEqual(scrub.returncode, 66)
            self.assertFalse(os.path.exists(missing))

    def test_both_sockets_serve(self):
        server = Server(BINARY, "--workers", "2")
        try:
            for _ in range(8):
                with Client(path=server.socket_path) as client:
                    self.assertIn("time", client.call("ping"))
                with server.client() as client:
                    self.assertIn("time", client.call("ping"))
        finally:
            server.close()

    def test_lost_framing_closes_the_connection_and_no_other(self):
        server = Server(BINARY)
        try:
            with server.client() as good, server.client() as bad:
                bad.socket.sendall(HEADER.pack(0xFFFFFFF0, 1, 2, 0, 9, 0))
                request_id, status, _, payload = bad.receive()
                self.assertEqual((request_id, payload["error"]), (9, "too-large"))
                with self.assertRaises(ConnectionError):
                    bad.receive()
                good.call("ping")
        finally:
            server.close()


if __name__ == "__main__":
    unittest.main(verbosity=2)
