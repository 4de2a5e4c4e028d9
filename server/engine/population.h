/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts in memory, for work that looks at them for minutes: they are read in slices, each on a
 * snapshot of its own, so that the store can use its pages again meanwhile. An account is as one
 * commit left it; two accounts may be of two commits. What was added after the reading began is not
 * there.
 *
 * Or cases: accounts as they were at moments of their own (as_of.h), each a row, in the order in
 * which they are given, and with its stage as the value of a field, if they have stages.
 *
 * Shapes: rows ascend by slot; a row keeps the values of the fields asked for, without source and
 * time. Ownership: spans of values point into the population and die with it. Errors:
 * PROTO_NO_MEMORY, PROTO_TOO_LARGE beyond ENGINE_POPULATION_BYTES_MAX, those of reading a record,
 * and PROTO_CANCELLED from on_slice. Threads: reading that of the worker; then any number read it.
 * Cost: some 1 µs an account; 16 bytes a value beside its text, and 8 a row. */
#ifndef ENGINE_POPULATION_H
#define ENGINE_POPULATION_H

#include "server/engine/as_of.h"
#include "server/engine/learn_case.h"
#include "server/filter/filter.h"

/* What learning from the largest base that fits a machine of today takes; more is a mistake. */
#define ENGINE_POPULATION_BYTES_MAX ((size_t)16 << 30)
/* Accounts read on one snapshot: a few milliseconds. */
enum { ENGINE_SLICE_ROWS = 4096 };

struct engine_population {
    uint8_t **chunks;
    size_t chunk_count, chunk_room;
    size_t used;    /* of the last chunk */
    uint64_t *rows; /* chunk and offset of each row */
    size_t count;
    size_t row_room;
    uint32_t *slots; /* of the rows */
    uint32_t *cases; /* of the rows, places in what was given to be read */
    size_t known;    /* rows of cases that are as they were known then (as_of.h) */
    size_t not_kept; /* cases that are no row: what their accounts were is not kept */
};

struct engine_population_options {
    const struct feature_schema *schema;
    const bool *fields;         /* by field id of the schema; NULL: all */
    const struct filter *where; /* NULL: every account */
    const uint32_t *slots;      /* ascending; NULL: all there are */
    size_t slot_count;
    const struct engine_case *cases; /* instead of slots, by slot; NULL: accounts as they are */
    size_t case_count;
    const bool *timeless;      /* by field id, of cases: values that hold at any time; NULL: none */
    const char *const *stages; /* of cases, by their numbers */
    int32_t stage_field_id;    /* where they stand; below 0, or no stages: nowhere */
    bool pass_damaged;         /* pass over accounts that cannot be read, instead of failing */
    /* Before each slice, with the share that is done. False ends the reading with *fault. */
    bool (*on_slice)(void *context, double done, struct proto_fault *fault);
    /* Each row that is kept, with all its values; NULL: nobody asks. sources: by field id, of
     * cases; NULL: they are those of the record. False ends the reading. */
    bool (*on_row)(void *context, const struct feature_record *record,
                   const struct feature_value *values, const struct proto_span *sources,
                   int64_t moment_ms, struct proto_fault *fault);
    void *context;
};

/* Zero is an empty population. On a fault it is empty. */
bool engine_population_read(struct engine_population *population, struct engine_worker *worker,
                            const struct engine_population_options *options,
                            struct proto_fault *fault);
void engine_population_fini(struct engine_population *population);
/* Fills values[0 … slots) by field id, as feature_record_values does but for source and time;
 * always true. */
bool engine_population_values(void *population, size_t row, struct feature_value *values,
                              size_t slots);

#endif
