/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/tal_select.h"

#include <stdlib.h>

#include "server/engine/tal_part.h"

enum { ACCOUNTS_PER_ASKING = 256 };

/* A selection under way. */
struct choice {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct engine_tal_request *request;
    struct engine_tal_selection *selection;
    struct engine_ranking ranking;
    struct engine_tal_parts segments, owners;
    struct engine_tal_quota quota;
    uint32_t *excluded;
    size_t excluded_count;
};

const char *engine_tal_why_text(enum engine_tal_why why)
{
    switch (why) {
    case ENGINE_TAL_ASSIGNED:
        return "assigned";
    case ENGINE_TAL_NO_TERRITORY:
        return "in no owner's territory";
    case ENGINE_TAL_NO_CAPACITY:
        return "every owner of its territory is at capacity";
    }
    return "";
}

static int compare_slots(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool each_match(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct choice *choice = context;
    if (choice->excluded_count > 0 &&
        bsearch(&slot, choice->excluded, choice->excluded_count, sizeof slot, compare_slots)) {
        choice->selection->excluded++;
        return true;
    }
    return engine_ranking_add(&choice->ranking, slot, raw, fault);
}

/* The first segment that has it and has room; ENGINE_TAL_NONE if none does. */
static size_t segment_of(struct choice *choice, const struct engine_ranked *account)
{
    for (size_t i = 0; i < choice->segments.count; i++) {
        if (choice->selection->segment_counts[i] < choice->request->segments[i].limit &&
            engine_tal_part_has(&choice->segments, i, account)) {
            return i;
        }
    }
    return ENGINE_TAL_NONE;
}

static void assign(struct choice *choice, struct engine_tal_pick *pick)
{
    const struct engine_tal_part *owners = choice->request->owners;
    size_t *counts = choice->selection->owner_counts;
    uint64_t most = 0;
    pick->owner = ENGINE_TAL_NONE;
    pick->why = choice->owners.count > 0 ? ENGINE_TAL_NO_TERRITORY : ENGINE_TAL_ASSIGNED;
    for (size_t i = 0; i < choice->owners.count; i++) {
        uint64_t left = owners[i].limit - counts[i];
        if ((left <= most && pick->why != ENGINE_TAL_NO_TERRITORY) ||
            !engine_tal_part_has(&choice->owners, i, &pick->account)) {
            continue;
        }
        if (left > most) {
            most = left;
            pick->owner = i;
            pick->why = ENGINE_TAL_ASSIGNED;
        } else if (pick->why == ENGINE_TAL_NO_TERRITORY) {
            pick->why = ENGINE_TAL_NO_CAPACITY;
        }
    }
    if (pick->owner != ENGINE_TAL_NONE) {
        counts[pick->owner]++;
    }
    choice->selection->unassigned += pick->why != ENGINE_TAL_ASSIGNED;
}

/* Takes the account if segments and quota let it. */
static bool consider(struct choice *choice, const struct engine_ranked *account,
                     struct proto_fault *fault)
{
    struct engine_tal_selection *selection = choice->selection;
    struct engine_tal_pick *pick = &selection->picks[selection->count];
    bool plain = choice->segments.count == 0 && choice->owners.count == 0 && !choice->quota.field;
    *pick = (struct engine_tal_pick){
        .account = *account, .segment = ENGINE_TAL_NONE, .owner = ENGINE_TAL_NONE};
    if (plain) {
        selection->count++;
        return true;
    }
    if (!engine_values(choice->worker, account->slot, NULL, fault)) {
        return false;
    }
    uint64_t *taken = engine_tal_quota_count(&choice->quota, choice->worker);
    if (taken && *taken >= choice->quota.per_value) {
        return true;
    }
    if (choice->segments.count > 0) {
        pick->segment = segment_of(choice, account);
        if (pick->segment == ENGINE_TAL_NONE) {
            return true;
        }
        selection->segment_counts[pick->segment]++;
    }
    if (taken) {
        ++*taken;
    }
    assign(choice, pick);
    selection->count++;
    return true;
}

static bool choose(struct choice *choice, struct proto_fault *fault)
{
    struct engine_ranked account;
    struct proto_fault local = {0};
    for (size_t seen = 0; choice->selection->count < choice->request->k; seen++) {
        if (seen % ACCOUNTS_PER_ASKING == 0 && !engine_scan_goes_on(choice->job, fault)) {
            return false;
        }
        if (!engine_ranking_next(&choice->ranking, choice->worker, &account, &local)) {
            break;
        }
        if (!consider(choice, &account, fault)) {
            return false;
        }
    }
    if (local.code != PROTO_OK) {
        *fault = local;
    }
    return local.code == PROTO_OK;
}

static bool choice_open(struct choice *choice, struct proto_fault *fault)
{
    const struct engine_tal_request *request = choice->request;
    struct engine_tal_selection *selection = choice->selection;
    struct engine_worker *worker = choice->worker;
    if (!engine_expression_open(worker, request->filter, request->icp, true, &selection->expression,
                                fault)) {
        return false;
    }
    const struct learn_document *document = selection->expression.document;
    selection->picks = calloc(request->k + 1, sizeof *selection->picks);
    selection->segment_counts = calloc(request->segment_count + 1, sizeof(size_t));
    selection->owner_counts = calloc(request->owner_count + 1, sizeof(size_t));
    if (!selection->picks || !selection->segment_counts || !selection->owner_counts) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "k", "no memory for %zu accounts",
                               request->k);
    }
    choice->excluded = engine_tal_excluded(worker, request, &choice->excluded_count, fault);
    return choice->excluded &&
           engine_tal_quota_open(&choice->quota, worker->state->schema, request, fault) &&
           engine_tal_parts_open(&choice->segments, worker, document, request->segments,
                                 request->segment_count, "segments", fault) &&
           engine_tal_parts_open(&choice->owners, worker, document, request->owners,
                                 request->owner_count, "owners", fault);
}

bool engine_tal_select(struct engine_worker *worker, const struct engine_job *job,
                       const struct engine_tal_request *request,
                       struct engine_tal_selection *selection, struct proto_fault *fault)
{
    struct choice choice = {
        .worker = worker, .job = job, .request = request, .selection = selection};
    *selection = (struct engine_tal_selection){0};
    bool ok = choice_open(&choice, fault);
    if (ok) {
        bool plain = choice.segments.count == 0 && !choice.quota.field;
        choice.ranking.wanted = plain ? request->k : 0; /* all that are ranked are taken */
        struct engine_walk walk = {
            .worker = worker,
            .job = job,
            .filter = selection->expression.filter,
            .document = selection->expression.document,
            .context = &choice,
            .each = each_match,
        };
        ok = engine_walk(&walk, fault) && choose(&choice, fault);
        selection->matched = walk.matched;
    }
    engine_ranking_fini(&choice.ranking);
    engine_tal_parts_close(&choice.segments);
    engine_tal_parts_close(&choice.owners);
    engine_tal_quota_close(&choice.quota);
    free(choice.excluded);
    return ok;
}

void engine_tal_selection_fini(struct engine_tal_selection *selection)
{
    engine_expression_close(&selection->expression);
    free(selection->picks);
    free(selection->segment_counts);
    free(selection->owner_counts);
    *selection = (struct engine_tal_selection){0};
}
