# SPDX-License-Identifier: Apache-2.0
"""types_check.py python|node FOLDER VECTORS: the types of the clients say what the tables say. A program that
uses them rightly passes the checker (mypy, or tsc of VECTORS/node_modules), and each line that uses them
wrongly, one at a time, is found. Exits with 77 (skipped) where the checker is not installed."""
import importlib.util
import os
import subprocess
import sys
import tempfile

PYTHON = '''import asyncio
import icp
client = icp.Client("icp://x", call_timeout=0.2)
score = client.score(email="a@b.c", values={"employees": 250}, reasons=3)
fit: float = score["fit"]
names = [one["field"] for one in score["reasons"]]
many = client.score_many(leads=[{"id": "a"}])
ids = client.filter(filter="x > 1", fields=["y"])["ids"]
client.account_put(accounts=[{"id": "a", "keys": ["domain:x"], "values": {"a": 1}}])
client.icp_put(document={"a": 1})
async def main() -> None:
    async with icp.AsyncClient() as other:
        grade: str = (await other.score(id="x"))["grade"]
        await other.call_all([("score", {"id": grade})])
'''
PYTHON_WRONG = ('client.score(emial="a@b.c")', 'client.filter(limit=3)', 'client.score(reasons="3")',
                'client.score(id="x")["fitt"]', 'client.account_put(accounts=[{"keys": []}])')
NODE = '''import { Client, IcpError, columns } from "icp-client";
const client = new Client("icp://x", { callTimeoutMs: 3, defaultScore: { grade: "C" } });
export async function main() {
    const score = await client.score({ email: "a@b.c", values: { employees: 250, tags: ["a"] }, reasons: 3 });
    const fit: number = score.fit;
    score.reasons?.map((one) => one.contribution + fit);
    const many = await client.scoreMany({ leads: [{ id: "a", values: { x: 1 } }] });
    many.scores?.forEach((one) => one.error ?? one.fit);
    const all = await client.callAll([["score", { id: "x" }]]);
    const field = all[0] instanceof IcpError ? all[0].field : "";
    columns(await client.scoreMany({ ids: [field] })).raw?.[0];
    await client.icpPut({ document: { a: 1 } });
    await client.ping();
    (await client.accountGet({ id: "x" })).values["employees"].value;
    await client.similarBuild({ weights: { employees: 2 } }, { timeoutMs: 5, onProgress: (p) => p });
    (await client.similar({ positives: [{ id: "a" }] })).results[0].difference?.field;
}
'''
NODE_WRONG = ('client.score({ emial: "x" });', 'client.filter({});', 'client.score({ reasons: "3" });',
              'client.score({ id: "x" }).then((one) => one.fitt);', 'client.accountPut({ accounts: [{}] });')


def python_command(folder, _):
    if importlib.util.find_spec("mypy") is None:
        return None
    return [sys.executable, "-m", "mypy", "--ignore-missing-imports", "--strict-optional"], "main.py", \
        dict(os.environ, MYPYPATH=folder)


def node_command(folder, vectors, where):
    tsc = os.path.join(vectors, "node_modules", "typescript", "bin", "tsc")
    if not os.path.exists(tsc):
        return None
    os.makedirs(os.path.join(where, "node_modules"))
    os.symlink(folder, os.path.join(where, "node_modules", "icp-client"))
    return ["node", tsc, "--noEmit", "--strict", "--target", "es2022", "--module", "commonjs",
            "--moduleResolution", "node"], "main.ts", None


def passes(command, name, env, where, text):
    path = os.path.join(where, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    run = subprocess.run([*command, path], cwd=where, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                         text=True, timeout=300, check=False)
    return run.returncode == 0, run.stdout


def main():
    kind, folder, vectors = sys.argv[1], os.path.abspath(sys.argv[2]), os.path.abspath(sys.argv[3])
    with tempfile.TemporaryDirectory(prefix="icp-types-") as where:
        found = python_command(folder, vectors) if kind == "python" else node_command(folder, vectors, where)
        if found is None:
            print("skipped: the checker of types is not installed")
            return 77
        right, wrong = (PYTHON, PYTHON_WRONG) if kind == "python" else (NODE, NODE_WRONG)
        good, said = passes(*found, where, right)
        if not good:
            print(said)
            return 1
        missed = [line for line in wrong if passes(*found, where, right + line + "\n")[0]]
    for line in missed:
        print(f"not found: {line}")
    print(f"the right program passes, {len(wrong) - len(missed)} of {len(wrong)} wrong lines are found")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
