# SPDX-License-Identifier: Apache-2.0
"""A company whose outcome follows from two of its fields, learned by a server: what the tests of the
clients score. Uses the client of the system tests, which knows nothing of those under test."""
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import json  # noqa: E402

from icpd import Client, Refused, Server  # noqa: E402,F401

SCHEMA = {"fields": [
    {"name": "employees", "type": "number", "family": "firmographic"},
    {"name": "industry", "type": "category", "family": "firmographic"},
    {"name": "won", "type": "flag", "family": "lifecycle"},
]}
INDUSTRIES = ("Software", "Retail", "Steel", "Law")


def accounts(count=1500, seed=11):
    rng = random.Random(seed)
    for index in range(count):
        employees = int(10 ** rng.uniform(0.5, 4))
        industry = rng.choice(INDUSTRIES)
        chance = 0.75 if industry == "Software" and employees > 100 else 0.15
        yield {"id": f"a{index:05}", "keys": [f"domain:c{index}.example"],
               "values": {"employees": employees, "industry": industry, "won": rng.random() < chance}}


def fill(server):
    """Schema, accounts and an active version."""
    with Client(port=server.port) as client:
        client.call("schema-put", {"document": json.dumps(SCHEMA)})
        listed = list(accounts())
        for start in range(0, len(listed), 500):
            client.call("account-put", {"accounts": listed[start:start + 500]})
        client.call("icp-learn", {"label": "won = true", "activate": True})
    return listed
