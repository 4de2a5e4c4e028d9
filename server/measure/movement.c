/* SPDX-License-Identifier: Apache-2.0 */
/* Two states an account, one movement, added up. Nothing can fail. */
#include "server/measure/movement.h"

#include "server/feature/date_text.h"

enum measure_move measure_move_of(int64_t start, int64_t end, bool paid_before, int64_t *size)
{
    *size = end > start ? end - start : start - end;
    if (start == end) {
        return MEASURE_NONE;
    }
    if (start == 0) {
        return paid_before ? MEASURE_REACTIVATION : MEASURE_NEW;
    }
    if (end == 0) {
        return MEASURE_CHURN;
    }
    return end > start ? MEASURE_EXPANSION : MEASURE_CONTRACTION;
}

enum measure_move measure_movement_add(const struct measure_spells *spells, uint32_t account,
                                       int64_t from_ms, int64_t to_ms,
                                       struct measure_movement *total)
{
    bool customer_start = false;
    bool customer_end = false;
    int64_t size = 0;
    int64_t start = measure_account_at(spells, account, from_ms, &customer_start);
    int64_t end = measure_account_at(spells, account, to_ms, &customer_end);
    bool before = start == 0 && end > 0 && measure_account_before(spells, account, from_ms);
    enum measure_move move = measure_move_of(start, end, before, &size);
    total->start += start;
    total->end += end;
    total->sum[move] += size;
    total->count[move] += move != MEASURE_NONE || start > 0;
    total->customers_start += customer_start;
    total->customers_end += customer_end;
    total->customers_kept += customer_start && customer_end;
    return move;
}

void measure_movement_join(struct measure_movement *to, const struct measure_movement *from)
{
    to->start += from->start;
    to->end += from->end;
    for (int move = 0; move < MEASURE_MOVES; move++) {
        to->sum[move] += from->sum[move];
        to->count[move] += from->count[move];
    }
    to->customers_start += from->customers_start;
    to->customers_end += from->customers_end;
    to->customers_kept += from->customers_kept;
}

void measure_movement_part(struct measure_movement *from, const struct measure_movement *part)
{
    from->start -= part->start;
    from->end -= part->end;
    for (int move = 0; move < MEASURE_MOVES; move++) {
        from->sum[move] -= part->sum[move];
        from->count[move] -= part->count[move];
    }
    from->customers_start -= part->customers_start;
    from->customers_end -= part->customers_end;
    from->customers_kept -= part->customers_kept;
}

struct measure_movement measure_movement_of(const struct measure_spells *spells, int64_t from_ms,
                                            int64_t to_ms)
{
    struct measure_movement total = {0};
    for (uint32_t a = 0; a < spells->accounts; a++) {
        (void)measure_movement_add(spells, a, from_ms, to_ms, &total);
    }
    return total;
}

void measure_civil(int64_t days, int *year, int *month, int *day)
{
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t doe = z - era * 146097;
    int64_t yoe = (doe - doe / 1460 + doe / 36524 - doe / 146096) / 365;
    int64_t doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
    int64_t mp = (5 * doy + 2) / 153;
    *day = (int)(doy - (153 * mp + 2) / 5 + 1);
    *month = (int)(mp < 10 ? mp + 3 : mp - 9);
    *year = (int)(yoe + era * 400 + (*month <= 2));
}

bool measure_months_later(int64_t at_ms, int months, int64_t *later_ms)
{
    if (at_ms < FEATURE_DATE_MS_MIN || at_ms > FEATURE_DATE_MS_MAX || months > 120000 ||
        months < -120000) {
        return false;
    }
    int year = 0;
    int month = 0;
    int day = 0;
    int64_t days = at_ms / MEASURE_DAY_MS - (at_ms % MEASURE_DAY_MS < 0);
    measure_civil(days, &year, &month, &day);
    int counted = year * 12 + month - 1 + months;
    int64_t date = 0;
    bool found = false;
    for (; !found && day > 0 && counted >= 12; day--) {
        found = feature_date_of(counted / 12, counted % 12 + 1, day, &date);
    }
    *later_ms = date + (at_ms - days * MEASURE_DAY_MS);
    return found;
}

bool measure_period_check(int64_t from_ms, int64_t to_ms, struct proto_fault *fault)
{
    int64_t latest = 0;
    if (!measure_months_later(from_ms, MEASURE_MONTHS_MAX, &latest)) {
        latest = FEATURE_DATE_MS_MAX; /* of the last century that a date can be of */
    }
    return (from_ms >= FEATURE_DATE_MS_MIN && to_ms > from_ms && to_ms <= latest) ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "to",
                           "a period ends after it starts, and within %d months",
                           MEASURE_MONTHS_MAX);
}
