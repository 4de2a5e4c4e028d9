/* SPDX-License-Identifier: Apache-2.0 */
/* What measure and view share: parameters of a request, columns and rows of a table.
 *
 * Ownership: parameters lie in the worker's arena, the rest borrows. Errors: BAD_FIELD with
 * "parameters.NAME", NO_MEMORY; of tables sticky in the writer. Threads: that of the call. */
#ifndef RPC_RPC_TABLE_H
#define RPC_RPC_TABLE_H

#include "server/lifecycle/lifecycle.h"
#include "server/rpc/call.h"

/* Of the argument at index. */
bool rpc_parameters_read(struct rpc_call *call, int index, struct lifecycle_request *request,
                         struct proto_fault *fault);
void rpc_table_columns(struct proto_writer *out, enum measure_id id);
void rpc_table_rows(struct proto_writer *out, const struct measure_table *table);

#endif
