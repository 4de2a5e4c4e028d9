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
 * Decisions of one turn of the loop are written together, and their leads are answered after that.
 * Leads wait for icpd up to what router_pace.h says; those beyond are worth the default at once.
 *
 * Ownership: router_work_end, then the loop runs until all handles are closed. Errors: told to the
 * lead's answer or to on_trouble. Threads: the loop's. Cost: some 25 µs a lead beside the score. */
#ifndef ROUTER_WORK_H
#define ROUTER_WORK_H

#include "client/router/router_choose.h"
#include "client/router/router_lead.h"
#include "client/router/router_pace.h"
#include "client/router/router_recent.h"
#include "client/router/router_send.h"

struct router_options {
    const char *uri, *token, *rules_path, *spool_path, *source;
    size_t spool_bytes_max;
    bool sync, dry_run;
};

/* status: as of HTTP, 200, 400 for what is no lead, 503 where it could not be kept. json is dropped
 * when it returns. */
typedef void router_answer(void *context, int status, const char *json, size_t bytes);

/* An answer that waits until its decision is written. */
struct router_held {
    struct router_decision *decision;
    router_answer *answer;
    void *context;
    uint64_t came_ns;
    enum router_way way;
    bool is_default, repeated;
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
    struct router_recent *recent;
    struct router_text text; /* used again by each decision, and by each answer */
    struct router_held *held;
    size_t held_count, held_room;
    struct router_pace pace;
    uv_prepare_t before_wait; /* of the loop, and */
    uv_check_t after_wait;    /* behind it: what was decided is written and answered */
    uint64_t turn_ns, turn_idle_ns;
    size_t turn_leads;              /* decided since then */
    size_t under_way;               /* leads that wait for their score */
    void (*on_turn)(void *context); /* answers of a turn have been given; NULL: nobody cares */
    void *turn_context;
    void (*on_trouble)(void *context, const char *message);
    void *trouble_context;
    bool closed; /* after router_work_end: nothing is left of it */
};

bool router_work_begin(struct router_work *work, uv_loop_t *loop,
                       const struct router_options *options, struct router_fault *fault);
void router_work_end(struct router_work *work);

/* Writes what was decided, and answers. */
void router_work_flush(struct router_work *work);
/* answer is called once, perhaps before this returns. dry: nothing of it is kept. */
void router_work_lead(struct router_work *work, const char *text, size_t bytes, bool dry,
                      router_answer *answer, void *context);
/* The decision of that lead if it was lately; NULL: it was not. Borrowed. */
const struct router_decision *router_work_why(const struct router_work *work, const char *id);
/* Rules as the file has them now. False with *fault: those before stay. */
bool router_work_reload(struct router_work *work, struct router_fault *fault);
/* Figures as an object; the caller drops them. */
json_t *router_work_figures(const struct router_work *work);

/* Between the parts: the answers that wait. */
bool router_held_add(struct router_work *work, const struct router_held *held,
                     struct router_fault *fault);
void router_answer_fault(struct router_work *work, router_answer *answer, void *context, int status,
                         const char *id, const struct router_fault *fault);
/* The decision's text, with one more member that is true. */
void router_answer_with(struct router_work *work, const struct router_decision *decision,
                        const char *member, router_answer *answer, void *context);

#endif
