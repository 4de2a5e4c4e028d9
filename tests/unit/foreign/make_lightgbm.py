#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""models/lightgbm.model, a model as LightGBM 3 and 4 write it (src/boosting/gbdt_model_text.cpp), and
models/lightgbm.txt, what its trees come to by an evaluator of its own that follows src/io/tree.h
(NumericalDecision, CategoricalDecision), with contributions by brute force: the expectation given
each subset of features, weighted as Shapley has it. LightGBM itself is not in Debian 12.

A line of the text is the values of a row ("-" is missing), its margin, a contribution for each
feature, and the bias."""
import itertools
import math
import os
import random

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "models")
FEATURES = 5
CATEGORICAL = 4
SIGMOID = 0.8
NONE, ZERO, NAN = 0, 1, 2


class Node:
    pass


def grow(rng, rows, depth):
    node = Node()
    node.count = rows
    if depth == 0 or rows < 8 or rng.random() < 0.15:
        node.value = rng.uniform(-0.6, 0.6)
        node.leaf = True
        return node
    node.leaf = False
    node.feature = rng.randrange(FEATURES)
    node.categorical = node.feature == CATEGORICAL
    node.missing = NAN if node.categorical else (NONE, ZERO, NAN, NONE)[node.feature]
    node.default_left = not node.categorical and rng.random() < 0.5
    node.threshold = rng.choice([-1.5, -0.75, 0.0, 1e-35, 0.3, 1.1, 2.25])
    node.set = {rng.randrange(40) for _ in range(rng.randrange(1, 9))}
    left = rng.randrange(2, rows - 1)
    node.left = grow(rng, left, depth - 1)
    node.right = grow(rng, rows - left, depth - 1)
    return node


def left_of(node, value):
    if node.categorical:
        return not (value is None or int(value) < 0) and int(value) in node.set
    if value is None and node.missing != NAN:
        value = 0.0
    if (node.missing == NAN and value is None) or (node.missing == ZERO and abs(value) <= 1e-35):
        return node.default_left
    return value <= node.threshold


def expected(node, row, known):
    if node.leaf:
        return node.value
    if node.feature in known:
        return expected(node.left if left_of(node, row[node.feature]) else node.right, row, known)
    return (node.left.count * expected(node.left, row, known)
            + node.right.count * expected(node.right, row, known)) / node.count


def shapley(trees, row):
    parts = []
    for f in range(FEATURES):
        others = [g for g in range(FEATURES) if g != f]
        total = 0.0
        for size in range(FEATURES):
            weight = (math.factorial(size) * math.factorial(FEATURES - size - 1)
                      / math.factorial(FEATURES))
            for known in itertools.combinations(others, size):
                total += weight * sum(expected(t, row, {*known, f}) - expected(t, row, {*known})
                                      for t in trees)
        parts.append(total)
    return parts


def block(number, root):
    splits, leaves = [], []

    def walk(node):
        if node.leaf:
            leaves.append(node)
            return -len(leaves)
        at = len(splits)
        splits.append(node)
        node.at_left = walk(node.left)
        node.at_right = walk(node.right)
        return at

    walk(root)
    boundaries, words, thresholds = [0], [], []
    for node in splits:
        if node.categorical:
            bits = [0] * (max(node.set) // 32 + 1)
            for category in node.set:
                bits[category // 32] |= 1 << category % 32
            thresholds.append(len(boundaries) - 1)
            words += bits
            boundaries.append(len(words))
        else:
            thresholds.append(node.threshold)

    def line(name, values):
        return f"{name}={' '.join(repr(v) for v in values)}\n"

    text = f"Tree={number}\nnum_leaves={len(leaves)}\nnum_cat={len(boundaries) - 1}\n"
    if splits:
        text += line("split_feature", [n.feature for n in splits])
        text += line("split_gain", [1 for n in splits])
        text += line("threshold", thresholds)
        text += line("decision_type", [n.categorical + 2 * n.default_left + 4 * n.missing
                                       for n in splits])
        text += line("left_child", [n.at_left for n in splits])
        text += line("right_child", [n.at_right for n in splits])
    text += line("leaf_value", [n.value for n in leaves])
    if splits:
        text += line("leaf_weight", [n.count / 4 for n in leaves])
        text += line("leaf_count", [n.count for n in leaves])
        text += line("internal_value", [0 for n in splits])
        text += line("internal_weight", [n.count / 4 for n in splits])
        text += line("internal_count", [n.count for n in splits])
        if len(boundaries) > 1:
            text += line("cat_boundaries", boundaries) + line("cat_threshold", words)
    return text + "is_linear=0\nshrinkage=0.1\n\n\n"


def main():
    rng = random.Random(4)
    trees = [grow(rng, 400, 5) for _ in range(9)]
    single = Node()
    single.leaf, single.value, single.count = True, 0.125, 0
    trees.append(single)
    blocks = [block(i, t) for i, t in enumerate(trees)]
    head = ("tree\nversion=v4\nnum_class=1\nnum_tree_per_iteration=1\nlabel_index=0\n"
            f"max_feature_idx={FEATURES - 1}\nobjective=binary sigmoid:{SIGMOID}\n"
            "feature_names=" + " ".join(f"x{i}" for i in range(FEATURES)) + "\n"
            "feature_infos=[-3:3] [-3:3] [-3:3] [-3:3] 0:1:2\n"
            "tree_sizes=" + " ".join(str(len(b)) for b in blocks) + "\n\n")
    with open(f"{HERE}/lightgbm.model", "w") as out:
        out.write(head + "".join(blocks) + "end of trees\n\nfeature_importances:\nx0=3\n\n"
                  "parameters:\n[boosting: gbdt]\nend of parameters\n\npandas_categorical:null\n")
    with open(f"{HERE}/lightgbm.txt", "w") as out:
        for i in range(120):
            row = [None if rng.random() < 0.15 else
                   rng.choice([-1.5, -0.75, 0.0, -0.0, 1e-35, 2e-35, -1e-36, 0.3, 1.1, 2.25,
                               rng.gauss(0, 1.5)]) for _ in range(FEATURES)]
            row[CATEGORICAL] = None if rng.random() < 0.1 else rng.choice(
                [rng.randrange(45), rng.randrange(45) + 0.5, -1.0, -0.5, -7.0, 1e6])
            margin = sum(expected(t, row, set(range(FEATURES))) for t in trees)
            parts = shapley(trees, row)
            bias = sum(expected(t, row, set()) for t in trees)
            cells = ["-" if v is None else repr(float(v)) for v in row]
            out.write(" ".join(cells + [repr(SIGMOID * v) for v in (margin, *parts, bias)]) + "\n")


main()
