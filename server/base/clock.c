/* SPDX-License-Identifier: Apache-2.0 */
#include "server/base/clock.h"

#include <time.h>

static uint64_t system_ns(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static int64_t system_ms(void *context)
{
    struct timespec now;
    (void)context;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

struct base_clock base_clock_system(void)
{
    return (struct base_clock){system_ns, system_ms, NULL};
}

static uint64_t manual_ns(void *context)
{
    struct base_clock_manual *manual = context;
    return atomic_load_explicit(&manual->ns, memory_order_relaxed);
}

static int64_t manual_ms(void *context)
{
    struct base_clock_manual *manual = context;
    return atomic_load_explicit(&manual->ms, memory_order_relaxed);
}

struct base_clock base_clock_manual(struct base_clock_manual *manual)
{
    return (struct base_clock){manual_ns, manual_ms, manual};
}

void base_clock_advance(struct base_clock_manual *manual, uint64_t ms)
{
    atomic_fetch_add_explicit(&manual->ns, ms * 1000000U, memory_order_relaxed);
    atomic_fetch_add_explicit(&manual->ms, (int64_t)ms, memory_order_relaxed);
}
