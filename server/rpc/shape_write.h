/* SPDX-License-Identifier: Apache-2.0 */
/* Documents that are kept in the form that they have on the wire, written as a map of a shape of
 * shape.def: what the document has of it, in its order (server/feature/json_shape.h has checked
 * it). Ownership: borrows. Errors: sticky in the writer. Threads: as the writer. Cost: a look-up a
 * member. */
#ifndef RPC_SHAPE_WRITE_H
#define RPC_SHAPE_WRITE_H

#include <jansson.h>

#include "server/rpc/rpc_member.h"

void rpc_shape_write(struct proto_writer *out, enum proto_shape shape, const json_t *map);

#endif
