#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The check of the floors must fail on a tree that breaks them: each fault is planted alone, in a tree
that is otherwise good, and must be the one that is found."""

import os
import sys
import tempfile

import floors

GOOD = {
    "proto/span.h": "",
    "client/icp.h": '#include "proto/span.h"\n',
    "server/base/log.h": '#include "proto/span.h"\n#include <stdio.h>\n',
    "server/feature/value.h": '#include "server/base/log.h"\n',
    "server/model/scorecard.h": '#include "server/feature/value.h"\n',
    "server/disk/env.h": "#include <lmdb.h>\n",
    "server/store/store.h": '#include "server/disk/env.h"\n#include "server/feature/value.h"\n',
    "server/store/CMakeLists.txt": "icp_library(store SOURCES a.c LIBS icp_feature)\n",
    "server/feature/CMakeLists.txt": "icp_library(feature SOURCES a.c LIBS icp_base)\n",
    "server/base/CMakeLists.txt": "icp_library(base SOURCES a.c LIBS Threads::Threads)\n",
    "server/learn/learn.h": "",
    "server/engine/engine.h": '#include "server/store/store.h"\n#include "server/learn/learn.h"\n',
    "server/lookalike/lookalike.h": '#include "server/engine/engine.h"\n',
    "server/listing/listing.h": '#include "server/engine/engine.h"\n',
    "server/net/net.h": "#include <uv.h>\n",
    "server/rpc/rpc.h": '#include "server/engine/engine.h"\n#include "server/listing/listing.h"\n',
    "server/main.c": '#include "server/net/net.h"\n#include "server/rpc/rpc.h"\n#include <uv.h>\n',
    "tools/cli/main.c": '#include "client/icp.h"\n#include "server/engine/engine.h"\n',
    "tests/unit/net/test_net.c": '#include "server/net/net.h"\n',
}

# path, contents, part of the message that must come
PLANTED = [
    ("proto/bad.h", '#include "server/base/log.h"\n', "up: proto is on floor 0"),
    ("server/base/bad.h", '\n  # include "server/net/net.h"\n', "bad.h:2: includes"),
    ("server/feature/bad.h", '#include "server/model/scorecard.h"\n', "sideways: server/feature"),
    ("server/learn/bad.h", '#include "server/store/store.h"\n', "sideways: server/learn"),
    ("server/rpc/bad.h", '#include "server/net/net.h"\n', "sideways: server/rpc"),
    ("server/rpc/bad.c", '#include "server/store/store.h"\n', "server/rpc must not know server/store"),
    ("server/net/bad.h", '#include "server/rpc/rpc.h"\n', "sideways: server/net"),
    ("server/engine/bad.c", '#include "server/rpc/rpc.h"\n', "up: server/engine"),
    ("server/engine/bad.c", '#include "server/lookalike/lookalike.h"\n', "up: server/engine"),
    ("server/listing/bad.c", '#include "server/lookalike/lookalike.h"\n', "sideways: server/listing"),
    ("client/bad.h", '#include "server/base/log.h"\n', "client sees only proto"),
    ("tools/cli/bad.c", '#include "server/rpc/rpc.h"\n', "tools must not know server/rpc"),
    ("server/engine/bad.c", "#include <lmdb.h>\n", "only server/disk"),
    ("server/store/bad.c", "#include <lmdb.h>\n", "only server/disk"),
    ("server/rpc/bad.c", "#include <uv.h>\n", "only server/net"),
    ("server/serve.c", "#include <uv.h>\n", "only server/net"),
    ("server/net/bad.c", '#include "net.h"\n', "not the path of a file"),
    ("server/net/bad.c", '#include "server/net/gone.h"\n', "not the path of a file"),
    ("elsewhere/bad.c", "", "no floor in floors.table"),
    ("server/base/bad.def", '#include "server/learn/learn.h"\n', "up: server/base"),
    ("server/learn/CMakeLists.txt", "icp_library(icp SOURCES\n a.c\n LIBS icp_store)\n", "sideways"),
    ("server/learn/CMakeLists.txt", "icp_library(icp SOURCES a.c LIBS icp_gone)\n", "no folder makes"),
]


def write(root, path, text):
    path = os.path.join(root, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)


def faults_with(extra):
    with tempfile.TemporaryDirectory() as root:
        for path, text in {**GOOD, **extra}.items():
            write(root, path, text)
        return floors.check(root, floors.default_table())[0]


def main():
    wrong = []
    good = faults_with({})
    if good:
        wrong.append(f"the good tree is refused: {good}")
    for path, text, message in PLANTED:
        found = faults_with({path: text})
        if len(found) != 1 or message not in found[0] or path not in found[0]:
            wrong.append(f"{path}: {text!r}: expected one fault with {message!r}, found {found}")
    print("\n".join(wrong) or f"each of {len(PLANTED)} planted faults was found")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
