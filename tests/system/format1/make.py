# SPDX-License-Identifier: Apache-2.0
"""Makes store.tar.xz and answers.json beside this file: a store of disk format 1 as the last build of
it wrote it, and what that build answered.

usage: make.py PATH, the checkout of commit e452e6e, with build/check/server/icpd built in it. Its own
tests/system/icpd.py is what talks to it. A learned ICP, a second version and a switch back, a list,
accounts with vectors, keys and a deleted one are in it. It was made once; nothing runs this again."""
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
OLD = os.path.abspath(sys.argv[1])
sys.argv = sys.argv[:1]
sys.path.insert(0, os.path.join(OLD, "tests", "system"))
sys.path.insert(1, HERE)
sys.dont_write_bytecode = True

from icpd import Server  # noqa: E402
from test_operations import SCHEMA, planted  # noqa: E402
import random  # noqa: E402

from answers import answers  # noqa: E402

ACCOUNTS = 400


def main():
    server = Server(os.path.join(OLD, "build", "check", "server", "icpd"))
    rng = random.Random(7)
    with server.client() as client:
        client.call("schema-put", {"document": json.dumps(SCHEMA)})
        accounts = [planted(i, rng) for i in range(ACCOUNTS)]
        for account in accounts[::2]:
            account["keys"] = [f"domain:{account['id']}.example"]
        client.call("account-put", {"accounts": accounts, "source": "test"})
        client.call("icp-learn", {"label": "won = 1", "seed": 3, "activate": True})
        document = client.call("icp-get")["document"]
        second = client.call("icp-put", {"document": document})["icp"]
        client.call("icp-activate", {"icp": second, "reason": "to compare"})
        client.call("icp-revert", {"reason": "the first one was better"})
        client.call("tal-build", {"name": "first list", "k": 20})
        client.call("account-delete", {"ids": ["a7"]})
        client.call("account-patch", {"accounts": [{"id": "a9", "values": {"employees": 12345}}]})
        found = answers(client)
    assert server.stop() == 0
    with open(os.path.join(HERE, "answers.json"), "w", encoding="utf-8") as file:
        json.dump(found, file, indent=1, sort_keys=True)
        file.write("\n")
    subprocess.run(["tar", "--sparse", "--owner=0", "--group=0", "--sort=name", "--mtime=@0", "-C", server.data,
                    "-cJf", os.path.join(HERE, "store.tar.xz"), "."], check=True)
    server.close()


main()
