/* SPDX-License-Identifier: Apache-2.0 */
/* What a learning job has in memory: accounts as they are, or cases as their accounts were, with
 * labels, and how ready they are to be learned from.
 *
 * Ownership: options borrow; a reading is the caller's, engine_reading_fini, also after a failure.
 * Errors: those of the source, of population.h and of readiness_floor.h. Threads: the job's. */
#ifndef ENGINE_LEARN_READING_H
#define ENGINE_LEARN_READING_H

#include "server/engine/learn_ready.h"
#include "server/engine/population.h"

struct engine_reading_options {
    const struct feature_schema *schema;
    const bool *fields;        /* by field id: what is kept */
    const uint16_t *field_ids; /* to learn from */
    size_t field_count;
    const struct filter *where;
    const struct engine_case_source *source; /* NULL: accounts as they are */
    const struct measure_floors *floors;     /* NULL: whatever there is */
    const uint16_t *value_field_id; /* of cases: taken as it is, whatever the moment; NULL: none */
    int32_t stage_field_id;         /* of cases: what their stages are laid over; -1: nothing is */
    double share;                   /* of the progress of the job that is the reading's */
};

struct engine_reading {
    const struct engine_reading_options *options;
    struct engine_job *job;
    struct engine_cases cases;
    struct engine_population accounts;
    struct engine_ready ready;
    uint8_t *labels;       /* by row, of cases; else NULL */
    uint32_t *accounts_of; /* by row, where an account has several cases; else NULL */
    bool *timeless;        /* by field id */
};

bool engine_reading_read(struct engine_reading *reading, struct engine_job *job,
                         const struct engine_reading_options *options, struct proto_fault *fault);
void engine_reading_fini(struct engine_reading *reading);
/* Whether every field that the source calls timeless is one of the schema. */
bool engine_reading_timeless_known(const struct feature_schema *schema,
                                   const struct engine_case_source *source,
                                   struct proto_fault *fault);

#endif
