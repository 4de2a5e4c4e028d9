/* SPDX-License-Identifier: Apache-2.0 */
/* Grades come of the column of scores, spreads of the codes of all accounts; columns of a field of
 * tags are told as fields of their own, each by its tag. Without a version sizes and outcomes are
 * all. */
#include "server/dispute/segment_profile.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/dispute/dispute_codes.h"
#include "server/dispute/grades.h"
#include "server/engine/segments.h"

enum { BINS = 256, ROWS_PER_ASKING = 4096 };
#define LEVEL 0.05

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a profile");
}

void dispute_profile_fini(struct dispute_profile *profile)
{
    dispute_evidence_fini(&profile->evidence);
    free(profile->fields);
    *profile = (struct dispute_profile){0};
}

static bool is_in(const uint64_t *bits, size_t words, size_t slot)
{
    return slot / 64 < words && (bits[slot / 64] >> slot % 64 & 1) != 0;
}

static bool grades_count(struct dispute *dispute, struct engine_worker *worker,
                         const struct engine_job *job, struct dispute_profile *profile,
                         const struct dispute_cells **scores, struct dispute_cells *cells,
                         struct proto_fault *fault)
{
    const struct dispute_wish wish = {.kind = DISPUTE_SCORE, .document = profile->document};
    const struct dispute_evidence *evidence = &profile->evidence;
    struct dispute_grades grades = dispute_grades_make(profile->document->scorecard);
    if (!dispute_column(dispute, worker, job, &wish, NULL, 0, cells, fault)) {
        return false;
    }
    for (size_t slot = 0; slot < cells->count; slot++) {
        if (cells->cells[slot] != 0) {
            unsigned grade = dispute_grade(&grades, dispute_raw(cells->cells[slot]));
            profile->grades[grade][0] += is_in(evidence->bits, evidence->words, slot);
            profile->grades[grade][1]++;
        }
    }
    *scores = cells;
    return true;
}

/* counts: by column, side and code. */
static bool codes_count(struct engine_worker *worker, const struct engine_job *job,
                        const struct dispute_profile *profile, const struct dispute_cells *scores,
                        uint64_t (*counts)[2][BINS], struct proto_fault *fault)
{
    const struct dispute_evidence *evidence = &profile->evidence;
    struct dispute_codes reading = dispute_codes_begin(worker, profile->document);
    size_t columns = profile->document->codebook->column_count;
    for (uint32_t slot = 0; slot < scores->count; slot++) {
        if (slot % ROWS_PER_ASKING == 0 && !engine_scan_goes_on(job, fault)) {
            return false;
        }
        if (scores->cells[slot] == 0) {
            continue; /* no account */
        }
        const uint8_t *codes = dispute_codes_of(&reading, slot, fault);
        if (codes == NULL) {
            return false;
        }
        unsigned side = !is_in(evidence->bits, evidence->words, slot);
        for (size_t c = 0; c < columns; c++) {
            counts[c][side][codes[c]]++;
        }
    }
    return true;
}

static int by_distance(const void *left, const void *right)
{
    const struct dispute_apart_field *a = left;
    const struct dispute_apart_field *b = right;
    if (a->apart.distance != b->apart.distance) {
        return a->apart.distance < b->apart.distance ? 1 : -1;
    }
    return strcmp(a->field, b->field);
}

/* Those that chance does not explain, the most different first, `most` of them. */
static void fields_choose(struct dispute_profile *profile, double *chances, size_t count,
                          size_t most)
{
    size_t kept = 0;
    segment_holm(chances, count);
    for (size_t i = 0; i < count; i++) {
        profile->fields[i].apart.chance = chances[i];
        if (chances[i] <= LEVEL) {
            profile->fields[kept++] = profile->fields[i];
        }
    }
    qsort(profile->fields, kept, sizeof *profile->fields, by_distance);
    profile->field_count = kept < most ? kept : most;
}

static bool fields_make(struct engine_worker *worker, const struct engine_job *job,
                        const struct filter *filter, const struct dispute_cells *scores,
                        size_t most, struct dispute_profile *profile, struct proto_fault *fault)
{
    const struct feature_codebook *codebook = profile->document->codebook;
    size_t columns = codebook->column_count;
    uint64_t(*counts)[2][BINS] = calloc(columns + 1, sizeof *counts);
    double *chances = calloc(columns + 1, sizeof *chances);
    profile->fields = calloc(columns + 1, sizeof *profile->fields);
    bool good = counts != NULL && chances != NULL && profile->fields != NULL;
    if (!good) {
        (void)no_memory(fault);
    }
    good = good && codes_count(worker, job, profile, scores, counts, fault);
    for (size_t c = 0; good && c < columns; c++) {
        const struct feature_column *column = &codebook->columns[c];
        struct dispute_apart_field *field = &profile->fields[c];
        field->field = column->field_name;
        field->own = filter_reads(filter, column->field_id);
        field->apart = segment_apart(counts[c][0], counts[c][1], BINS);
        feature_bin_text(column, (uint8_t)field->apart.bin, field->bin, sizeof field->bin);
        chances[c] = field->apart.chance;
    }
    if (good) {
        fields_choose(profile, chances, columns, most);
    }
    free(counts);
    free(chances);
    return good;
}

bool dispute_profile_make(struct dispute *dispute, struct engine_worker *worker,
                          const struct engine_job *job, const struct dispute_evidence_ask *ask,
                          size_t most, struct dispute_profile *profile, struct proto_fault *fault)
{
    const struct engine_state *state = engine_worker_state(worker);
    const struct dispute_cells *scores = NULL;
    struct dispute_cells cells = {0};
    *profile = (struct dispute_profile){.document = NULL};
    bool good = dispute_evidence_make(dispute, worker, job, ask, &profile->evidence, fault);
    if (good && (ask->icp > 0 || state->active != NULL)) {
        profile->document = engine_state_document(state, ask->icp, fault);
        good = profile->document != NULL &&
               grades_count(dispute, worker, job, profile, &scores, &cells, fault) &&
               fields_make(worker, job, ask->filter, scores, most, profile, fault);
    }
    if (!good) {
        dispute_profile_fini(profile);
    }
    return good;
}

/* Which segments each account is in, bit i the one of place i. */
static bool masks_make(struct engine_worker *worker, const struct engine_job *job,
                       const struct filter_names *names, unsigned count, uint16_t *masks,
                       size_t slots, struct proto_fault *fault)
{
    const struct engine_state *state = engine_worker_state(worker);
    for (unsigned i = 0; i < count; i++) {
        uint64_t *bits = NULL;
        size_t words = 0;
        uint64_t size = 0;
        struct filter *filter = filter_parse(state->schema, names->items[i].text, fault, NULL);
        bool good = filter != NULL &&
                    dispute_evidence_members(worker, job, filter, &bits, &words, &size, fault);
        for (size_t slot = 0; good && slot < slots; slot++) {
            masks[slot] |= (uint16_t)(is_in(bits, words, slot) << i);
        }
        filter_destroy(filter);
        free(bits);
        if (!good) {
            return proto_fault_within(fault, "%.*s", (int)names->items[i].name.bytes,
                                      (const char *)names->items[i].name.data);
        }
    }
    return true;
}

static bool steps_make(const struct dispute_cells *cells, const uint16_t *masks, unsigned count,
                       struct dispute_frontier *frontier, struct proto_fault *fault)
{
    uint32_t negative = dispute_label_negative(cells);
    struct segment_counts *counts = calloc((size_t)1 << count, sizeof *counts);
    if (counts == NULL) {
        return no_memory(fault);
    }
    for (size_t slot = 0; slot < cells->count; slot++) {
        if (dispute_evidence_known(cells->cells[slot], negative)) {
            uint64_t outcome = cells->cells[slot] == DISPUTE_POSITIVE;
            counts[masks[slot]].accounts++;
            counts[masks[slot]].outcomes += outcome;
            frontier->all.accounts++;
            frontier->all.outcomes += outcome;
        }
    }
    frontier->count = segment_frontier(counts, count, frontier->steps);
    free(counts);
    for (size_t i = 0; i < frontier->count; i++) {
        const struct segment_counts *within = &frontier->steps[i].within;
        const struct dispute_side side = {within->accounts, within->outcomes, 0};
        dispute_wilson(&side, DISPUTE_NORMAL_95, &frontier->low[i], &frontier->high[i]);
    }
    return true;
}

bool dispute_frontier_make(struct dispute *dispute, struct engine_worker *worker,
                           const struct engine_job *job, uint64_t icp, struct proto_span outcome,
                           struct dispute_frontier *frontier, struct proto_fault *fault)
{
    const struct filter_names *names = engine_segments_names(engine_worker_state(worker)->segments);
    unsigned count =
        names->count < SEGMENT_FRONTIER_MAX ? (unsigned)names->count : SEGMENT_FRONTIER_MAX;
    struct dispute_label label;
    struct dispute_cells cells = {0};
    uint32_t version = 0;
    bool known = false;
    *frontier = (struct dispute_frontier){.count = 0};
    if (!dispute_evidence_label(worker, icp, outcome, &label, &version, &known, fault)) {
        return false;
    }
    if (!known) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "outcome",
                               "no version says what the outcome is: give one");
    }
    struct dispute_wish wish = dispute_label_wish(&label);
    bool good = dispute_column(dispute, worker, job, &wish, NULL, 0, &cells, fault);
    uint16_t *masks = good ? calloc(cells.count + 1, sizeof *masks) : NULL;
    if (good && masks == NULL) {
        good = no_memory(fault);
    }
    good = good && masks != NULL &&
           masks_make(worker, job, names, count, masks, cells.count, fault) &&
           steps_make(&cells, masks, count, frontier, fault);
    free(masks);
    dispute_label_fini(&label);
    return good;
}
