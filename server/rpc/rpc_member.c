/* SPDX-License-Identifier: Apache-2.0 */
/* Each writes the name from the table, then the value in the form that the table's type has. */
#include "server/rpc/rpc_member.h"

#include <assert.h>

void rpc_member(struct proto_writer *out, const struct proto_field_info *member)
{
    proto_write_str(out, (struct proto_span){(const uint8_t *)member->name, member->name_bytes});
}

/* ANY takes whatever there is. */
static void name_write(struct proto_writer *out, const struct proto_field_info *member,
                       enum proto_type type)
{
    assert(member->type == type || member->type == PROTO_ANY);
    rpc_member(out, member);
}

void rpc_member_uint(struct proto_writer *out, const struct proto_field_info *member,
                     uint64_t value)
{
    name_write(out, member, PROTO_UINT);
    proto_write_uint(out, value);
}

void rpc_member_int(struct proto_writer *out, const struct proto_field_info *member, int64_t value)
{
    name_write(out, member, PROTO_INT);
    proto_write_int(out, value);
}

void rpc_member_number(struct proto_writer *out, const struct proto_field_info *member,
                       double value)
{
    name_write(out, member, PROTO_NUMBER);
    proto_write_f64(out, value);
}

void rpc_member_flag(struct proto_writer *out, const struct proto_field_info *member, bool value)
{
    name_write(out, member, PROTO_FLAG);
    proto_write_bool(out, value);
}

void rpc_member_text(struct proto_writer *out, const struct proto_field_info *member,
                     const char *value)
{
    name_write(out, member, PROTO_TEXT);
    proto_write_text(out, value);
}

void rpc_member_str(struct proto_writer *out, const struct proto_field_info *member,
                    struct proto_span value)
{
    name_write(out, member, PROTO_TEXT);
    proto_write_str(out, value);
}
