/* SPDX-License-Identifier: Apache-2.0 */
/* The members of what stands in lists and maps of requests and replies, made from shape.def: to
 * decode by, and for the reference page. Everything here is immutable and safe from any thread. */
#ifndef PROTO_SHAPE_H
#define PROTO_SHAPE_H

#include "proto/table.h"

/* PROTO_SHAPE_<NAME>; PROTO_SHAPE_NONE is 0. */
enum proto_shape {
#define SHAPE(NAME, name, help) PROTO_SHAPE_##NAME,
#define M(SHAPE, NAME, name, type, presence, of, low, high, otherwise, unit, help)
#define ON(side, OP, NAME, SHAPE)
#include "proto/shape.def"
#undef SHAPE
#undef M
#undef ON
    PROTO_SHAPE_COUNT
};

/* Position of each member within its shape, PROTO_M_<SHAPE>_<NAME>: each SHAPE line restarts the
 * count at 0. They index the args of proto_fields_decode. */
enum proto_shape_member {
#define SHAPE(NAME, name, help) PROTO_M_##NAME##_START = -1,
#define M(SHAPE, NAME, name, type, presence, of, low, high, otherwise, unit, help)                 \
    PROTO_M_##SHAPE##_##NAME,
#define ON(side, OP, NAME, SHAPE)
#include "proto/shape.def"
#undef SHAPE
#undef M
#undef ON
};

struct proto_shape_info {
    const char *name;
    const char *help;
    const struct proto_field_info *members; /* member_count entries; their `op` means nothing */
    const enum proto_shape *of; /* shape of each member, PROTO_SHAPE_NONE if it has none */
    size_t member_count;
};

const struct proto_shape_info *proto_shape_info(enum proto_shape shape);
/* The shape of a field of the operation's request or reply: of its elements if it is a list. */
enum proto_shape proto_shape_of(const struct proto_op_info *op, bool reply, size_t field);

#endif
