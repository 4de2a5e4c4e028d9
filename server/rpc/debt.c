/* SPDX-License-Identifier: Apache-2.0 */
/* A few words that outlive the connection they speak of. */
#include "server/rpc/debt.h"

#include <stdlib.h>

struct rpc_debt *rpc_debt_create(bool owes)
{
    struct rpc_debt *debt = malloc(sizeof *debt);
    if (debt) {
        atomic_init(&debt->references, 1);
        atomic_init(&debt->owes, owes);
        atomic_init(&debt->unsent, 0);
        atomic_init(&debt->ahead, 0);
    }
    return debt;
}

struct rpc_debt *rpc_debt_retain(struct rpc_debt *debt)
{
    atomic_fetch_add_explicit(&debt->references, 1, memory_order_relaxed);
    return debt;
}

void rpc_debt_post(struct rpc_debt *debt, size_t bytes)
{
    atomic_fetch_add_explicit(&debt->ahead, bytes, memory_order_relaxed);
}

void rpc_debt_look(struct rpc_debt *debt, size_t unsent)
{
    atomic_store_explicit(&debt->unsent, unsent, memory_order_relaxed);
}

/* What is unsent grows first: bytes may count twice for a moment, and never not at all. */
void rpc_debt_deliver(struct rpc_debt *debt, size_t bytes, size_t unsent)
{
    atomic_store_explicit(&debt->unsent, unsent, memory_order_release);
    size_t ahead = atomic_load_explicit(&debt->ahead, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&debt->ahead, &ahead,
                                                  ahead > bytes ? ahead - bytes : 0,
                                                  memory_order_release, memory_order_relaxed)) {
    }
}

bool rpc_debt_is_large(const struct rpc_debt *debt)
{
    size_t ahead = atomic_load_explicit(&debt->ahead, memory_order_acquire);
    return atomic_load_explicit(&debt->owes, memory_order_relaxed) ||
           ahead + atomic_load_explicit(&debt->unsent, memory_order_relaxed) > RPC_OWED_BYTES;
}

void rpc_debt_release(struct rpc_debt *debt)
{
    if (debt && atomic_fetch_sub_explicit(&debt->references, 1, memory_order_acq_rel) == 1) {
        free(debt);
    }
}
