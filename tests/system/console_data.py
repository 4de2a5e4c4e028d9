# SPDX-License-Identifier: Apache-2.0
"""What the pages of the console are shown with: accounts, events, a profile, a list, for
test_console.py and tests/console/look. Names and ids hold what a page must not take for its own."""
import json
import random

SCHEMA = {
    "name": "company",
    "fields": [
        {"name": "company", "type": "category", "family": "firmographic"},
        {"name": "employees", "type": "number", "family": "firmographic", "transform": "log"},
        {"name": "industry", "type": "category", "family": "firmographic"},
        {"name": "stack", "type": "tags", "family": "technographic"},
        {"name": "trial", "type": "flag", "family": "behavioural"},
        {"name": "<b>odd</b>", "type": "category", "family": "behavioural"},
        {"name": "since", "type": "date", "family": "lifecycle"},
        {"name": "won", "type": "number", "family": "lifecycle"},
    ],
}
HOSTILE_NAME = "<script>alert(1)</script>\u202e\" onload='x"
# Ids may hold no control characters, everything else.
HOSTILE_ID = "../<img src=x onerror=y>&\"'?a=b#c\u202e"
DAY = 86400000
T0 = 1700000000000


def accounts(count=600):
    draw = random.Random(7)
    rows = [{"id": HOSTILE_ID, "values": {"company": HOSTILE_NAME, "<b>odd</b>": "<i>\u200bodd",
                                          "employees": 300, "industry": "Software"}}]
    for i in range(count):
        size = draw.choice([12, 40, 180, 900, 4000])
        industry = draw.choice(["Software", "Retail", "Health", "Public sector"])
        fair = 0.1 + 0.35 * (size > 100) + 0.3 * (industry == "Software")
        rows.append({"id": f"acme-{i}", "keys": [f"domain:acme{i}.example", f"crm:{i:05}"],
                     "values": {"company": f"Acme {i} Ltd", "employees": size, "industry": industry,
                                "stack": draw.sample(["kafka", "sap", "linux", "figma"], 2),
                                "trial": draw.random() < 0.5, "since": "2024-03-01",
                                "won": int(draw.random() < fair)}})
    return rows


def events():
    rows = [{"account": "acme-1", "id": "s1", "type": "subscription", "time": T0, "amount": 1200000,
             "currency": "USD", "months": 12, "subject": "sub-1", "label": "Team",
             "end": T0 + 365 * DAY},
            {"account": "acme-1", "id": "o1", "type": "outcome", "time": T0, "kind": "won"},
            {"account": "acme-1", "id": "x", "type": "touch", "time": T0 - DAY, "kind": "email",
             "person": "<u>Ann</u>", "campaign": "spring\u200b"}]
    rows += [{"account": "acme-1", "id": f"t{i}", "type": "touch", "time": T0 + i * DAY,
              "kind": "call"} for i in range(60)]
    rows += [{"account": f"acme-{i}", "id": "s", "type": "subscription", "time": T0 + i * DAY,
              "amount": 90000 + i, "currency": "USD", "months": 12, "subject": "a",
              "label": "Solo"} for i in range(2, 40)]
    return rows


def fill(client):
    """By a client that may do everything."""
    client.call("schema-put", {"document": json.dumps(SCHEMA)})
    client.call("account-put", {"accounts": accounts(), "source": "<em>crm</em>"})
    client.call("event-append", {"events": events(), "source": "billing"})
    client.call("icp-learn", {"label": "won = 1", "name": "<q>first</q>", "activate": True})
    client.call("tal-build", {"name": "<b>spring</b> & \"more\"", "k": 150, "note": "<script>"})
