# SPDX-License-Identifier: Apache-2.0
"""DuckDB beside icpd: the same questions on one thread, and whether rows of both are the same."""
import json
import os
import subprocess

SCRIPT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "events_duckdb.mjs")


def same(a, b, relative=0.0, absolute=0.0):
    """Whether rows of icpd are those of DuckDB; real numbers may be off by so much."""
    return len(a) == len(b) and all(
        len(x) == len(y) and all(abs(p - q) <= relative * abs(q) + absolute if isinstance(q, float) else p == q
                                 for p, q in zip(x, y)) for x, y in zip(a, b))


def ask(folder, tables, queries):
    """By name of each query its rows and what it took. tables: CREATE statements, with paths that hold
    from anywhere; queries: name, SQL and what else the caller keeps with them."""
    path = os.path.join(folder, "queries.json")
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"tables": tables, "queries": [{"name": name, "sql": sql} for name, sql, *_ in queries]}, file)
    out = subprocess.run(["node", SCRIPT, path], check=True, capture_output=True, text=True).stdout
    return {line["name"]: line for line in map(json.loads, out.splitlines())}
