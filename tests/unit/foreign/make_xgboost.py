#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The models of this folder and what XGBoost itself says of their rows (python3-xgboost 1.7.4 of
Debian 12): tests/unit/foreign/make_xgboost.py. Run it only to make them anew.

For each model NAME.json (and NAME.ubj, the same) there is NAME.txt: a line for each row, the values
of its features ("-" is missing), then the margin, the contribution of each feature and the bias."""
import os

import numpy as np
import xgboost

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")


def write(name, settings, rounds, columns, types, outcome, rows, ubj=False):
    features = list(columns)
    table = np.column_stack([columns[f] for f in features]).astype(np.float32)
    options = {"feature_names": features, "feature_types": types, "enable_categorical": True}
    model = xgboost.train(settings, xgboost.DMatrix(table[:-rows], outcome[:-rows], **options), rounds)
    for form in ("json", "ubj") if ubj else ("json",):
        model.save_model(f"{HERE}/{name}.{form}")
    asked = xgboost.DMatrix(table[-rows:], **options)
    margins = model.predict(asked, output_margin=True)
    parts = model.predict(asked, pred_contribs=True)
    with open(f"{HERE}/{name}.txt", "w") as out:
        for row, margin, part in zip(table[-rows:], margins, parts):
            cells = ["-" if np.isnan(x) else repr(float(x)) for x in row]
            out.write(" ".join(cells + [repr(float(x)) for x in (margin, *part)]) + "\n")


def main():
    random = np.random.default_rng(9)
    n = 2200
    x = random.normal(size=(n, 5)).astype(np.float32)
    x[random.random((n, 5)) < 0.1] = np.nan
    x[:, 4] = np.round(x[:, 4] * 2) / 2
    z = np.nan_to_num(x)
    y = (z[:, 0] + z[:, 1] * z[:, 2] + random.normal(size=n) > 0).astype(int)
    numbers = {f"x{i}": x[:, i] for i in range(5)}
    write("numbers", {"tree_method": "hist", "max_bin": 32, "max_leaves": 12, "max_depth": 0,
                      "grow_policy": "lossguide", "objective": "binary:logistic", "eta": 0.3,
                      "base_score": 0.3}, 12, numbers, ["q"] * 5, y, 200, ubj=True)
    write("deep", {"tree_method": "hist", "max_bin": 64, "max_depth": 8, "min_child_weight": 0.5,
                   "objective": "reg:squarederror", "eta": 0.5}, 2, numbers, ["q"] * 5, y, 100)
    city = random.integers(0, 9, n).astype(np.float32)
    city[random.random(n) < 0.05] = np.nan
    won = (np.isin(city, [1, 4, 5]) + z[:, 0] + random.normal(size=n) > 0.6).astype(int)
    write("categories", {"tree_method": "hist", "max_depth": 3, "objective": "binary:logistic",
                         "max_cat_to_onehot": 3}, 5, {"city": city, "x0": x[:, 0]}, ["c", "q"], won,
          100)


main()
