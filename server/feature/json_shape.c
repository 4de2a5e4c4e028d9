/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the members of the shape; a list's elements are maps of the shape that it is of. */
#include "server/feature/json_shape.h"

static bool is_of_type(const json_t *value, enum proto_type type)
{
    switch (type) {
    case PROTO_TEXT:
        return json_is_string(value);
    case PROTO_UINT:
        return json_is_integer(value) && json_integer_value(value) >= 0;
    case PROTO_INT:
        return json_is_integer(value);
    case PROTO_NUMBER:
        return json_is_number(value);
    case PROTO_FLAG:
        return json_is_boolean(value);
    case PROTO_LIST:
        return json_is_array(value);
    case PROTO_MAP:
        return json_is_object(value);
    default:
        return false;
    }
}

/* NOLINTNEXTLINE(misc-no-recursion): as deep as the shapes are, two or three */
bool feature_json_is_of_shape(const json_t *map, enum proto_shape shape)
{
    const struct proto_shape_info *info = proto_shape_info(shape);
    bool good = json_is_object(map);
    for (size_t m = 0; m < info->member_count && good; m++) {
        const json_t *value = json_object_get(map, info->members[m].name);
        if (value == NULL) {
            good = info->members[m].presence == PROTO_OPTIONAL;
            continue;
        }
        good = is_of_type(value, info->members[m].type) &&
               (!json_is_object(value) || feature_json_is_of_shape(value, info->of[m]));
        for (size_t i = 0; good && json_is_array(value) && i < json_array_size(value); i++) {
            good = feature_json_is_of_shape(json_array_get(value, i), info->of[m]);
        }
    }
    return good;
}
