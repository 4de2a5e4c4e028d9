// SPDX-License-Identifier: Apache-2.0
// Opening a connection. Happy path: the host that worked last is connected to, greeted, and answers. Failure
// paths: one that refuses gives way to the next at once (hosts.js says which); after a round of all, a random wait; one that says
// nothing for a quarter of a second gets the next beside it, and whoever greets first wins. Where that goes on,
// the first keeps its place, for a server may be slow, and each new one takes that of the second.
"use strict";

const { IcpError } = require("./fault.js");
const { Link } = require("./link.js");
const { ATTEMPTS_MAX, STAGGER_MS } = require("./policy.js");

class Opening {
    // Resolves with a greeted link, or rejects when `until` (performance.now) has come, when no server can
    // help (a wrong token), or, without retry, when every host has failed once.
    constructor(hosts, options, backoff, until) {
        Object.assign(this, { hosts, options, backoff, until });
        this.host = -1; // that was tried last
        this.attempts = new Set();
        this.started = 0;
        this.failed = 0;
        this.over = false;
        this.fault = new IcpError("timeout", "no server answered in time");
        this.hello = { client: options.name, token: options.token };
        this.done = new Promise((resolve, reject) => Object.assign(this, { resolve, reject }));
        this.end = setTimeout(() => this.finish(null, this.fault), Math.max(0, until - performance.now()));
        this.attempt();
    }

    finish(link, error) {
        if (this.over) {
            return;
        }
        this.over = true;
        clearTimeout(this.end);
        clearTimeout(this.next);
        for (const attempt of this.attempts) {
            if (attempt !== link) {
                attempt.lose(new IcpError("closed", "another connection was faster"));
            }
        }
        if (link !== null) {
            this.backoff.reset();
            this.resolve(link);
        } else {
            this.reject(error);
        }
    }

    attempt() {
        const isOnce = !this.options.retry && this.started >= this.hosts.count;
        if (this.over || isOnce) {
            return;
        }
        if (this.attempts.size >= ATTEMPTS_MAX) {
            const second = [...this.attempts][1];
            this.attempts.delete(second);
            second.lose(new IcpError("timeout", "the server did not greet"));
        }
        const now = performance.now();
        if ([...this.attempts].some((attempt) => attempt.host === this.host)) {
            this.hosts.failed(this.host, now); // it is slow; if it answers yet, it worked
        }
        this.host = this.host < 0 ? this.hosts.at : this.hosts.after(this.host, now);
        this.started++;
        const link = new Link(this.host, this.hosts.addresses[this.host], this.hello, this.options.checksum);
        this.attempts.add(link);
        link.greeted.then(() => this.finish(link, null), (error) => this.lost(link, error));
        this.later(STAGGER_MS);
    }

    later(ms) {
        clearTimeout(this.next);
        this.next = setTimeout(() => this.attempt(), ms);
    }

    lost(link, error) {
        link.lose(error);
        if (!this.attempts.delete(link) || this.over) {
            return;
        }
        this.fault = error instanceof IcpError ? error : new IcpError("connect", String(error));
        this.failed++;
        this.hosts.failed(link.host, performance.now());
        const isOnce = !this.options.retry && this.started >= this.hosts.count;
        if (!this.fault.retryable || (isOnce && this.attempts.size === 0)) {
            this.finish(null, this.fault);
            return;
        }
        this.later(this.failed % this.hosts.count === 0 ? this.backoff.next() : 0);
    }
}

module.exports = { Opening };
