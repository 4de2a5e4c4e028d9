/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of an explanation as a reply has them: contributions with what stands behind them and
 * the bins around them, families, changes of a grade.
 * Ownership: borrows. Errors: sticky in the writer. Threads: as the writer. Cost: some 0.5 µs a
 * bin in words. */
#ifndef RPC_EXPLAIN_WRITE_H
#define RPC_EXPLAIN_WRITE_H

#include "server/engine/explanation.h"
#include "server/rpc/call.h"

struct rpc_explain_form {
    unsigned around; /* bins on either side */
    size_t shapes;   /* of the strongest contributions, how many get them */
};

void rpc_write_contributions(struct proto_writer *out, const struct engine_explanation *explanation,
                             const struct rpc_explain_form *form);
void rpc_write_families(struct proto_writer *out, const struct engine_explanation *explanation);
void rpc_write_changes(struct proto_writer *out, const struct engine_explanation *explanation,
                       const struct engine_change *changes, size_t count);

#endif
