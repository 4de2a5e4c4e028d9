/* SPDX-License-Identifier: Apache-2.0 */
/* Rules of definitions in requests and replies: maps by name, with the currency and its rates; and
 * as of when something is asked, and of which types of events. Ownership: borrows. Errors:
 * BAD_FIELD at "rules.NAME". Threads: the call's. */
#ifndef RPC_RPC_RULES_H
#define RPC_RPC_RULES_H

#include "server/lifecycle/lifecycle.h"
#include "server/rpc/call.h"

/* Lays the rules of an argument over *rules. */
bool rpc_rules_read(struct rpc_call *call, int index, struct measure_rules *rules,
                    struct proto_fault *fault);
/* Every one of them, and the currency if there is one. */
void rpc_rules_write(struct proto_writer *out, const struct measure_rules *rules);
struct lifecycle_as_of rpc_as_of(const struct rpc_call *call, int seq, int known);
/* Types of events by their names as bits, 0 where none is given; BAD_FIELD at "types[i]". */
bool rpc_event_types(struct rpc_call *call, int index, uint32_t *types, struct proto_fault *fault);

#endif
