#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Two builds of the learner on the same rows: bench_builds.py LEARN_CSV LEARN_CSV FOLDER [SET …].

LEARN_CSV is tests/system/learn/learn_csv of a build, FOLDER has the sets of accuracy_sets.R. Only the 70 % that
bench_accuracy.py learns from are looked at, so that whoever changes the learner by these figures has not seen the
rows held out there: they are parted into four folds, and each build learns three of them and scores the fourth,
one build after the other. Told are AUC (mean of the folds) and log loss (all rows, with the 95 % interval of its
difference by rows) of the first and what the second adds, pairs, and seconds of processor time of both."""

import argparse
import csv
import json
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "tests", "system")]
import numpy  # noqa: E402
from accuracy_peer import log_loss  # noqa: E402
from bench_accuracy import auc  # noqa: E402

FOLDS, SEED = 4, 1


def parts(path, folder):
    """Writes a file for each fold: rows to learn from, then those to score; with the count of the first."""
    with open(path, encoding="utf-8", newline="") as file:
        head, *rows = csv.reader(file)
    head = ["y"] + [f"f{i}_{name.replace('.', '_')}" for i, name in enumerate(head[1:])]
    order = numpy.random.default_rng(SEED).permutation(len(rows))[:int(0.7 * len(rows))]
    y = numpy.array([int(rows[i][0]) for i in order])
    fold = numpy.empty(len(order), int)
    random = numpy.random.default_rng(77)
    for outcome in (0, 1):
        those = numpy.flatnonzero(y == outcome)
        fold[random.permutation(those)] = numpy.arange(len(those)) % FOLDS
    for k in range(FOLDS):
        part = os.path.join(folder, f"{k}.csv")
        with open(part, "w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file)
            writer.writerow(head)
            writer.writerows([rows[i] for i in order[fold != k]] + [rows[i] for i in order[fold == k]])
        yield part, int((fold != k).sum())


def learn(program, part, learned, pairs):
    with tempfile.NamedTemporaryFile() as scores:
        run = subprocess.run([program, part, "y = 1", f"pairs={pairs}", f"learned={learned}", f"scores={scores.name}"],
                             check=True, capture_output=True, text=True)
        told = json.loads(run.stdout)
        if "error" in told:
            raise SystemExit(f"{part}: {told['message']}")
        figures = numpy.loadtxt(scores.name, delimiter=",")
    return told, figures


def one(programs, path, pairs):
    """AUC by fold, loss by row, pairs in all and seconds of each program."""
    sums = [{"auc": [], "loss": [], "pairs": 0, "seconds": 0.0} for _ in programs]
    with tempfile.TemporaryDirectory() as folder:
        for part, learned in parts(path, folder):
            for program, to in zip(programs, sums):
                told, figures = learn(program, part, learned, pairs)
                to["auc"].append(auc(figures[:, 0], figures[:, 2]))
                to["loss"].append(log_loss(figures[:, 0], figures[:, 1]))
                to["pairs"] += told["settings"]["pairs"]
                to["seconds"] += told["seconds"]
    for to in sums:
        to["auc"], to["loss"] = float(numpy.mean(to["auc"])), numpy.concatenate(to["loss"])
    return sums


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("first")
    parser.add_argument("second")
    parser.add_argument("folder")
    parser.add_argument("sets", nargs="*")
    parser.add_argument("--pairs", type=int, default=16)
    options = parser.parse_args()
    made = sorted(name[:-4] for name in os.listdir(options.folder) if name.endswith(".csv"))
    names = options.sets or made
    for name in names:
        if name not in made:
            parser.error(f"'{name}' is none of the sets: {', '.join(made)}")
    print("| set | AUC log loss | AUC | log loss | pairs | seconds |\n" + "|---" * 6 + "|")
    aucs, losses = [], []
    programs = [os.path.abspath(options.first), os.path.abspath(options.second)]
    for name in names:
        first, second = one(programs, os.path.join(options.folder, name + ".csv"), options.pairs)
        difference = second["loss"] - first["loss"]
        aucs.append(second["auc"] - first["auc"])
        losses.append(difference.mean())
        print(f"| {name} | {first['auc']:.4f} {first['loss'].mean():.4f} | {aucs[-1]:+.4f} | {losses[-1]:+.4f} ± "
              f"{1.96 * difference.std() / len(difference) ** 0.5:.4f} | {first['pairs']} {second['pairs']} | "
              f"{first['seconds']:.1f} {second['seconds']:.1f} |", flush=True)
    print(f"\nAUC {numpy.mean(aucs):+.4f} on average, {min(aucs):+.4f} at worst; "
          f"log loss {numpy.mean(losses):+.4f}, {max(losses):+.4f} at worst")


if __name__ == "__main__":
    sys.exit(main())
