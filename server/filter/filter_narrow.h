/* SPDX-License-Identifier: Apache-2.0 */
/* A filter over rows that have all values in common but a few numbers: what the common values
 * decide is decided once, and what is left is a short program over intervals of those numbers. It
 * says of each row what filter_match says.
 *
 * Shapes: at most FILTER_NARROW_STEPS conditions are left; steps go forward. Ownership: a value,
 * nothing is borrowed. Errors: none; false where a filter cannot be narrowed so (more conditions on
 * the numbers, or a list of them), and filter_match is for whoever asks. Threads: pure. Cost: that
 * of a match for each condition to make, 1 to 2 ns a condition that is left for each row. */
#ifndef FILTER_FILTER_NARROW_H
#define FILTER_FILTER_NARROW_H

#include "server/filter/filter.h"

#define FILTER_NARROW_STEPS 4u
/* Where to go that is no step: the answer. */
#define FILTER_NARROW_FALSE FILTER_NARROW_STEPS
#define FILTER_NARROW_TRUE (FILTER_NARROW_STEPS + 1u)

struct filter_narrow {
    uint8_t first; /* a step, or the answer */
    uint8_t count;
    struct {
        double low, high; /* low ≤ number ≤ high */
        uint8_t number;   /* its place among the fields */
        uint8_t yes, no;
    } steps[FILTER_NARROW_STEPS];
};

/* values by field id, `slots` entries. Of the `count` fields those that are present here are so in
 * every row, of the same type, and of another number in each. */
bool filter_narrow_make(const struct filter *filter, const struct feature_value *values,
                        size_t slots, const uint16_t *fields, size_t count,
                        struct filter_narrow *narrow);

/* numbers[i] is that of fields[i]. */
static inline bool filter_narrow_match(const struct filter_narrow *narrow, const double *numbers)
{
    uint8_t at = narrow->first;
    while (at < FILTER_NARROW_STEPS) {
        double number = numbers[narrow->steps[at].number];
        bool in = number >= narrow->steps[at].low && number <= narrow->steps[at].high;
        at = in ? narrow->steps[at].yes : narrow->steps[at].no;
    }
    return at == FILTER_NARROW_TRUE;
}

#endif
