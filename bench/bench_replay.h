/* SPDX-License-Identifier: Apache-2.0 */
/* A capture (docs/capture.md) as requests with the times and connections at which they came, to be
 * played to a server by bench_load_run.
 *
 * Texts that named stored accounts name accounts of the target instead, each always the same one:
 * those that bench_fill makes, or those of a file of lines `id` or `id,domain`. So the few accounts
 * that most requests ask for stay few and asked for as often. Names of accounts that were not
 * stored stay as they are, and so do all values, whose fields the target should have.
 * Requests that were recorded without their payload are passed over and counted.
 * Ownership: bench_replay_fini frees; the schedule lies in it. Errors: a fault that names the file;
 * damage is refused whole. Threads: one. Cost: about a microsecond a request; the file is held in
 * memory while it is read. */
#ifndef BENCH_REPLAY_H
#define BENCH_REPLAY_H

#include "bench/bench_load.h"

struct bench_replay_options {
    const char *path;
    double speed;      /* 2: twice as fast as it came */
    bool no_writes;    /* pass over what changes accounts */
    uint64_t accounts; /* of the target, from bench_fill */
    const char *names; /* a file of ids instead; NULL: none */
    unsigned connections_max;
};

struct bench_replay {
    struct bench_traffic traffic;
    struct bench_schedule schedule;
    uint64_t left_out, lost, writes; /* not played: no payload, not recorded, not wanted */
    uint64_t accounts;               /* different ones asked for */
    double seconds;                  /* of the capture */
};

bool bench_replay_make(struct bench_replay *replay, const struct bench_replay_options *options,
                       struct proto_fault *fault);
void bench_replay_fini(struct bench_replay *replay);

#endif
