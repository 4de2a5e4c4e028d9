/* SPDX-License-Identifier: Apache-2.0 */
/* How fast something may happen: so many a second, and so many at once. Kept as one number, the
 * time at which all that was taken is paid off, so that a bucket needs no timer and no lock.
 *
 * Shapes and units: a rate of 0 a second is no limit; `burst` is what may be taken at once after a
 * rest. What is larger than the burst passes when nothing is owed and is then paid off, so that a
 * request is delayed and never made impossible. Times are nanoseconds of one monotonic clock.
 * Errors: none. Threads: any. Cost: one exchange of a word.
 * Source: the generic cell rate algorithm, ITU-T I.371. */
#ifndef AUTH_TOKEN_BUCKET_H
#define AUTH_TOKEN_BUCKET_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

/* Most of a rate and of a burst, so that no product below leaves 64 bits. */
#define AUTH_RATE_MAX UINT64_C(1000000000)

struct auth_rate {
    uint64_t per_s; /* 0: no limit */
    uint64_t burst; /* 1 … AUTH_RATE_MAX */
};

struct auth_bucket {
    _Atomic uint64_t paid_ns; /* when nothing will be owed; 0 at first */
};

/* Takes `amount` (at most AUTH_RATE_MAX) if the rate allows it now; else *wait_ns says in how long
 * it would. */
bool auth_bucket_take(struct auth_bucket *bucket, const struct auth_rate *rate, uint64_t amount,
                      uint64_t now_ns, uint64_t *wait_ns);
/* Gives back what was taken in vain. */
void auth_bucket_return(struct auth_bucket *bucket, const struct auth_rate *rate, uint64_t amount);

#endif
