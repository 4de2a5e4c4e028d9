// SPDX-License-Identifier: Apache-2.0
// Reading what one wrote; the same rules as libicp's (docs/client.md, Reading what was written). Happy path: a
// write's reply has its sequence; reads over the connection that brought it see it without being told. Another
// path: a read goes over another connection, perhaps to another host, and names the sequence (min_seq) until one
// reply has shown that the host has it. Hosts whose sequences are of another log are left out: there is nothing
// to compare.
"use strict";

class Trail {
    // last: { log, seq } of what was written last, or null.
    constructor(isOn) {
        this.isOn = isOn;
        this.last = null;
    }

    // What a request must name over that connection; 0: nothing.
    wanted(link, info, fields) {
        const { last } = this;
        return this.isOn && last !== null && info.reads && fields.min_seq === undefined &&
            last.log === (link.greeting.log ?? 0) && link.seenSeq < last.seq ? last.seq : 0;
    }

    // What a good reply says of it; named: what its request did.
    note(link, info, reply, named) {
        const seq = info.writes ? reply.seq ?? 0 : 0;
        const log = link.greeting.log ?? 0;
        for (const one of [seq, named]) {
            link.seenSeq = one > link.seenSeq ? one : link.seenSeq;
        }
        if (seq > 0 && log > 0 && (this.last === null || this.last.log !== log || seq > this.last.seq)) {
            this.last = { log, seq };
        }
    }
}

module.exports = { Trail };
