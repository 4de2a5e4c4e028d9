/* SPDX-License-Identifier: Apache-2.0 */
/* A lead and its score become a decision that says all that it was made of.
 *
 * Ownership: the decision is the caller's. Errors: NULL is no memory. Threads: that of the state.
 * Cost: some 10 µs. */
#ifndef ROUTER_DECISION_H
#define ROUTER_DECISION_H

#include <icp.h>

#include "client/router/router_choose.h"
#include "client/router/router_lead.h"

/* why_default: NULL where icpd scored. keep: the choice counts. */
json_t *router_decision_make(const struct router_rules *rules, struct router_state *state,
                             const struct router_lead *lead, const struct icp_score *score,
                             const char *why_default, bool keep, struct router_choice *choice);

#endif
