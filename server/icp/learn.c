/* SPDX-License-Identifier: Apache-2.0 */
#include "server/icp/learn.h"

#include <math.h>
#include <stdlib.h>

#include "server/icp/groups.h"
#include "server/icp/report.h"
#include "server/icp/sample.h"
#include "server/icp/split.h"

#define HELD_OUT_SHARE 0.3
#define CLASS_ROWS_MIN 20    /* positives and negatives in all */
#define CLASS_LEARNED_MIN 10 /* in the part to learn from */

/* All that learning holds; freed in one place. */
struct learning {
    const struct icp_learn_options *options;
    struct proto_fault *fault;
    struct icp_sample sample;
    uint32_t *groups; /* by row of the sample; NULL if every row is its own */
    size_t group_count;
    struct icp_subset all, learned, held_out;
    struct icp_field_report *checked;
    size_t checked_count;
    uint16_t *field_ids; /* that the guard let pass */
    size_t field_count;
    struct icp_evidence evidence;
    struct icp_report report;
    double done_from, done_share; /* of the stage that runs */
    const char *stage;
};

/* Rows of a subset with their codes: what a fit needs. */
struct block {
    struct feature_codebook *codebook;
    uint8_t *codes;
    struct icp_grid *grid;
    uint32_t *groups; /* NULL if every row is its own */
    struct icp_split_rows rows;
};

static bool no_memory(struct learning *learning)
{
    return proto_fault_set(learning->fault, PROTO_NO_MEMORY, "", "no memory to learn from %zu rows",
                           learning->sample.rows);
}

static void block_fini(struct block *block)
{
    feature_codebook_destroy(block->codebook);
    icp_grid_destroy(block->grid);
    free(block->codes);
    free(block->groups);
    *block = (struct block){0};
}

/* The groups of a subset's rows, or NULL if every row is its own. */
static bool groups_pick(struct learning *learning, const struct icp_subset *subset,
                        uint32_t **picked)
{
    *picked = NULL;
    if (learning->groups == NULL) {
        return true;
    }
    *picked = malloc((subset->count + 1) * sizeof **picked);
    for (size_t i = 0; *picked != NULL && i < subset->count; i++) {
        (*picked)[i] = learning->groups[subset->rows[i]];
    }
    return *picked != NULL || no_memory(learning);
}

static bool block_init(struct block *block, struct learning *learning,
                       const struct icp_subset *subset, const uint16_t *field_ids,
                       size_t field_count)
{
    struct proto_fault *fault = learning->fault;
    *block = (struct block){0};
    block->codebook = icp_sample_codebook(&learning->sample, subset, field_ids, field_count, fault);
    if (block->codebook == NULL) {
        return false;
    }
    block->codes = icp_sample_encode(&learning->sample, subset, block->codebook, fault);
    if (block->codes == NULL) {
        return false;
    }
    block->grid = icp_sample_grid(&learning->sample, subset, block->codebook, block->codes, fault);
    if (block->grid == NULL || !groups_pick(learning, subset, &block->groups)) {
        return false;
    }
    block->rows = (struct icp_split_rows){block->grid->rows, block->grid->labels, block->groups,
                                          learning->group_count};
    return true;
}

static bool on_fit_progress(void *context, double done)
{
    const struct learning *learning = context;
    const struct icp_learn_options *options = learning->options;
    return options->on_progress == NULL ||
           options->on_progress(options->progress_context,
                                learning->done_from + learning->done_share * done, learning->stage);
}

static bool stage_begin(struct learning *learning, const char *stage, double from, double share)
{
    learning->stage = stage;
    learning->done_from = from;
    learning->done_share = share;
    return on_fit_progress(learning, 0.0) ||
           proto_fault_set(learning->fault, PROTO_CANCELLED, "", "learning was cancelled");
}

static size_t positives_count(const struct icp_sample *sample, const struct icp_subset *subset)
{
    size_t positives = 0;
    for (size_t i = 0; i < subset->count; i++) {
        positives += sample->labels[subset->rows[i]];
    }
    return positives;
}

static bool classes_check(struct learning *learning, const struct icp_subset *subset, size_t needed,
                          const char *where)
{
    size_t positives = positives_count(&learning->sample, subset);
    size_t negatives = subset->count - positives;
    if (positives >= needed && negatives >= needed) {
        return true;
    }
    return proto_fault_set(learning->fault, PROTO_BAD_FIELD, "label",
                           "%zu positives and %zu negatives %s; at least %zu of each are needed",
                           positives, negatives, where, needed);
}

static bool subset_init(struct icp_subset *subset, size_t rows)
{
    subset->rows = malloc((rows + 1) * sizeof *subset->rows);
    subset->count = 0;
    return subset->rows != NULL;
}

static bool rows_divide(struct learning *learning)
{
    struct icp_sample *sample = &learning->sample;
    const struct icp_learn_options *options = learning->options;
    bool *held_out = calloc(sample->rows + 1, sizeof *held_out);
    bool ok = held_out != NULL && subset_init(&learning->learned, sample->rows) &&
              subset_init(&learning->held_out, sample->rows);
    if (ok && options->time_field_id >= 0) {
        learning->report.split = "time";
        ok = icp_split_time(sample->times, sample->rows, HELD_OUT_SHARE, held_out);
    } else if (ok) {
        struct icp_split_rows rows = {sample->rows, sample->labels, learning->groups,
                                      learning->group_count};
        learning->report.split = "random";
        ok = icp_split_random(&rows, HELD_OUT_SHARE, options->seed, held_out);
    }
    for (size_t i = 0; ok && i < sample->rows; i++) {
        struct icp_subset *side = held_out[i] ? &learning->held_out : &learning->learned;
        side->rows[side->count++] = (uint32_t)i;
    }
    free(held_out);
    return ok || no_memory(learning);
}

static bool rows_read(struct learning *learning, const struct icp_population *population)
{
    if (!icp_sample_read(population, learning->options, &learning->sample, learning->fault)) {
        return false;
    }
    if (!subset_init(&learning->all, learning->sample.rows)) {
        return no_memory(learning);
    }
    for (size_t i = 0; i < learning->sample.rows; i++) {
        learning->all.rows[learning->all.count++] = (uint32_t)i;
    }
    if (!classes_check(learning, &learning->all, CLASS_ROWS_MIN, "in the population") ||
        !icp_groups_find(&learning->sample, &learning->groups, &learning->group_count,
                         learning->fault)) {
        return false;
    }
    if (learning->groups != NULL) {
        learning->report.grouped = true;
        icp_report_warn(&learning->report,
                        "the %zu rows repeat %zu profiles: rows of one profile are kept together, "
                        "and intervals count profiles",
                        learning->sample.rows, learning->group_count);
    }
    return rows_divide(learning) && classes_check(learning, &learning->learned, CLASS_LEARNED_MIN,
                                                  "in the part to learn from");
}

/* Numbers that count rows (lead numbers, serial ids) order them by arrival and pass for signal. */
static void numbered_check(struct learning *learning, struct icp_field_report *report)
{
    struct icp_sample *sample = &learning->sample;
    const struct feature_field *field =
        feature_schema_by_id(learning->options->schema, report->field_id);
    if (field == NULL || field->type != FEATURE_NUMBER || report->verdict == ICP_FIELD_CONSTANT) {
        return;
    }
    double *numbers = malloc((learning->learned.count + 1) * sizeof *numbers);
    size_t count = 0;
    for (size_t i = 0; numbers != NULL && i < learning->learned.count; i++) {
        size_t row = sample->index[learning->learned.rows[i]];
        memset(sample->values, 0, sample->slots * sizeof *sample->values);
        if (sample->population->values(sample->population->context, row, sample->values,
                                       sample->slots) &&
            sample->values[report->field_id].present) {
            numbers[count++] = sample->values[report->field_id].number;
        }
    }
    if (numbers != NULL && icp_leakage_numbered(numbers, count)) {
        report->verdict = ICP_FIELD_IDENTIFIER;
    }
    free(numbers);
}

static void verdicts_apply(struct learning *learning)
{
    bool keep = learning->options->keep_leaks;
    for (size_t i = 0; i < learning->checked_count; i++) {
        struct icp_field_report *report = &learning->checked[i];
        numbered_check(learning, report);
        const struct feature_field *field =
            feature_schema_by_id(learning->options->schema, report->field_id);
        report->name = field->name;
        if (!icp_verdict_refuses(report->verdict, keep)) {
            learning->field_ids[learning->field_count++] = report->field_id;
        }
        if (report->verdict == ICP_FIELD_WARNED ||
            (keep && icp_verdict_refuses(report->verdict, false) &&
             !icp_verdict_refuses(report->verdict, true))) {
            char reason[512];
            icp_leakage_reason(report, reason, sizeof reason);
            icp_report_warn(&learning->report, "%s: %s", report->name, reason);
        }
    }
}

static bool fields_check(struct learning *learning)
{
    const struct icp_learn_options *options = learning->options;
    struct block block;
    uint8_t *folds = malloc(learning->learned.count + 1);
    learning->field_ids = calloc(options->field_count + 1, sizeof *learning->field_ids);
    learning->checked = calloc(options->field_count + 1, sizeof *learning->checked);
    bool ok =
        block_init(&block, learning, &learning->learned, options->field_ids, options->field_count);
    if (ok && (folds == NULL || learning->field_ids == NULL || learning->checked == NULL)) {
        ok = no_memory(learning);
    }
    if (ok) {
        ok = icp_split_folds(&block.rows, ICP_BAGS, options->seed, folds) || no_memory(learning);
    }
    ok = ok && icp_leakage_check(block.grid, block.codebook, folds, ICP_BAGS, learning->checked,
                                 &learning->checked_count, learning->fault);
    if (ok) {
        verdicts_apply(learning);
    }
    block_fini(&block);
    free(folds);
    if (ok && learning->field_count == 0) {
        return proto_fault_set(learning->fault, PROTO_BAD_FIELD, "fields",
                               "none of the %zu fields can be learned from: each is constant, an "
                               "identifier or a suspected leak",
                               options->field_count);
    }
    return ok;
}

static bool block_fit(struct learning *learning, const struct block *block, struct icp_fit *fit)
{
    struct icp_fit_options options = {.codebook = block->codebook,
                                      .rows = &block->rows,
                                      .seed = learning->options->seed,
                                      .pairs_max = learning->options->pairs_max,
                                      .on_progress = on_fit_progress,
                                      .progress_context = learning};
    return icp_fit_run(block->grid, &options, fit, learning->fault);
}

static bool evidence_refuse(struct learning *learning)
{
    const struct icp_evidence *e = &learning->evidence;
    return proto_fault_set(
        learning->fault, PROTO_NO_EVIDENCE, "label",
        "on %zu rows held out (%zu positives, split %s) the AUC is %.3f, 95 %% interval %.3f to "
        "%.3f, and %.3f (%.3f to %.3f) out of fold on the others, which does not beat chance: the "
        "fields do not tell positives from negatives",
        e->rows, e->auc.positives, learning->report.split, e->auc.auc, e->auc.low, e->auc.high,
        e->out_of_fold.auc, e->out_of_fold.low, e->out_of_fold.high);
}

/* Learns from one part and looks once at the other. */
static bool evidence_take(struct learning *learning)
{
    struct block block;
    struct icp_fit fit = {0};
    uint8_t *codes = NULL;
    uint8_t *labels = malloc(learning->held_out.count + 1);
    uint32_t *groups = NULL;
    bool ok = block_init(&block, learning, &learning->learned, learning->field_ids,
                         learning->field_count);
    ok = ok && (labels != NULL || no_memory(learning)) && block_fit(learning, &block, &fit);
    if (ok) {
        codes = icp_sample_encode(&learning->sample, &learning->held_out, block.codebook,
                                  learning->fault);
        for (size_t i = 0; i < learning->held_out.count; i++) {
            labels[i] = learning->sample.labels[learning->held_out.rows[i]];
        }
        ok = codes != NULL && groups_pick(learning, &learning->held_out, &groups) &&
             icp_evidence_measure(fit.scorecard, codes, block.codebook->row_bytes, labels,
                                  learning->held_out.count, groups, learning->group_count,
                                  &learning->evidence, learning->fault);
        learning->evidence.out_of_fold = fit.out_of_fold;
    }
    if (ok && !icp_evidence_holds(&learning->evidence)) {
        ok = evidence_refuse(learning);
    }
    model_destroy(fit.scorecard);
    free(codes);
    free(labels);
    free(groups);
    block_fini(&block);
    return ok;
}

static int weight_order(const void *x, const void *y)
{
    const struct icp_field_weight *a = x;
    const struct icp_field_weight *b = y;
    if (a->importance != b->importance) {
        return a->importance > b->importance ? -1 : 1;
    }
    return strcmp(a->name, b->name);
}

/* Mean size of what each field adds to the score over all rows; a pair counts half to either field.
 */
static bool weights_measure(const struct learning *learning, const struct block *block,
                            const struct model_scorecard *scorecard,
                            struct icp_field_weight *weights)
{
    size_t fields = learning->checked_count;
    size_t *slot = calloc(learning->sample.slots + 1, sizeof *slot);
    double *sums = calloc(fields + 1, sizeof *sums);
    int32_t *parts = calloc(scorecard->term_count + 1, sizeof *parts);
    bool ok = slot != NULL && sums != NULL && parts != NULL;
    for (size_t f = 0; ok && f < fields; f++) {
        slot[learning->checked[f].field_id] = f;
        weights[f] =
            (struct icp_field_weight){learning->checked[f].name, 0.0, learning->checked[f].auc};
    }
    for (size_t i = 0; ok && i < block->grid->rows; i++) {
        memset(sums, 0, fields * sizeof *sums);
        model_contributions(scorecard, block->codes + i * block->codebook->row_bytes, parts);
        for (size_t t = 0; t < scorecard->term_count; t++) {
            const struct model_term *term = &scorecard->terms[t];
            bool pair = term->column_b != MODEL_NO_COLUMN;
            double part = (double)parts[t] * (pair ? 0.5e-6 : 1e-6);
            sums[slot[block->codebook->columns[term->column_a].field_id]] += part;
            if (pair) {
                sums[slot[block->codebook->columns[term->column_b].field_id]] += part;
            }
        }
        for (size_t f = 0; f < fields; f++) {
            weights[f].importance += fabs(sums[f]) / (double)block->grid->rows;
        }
    }
    free(slot);
    free(sums);
    free(parts);
    return ok;
}

/* Learns again from all rows with the same settings, and writes everything down. */
static char *document_make(struct learning *learning)
{
    struct block block;
    struct icp_fit fit = {0};
    char *text = NULL;
    struct icp_field_weight *weights = calloc(learning->checked_count + 1, sizeof *weights);
    bool ok =
        block_init(&block, learning, &learning->all, learning->field_ids, learning->field_count);
    ok = ok && block_fit(learning, &block, &fit);
    if (ok && (weights == NULL || !weights_measure(learning, &block, fit.scorecard, weights))) {
        ok = no_memory(learning);
    }
    if (ok) {
        struct icp_report *report = &learning->report;
        size_t used = 0;
        for (size_t f = 0; f < learning->checked_count; f++) {
            if (!icp_verdict_refuses(learning->checked[f].verdict, learning->options->keep_leaks)) {
                weights[used++] = weights[f];
            }
        }
        qsort(weights, used, sizeof *weights, weight_order);
        report->held_out_share = HELD_OUT_SHARE;
        report->rows = learning->all.count;
        report->positives = positives_count(&learning->sample, &learning->all);
        report->evidence = &learning->evidence;
        report->fit = &fit;
        report->codebook = block.codebook;
        report->fields = weights;
        report->field_count = used;
        report->checked = learning->checked;
        report->checked_count = learning->checked_count;
        text = icp_report_print(report, learning->fault);
    }
    model_destroy(fit.scorecard);
    free(weights);
    block_fini(&block);
    return text;
}

static bool options_check(const struct icp_learn_options *options, struct proto_fault *fault)
{
    if (options->seed > INT64_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "seed", "it must be below 2^63");
    }
    if (options->field_count == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "fields", "there is no field to learn from");
    }
    return true;
}

char *icp_learn(const struct icp_population *population, const struct icp_learn_options *options,
                struct proto_fault *fault)
{
    struct learning learning = {.options = options, .fault = fault, .report = {.options = options}};
    char *text = NULL;
    if (options_check(options, fault) && rows_read(&learning, population) &&
        stage_begin(&learning, "check", 0.1, 0.0) && fields_check(&learning) &&
        stage_begin(&learning, "learn", 0.15, 0.4) && evidence_take(&learning) &&
        stage_begin(&learning, "refit", 0.55, 0.45)) {
        text = document_make(&learning);
    }
    icp_sample_fini(&learning.sample);
    icp_report_fini(&learning.report);
    free(learning.groups);
    free(learning.all.rows);
    free(learning.learned.rows);
    free(learning.held_out.rows);
    free(learning.checked);
    free(learning.field_ids);
    return text;
}
