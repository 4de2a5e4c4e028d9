/* SPDX-License-Identifier: Apache-2.0 */
/* Texts are copied out of the view, for tables live longer. An account that was just walked over is
 * there still: the view stands. */
#include "server/lifecycle/lifecycle_listed.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/engine/walk.h"
#include "server/feature/span_text.h"

enum { TEXT_ID, TEXT_NAME, TEXT_REASONS, TEXT_REFERENCE, TEXT_STAGE, TEXTS, REASONS_BYTES = 512 };

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the accounts of a list");
}

static bool text_keep(struct lifecycle_listed *listed, size_t place, int which,
                      struct proto_span text, struct proto_fault *fault)
{
    char *copy = feature_text_copy(text);
    listed->texts[place * TEXTS + (size_t)which] = copy;
    return copy != NULL || no_memory(fault);
}

static struct proto_span name_of(const struct engine_worker *worker,
                                 const struct feature_record *record)
{
    const struct feature_schema *schema = worker->state->schema;
    struct feature_value value;
    bool has = schema != NULL && schema->name != NULL &&
               feature_record_value(record, schema->name->id, &value) &&
               value.type == FEATURE_CATEGORY;
    return has ? value.text : proto_span_text("");
}

bool lifecycle_listed_names(struct lifecycle_listed *listed, struct lifecycle_standing *standing,
                            const uint32_t *accounts, size_t count, struct proto_fault *fault)
{
    *listed = (struct lifecycle_listed){.count = count};
    listed->told = calloc(count + 1, sizeof *listed->told);
    listed->texts = calloc(count * TEXTS + 1, sizeof *listed->texts);
    listed->accounts = calloc(count + 1, sizeof *listed->accounts);
    if (listed->told == NULL || listed->texts == NULL || listed->accounts == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < count; i++) {
        struct feature_record record;
        listed->accounts[i] = accounts[i];
        if (!engine_record(standing->worker, standing->accounts[accounts[i]].slot, &record,
                           fault) ||
            !text_keep(listed, i, TEXT_ID, record.id, fault) ||
            !text_keep(listed, i, TEXT_NAME, name_of(standing->worker, &record), fault)) {
            return false;
        }
        listed->told[i] = (struct measure_listed){.id = listed->texts[i * TEXTS + TEXT_ID],
                                                  .name = listed->texts[i * TEXTS + TEXT_NAME],
                                                  .reasons = "",
                                                  .reference = "",
                                                  .alike = MEASURE_NAN,
                                                  .stage = "",
                                                  .win = MEASURE_NAN};
    }
    return true;
}

bool lifecycle_listed_stage_keep(struct lifecycle_listed *listed, size_t place,
                                 struct proto_span stage, struct proto_fault *fault)
{
    free(listed->texts[place * TEXTS + TEXT_STAGE]);
    bool good = text_keep(listed, place, TEXT_STAGE, stage, fault);
    listed->told[place].stage = good ? listed->texts[place * TEXTS + TEXT_STAGE] : "";
    return good;
}

void lifecycle_listed_fini(struct lifecycle_listed *listed)
{
    for (size_t i = 0; listed->texts != NULL && i < listed->count * TEXTS; i++) {
        free(listed->texts[i]);
    }
    free(listed->texts);
    free(listed->told);
    free(listed->accounts);
}

void lifecycle_reasons_print(const struct engine_answer *answer, char *text, size_t bytes)
{
    size_t used = 0;
    text[0] = '\0';
    for (size_t i = 0; i < answer->reason_count && used < bytes; i++) {
        const struct engine_reason *reason = &answer->reasons[i];
        bool pair = reason->field_b != NULL;
        used += (size_t)snprintf(text + used, bytes - used, "%s%s %s %s%s%s%s%s", i > 0 ? ", " : "",
                                 reason->contribution > 0 ? "+" : "-", reason->field, reason->value,
                                 pair ? " with " : "", pair ? reason->field_b : "", pair ? " " : "",
                                 pair ? reason->value_b : "");
    }
    if (used >= bytes && bytes > 0) {
        size_t end = bytes - 1;
        while (end > 0 && ((unsigned char)text[end - 1] & 0xC0) == 0x80) {
            end--; /* never half a character */
        }
        text[end > 0 && (unsigned char)text[end - 1] >= 0xC0 ? end - 1 : end] = '\0';
    }
}

bool lifecycle_listed_reasons(struct lifecycle_listed *listed, struct lifecycle_standing *standing,
                              struct proto_fault *fault)
{
    for (size_t i = 0; i < listed->count; i++) {
        char text[REASONS_BYTES];
        struct engine_answer answer;
        const struct engine_query query = {.name.id = proto_span_text(listed->told[i].id),
                                           .document = standing->expression.document,
                                           .reasons = LIFECYCLE_REASONS};
        if (!engine_score(standing->worker, &query, &answer, fault)) {
            return false;
        }
        lifecycle_reasons_print(&answer, text, sizeof text);
        if (!text_keep(listed, i, TEXT_REASONS, proto_span_text(text), fault)) {
            return false;
        }
        listed->told[i].reasons = listed->texts[i * TEXTS + TEXT_REASONS];
    }
    return true;
}

double lifecycle_alike(const int32_t *a, const int32_t *b, size_t count)
{
    int64_t apart = 0;
    int64_t whole = 0;
    for (size_t i = 0; i < count; i++) {
        apart += llabs((long long)a[i] - b[i]);
        whole += llabs((long long)a[i]) + llabs((long long)b[i]);
    }
    return whole > 0 ? 1 - (double)apart / (double)whole : 1;
}

static bool contributions_read(struct lifecycle_standing *standing, uint32_t account,
                               int32_t *contributions, struct proto_fault *fault)
{
    const struct learn_document *document = standing->expression.document;
    struct engine_worker *worker = standing->worker;
    int64_t raw = 0;
    if (!engine_values(worker, standing->accounts[account].slot, NULL, fault) ||
        !engine_values_raw(worker, document, &raw, fault)) {
        return false;
    }
    model_contributions(document->scorecard, worker->codes, contributions);
    return true;
}

struct paying {
    int64_t mrr;
    uint32_t account;
};

static int by_revenue(const void *left, const void *right)
{
    const struct paying *a = left;
    const struct paying *b = right;
    return a->mrr != b->mrr ? (a->mrr < b->mrr) - (a->mrr > b->mrr)
                            : (a->account > b->account) - (a->account < b->account);
}

/* Those with most MRR first; *count of them in candidates. */
static bool candidates_find(const struct lifecycle_standing *standing, uint32_t *candidates,
                            uint32_t *count, struct proto_fault *fault)
{
    assert(candidates != NULL);
    struct paying *paying = calloc((size_t)standing->count + 1, sizeof *paying);
    if (paying == NULL) {
        return no_memory(fault);
    }
    if (!measure_outstanding(&standing->view, candidates, count, fault)) {
        free(paying);
        return false;
    }
    for (uint32_t i = 0; i < *count; i++) {
        paying[i] = (struct paying){standing->accounts[candidates[i]].mrr, candidates[i]};
    }
    qsort(paying, *count, sizeof *paying, by_revenue);
    *count = *count < LIFECYCLE_REFERENCES_MAX ? *count : LIFECYCLE_REFERENCES_MAX;
    for (uint32_t i = 0; i < *count; i++) {
        candidates[i] = paying[i].account;
    }
    free(paying);
    return true;
}

/* What is compared: contributions of candidates, and of the account under way behind them. */
struct comparing {
    uint32_t *candidates;
    uint32_t count;
    int32_t *contributions;
    size_t terms;
};

static bool reference_find(struct lifecycle_listed *listed, struct lifecycle_standing *standing,
                           const struct comparing *comparing, size_t place,
                           struct proto_fault *fault)
{
    int32_t *own = comparing->contributions + comparing->count * comparing->terms;
    struct feature_record record;
    double best = -1;
    uint32_t nearest = 0;
    if (comparing->count == 0) {
        return true;
    }
    if (!engine_scan_goes_on(standing->job, fault) ||
        !contributions_read(standing, listed->accounts[place], own, fault)) {
        return false;
    }
    for (uint32_t c = 0; c < comparing->count; c++) {
        const int32_t *other = comparing->contributions + c * comparing->terms;
        double alike = lifecycle_alike(own, other, comparing->terms);
        if (alike > best) {
            best = alike;
            nearest = comparing->candidates[c];
        }
    }
    if (!engine_record(standing->worker, standing->accounts[nearest].slot, &record, fault) ||
        !text_keep(listed, place, TEXT_REFERENCE, record.id, fault)) {
        return false;
    }
    listed->told[place].reference = listed->texts[place * TEXTS + TEXT_REFERENCE];
    listed->told[place].alike = best;
    return true;
}

bool lifecycle_listed_references(struct lifecycle_listed *listed,
                                 struct lifecycle_standing *standing, struct proto_fault *fault)
{
    struct comparing comparing = {.terms = standing->expression.document->scorecard->term_count};
    comparing.candidates = calloc((size_t)standing->count + 1, sizeof *comparing.candidates);
    bool good = comparing.candidates != NULL || no_memory(fault);
    good = good && candidates_find(standing, comparing.candidates, &comparing.count, fault);
    if (good) {
        comparing.contributions = calloc((comparing.count + (size_t)1) * comparing.terms + 1,
                                         sizeof *comparing.contributions);
        good = comparing.contributions != NULL || no_memory(fault);
    }
    for (uint32_t c = 0; c < comparing.count && good; c++) {
        good = contributions_read(standing, comparing.candidates[c],
                                  comparing.contributions + c * comparing.terms, fault);
    }
    for (size_t i = 0; i < listed->count && good; i++) {
        good = reference_find(listed, standing, &comparing, i, fault);
    }
    free(comparing.candidates);
    free(comparing.contributions);
    return good;
}
