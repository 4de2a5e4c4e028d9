# SPDX-License-Identifier: Apache-2.0
"""What accuracy is held against, each learned from the same rows, one thread, nothing tuned to a set:

  trees      XGBoost's histogram trees at a rate of 0.05; depth 1 to 6 and the rounds by five folds
  histogram  scikit-learn's histogram boosting at a rate of 0.05; the rounds by the same folds
  additive   sums of functions of two fields at most: trees of depth 2, rounds by the same folds

Fields of texts are categories to all of them. Frames are (names, kinds, columns): a column of numbers
with NaN where missing, of a category the number of its value."""
import numpy
import xgboost
from sklearn.ensemble import HistGradientBoostingClassifier

FOLDS, THREADS, RATE, ROUNDS, PATIENCE = 5, 1, 0.05, 1000, 30


def log_loss(y, p):
    p = numpy.clip(p, 1e-12, 1 - 1e-12)
    return -numpy.where(y == 1, numpy.log(p), numpy.log(1 - p))


def folds_of(y, seed):
    """Fold of each row, the outcomes spread evenly."""
    random = numpy.random.default_rng(seed)
    folds = numpy.empty(len(y), int)
    for outcome in (0, 1):
        rows = numpy.flatnonzero(y == outcome)
        folds[random.permutation(rows)] = numpy.arange(len(rows)) % FOLDS
    return folds


def matrix(x, y, kinds):
    return xgboost.DMatrix(x, y, feature_types=["q" if kind == "number" else "c" for kind in kinds],
                           enable_categorical=True, nthread=THREADS)


def settings(depth):
    return {"tree_method": "hist", "objective": "binary:logistic", "eval_metric": "logloss", "eta": RATE,
            "max_depth": depth, "nthread": THREADS, "verbosity": 0, "seed": 1}


def boosted(x, y, kinds, depths, folds):
    """The model of the depth and rounds with the least loss out of fold."""
    parts = [(numpy.flatnonzero(folds != f), numpy.flatnonzero(folds == f)) for f in range(FOLDS)]
    data = matrix(x, y, kinds)
    best = None
    for depth in depths:
        history = xgboost.cv(settings(depth), data, ROUNDS, folds=parts, early_stopping_rounds=PATIENCE,
                             as_pandas=False)["test-logloss-mean"]
        found = (min(history), depth, int(numpy.argmin(history)) + 1)
        best = found if best is None or found < best else best
    model = xgboost.train(settings(best[1]), data, best[2])
    return (lambda rows: model.predict(matrix(rows, None, kinds))), f"depth {best[1]}, {best[2]} rounds"


def histogram(x, y, kinds, folds):
    def model(rounds):
        categories = [kind != "number" and numpy.nanmax(x[:, i], initial=0) < 255 for i, kind in enumerate(kinds)]
        return HistGradientBoostingClassifier(learning_rate=RATE, max_iter=rounds, early_stopping=False,
                                              categorical_features=categories, random_state=1)
    losses = numpy.zeros(300)
    for fold in range(FOLDS):
        inside = folds != fold
        fitted = model(300).fit(x[inside], y[inside])
        for at, p in enumerate(fitted.staged_predict_proba(x[~inside])):
            losses[at] += log_loss(y[~inside], p[:, 1]).sum()
    rounds = int(numpy.argmin(losses)) + 1
    fitted = model(rounds).fit(x, y)
    return (lambda rows: fitted.predict_proba(rows)[:, 1]), f"{rounds} rounds"


def learn(name, x, y, kinds, folds):
    if name == "histogram":
        return histogram(x, y, kinds, folds)
    return boosted(x, y, kinds, [2] if name == "additive" else range(1, 7), folds)


PEERS = ["trees", "histogram", "additive"]
