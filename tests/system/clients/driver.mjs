// SPDX-License-Identifier: Apache-2.0
// driver.mjs FOLDER node URI OPTIONS: driver.py for the Node client that stands in FOLDER.
import { existsSync, readFileSync, readdirSync, readlinkSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { randomBytes } from "node:crypto";
import { createInterface } from "node:readline";

const require = createRequire(import.meta.url);
const [folder, , uri, text] = process.argv.slice(2);
const icp = require(folder);
const { breakDeadlines, breakOperations, ...options } = JSON.parse(text);
if (breakDeadlines) { // the control: no call is told that its time is over
    const { Client } = icp;
    const call = Client.prototype.call;
    Client.prototype.call = function (op, fields, more) {
        return call.call(this, op, fields, { ...more, timeoutMs: 3600000 });
    };
}
if (breakOperations) { // the control: a write that is sent again has another id
    const { Task } = require(`${folder}/lib/policy.js`);
    const { outgoing } = Task.prototype;
    Task.prototype.outgoing = function (hasOperations, ...more) {
        this.operation = this.operation && randomBytes(16).toString("hex");
        return outgoing.call(this, hasOperations, ...more);
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

const nowMs = () => Number(process.hrtime.bigint()) / 1e6;
// How long threads stood ready to run while the machine ran something else: that of the loop, and those
// that collect garbage, for which it waits.
function stoodMs() {
    let sum = 0;
    for (const thread of readdirSync("/proc/self/task")) {
        try {
            sum += Number(readFileSync(`/proc/self/task/${thread}/schedstat`, "latin1").split(" ")[1]);
        } catch {
            // that thread has ended
        }
    }
    return sum / 1e6;
}

// How many are open.
function sockets() {
    let found = 0;
    for (const fd of readdirSync("/proc/self/fd")) {
        try {
            found += readlinkSync(`/proc/self/fd/${fd}`).startsWith("socket:") ? 1 : 0;
        } catch {
            // that of the folder itself
        }
    }
    return found;
}

// Load of driver.py.
async function load(wish) {
    const told = { asked: 0, answered: 0, wrong: 0, late: 0, late_ms_max: 0, late_clock_ms_max: 0,
        lag_clock_ms_max: 0, failed: {}, puts: {},
        successes: Array.from({ length: wish.workers }, () => []), sockets: -sockets() };
    const ids = Object.keys(wish.raws).sort();
    function goesOn() {
        if (told.asked < wish.count) {
            return true;
        }
        writeFileSync(wish.enough, "");
        return !existsSync(wish.stop);
    }
    // The control: a timer of 5 ms. By how much it comes late, less what the thread of the loop used of a
    // processor meanwhile, the loop was not run, whatever the client did: what schedstat tells, and what else
    // keeps a thread (memory that the machine has to give first, those that collect garbage). Less than 10 ms is
    // the grain of timers.
    let ticker = null;
    let [tickBegan, tickUsed, lost] = [0, 0, 0];
    const usedMs = () => Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, "latin1").split(" ")[0]) / 1e6;
    const lostNow = () => {
        const ms = nowMs() - tickBegan - 5 - (usedMs() - tickUsed);
        return ms < 10 ? 0 : ms;
    };
    function tick() {
        [tickBegan, tickUsed] = [nowMs(), usedMs()];
        ticker = setTimeout(() => {
            lost += lostNow();
            told.lag_clock_ms_max = Math.max(told.lag_clock_ms_max, nowMs() - tickBegan - 5);
            tick();
        }, 5);
    }
    async function work(worker) {
        for (let number = 1; goesOn(); number++) {
            told.asked++;
            const timeoutMs = wish.timeout_ms ?? 5 + Math.random() * 199;
            const isPut = Math.random() < 1 / 16;
            const name = `put-${worker}-${number}`;
            const id = ids[Math.floor(Math.random() * ids.length)];
            let began, stood, lostBefore;
            do { // all of one moment: who is held up between them would count it as the client's
                [began, stood, lostBefore] = [nowMs(), stoodMs(), lost + lostNow()];
            } while (nowMs() - began > 5);
            let reply = null;
            let fault = null;
            try {
                reply = await (isPut ? client.icpPut({ document: { ...wish.document, name } }, { timeoutMs })
                    : client.score({ id }, { timeoutMs }));
            } catch (error) {
                fault = error instanceof icp.IcpError ? error.name : `broken: ${error.stack}`;
            }
            const [ended, stoodThen, lostThen] = [nowMs(), stoodMs(), lost + lostNow()];
            const lateClock = ended - began - timeoutMs;
            const late = lateClock - Math.max(stoodThen - stood, lostThen - lostBefore);
            told.late += late > wish.grace_ms ? 1 : 0;
            told.late_ms_max = Math.max(told.late_ms_max, late);
            told.late_clock_ms_max = Math.max(told.late_clock_ms_max, lateClock);
            if (isPut) {
                told.puts[name] = reply?.icp ?? null;
            }
            if (fault !== null) {
                told.failed[fault] = (told.failed[fault] ?? 0) + 1;
            } else {
                told.answered++;
                told.wrong += !isPut && reply.raw !== wish.raws[id] ? 1 : 0;
                told.successes[worker].push([ended, stoodThen]);
            }
            await new Promise((resolve) => setTimeout(resolve, Math.random() * 10));
        }
    }
    tick();
    await Promise.all(Array.from({ length: wish.workers }, (_, worker) => work(worker)));
    clearTimeout(ticker);
    await new Promise((resolve) => setTimeout(resolve, 50)); // what was closed is let go of
    told.sockets += sockets();
    return told;
}

// choose of driver.py.
function choose(steps, count) {
    const { Hosts } = require(`${folder}/lib/hosts.js`);
    const hosts = new Hosts(Array.from({ length: count }, () => ({})));
    return steps.map(([what, host, ms]) => hosts[what](host, ms)).filter((found) => found !== undefined);
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
    if (command.hosts !== undefined) {
        return choose(command.hosts, command.count);
    }
    if (command.written !== undefined) {
        const [log, seq] = command.written ?? [];
        client.written = command.written && { log, seq };
    }
    if (command.written !== undefined || command.last) {
        return { last: client.written && [client.written.log, client.written.seq] };
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
