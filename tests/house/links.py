#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A relative link of a Markdown page leads to a file, and its #part to a heading: links.py ROOT.
Before it looks, it proves that planted faults are found."""

import os
import re
import sys
import tempfile

import tree

LINK = re.compile(r"(?<!!)\[[^\]]*\]\(([^)\s]+)\)")
CODE = re.compile(r"```.*?```|`[^`\n]*`", re.S)
HEADING = re.compile(r"^#+ +(.*?) *$", re.M)


def anchors(text):
    """The names that a renderer gives to the headings of a page."""
    for heading in HEADING.findall(text):
        yield re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def page_faults(root, path):
    text = tree.read(root, path)
    for link in LINK.findall(CODE.sub("", text)):
        if re.match(r"[a-z+]+:", link):
            continue
        name, _, part = link.partition("#")
        target = os.path.normpath(os.path.join(os.path.dirname(path), name)) if name else path
        if not os.path.exists(os.path.join(root, target)):
            yield f"{path}: the link {link} leads nowhere"
        elif part and target.endswith(".md"):
            if part not in anchors(CODE.sub("", tree.read(root, target))):
                yield f"{path}: {target} has no heading for {link}"


def check(root):
    paths = tree.files(root, (".md",))
    return [fault for path in paths for fault in page_faults(root, path)], len(paths)


def control():
    pages = {
        "a.md": "# One two\n[b](docs/b.md) [b](docs/b.md#its-part) [a](#one-two) [x](https://x.y)\n"
        "`[code](no.md)`\n```\n[code](no.md)\n```\n[no](no.md) [no](#two)\n",
        "docs/b.md": "## Its part\n[a](../a.md) [no](a.md) [no](../a.md#its-part)\n",
    }
    with tempfile.TemporaryDirectory() as root:
        os.mkdir(os.path.join(root, "docs"))
        for path, text in pages.items():
            with open(os.path.join(root, path), "w", encoding="utf-8") as file:
                file.write(text)
        found, _ = check(root)
    wanted = ["link no.md", "for #two", "link a.md", "for ../a.md#its-part"]
    return len(found) == len(wanted) and all(w in f for w, f in zip(wanted, found))


def main(root):
    if not control():
        print("the planted faults are not found")
        return 1
    return tree.report("links", *check(root))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
