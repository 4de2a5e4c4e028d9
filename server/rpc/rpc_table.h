/* SPDX-License-Identifier: Apache-2.0 */
/* The typed table of a measure in a reply: a list for each row, a value for each column by its
 * kind, nil where a figure is not defined. Ownership: borrows. Errors: the writer's. Threads: any.
 */
#ifndef RPC_RPC_TABLE_H
#define RPC_RPC_TABLE_H

#include "proto/writer.h"
#include "server/measure/measure.h"

void rpc_table_rows(struct proto_writer *out, const struct measure_table *table);

#endif
