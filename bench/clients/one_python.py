# SPDX-License-Identifier: Apache-2.0
"""one_python.py WHAT PORT DEPTH SECONDS FOLDER: requests a second of one Python client, and requests a second
of its processor's time, on standard output.
WHAT: icp or redis, blocking or asyncio (icp-blocking …); icp-blocking-plain: without checksums."""
import asyncio
import sys
import time

what, port, depth, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
sys.path.insert(0, sys.argv[5])
IDS = [f"a{index:05}" for index in range(1500)]


def rounds(work):
    """Calls work(first id) for so many seconds."""
    done, began, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        work(done % (len(IDS) - depth))
        done += depth
    return done / (time.perf_counter() - began), done / (time.process_time() - used)


def icp_blocking():
    import icp
    client = icp.Client(f"icp://127.0.0.1:{port}", checksum=not what.endswith("plain"))
    if depth == 1:
        return rounds(lambda at: client.score(id=IDS[at]))
    return rounds(lambda at: client.call_all([("score", {"id": one}) for one in IDS[at:at + depth]]))


def redis_blocking():
    import redis
    client = redis.Redis(port=port)
    if depth == 1:
        return rounds(lambda at: client.get(IDS[at]))

    def many(at):
        pipeline = client.pipeline(transaction=False)
        for one in IDS[at:at + depth]:
            pipeline.get(one)
        pipeline.execute()
    return rounds(many)


async def rounds_async(work):
    done, began, used = 0, time.perf_counter(), time.process_time()
    while time.perf_counter() - began < seconds:
        await work(done % (len(IDS) - depth))
        done += depth
    return done / (time.perf_counter() - began), done / (time.process_time() - used)


async def icp_asyncio():
    import icp
    async with icp.AsyncClient(f"icp://127.0.0.1:{port}") as client:
        if depth == 1:
            return await rounds_async(lambda at: client.score(id=IDS[at]))

        return await rounds_async(
            lambda at: client.call_all([("score", {"id": one}) for one in IDS[at:at + depth]]))


async def redis_asyncio():
    import redis.asyncio
    client = redis.asyncio.Redis(port=port)
    if depth == 1:
        return await rounds_async(lambda at: client.get(IDS[at]))

    async def many(at):
        pipeline = client.pipeline(transaction=False)
        for one in IDS[at:at + depth]:
            pipeline.get(one)
        await pipeline.execute()
    return await rounds_async(many)


function = globals()["_".join(what.split("-")[:2])]
print(*(asyncio.run(function()) if what.endswith("asyncio") else function()))
