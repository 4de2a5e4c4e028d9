/* SPDX-License-Identifier: Apache-2.0 */
/* icpd under writes for a long time: random updates of a large base, in batches, by clients that
 * wait for the disk, with look-alike vectors kept up to date, while scores are asked at a fixed
 * rate; and how soon it answers again after a stop and after kill -9. sustain_row.def has the rows.
 *
 * Bytes written are those that the kernel counts for the process (write_bytes of /proc/PID/io),
 * from the first update until nothing more is written. Start: from the start of the process to the
 * reply to a score, asked every millisecond; the files are in the page cache.
 * Ownership: everything is started, ended and removed within the call. Errors: a fault where icpd
 * cannot be measured; a Redis that is not installed is left out with a word. Threads: one. Memory:
 * the requests are held ready, 600 bytes a record and up to a million of them. */
#ifndef BENCH_GATE_SUSTAIN_H
#define BENCH_GATE_SUSTAIN_H

#include <jansson.h>

#include "bench/gate/gate_frame.h"
#include "bench/gate/gate_ingest.h"

enum gate_sustain_row {
#define R(ID, LIMIT, target, unit, text) GATE_SUSTAIN_##ID,
#include "bench/gate/sustain_row.def"
#undef R
    GATE_SUSTAIN_ROWS
};

struct gate_sustain_options {
    struct gate_ingest_options ingest; /* accounts, bytes, connections, processors; batches[0] */
    const char *workloads;
    double seconds;
    double score_rate; /* a second */
    bool vectors;
};

/* With less the rows are shown and not judged. */
#define GATE_SUSTAIN_SECONDS 600

struct gate_sustain {
    struct gate_line lines[GATE_SUSTAIN_ROWS];
    double updates; /* a second, over the whole time */
    json_t *json;   /* for reports; the caller owns it */
};

bool gate_sustain_measure(const struct gate_sustain_options *options, struct gate_sustain *out,
                          struct proto_fault *fault);

#endif
