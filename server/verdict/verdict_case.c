/* SPDX-License-Identifier: Apache-2.0 */
/* Cases are put in the order of their weeks, each week's latest settlement is found, and where that
 * is not behind the day of looking all of the week waits. */
#include "server/verdict/verdict_case.h"

#include <stdlib.h>

#include "server/feature/date_text.h"

/* 1970 began on a Thursday. */
#define MONDAY_DAYS 3

const char *verdict_rival_name(unsigned rival)
{
    static const char *const names[VERDICT_RIVALS] = {"base-rate", "last-version", "by-hand"};
    return names[rival];
}

int64_t verdict_week_of(int64_t ms)
{
    int64_t days = ms / FEATURE_DAY_MS - (ms % FEATURE_DAY_MS < 0) + MONDAY_DAYS;
    int64_t week = days / 7 - (days % 7 < 0);
    return (week * 7 - MONDAY_DAYS) * FEATURE_DAY_MS;
}

static int by_moment(const void *a, const void *b)
{
    const struct verdict_case *x = *(const struct verdict_case *const *)a;
    const struct verdict_case *y = *(const struct verdict_case *const *)b;
    return (x->moment_ms > y->moment_ms) - (x->moment_ms < y->moment_ms);
}

/* The latest settlement of the week that begins at sorted[from]; *to is where the next begins. */
static int64_t week_known(struct verdict_case *const *sorted, size_t count, size_t from, size_t *to)
{
    int64_t week = verdict_week_of(sorted[from]->moment_ms);
    int64_t known = week + VERDICT_WEEK_MS;
    size_t i = from;
    for (; i < count && verdict_week_of(sorted[i]->moment_ms) == week; i++) {
        known = sorted[i]->settled_ms > known ? sorted[i]->settled_ms : known;
    }
    *to = i;
    return known;
}

bool verdict_settle(struct verdict_case *cases, size_t count, int64_t at_ms, uint64_t *open,
                    struct proto_fault *fault)
{
    struct verdict_case **sorted = calloc(count + 1, sizeof *sorted);
    *open = 0;
    if (sorted == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu cases", count);
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &cases[i];
    }
    qsort((void *)sorted, count, sizeof *sorted, by_moment);
    for (size_t from = 0, to = 0; from < count; from = to) {
        int64_t known = week_known(sorted, count, from, &to);
        bool whole = known != VERDICT_NEVER && known <= at_ms;
        for (size_t i = from; i < to; i++) {
            sorted[i]->known_ms = whole ? known : VERDICT_NEVER;
            *open += whole ? 0 : sorted[i]->count;
        }
    }
    free((void *)sorted);
    return true;
}
