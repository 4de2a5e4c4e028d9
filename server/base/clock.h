/* SPDX-License-Identifier: Apache-2.0 */
/* Time, passed in so that tests can stand still or leap. now_ns is monotonic and starts anywhere:
 * only differences mean something. now_ms is the wall clock, milliseconds since 1970, and may jump.
 * Ownership: a value that borrows its context. Threads: the system clock is safe from any thread;
 * a manual clock belongs to one test, its reads are safe from any thread.
 * Cost: about 20 ns a call (vDSO). */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdatomic.h>
#include <stdint.h>

struct base_clock {
    uint64_t (*now_ns)(void *context);
    int64_t (*now_ms)(void *context);
    void *context;
};

/* CLOCK_MONOTONIC and CLOCK_REALTIME. */
struct base_clock base_clock_system(void);

static inline uint64_t base_clock_now_ns(const struct base_clock *clock)
{
    return clock->now_ns(clock->context);
}
static inline int64_t base_clock_now_ms(const struct base_clock *clock)
{
    return clock->now_ms(clock->context);
}

/* A clock that moves only when told to; for tests. */
struct base_clock_manual {
    _Atomic uint64_t ns;
    _Atomic int64_t ms;
};
struct base_clock base_clock_manual(struct base_clock_manual *manual);
void base_clock_advance(struct base_clock_manual *manual, uint64_t ms);

#endif
