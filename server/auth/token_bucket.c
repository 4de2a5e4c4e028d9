/* SPDX-License-Identifier: Apache-2.0 */
/* Taking moves the time of payment on by what it costs, unless that would lie further ahead than
 * the burst. */
#include "server/auth/token_bucket.h"

static uint64_t cost_ns(const struct auth_rate *rate, uint64_t amount)
{
    return amount * UINT64_C(1000000000) / rate->per_s;
}

bool auth_bucket_take(struct auth_bucket *bucket, const struct auth_rate *rate, uint64_t amount,
                      uint64_t now_ns, uint64_t *wait_ns)
{
    if (rate->per_s == 0) {
        return true;
    }
    uint64_t cost = cost_ns(rate, amount);
    uint64_t most = cost_ns(rate, rate->burst);
    uint64_t paid = atomic_load_explicit(&bucket->paid_ns, memory_order_relaxed);
    uint64_t until;
    do {
        until = (paid > now_ns ? paid : now_ns) + cost;
        if (paid > now_ns && until - now_ns > most) {
            /* Either it fits the burst then, or nothing is owed any more. */
            uint64_t fits = until - now_ns - most;
            uint64_t rests = paid - now_ns;
            *wait_ns = fits < rests ? fits : rests;
            return false;
        }
    } while (!atomic_compare_exchange_weak_explicit(&bucket->paid_ns, &paid, until,
                                                    memory_order_relaxed, memory_order_relaxed));
    return true;
}

void auth_bucket_return(struct auth_bucket *bucket, const struct auth_rate *rate, uint64_t amount)
{
    if (rate->per_s > 0) {
        atomic_fetch_sub_explicit(&bucket->paid_ns, cost_ns(rate, amount), memory_order_relaxed);
    }
}
