/* SPDX-License-Identifier: Apache-2.0 */
/* Fields that are another field again, but for rows that one value was written over: a last
 * activity and a last notable activity that becomes "Modified", a source and a source that becomes
 * "Existing customer". What such a field adds to the other is who was written over; where that goes
 * with the outcome, at the same value of the other field, it was probably written once the outcome
 * was known.
 *
 * Field f is other field o overwritten with v if, of the rows where f is present,
 * - f = o in LEARN_OVERWRITTEN_SAME of them or more, with LEARN_OVERWRITTEN_VALUES different values
 *   or more, of 10 rows each: of two flags one of which implies the other nothing is told;
 * - f = v in nearly all others (all but LEARN_OVERWRITTEN_ELSE), LEARN_OVERWRITTEN_ROWS or more;
 * - within rows of equal o, those with v differ in their outcomes: Mantel and Haenszel's z is
 *   LEARN_OVERWRITTEN_Z or more, chance 6e-7 for each two fields.
 * Shapes: hashes[field · rows + row], LEARN_OVERWRITTEN_NONE where missing; labels[rows].
 * Errors: false: no memory. Threads: pure. Cost: fields² · rows at worst; pairs that agree in less
 * than half of what is asked among the first 500 rows are left at that. Source: Mantel and Haenszel
 * 1959; Robins, Breslow and Greenland 1986 (interval). */
#ifndef LEARN_LEAKAGE_OVERWRITTEN_H
#define LEARN_LEAKAGE_OVERWRITTEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LEARN_OVERWRITTEN_NONE UINT64_C(0)
#define LEARN_OVERWRITTEN_SAME 0.3
#define LEARN_OVERWRITTEN_ELSE 0.02
#define LEARN_OVERWRITTEN_VALUES 3
#define LEARN_OVERWRITTEN_ROWS 50
#define LEARN_OVERWRITTEN_Z 5.0
#define LEARN_OVERWRITTEN_ROWS_MAX 10000 /* that are looked at */

struct learn_overwritten {
    const char *other; /* name of the other field, borrowed; NULL: of none */
    char value[64];    /* what was written over */
    size_t field;      /* the other one's place */
    size_t row;        /* one that was written over, for its value */
    size_t rows;       /* f present */
    size_t same, over;
    size_t over_positives;
    double odds, odds_low, odds_high; /* of a positive where overwritten, at equal o */
};

struct learn_overwritten_cells {
    size_t fields, rows;
    const uint64_t *hashes;
    const uint8_t *labels;
};

/* found[fields]: other NULL and rows 0 of those that are none; names and values are left to the
 * caller. */
bool learn_leakage_overwritten(const struct learn_overwritten_cells *cells,
                               struct learn_overwritten *found);

#endif
