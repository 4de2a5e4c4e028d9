/* SPDX-License-Identifier: Apache-2.0 */
/* Members are counted, then written; of a list every element is a map. */
#include "server/rpc/shape_write.h"

#include "server/feature/json_text.h"

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the shapes are, two or three */
static void member_put(struct proto_writer *out, const struct proto_field_info *member,
                       enum proto_shape of, const json_t *value)
{
    switch (member->type) {
    case PROTO_TEXT:
        rpc_member_str(out, member, feature_json_span(value));
        break;
    case PROTO_UINT:
        rpc_member_uint(out, member, (uint64_t)json_integer_value(value));
        break;
    case PROTO_INT:
        rpc_member_int(out, member, json_integer_value(value));
        break;
    case PROTO_FLAG:
        rpc_member_flag(out, member, json_is_true(value));
        break;
    case PROTO_MAP:
        rpc_member(out, member);
        rpc_shape_write(out, of, value);
        break;
    case PROTO_NUMBER:
        rpc_member_number(out, member, json_number_value(value));
        break;
    default:
        rpc_member(out, member);
        proto_write_array(out, json_array_size(value));
        for (size_t i = 0; i < json_array_size(value); i++) {
            rpc_shape_write(out, of, json_array_get(value, i));
        }
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as above */
void rpc_shape_write(struct proto_writer *out, enum proto_shape shape, const json_t *map)
{
    const struct proto_shape_info *info = proto_shape_info(shape);
    size_t count = 0;
    for (size_t i = 0; i < info->member_count; i++) {
        count += json_object_get(map, info->members[i].name) != NULL;
    }
    proto_write_map(out, count);
    for (size_t i = 0; i < info->member_count; i++) {
        const json_t *value = json_object_get(map, info->members[i].name);
        if (value != NULL) {
            member_put(out, &info->members[i], info->of[i], value);
        }
    }
}
