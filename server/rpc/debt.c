/* SPDX-License-Identifier: Apache-2.0 */
/* Two words that outlive the connection they speak of. */
#include "server/rpc/debt.h"

#include <stdlib.h>

struct rpc_debt *rpc_debt_create(bool owes)
{
    struct rpc_debt *debt = malloc(sizeof *debt);
    if (debt) {
        atomic_init(&debt->references, 1);
        atomic_init(&debt->owes, owes);
    }
    return debt;
}

struct rpc_debt *rpc_debt_retain(struct rpc_debt *debt)
{
    atomic_fetch_add_explicit(&debt->references, 1, memory_order_relaxed);
    return debt;
}

void rpc_debt_release(struct rpc_debt *debt)
{
    if (debt && atomic_fetch_sub_explicit(&debt->references, 1, memory_order_acq_rel) == 1) {
        free(debt);
    }
}
