// SPDX-License-Identifier: Apache-2.0
// vectors_replay.mjs VECTORS VECTORS_REPLAY: the test vectors as a client in JavaScript sees them.
// Good vectors are decoded with @msgpack/msgpack and compared with their JSON; then their JSON is
// encoded by it (which sends 3.0 as an integer) and handed to `vectors-replay --accept`, which must take
// it and find the same values. Of the bad ones, those of the layer "frame" are refused here too.
// Exits 77 (skipped) if @msgpack/msgpack is neither under $ICP_NODE_MODULES nor beside this file.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

import { fromJson, same } from "./vectors_values.mjs";

const HEADER_BYTES = 16;
const [REPLY, CHECKSUM, MORE] = [1, 2, 4];
const FRAME_BYTES_MAX = 16 << 20;
const VECTORS_MIN = 200;

function msgpackFind() {
    const beside = join(dirname(fileURLToPath(import.meta.url)), "node_modules");
    for (const folder of [process.env.ICP_NODE_MODULES, beside]) {
        const found = folder && join(folder, "@msgpack", "msgpack");
        if (found && existsSync(join(found, "package.json"))) {
            return createRequire(join(found, "package.json"))(found);
        }
    }
    return null;
}

// Throws if the header alone tells that the frame is bad (but for a wrong checksum).
function headerCheck(frame, isReply) {
    const size = frame.readUInt32LE(0);
    const flags = frame.readUInt16LE(6);
    const rules = [
        [size <= FRAME_BYTES_MAX, "payload over the limit"],
        [frame[4] === 1, "version"],
        [(flags & ~(REPLY | CHECKSUM | MORE)) === 0, "reserved flags"],
        [((flags & REPLY) !== 0) === isReply, "direction"],
        [isReply || (flags & MORE) === 0, "more in a request"],
        [(flags & CHECKSUM) !== 0 || frame.readUInt32LE(12) === 0, "checksum without its flag"],
        [frame.length === HEADER_BYTES + size, "not one whole frame"],
    ];
    for (const [holds, why] of rules) {
        if (!holds) {
            throw new Error(why);
        }
    }
    return { code: frame[5], flags, request_id: frame.readUInt32LE(8) };
}

function frameMake(vector, payload) {
    const header = Buffer.alloc(HEADER_BYTES);
    header.writeUInt32LE(payload.length, 0);
    header[4] = 1;
    header[5] = vector.code;
    header.writeUInt16LE(vector.flags & ~CHECKSUM, 6);
    header.writeUInt32LE(vector.request_id, 8);
    return Buffer.concat([header, payload]);
}

// Why a good vector does not hold, or null.
function goodFault(msgpack, vector, frame) {
    const header = headerCheck(frame, vector.direction === "reply");
    if (["code", "flags", "request_id"].some((key) => header[key] !== vector[key])) {
        return `header ${JSON.stringify(header)}`;
    }
    const payload = frame.subarray(HEADER_BYTES);
    const found = payload.length > 0 ? msgpack.decode(payload, { useBigInt64: true }) : {};
    return same(found, fromJson(vector.payload)) ? null : "holds another payload";
}

function badFault(vector, frame) {
    if (vector.layer !== "frame" || vector.error === "bad-checksum") {
        return null;
    }
    try {
        headerCheck(frame, vector.direction === "reply");
    } catch {
        return null;
    }
    return `accepted, wanted ${vector.error}`;
}

// Has C decode what JavaScript encoded; returns the faults.
function encodedFaults(msgpack, vectors, replay) {
    const lines = vectors.map((vector) => {
        const payload = msgpack.encode(fromJson(vector.payload), { useBigInt64: true });
        return `${vector.direction} ${vector.op} ${frameMake(vector, payload).toString("hex")}\n`;
    });
    const run = spawnSync(replay, ["--accept"], { input: lines.join(""), encoding: "utf8" });
    const answers = run.stdout.split("\n");
    return vectors.flatMap((vector, i) => {
        const answer = answers[i] ?? "";
        const holds = answer.startsWith("ok ") &&
            same(fromJson(JSON.parse(answer.slice(3))), fromJson(vector.payload));
        return holds ? [] : [`${vector.name}: encoded by JavaScript: ${answer}`];
    });
}

function main() {
    const msgpack = msgpackFind();
    if (msgpack === null) {
        console.log("skipped: @msgpack/msgpack is not there; run npm install --ignore-scripts in " +
            "tests/vectors, or set ICP_NODE_MODULES");
        return 77;
    }
    const vectors = JSON.parse(readFileSync(process.argv[2], "utf8")).vectors;
    const faults = [];
    for (const vector of vectors) {
        const frame = Buffer.from(vector.hex, "hex");
        let fault;
        try {
            fault = vector.good ? goodFault(msgpack, vector, frame) : badFault(vector, frame);
        } catch (error) {
            fault = `refused: ${error.message}`;
        }
        if (fault !== null) {
            faults.push(`${vector.name}: ${fault}`);
        }
    }
    faults.push(...encodedFaults(msgpack, vectors.filter((v) => v.good), process.argv[3]));
    faults.forEach((fault) => console.log(fault));
    console.log(`${vectors.length} vectors replayed by JavaScript, ${faults.length} failed`);
    return faults.length === 0 && vectors.length >= VECTORS_MIN ? 0 : 1;
}

process.exit(main());
