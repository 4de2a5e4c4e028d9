/* SPDX-License-Identifier: Apache-2.0 */
/* Whether rows allow learning, before anything is learned: how complete each field is, how many
 * rows tell an account of one source again, how old they are, how many accounts two sources or more
 * know, and how much of the base each source covers. Each share has n and Wilson's interval, and is
 * held against a floor; what lies below says what to mend first.
 *
 * Assumptions: none for the shares; for the intervals that rows are a sample of rows to come.
 * A sighting is one source's knowing one account. Of a file each row is one; of accounts folded of
 * several sources a row is an account, and has as many sightings as sources.
 *
 * Shapes: arrays by row; present[row · fields + field]. A future time counts as fresh. Ownership:
 * borrows; the table is filled, the caller frees it, also after a failure. Errors: NO_MEMORY,
 * NO_EVIDENCE for no rows, what the pace says. Threads: pure. Cost: O(rows · fields) and a sort.
 * Source: Wilson 1927; docs/methods/readiness.md. */
#ifndef MEASURE_READINESS_H
#define MEASURE_READINESS_H

#include "proto/fault.h"
#include "server/measure/measure.h"

struct measure_rows {
    size_t count;
    uint32_t fields;
    const uint8_t *present;
    const char *const *field_names;
    const uint32_t *account; /* by sighting, below accounts */
    uint32_t accounts;
    const int64_t *time_ms; /* by row; NULL: not told */
    const uint32_t *source; /* by sighting, below sources; NULL: one source */
    const char *const *source_names;
    uint32_t sources;
    size_t sightings;       /* 0: one for each row */
    const uint64_t *filled; /* by field, rows that have a value; NULL: counted over present */
};

struct measure_pace;

struct measure_readiness_options {
    int64_t as_of_ms;
    unsigned stale_days;
    double floor;
    const struct measure_pace *pace; /* borrowed; NULL: always */
};

bool measure_readiness_table(const struct measure_rows *rows,
                             const struct measure_readiness_options *options,
                             struct measure_table *table, struct proto_fault *fault);

#endif
