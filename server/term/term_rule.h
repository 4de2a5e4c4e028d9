/* SPDX-License-Identifier: Apache-2.0 */
/* What each act may say, and what it does to a plan (term_act.def). Ownership: borrows. Errors: as
 * term_plan.h. Threads: one a plan. Cost: as term_plan.h. */
#ifndef TERM_TERM_RULE_H
#define TERM_TERM_RULE_H

#include "server/term/term_plan.h"

/* Checks the body against the act and the state and changes the terms; number: of the entry. */
bool term_rule_apply(struct term_plan *plan, const char *act, const json_t *body, uint32_t number,
                     struct proto_fault *fault);

#endif
