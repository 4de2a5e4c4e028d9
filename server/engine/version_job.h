/* SPDX-License-Identifier: Apache-2.0 */
/* What the jobs share that end in a new ICP version: learning (learn_job.c) and taking over a model
 * from elsewhere (adopt_job.c). One that was stored before by the same operation is not made again;
 * what is stored goes with the operation and, if it is asked for, becomes active in the same step.
 *
 * Ownership: a version_end is part of the job's context and holds a copy of the operation, so it
 * must not move. Errors: PROTO_CANCELLED, PROTO_CONFLICT, PROTO_NO_MEMORY, those of the store.
 * Threads: the job's. Cost: a commit. */
#ifndef ENGINE_VERSION_JOB_H
#define ENGINE_VERSION_JOB_H

#include "server/engine/engine_internal.h"
#include "server/filter/filter.h"

struct engine_version_end {
    const char *reason; /* a literal, for who asks why the version is active */
    bool activate;
    struct engine_operation operation; /* its id points into operation_id */
    uint8_t operation_id[PROTO_OPERATION_BYTES_MAX];
};

void engine_version_end_init(struct engine_version_end *end, const char *reason, bool activate,
                             const struct engine_operation *operation);
/* All that run() does: unless the operation stored a version before, the document that make returns
 * (freed here; NULL with *fault) is stored. job->info tells the version. */
bool engine_version_run(struct engine_job *job, const struct engine_version_end *end,
                        char *(*make)(struct engine_job *job, struct proto_fault *fault),
                        struct proto_fault *fault);

#define ENGINE_CREATED_BYTES 32
/* Now, as a document says when it was made: RFC 3339, whole seconds. */
void engine_job_created(const struct engine_job *job, char created[ENGINE_CREATED_BYTES]);
/* A copy with a zero end, the caller's; NULL: no memory. */
char *engine_text_copy(struct proto_span text);
/* A filter of the request; NULL with *fault, whose field is `what`. */
struct filter *engine_named_filter(const struct feature_schema *schema, struct proto_span text,
                                   const char *what, struct proto_fault *fault);

#endif
