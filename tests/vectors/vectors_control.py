#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""vectors_control.py VECTORS COMMAND…: the control of a replayer of the test vectors.

Runs COMMAND with "@" replaced by copies of VECTORS, each spoilt in one way. Passes if every run exits
with 1, the word for "a vector does not hold", and a copy as it is passes; a crash fails the control.
A replayer that skips (77) skips its control.
"""
import json
import subprocess
import sys
import tempfile


def payload_changed(vectors):
    """A good vector that claims another value than its bytes hold."""
    vector = [v for v in vectors if v["good"] and v["op"] == "score" and "reasons" in v["payload"]][-1]
    vector["payload"]["reasons"] = 77


def byte_changed(vectors):
    """A good vector with one byte of a text in its payload turned."""
    vector = [v for v in vectors if v["good"] and "grade" in v["payload"]
              and v["payload"]["grade"] == "domain:acme.com"][-1]
    vector["hex"] = vector["hex"].replace(b"domain:".hex(), b"domain;".hex(), 1)


def good_called_bad(vectors):
    """A bad vector, of a layer that every replayer judges, with the bytes of a good one."""
    requests = [v for v in vectors if v["direction"] == "request"]
    bad = [v for v in requests if v.get("error") == "bad-frame"][-1]
    bad["hex"] = [v for v in requests if v["good"]][-1]["hex"]


def file_emptied(vectors):
    """No vectors at all."""
    del vectors[:]


def run(command, text):
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as copy:
        copy.write(text)
        copy.flush()
        words = [copy.name if word == "@" else word for word in command]
        return subprocess.run(words, stdout=subprocess.DEVNULL, timeout=60).returncode


def main():
    path, command = sys.argv[1], sys.argv[2:]
    with open(path, encoding="utf-8") as file:
        text = file.read()
    results = [("as it is", 0, run(command, text))]
    for spoil in (payload_changed, byte_changed, good_called_bad, file_emptied):
        document = json.loads(text)
        spoil(document["vectors"])
        results.append((spoil.__name__, 1, run(command, json.dumps(document))))
    for name, wanted, found in results:
        print(f"{name}: exit {found}, wanted {wanted}")
    if all(found == 77 for _, _, found in results):
        print("skipped, as the replayer is")
        return 77
    return 0 if all(wanted == found for _, wanted, found in results) else 1


if __name__ == "__main__":
    sys.exit(main())
