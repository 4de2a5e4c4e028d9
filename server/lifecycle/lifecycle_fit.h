/* SPDX-License-Identifier: Apache-2.0 */
/* How good an account is, for comparisons at equal fit: the value of a field, or its score by the
 * active ICP (or that of the request), as they are now. What is as of a moment is events.
 *
 * Ownership: _close frees, also after a failure. Errors: BAD_FIELD and LIMIT at "by", NO_ICP where
 * no field is named and no version is active, CORRUPT. Threads: one. Cost: about 1 µs an account.
 */
#ifndef LIFECYCLE_LIFECYCLE_FIT_H
#define LIFECYCLE_LIFECYCLE_FIT_H

#include "server/engine/expression.h"
#include "server/lifecycle/lifecycle_table.h"

struct lifecycle_fit {
    struct engine_worker *worker;
    const struct feature_field *by; /* NULL: by score, or nothing is known */
    struct engine_expression expression;
    struct lifecycle_names names; /* of the field's values; the first is for none */
    bool tenths;                  /* by score: `value` is to be parted into tenths */
    int64_t value;                /* of the account under way: its score, or number of a name */
};

/* known: else, without a field, every account is like every other. */
bool lifecycle_fit_open(struct lifecycle_fit *fit, struct lifecycle_run *run, bool known,
                        struct proto_fault *fault);
void lifecycle_fit_close(struct lifecycle_fit *fit);
bool lifecycle_fit_enter(struct lifecycle_fit *fit, uint32_t slot, struct proto_fault *fault);
/* The parameter "fit": score or none. */
bool lifecycle_fit_read(const struct lifecycle_request *request, bool *known,
                        struct proto_fault *fault);
/* "fit 3 of 10". */
#define LIFECYCLE_FIT_BYTES 24
void lifecycle_tenth_text(uint32_t tenth, char text[LIFECYCLE_FIT_BYTES]);

#endif
