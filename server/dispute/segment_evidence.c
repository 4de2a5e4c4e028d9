/* SPDX-License-Identifier: Apache-2.0 */
/* The members are found by one walk, the outcomes by their column; one pass over both counts. Where
 * nobody says what the outcome is, sizes are all that is told, and that is no fault. */
#include "server/dispute/segment_evidence.h"

#include <stdlib.h>

#include "server/dispute/challenge.h"
#include "server/dispute/segment_find.h"
#include "server/engine/walk.h"

enum { SLOTS_PER_ASKING = 1 << 16 };

void dispute_evidence_fini(struct dispute_evidence *evidence)
{
    free(evidence->bits);
    dispute_label_fini(&evidence->label);
    *evidence = (struct dispute_evidence){0};
}

struct marking {
    uint64_t *bits;
    size_t slots;
};

static bool mark_one(void *context, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    const struct marking *marking = context;
    (void)raw;
    (void)fault;
    if (slot < marking->slots) {
        marking->bits[slot / 64] |= UINT64_C(1) << slot % 64;
    }
    return true;
}

bool dispute_evidence_members(struct engine_worker *worker, const struct engine_job *job,
                              const struct filter *filter, uint64_t **bits, size_t *words,
                              uint64_t *size, struct proto_fault *fault)
{
    size_t slots = store_view_slots(worker->view);
    *words = (slots + 63) / 64;
    *bits = calloc(*words + 1, sizeof **bits);
    if (*bits == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a segment");
    }
    struct marking marking = {*bits, slots};
    struct engine_walk walk = {
        .worker = worker, .job = job, .filter = filter, .context = &marking, .each = mark_one};
    bool good = engine_walk(&walk, fault);
    *size = walk.matched;
    return good;
}

bool dispute_evidence_label(struct engine_worker *worker, uint64_t icp, struct proto_span outcome,
                            struct dispute_label *label, uint32_t *version, bool *known,
                            struct proto_fault *fault)
{
    const struct engine_state *state = engine_worker_state(worker);
    struct proto_fault why = {.code = PROTO_OK};
    const struct learn_document *document = NULL;
    *label = (struct dispute_label){0};
    *version = 0;
    *known = false;
    if (icp > 0 || state->active != NULL) {
        document = engine_state_document(state, icp, fault);
        if (document == NULL) {
            return false;
        }
        *version = document->version;
        *known = dispute_label_read(worker, document, outcome, label, &why);
    } else if (outcome.bytes > 0) {
        label->outcome_text = outcome;
        *known = dispute_text_read(worker, outcome, "outcome", &label->outcome, &why);
    } else {
        return true;
    }
    if (*known) {
        return true;
    }
    dispute_label_fini(label);
    if (outcome.bytes == 0 && why.code == PROTO_BAD_FIELD) {
        return true; /* a version that a policy labelled, or that somebody wrote by hand */
    }
    *fault = why;
    return false;
}

static void slot_count(struct dispute_evidence *evidence, uint32_t slot,
                       struct segment_counts *all_held)
{
    uint32_t cell = evidence->outcomes[slot];
    bool in = (evidence->bits[slot / 64] >> slot % 64 & 1) != 0;
    uint64_t outcome = cell == DISPUTE_POSITIVE;
    struct segment_counts *side = in ? &evidence->in : &evidence->out;
    if (!dispute_evidence_known(cell, evidence->negative)) {
        return;
    }
    side->accounts++;
    side->outcomes += outcome;
    if (!dispute_slot_searched(slot)) {
        all_held->accounts++;
        all_held->outcomes += outcome;
        evidence->held.accounts += in;
        evidence->held.outcomes += in ? outcome : 0;
    }
}

static void interval(const struct segment_counts *counts, double *low, double *high)
{
    struct dispute_side side = {counts->accounts, counts->outcomes, 0};
    *low = 0;
    *high = 1;
    if (counts->accounts > 0) {
        dispute_wilson(&side, DISPUTE_NORMAL_95, low, high);
    }
}

static bool outcomes_count(struct dispute *dispute, struct engine_worker *worker,
                           const struct engine_job *job, struct dispute_evidence *evidence,
                           struct proto_fault *fault)
{
    struct dispute_wish wish = dispute_label_wish(&evidence->label);
    struct segment_counts all_held = {0, 0};
    struct dispute_cells cells = {0};
    if (!dispute_column(dispute, worker, job, &wish, NULL, 0, &cells, fault)) {
        return false;
    }
    evidence->outcomes = cells.cells;
    evidence->outcome_count = cells.count;
    evidence->negative = dispute_label_negative(&cells);
    for (uint32_t slot = 0; slot < cells.count && slot / 64 < evidence->words; slot++) {
        if (slot % SLOTS_PER_ASKING == 0 && !engine_scan_goes_on(job, fault)) {
            return false;
        }
        slot_count(evidence, slot, &all_held);
    }
    interval(&evidence->in, &evidence->low, &evidence->high);
    interval(&evidence->held, &evidence->held_low, &evidence->held_high);
    evidence->chance = evidence->held.accounts > 0 ? segment_fisher(&all_held, &evidence->held) : 1;
    return true;
}

bool dispute_evidence_make(struct dispute *dispute, struct engine_worker *worker,
                           const struct engine_job *job, const struct dispute_evidence_ask *ask,
                           struct dispute_evidence *evidence, struct proto_fault *fault)
{
    *evidence = (struct dispute_evidence){.seq = engine_worker_seq(worker),
                                          .base = engine_worker_accounts(worker)};
    bool good = dispute_evidence_label(worker, ask->icp, ask->outcome, &evidence->label,
                                       &evidence->icp, &evidence->known, fault) &&
                dispute_evidence_members(worker, job, ask->filter, &evidence->bits,
                                         &evidence->words, &evidence->size, fault) &&
                (!evidence->known || outcomes_count(dispute, worker, job, evidence, fault));
    if (!good) {
        dispute_evidence_fini(evidence);
    }
    return good;
}
