// SPDX-License-Identifier: Apache-2.0
// The client: promises on one connection, pipelined. Happy path: the connection is there, the request goes
// out with the others of this turn of the loop, its promise gets the reply. Failure paths: no connection
// (one is opened, for all who wait), it is lost (what may be repeated goes to the next one), the server is
// busy (again after a random while), the deadline passes (the reply is dropped when it comes; a connection
// that said nothing all the while, or only what came too late, is left for a new one), a connection that died
// without a word (it is pinged, and replaced). Every call is settled once, by its deadline.
"use strict";

const { IcpError, fromReply } = require("./fault.js");
const { Hosts } = require("./hosts.js");
const { Opening } = require("./opening.js");
const { Backoff, DEFAULTS, DEFAULT_URI, Task, USELESS_MS, defaultScore, replyCheck, timeoutError, uriRead } =
    require("./policy.js");
const { OPERATIONS } = require("./tables.js");
const { Trail } = require("./trail.js");
const VERSION = require("../package.json").version;

class Client {
    #hosts;
    #trail;
    #backoff = new Backoff();
    #link = null;
    #opening = null;
    #closed = false;
    #waiting = []; // tasks without a connection that takes them, in their order

    constructor(uri = DEFAULT_URI, options = {}) {
        for (const name of Object.keys(options)) {
            if (!(name in DEFAULTS)) {
                throw new IcpError("usage", `there is no option '${name}'`);
            }
        }
        this.options = { ...DEFAULTS, ...options };
        this.options.name ||= `icp-node ${VERSION}`;
        this.#hosts = new Hosts(uriRead(uri, options));
        this.#trail = new Trail(this.options.seeWritten);
    }

    // What the server said of itself when the connection was opened; {} without one.
    get server() {
        return this.#link?.greeting ?? {};
    }

    // The last of what this client wrote, { log, seq }; null if it wrote nothing, or to a server whose sequences
    // say nothing to others. Set it to that of another client, and reads see what that one wrote.
    get written() {
        return this.#trail.last;
    }

    set written(last) {
        this.#trail.last = last === null ? null : { log: last.log, seq: last.seq };
    }

    // Connects now, if there is no connection; the greeting.
    async connect({ timeoutMs } = {}) {
        if (this.#link === null) {
            await this.call("ping", {}, { timeoutMs: timeoutMs ?? this.options.connectTimeoutMs });
        }
        return this.server;
    }

    // Ends the connection; what is under way is rejected.
    close() {
        this.#closed = true;
        const error = new IcpError("closed", "the client was closed");
        this.#opening?.finish(null, error);
        this.#link?.lose(error);
        this.#link = null;
        this.#rejectWaiting(error);
    }

    // Any operation by its name; the fields of its request and reply stand in docs/reference/operations.md.
    call(op, fields = {}, { timeoutMs, onProgress } = {}) {
        return new Promise((resolve, reject) => {
            const until = performance.now() + (timeoutMs ?? this.options.callTimeoutMs);
            const task = new Task(op, fields, until, this.options.retry);
            Object.assign(task, { resolve, reject, onProgress, link: null, id: 0, isOver: false, isWaiting: false });
            task.timer = setTimeout(() => this.#timeOver(task), Math.max(0, until - performance.now()));
            this.#place(task);
        });
    }

    // Many requests, [op, fields] each, pipelined: a reply or an IcpError for each, in their order.
    async callAll(requests, options = {}) {
        return Promise.all(Array.from(requests, ([op, fields]) =>
            this.call(op, fields, options).catch((error) => error)));
    }

    // score, for a router that must go on: with the option defaultScore a failure that is not the query's
    // own gives that score, with is_default set and the IcpError as error.
    async scoreLead(fields, options = {}) {
        try {
            return { ...await this.call("score", fields, options), is_default: false };
        } catch (error) {
            const score = defaultScore(this.options, error);
            if (score === null) {
                throw error;
            }
            return score;
        }
    }

    #settle(task, error, reply) {
        if (task.isOver) {
            return;
        }
        task.isOver = true;
        clearTimeout(task.timer);
        clearTimeout(task.pause);
        if (error === null) {
            task.resolve(reply);
        } else {
            task.reject(error);
        }
    }

    #timeOver(task) {
        const link = task.link;
        this.#settle(task, task.isWaiting && task.fault ? task.fault : timeoutError(task.info));
        if (link !== null) {
            const since = link.unansweredSince ?? Infinity;
            if (link.heardAt < task.sentAt || performance.now() - since >= USELESS_MS) {
                this.#leave(link);
            }
            link.forget(task.id);
            this.#drain();
        }
    }

    // Sends the task, or lets it wait for a connection that takes it.
    #place(task) {
        if (task.isOver) {
            return;
        }
        if (this.#waiting.length > 0) {
            this.#drain(); // those before it first
        }
        const link = this.#link;
        if (link !== null && link.lost === null && link.waiting.size < this.options.inFlightMax) {
            this.#send(link, task);
            return;
        }
        task.isWaiting = true;
        task.connectUntil = Math.min(task.until, performance.now() + this.options.connectTimeoutMs);
        this.#waiting.push(task);
        if (link === null || link.lost !== null) {
            this.#open();
        }
    }

    #send(link, task) {
        const hasOperations = link.greeting.operations === true;
        const refusal = task.refusalBy(hasOperations);
        task.isWaiting = false;
        task.sentAt = performance.now();
        try {
            if (refusal !== null) {
                throw refusal;
            }
            const wanted = this.#trail.wanted(link, task.info, task.fields);
            const fields = task.outgoing(hasOperations, task.sentAt, wanted, this.#hosts.count);
            task.id = link.request(task.info.opcode, fields, {
                reply: (status, payload) => this.#reply(link, task, status, payload),
                progress: task.onProgress,
                lost: (error) => this.#afterLoss(task, error),
            });
        } catch (error) {
            this.#settle(task, error);
            return;
        }
        task.link = link;
        task.sends++;
    }

    #reply(link, task, status, payload) {
        task.link = null;
        if (status === 0) {
            try {
                this.#trail.note(link, task.info, replyCheck(task.info, payload), task.minSeq);
                this.#settle(task, null, payload);
            } catch (error) {
                this.#settle(task, error);
            }
        } else {
            this.#afterRefusal(link, task, fromReply(status, payload));
        }
        if (this.#waiting.length > 0) {
            this.#drain();
        }
    }

    #afterRefusal(link, task, error) {
        if (task.leavesAfter(error, this.#hosts.count)) {
            this.#leave(link);
        }
        if (!this.options.retry || !task.mayRepeatAfter(error)) {
            this.#settle(task, error);
            return;
        }
        this.#again(task, this.#backoff.busy(task.sends, error.retryAfterMs));
    }

    #afterLoss(task, error) {
        task.link = null;
        const isBusy = error.name === "busy" || error.name === "shutting-down";
        const mayRepeat = isBusy ? task.mayRepeatAfter(error) : error.name === "closed" && task.mayRepeat();
        if (!this.options.retry || this.#closed || !mayRepeat) {
            this.#settle(task, error);
        } else {
            this.#again(task, isBusy || task.sends > 1 ? this.#backoff.busy(task.sends) : 0);
        }
    }

    #again(task, ms) {
        if (ms === 0) {
            this.#place(task);
        } else if (!task.isOver) {
            task.pause = setTimeout(() => this.#place(task), ms);
        }
    }

    // Others are asked from now on; what this one was asked it may answer.
    #leave(link) {
        if (this.#link === link) {
            this.#link = null;
            this.#hosts.leave(link.host, performance.now());
            link.retire();
        }
    }

    // Sends what waits, as far as the connection takes it.
    #drain() {
        const link = this.#link;
        let at = 0;
        while (at < this.#waiting.length && link !== null && link.lost === null &&
               link.waiting.size < this.options.inFlightMax) {
            const task = this.#waiting[at++];
            if (!task.isOver) {
                this.#send(link, task);
            }
        }
        this.#waiting.splice(0, at);
        if (this.#waiting.length > 0 && (link === null || link.lost !== null)) {
            this.#open();
        }
    }

    #rejectWaiting(error) {
        const waiting = this.#waiting;
        this.#waiting = [];
        waiting.forEach((task) => this.#settle(task, error));
    }

    // The connection is silent: another is opened, and what waits on this one goes there.
    #replace(link) {
        if (this.#link === link && this.#opening === null && !this.#closed) {
            this.#hosts.leave(link.host, performance.now());
            this.#open();
        }
    }

    #open() {
        if (this.#closed) {
            this.#rejectWaiting(new IcpError("usage", "the client was closed"));
            return;
        }
        if (this.#opening !== null) {
            return;
        }
        const until = performance.now() + this.options.connectTimeoutMs;
        this.#opening = new Opening(this.#hosts, this.options, this.#backoff, until);
        this.#opening.done.then((link) => this.#opened(link), (error) => this.#openFailed(error));
    }

    #opened(link) {
        this.#opening = null;
        this.#hosts.worked(link.host);
        if (this.#closed) {
            link.lose(new IcpError("closed", "the client was closed"));
            return;
        }
        const old = this.#link;
        this.#link = link;
        if (this.options.retry) {
            link.onDead = () => this.#replace(link);
        }
        link.onLost = () => {
            if (this.#link === link) {
                this.#link = null;
                if (!link.answered) { // one that worked is tried again first
                    this.#hosts.leave(link.host, performance.now());
                }
            }
        };
        if (old !== null && old.pinged) {
            old.lose(new IcpError("closed", "the connection said nothing, not even to a ping"));
        } else {
            old?.retire(); // it spoke meanwhile: what it was asked it may answer
        }
        this.#drain();
    }

    // Those that have waited for their whole time are told; a fault that waiting does not mend, all.
    #openFailed(error) {
        this.#opening = null;
        const now = performance.now();
        const isFinal = !error.retryable || !this.options.retry || this.#closed;
        const waiting = this.#waiting;
        this.#waiting = [];
        for (const task of waiting) {
            task.fault = error;
            if (isFinal || now >= task.connectUntil - 1) {
                this.#settle(task, error);
            } else if (!task.isOver) {
                this.#waiting.push(task);
            }
        }
        if (this.#waiting.length > 0) {
            this.#open();
        }
    }
}

// A method for each operation, in camel case: scoreMany(fields, options) for score-many.
for (const name of Object.keys(OPERATIONS)) {
    const method = name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
    if (method in Client.prototype) {
        throw new Error(`the operation ${name} has the name of a method`);
    }
    Client.prototype[method] = function (fields, options) {
        return this.call(name, fields, options);
    };
}

// The columns of scoreMany by ids, and of filter with scores, as arrays: fit and p of floats, raw of
// bigints, grade as text. fit and p are NaN, grade '-' and raw the smallest integer where the id is unknown.
function columns(reply) {
    const found = {};
    const view = (bytes) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    for (const name of ["fit", "p"]) {
        if (reply[name] instanceof Uint8Array) {
            const bytes = view(reply[name]);
            found[name] = Float32Array.from({ length: bytes.byteLength / 4 }, (_, i) => bytes.getFloat32(4 * i, true));
        }
    }
    if (reply.raw instanceof Uint8Array) {
        const bytes = view(reply.raw);
        found.raw = BigInt64Array.from({ length: bytes.byteLength / 8 }, (_, i) => bytes.getBigInt64(8 * i, true));
    }
    if (reply.grade instanceof Uint8Array) {
        found.grade = Buffer.from(reply.grade).toString("latin1");
    }
    return found;
}

module.exports = { Client, columns };
