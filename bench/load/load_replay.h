/* SPDX-License-Identifier: Apache-2.0 */
/* A capture (docs/capture.md) as requests with the times and connections at which they came, to be
 * played to a server by load_run.
 *
 * Texts that named stored accounts name accounts of the target instead, each always the same one:
 * those that load_fill makes, or those of a file of lines `id` or `id,domain`. So the few accounts
 * that most requests ask for stay few and asked for as often. Names of accounts that were not
 * stored stay as they are, and so do all values, whose fields the target should have.
 * Requests that were recorded without their payload are passed over and counted.
 * Ownership: load_replay_fini frees; the schedule lies in it. Errors: a fault that names the file;
 * damage is refused whole. Threads: one. Cost: about a microsecond a request; the file is held in
 * memory while it is read. */
#ifndef BENCH_LOAD_REPLAY_H
#define BENCH_LOAD_REPLAY_H

#include "bench/load/load.h"

struct load_replay_options {
    const char *path;
    double speed;      /* 2: twice as fast as it came */
    bool no_writes;    /* pass over what changes accounts */
    uint64_t accounts; /* of the target, from load_fill */
    const char *names; /* a file of ids instead; NULL: none */
    unsigned connections_max;
};

struct load_replay {
    struct load_traffic traffic;
    struct load_schedule schedule;
    uint64_t left_out, lost, writes; /* not played: no payload, not recorded, not wanted */
    uint64_t accounts;               /* different ones asked for */
    double seconds;                  /* of the capture */
};

bool load_replay_make(struct load_replay *replay, const struct load_replay_options *options,
                      struct proto_fault *fault);
void load_replay_fini(struct load_replay *replay);

#endif
