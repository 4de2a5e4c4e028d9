/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of a request goes within icpd, from its own figures before and after a run.
 * Units: nanoseconds a request; what the stages leave of the server's processor time a request is
 * its loop: waiting for input, and whatever goes on beside the requests. Ownership: plain values.
 * Errors: figures that cannot be had are not `known`. Threads: one. Cost: a connection and one
 * request each. */
#ifndef BENCH_STAGES_H
#define BENCH_STAGES_H

#include <stdbool.h>

enum bench_stage {
#define S(name, metric, text) BENCH_STAGE_##name,
#include "bench/stage.def"
#undef S
    BENCH_STAGES
};

struct bench_stages {
    bool known;
    double ns[BENCH_STAGES];   /* sums; after bench_stages_since means a request */
    double frames;             /* of the sampled turns */
    double commits, commit_ns; /* of the writer: number, and sum or mean */
};

struct bench_stage_info {
    const char *name;
    const char *text;
};
const struct bench_stage_info *bench_stage_info(enum bench_stage stage);

/* uri: of libicp. */
void bench_stages_read(const char *uri, struct bench_stages *stages);
/* Makes *after the means between the two; not known if nothing was sampled. */
void bench_stages_since(const struct bench_stages *before, struct bench_stages *after);

#endif
