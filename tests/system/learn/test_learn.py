#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Learning on real files, with scikit-learn as an independent judge of the figures.

    test_learn.py LEARN_CSV [DATA_FOLDER]

The files are not part of the project; without them (default: ../shared/data beside the checkout, or
ICP_TEST_DATA) it says so and exits with 77 (skipped). Labels in random order are the null data.
"""
import csv
import json
import os
import subprocess
import sys
import tempfile

LEARN_CSV = sys.argv[1]
ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))
DATA = (sys.argv[2] if len(sys.argv) > 2 else
        os.environ.get("ICP_TEST_DATA", os.path.join(ROOT, "..", "shared", "data")))
LEADS = os.path.join(DATA, "x_education_leads.csv")
MAVEN = os.path.join(DATA, "maven_crm")
LEAKING = "Tags|Lead Quality|Lead Profile|Last Notable Activity"
CLEAN = "exclude=Prospect ID|Lead Number|" + LEAKING
failures = []


def learn(path, label, *options):
    run = subprocess.run([LEARN_CSV, path, label, *options], capture_output=True, text=True)
    if run.returncode != 0:
        raise RuntimeError(f"learn_csv ended with {run.returncode}: {run.stdout} {run.stderr}")
    return json.loads(run.stdout)


def check(what, holds, figures):
    print(("ok      " if holds else "FAILED  ") + what + ": " + str(figures), flush=True)
    if not holds:
        failures.append(what)


def leads_reach_their_accuracy():
    for pairs, least in (("0", 0.912), ("16", 0.917)):
        runs = [learn(LEADS, "Converted = 1", CLEAN, f"split={s}", f"seed={s}", f"pairs={pairs}")
                for s in range(4)]
        aucs = [run["auc"] for run in runs]
        mean = sum(aucs) / len(aucs)
        check(f"mean AUC on the outer 30 % with {pairs} pairs is at least {least}, each 0.905",
              mean >= least and min(aucs) >= 0.905, [round(a, 4) for a in aucs])
        ece = sum(run["ece"] for run in runs) / len(runs)
        check("mean ECE is at most 0.03", ece <= 0.03, round(ece, 4))
        check("contributions and intercept give the raw score in every row",
              all(run["unequal"] == 0 for run in runs), 0)
        inside = [run["holdout"]["auc_low"] - 0.01 <= run["auc"] <= run["holdout"]["auc_high"] + 0.01
                  for run in runs]
        check("the evidence foretells the outer AUC", sum(inside) >= 3, inside)


def leaks_are_refused():
    run = learn(LEADS, "Converted = 1")
    refused = {item["field"]: item["reason"] for item in run["refused"]}
    for field in ("Tags", "Lead Quality", "Lead Profile", "Last Notable Activity"):
        check(f"{field} is refused as a suspected leak", "suspected leak" in refused.get(field, ""),
              refused.get(field))
    for field in ("Prospect ID", "Lead Number"):
        check(f"{field} is refused as an identifier", "identifier" in refused.get(field, ""),
              refused.get(field))
    for field in ("Total Time Spent on Website", "Last Activity", "Lead Source",
                  "What is your current occupation"):
        check(f"{field} is kept", field not in refused, refused.get(field))
    kept = learn(LEADS, "Converted = 1", "keep=" + LEAKING)
    check("kept on demand, leaks are warned of",
          sum("suspected leak" in warning for warning in kept["warnings"]) == 4, kept["warnings"][:1])
    run = learn(LEADS, "Converted = 1", CLEAN, "rising=TotalVisits",
                "falling=Total Time Spent on Website")
    check("what goes one way costs accuracy where that is not so", 0.8 < run["auc"] < 0.91, run["auc"])


def accounts_without_signal_give_no_icp():
    with tempfile.TemporaryDirectory() as folder:
        joined = os.path.join(folder, "maven.csv")
        with open(os.path.join(MAVEN, "accounts.csv"), encoding="utf-8") as f:
            accounts = {row["account"]: row for row in csv.DictReader(f)}
        fields = ["sector", "year_established", "revenue", "employees", "office_location",
                  "subsidiary_of"]
        with open(os.path.join(MAVEN, "sales_pipeline.csv"), encoding="utf-8") as f, \
                open(joined, "w", encoding="utf-8", newline="") as out:
            writer = csv.writer(out)
            writer.writerow(["deal_stage"] + fields)
            for row in csv.DictReader(f):
                account = accounts.get(row["account"])
                if row["deal_stage"] in ("Won", "Lost") and account:
                    writer.writerow([row["deal_stage"]] + [account[k] for k in fields])
        for seed in range(8):
            run = learn(joined, "deal_stage = 'Won'", f"seed={seed}", f"split={seed}")
            check("account attributes of won and lost deals: no evidence",
                  run.get("error") == "no-evidence", run.get("message", run)[:110])


def noise_gives_no_icp():
    """Nominal rate of the first of two conditions: 2.5 %. 6 or more of 80 would happen in 1.4 % of
    cases at that rate; the seeds are fixed, so the outcome is too."""
    found = 0
    for seed in range(1, 81):
        run = learn(LEADS, "Converted = 1", CLEAN, f"shuffle={seed}", f"seed={seed}", "rows=3000")
        if run.get("error") not in (None, "no-evidence"):
            raise RuntimeError(run)
        found += "auc" in run
    check("labels in random order: an ICP is found in fewer than 6 of 80", found < 6, found)


def documents_are_the_same_on_any_number_of_threads():
    with tempfile.TemporaryDirectory() as folder:
        texts = []
        for threads in (1, 2):
            path = os.path.join(folder, str(threads))
            learn(LEADS, "Converted = 1", CLEAN, "pairs=8", f"threads={threads}", "text=" + path)
            with open(path, "rb") as f:
                texts.append(f.read())
    check("same seed, same document byte for byte", texts[0] == texts[1], len(texts[0]))


def figures_agree_with_scikit_learn():
    try:
        from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score
    except ImportError:
        print("skipped: scikit-learn is not installed, figures are not judged by another hand")
        return
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "scores.csv")
        run = learn(LEADS, "Converted = 1", CLEAN, "scores=" + path)
        with open(path, encoding="utf-8") as f:
            rows = [line.split(",") for line in f]
    y = [int(row[0]) for row in rows]
    p = [float(row[1]) for row in rows]
    raw = [int(row[2]) for row in rows]
    for name, ours, theirs in (("AUC", run["auc"], roc_auc_score(y, raw)),
                               ("log loss", run["log_loss"], log_loss(y, p)),
                               ("Brier", run["brier"], brier_score_loss(y, p))):
        check(f"{name} agrees with scikit-learn", abs(ours - theirs) < 1e-9, (ours, theirs))


def main():
    if not os.path.exists(LEADS) or not os.path.isdir(MAVEN):
        print(f"skipped: no real data in {DATA}")
        return 77
    leads_reach_their_accuracy()
    leaks_are_refused()
    accounts_without_signal_give_no_icp()
    noise_gives_no_icp()
    documents_are_the_same_on_any_number_of_threads()
    figures_agree_with_scikit_learn()
    print(f"{len(failures)} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
