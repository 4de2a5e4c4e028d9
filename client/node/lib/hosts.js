// SPDX-License-Identifier: Apache-2.0
// Which host is worth an attempt; the same choice as libicp's (docs/client.md, Several hosts). Happy path: all
// are, in the order of the URI, and one that works is kept. One that failed is passed over for a while, longer
// each time, as long as there is another that is not: a machine that is gone takes no answer away from those that
// are there, but for one attempt in a while. Failure path: all have failed of late, and then the order is as if
// none had.
"use strict";

const { PATIENCE } = require("./tables.js");

class Hosts {
    // addresses in the order of the URI; `at` is the one to try next. now: milliseconds of any one clock.
    constructor(addresses) {
        this.addresses = addresses;
        this.at = 0;
        this.failures = addresses.map(() => 0); // in a row
        this.coolUntil = addresses.map(() => 0);
    }

    get count() {
        return this.addresses.length;
    }

    failed(host, now) {
        const cool = Math.min(PATIENCE.host_cool_ms_first * 2 ** Math.min(this.failures[host]++, 10),
            PATIENCE.host_cool_ms_max);
        // Half of it by chance, so that many clients do not come back in one moment.
        this.coolUntil[host] = now + cool / 2 + Math.random() * cool / 2;
    }

    worked(host) {
        this.at = host;
        this.failures[host] = 0;
        this.coolUntil[host] = 0;
    }

    // The next that did not fail of late, perhaps itself; if all did, the next.
    after(host, now) {
        for (let step = 1; step <= this.count; step++) {
            const following = (host + step) % this.count;
            if (this.coolUntil[following] <= now) {
                return following;
            }
        }
        return (host + 1) % this.count;
    }

    // Others had better be asked for a while.
    leave(host, now) {
        this.failed(host, now);
        this.at = this.after(host, now);
    }
}

module.exports = { Hosts };
