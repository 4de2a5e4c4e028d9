# SPDX-License-Identifier: Apache-2.0
"""checksums.py FOLDER: the XXH3 that the Node client in FOLDER has of its own, beside the xxHash library: every
size to 2,200 bytes, some larger ones, and random places within a larger buffer. The control: one bit that is
turned in each must be seen."""
import os
import random
import subprocess
import sys

import xxhash

PROGRAM = """
const { checksum } = require(process.argv[1] + "/lib/checksum.js");
const bytes = require("node:fs").readFileSync(0);
for (const line of process.argv[2].split(",")) {
    const [start, end] = line.split(":").map(Number);
    console.log(checksum(bytes, start, end));
}"""


def ours(folder, data, places):
    wanted = ",".join(f"{start}:{end}" for start, end in places)
    said = subprocess.run(["node", "-e", PROGRAM, folder, wanted], input=data, stdout=subprocess.PIPE, check=True,
                          timeout=120).stdout
    return [int(line) for line in said.split()]


def main():
    folder = os.path.abspath(sys.argv[1])
    seed = random.randrange(1 << 32)
    draw = random.Random(seed)
    data = draw.randbytes(1 << 20)
    places = [(size, 2 * size) for size in range(2200)] + [(0, 1 << 20), (1, 1 << 20), (0, 65536), (7, 100008)]
    places += [(start, start + draw.randrange(5000)) for start in draw.sample(range(1 << 19), 500)]
    right = [xxhash.xxh3_64_intdigest(data[start:end]) & 0xFFFFFFFF for start, end in places]
    wrong = [place for place, found, wanted in zip(places, ours(folder, data, places), right) if found != wanted]
    turned = bytes(byte ^ 1 for byte in data)
    unseen = [place for place, found, wanted in zip(places, ours(folder, turned, places), right)
              if found == wanted and place[0] < place[1]]
    print(f"seed {seed}: {len(places)} checksums, {len(wrong)} wrong {wrong[:5]}, {len(unseen)} unseen {unseen[:5]}")
    return 1 if wrong or unseen else 0


if __name__ == "__main__":
    sys.exit(main())
