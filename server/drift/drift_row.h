/* SPDX-License-Identifier: Apache-2.0 */
/* Cases as rows of a version's codes, each as its account was at its moment, with raw score and p.
 *
 * Shapes: `settled` rows with an outcome come first, in the order in which they are given, then the
 * open ones. groups: which account a row is of, numbered from 0; NULL if each has one row.
 * Ownership: rows are the caller's, drift_rows_fini, also after a failure. Errors: those of
 * as_of.h, PROTO_TOO_LARGE, PROTO_NO_MEMORY. Threads: the worker's. Cost: drift.h. */
#ifndef DRIFT_DRIFT_ROW_H
#define DRIFT_DRIFT_ROW_H

#include "server/drift/drift_case.h"

struct drift_rows {
    uint8_t *codes; /* stride apart */
    size_t stride;
    uint8_t *labels; /* of those with an outcome */
    int64_t *raws;
    double *p;
    uint32_t *slots;
    uint32_t *groups;
    size_t group_count; /* accounts, of all rows */
    size_t count, settled, positives;
    size_t not_kept;
};

struct drift_reading {
    const struct learn_document *document;
    const struct filter *where;          /* NULL: every account */
    const struct measure_policy *policy; /* whose timeless fields are taken as they are; or NULL */
    const struct drift_cases *cases;
    int32_t stage_field_id; /* what their stages are laid over; -1: they stand at none */
};

bool drift_rows_read(struct engine_worker *worker, const struct engine_job *job,
                     const struct drift_reading *reading, struct drift_rows *rows,
                     struct proto_fault *fault);
void drift_rows_fini(struct drift_rows *rows);

/* What the outcomes say: fills the figures of the result. */
bool drift_skill_measure(const struct drift_rows *rows, struct drift_result *result,
                         struct proto_fault *fault);
/* How the accounts differ: fills the columns. */
bool drift_columns_measure(const struct drift_rows *rows, struct drift_result *result,
                           struct proto_fault *fault);
/* Verdict and words, from the figures. */
void drift_words_make(struct drift_result *result);

#endif
