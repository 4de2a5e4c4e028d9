/* SPDX-License-Identifier: Apache-2.0 */
/* Writing members of the maps that stand in replies: a name and a value of the type that shape.def
 * gives it, so that no name of the wire stands in a handler.
 *
 *     proto_write_map(out, 2);
 *     rpc_member_uint(out, RPC_MEMBER(JOB, JOB), info->job);
 *     rpc_member_text(out, RPC_MEMBER(JOB, STATE), "running");
 *
 * Ownership: borrows. Errors: sticky in the writer; another type than the table's is a bug and
 * asserted. Threads: as the writer. Cost: that of the name and the value. */
#ifndef RPC_MEMBER_H
#define RPC_MEMBER_H

#include "proto/shape.h"
#include "proto/writer.h"

#define RPC_MEMBER(SHAPE, NAME)                                                                    \
    (&proto_shape_info(PROTO_SHAPE_##SHAPE)->members[PROTO_M_##SHAPE##_##NAME])

/* The name alone: the caller writes the value. */
void rpc_member(struct proto_writer *out, const struct proto_field_info *member);
void rpc_member_uint(struct proto_writer *out, const struct proto_field_info *member,
                     uint64_t value);
void rpc_member_int(struct proto_writer *out, const struct proto_field_info *member, int64_t value);
void rpc_member_number(struct proto_writer *out, const struct proto_field_info *member,
                       double value);
void rpc_member_flag(struct proto_writer *out, const struct proto_field_info *member, bool value);
void rpc_member_text(struct proto_writer *out, const struct proto_field_info *member,
                     const char *value);
void rpc_member_str(struct proto_writer *out, const struct proto_field_info *member,
                    struct proto_span value);

#endif
