/* SPDX-License-Identifier: Apache-2.0 */
/* The cuts are read off a sorted copy; memory for it can run out. */
#include "server/measure/tenth.h"

#include <stdlib.h>
#include <string.h>

#include "server/math/order.h"
#include "server/measure/long_sort.h"

int64_t *measure_ascending(const int64_t *values, size_t count, const struct measure_pace *pace,
                           struct proto_fault *fault)
{
    int64_t *sorted = malloc((count + 1) * sizeof *sorted);
    if (sorted == NULL) {
        (void)proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu journeys", count);
        return NULL;
    }
    if (count > 0) {
        memcpy(sorted, values, count * sizeof *sorted);
    }
    if (!measure_sort(sorted, count, sizeof *sorted, math_ascending_i64, pace, fault)) {
        free(sorted);
        return NULL;
    }
    return sorted;
}

bool measure_tenths(const int64_t *raws, size_t count, uint32_t *tenths,
                    const struct measure_pace *pace, struct proto_fault *fault)
{
    int64_t *sorted = measure_ascending(raws, count, pace, fault);
    for (size_t i = 0; i < count && sorted != NULL; i++) {
        uint32_t tenth = 0;
        while (tenth + 1 < MEASURE_TENTHS &&
               raws[i] >= sorted[count * ((size_t)tenth + 1) / MEASURE_TENTHS]) {
            tenth++;
        }
        tenths[i] = tenth;
    }
    free(sorted);
    return sorted != NULL;
}
