/* SPDX-License-Identifier: Apache-2.0 */
/* Cases to learn from: accounts as they were at moments of true time, each with what came of it,
 * where a label over the accounts as they are would see what was known only later. Who gives them
 * stands above the engine, and is asked on the job's thread.
 *
 * Ownership: a source's context is taken by engine_learn, whatever comes of it, and given to
 * destroy once; rows and text that read fills are the caller's, free(). Errors: those of read.
 * Threads: the job's. */
#ifndef ENGINE_LEARN_CASE_H
#define ENGINE_LEARN_CASE_H

#include "server/engine/engine.h"

struct engine_case {
    uint32_t slot;
    bool positive;
    int64_t moment_ms;
};

struct engine_cases {
    struct engine_case *rows; /* by slot */
    size_t count;
    char *told; /* JSON object: what the document says of them, under label.policy */
};

struct engine_job;

struct engine_case_source {
    bool (*read)(void *context, struct engine_worker *worker, const struct engine_job *job,
                 struct engine_cases *cases, struct proto_fault *fault);
    void (*destroy)(void *context);
    void *context;
    struct proto_span name;            /* what the document has as its label */
    const struct proto_span *timeless; /* fields whose values hold at any time */
    size_t timeless_count;
};

#endif
