/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/slots.h"

#include <stdlib.h>

static int compare(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

void engine_slots_sort(uint32_t *slots, size_t count)
{
    if (count > 1) {
        qsort(slots, count, sizeof *slots, compare);
    }
}

size_t engine_slots_unique(uint32_t *slots, size_t count)
{
    size_t kept = 0;
    engine_slots_sort(slots, count);
    for (size_t i = 0; i < count; i++) {
        if (kept == 0 || slots[kept - 1] != slots[i]) {
            slots[kept++] = slots[i];
        }
    }
    return kept;
}

bool engine_slots_has(const uint32_t *ascending, size_t count, uint32_t slot)
{
    return count > 0 && bsearch(&slot, ascending, count, sizeof slot, compare) != NULL;
}
