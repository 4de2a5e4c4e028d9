#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How well names find their accounts, on a file of real names (docs/methods/name-matching.md):
match_figures.py ICP ICPD FILE.csv COLUMN [CLASS] [--accounts N].

Without CLASS four fifths of the names are stored, and every name is looked for as people write it
elsewhere: in each of the kinds below, by a fixed seed. The fifth that is not stored must find nobody.
With CLASS, a column that says which rows are one company, the first row of each is stored and the
others are looked for. --accounts stores so many names instead, made of the file's words, for time."""
import collections
import csv
import json
import os
import random
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import icpd  # noqa: E402

SCHEMA = {"id": "id", "name": "name", "fields": [{"name": "name", "type": "category"}]}
FORMS = ["Inc.", "Ltd", "GmbH", "LLC", "S.A.", "Corporation", "Co., Ltd.", "AG", "Pty Ltd", "B.V."]


def slip(name, rng):
    letters = [i for i in range(1, len(name)) if name[i].isalpha()]
    if len(letters) < 4:
        return name
    at = rng.choice(letters)
    kind = rng.randrange(4)
    if kind == 0:
        return name[:at] + name[at + 1:]
    if kind == 1:
        return name[:at] + name[at] + name[at:]
    if kind == 2:
        return name[:at] + rng.choice("aeiourstln") + name[at + 1:]
    return name[:at - 1] + name[at] + name[at - 1] + name[at + 1:]


KINDS = {
    "case and signs": lambda name, rng: rng.choice([name.upper(), name.lower(), f" {name}.", f"{name} (formerly X)"]),
    "legal form": lambda name, rng: f"{name} {rng.choice(FORMS)}",
    "and, the": lambda name, rng: "The " + name.replace(" and ", " & "),
    "blanks": lambda name, rng: name.replace(" ", "") if " " in name else name,
    "one slip": slip,
    "two slips": lambda name, rng: slip(slip(name, rng), rng),
    "a word left out": lambda name, rng: " ".join(name.split()[:-1]) if " " in name else name,
    "a word more": lambda name, rng: f"{name} {rng.choice(['Group', 'Europe', 'Technologies', 'Systems'])}",
}


def main():
    words = [word for word in sys.argv[1:] if not word.startswith("--")]
    count = int(words.pop()) if "--accounts" in sys.argv else 0
    icp, binary, path, column = words[:4]
    with open(path, newline="", encoding="utf-8-sig") as file:
        rows = [row for row in csv.DictReader(file) if row[column].strip()]
    rng = random.Random(5)
    if len(words) > 4:
        first, looked = {}, []
        for i, row in enumerate(rows):
            if row[words[4]] in first:
                looked.append(("as in the file", row[column], first[row[words[4]]]))
            else:
                first[row[words[4]]] = f"a{i}"
        stored = {f"a{i}": row[column] for i, row in enumerate(rows) if first[row[words[4]]] == f"a{i}"}
    else:
        names = list(dict.fromkeys(row[column].strip() for row in rows))
        rng.shuffle(names)
        stored = {f"a{i}": name for i, name in enumerate(names) if i % 5}
        looked = [(kind, make(name, rng), f"a{i}" if i % 5 else None)
                  for kind, make in KINDS.items() for i, name in enumerate(names)]
        if count:
            parts = [word for name in names for word in name.split()]
            looked = [("as stored, one slip", slip(stored[key], rng), key) for key in list(stored)[:5000]]
            for i in range(len(stored), count):
                stored[f"m{i}"] = " ".join(rng.choice(parts) for _ in range(rng.randrange(1, 4))) + f" {i % 997}"
    with tempfile.TemporaryDirectory() as folder:
        def write(name, head, lines):
            with open(os.path.join(folder, name), "w", newline="", encoding="utf-8") as file:
                writer = csv.writer(file)
                writer.writerow(head)
                writer.writerows(lines)
            return os.path.join(folder, name)

        server = icpd.Server(binary)
        run = lambda *args: subprocess.run([icp, *args], check=True, capture_output=True, timeout=3000,
                                           env={**os.environ, "ICP_URI": f"icp://127.0.0.1:{server.port}"})
        schema = os.path.join(folder, "schema.json")
        with open(schema, "w", encoding="utf-8") as file:
            json.dump(SCHEMA, file)
        run("schema", "put", schema)
        run("import", write("accounts.csv", ["id", "name"], stored.items()))
        sheet = os.path.join(folder, "sheet.csv")
        began = time.monotonic()
        run("match", write("rows.csv", ["nr", "name"], [(i, row[1]) for i, row in enumerate(looked)]),
            "--name", "name", "--as", "row=nr", "--out", sheet)
        took = time.monotonic() - began
        server.close()
        found = collections.defaultdict(list)
        with open(sheet, newline="", encoding="utf-8") as file:
            for line in csv.DictReader(file):
                found[int(line["key"].split(":")[1])].append(line)
    print(f"{len(looked)} names among {len(stored)} accounts in {took:.1f} s")
    print(f"{'kind':24} {'n':>6} {'first':>6} {'found':>6} {'same':>6} {'wrong':>6} {'strangers':>9} {'same':>5} {'maybe':>6}")
    for kind in dict.fromkeys(row[0] for row in looked):
        tally = collections.Counter()
        for i, (own, _, right) in enumerate(looked):
            if own != kind:
                continue
            lines = [line for line in found[i] if line["match"] != "none"]
            best = lines[0] if lines else {"id": None, "match": "none"}
            if right:
                tally["n"] += 1
                tally["first"] += best["id"] == right
                tally["found"] += any(line["id"] == right for line in lines)
                tally["same"] += best["id"] == right and best["match"] == "same"
                tally["wrong"] += best["id"] != right and best["match"] == "same"
            else:
                tally["strangers"] += 1
                tally[f"stranger {best['match']}"] += 1
        share = lambda what: f"{tally[what] / tally['n']:.3f}"
        print(f"{kind:24} {tally['n']:6} {share('first'):>6} {share('found'):>6} {share('same'):>6} {tally['wrong']:6} "
              f"{tally['strangers']:9} {tally['stranger same']:5} {tally['stranger maybe']:6}")


if __name__ == "__main__":
    main()
