# SPDX-License-Identifier: Apache-2.0
"""replay.py FOLDER VECTORS VECTORS_REPLAY: the test vectors through the codec of the Python client that
stands in FOLDER. What it decodes is compared with the JSON, what it encodes is decoded by icpd's own reader,
and what is bad in frame or form is refused."""
import json
import os
import subprocess
import sys

sys.path.insert(0, sys.argv[1])
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "vectors"))
from icp import codec  # noqa: E402
from icp.fault import IcpError  # noqa: E402
from vectors_replay import VECTORS_MIN, from_json, same  # noqa: E402


def fault_of(vector):
    """Why the vector does not hold, or None."""
    splitter = codec.FrameSplitter(is_reply=vector["direction"] == "reply")
    try:
        frames = list(splitter.feed(bytes.fromhex(vector["hex"])))
        if not frames or frames[0][3] == codec.SPOILT:
            raise IcpError("bad-reply", "not one whole frame, or altered")
        code, flags, request_id, payload = frames[0]
        found = codec.payload_decode(payload)
    except IcpError as error:
        return f"refused: {error}" if vector["good"] else None
    if vector["good"]:
        if (code, flags, request_id) != (vector["code"], vector["flags"], vector["request_id"]):
            return f"header {code}, {flags}, {request_id}"
        return None if same(found, from_json(vector["payload"])) else f"holds {found}"
    # Fields are the server's to judge.
    return f"accepted, wanted {vector['error']}" if vector["layer"] != "table" else None


def encoded_faults(vectors, replay):
    lines = []
    for vector in vectors:
        payload = codec.payload_encode(from_json(vector["payload"]))
        frame = codec.frame_encode(vector["code"], vector["request_id"], payload, vector["flags"] | codec.CHECKSUM)
        lines.append(f"{vector['direction']} {vector['op']} {frame.hex()}\n")
    answers = subprocess.run([replay, "--accept"], input="".join(lines), stdout=subprocess.PIPE,
                             text=True, check=True, timeout=60).stdout.splitlines()
    for vector, answer in zip(vectors, answers, strict=True):
        if not answer.startswith("ok ") or not same(from_json(json.loads(answer[3:])),
                                                    from_json(vector["payload"])):
            yield f"{vector['name']}: encoded by the client: {answer}"


def main():
    with open(sys.argv[2], encoding="utf-8") as file:
        vectors = json.load(file)["vectors"]
    faults = [f"{vector['name']}: {fault}" for vector in vectors if (fault := fault_of(vector))]
    faults += encoded_faults([vector for vector in vectors if vector["good"]], sys.argv[3])
    for fault in faults:
        print(fault)
    print(f"{len(vectors)} vectors replayed by the Python client, {len(faults)} failed")
    return 0 if not faults and len(vectors) >= VECTORS_MIN else 1


if __name__ == "__main__":
    sys.exit(main())
