// SPDX-License-Identifier: Apache-2.0
// Which hosts there are, how long to wait, what may be sent again: the rules of docs/protocol.md (When to
// send again), the same as in libicp and the Python client.
"use strict";

const { randomBytes } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { isIP } = require("node:net");
const { IcpError } = require("./fault.js");
const { OPERATIONS, PATIENCE, PORT, TLS_PORT } = require("./tables.js");

const DEFAULT_URI = `icp://127.0.0.1:${PORT}`;
const SENDS_MAX = 8;
const BACKOFF_FIRST_MS = 10;
const BACKOFF_MAX_MS = 250;
const STAGGER_MS = 250; // a connection that says nothing for so long gets another beside it
const QUIET_MS = PATIENCE.quiet_ms; // so long without a byte though something was asked, and a connection is pinged
const PING_MS = PATIENCE.ping_ms; // so long without a byte after that, and another is opened in its place
const USELESS_MS = QUIET_MS + PING_MS; // so long without an answer in time: left when a deadline passes
const ATTEMPTS_MAX = 8;

const DEFAULTS = {
    connectTimeoutMs: 5000, // that a call waits for a connection
    callTimeoutMs: 30000, // of each call that names none
    name: "", // who calls, for the server's log
    token: undefined, // secret that gives the connection its role
    checksum: true, // of requests and their replies: bytes that are altered on the way are noticed
    retry: true, // send again what may be sent again, and try each host more than once
    seeWritten: true, // reads over another connection than the client's last write wait until its host has it
    tlsCa: undefined, // for icps://: file of PEM of who signs the server; else whom Node trusts
    tlsCertificate: undefined, // file of PEM that is shown to a server that asks for it
    tlsKey: undefined, // and its key
    inFlightMax: 1024, // unanswered requests of one connection
    defaultScore: undefined, // what scoreLead gives where no server could answer: { grade, fit, p }
};

// What is wrong with these is the query itself, so a default score would hide a fault of the caller.
const OF_THE_QUERY = new Set(["bad-payload", "bad-field", "missing-field", "duplicate-key", "too-large",
    "not-found", "denied", "usage"]);

function hostRead(text, uri, otherwise) {
    const found = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::(\d+))?$/.exec(text);
    const port = found && found[3] !== undefined ? Number(found[3]) : otherwise;
    if (!found || port < 1 || port > 65535) {
        throw new IcpError("usage", `'${text}' in '${uri}' is no host:port; an IPv6 address stands in []`);
    }
    return { host: found[1] ?? found[2], port };
}

function fileRead(option, path) {
    try {
        return path === undefined ? undefined : readFileSync(path);
    } catch (error) {
        throw new IcpError("usage", `a file for TLS cannot be read: ${error.message}`, { field: option });
    }
}

// What tls.connect takes beside the address: the certificate must be for the host that the URI names.
function tlsRead(options, host) {
    return { ca: fileRead("tlsCa", options.tlsCa), cert: fileRead("tlsCertificate", options.tlsCertificate),
        key: fileRead("tlsKey", options.tlsKey), minVersion: "TLSv1.3",
        servername: isIP(host) === 0 ? host : undefined };
}

// icp://host:port or icps://host:port, several with commas between, or icp+unix:/path: what net.connect
// takes, one each, and `tls` what tls.connect does.
function uriRead(uri, options = {}) {
    if (uri.startsWith("icp+unix:")) {
        const path = decodeURIComponent(uri.slice("icp+unix:".length)).replace(/^\/\/(?=\/)/, "");
        if (!path.startsWith("/")) {
            throw new IcpError("usage", `'${uri}': the path of a Unix socket is absolute`);
        }
        return [{ path }];
    }
    const scheme = ["icp://", "icps://"].find((one) => uri.startsWith(one));
    if (scheme === undefined) {
        throw new IcpError("usage", `'${uri}' is no URI of icpd: icp://host:port, icps://host:port for TLS, `
            + "or icp+unix:/path");
    }
    const isTls = scheme === "icps://";
    return uri.slice(scheme.length).replace(/\/+$/, "").split(",").map((text) => {
        const host = hostRead(text, uri, isTls ? TLS_PORT : PORT);
        return isTls ? { ...host, tls: tlsRead(options, host.host) } : host;
    });
}

// One request from the first time it is sent until it is answered.
class Task {
    constructor(op, fields, until, retry) {
        this.info = OPERATIONS[op];
        if (this.info === undefined) {
            throw new IcpError("usage", `'${op}' is no operation`);
        }
        for (const name of this.info.jsonFields) {
            if (fields[name] !== undefined && typeof fields[name] !== "string") {
                fields = { ...fields, [name]: JSON.stringify(fields[name]) };
            }
        }
        this.fields = fields;
        this.until = until;
        this.sends = 0;
        this.named = this.info.takesOperation && fields.operation !== undefined; // may be repeated by its operation id
        this.operation = undefined; // the client's own
        this.knewOperations = false; // of the server that it was sent to last
        this.minSeq = 0; // that it named there, by the client's own doing
        if (retry && this.info.takesOperation && !this.info.safe && !this.named) {
            this.operation = randomBytes(16).toString("hex");
            this.named = true;
        }
    }

    // The fields as they go out: with the operation id if the server knows them, with the sequence that the
    // client wrote last where the server may not have it, and with the time that is left where the server can
    // make use of it: half of it where that is only waited for, and another host may be nearer.
    outgoing(hasOperations, now, minSeq = 0, hosts = 1) {
        this.knewOperations = hasOperations;
        this.minSeq = minSeq;
        let fields = this.fields;
        if (this.operation !== undefined && hasOperations) {
            fields = { ...fields, operation: this.operation };
        }
        if (minSeq > 0) {
            fields = { ...fields, min_seq: minSeq };
        }
        const isShort = ["inline", "write", "job"].includes(this.info.lane);
        if (fields.deadline_ms === undefined && (!isShort || minSeq > 0)) {
            const share = isShort && hosts > 1 ? 2 : 1;
            fields = { ...fields, deadline_ms: Math.max(1, Math.floor((this.until - now) / share)) };
        }
        return fields;
    }

    // After its connection was lost, so that it may or may not have been carried out.
    mayRepeat() {
        return (this.info.safe || (this.named && this.knewOperations)) && this.sends < SENDS_MAX;
    }

    // After an error reply: whether the server says that it did nothing, and may do it later, in time.
    mayRepeatAfter(error) {
        if (performance.now() + error.retryAfterMs >= this.until) {
            return false;
        }
        if (["busy", "shutting-down", "behind"].includes(error.name)) {
            return this.sends < SENDS_MAX;
        }
        if (error.name === "deadline" && this.minSeq > 0) {
            return this.sends < SENDS_MAX; // of the half that it was given
        }
        return error.name === "bad-checksum" && this.mayRepeat();
    }

    // After an error reply: whether another host had better be asked from now on. How long a token has to wait
    // it would be told there as well.
    leavesAfter(error, hosts) {
        const isCrowded = error.name === "busy" && error.retryAfterMs === 0 && this.sends > 1;
        return error.name === "shutting-down" || (hosts > 1 && (error.name === "behind" || isCrowded));
    }

    // Why a task that was sent before must not go to this server; null if it may.
    refusalBy(hasOperations) {
        return this.sends > 0 && this.knewOperations && !this.info.safe && !hasOperations
            ? new IcpError("closed", "the connection was lost before the reply came, and the server that " +
                "answers now does not know operation ids")
            : null;
    }
}

// Random waits that grow: between 0 and 10 ms, 20 ms … 250 ms.
class Backoff {
    constructor() {
        this.step = 0;
    }

    reset() {
        this.step = 0;
    }

    next() {
        return Math.random() * Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(this.step++, 10), BACKOFF_MAX_MS);
    }

    // A random while behind what the server says.
    busy(sends, retryAfterMs = 0) {
        const limit = Math.min(BACKOFF_FIRST_MS * 2 ** Math.min(sends, 10), BACKOFF_MAX_MS);
        return retryAfterMs + limit / 2 + Math.random() * limit / 2;
    }
}

const timeoutError = (info) => new IcpError("timeout", `no reply to ${info.name} came before its deadline`);

// What a lead gets where no server could answer; null if the fault is the query's own.
function defaultScore(options, error) {
    if (options.defaultScore === undefined || !(error instanceof IcpError) || OF_THE_QUERY.has(error.name)) {
        return null;
    }
    return { grade: "D", fit: 0, p: 0, found: false, tal: false, ...options.defaultScore, is_default: true, error };
}

function replyCheck(info, reply) {
    for (const name of info.required) {
        if (reply[name] === undefined) {
            throw new IcpError("bad-reply", `the reply to ${info.name} lacks ${name}`);
        }
    }
    return reply;
}

module.exports = { ATTEMPTS_MAX, Backoff, DEFAULTS, DEFAULT_URI, PING_MS, QUIET_MS, STAGGER_MS, Task, USELESS_MS,
    defaultScore, replyCheck, timeoutError, uriRead };
