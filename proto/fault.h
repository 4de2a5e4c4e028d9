/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, for a program and for a person: code, the field or place at fault, and a message
 * that says what was wrong and what would be right. The one error type of every layer.
 * Ownership: a plain value, owns nothing; texts that do not fit are cut. Threads: a value.
 * Convention: functions that can fail return bool (true = success) or a pointer (NULL = failure)
 * and fill *fault, which may not be NULL; on success *fault is left as it was. */
#ifndef PROTO_FAULT_H
#define PROTO_FAULT_H

#include <stdbool.h>

#include "proto/table.h"

struct proto_fault {
    enum proto_error code;
    char field[160];   /* e.g. "accounts[3].values.employees"; empty if no field is at fault */
    char message[512]; /* one sentence, UTF-8, without a final full stop */
    uint32_t retry_after_ms; /* of BUSY: before which it will be so again; 0: that is not known */
};

/* Fills *fault, retry_after_ms with 0; always returns false, so that `return proto_fault_set(…)`
 * reads well. */
bool proto_fault_set(struct proto_fault *fault, enum proto_error code, const char *field,
                     const char *format, ...) __attribute__((format(printf, 4, 5)));

/* Puts "prefix" (printf style) and a dot before fault->field: "values.x" → "accounts[3].values.x".
 * Returns false. */
bool proto_fault_within(struct proto_fault *fault, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

#endif
