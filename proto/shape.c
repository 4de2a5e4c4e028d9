/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/shape.h"

#include <assert.h>

#include "proto/column.h"

/* As in table.c: each SHAPE line closes the array before it and opens its own, which begins with a
 * sentinel. */
static const struct proto_field_info members_first[] __attribute__((unused)) = {{0}
#define SHAPE(NAME, name, help)                                                                    \
    }                                                                                              \
    ;                                                                                              \
    static const struct proto_field_info members_##NAME[] = {{0}
#define M(SHAPE, NAME, name, type, presence, of, low, high, otherwise, unit, help)                 \
    ,                                                                                              \
    {                                                                                              \
        PROTO_OP_HELLO, name, sizeof(name) - 1, PROTO_##type, PROTO_##presence,                    \
            COLUMN_RULE(low, high, otherwise, #low, #high), unit, help                             \
    }
#define ON(side, OP, NAME, SHAPE)
#include "proto/shape.def"
#undef SHAPE
#undef M
#undef ON
};

static const enum proto_shape of_first[] __attribute__((unused)) = {PROTO_SHAPE_NONE
#define SHAPE(NAME, name, help)                                                                    \
    }                                                                                              \
    ;                                                                                              \
    static const enum proto_shape of_##NAME[] = {PROTO_SHAPE_NONE
#define M(SHAPE, NAME, name, type, presence, of, low, high, otherwise, unit, help)                 \
    , PROTO_SHAPE_##of
#define ON(side, OP, NAME, SHAPE)
#include "proto/shape.def"
#undef SHAPE
#undef M
#undef ON
};

#define MEMBER_COUNT(array) (sizeof(array) / sizeof((array)[0]) - 1)

#define SHAPE(NAME, name, help)                                                                    \
    static_assert(MEMBER_COUNT(members_##NAME) <= PROTO_ARGS_MAX, "members of " name);
#define M(SHAPE, NAME, name, type, presence, of, low, high, otherwise, unit, help)
#define ON(side, OP, NAME, SHAPE)
#include "proto/shape.def"
#undef SHAPE
#undef M
#undef ON

static const struct proto_shape_info shapes[] = {
#define SHAPE(NAME, name, help)                                                                    \
    {name, help, members_##NAME + 1, of_##NAME + 1, MEMBER_COUNT(members_##NAME)},
#define M(SHAPE, NAME, name, type, presence, of, low, high, otherwise, unit, help)
#define ON(side, OP, NAME, SHAPE)
#include "proto/shape.def"
#undef SHAPE
#undef M
#undef ON
};

static const struct {
    enum proto_op op;
    bool reply;
    size_t field;
    enum proto_shape shape;
} places[] = {
#define SIDE_Q false
#define SIDE_A true
#define SHAPE(NAME, name, help)
#define M(SHAPE, NAME, name, type, presence, of, low, high, otherwise, unit, help)
#define ON(side, OP, NAME, SHAPE)                                                                  \
    {PROTO_OP_##OP, SIDE_##side, PROTO_##side##_##OP##_##NAME, PROTO_SHAPE_##SHAPE},
#include "proto/shape.def"
#undef SHAPE
#undef M
#undef ON
#undef SIDE_Q
#undef SIDE_A
};

const struct proto_shape_info *proto_shape_info(enum proto_shape shape)
{
    assert(shape < PROTO_SHAPE_COUNT);
    return &shapes[shape];
}

enum proto_shape proto_shape_of(const struct proto_op_info *op, bool reply, size_t field)
{
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        if (places[i].op == op->op && places[i].reply == reply && places[i].field == field) {
            return places[i].shape;
        }
    }
    return PROTO_SHAPE_NONE;
}
