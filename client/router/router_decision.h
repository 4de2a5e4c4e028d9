/* SPDX-License-Identifier: Apache-2.0 */
/* A lead and its score become a decision: the object of JSON that says all that it was made of
 * (router_work.h), and beside it what icpd is told of it.
 *
 * The label of the event is at most 255 bytes, cut between characters:
 *     rest, turn; p 0.412345 fit 71.2 grade B icp 3; segment Bank; by domain; of ann bo
 *
 * Shapes: text is one line without its end. Ownership: shared by counting; who makes it holds it,
 * and lets go of it. Errors: NULL is no memory, or a line that is no decision. Threads: that of the
 * state. Cost: some 4 µs; one block of memory of some 700 bytes. */
#ifndef ROUTER_DECISION_H
#define ROUTER_DECISION_H

#include <icp.h>

#include "client/router/router_choose.h"
#include "client/router/router_lead.h"
#include "client/router/router_text.h"

enum { ROUTER_LABEL_BYTES_MAX = 255 };

struct router_decision {
    unsigned holders;
    uint32_t bytes; /* of the text */
    const char *text;
    const char *id, *person, *account, *key, *label; /* "" where there is none */
    int64_t at_ms;
    int64_t p_thousandths;
};

/* What a decision is made of. */
struct router_case {
    const struct router_rules *rules;
    struct router_state *state;
    const struct router_lead *lead;
    const struct icp_score *score;
    const char *why_default; /* NULL where icpd scored */
    uint64_t took_us;        /* since the lead came */
    bool keep;               /* the choice counts */
};

/* scratch: memory that is used again. */
struct router_decision *router_decision_make(const struct router_case *made,
                                             struct router_text *scratch,
                                             struct router_choice *choice);
/* The same from its text, which json is; the text is copied. */
struct router_decision *router_decision_read(const json_t *json, const char *text, size_t bytes);
struct router_decision *router_decision_hold(struct router_decision *decision);
void router_decision_drop(struct router_decision *decision); /* NULL is fine */

#endif
