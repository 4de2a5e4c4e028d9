#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Learning beside XGBoost (tools/bench-learn): the same made-up rows, one after the other.

XGBoost runs in a process of its own, from the numbers in memory to a model: histogram trees of depth
3, 100 rounds at a rate of 0.3, its defaults. What it leaves out and icpd does counts against icpd:
looking for leaks and for rows that are one account, bags for calibration, evidence on rows held out,
and learning a second time from all of them.
"""
import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile

TARGET = 1.5
PEER = """
import json, resource, sys, time
import numpy as np
import xgboost
rows, fields, threads, folder = int(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
x = np.fromfile(folder + "/rows.f32", np.float32).reshape(rows, fields)
y = np.fromfile(folder + "/labels.u8", np.uint8)
n = int(rows * 0.7)
clocks = (time.monotonic(), time.process_time())
data = xgboost.DMatrix(x[:n], y[:n], nthread=threads)
model = xgboost.train({"tree_method": "hist", "max_depth": 3, "objective": "binary:logistic",
                       "nthread": threads, "verbosity": 0}, data, 100)
wall, processor = time.monotonic() - clocks[0], time.process_time() - clocks[1]
p = model.predict(xgboost.DMatrix(x[n:], nthread=threads)).astype(float)
t = y[n:]
order = np.argsort(p, kind="stable")
ranks = np.empty(len(p)); ranks[order] = np.arange(1, len(p) + 1)
positives = t.sum()
auc = (ranks[t == 1].sum() - positives * (positives + 1) / 2) / (positives * (len(t) - positives))
p = np.clip(p, 1e-12, 1 - 1e-12)
print(json.dumps({"wall": wall, "processor": processor, "auc": float(auc),
                  "megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
                  "log_loss": float(-np.mean(np.where(t == 1, np.log(p), np.log(1 - p))))}))
"""


def run(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{command[0]} ended with {done.returncode}: {done.stderr}")
    return json.loads(done.stdout)


def shown(name, figures):
    print(f"{name:28} {figures['wall']:8.2f} s  {figures['processor']:8.2f} s of processor  "
          f"{figures['megabytes']:6.0f} MB  AUC {figures['auc']:.4f}  log loss {figures['log_loss']:.4f}",
          flush=True)


def middle(runs):
    return {key: statistics.median(run[key] for run in runs) for key in runs[0]}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--rows", type=int, default=1000000)
    parser.add_argument("--fields", type=int, default=30)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--pairs", type=int, default=16)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    if options.quick:
        options.rows, options.fields, options.rounds = 100000, 10, 1
    try:
        import xgboost  # noqa: F401
        peer = True
    except ImportError:
        peer = False
        print("XGBoost is not installed (tools/setup bench): icpd alone")
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for _ in range(options.rounds):
            ours.append(run(options.program, options.rows, options.fields,
                            f"threads={options.threads}", f"pairs={options.pairs}",
                            f"folder={folder}"))
            shown("icpd", ours[-1])
            if peer:
                theirs.append(run(sys.executable, "-c", PEER, options.rows, options.fields,
                                  options.threads, folder))
                shown("XGBoost hist, depth 3", theirs[-1])
    for rows in (10000, 100000):
        if rows < options.rows:
            shown(f"icpd, {rows:,} rows", run(options.program, rows, options.fields,
                                              f"threads={options.threads}",
                                              f"pairs={options.pairs}"))
    shown(f"icpd, median of {options.rounds}", middle(ours))
    if not peer:
        return 0
    shown(f"XGBoost, median of {options.rounds}", middle(theirs))
    for what in ("wall", "processor"):
        ratio = middle(ours)[what] / middle(theirs)[what]
        print(f"{what}: {ratio:.2f} times XGBoost (wanted at most {TARGET})")
    missed = middle(ours)["wall"] > TARGET * middle(theirs)["wall"]
    return 1 if missed and not options.quick else 0


if __name__ == "__main__":
    sys.exit(main())
