/* SPDX-License-Identifier: Apache-2.0 */
#include "proto/table.h"

#include <assert.h>
#include <string.h>

#include "proto/column.h"

/* Each OP line of field.def closes the array before it and opens that of its operation. An array
 * starts with a sentinel, so that an operation without fields still has one; the fields begin at
 * index 1. An operation of op.def without an OP line has no array and does not compile. */
#define FIELD(OP, name, type, presence, ...)                                                       \
    ,                                                                                              \
    {                                                                                              \
        PROTO_OP_##OP, name, sizeof(name) - 1, PROTO_##type, PROTO_##presence, __VA_ARGS__         \
    }

static const struct proto_field_info request_first[] __attribute__((unused)) = {{0}
#define OP(NAME)                                                                                   \
    }                                                                                              \
    ;                                                                                              \
    static const struct proto_field_info request_##NAME[] = {{0}
#define Q(OP, NAME, name, type, presence, low, high, otherwise, unit, help)                        \
    FIELD(OP, name, type, presence, COLUMN_RULE(low, high, otherwise, #low, #high), unit, help)
#define A(OP, NAME, name, type, presence, unit, help)
#include "proto/field.def"
#undef OP
#undef Q
#undef A
};

static const struct proto_field_info reply_first[] __attribute__((unused)) = {{0}
#define OP(NAME)                                                                                   \
    }                                                                                              \
    ;                                                                                              \
    static const struct proto_field_info reply_##NAME[] = {{0}
#define Q(OP, NAME, name, type, presence, low, high, otherwise, unit, help)
#define A(OP, NAME, name, type, presence, unit, help)                                              \
    FIELD(OP, name, type, presence, COLUMN_NO_RULE, unit, help)
#include "proto/field.def"
#undef OP
#undef Q
#undef A
};
#undef FIELD

#define FIELD_COUNT(array) (sizeof(array) / sizeof((array)[0]) - 1)

#define X(opcode, NAME, name, lane, role, retry, help)                                             \
    static_assert(FIELD_COUNT(request_##NAME) <= PROTO_ARGS_MAX, "request of " name);              \
    static_assert(FIELD_COUNT(reply_##NAME) <= PROTO_ARGS_MAX, "reply of " name);                  \
    static_assert((opcode) > 0 && (opcode) <= 255, "an opcode is one byte and not 0: " name);
#include "proto/op.def"
#undef X

/* Position of each operation and error in its array, for the look-ups by code. */
enum op_position {
#define X(opcode, NAME, name, lane, role, retry, help) OP_AT_##NAME,
#include "proto/op.def"
#undef X
    OP_COUNT
};

enum error_position {
#define X(code, NAME, name, retryable, text) ERROR_AT_##NAME,
#include "proto/error.def"
#undef X
    ERROR_COUNT
};

static const struct proto_op_info ops[] = {
#define X(opcode, NAME, name, lane, role, retry, help)                                             \
    {PROTO_OP_##NAME,     name,                                                                    \
     PROTO_LANE_##lane,   PROTO_ROLE_##role,                                                       \
     PROTO_RETRY_##retry, help,                                                                    \
     request_##NAME + 1,  FIELD_COUNT(request_##NAME),                                             \
     reply_##NAME + 1,    FIELD_COUNT(reply_##NAME)},
#include "proto/op.def"
#undef X
};

static const struct proto_op_info *const ops_by_code[256] = {
#define X(opcode, NAME, name, lane, role, retry, help) [opcode] = &ops[OP_AT_##NAME],
#include "proto/op.def"
#undef X
};

static const struct proto_error_info errors[] = {
#define X(code, NAME, name, retryable, text) {PROTO_##NAME, name, retryable, text},
#include "proto/error.def"
#undef X
};

static const struct proto_error_info *const errors_by_code[256] = {
#define X(code, NAME, name, retryable, text) [code] = &errors[ERROR_AT_##NAME],
#include "proto/error.def"
#undef X
};

static const struct proto_limit_info limits[] = {
#define X(NAME, name, value, unit, reason) {name, value, unit, reason},
#include "proto/limit.def"
#undef X
};

static const struct proto_limit_info patience[] = {
#define X(NAME, name, value, unit, reason) {name, value, unit, reason},
#include "proto/patience.def"
#undef X
};

/* PROTO_OP_HELLO stands in for "no operation": an error reply has the same shape in all of them. */
static const struct proto_field_info fault_fields[] = {
#define F(NAME, name, type, presence, help)                                                        \
    {PROTO_OP_HELLO,                                                                               \
     name,                                                                                         \
     sizeof(name) - 1,                                                                             \
     PROTO_##type,                                                                                 \
     PROTO_##presence,                                                                             \
     COLUMN_NO_RULE,                                                                               \
     "",                                                                                           \
     help},
#include "proto/fault.def"
#undef F
};

const struct proto_op_info *proto_op_find(uint8_t opcode)
{
    return ops_by_code[opcode];
}

const struct proto_op_info *proto_op_find_name(const char *name)
{
    for (size_t i = 0; i < OP_COUNT; i++) {
        if (strcmp(ops[i].name, name) == 0) {
            return &ops[i];
        }
    }
    return NULL;
}

const struct proto_error_info *proto_error_find(unsigned code)
{
    const struct proto_error_info *info = code < 256 ? errors_by_code[code] : NULL;
    return info != NULL ? info : errors_by_code[PROTO_INTERNAL];
}

const struct proto_op_info *proto_ops(size_t *count)
{
    *count = OP_COUNT;
    return ops;
}

const struct proto_error_info *proto_errors(size_t *count)
{
    *count = ERROR_COUNT;
    return errors;
}

const struct proto_limit_info *proto_limits(size_t *count)
{
    *count = sizeof(limits) / sizeof(limits[0]);
    return limits;
}

const struct proto_limit_info *proto_patience(size_t *count)
{
    *count = sizeof(patience) / sizeof(patience[0]);
    return patience;
}

const struct proto_field_info *proto_fault_fields(size_t *count)
{
    *count = sizeof(fault_fields) / sizeof(fault_fields[0]);
    return fault_fields;
}

const char *proto_role_name(enum proto_role role)
{
    switch (role) {
    case PROTO_ROLE_NONE:
        return "none";
    case PROTO_ROLE_METRICS:
        return "metrics";
    case PROTO_ROLE_SCORE:
        return "score";
    case PROTO_ROLE_READ:
        return "read";
    case PROTO_ROLE_WRITE:
        return "write";
    case PROTO_ROLE_ADMIN:
        return "admin";
    }
    return "unknown";
}

const char *proto_type_name(enum proto_type type)
{
    switch (type) {
    case PROTO_TEXT:
        return "text";
    case PROTO_JSON:
        return "json";
    case PROTO_UINT:
        return "uint";
    case PROTO_INT:
        return "int";
    case PROTO_NUMBER:
        return "number";
    case PROTO_FLAG:
        return "flag";
    case PROTO_BYTES:
        return "bytes";
    case PROTO_TEXTS:
        return "texts";
    case PROTO_LIST:
        return "list";
    case PROTO_MAP:
        return "map";
    case PROTO_ANY:
        return "any";
    }
    return "unknown";
}

const char *proto_lane_name(enum proto_lane lane)
{
    switch (lane) {
    case PROTO_LANE_INLINE:
        return "inline";
    case PROTO_LANE_WRITE:
        return "write";
    case PROTO_LANE_SCAN:
        return "scan";
    case PROTO_LANE_SEARCH:
        return "search";
    case PROTO_LANE_MEASURE:
        return "measure";
    case PROTO_LANE_QUERY:
        return "query";
    case PROTO_LANE_JOB:
        return "job";
    }
    return "unknown";
}
