#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A model from elsewhere beside XGBoost itself (tools/bench-trees): 100 trees of 31 leaves over 20
numbers, the same rows, one thread, in alternation. Shown: the largest differences of margins and
contributions on 2,000 rows, and how many times faster one row and batches of 1,000 are."""
import argparse
import glob
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import xgboost


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("program")
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--leaves", type=int, default=31)
    parser.add_argument("--features", type=int, default=20)
    parser.add_argument("--rows", type=int, default=2000)
    options = parser.parse_args()
    random = np.random.default_rng(1)
    names = [f"x{i}" for i in range(options.features)]
    table = random.normal(size=(20000 + options.rows, options.features)).astype(np.float32)
    table[random.random(table.shape) < 0.05] = np.nan
    known = np.nan_to_num(table)
    outcome = (known[:, 0] + known[:, 1] * known[:, 2] + np.sin(3 * known[:, 3])
               + random.normal(size=len(table)) > 0).astype(int)
    model = xgboost.train(
        {"tree_method": "hist", "max_bin": 254, "max_leaves": options.leaves, "max_depth": 0,
         "grow_policy": "lossguide", "objective": "binary:logistic", "eta": 0.1, "nthread": 1},
        xgboost.DMatrix(table[:20000], outcome[:20000], feature_names=names), options.trees)
    rows = table[20000:]
    library = sorted(glob.glob("/usr/lib/*/libxgboost.so*"))
    with tempfile.TemporaryDirectory() as folder:
        model.save_model(folder + "/model.json")
        rows.tofile(folder + "/rows.f32")
        with open(folder + "/schema.json", "w") as out:
            json.dump({"fields": [{"name": n, "type": "number"} for n in names]}, out)
        done = subprocess.run(
            [options.program, folder + "/schema.json", folder + "/model.json", folder + "/rows.f32",
             str(len(rows)), folder + "/out.f64", *library[:1]], capture_output=True, text=True,
            env={**os.environ, "OMP_NUM_THREADS": "1"})
        if done.returncode != 0:
            sys.exit(done.stderr)
        figures = json.loads(done.stdout)
        ours = np.fromfile(folder + "/out.f64").reshape(len(rows), options.features + 1)
    asked = xgboost.DMatrix(rows, feature_names=names)
    margins = np.abs(ours[:, 0] - model.predict(asked, output_margin=True)).max()
    parts = np.abs(ours[:, 1:] - model.predict(asked, pred_contribs=True)[:, :-1]).max()
    checks = [("margin", margins, "at most", 1e-5), ("contributions", parts, "at most", 1e-4)]
    if "peer_single_ns" in figures:
        checks += [("one row, times", figures["peer_single_ns"] / figures["single_ns"],
                    "at least", 12),
                   ("batches of 1,000, times", figures["peer_batch_ns"] / figures["batch_ns"],
                    "at least", 2.5)]
    print(json.dumps(figures))
    short = False
    for name, value, side, bound in checks:
        holds = value <= bound if side == "at most" else value >= bound
        short |= not holds
        print(f"{name:28} {value:12.3g}   {side} {bound:g}: {'holds' if holds else 'falls short'}")
    sys.exit(short)


if __name__ == "__main__":
    main()
