#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""How well icpd learns beside others, on public sets (tools/bench-accuracy): bench_accuracy.py ICPD FOLDER [SET …].

Each set is shuffled by one seed and parted 70/30. icpd learns of the first part as users have it, through
the server with every option left out; the others as accuracy_peer.py says. The rows held out are scored by
all. Wanted on each set: AUC and log loss within .003 of the best of the others, better on a third; ECE at most
.020 where 2,000 or more are held out. Beside a loss stands the 95 % interval of its difference from the best
other one, by rows: a difference whose interval holds 0 says little. Ends non-zero where something falls
short."""

import argparse
import csv
import json
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "system")]
import numpy  # noqa: E402
import accuracy_peer  # noqa: E402
import icpd  # noqa: E402
from accuracy_peer import log_loss  # noqa: E402

WITHIN, CALIBRATED, LARGE = 0.003, 0.020, 2000


def auc(y, p):
    _, inverse, counts = numpy.unique(p, return_inverse=True, return_counts=True)
    ends = numpy.cumsum(counts)
    ranks = (ends - (counts - 1) / 2)[inverse]
    n1 = int(y.sum())
    return (ranks[y == 1].sum() - n1 * (n1 + 1) / 2) / (n1 * (len(y) - n1))


def ece(y, p):
    """By tenths of p."""
    bins = numpy.minimum((p * 10).astype(int), 9)
    return sum(abs(p[bins == b].sum() - y[bins == b].sum()) for b in range(10)) / len(y)


class Table:
    def __init__(self, path):
        with open(path, encoding="utf-8", newline="") as file:
            head, *rows = csv.reader(file)
        self.y = numpy.array([int(row[0]) for row in rows])
        self.names = [f"f{i}_{name.replace('.', '_')}" for i, name in enumerate(head[1:])]
        self.cells = [[row[i] for row in rows] for i in range(1, len(head))]
        self.kinds, columns = [], []
        for cells in self.cells:
            try:
                columns.append(numpy.array([float(cell) if cell else numpy.nan for cell in cells]))
                self.kinds.append("number")
            except ValueError:
                codes = {text: code for code, text in enumerate(sorted(set(cells) - {""}))}
                columns.append(numpy.array([codes.get(cell, numpy.nan) for cell in cells], float))
                self.kinds.append("category")
        self.x = numpy.column_stack(columns)

    def lead(self, row):
        return {name: float(cells[row]) if kind == "number" else cells[row]
                for name, kind, cells in zip(self.names, self.kinds, self.cells) if cells[row]}


def ours(program, table, learned, held):
    """p of the rows held out, and what the version says of itself."""
    server = icpd.Server(program, "--scan-ms", "10m")
    try:
        with server.client() as client:
            fields = [{"name": name, "type": kind} for name, kind in zip(table.names, table.kinds)]
            client.call("schema-put", {"document": json.dumps({"fields": fields + [{"name": "y", "type": "flag"}]})})
            for at in range(0, len(learned), 2000):
                client.call("account-put", {"accounts": [
                    {"id": f"a{row}", "values": {**table.lead(row), "y": bool(table.y[row])}}
                    for row in learned[at:at + 2000]]})
            reply = client.call("icp-learn", {"label": "y = true", "despite_readiness": True})
            evidence = json.loads(reply["evidence"])
            p = []
            for at in range(0, len(held), 500):
                scores = client.call("score-many", {"icp": reply["icp"], "leads": [
                    {"values": table.lead(row)} for row in held[at:at + 500]]})["scores"]
                p += [one["p"] for one in scores]
    finally:
        server.close()
    refused = [one["field"].split("_", 1)[1] for one in evidence["refused"] if "leak" in one["reason"]]
    return numpy.array(p), f"refused: {', '.join(refused)}" if refused else ""


def one(program, table, seed):
    order = numpy.random.default_rng(seed).permutation(len(table.y))
    cut = int(0.7 * len(order))
    learned, held = order[:cut], order[cut:]
    y = table.y[held]
    folds = accuracy_peer.folds_of(table.y[learned], seed)
    begun = time.monotonic()
    p, told = ours(program, table, learned, held)
    rows = {"icpd": (p, told, time.monotonic() - begun)}
    for name in accuracy_peer.PEERS:
        begun = time.monotonic()
        predict, told = accuracy_peer.learn(name, table.x[learned], table.y[learned], table.kinds, folds)
        rows[name] = predict(table.x[held]).astype(float), told, time.monotonic() - begun
    return y, rows


def judge(name, y, rows, failed):
    """One row of the table of figures; what fell short goes to failed."""
    figures = {who: {"auc": auc(y, p), "log_loss": float(log_loss(y, p).mean()), "ece": ece(y, p), "told": told,
                     "seconds": seconds} for who, (p, told, seconds) in rows.items()}
    icpd_figures = figures["icpd"]
    best_auc = max(figures[who]["auc"] for who in accuracy_peer.PEERS)
    best = min(accuracy_peer.PEERS, key=lambda who: figures[who]["log_loss"])
    difference = log_loss(y, rows["icpd"][0]) - log_loss(y, rows[best][0])
    figures["gap"] = {"auc": icpd_figures["auc"] - best_auc, "log_loss": float(difference.mean()),
                      "half": float(1.96 * difference.std() / len(y) ** 0.5), "n": len(y)}
    marks = [("AUC", figures["gap"]["auc"] < -WITHIN), ("log loss", figures["gap"]["log_loss"] > WITHIN),
             ("ECE", len(y) >= LARGE and icpd_figures["ece"] > CALIBRATED)]
    short = [what for what, is_short in marks if is_short]
    failed += [f"{name}: {what}" for what in short]
    print(f"| {name} | {len(y)} | " + " | ".join(
        f"{figures[who]['auc']:.4f} {figures[who]['log_loss']:.4f}" for who in ("icpd", *accuracy_peer.PEERS))
        + f" | {figures['gap']['auc']:+.4f} | {figures['gap']['log_loss']:+.4f} ± {figures['gap']['half']:.4f} "
        f"| {icpd_figures['ece']:.3f} | {', '.join(short)} |", flush=True)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("icpd")
    parser.add_argument("folder")
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--json", help="write all figures to this file")
    options = parser.parse_args()
    made = sorted(name[:-4] for name in os.listdir(options.folder) if name.endswith(".csv"))
    names = options.sets or made
    for name in names:
        if name not in made:
            parser.error(f"'{name}' is none of the sets: {', '.join(made)}")
    failed, figures = [], {}
    print(f"| set | held out | icpd | {' | '.join(accuracy_peer.PEERS)} | AUC − best | log loss − best | ECE | short |")
    print("|" + "---|" * (len(accuracy_peer.PEERS) + 7))
    for name in names:
        table = Table(os.path.join(options.folder, name + ".csv"))
        figures[name] = judge(name, *one(os.path.abspath(options.icpd), table, options.seed), failed)
    better = [sum(figures[name]["gap"]["auc"] > 0 for name in names),
              sum(figures[name]["gap"]["log_loss"] < 0 for name in names)]
    print(f"\nbetter than the best of the others: AUC on {better[0]} of {len(names)}, log loss on {better[1]}")
    for line in failed:
        print(f"falls short: {line}")
    for name in names:
        if figures[name]["icpd"]["told"]:
            print(f"{name}: icpd {figures[name]['icpd']['told']}")
    if options.json:
        with open(options.json, "w", encoding="utf-8") as file:
            json.dump(figures, file, indent=1)
    short = failed or min(better) * 3 < len(names)
    return 1 if short else 0


if __name__ == "__main__":
    sys.exit(main())
