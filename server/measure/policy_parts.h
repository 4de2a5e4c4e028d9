/* SPDX-License-Identifier: Apache-2.0 */
/* What the two readers of a policy document share: policy_read.c the document, policy_condition.c
 * its conditions. Ownership: borrows. Errors: BAD_DOCUMENT with the member in field; the place in
 * the text is put to it at the end. Threads: pure. */
#ifndef MEASURE_POLICY_PARTS_H
#define MEASURE_POLICY_PARTS_H

#include "server/feature/json_text.h"
#include "server/measure/policy.h"

/* A text that is there and not empty. */
bool measure_policy_text(const json_t *object, const char *name, struct proto_span *text,
                         struct proto_fault *fault);
bool measure_policy_wait(const json_t *object, const char *name, struct measure_wait *wait,
                         struct proto_fault *fault);
/* "outcome:won" or "outcome". */
bool measure_policy_match(struct proto_span text, const char *name, struct measure_match *match,
                          struct proto_fault *fault);
bool measure_policy_condition(const json_t *object, struct measure_policy *policy,
                              struct measure_condition *condition, struct proto_fault *fault);

#endif
