#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""protocol_examples.py PROTOCOL_MD VECTORS_REPLAY [--control]: the examples of docs/protocol.md hold.

Each block "```hex DIRECTION OP" is a frame, and the "```json" block after it what icpd's own decoder
must make of it. With --control each example is spoilt first, and passes if that is noticed.
"""
import json
import re
import subprocess
import sys

EXAMPLE = re.compile(r"```hex (\w+) ([\w-]+)\n(.*?)```\n```json\n(.*?)```", re.DOTALL)
EXAMPLES_MIN = 4


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        examples = EXAMPLE.findall(file.read())
    is_control = sys.argv[3:] == ["--control"]
    wrong = 0
    for direction, op, text, wanted in examples:
        frame = "".join(text.split())
        if is_control:
            wanted = re.sub(r'": (-?\d|")', lambda found: found[0] + "7", wanted, count=1)
        line = f"{direction} {op} {frame}\n"
        answer = subprocess.run([sys.argv[2], "--accept"], input=line, stdout=subprocess.PIPE, text=True,
                                check=True, timeout=60).stdout.strip()
        holds = answer.startswith("ok ") and json.loads(answer[3:]) == json.loads(wanted)
        if holds == is_control:
            print(f"{direction} {op}: decodes to {answer}")
            wrong += 1
    print(f"{len(examples)} examples, {wrong} wrong")
    return 0 if wrong == 0 and len(examples) >= EXAMPLES_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
