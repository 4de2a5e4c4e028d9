/* SPDX-License-Identifier: Apache-2.0 */
/* Rows go into a matcher, then every account twice. A walk that is cancelled, or comes to a damaged
 * record, ends it: half of the accounts would be a wrong answer. */
#include "server/listing/listing_match.h"

struct pass {
    struct engine_worker *worker;
    struct listing_match *match;
    bool offers; /* the second one */
};

static struct proto_span text_of(const struct feature_record *record,
                                 const struct feature_field *field)
{
    struct feature_value value;
    bool has =
        field && feature_record_value(record, field->id, &value) && value.type == FEATURE_CATEGORY;
    return has ? value.text : proto_span_text("");
}

static bool account_see(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct pass *pass = context;
    struct listing_match *match = pass->match;
    struct feature_record record;
    struct identity_name name;
    (void)raw;
    if (!engine_record(pass->worker, slot, &record, fault)) {
        return false;
    }
    if (!identity_name_normal(text_of(&record, match->name), &name)) {
        return true;
    }
    if (pass->offers) {
        identity_matcher_offer(match->matcher, slot, &name, text_of(&record, match->country));
    } else {
        identity_matcher_count(match->matcher, &name);
        match->named++;
    }
    return true;
}

static bool pass_run(struct pass *pass, const struct engine_job *job, struct proto_fault *fault)
{
    struct engine_walk walk = {
        .worker = pass->worker, .job = job, .context = pass, .each = account_see};
    return engine_walk(&walk, fault);
}

bool listing_match(struct engine_worker *worker, const struct engine_job *job,
                   struct listing_match *match, struct proto_fault *fault)
{
    struct pass pass = {.worker = worker, .match = match};
    match->named = 0;
    match->matcher = identity_matcher_create((size_t)engine_worker_accounts(worker),
                                             match->row_count, match->candidates, fault);
    if (!match->matcher) {
        return false;
    }
    for (size_t i = 0; i < match->row_count; i++) {
        identity_matcher_row(match->matcher, match->rows[i].name, match->rows[i].country);
    }
    bool ok = pass_run(&pass, job, fault) && identity_matcher_index(match->matcher, fault);
    pass.offers = true;
    ok = ok && pass_run(&pass, job, fault);
    if (!ok) {
        identity_matcher_destroy(match->matcher);
        match->matcher = NULL;
        return false;
    }
    identity_matcher_end(match->matcher);
    return true;
}
