# SPDX-License-Identifier: Apache-2.0
"""A server that has no room: a limit on file sizes, and small file systems (tmpfs, ext4) that are full.
usage: test_room.py icpd

Accounts are put until the answer is `disk-full`, and some more. It must be that answer and no other;
what was acknowledged is read back right meanwhile, after a restart without room, and after room is
given, when writing goes on. Where mounting is not allowed that part is left out, and says so.
The control compares with one account more than was acknowledged, which must be noticed."""
import os
import resource
import shutil
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "system"))

from icpd import Refused, Server  # noqa: E402

MIB = 1 << 20
BALLAST_BYTES = 40 * MIB  # room that is given later: what was acknowledged must fit into the tables
SCHEMA = '{"fields": [{"name": "size", "type": "number"}, {"name": "tags", "type": "tags"}]}'
REFUSED_MIN = 20  # writes that must be refused in a row before the disk counts as full


class Room:
    def __init__(self, binary, data=None):
        self.server = Server(binary)
        self.server.stop()
        if data is not None:
            self.server.data = data
        self.put = {}  # account → size, as acknowledged
        self.next = 0  # what was refused is not tried again

    def start(self):
        self.server.start()

    def account(self, number):
        tags = [f"{number:06}-{i:03}" + "t" * 900 for i in range(60)]
        return {"id": f"a{number:05}", "values": {"size": number, "tags": tags}}

    def fill(self, most):
        """Puts `most`, or until nothing goes any more; returns how many writes were refused."""
        refused = in_a_row = 0
        with self.server.client() as client:
            if not self.put:
                client.call("schema-put", {"document": SCHEMA})
            for _ in range(most):
                number = self.next
                self.next += 1
                try:
                    client.call("account-put", {"accounts": [self.account(number)]})
                    self.put[f"a{number:05}"] = number
                    in_a_row = 0
                except Refused as fault:
                    if fault.code != "disk-full":
                        raise
                    refused += 1
                    in_a_row += 1
                    if in_a_row == REFUSED_MIN:
                        return refused
        return refused

    def faults(self):
        """What is not as acknowledged. An account that was refused must not be there."""
        wrong = []
        with self.server.client() as client:
            for id, size in self.put.items():
                try:
                    if client.call("account-get", {"id": id})["values"]["size"]["value"] != size:
                        wrong.append(id)
                except Refused as fault:
                    wrong.append(f"{id}: {fault}")
        return wrong

    def round(self, what, more_room):
        refused = self.fill(100000)
        assert refused >= REFUSED_MIN, f"{what}: the disk was never full"
        assert self.faults() == [], f"{what}: {self.faults()[:5]}"
        code = self.server.stop()
        assert code == 0, f"{what}: exit {code} at the end"
        self.start()
        assert self.faults() == [], f"{what}, restarted: {self.faults()[:5]}"
        before = len(self.put)
        self.server.stop()
        more_room()
        self.start()
        assert self.fill(20) == 0, f"{what}: no writes although there is room"
        assert len(self.put) == before + 20
        assert self.faults() == [], f"{what}, with room: {self.faults()[:5]}"
        self.put["a99999"] = 1
        assert len(self.faults()) == 1, "the control was not noticed"
        self.server.stop()
        run = subprocess.run([self.server.binary, "--scrub", "--data", self.server.data],
                             capture_output=True, text=True, check=False)
        assert run.returncode == 0, run.stdout + run.stderr
        print(f"{what}: {before} accounts, {refused} writes refused as disk-full, all as it was")

    def close(self):
        self.server.close()


def file_limit(binary):
    """The server inherits the limit."""
    room = Room(binary)
    _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (24 * MIB, most))
        room.start()
        room.round("a limit on file sizes",
                   lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))
        room.close()


def tmpfs(place):
    return [["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", place]]


def ext4(place):
    """A file system of its own in a file: blocks are given when they are written out, not before, and
    the journal takes some."""
    image = place + ".ext4"
    with open(image, "wb") as file:
        file.truncate(80 * MIB)
    return [["mkfs.ext4", "-q", "-F", "-m", "0", image], ["mount", "-o", "loop", image, place]]


def full_disk(binary, kind):
    place = tempfile.mkdtemp(prefix="icpd-room-")
    what = f"a full disk, {kind.__name__}"
    path = {**os.environ, "PATH": os.environ.get("PATH", "") + ":/usr/sbin:/sbin"}
    room = None
    mounted = False
    try:
        for command in kind(place):
            if shutil.which(command[0], path=path["PATH"]) is None:
                print(f"{what}: left out, there is no {command[0]} here")
                return
            run = subprocess.run(command, capture_output=True, text=True, check=False, env=path)
            if run.returncode != 0:
                print(f"{what}: left out, mounting is not allowed here ({run.stderr.strip()})")
                return
        mounted = True
        ballast = os.path.join(place, "ballast")
        room = Room(binary, os.path.join(place, "data"))
        with open(ballast, "wb") as file:
            file.write(bytes(BALLAST_BYTES))
        room.start()
        room.round(what, lambda: os.unlink(ballast))
    finally:
        if room is not None:
            room.close()
        if mounted:
            subprocess.run(["umount", place], check=False)
        shutil.rmtree(place, ignore_errors=True)
        if os.path.exists(place + ".ext4"):
            os.unlink(place + ".ext4")


if __name__ == "__main__":
    file_limit(sys.argv[1])
    full_disk(sys.argv[1], tmpfs)
    full_disk(sys.argv[1], ext4)
