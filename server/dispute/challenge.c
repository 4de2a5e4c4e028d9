/* SPDX-License-Identifier: Apache-2.0 */
/* The claim's texts are read first, so that a slip in one of them costs nothing; then the columns
 * are brought up, and one pass counts. A version that a policy labelled has no expression for its
 * outcome: the claim must say one. */
#include "server/dispute/challenge.h"

#include <stdlib.h>

#include "server/dispute/dispute_label.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/special.h"

enum { ACCOUNTS_PER_ASKING = 1 << 16 };

/* Columns of a hearing. */
enum { COLUMN_SCORE, COLUMN_OUTCOME, COLUMN_SLICE, COLUMN_PERIOD, COLUMN_CLAIM, COLUMNS };

struct hearing {
    struct dispute *dispute;
    struct engine_worker *worker;
    const struct engine_job *job;
    const struct dispute_claim *claim;
    const struct learn_document *document;
    size_t column; /* of a claim of a field, in the codebook */
    struct dispute_label label;
    struct filter *slice, *period, *condition;
    struct dispute_cells cells[COLUMNS];
    uint32_t negative; /* the second cell that counts as a negative */
    struct proto_fault *fault;
};

void dispute_finding_fini(struct dispute_finding *finding)
{
    free(finding->parts);
    *finding = (struct dispute_finding){0};
}

static void hearing_end(struct hearing *hearing)
{
    dispute_label_fini(&hearing->label);
    filter_destroy(hearing->slice);
    filter_destroy(hearing->period);
    filter_destroy(hearing->condition);
}

/* The one column of the field; tags have several, and are disputed by a condition. */
static bool field_read(struct hearing *hearing)
{
    struct proto_span name = hearing->claim->field;
    const struct feature_codebook *codebook = hearing->document->codebook;
    const struct feature_field *field =
        feature_schema_find(engine_worker_state(hearing->worker)->schema, name);
    for (size_t c = 0; field != NULL && c < codebook->column_count; c++) {
        if (codebook->columns[c].field_id == field->id && codebook->columns[c].tag == NULL) {
            hearing->column = c;
            return true;
        }
    }
    return proto_fault_set(hearing->fault, PROTO_BAD_FIELD, "field",
                           field && field->type == FEATURE_TAGS
                               ? "version %u has no bins of '%.*s', which are tags: dispute a "
                                 "condition with 'has'"
                           : field ? "version %u does not use '%.*s'"
                                   : "for version %u: the schema has no field '%.*s'",
                           hearing->document->version, (int)name.bytes, (const char *)name.data);
}

static bool claim_read(struct hearing *hearing)
{
    const struct dispute_claim *claim = hearing->claim;
    const struct engine_state *state = engine_worker_state(hearing->worker);
    if (!state->schema) {
        return proto_fault_set(hearing->fault, PROTO_NO_SCHEMA, "", "no schema has been put yet");
    }
    if (claim->condition.bytes > 0 && claim->field.bytes > 0) {
        return proto_fault_set(hearing->fault, PROTO_BAD_FIELD, "condition",
                               "give either a condition or a field to dispute");
    }
    if (claim->condition.bytes + claim->field.bytes + claim->slice.bytes + claim->period.bytes ==
        0) {
        return proto_fault_set(hearing->fault, PROTO_BAD_FIELD, "condition",
                               "give what is disputed: a condition, a field, a slice or a period");
    }
    hearing->document = engine_state_document(state, claim->icp, hearing->fault);
    const struct engine_worker *worker = hearing->worker;
    struct proto_fault *fault = hearing->fault;
    return hearing->document != NULL &&
           dispute_label_read(worker, hearing->document, claim->outcome, &hearing->label, fault) &&
           dispute_text_read(worker, claim->slice, "slice", &hearing->slice, fault) &&
           dispute_text_read(worker, claim->period, "period", &hearing->period, fault) &&
           dispute_text_read(worker, claim->condition, "condition", &hearing->condition, fault) &&
           (claim->field.bytes == 0 || field_read(hearing));
}

/* A column that is asked for lies at its place; one that is not has count 0. */
static bool column_ask(struct hearing *hearing, const struct dispute_wish *wish, int place)
{
    return dispute_column(hearing->dispute, hearing->worker, hearing->job, wish, hearing->cells,
                          COLUMNS, &hearing->cells[place], hearing->fault);
}

static bool match_ask(struct hearing *hearing, const struct filter *filter, struct proto_span text,
                      int place)
{
    struct dispute_wish wish = {.kind = DISPUTE_MATCH, .filter = filter, .text = text};
    return filter == NULL || column_ask(hearing, &wish, place);
}

static bool columns_ask(struct hearing *hearing)
{
    const struct dispute_claim *claim = hearing->claim;
    struct dispute_wish score = {.kind = DISPUTE_SCORE, .document = hearing->document};
    struct dispute_wish outcome = dispute_label_wish(&hearing->label);
    struct dispute_wish bin = {
        .kind = DISPUTE_BIN, .document = hearing->document, .column = hearing->column};
    return column_ask(hearing, &score, COLUMN_SCORE) &&
           column_ask(hearing, &outcome, COLUMN_OUTCOME) &&
           match_ask(hearing, hearing->slice, claim->slice, COLUMN_SLICE) &&
           match_ask(hearing, hearing->period, claim->period, COLUMN_PERIOD) &&
           match_ask(hearing, hearing->condition, claim->condition, COLUMN_CLAIM) &&
           (claim->field.bytes == 0 || column_ask(hearing, &bin, COLUMN_CLAIM));
}

static bool matches(const struct hearing *hearing, const struct filter *filter, int place,
                    uint32_t slot)
{
    return filter == NULL || hearing->cells[place].cells[slot] == DISPUTE_MATCHES;
}

static bool in_slice(const struct hearing *hearing, uint32_t slot)
{
    return hearing->cells[COLUMN_SCORE].cells[slot] != 0 &&
           matches(hearing, hearing->slice, COLUMN_SLICE, slot) &&
           matches(hearing, hearing->period, COLUMN_PERIOD, slot);
}

static bool has_outcome(const struct hearing *hearing, uint32_t slot)
{
    uint32_t cell = hearing->cells[COLUMN_OUTCOME].cells[slot];
    return cell == DISPUTE_POSITIVE || cell == DISPUTE_NEGATIVE || cell == hearing->negative;
}

/* Sums of p become means in the end. */
static void side_count(const struct hearing *hearing, uint32_t slot, struct dispute_side *side)
{
    side->accounts++;
    side->outcomes += hearing->cells[COLUMN_OUTCOME].cells[slot] == DISPUTE_POSITIVE;
    side->expected += dispute_p(&hearing->cells[COLUMN_SCORE], hearing->document->scorecard, slot);
}

static void side_end(struct dispute_side *side)
{
    side->expected /= side->accounts > 0 ? (double)side->accounts : 1;
}

/* Calls each() with the slots that count; those of the slice without an outcome are blanks. */
static bool slots_visit(const struct hearing *hearing, struct dispute_finding *finding,
                        void (*each)(const struct hearing *hearing, uint32_t slot, void *context),
                        void *context)
{
    finding->blanks = 0;
    for (uint32_t slot = 0; slot < hearing->cells[COLUMN_SCORE].count; slot++) {
        if (slot % ACCOUNTS_PER_ASKING == 0 && !engine_scan_goes_on(hearing->job, hearing->fault)) {
            return false;
        }
        if (!in_slice(hearing, slot)) {
            continue;
        }
        if (has_outcome(hearing, slot)) {
            each(hearing, slot, context);
        } else {
            finding->blanks += hearing->cells[COLUMN_OUTCOME].cells[slot] == DISPUTE_BLANK;
        }
    }
    return true;
}

static void sides_each(const struct hearing *hearing, uint32_t slot, void *context)
{
    struct dispute_finding *finding = context;
    side_count(hearing, slot,
               &finding->sides[!matches(hearing, hearing->condition, COLUMN_CLAIM, slot)]);
}

static bool condition_hear(const struct hearing *hearing, struct dispute_finding *finding)
{
    const struct dispute_claim *claim = hearing->claim;
    finding->gap = dispute_gap_of(&finding->sides[0], &finding->sides[1], DISPUTE_NORMAL_95,
                                  claim->claimed, claim->margin);
    finding->verdict = finding->gap.verdict;
    finding->needed = finding->gap.needed;
    return true;
}

enum { BINS = 256 };

static void bins_each(const struct hearing *hearing, uint32_t slot, void *context)
{
    struct dispute_side *sides = context;
    uint32_t cell = hearing->cells[COLUMN_CLAIM].cells[slot];
    side_count(hearing, slot, &sides[(cell - DISPUTE_BIN_FIRST) % BINS]);
}

/* All others, as means. */
static struct dispute_side others_of(const struct dispute_side *all, const struct dispute_side *bin)
{
    struct dispute_side others = {.accounts = all->accounts - bin->accounts,
                                  .outcomes = all->outcomes - bin->outcomes};
    double sum = all->expected * (double)all->accounts - bin->expected * (double)bin->accounts;
    others.expected = others.accounts > 0 ? sum / (double)others.accounts : 0;
    return others;
}

static bool field_hear(const struct hearing *hearing, struct dispute_finding *finding)
{
    const struct dispute_claim *claim = hearing->claim;
    const struct feature_column *column = &hearing->document->codebook->columns[hearing->column];
    struct dispute_side bins[BINS] = {{0}};
    size_t used = 0;
    if (!slots_visit(hearing, finding, bins_each, bins)) {
        return false;
    }
    for (size_t code = 0; code < BINS; code++) {
        used += bins[code].accounts > 0;
        side_end(&bins[code]);
    }
    finding->parts = calloc(used + 1, sizeof *finding->parts);
    if (!finding->parts) {
        return proto_fault_set(hearing->fault, PROTO_NO_MEMORY, "", "no memory for the bins");
    }
    double z = math_normal_point(1 - 0.025 / (double)(used > 0 ? used : 1));
    for (size_t code = 0; code < BINS; code++) {
        struct dispute_part *part = &finding->parts[finding->part_count];
        if (bins[code].accounts == 0) {
            continue;
        }
        struct dispute_side others = others_of(&finding->sides[0], &bins[code]);
        feature_bin_text(column, (uint8_t)code, part->bin, sizeof part->bin);
        part->side = bins[code];
        dispute_wilson(&part->side, DISPUTE_NORMAL_95, &part->low, &part->high);
        part->gap = dispute_gap_of(&part->side, &others, z, claim->claimed, claim->margin);
        finding->part_count++;
    }
    dispute_parts_judge(finding);
    return true;
}

struct ranking {
    double *scores;
    uint8_t *labels;
    size_t count;
};

static void ranking_each(const struct hearing *hearing, uint32_t slot, void *context)
{
    struct ranking *ranking = context;
    ranking->scores[ranking->count] = (double)dispute_raw(hearing->cells[COLUMN_SCORE].cells[slot]);
    ranking->labels[ranking->count] =
        hearing->cells[COLUMN_OUTCOME].cells[slot] == DISPUTE_POSITIVE;
    ranking->count++;
}

static bool ranking_measure(const struct hearing *hearing, struct ranking *ranking,
                            struct dispute_finding *finding)
{
    struct math_auc auc;
    if (!ranking->scores || !ranking->labels) {
        return proto_fault_set(hearing->fault, PROTO_NO_MEMORY, "", "no memory for the ranking");
    }
    if (!slots_visit(hearing, finding, ranking_each, ranking)) {
        return false;
    }
    uint32_t *order = math_order_create(ranking->scores, ranking->count);
    bool ok = order && math_auc(ranking->scores, ranking->labels, order, ranking->count, &auc);
    free(order);
    if (!ok) {
        return proto_fault_set(hearing->fault, PROTO_NO_MEMORY, "", "no memory for the ranking");
    }
    finding->ranked = auc.positives > 0 && auc.negatives > 0;
    finding->auc = finding->ranked ? auc.auc : 0;
    finding->auc_low = finding->ranked ? auc.low : 0;
    finding->auc_high = finding->ranked ? auc.high : 1;
    return true;
}

static bool slice_hear(const struct hearing *hearing, struct dispute_finding *finding)
{
    const struct dispute_claim *claim = hearing->claim;
    size_t accounts = (size_t)finding->sides[0].accounts;
    finding->gap =
        dispute_gap_of(&finding->sides[0], NULL, DISPUTE_NORMAL_95, claim->claimed, claim->margin);
    if (accounts > 0) {
        struct ranking ranking = {.scores = calloc(accounts, sizeof *ranking.scores),
                                  .labels = calloc(accounts, sizeof *ranking.labels)};
        bool ok = ranking_measure(hearing, &ranking, finding);
        free(ranking.scores);
        free(ranking.labels);
        if (!ok) {
            return false;
        }
    }
    dispute_slice_judge(finding);
    return true;
}

static bool claim_hear(struct hearing *hearing, struct dispute_finding *finding)
{
    finding->icp = hearing->document->version;
    finding->icp_digest = hearing->document->digest;
    finding->high = 1;
    hearing->negative = dispute_label_negative(&hearing->cells[COLUMN_OUTCOME]);
    if (!slots_visit(hearing, finding, sides_each, finding)) {
        return false;
    }
    side_end(&finding->sides[0]);
    side_end(&finding->sides[1]);
    if (finding->sides[0].accounts > 0) {
        dispute_wilson(&finding->sides[0], DISPUTE_NORMAL_95, &finding->low, &finding->high);
    }
    return hearing->condition                ? condition_hear(hearing, finding)
           : hearing->claim->field.bytes > 0 ? field_hear(hearing, finding)
                                             : slice_hear(hearing, finding);
}

bool dispute_challenge(struct dispute *dispute, struct engine_worker *worker,
                       const struct engine_job *job, const struct dispute_claim *claim,
                       struct dispute_finding *finding, struct proto_fault *fault)
{
    struct hearing hearing = {
        .dispute = dispute, .worker = worker, .job = job, .claim = claim, .fault = fault};
    *finding = (struct dispute_finding){0};
    bool ok = claim_read(&hearing) && columns_ask(&hearing) && claim_hear(&hearing, finding);
    hearing_end(&hearing);
    if (!ok) {
        dispute_finding_fini(finding);
    }
    return ok;
}
