// SPDX-License-Identifier: Apache-2.0
// driver.mjs FOLDER node URI OPTIONS: driver.py for the Node client that stands in FOLDER.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const [folder, , uri, text] = process.argv.slice(2);
const icp = require(folder);
const { breakDeadlines, ...options } = JSON.parse(text);
if (breakDeadlines) { // the control: no call is told that its time is over
    const { Client } = icp;
    const call = Client.prototype.call;
    Client.prototype.call = function (op, fields, more) {
        return call.call(this, op, fields, { ...more, timeoutMs: 3600000 });
    };
}
let client;
let fault;
try {
    client = new icp.Client(uri, options);
} catch (error) {
    fault = error;
}

function spoken(value) {
    if (value instanceof icp.IcpError) {
        const { name, code, field, message, retryable } = value;
        return { error: { name, code, field, message, retryable } };
    }
    if (value instanceof Error) {
        return { broken: String(value.stack) };
    }
    if (value instanceof Uint8Array) {
        return { $bin: Buffer.from(value).toString("hex") };
    }
    if (Array.isArray(value)) {
        return value.map(spoken);
    }
    if (value !== null && typeof value === "object") {
        return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, spoken(one)]));
    }
    return typeof value === "bigint" ? String(value) : value;
}

// Scores of known accounts: each is answered rightly or failed, once and in time.
async function load(wish) {
    const told = { answered: 0, wrong: 0, late: 0, slowest_ms: 0, failed: {} };
    const ids = Object.keys(wish.raws).sort();
    async function work(worker) {
        for (let index = worker; index < wish.count; index += wish.workers) {
            const id = ids[index % ids.length];
            const began = performance.now();
            try {
                const score = await client.score({ id }, { timeoutMs: wish.timeout_ms });
                told.answered++;
                told.wrong += score.raw !== wish.raws[id] ? 1 : 0;
            } catch (error) {
                const name = error instanceof icp.IcpError ? error.name : `broken: ${error.stack}`;
                told.failed[name] = (told.failed[name] ?? 0) + 1;
            }
            const took = performance.now() - began;
            told.slowest_ms = Math.max(told.slowest_ms, took);
            told.late += took > wish.timeout_ms + wish.grace_ms ? 1 : 0;
        }
    }
    await Promise.all(Array.from({ length: wish.workers }, (_, worker) => work(worker)));
    return told;
}

function answer(command) {
    if (fault !== undefined) {
        throw fault;
    }
    const more = { timeoutMs: command.timeout_ms ?? 30000 };
    if (command.call !== undefined) {
        return client.call(command.call, command.fields, more);
    }
    if (command.all !== undefined) {
        return client.callAll(command.all, more);
    }
    if (command.lead !== undefined) {
        return client.scoreLead(command.lead, more);
    }
    return command.load !== undefined ? load(command.load) : client.server;
}

for await (const line of createInterface({ input: process.stdin })) {
    const began = performance.now();
    let found;
    try {
        found = await answer(JSON.parse(line));
    } catch (error) {
        found = error;
    }
    console.log(JSON.stringify({ found: spoken(found), ms: performance.now() - began }));
}
client?.close();
