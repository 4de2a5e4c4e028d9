/* SPDX-License-Identifier: Apache-2.0 */
/* Which host is worth an attempt. Happy path: all are, in the order of the URI. One that failed is
 * passed over for a while, longer each time, as long as there is another that is not: a machine
 * that is gone takes no answer away from those that are there, but for one attempt in a while.
 * Failure path: all have failed of late, and then the order is as if none had. */
#include <assert.h>

#include "client/core.h"

int64_t client_random_below(struct client_core *core, int64_t bound)
{
    /* SplitMix64 (Steele, Lea and Flood 2014): spreads attempts of many clients, nothing more. */
    uint64_t x = core->random += UINT64_C(0x9E3779B97F4A7C15);
    x = (x ^ (x >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94D049BB133111EB);
    x ^= x >> 31;
    return bound <= 1 ? 0 : (int64_t)(x % (uint64_t)bound);
}

void client_host_failed(struct client_core *core, struct client_host *host, int64_t now_ms)
{
    int64_t cool_ms = PROTO_HOST_COOL_MS_FIRST;
    for (unsigned i = 0; i < host->failures && cool_ms < PROTO_HOST_COOL_MS_MAX; i++) {
        cool_ms *= 2;
    }
    cool_ms = cool_ms < PROTO_HOST_COOL_MS_MAX ? cool_ms : PROTO_HOST_COOL_MS_MAX;
    host->failures++;
    /* Half of it by chance, so that many clients do not come back in one moment. */
    host->cool_ms = now_ms + cool_ms / 2 + client_random_below(core, cool_ms / 2 + 1);
}

void client_host_worked(struct client_host *host)
{
    host->failures = 0;
    host->cool_ms = 0;
}

size_t client_host_after(const struct client_core *core, size_t host, int64_t now_ms)
{
    assert(core->host_count > 0); /* an address names one at least */
    for (size_t step = 1; step <= core->host_count; step++) {
        size_t next = (host + step) % core->host_count;
        if (core->hosts[next].cool_ms <= now_ms) {
            return next;
        }
    }
    return (host + 1) % core->host_count;
}
