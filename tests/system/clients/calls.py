# SPDX-License-Identifier: Apache-2.0
"""calls.py FOLDER: each method that was made from the tables sends the fields that it is given under their
names, and none that it is not; blocking and asyncio."""
import asyncio
import sys

sys.path.insert(0, sys.argv[1])
from icp import OPERATIONS  # noqa: E402
from icp._calls import AsyncCalls, BlockingCalls  # noqa: E402


class Blocking(BlockingCalls):
    def call(self, op, fields=None, *, timeout=None, on_progress=None):
        return op, fields, timeout


class Async(AsyncCalls):
    async def call(self, op, fields=None, *, timeout=None, on_progress=None):
        return op, fields, timeout


def faults():
    for name, operation in OPERATIONS.items():
        fields = {one["name"]: object() for one in operation.info["request"]}
        required = {one["name"]: fields[one["name"]] for one in operation.info["request"] if one["required"]}
        method = name.replace("-", "_")
        for given in (fields, required):
            wanted = (name, given, 1.5)
            if getattr(Blocking(), method)(**given, timeout=1.5) != wanted:
                yield f"Client.{method} does not send what it is given"
            if asyncio.run(getattr(Async(), method)(**given, timeout=1.5)) != wanted:
                yield f"AsyncClient.{method} does not send what it is given"


def main():
    found = list(faults())
    for fault in found:
        print(fault)
    print(f"{len(OPERATIONS)} operations, {len(found)} faults")
    return 0 if not found and len(OPERATIONS) > 30 else 1


if __name__ == "__main__":
    sys.exit(main())
