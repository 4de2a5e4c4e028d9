// SPDX-License-Identifier: Apache-2.0
// One connection: requests by id, and who waits for their replies.
"use strict";

const net = require("node:net");
const tls = require("node:tls");
const { FrameSplitter, frameEncode } = require("./codec.js");
const { IcpError, fromReply } = require("./fault.js");
const { PING_MS, QUIET_MS } = require("./policy.js");
const { CHECKSUM, HEADER_BYTES, LIMITS, MORE, OPERATIONS } = require("./tables.js");

// A certificate that does not hold will not hold the next time either.
function isTrust(error) {
    return /CERT|SIGNATURE|ISSUER|ALTNAME/.test(error.code ?? "");
}

class Link {
    // onLost(error) once, when it ends; waiting tells what was under way. checksum: of what is sent, and
    // so of what is answered.
    constructor(host, address, hello, checksum) {
        this.host = host;
        this.flags = checksum ? CHECKSUM : 0;
        this.greeting = null;
        this.lost = null;
        this.retired = false;
        this.answered = false; // a request, and well
        this.seenSeq = 0; // the sequence that it has shown to have (trail.js)
        this.heardAt = 0;
        this.unansweredSince = null; // asked then, and nothing answered since that was waited for
        this.pingId = -1;
        this.onDead = null; // once it is greeted and may be replaced: it says nothing, nor to a ping
        this.quietSince = 0;
        this.pinged = false;
        this.watch = null;
        this.large = new Set(); // ids; the server reads each on a lane of its own, and nothing behind it before
        this.waiting = new Map(); // id: { reply(status, payload), progress?(payload), lost(error) }
        this.lastId = 0;
        this.out = [];
        this.greeted = new Promise((resolve, reject) => {
            this.waiting.set(0, { lost: reject, reply: (status, payload) =>
                status === 0 ? resolve(this.greeting = payload) : reject(fromReply(status, payload)) });
        });
        this.greeted.catch(() => {}); // told through the race of attempts as well
        this.splitter = new FrameSplitter((...frame) => this.onFrame(...frame));
        this.socket = address.tls ? tls.connect({ ...address, ...address.tls }) : net.connect(address);
        this.socket.setNoDelay(true);
        this.socket.on(address.tls ? "secureConnect" : "connect", () => this.socket.write(
            frameEncode(OPERATIONS.hello.opcode, 0, hello, this.flags)));
        this.socket.on("data", (data) => this.onData(data));
        this.socket.on("error", (error) => this.lose(new IcpError(this.greeting ? "closed" : "connect",
            this.greeting ? `the connection broke before the reply came: ${error.message}`
                : `the server cannot be reached: ${error.message}`,
        { retryable: isTrust(error) ? false : undefined })));
        this.socket.on("close", () => this.lose(new IcpError("closed",
            "the server closed the connection before the reply came")));
        this.socket.on("end", () => this.lose(new IcpError("closed",
            "the server closed the connection before the reply came")));
    }

    onData(data) {
        this.heardAt = this.quietSince = performance.now();
        this.pinged = false;
        try {
            this.splitter.feed(data);
        } catch (error) {
            this.lose(error);
        }
    }

    onFrame(status, flags, requestId, payload) {
        const one = this.waiting.get(requestId);
        if (one === undefined) {
            if (requestId === 0 && status !== 0) {
                throw fromReply(status, payload); // the connection itself is refused
            }
            if (requestId === this.pingId) {
                this.unansweredSince = this.heardAt;
            }
            return; // of a request that was given up
        }
        this.unansweredSince = this.waiting.size > 1 || (flags & MORE) !== 0 ? this.heardAt : null;
        if ((flags & MORE) !== 0) {
            one.progress?.(payload);
            return;
        }
        this.waiting.delete(requestId);
        this.answered ||= this.greeting !== null && status === 0;
        one.reply(status, payload);
        if (this.retired) {
            this.retire();
        }
    }

    // Sends with what else this turn of the loop sends. Returns the id.
    request(opcode, fields, one) {
        this.lastId = this.lastId % 0xffffffff + 1;
        const frame = frameEncode(opcode, this.lastId, fields, this.flags);
        if (this.waiting.size === 0) {
            this.quietSince = performance.now();
            if (this.watch === null && this.onDead !== null) {
                this.look(QUIET_MS);
            }
        }
        this.unansweredSince ??= performance.now();
        this.waiting.set(this.lastId, one);
        if (frame.length > LIMITS.loop_bytes_max + HEADER_BYTES) {
            this.large.add(this.lastId);
        }
        if (this.out.length === 0) {
            process.nextTick(() => this.flush());
        }
        this.out.push(frame);
        return this.lastId;
    }

    // While something is waited for: a ping where nothing comes, and then the word that it is dead. What
    // came while this process had to wait is read first: immediates run behind the reading of a turn of
    // the loop, timers ahead of it.
    look(ms) {
        this.watch = setTimeout(() => setImmediate(() => {
            this.watch = null;
            if (this.waiting.size === 0 || this.lost !== null) {
                return;
            }
            const left = this.quietSince + QUIET_MS - performance.now();
            this.large = new Set([...this.large].filter((id) => this.waiting.has(id)));
            if (this.large.size > 0 && !this.pinged) {
                this.look(QUIET_MS);
            } else if (left > 0) {
                this.look(left);
            } else if (this.pinged) {
                this.onDead();
                this.look(QUIET_MS);
            } else {
                this.pingId = this.lastId = this.lastId % 0xffffffff + 1;
                this.socket.write(frameEncode(OPERATIONS.ping.opcode, this.lastId, {}, this.flags));
                this.pinged = true;
                this.look(PING_MS);
            }
        }), ms);
    }

    flush() {
        const out = this.out;
        this.out = [];
        if (this.lost === null) {
            this.socket.write(out.length === 1 ? out[0] : Buffer.concat(out));
        }
    }

    // A reply that is no longer waited for.
    forget(requestId) {
        this.waiting.delete(requestId);
        if (this.retired) {
            this.retire();
        }
    }

    // No new requests; it closes when those under way have ended.
    retire() {
        this.retired = true;
        if (this.waiting.size === 0) {
            this.lose(new IcpError("closed", "the connection was left for a new one"));
        }
    }

    lose(error) {
        if (this.lost !== null) {
            return;
        }
        this.lost = error;
        clearTimeout(this.watch);
        this.socket.destroy();
        this.onLost?.(error); // before those who waited ask for another
        const waiting = [...this.waiting.values()];
        this.waiting.clear();
        for (const one of waiting) {
            one.lost(error);
        }
    }
}

module.exports = { Link };
