/* SPDX-License-Identifier: Apache-2.0 */
/* A cell is found by the place of the highest bit and the five bits behind it. */
#include "client/router/router_stats.h"

enum { BITS = 5, PARTS = 1 << BITS };

static size_t cell_of(uint64_t us)
{
    if (us < PARTS) {
        return (size_t)us;
    }
    unsigned high = 63U - (unsigned)__builtin_clzll(us);
    return (size_t)(high - BITS + 1) * PARTS + (size_t)((us >> (high - BITS)) - PARTS);
}

static uint64_t cell_begin(size_t cell)
{
    size_t power = cell / PARTS;
    return power == 0 ? cell : (uint64_t)(cell % PARTS + PARTS) << (power - 1);
}

void router_stats_time(struct router_stats *stats, uint64_t us)
{
    stats->cells[cell_of(us)]++;
    stats->timed++;
}

uint64_t router_stats_percentile(const struct router_stats *stats, double share)
{
    const size_t count = sizeof stats->cells / sizeof *stats->cells;
    uint64_t seen = 0;
    for (size_t i = 0; i < count && stats->timed > 0; i++) {
        seen += stats->cells[i];
        if ((double)seen >= share * (double)stats->timed) {
            return cell_begin(i + 1) - 1;
        }
    }
    return 0;
}
