/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a reply that say what an account is worth: those of score and of explain have the
 * same names and stand in the same order. Ownership: borrows. Errors: sticky in the writer.
 * Threads: as the writer. */
#ifndef RPC_EXPECTED_WRITE_H
#define RPC_EXPECTED_WRITE_H

#include "server/engine/expected.h"
#include "server/rpc/call.h"

enum { RPC_EXPECTED_MEMBERS = 6 };

/* first: the position of `value` among the members of the operation's reply. */
void rpc_expected_put(struct proto_writer *out, const struct proto_op_info *op, int first,
                      const struct engine_expected *expected);
/* Says of the map that begins at `start`, the last value that was written, that it has so many
 * members more, which the caller then writes. */
void rpc_map_grow(struct proto_writer *out, size_t start, size_t more);

#endif
