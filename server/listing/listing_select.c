/* SPDX-License-Identifier: Apache-2.0 */
#include "server/listing/listing_select.h"
#include "server/engine/slots.h"

#include <stdlib.h>

#include "server/listing/listing_part.h"

enum { ACCOUNTS_PER_ASKING = 256 };

/* A selection under way. */
struct choice {
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct listing_request *request;
    struct listing_selection *selection;
    struct listing_ranking ranking;
    struct listing_parts segments, owners;
    struct listing_quota quota;
    uint32_t *excluded;
    size_t excluded_count;
};

const char *listing_why_text(enum listing_why why)
{
    switch (why) {
    case LISTING_ASSIGNED:
        return "assigned";
    case LISTING_NO_TERRITORY:
        return "in no owner's territory";
    case LISTING_NO_CAPACITY:
        return "every owner of its territory is at capacity";
    }
    return "";
}

static bool each_match(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct choice *choice = context;
    if (engine_slots_has(choice->excluded, choice->excluded_count, slot)) {
        choice->selection->excluded++;
        return true;
    }
    listing_sample_offer(&choice->selection->sample, slot, raw);
    return listing_ranking_add(&choice->ranking, slot, raw, fault);
}

/* The first segment that has it and has room; LISTING_NONE if none does. */
static size_t segment_of(struct choice *choice, const struct listing_ranked *account)
{
    for (size_t i = 0; i < choice->segments.count; i++) {
        if (choice->selection->segment_counts[i] < choice->request->segments[i].limit &&
            listing_part_has(&choice->segments, i, account)) {
            return i;
        }
    }
    return LISTING_NONE;
}

static void assign(struct choice *choice, struct listing_pick *pick)
{
    const struct listing_part *owners = choice->request->owners;
    size_t *counts = choice->selection->owner_counts;
    uint64_t most = 0;
    pick->owner = LISTING_NONE;
    pick->why = choice->owners.count > 0 ? LISTING_NO_TERRITORY : LISTING_ASSIGNED;
    for (size_t i = 0; i < choice->owners.count; i++) {
        uint64_t left = owners[i].limit - counts[i];
        if ((left <= most && pick->why != LISTING_NO_TERRITORY) ||
            !listing_part_has(&choice->owners, i, &pick->account)) {
            continue;
        }
        if (left > most) {
            most = left;
            pick->owner = i;
            pick->why = LISTING_ASSIGNED;
        } else if (pick->why == LISTING_NO_TERRITORY) {
            pick->why = LISTING_NO_CAPACITY;
        }
    }
    if (pick->owner != LISTING_NONE) {
        counts[pick->owner]++;
    }
    choice->selection->unassigned += pick->why != LISTING_ASSIGNED;
}

/* Keeps one that was meant and not taken; its values are in the worker's scratch where there are
 * segments. */
static bool miss(struct choice *choice, const struct listing_ranked *account)
{
    struct listing_selection *selection = choice->selection;
    bool meant = choice->segments.count == 0;
    for (size_t i = 0; !meant && i < choice->segments.count; i++) {
        meant = listing_part_has(&choice->segments, i, account);
    }
    if (meant && selection->missed_count < choice->request->k) {
        selection->missed[selection->missed_count++] = *account;
    }
    return true;
}

/* The member after the last one, all but who gets it. */
static struct listing_pick *pick_begin(struct choice *choice, const struct listing_ranked *account)
{
    const struct listing_request *request = choice->request;
    struct listing_pick *pick = &choice->selection->picks[choice->selection->count];
    *pick =
        (struct listing_pick){.account = *account, .segment = LISTING_NONE, .owner = LISTING_NONE};
    pick->held_out = request->hold_out > 0 && listing_draw_of(request->seed, account->id) <
                                                  listing_draw_bound(request->hold_out);
    return pick;
}

static void pick_end(struct listing_selection *selection, const struct listing_pick *pick)
{
    selection->held_out += pick->held_out;
    selection->count++;
}

/* Takes the account if there is room, and segments and quota let it. */
static bool consider(struct choice *choice, const struct listing_ranked *account,
                     struct proto_fault *fault)
{
    struct listing_selection *selection = choice->selection;
    bool full = selection->count == choice->request->k;
    bool plain = choice->segments.count == 0 && (full || choice->owners.count == 0) &&
                 (full || !choice->quota.field);
    if (!plain && !engine_values(choice->worker, account->slot, NULL, fault)) {
        return false;
    }
    if (full) {
        return miss(choice, account);
    }
    struct listing_pick *pick = pick_begin(choice, account);
    if (plain) {
        pick_end(selection, pick);
        return true;
    }
    uint64_t *taken = listing_quota_count(&choice->quota, choice->worker);
    if (taken && *taken >= choice->quota.per_value) {
        return miss(choice, account);
    }
    if (choice->segments.count > 0) {
        pick->segment = segment_of(choice, account);
        if (pick->segment == LISTING_NONE) {
            return miss(choice, account);
        }
        selection->segment_counts[pick->segment]++;
    }
    if (taken) {
        ++*taken;
    }
    assign(choice, pick);
    pick_end(selection, pick);
    return true;
}

static bool choose(struct choice *choice, struct proto_fault *fault)
{
    struct listing_ranked account;
    struct proto_fault local = {0};
    const struct listing_selection *selection = choice->selection;
    size_t k = choice->request->k;
    for (size_t seen = 0; selection->count < k || selection->missed_count < k; seen++) {
        if (seen % ACCOUNTS_PER_ASKING == 0 && !engine_scan_goes_on(choice->job, fault)) {
            return false;
        }
        if (!listing_ranking_next(&choice->ranking, choice->worker, &account, &local)) {
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
    const struct listing_request *request = choice->request;
    struct listing_selection *selection = choice->selection;
    struct engine_worker *worker = choice->worker;
    if (!engine_expression_open(worker, request->filter, request->icp, true, &selection->expression,
                                fault)) {
        return false;
    }
    const struct learn_document *document = selection->expression.document;
    selection->picks = calloc(request->k + 1, sizeof *selection->picks);
    selection->missed = calloc(request->k + 1, sizeof *selection->missed);
    selection->segment_counts = calloc(request->segment_count + 1, sizeof(size_t));
    selection->owner_counts = calloc(request->owner_count + 1, sizeof(size_t));
    if (!selection->picks || !selection->missed || !selection->segment_counts ||
        !selection->owner_counts) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "k", "no memory for %zu accounts",
                               request->k);
    }
    choice->excluded = listing_excluded(worker, request, &choice->excluded_count, fault);
    return choice->excluded &&
           listing_sample_init(&selection->sample, request->sample, request->seed, fault) &&
           listing_quota_open(&choice->quota, worker->state->schema, request, fault) &&
           listing_parts_open(&choice->segments, worker, document, request->segments,
                              request->segment_count, "segments", fault) &&
           listing_parts_open(&choice->owners, worker, document, request->owners,
                              request->owner_count, "owners", fault);
}

bool listing_select(struct engine_worker *worker, const struct engine_job *job,
                    const struct listing_request *request, struct listing_selection *selection,
                    struct proto_fault *fault)
{
    struct choice choice = {
        .worker = worker, .job = job, .request = request, .selection = selection};
    *selection = (struct listing_selection){0};
    bool ok = choice_open(&choice, fault);
    if (ok) {
        bool plain = choice.segments.count == 0 && !choice.quota.field;
        choice.ranking.wanted = plain ? 2 * request->k : 0; /* no more are looked at */
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
        listing_sample_sort(&selection->sample);
    }
    listing_ranking_fini(&choice.ranking);
    listing_parts_close(&choice.segments);
    listing_parts_close(&choice.owners);
    listing_quota_close(&choice.quota);
    free(choice.excluded);
    return ok;
}

void listing_selection_fini(struct listing_selection *selection)
{
    engine_expression_close(&selection->expression);
    listing_sample_fini(&selection->sample);
    free(selection->picks);
    free(selection->missed);
    free(selection->segment_counts);
    free(selection->owner_counts);
    *selection = (struct listing_selection){0};
}
