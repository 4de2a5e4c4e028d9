#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What the tables of the protocol say is not said again elsewhere: wire.py ROOT.

- no handler of server/rpc writes a name as a literal: names come from field.def and shape.def;
- where the help of an option of `icp` says a default (in round brackets) or a bound (up to N) of the
  field that it sets, it is that of docs/reference/protocol.json.

Before it looks, it proves that a planted fault of each kind is found."""

import json
import os
import re
import sys

import tree

LITERAL = re.compile(r'proto_write_(?:text|str)\([^;"]*"')
# Names that a template is made of once, at its start, and what they may be.
TEMPLATES = {"server/rpc/score_reply.c": 1}
OPTION = re.compile(r"^O\((\w+), (\w+), \"([\w-]+)\", [^,]+, (?:NULL|\"[^\"]*\"), \"(.*)\"\)$")
# Commands whose options are fields of one operation, under the same names.
OPERATIONS = {"LEARN": "icp-learn", "SCORE": "score", "FILTER": "filter", "SIMILAR": "similar",
              "RECALL": "recall", "TAL_BUILD": "tal-build", "CAPTURE_START": "capture-start"}


def literal_faults(path, text):
    found = [number for number, line in enumerate(text.splitlines(), 1) if LITERAL.search(line)]
    for number in found[TEMPLATES.get(path, 0):]:
        yield f"{path}:{number}: a name of the wire as a literal; take it from the table (RPC_MEMBER, rpc_put_*)"


def option_faults(path, text, operations):
    for number, line in enumerate(text.splitlines(), 1):
        row = OPTION.match(line)
        operation = operations.get(OPERATIONS.get(row.group(1), "")) if row else None
        field = operation and operation.get(row.group(3).replace("-", "_"))
        if not field:
            continue
        default = re.search(r"\(([\d.]+)\)$", row.group(4))
        if default and float(default.group(1)) != field.get("default"):
            yield f"{path}:{number}: the default is {field.get('default')} in proto/field.def"
        bound = re.search(r"up to ([\d,]+)(?![\d,]| ?[KMG])", row.group(4))
        if bound and int(bound.group(1).replace(",", "")) != field.get("high"):
            yield f"{path}:{number}: the bound is {field.get('high')} in proto/field.def"


def read_operations(root):
    tables = json.loads(tree.read(root, "docs/reference/protocol.json"))
    return {op["name"]: {one["name"]: one for one in op["request"]} for op in tables["operations"]}


def control(operations):
    planted = 'O(SIMILAR, K, "k", \'k\', "N", "how many to show, up to 10000 (11)")'
    bound = 'O(SIMILAR, K, "k", \'k\', "N", "how many to show, up to 9999 (10)")'
    right = 'O(SIMILAR, K, "k", \'k\', "N", "how many to show, up to 10000 (10)")'
    return (
        len(list(option_faults("x", planted, operations))) == 1
        and len(list(option_faults("x", bound, operations))) == 1
        and not list(option_faults("x", right, operations))
        and len(list(literal_faults("x", 'proto_write_text(call->out, "seq");'))) == 1
        and not list(literal_faults("x", "proto_write_text(out, proto_error_find(code)->name);"))
    )


def main(root):
    operations = read_operations(root)
    if not control(operations):
        print("a planted fault is not found")
        return 1
    faults, seen = [], 0
    for path in tree.files(root, (".c", ".def")):
        if os.path.dirname(path) == "server/rpc" and path.endswith(".c"):
            faults += literal_faults(path, tree.read(root, path))
            seen += 1
        if path == "tools/cli/option.def":
            faults += option_faults(path, tree.read(root, path), operations)
            seen += 1
    return tree.report("wire", faults, seen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
