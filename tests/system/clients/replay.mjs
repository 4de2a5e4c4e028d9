// SPDX-License-Identifier: Apache-2.0
// replay.mjs FOLDER VECTORS VECTORS_REPLAY: the test vectors through the codec of the Node client that stands
// in FOLDER; see replay.py.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";

import { fromJson, same } from "../../vectors/vectors_values.mjs";

const require = createRequire(import.meta.url);
const [folder, file, replay] = process.argv.slice(2);
const codec = require(join(folder, "lib", "codec.js"));
const { IcpError } = require(folder);
const VECTORS_MIN = 200;
const CHECKSUM = 2;

// Why the vector does not hold, or null.
function faultOf(vector) {
    const frames = [];
    try {
        new codec.FrameSplitter((...frame) => frames.push(frame), vector.direction === "reply")
            .feed(Buffer.from(vector.hex, "hex"));
        if (frames.length === 0 || frames[0][3] === codec.SPOILT) {
            throw new IcpError("bad-reply", "not one whole frame, or altered");
        }
    } catch (error) {
        return vector.good || !(error instanceof IcpError) ? `refused: ${error.stack}` : null;
    }
    const [code, flags, id, payload] = frames[0];
    if (vector.good) {
        return code !== vector.code || flags !== vector.flags || id !== vector.request_id ? `header ${frames[0]}`
            : same(payload, fromJson(vector.payload)) ? null : "holds another payload";
    }
    // Fields are the server's to judge.
    return vector.layer !== "table" ? `accepted, wanted ${vector.error}` : null;
}

function encodedFaults(vectors) {
    const lines = vectors.map((vector) => {
        const frame = codec.frameEncode(vector.code, vector.request_id, fromJson(vector.payload),
            vector.flags | CHECKSUM);
        return `${vector.direction} ${vector.op} ${frame.toString("hex")}\n`;
    });
    const answers = spawnSync(replay, ["--accept"], { input: lines.join(""), encoding: "utf8" }).stdout.split("\n");
    return vectors.flatMap((vector, i) => {
        const answer = answers[i] ?? "";
        const holds = answer.startsWith("ok ") && same(fromJson(JSON.parse(answer.slice(3))), fromJson(vector.payload));
        return holds ? [] : [`${vector.name}: encoded by the client: ${answer}`];
    });
}

const vectors = JSON.parse(readFileSync(file, "utf8")).vectors;
const faults = vectors.flatMap((vector) => {
    const fault = faultOf(vector);
    return fault === null ? [] : [`${vector.name}: ${fault}`];
}).concat(encodedFaults(vectors.filter((vector) => vector.good)));
faults.forEach((fault) => console.log(fault));
console.log(`${vectors.length} vectors replayed by the Node client, ${faults.length} failed`);
process.exit(faults.length === 0 && vectors.length >= VECTORS_MIN ? 0 : 1);
