/* SPDX-License-Identifier: Apache-2.0 */
/* Operations, fields, errors and limits as constants and as data, made from the .def tables.
 * Everything here is immutable and safe from any thread. Look-ups by code cost one indexed load. */
#ifndef PROTO_TABLE_H
#define PROTO_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define PROTO_VERSION 1
#define PROTO_PORT 4273
#define PROTO_TLS_PORT 4275

/* Error codes, PROTO_OK and PROTO_<NAME>. */
enum proto_error {
#define X(code, NAME, name, retryable, text) PROTO_##NAME = (code),
#include "proto/error.def"
#undef X
};

/* Opcodes, PROTO_OP_<NAME>. */
enum proto_op {
#define X(opcode, NAME, name, lane, role, retry, help) PROTO_OP_##NAME = (opcode),
#include "proto/op.def"
#undef X
};

/* Limits, PROTO_<NAME>. */
enum proto_limit {
#define X(NAME, name, value, unit, reason) PROTO_##NAME = (value),
#include "proto/limit.def"
#undef X
};

/* What clients wait for alike, PROTO_<NAME>. */
enum proto_patience {
#define X(NAME, name, value, unit, reason) PROTO_##NAME = (value),
#include "proto/patience.def"
#undef X
};

enum proto_lane {
    PROTO_LANE_INLINE,
    PROTO_LANE_WRITE,
    PROTO_LANE_SCAN,
    PROTO_LANE_SEARCH,
    PROTO_LANE_MEASURE,
    PROTO_LANE_QUERY,
    PROTO_LANE_JOB
};
/* What a token lets its connection do. READ, WRITE and ADMIN each hold all that stands before them;
 * METRICS and SCORE hold themselves alone: see proto_role_allows. */
enum proto_role {
    PROTO_ROLE_NONE,
    PROTO_ROLE_METRICS,
    PROTO_ROLE_SCORE,
    PROTO_ROLE_READ,
    PROTO_ROLE_WRITE,
    PROTO_ROLE_ADMIN
};
enum proto_retry { PROTO_RETRY_UNSAFE, PROTO_RETRY_SAFE };
enum proto_presence { PROTO_OPTIONAL, PROTO_REQUIRED };
enum proto_type {
    PROTO_TEXT,
    PROTO_JSON,
    PROTO_UINT,
    PROTO_INT,
    PROTO_NUMBER,
    PROTO_FLAG,
    PROTO_BYTES,
    PROTO_TEXTS,
    PROTO_LIST,
    PROTO_MAP,
    PROTO_ANY,
};

/* Position of each field within the request (PROTO_Q_<OP>_<NAME>) and the reply
 * (PROTO_A_<OP>_<NAME>) of its operation: each OP line restarts the count at 0. They index
 * proto_request.args. */
enum proto_request_field {
#define OP(NAME) PROTO_Q_##NAME##_START = -1,
#define Q(OP, NAME, name, type, presence, low, high, otherwise, unit, help) PROTO_Q_##OP##_##NAME,
#define A(OP, NAME, name, type, presence, unit, help)
#include "proto/field.def"
#undef OP
#undef Q
#undef A
};
enum proto_reply_field {
#define OP(NAME) PROTO_A_##NAME##_START = -1,
#define Q(OP, NAME, name, type, presence, low, high, otherwise, unit, help)
#define A(OP, NAME, name, type, presence, unit, help) PROTO_A_##OP##_##NAME,
#include "proto/field.def"
#undef OP
#undef Q
#undef A
};

/* Position of each key of an error reply, PROTO_F_<NAME>. */
enum proto_fault_field {
#define F(NAME, name, type, presence, help) PROTO_F_##NAME,
#include "proto/fault.def"
#undef F
    PROTO_F_COUNT
};

/* Most fields of one request or reply. */
#define PROTO_ARGS_MAX 32

struct proto_field_info {
    enum proto_op op;
    const char *name;
    size_t name_bytes;
    enum proto_type type;
    enum proto_presence presence;
    bool bounded; /* has a low or a high */
    double low;   /* as in field.def; NAN: no bound */
    double high;
    double otherwise;         /* default of a number, or of a flag (0 or 1); NAN: none */
    const char *text_default; /* of a text; NULL: none */
    const char *low_source;   /* what the table says, such as "PROTO_KEYS_MAX" */
    const char *high_source;
    const char *unit; /* perhaps "" */
    const char *help;
};

struct proto_op_info {
    enum proto_op op;
    const char *name;
    enum proto_lane lane;
    enum proto_role role;
    enum proto_retry retry;
    const char *help;
    const struct proto_field_info *request; /* request_count entries */
    size_t request_count;
    const struct proto_field_info *reply; /* reply_count entries */
    size_t reply_count;
};

struct proto_error_info {
    enum proto_error code;
    const char *name;
    bool retryable;
    const char *text;
};

struct proto_limit_info {
    const char *name;
    uint64_t value;
    const char *unit;
    const char *reason;
};

/* NULL if the opcode names no operation. */
const struct proto_op_info *proto_op_find(uint8_t opcode);
const struct proto_op_info *proto_op_find_name(const char *name);
/* Never NULL: an unknown code gives the entry of PROTO_INTERNAL. */
const struct proto_error_info *proto_error_find(unsigned code);

/* All entries in order of code; *count is set. */
const struct proto_op_info *proto_ops(size_t *count);
const struct proto_error_info *proto_errors(size_t *count);
const struct proto_limit_info *proto_limits(size_t *count);
/* Rows as those of limits. */
const struct proto_limit_info *proto_patience(size_t *count);
/* The keys of an error reply, in order of PROTO_F_*; their `op` means nothing. */
const struct proto_field_info *proto_fault_fields(size_t *count);

const char *proto_role_name(enum proto_role role);
/* Whether a connection with the role `has` may ask what needs the role `needs`. */
static inline bool proto_role_allows(enum proto_role has, enum proto_role needs)
{
    return has == needs || needs == PROTO_ROLE_NONE || (has >= PROTO_ROLE_READ && has > needs);
}
const char *proto_type_name(enum proto_type type);
const char *proto_lane_name(enum proto_lane lane);

#endif
