/* SPDX-License-Identifier: Apache-2.0 */
/* The cuts are read off a sorted copy; memory for it can run out. */
#include "server/measure/tenth.h"

#include <stdlib.h>
#include <string.h>

#include "server/math/order.h"

bool measure_tenths(const int64_t *raws, size_t count, uint32_t *tenths, struct proto_fault *fault)
{
    int64_t *sorted = malloc((count + 1) * sizeof *sorted);
    if (sorted == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu scores", count);
    }
    if (count > 0) {
        memcpy(sorted, raws, count * sizeof *sorted);
        math_sort_i64(sorted, count);
    }
    for (size_t i = 0; i < count; i++) {
        uint32_t tenth = 0;
        while (tenth + 1 < MEASURE_TENTHS &&
               raws[i] >= sorted[count * ((size_t)tenth + 1) / MEASURE_TENTHS]) {
            tenth++;
        }
        tenths[i] = tenth;
    }
    free(sorted);
    return true;
}
