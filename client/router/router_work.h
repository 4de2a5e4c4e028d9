/* SPDX-License-Identifier: Apache-2.0 */
/* The way of a lead: read, scored by icpd within its deadline or worth the default, decided by the
 * rules, kept in the spool, answered. What was decided lately is answered again without a decision.
 *
 * The answer is the decision, one JSON object:
 *   id, at_ms, person (null: nobody), team, way, rule, account, key, matched (account, key, domain,
 * none: how the lead found it), p, fit, grade, icp, default, why_default, segment, territory,
 * candidates (who was free), barred {who: why}, took_us; repeated: it was decided before; dry:
 * nothing of it is kept.
 *
 * Ownership: router_work_end, then the loop runs until all handles are closed. Errors: told to the
 * lead's answer or to on_trouble. Threads: the loop's. Cost: some 20 µs a lead beside the score. */
#ifndef ROUTER_WORK_H
#define ROUTER_WORK_H

#include "client/router/router_choose.h"
#include "client/router/router_lead.h"
#include "client/router/router_send.h"

struct router_options {
    const char *uri, *token, *rules_path, *spool_path, *source;
    size_t spool_bytes_max;
    bool sync, dry_run;
};

struct router_work {
    struct router_options options;
    uv_loop_t *loop;
    struct icp_uv client;
    struct router_rules *rules;
    struct router_state *state;
    struct router_spool *spool; /* NULL: dry run */
    struct router_send send;
    struct router_stats stats;
    struct icp_payload *values;
    json_t *recent;    /* decisions by id of the lead */
    char **recent_ids; /* the oldest is at recent_next once it is full */
    size_t recent_next;
    size_t under_way; /* leads that wait for their score */
    void (*on_trouble)(void *context, const char *message);
    void *trouble_context;
    bool closed; /* after router_work_end: nothing is left of it */
};

/* status: as of HTTP, 200, 400 for what is no lead, 503 where it could not be kept. */
typedef void router_answer(void *context, int status, const json_t *answer);

bool router_work_begin(struct router_work *work, uv_loop_t *loop,
                       const struct router_options *options, struct router_fault *fault);
void router_work_end(struct router_work *work);

/* answer is called once, perhaps before this returns. dry: nothing of it is kept. */
void router_work_lead(struct router_work *work, const char *text, size_t bytes, bool dry,
                      router_answer *answer, void *context);
/* The decision of that lead if it was lately; NULL: it was not. Borrowed. */
const json_t *router_work_why(const struct router_work *work, const char *id);
/* Rules as the file has them now. False with *fault: those before stay. */
bool router_work_reload(struct router_work *work, struct router_fault *fault);
/* Figures; the caller drops them. */
json_t *router_work_figures(const struct router_work *work);

#endif
