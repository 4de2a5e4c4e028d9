/* SPDX-License-Identifier: Apache-2.0 */
/* Where the time of a request goes within icpd, from its own figures before and after a run.
 * Units: nanoseconds a request; what the stages leave of the server's processor time a request is
 * its loop: waiting for input, and whatever goes on beside the requests. Ownership: plain values.
 * Errors: figures that cannot be had are not `known`. Threads: one. Cost: a connection and one
 * request each. */
#ifndef BENCH_LOAD_STAGES_H
#define BENCH_LOAD_STAGES_H

#include <stdbool.h>

enum load_stage {
#define S(name, metric, text) LOAD_STAGE_##name,
#include "bench/load/stage.def"
#undef S
    LOAD_STAGES
};

struct load_stages {
    bool known;
    double ns[LOAD_STAGES];    /* sums; after load_stages_since means a request */
    double frames;             /* of the sampled turns */
    double commits, commit_ns; /* of the writer: number, and sum or mean */
};

struct load_stage_info {
    const char *name;
    const char *text;
};
const struct load_stage_info *load_stage_info(enum load_stage stage);

/* uri: of libicp. */
void load_stages_read(const char *uri, struct load_stages *stages);
/* Makes *after the means between the two; not known if nothing was sampled. */
void load_stages_since(const struct load_stages *before, struct load_stages *after);

#endif
