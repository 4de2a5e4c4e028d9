/* SPDX-License-Identifier: Apache-2.0 */
/* Cases to learn from: accounts as they were at moments of true time, each with what came of it,
 * where a label over the accounts as they are would see what was known only later. Who gives them
 * stands above the engine, and is asked on the job's thread.
 *
 * A case may stand at a stage of its own, which is none of the account's values: it is laid over
 * one of its fields, as if the account had it at the moment of the case.
 *
 * Ownership: a source's context is taken by engine_learn, whatever comes of it, and given to
 * destroy once; rows, stages and text that read fills are the caller's, free(). Errors: those of
 * read. Threads: the job's. */
#ifndef ENGINE_LEARN_CASE_H
#define ENGINE_LEARN_CASE_H

#include "server/engine/engine.h"

struct engine_case {
    uint32_t slot;
    bool positive;
    int64_t moment_ms;
    uint32_t stage; /* number of one of the stages */
};

struct engine_cases {
    struct engine_case *rows; /* by slot */
    size_t count;
    char **stages; /* each with a zero behind it; none where cases stand at none */
    size_t stage_count;
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
    struct proto_span stage_field; /* the category that stages are laid over; empty: none is */
};

#endif
