/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts with their segment, fit and outcome, and who referred them. A referral by somebody who
 * is none of the accounts looked at is counted as unknown; a base without an ICP compares at equal
 * segment instead of equal fit. */
#include <stdlib.h>

#include "server/base/grow.h"
#include "server/engine/expression.h"
#include "server/engine/walk.h"
#include "server/lifecycle/lifecycle_focus.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_parameter.h"
#include "server/measure/tenth.h"

bool lifecycle_referral_read(const struct lifecycle_request *request,
                             struct lifecycle_settings *settings, struct proto_fault *fault)
{
    struct measure_referral_options *options = &settings->focus.referral;
    if (request->by.bytes == 0) {
        return proto_fault_set(fault, PROTO_MISSING_FIELD, "by",
                               "referral needs it: the field whose values are the segments");
    }
    options->outcomes = true;
    return lifecycle_journey_read(request, settings, fault) &&
           lifecycle_text(request, "kind", &settings->focus.kind, fault) &&
           lifecycle_focus_text(request, "field", &settings->focus.field, fault) &&
           lifecycle_count(request, "permutations", &options->permutations, fault) &&
           lifecycle_count(request, "seed", &options->seed, fault) &&
           lifecycle_count(request, "segments", &options->segments, fault) &&
           lifecycle_count(request, "least", &options->least, fault);
}

struct referring {
    struct lifecycle_run *run;
    const struct feature_field *by, *field; /* field NULL: touches of the kind */
    const struct learn_document *document;  /* that scores; NULL: no version is active */
    struct lifecycle_names segments, referrers;
    struct measure_referred *accounts;
    int64_t *raws;
    uint32_t *slots;
    uint32_t count;
    size_t room;                        /* of the three */
    struct measure_referral *referrals; /* `from` is the number of a name until it is found */
    size_t referral_count, referral_room;
};

static bool referral_add(struct referring *referring, struct proto_span name,
                         struct proto_fault *fault)
{
    struct measure_referral referral = {.to = referring->count - 1, .count = 1};
    if (!base_grow(&referring->referrals, &referring->referral_room, referring->referral_count + 1,
                   sizeof *referring->referrals, "referrals", fault)) {
        return false;
    }
    if (!lifecycle_name_number(&referring->referrers, name, &referral.from, fault)) {
        return false;
    }
    referring->referrals[referring->referral_count++] = referral;
    return true;
}

static bool account_room(struct referring *referring, struct proto_fault *fault)
{
    size_t wanted = (size_t)referring->count + 1;
    size_t room[3] = {referring->room, referring->room, referring->room};
    bool good =
        base_grow(&referring->accounts, &room[0], wanted, sizeof *referring->accounts, "accounts",
                  fault) &&
        base_grow(&referring->raws, &room[1], wanted, sizeof *referring->raws, "accounts", fault) &&
        base_grow(&referring->slots, &room[2], wanted, sizeof *referring->slots, "accounts", fault);
    referring->room = good ? room[0] : referring->room;
    return good;
}

static bool account_seen(void *context, uint32_t slot, const struct measure_event *events,
                         size_t count, struct proto_fault *fault)
{
    struct referring *referring = context;
    struct engine_worker *worker = referring->run->worker;
    struct measure_referred account = {.known = false};
    struct proto_span kind = referring->run->settings.focus.kind;
    if (!account_room(referring, fault)) {
        return false;
    }
    if (!engine_values(worker, slot, NULL, fault)) {
        return lifecycle_fault_of(worker, slot, fault);
    }
    const uint32_t at = referring->count++;
    referring->slots[at] = slot;
    referring->raws[at] = 0;
    if (!lifecycle_segment_of(&referring->segments, worker, referring->by, &account.segment,
                              fault) ||
        (referring->document != NULL &&
         !engine_values_raw(worker, referring->document, &referring->raws[at], fault))) {
        return false;
    }
    account.stratum = account.segment;
    referring->accounts[at] = account;
    if (referring->field != NULL) {
        const struct feature_value *value = &worker->values[referring->field->id];
        return !value->present || value->text.bytes == 0 ||
               referral_add(referring, value->text, fault);
    }
    for (size_t i = 0; i < count; i++) {
        const struct event *event = events[i].event;
        if (event->type == EVENT_TOUCH && proto_span_equal(event->kind, kind) &&
            event->label.bytes > 0 && !referral_add(referring, event->label, fault)) {
            return false;
        }
    }
    return true;
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct referring *referring = context;
    struct measure_referred *account = &referring->accounts[referring->count - 1];
    (void)fault;
    account->known |= journey->end != MEASURE_JOURNEY_OPEN || journey->mature;
    account->won |= journey->end == MEASURE_JOURNEY_WON;
    return true;
}

/* The account of a slot, by the slots that ascend; UINT32_MAX: it was not looked at. */
static uint32_t account_of(const struct referring *referring, uint32_t slot)
{
    uint32_t low = 0;
    uint32_t high = referring->count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        bool before = referring->slots[middle] < slot;
        low = before ? middle + 1 : low;
        high = before ? high : middle;
    }
    return low < referring->count && referring->slots[low] == slot ? low : UINT32_MAX;
}

/* Names of referrers, which are ids or keys, as accounts. */
static bool referrers_find(const struct referring *referring, uint32_t *accounts,
                           struct proto_fault *fault)
{
    for (uint32_t i = 0; i < referring->referrers.count; i++) {
        const struct proto_span text = proto_span_text(referring->referrers.texts[i]);
        const struct engine_name names[2] = {{.id = text}, {.key = text}};
        accounts[i] = UINT32_MAX;
        for (int n = 0; n < 2 && accounts[i] == UINT32_MAX; n++) {
            struct proto_fault why = {.code = PROTO_OK};
            uint32_t slot = engine_find(referring->run->worker, &names[n], &why);
            if (why.code == PROTO_CORRUPT) {
                *fault = why;
                return false;
            }
            if (slot != ENGINE_NO_SLOT && why.code == PROTO_OK) {
                accounts[i] = account_of(referring, slot);
            }
        }
    }
    return true;
}

/* Leaves the referrals between two accounts that were looked at; returns the others that name
 * nobody. Nobody refers itself. */
static bool referrals_settle(struct referring *referring, size_t *unknown,
                             struct proto_fault *fault)
{
    size_t kept = 0;
    uint32_t *accounts = calloc((size_t)referring->referrers.count + 1, sizeof *accounts);
    bool good = accounts != NULL
                    ? referrers_find(referring, accounts, fault)
                    : proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for referrers");
    *unknown = 0;
    for (size_t i = 0; good && accounts != NULL && i < referring->referral_count; i++) {
        struct measure_referral referral = referring->referrals[i];
        referral.from = accounts[referral.from];
        *unknown += referral.from == UINT32_MAX;
        if (referral.from != UINT32_MAX && referral.from != referral.to) {
            referring->referrals[kept++] = referral;
        }
    }
    referring->referral_count = kept;
    free(accounts);
    return good;
}

/* Strata are tenths of the accounts by score; those of one score stay in one. */
static bool tenths_fill(struct referring *referring, struct proto_fault *fault)
{
    uint32_t *tenths = calloc((size_t)referring->count + 1, sizeof *tenths);
    if (tenths == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %u scores",
                               referring->count);
    }
    bool good =
        measure_tenths(referring->raws, referring->count, tenths, &referring->run->pace, fault);
    for (uint32_t a = 0; good && a < referring->count; a++) {
        referring->accounts[a].stratum = tenths[a];
    }
    free(tenths);
    return good;
}

static bool table_fill(struct referring *referring, struct proto_fault *fault)
{
    struct lifecycle_run *run = referring->run;
    struct measure_network network = {.stratum_count = referring->segments.count};
    if (referring->document != NULL) {
        network.stratum_count = MEASURE_TENTHS;
        if (!tenths_fill(referring, fault)) {
            return false;
        }
    }
    if (!referrals_settle(referring, &network.unknown, fault)) {
        return false;
    }
    network.referrals = referring->referrals;
    network.count = referring->referral_count;
    network.accounts = referring->accounts;
    network.account_count = referring->count;
    network.segments = (const char *const *)referring->segments.texts;
    network.segment_count = referring->segments.count;
    network.by_segment = referring->document == NULL;
    return measure_referral_table(&network, &run->settings.focus.referral, &run->pace,
                                  &run->result->table, fault);
}

/* A field that can name an account. */
static bool field_find(struct referring *referring, struct proto_fault *fault)
{
    struct proto_span name = referring->run->settings.focus.field;
    if (!lifecycle_field_find(referring->run->worker, name, "parameters.field", false,
                              &referring->field, fault)) {
        return false;
    }
    if (referring->field != NULL && lifecycle_field_is_label(referring->field)) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.field",
                               "the label of segments names no account; a category is wanted that "
                               "holds ids or keys");
    }
    return referring->field == NULL || referring->field->type == FEATURE_CATEGORY ||
           proto_fault_set(fault, PROTO_BAD_FIELD, "parameters.field",
                           "the field is of type %s; a category is wanted that holds ids or keys",
                           feature_type_name(referring->field->type));
}

bool lifecycle_referral_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    struct referring referring = {.run = run};
    const struct lifecycle_journey_look look = {
        .context = &referring, .seen = account_seen, .each = journey_add};
    struct engine_expression expression = {.filter = NULL};
    struct proto_fault none = {.code = PROTO_OK};
    const struct proto_span everybody = {NULL, 0};
    bool good =
        lifecycle_field_find(run->worker, run->request->by, "by", false, &referring.by, fault) &&
        field_find(&referring, fault) && lifecycle_segments_begin(&referring.segments, fault);
    if (good && engine_expression_open(run->worker, everybody, run->request->icp, true, &expression,
                                       &none)) {
        referring.document = expression.document;
    } else if (good && none.code != PROTO_NO_ICP) {
        *fault = none;
        good = false;
    }
    good = good && lifecycle_journeys_look(run, &look, fault) && table_fill(&referring, fault);
    engine_expression_close(&expression);
    lifecycle_names_fini(&referring.segments);
    lifecycle_names_fini(&referring.referrers);
    free(referring.accounts);
    free(referring.raws);
    free(referring.slots);
    free(referring.referrals);
    return good;
}
