/* SPDX-License-Identifier: Apache-2.0 */
/* What icpd is told of a decision, while it is put together.
 *
 * Ownership: texts are borrowed; router_told_keep copies. Errors: NULL is no memory. Threads: pure.
 */
#ifndef ROUTER_TOLD_H
#define ROUTER_TOLD_H

#include "client/router/router_decision.h"

struct router_told {
    const char *id, *person, *account, *key; /* "" where there is none */
    const char *rule, *way, *segment, *matched;
    char grade[2];
    double p, fit;
    int64_t at_ms, icp;
    bool is_default;
    char candidates[ROUTER_LABEL_BYTES_MAX + 1]; /* each with a blank before it */
    size_t candidate_bytes;
};

/* One more of those who were free; what a label has no room for is left out. */
void router_told_candidate(struct router_told *told, const char *name);
/* The decision of that text; one holder, the caller. */
struct router_decision *router_told_keep(const struct router_told *told, const char *text,
                                         size_t bytes);

#endif
