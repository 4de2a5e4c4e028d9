/* SPDX-License-Identifier: Apache-2.0 */
/* An import is taken back, as a job: its batches from the newest to the oldest, each in one step,
 * which the log notes, so that what was cut off goes on where it was and nothing is taken back
 * twice. What of an account is taken back says server/store/store_undo.h; of events a retraction is
 * told. What others wrote since stays. A dry run counts the same and writes nothing.
 *
 * Ownership: texts of a request are copied; result lives until on_done. Errors: PROTO_NOT_FOUND
 * where the log has nothing of the import; PROTO_CANCELLED between two batches; those of the store.
 * Threads: callbacks on the job's thread. Cost: that of writing the import once. */
#ifndef ENGINE_UNDO_JOB_H
#define ENGINE_UNDO_JOB_H

#include "server/engine/engine.h"

enum engine_undo_figure {
#define X(NAME, name, help) ENGINE_UNDO_##NAME,
#include "server/engine/undo_figure.def"
#undef X
    ENGINE_UNDO_FIGURES
};

/* An account of which something stays. */
struct engine_undo_stay {
    char id[PROTO_ID_BYTES_MAX + 1];
    uint32_t changed, late, not_kept, keys;
    bool account; /* it was made by the import, and stays */
};
enum { ENGINE_UNDO_STAYS_MAX = 100 };

struct engine_undo_result {
    uint64_t figures[ENGINE_UNDO_FIGURES];
    struct engine_undo_stay stays[ENGINE_UNDO_STAYS_MAX]; /* the first of them */
    size_t stay_count;
    bool whole;   /* the log has the import from its beginning */
    uint64_t seq; /* of the last batch written; 0: none */
};

struct engine_undo_request {
    struct proto_span import;
    bool dry;
    struct engine_operation operation;
    int64_t deadline_ms;
    struct engine_undo_result *result;
    void (*on_progress)(void *context, const struct engine_job_info *info);
    void (*on_done)(void *context, const struct engine_job_info *info);
    void *context;
};

/* The number of the job; 0 with *fault. */
uint64_t engine_undo_start(struct engine *engine, const struct engine_undo_request *request,
                           struct proto_fault *fault);

#endif
