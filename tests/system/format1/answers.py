# SPDX-License-Identifier: Apache-2.0
"""What a client can learn of the store of format1/, apart from what differs from start to start."""

IDS = ("a0", "a2", "a3", "a7", "a9", "a50", "a199", "a399")


def asked(client, op, request):
    try:
        return client.call(op, request)
    except Exception as fault:  # of either version's client
        return {"refused": getattr(fault, "code", repr(fault))}


def answers(client):
    found = {"schema": client.call("schema-get")["document"],
             "icp": client.call("icp-get")["document"],
             "icps": [[icp["icp"], icp.get("active", False)] for icp in client.call("icp-list")["icps"]],
             "count": client.call("count", {"filter": "trial = 1 and employees > 100"})["count"],
             "list": [entry["id"] for entry in client.call("tal-get", {"name": "first list"})["entries"]]}
    for name in IDS:
        score = asked(client, "score", {"id": name, "reasons": 3})
        score.pop("seq", None)
        found[f"score {name}"] = score
        account = asked(client, "account-get", {"id": name})
        found[f"account {name}"] = {key: account.get(key) for key in ("id", "keys", "values", "refused")}
    key = asked(client, "score", {"key": "domain:a2.example"})
    found["key"] = key.get("raw")
    return found
