/* SPDX-License-Identifier: Apache-2.0 */
/* Movements of recurring revenue: what made MRR at the end of a period of what it was at its start.
 *
 *   MRR_end − MRR_start = new + reactivation + expansion − contraction − churn
 *
 * exactly, for each account and so for all: an account has one movement a period, by its MRR at the
 * two ends (up and down within the period is nothing). From 0 to more is new, or reactivation if it
 * paid at any time before; to 0 is churn.
 *
 * Shapes: minor units; a period is [from, to], and months are those of the calendar in UTC.
 * Assumptions: none, every account is counted; so there is no interval, n is the accounts counted.
 * Ownership: values. Errors: none; sums are bounded by spell.h. Threads: pure. Cost: O(spells) a
 * period. Source: docs/methods/mrr.md. */
#ifndef MEASURE_MOVEMENT_H
#define MEASURE_MOVEMENT_H

#include "server/measure/spell.h"

enum measure_move {
    MEASURE_NONE,
    MEASURE_NEW,
    MEASURE_REACTIVATION,
    MEASURE_EXPANSION,
    MEASURE_CONTRACTION,
    MEASURE_CHURN,
    MEASURE_MOVES
};

struct measure_movement {
    int64_t start;
    int64_t end;
    int64_t sum[MEASURE_MOVES];    /* ≥ 0 each */
    uint32_t count[MEASURE_MOVES]; /* accounts; NONE: those that stay as they are, above 0 */
    uint32_t customers_start;
    uint32_t customers_end;
    uint32_t customers_kept; /* at both ends */
};

/* The move from one amount to another, and its size. */
enum measure_move measure_move_of(int64_t start, int64_t end, bool paid_before, int64_t *size);
struct measure_movement measure_movement_of(const struct measure_spells *spells, int64_t from_ms,
                                            int64_t to_ms);
/* The same of one account, added to *total. Returns the move. */
enum measure_move measure_movement_add(const struct measure_spells *spells, uint32_t account,
                                       int64_t from_ms, int64_t to_ms,
                                       struct measure_movement *total);
/* Adds one total to another. */
void measure_movement_join(struct measure_movement *to, const struct measure_movement *from);
/* Takes away what was joined. */
void measure_movement_part(struct measure_movement *from, const struct measure_movement *part);

/* Year, month and day of a day counted from 1970. Source: H. Hinnant, civil_from_days. */
void measure_civil(int64_t days, int *year, int *month, int *day);
/* The same day of the month so many months later, or the last of a shorter one. False beyond the
 * years that a date can have. */
bool measure_months_later(int64_t at_ms, int months, int64_t *later_ms);
/* The longest period that anything is measured over. */
#define MEASURE_MONTHS_MAX 1200
/* BAD_FIELD of `to` unless the period ends after it starts, and within MEASURE_MONTHS_MAX. */
bool measure_period_check(int64_t from_ms, int64_t to_ms, struct proto_fault *fault);

#endif
