# SPDX-License-Identifier: Apache-2.0
"""A filled server that somebody asks for a while, for the time of a command: serve.py ICPD COMMAND…
The command finds its address and a token in CONSOLE_URL and CONSOLE_TOKEN."""
import os
import subprocess
import sys
import threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "../system"))
import console_data  # noqa: E402
import icpd  # noqa: E402

READ, ADMIN = "a-token-that-reads", "a-token-for-all-of-it"
SECONDS = 40  # of figures before the pictures: the charts want some


def ask(server, ends):
    with server.client() as client:
        client.call("hello", {"token": ADMIN, "client": "router/1.0"})
        i = 0
        while not ends.wait(0.002 if i % 3000 < 1500 else 0.01):
            i += 1
            client.call("score", {"id": f"acme-{i % 600}", "reasons": i % 4})
            if i % 50 == 0:
                client.call("account-patch", {"accounts": [
                    {"id": f"acme-{i % 600}", "values": {"employees": i}}]})


def main():
    env = dict(os.environ, ICPD_READ_TOKEN=READ, ICPD_ADMIN_TOKEN=ADMIN)
    server = icpd.Server(sys.argv[1], "--slowlog-us", "200", env=env)
    ends = threading.Event()
    asking = threading.Thread(target=ask, args=(server, ends))
    try:
        with server.client() as client:
            client.call("hello", {"token": ADMIN, "client": "icp/import"})
            console_data.fill(client)
        asking.start()
        ends.wait(SECONDS)
        env = dict(os.environ, CONSOLE_URL=f"http://127.0.0.1:{server.http}", CONSOLE_TOKEN=ADMIN)
        return subprocess.run(sys.argv[2:], env=env, check=False).returncode
    finally:
        ends.set()
        if asking.is_alive():
            asking.join()
        server.close()


if __name__ == "__main__":
    sys.exit(main())
