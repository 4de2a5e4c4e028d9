/* SPDX-License-Identifier: Apache-2.0 */
#include "server/engine/walk.h"

#include <assert.h>

#include "server/engine/scores.h"
#include "server/engine/version.h"

enum { BLOCKS_PER_ASKING = 64 }; /* some 4,000 rows, well below a millisecond */

/* A walk under way. */
struct pass {
    struct engine_walk *walk;
    struct engine_worker *worker;
    struct filter_rows *rows; /* NULL: no filter */
    bool use_rows;            /* the rows' codes mean what the filter was compiled against */
    bool raw_from_rows;
    const struct engine_scores *scores; /* in memory, of the document that scores; NULL: none */
    bool ended;                         /* by each() */
};

bool engine_values(struct engine_worker *worker, uint32_t slot, struct proto_span *id,
                   struct proto_fault *fault)
{
    size_t slots = worker->state->schema ? worker->state->schema->id_count : 0;
    struct proto_span bytes;
    struct feature_record record;
    if (!ENGINE_SCRATCH(worker, values, value_slots, slots, fault) ||
        !store_record(worker->view, slot, &bytes, fault) ||
        !feature_record_open(bytes, false, &record, fault)) {
        return false;
    }
    feature_record_values(&record, worker->values, slots);
    if (id) {
        *id = record.id;
    }
    return true;
}

bool engine_values_raw(struct engine_worker *worker, const struct learn_document *document,
                       int64_t *raw, struct proto_fault *fault)
{
    if (!ENGINE_SCRATCH(worker, codes, code_bytes, document->codebook->row_bytes, fault)) {
        return false;
    }
    feature_codebook_encode(document->codebook, worker->values,
                            worker->state->schema ? worker->state->schema->id_count : 0,
                            worker->codes);
    *raw = model_raw(document->scorecard, worker->codes);
    return true;
}

/* Tells of one account that matches. */
static bool found(struct pass *pass, uint32_t slot, int64_t raw, struct proto_fault *fault)
{
    struct engine_walk *walk = pass->walk;
    walk->matched++;
    if (!walk->each) {
        return true;
    }
    struct proto_fault local; /* its texts are read where there is a code alone */
    local.code = PROTO_OK;
    pass->ended = !walk->each(walk->context, slot, raw, &local);
    if (local.code != PROTO_OK) {
        *fault = local;
        return false;
    }
    return true;
}

/* One account by its record alone. */
static bool visit_record(struct pass *pass, uint32_t slot, struct proto_fault *fault)
{
    struct engine_walk *walk = pass->walk;
    struct engine_worker *worker = pass->worker;
    struct proto_fault local = {0};
    int64_t raw = 0;
    if (!engine_values(worker, slot, NULL, &local)) {
        if (local.code == PROTO_NOT_FOUND) {
            return true;
        }
        *fault = local;
        return false;
    }
    if (walk->document && !engine_values_raw(worker, walk->document, &raw, fault)) {
        return false;
    }
    if (pass->rows) {
        struct filter_block block = {.count = 1, .slot = slot, .raws = &raw};
        struct filter_verdict verdict = filter_rows_block(pass->rows, &block);
        bool matches = verdict.sure != 0 ||
                       (verdict.maybe != 0 &&
                        filter_match_known(walk->filter, worker->values, worker->value_slots,
                                           filter_rows_known(pass->rows, 0)));
        if (!matches) {
            return true;
        }
    }
    return found(pass, slot, raw, fault);
}

/* Whether a row that the bins do not decide matches. */
static bool look(struct pass *pass, uint32_t slot, unsigned row, bool *matches,
                 struct proto_fault *fault)
{
    struct engine_worker *worker = pass->worker;
    if (!engine_values(worker, slot, NULL, fault)) {
        return false;
    }
    *matches = filter_match_known(pass->walk->filter, worker->values, worker->value_slots,
                                  filter_rows_known(pass->rows, row));
    return true;
}

/* Scores of all rows of a block; those of rows that are no accounts mean nothing. */
static void block_raws(const struct pass *pass, const struct store_rows *rows, int64_t *raws)
{
    const struct model_scorecard *scorecard = pass->walk->document->scorecard;
    uint64_t known = pass->scores ? engine_scores_run(pass->scores, pass->worker->view, rows->slot,
                                                      rows->count, raws)
                                  : 0;
    if ((rows->living & ~known) == 0) {
        return;
    }
    if (rows->damaged == 0) {
        model_raw_many(scorecard, rows->codes, rows->stride, rows->count, raws);
        return;
    }
    for (unsigned i = 0; i < rows->count; i++) {
        /* Codes of a damaged row may lead beyond the tables. */
        bool sound = (rows->living >> i & 1) != 0;
        raws[i] = sound ? model_raw(scorecard, rows->codes + i * rows->stride) : 0;
    }
}

static bool visit_rows(struct pass *pass, const struct store_rows *rows, struct proto_fault *fault)
{
    struct engine_walk *walk = pass->walk;
    int64_t raws[FILTER_BLOCK_ROWS] = {0};
    struct filter_verdict verdict = {rows->living, rows->living};
    if (pass->raw_from_rows) {
        block_raws(pass, rows, raws);
    }
    if (pass->rows) {
        struct filter_block block = {rows->codes, rows->stride, rows->count, rows->slot, raws};
        verdict = filter_rows_block(pass->rows, &block);
    }
    uint64_t sure = verdict.sure & rows->living;
    if (!walk->each && rows->damaged == 0) {
        walk->matched += (unsigned)__builtin_popcountll(sure);
        sure = 0;
    }
    uint64_t left = sure | (verdict.maybe & ~verdict.sure & rows->living) | rows->damaged;
    for (; left != 0 && !pass->ended; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);
        uint32_t slot = rows->slot + i;
        bool matches = (sure >> i & 1) != 0;
        if ((rows->damaged >> i & 1) != 0 || (walk->document && !pass->raw_from_rows)) {
            if (!visit_record(pass, slot, fault)) {
                return false;
            }
            continue;
        }
        if ((!matches && !look(pass, slot, i, &matches, fault)) ||
            (matches && !found(pass, slot, raws[i], fault))) {
            return false;
        }
    }
    return true;
}

/* The accounts of a block by their scores in memory alone, where nothing else is asked for; false,
 * nothing visited, if one of them is not there. */
static bool visit_scores(struct pass *pass, uint32_t slot, unsigned count, bool *good,
                         struct proto_fault *fault)
{
    int64_t raws[STORE_ROWS_MAX];
    assert(count > 0 && count <= STORE_ROWS_MAX);
    uint64_t all = UINT64_MAX >> (64 - count);
    if (!pass->scores || pass->rows ||
        engine_scores_run(pass->scores, pass->worker->view, slot, count, raws) != all) {
        return false;
    }
    *good = true;
    for (unsigned i = 0; i < count && *good && !pass->ended; i++) {
        *good = found(pass, slot + i, raws[i], fault);
    }
    return true;
}

/* The rows of the block that begins at the slot, or its records; *next is the slot behind it. */
static bool visit_block(struct pass *pass, uint32_t slot, uint32_t slots, uint32_t *next,
                        struct proto_fault *fault)
{
    struct store_rows rows;
    struct proto_fault local = {0};
    bool good = false;
    unsigned count = STORE_ROWS_MAX - slot % STORE_ROWS_MAX;
    count = slots - slot < count ? slots - slot : count;
    *next = slot + count;
    if (visit_scores(pass, slot, count, &good, fault)) {
        return good;
    }
    if (pass->use_rows && store_rows(pass->worker->view, slot, &rows, &local)) {
        *next = slot + rows.count;
        return visit_rows(pass, &rows, fault);
    }
    for (; slot < *next && !pass->ended; slot++) {
        if (!visit_record(pass, slot, fault)) {
            return false;
        }
    }
    return true;
}

/* The version whose codebook the rows were encoded with, if one has it. */
static const struct learn_document *document_of_rows(const struct engine_worker *worker)
{
    const struct engine_state *state = worker->state;
    uint64_t digest = store_view_rows_digest(worker->view);
    if (state->active && state->active->codebook->digest == digest) {
        return state->active;
    }
    /* Rows of another version are those of the one before, until they are encoded anew. */
    for (size_t i = digest == 0 ? 0 : state->document_count; i > 0; i--) {
        struct proto_fault fault = {.code = PROTO_OK};
        const struct learn_document *document =
            engine_version_open(state->versions[i - 1], state, &fault);
        if (document && document->codebook->digest == digest) {
            return document;
        }
    }
    return NULL;
}

static double fact_fit(void *context, int64_t raw)
{
    const struct engine_facts *facts = context;
    return model_fit(facts->document->scorecard, raw);
}

static double fact_p(void *context, int64_t raw)
{
    const struct engine_facts *facts = context;
    return model_p(facts->document->scorecard, raw);
}

static double fact_grade(void *context, int64_t raw)
{
    const struct engine_facts *facts = context;
    const struct model_scorecard *scorecard = facts->document->scorecard;
    return 'D' - model_grade(scorecard, model_fit(scorecard, raw));
}

static bool fact_list(void *context, struct proto_span name, const uint32_t **slots, size_t *count,
                      struct proto_fault *fault)
{
    const struct engine_facts *facts = context;
    return engine_state_list_slots(facts->worker->state, name, slots, count, fault);
}

struct filter_facts engine_filter_facts(struct engine_facts *facts)
{
    return (struct filter_facts){facts, fact_fit, fact_p, fact_grade, fact_list};
}

static bool pass_run(struct pass *pass, struct proto_fault *fault)
{
    const struct engine_walk *walk = pass->walk;
    uint32_t slots = store_view_slots(pass->worker->view);
    uint32_t next = walk->from;
    for (unsigned blocks = 0; next < slots && !pass->ended; blocks++) {
        if ((blocks % BLOCKS_PER_ASKING == 0 && !engine_scan_goes_on(walk->job, fault)) ||
            !visit_block(pass, next, slots, &next, fault)) {
            return false;
        }
    }
    return true;
}

bool engine_walk(struct engine_walk *walk, struct proto_fault *fault)
{
    struct pass pass = {.walk = walk, .worker = walk->worker};
    const struct learn_document *coded = document_of_rows(walk->worker);
    struct engine_facts own = {walk->worker, walk->document};
    struct filter_facts facts = engine_filter_facts(&own);
    bool same =
        walk->document && coded && walk->document->codebook->digest == coded->codebook->digest;
    bool reads_score = walk->filter && filter_reads_score(walk->filter);
    walk->matched = 0;
    pass.use_rows = coded && (same || !reads_score);
    pass.raw_from_rows = pass.use_rows && same;
    const struct engine_scores *scores = walk->worker->state->scores;
    pass.scores = scores && scores->document == walk->document ? scores : NULL;
    if (walk->filter) {
        pass.rows = filter_rows_compile(walk->filter, pass.use_rows ? coded->codebook : NULL,
                                        &facts, fault);
        if (!pass.rows) {
            return false;
        }
    }
    bool ok = pass_run(&pass, fault);
    filter_rows_destroy(pass.rows);
    return ok;
}
