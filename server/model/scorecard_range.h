/* SPDX-License-Identifier: Apache-2.0 */
/* What entries of a term a row could reach when some of its codes are missing. Shared by the check
 * of a scorecard and by model_interval; pure, no more than a loop over one table. */
#ifndef MODEL_SCORECARD_RANGE_H
#define MODEL_SCORECARD_RANGE_H

#include <stddef.h>
#include <stdint.h>

struct model_code_range {
    size_t from;
    size_t end;
};

/* The codes that a column of this row could have: its own, or any if it is missing, staying so
 * included: what is served for the row as it is then lies within the range. */
static inline struct model_code_range model_codes_possible(uint8_t code, uint16_t bins)
{
    if (code != 0 || bins < 2) {
        return (struct model_code_range){code, (size_t)code + 1};
    }
    return (struct model_code_range){0, bins};
}

static inline void model_table_range(const int32_t *table, size_t bins_b, struct model_code_range a,
                                     struct model_code_range b, int32_t *low, int32_t *high)
{
    *low = INT32_MAX;
    *high = INT32_MIN;
    for (size_t i = a.from; i < a.end; i++) {
        for (size_t j = b.from; j < b.end; j++) {
            int32_t entry = table[i * bins_b + j];
            *low = entry < *low ? entry : *low;
            *high = entry > *high ? entry : *high;
        }
    }
}

#endif
