// SPDX-License-Identifier: Apache-2.0
// one_node.mjs WHAT PORT DEPTH SECONDS FOLDER: requests a second of one Node client, and requests a
// second of its processor's time, on standard output. WHAT: icp-node, icp-node-plain
// (without checksums) or redis-node (ioredis).
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const [what, port, depthText, secondsText, folder] = process.argv.slice(2);
const depth = Number(depthText);
const seconds = Number(secondsText);
const IDS = Array.from({ length: 1500 }, (_, index) => `a${String(index).padStart(5, "0")}`);

async function rounds(work) {
    const began = performance.now();
    const used = process.cpuUsage();
    let done = 0;
    while (performance.now() - began < seconds * 1000) {
        await work(done % (IDS.length - depth));
        done += depth;
    }
    const { user, system } = process.cpuUsage(used);
    return `${done / (performance.now() - began) * 1000} ${done / (user + system) * 1e6}`;
}

if (what.startsWith("icp-node")) {
    const { Client } = require(folder);
    const client = new Client(`icp://127.0.0.1:${port}`, { checksum: !what.endsWith("plain") });
    console.log(await rounds((at) => depth === 1 ? client.score({ id: IDS[at] })
        : Promise.all(IDS.slice(at, at + depth).map((id) => client.score({ id })))));
    client.close();
} else {
    const Redis = require("ioredis");
    const client = new Redis(Number(port));
    console.log(await rounds((at) => {
        if (depth === 1) {
            return client.get(IDS[at]);
        }
        const pipeline = client.pipeline();
        IDS.slice(at, at + depth).forEach((id) => pipeline.get(id));
        return pipeline.exec();
    }));
    client.disconnect();
}
