/* SPDX-License-Identifier: Apache-2.0 */
/* One request payload, decoded and validated by the operation's table of fields (field.def): types,
 * presence, bounds, duplicates, UTF-8, trailing bytes. Unknown keys are checked for form and passed
 * over. An empty payload (0 bytes) counts as an empty map. Ownership: args point into the payload.
 * Threads: pure. Cost: about 25 ns for {"id": …}, 85 ns for six fields. */
#ifndef PROTO_REQUEST_H
#define PROTO_REQUEST_H

#include "proto/reader.h"

struct proto_arg {
    bool present;
    union {
        struct proto_span text;  /* PROTO_TEXT, PROTO_BYTES */
        uint64_t uint;           /* PROTO_UINT */
        int64_t integer;         /* PROTO_INT */
        double number;           /* PROTO_NUMBER */
        bool flag;               /* PROTO_FLAG */
        struct proto_span value; /* PROTO_TEXTS, PROTO_LIST, PROTO_MAP, PROTO_ANY: whole encoded
                                  * value, already checked by proto_read_any */
    };
};

struct proto_request {
    const struct proto_op_info *op;
    uint64_t deadline_ms; /* 0 = none */
    uint64_t min_seq;     /* 0 = none */
    uint64_t max_age_ms;  /* UINT64_MAX = any */
    bool staleness;
    struct proto_arg args[PROTO_ARGS_MAX]; /* by position within the operation, PROTO_Q_* */
};

/* Fills request->args up to op->request_count; those beyond are not touched. Errors: BAD_PAYLOAD
 * (not one well-formed map), MISSING_FIELD, BAD_FIELD, DUPLICATE_KEY, TOO_LARGE; the fault's field
 * is the way to what is at fault. nil is a value of the wrong type, not a field left out. */
bool proto_request_decode(const struct proto_op_info *op, struct proto_span payload,
                          struct proto_request *request, struct proto_fault *fault);

/* The same against any table of fields, for replies (client) and nested maps such as one lead. The
 * members of common.def are not special here. `args` has room for `count`. */
bool proto_fields_decode(const struct proto_field_info *fields, size_t count,
                         struct proto_span payload, struct proto_arg *args,
                         struct proto_fault *fault);

/* The same of a value within one that was decoded before, and so read whole: what is nested in it
 * is not read again. */
bool proto_members_decode(const struct proto_field_info *fields, size_t count,
                          struct proto_span map, struct proto_arg *args, struct proto_fault *fault);

/* Decodes the payload of an error reply into *reply. False: the payload itself is bad, *fault
 * tells. */
bool proto_fault_decode(struct proto_span payload, struct proto_fault *reply,
                        struct proto_fault *fault);

#endif
