#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Commits say what and why: commits.py ROOT. The subject is `area: imperative`, at most 72 characters;
after an empty line a body gives the reason, in lines of at most 100 characters (figures and their
commands may be longer). Commits written before SINCE are let be, and so are merges. Works in a shallow
clone: it looks at what is there. Exits with 77 (skipped) where there is no history. Before it looks,
it proves that planted faults are found."""

import re
import shutil
import subprocess
import sys

import tree

SINCE = 1795848600  # 2026-11-28 06:50 UTC, when this check came
SUBJECT_MAX = 72
SUBJECT = re.compile(r"[a-z][a-z0-9 ,./_-]*: \S")
TRAILER = re.compile(r"[A-Z][A-Za-z-]+: ")


def message_faults(message):
    subject, _, rest = message.partition("\n")
    if len(subject) > SUBJECT_MAX:
        yield f"the subject has {len(subject)} characters, at most {SUBJECT_MAX} are allowed"
    if not SUBJECT.match(subject) or subject.endswith("."):
        yield "the subject is not `area: what it does`"
    if rest and not rest.startswith("\n"):
        yield "no empty line after the subject"
    lines = [line for line in rest.splitlines() if line.strip() and not TRAILER.match(line)]
    if not lines:
        yield "no body: it says why"


def history(root):
    """(hash, when it was written, message) of each commit that is there and has one parent at most."""
    run = subprocess.run(
        ["git", "-c", f"safe.directory={root}", "log", "--no-merges", "--format=%H%x00%at%x00%B%x01"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if run.returncode != 0:
        return None
    commits = [commit.lstrip("\n").split("\0") for commit in run.stdout.split("\x01")]
    return [(name, int(when), text.strip("\n")) for name, when, text in (c for c in commits if len(c) == 3)]


def check(commits):
    return [
        f"{name[:9]} {text.splitlines()[0] if text else ''}: {fault}"
        for name, when, text in commits
        if when >= SINCE
        for fault in message_faults(text)
    ]


def control():
    planted = {
        "net: open the circle\n\nWhy it was closed.": 0,
        "net, rpc: " + "x" * 62 + "\n\nWhy.": 0,
        "net, rpc: " + "x" * 63 + "\n\nWhy.": 1,
        "net: open the circle": 1,
        "net: open the circle\n\nSigned-off-by: A <a@b.c>": 1,
        "net: open the circle\nWhy.": 1,
        "Open the circle\n\nWhy.": 1,
        "net: open the circle.\n\nWhy.": 1,
    }
    found = [(len(list(message_faults(text))), wanted) for text, wanted in planted.items()]
    old = check([("a" * 40, SINCE - 1, "bad"), ("b" * 40, SINCE, "bad")])
    return all(count == wanted for count, wanted in found) and len(old) == 2


def main(root):
    if not control():
        print("the planted faults are not found")
        return 1
    commits = history(root) if shutil.which("git") else None
    if commits is None:
        print("skipped: no history here")
        return 77
    looked = sum(when >= SINCE for _, when, _ in commits)
    return tree.report("commits", check(commits), looked)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
