/* SPDX-License-Identifier: Apache-2.0 */
/* Deals that were won, each with the grade of its account when it was created: by the values that
 * the account had then, and the version that is asked for. A base without an ICP ends it. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/engine/as_of.h"
#include "server/engine/expression.h"
#include "server/engine/walk.h"
#include "server/feature/span_text.h"
#include "server/lifecycle/lifecycle_journey.h"
#include "server/lifecycle/lifecycle_keep.h"
#include "server/lifecycle/lifecycle_parameter.h"

enum { REASON_BYTES = 400 };

bool lifecycle_compensation_read(const struct lifecycle_request *request,
                                 struct lifecycle_settings *settings, struct proto_fault *fault)
{
    static const char *const words[] = {"none", "now"};
    struct lifecycle_keep_settings *keep = &settings->keep;
    struct measure_journey_options *journeys = &settings->journey.options;
    struct proto_span multipliers;
    size_t place = 0;
    if (!lifecycle_journey_read(request, settings, fault) ||
        !lifecycle_text(request, "multipliers", &multipliers, fault) ||
        !lifecycle_number(request, "rate", &keep->compensation.rate, fault) ||
        !lifecycle_word(request, "not-kept", words, 2, &place, fault) ||
        !lifecycle_count(request, "top", &keep->compensation.top, fault) ||
        !lifecycle_count(request, "skip", &keep->compensation.skip, fault)) {
        return false;
    }
    keep->now_else = place == 1;
    /* The time that is asked for is that of winning; the owner is whoever is paid. */
    keep->from_ms = journeys->from_ms;
    keep->to_ms = journeys->to_ms;
    journeys->from_ms = INT64_MIN;
    journeys->to_ms = INT64_MAX;
    keep->paid = journeys->owner;
    journeys->owner.bytes = 0;
    return measure_multipliers_read(multipliers, keep->compensation.multipliers, fault) ||
           proto_fault_within(fault, "parameters");
}

struct paying {
    struct lifecycle_run *run;
    struct engine_expression expression;
    struct lifecycle_amount amount;
    struct measure_paid_deals deals;
    struct base_arena arena;
    struct feature_value *values;
    struct proto_span *sources;
    size_t slots;
    uint8_t *codes;
    int32_t *parts; /* contributions, by term */
    uint32_t slot;  /* of the account under way */
};

/* How the grade of a deal came about. */
struct graded {
    uint8_t grade;
    double fit;
    char reason[REASON_BYTES], dispute[REASON_BYTES];
};

static bool account_enter(void *context, uint32_t slot, struct proto_fault *fault)
{
    struct paying *all = context;
    (void)fault;
    all->slot = slot;
    return true;
}

static bool anything(const struct paying *all)
{
    const struct feature_codebook *codebook = all->expression.document->codebook;
    for (size_t c = 0; c < codebook->column_count; c++) {
        uint16_t id = codebook->columns[c].field_id;
        if (id < all->slots && all->values[id].present) {
            return true;
        }
    }
    return false;
}

/* The field whose term moved the score most; NULL: none did. */
static const char *strongest(const struct paying *all, int32_t *part)
{
    const struct learn_document *document = all->expression.document;
    const struct model_scorecard *scorecard = document->scorecard;
    const char *field = NULL;
    *part = 0;
    model_contributions(scorecard, all->codes, all->parts);
    for (size_t t = 0; t < scorecard->term_count; t++) {
        if (abs(all->parts[t]) > abs(*part)) {
            *part = all->parts[t];
            field = document->codebook->columns[scorecard->terms[t].column_a].field_name;
        }
    }
    return field;
}

/* A text of a shell: in single quotes, and those within it kept. */
static void quoted(const char *text, char *out, size_t bytes)
{
    size_t used = 0;
    out[used++] = '\'';
    for (; *text != '\0' && used + 6 < bytes; text++) {
        if (*text == '\'') {
            used += (size_t)snprintf(out + used, bytes - used, "'\\''");
        } else {
            out[used++] = *text;
        }
    }
    out[used++] = '\'';
    out[used] = '\0';
}

static void grade_make(struct paying *all, const char *of_when, struct graded *graded)
{
    const struct learn_document *document = all->expression.document;
    const struct model_scorecard *scorecard = document->scorecard;
    char field[200];
    int32_t part = 0;
    feature_codebook_encode(document->codebook, all->values, all->slots, all->codes);
    graded->fit = model_fit(scorecard, model_raw(scorecard, all->codes));
    graded->grade = (uint8_t)(model_grade(scorecard, graded->fit) - 'A');
    const char *most = strongest(all, &part);
    if (most == NULL) {
        (void)snprintf(graded->reason, sizeof graded->reason, "ICP %u, %s; no field moves it",
                       document->version, of_when);
        (void)snprintf(graded->dispute, sizeof graded->dispute, "icp challenge --icp %u --slice …",
                       document->version);
        return;
    }
    (void)snprintf(graded->reason, sizeof graded->reason, "ICP %u, %s; most by %s (%+.2f)",
                   document->version, of_when, most, (double)part / 1e6);
    quoted(most, field, sizeof field);
    (void)snprintf(graded->dispute, sizeof graded->dispute, "icp challenge --icp %u --field %s",
                   document->version, field);
}

static bool grade_find(struct paying *all, int64_t created_ms, struct graded *graded,
                       struct proto_fault *fault)
{
    struct engine_worker *worker = all->run->worker;
    const struct engine_as_of as_of = {.moment_ms = created_ms, .arena = &all->arena};
    struct feature_record record;
    enum engine_row_kind kind = ENGINE_ROW_NOT_KEPT;
    *graded = (struct graded){.grade = MEASURE_PAID_NONE, .fit = MEASURE_NAN};
    base_arena_reset(&all->arena);
    if (!engine_values_as_of(worker, all->slot, &as_of, &record, all->values, all->sources,
                             all->slots, &kind, fault)) {
        return lifecycle_fault_of(worker, all->slot, fault);
    }
    if (kind != ENGINE_ROW_NOT_KEPT && anything(all)) {
        grade_make(all,
                   kind == ENGINE_ROW_KNOWN ? "as it was known then"
                                            : "as it was true then, by what was told later",
                   graded);
        return true;
    }
    if (!all->run->settings.keep.now_else) {
        (void)snprintf(graded->reason, sizeof graded->reason,
                       "no value of then is kept: multiplier of none");
        return true;
    }
    if (!engine_values(worker, all->slot, NULL, fault)) {
        return lifecycle_fault_of(worker, all->slot, fault);
    }
    memcpy(all->values, worker->values, all->slots * sizeof *all->values);
    grade_make(all, "by its values of now, for none of then is kept", graded);
    return true;
}

static struct proto_span person_of(const struct measure_journey *journey)
{
    if (journey->outcome->person.bytes > 0) {
        return journey->outcome->person;
    }
    return journey->step_count > 0 && journey->steps[0]->person.bytes > 0
               ? journey->steps[0]->person
               : proto_span_text("(none)");
}

/* Texts of the deal as they are copied. */
static bool deal_keep(struct paying *all, const struct measure_journey *journey,
                      struct measure_paid_deal *deal, struct proto_fault *fault)
{
    struct feature_record record;
    if (!engine_record(all->run->worker, all->slot, &record, fault)) {
        return lifecycle_fault_of(all->run->worker, all->slot, fault);
    }
    deal->account = feature_text_copy(record.id);
    deal->subject = feature_text_copy(journey->subject);
    deal->person = feature_text_copy(person_of(journey));
    bool good = (deal->account != NULL && deal->subject != NULL && deal->person != NULL) ||
                proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a deal");
    good = good && measure_paid_deals_add(&all->deals, deal, fault);
    free(deal->account);
    free(deal->subject);
    free(deal->person);
    return good;
}

static bool journey_add(void *context, const struct measure_journey *journey,
                        struct proto_fault *fault)
{
    struct paying *all = context;
    const struct lifecycle_keep_settings *keep = &all->run->settings.keep;
    struct graded graded;
    if (journey->end != MEASURE_JOURNEY_WON || journey->end_ms < keep->from_ms ||
        journey->end_ms >= keep->to_ms ||
        (keep->paid.bytes > 0 && !proto_span_equal(person_of(journey), keep->paid))) {
        return true;
    }
    struct measure_paid_deal deal = {.created_ms = journey->created_ms, .won_ms = journey->end_ms};
    if (!lifecycle_amount_settle(&all->amount, journey->outcome, &deal.amount, fault) ||
        !grade_find(all, journey->created_ms, &graded, fault)) {
        return false;
    }
    deal.grade = graded.grade;
    deal.fit = graded.fit;
    deal.reason = graded.reason;
    deal.dispute = graded.dispute;
    return deal_keep(all, journey, &deal, fault);
}

static bool room_make(struct paying *all, struct proto_fault *fault)
{
    const struct learn_document *document = all->expression.document;
    all->slots = all->run->worker->state->schema->id_count;
    base_arena_init(&all->arena, 0, 0);
    all->values = calloc(all->slots + 1, sizeof *all->values);
    all->sources = calloc(all->slots + 1, sizeof *all->sources);
    all->codes = calloc(document->codebook->row_bytes + 1, 1);
    all->parts = calloc(document->scorecard->term_count + 1, sizeof *all->parts);
    return (all->values && all->sources && all->codes && all->parts) ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for %zu fields", all->slots);
}

bool lifecycle_compensation_look(struct lifecycle_run *run, struct proto_fault *fault)
{
    const struct proto_span none = {NULL, 0};
    struct paying all = {.run = run, .amount = {.rules = &run->result->rules}};
    const struct lifecycle_journey_look look = {
        .context = &all, .enter = account_enter, .each = journey_add};
    bool good = engine_expression_open(run->worker, none, run->request->icp, true, &all.expression,
                                       fault) &&
                room_make(&all, fault) && lifecycle_journeys_look(run, &look, fault);
    if (good) {
        lifecycle_amount_end(&all.amount);
        run->result->icp = all.expression.document->version;
        good = measure_compensation_table(&all.deals, &run->settings.keep.compensation,
                                          &run->result->table, fault);
    }
    engine_expression_close(&all.expression);
    measure_paid_deals_fini(&all.deals);
    if (all.values != NULL) {
        base_arena_fini(&all.arena);
    }
    free(all.values);
    free(all.sources);
    free(all.codes);
    free(all.parts);
    return good;
}
