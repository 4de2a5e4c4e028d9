/* SPDX-License-Identifier: Apache-2.0 */
/* What every file of the store asks of it: its clock, and telling of damage. */
#include <time.h>

#include "server/store/store_parts.h"

uint64_t store_clock_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

void store_damage(struct store *store, const struct proto_fault *fault)
{
    /* Read a million times, one damaged row must not fill the log: the first few, then each
     * doubling. */
    uint64_t found = atomic_fetch_add(&store->figures.corrupt_found, 1) + 1;
    if (found <= 16 || (found & (found - 1)) == 0) {
        base_log(store->options.log, BASE_LOG_ERROR, "store", "damage was found",
                 BASE_FIELDS(base_field_error(fault->code), base_field_text("what", fault->message),
                             base_field_uint("found", found)));
    }
}
