/* SPDX-License-Identifier: Apache-2.0 */
/* The steps of learn.h in their order: read and group the rows, divide them, check the fields, fit
 * on one part and look once at the other, fit again on all and write it down. A step that cannot go
 * on sets the fault, and one exit frees everything. */
#include "server/learn/learn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/learn/block.h"
#include "server/learn/groups.h"
#include "server/learn/guard.h"
#include "server/learn/report.h"
#include "server/learn/sample.h"
#include "server/learn/split.h"
#include "server/learn/value_learn.h"

#define HELD_OUT_SHARE 0.3
#define CLASS_ROWS_MIN 20    /* positives and negatives in all */
#define POWER_ERRORS 2.8     /* 1.96 to be told from chance, 0.84 for four times in five */
#define CLASS_LEARNED_MIN 10 /* in the part to learn from */

/* All that learning holds; freed in one place. */
struct learning {
    const struct learn_options *options;
    struct proto_fault *fault;
    struct learn_sample sample;
    struct learn_groups groups; /* of rows that are one account */
    struct learn_subset all, learned, held_out;
    struct learn_field_report *checked;
    size_t checked_count;
    struct learn_field_weight *weights;
    uint16_t *field_ids; /* that the guard let pass */
    size_t field_count;
    struct learn_evidence evidence;
    struct learn_report report;
    double done_from, done_share; /* of the stage that runs */
    const char *stage;
};

static bool no_memory(struct learning *learning)
{
    proto_fault_set(learning->fault, PROTO_NO_MEMORY, "", "no memory to learn from %zu rows",
                    learning->sample.rows);
    return false;
}

static bool block_init(struct learn_block *block, struct learning *learning,
                       const struct learn_subset *subset, const uint16_t *field_ids,
                       size_t field_count)
{
    return learn_block_init(block, &learning->sample, subset, field_ids, field_count,
                            learning->fault) &&
           learn_block_group(block, subset, learning->groups.of_row, learning->groups.count,
                             learning->fault);
}

static bool on_fit_progress(void *context, double done)
{
    const struct learning *learning = context;
    const struct learn_options *options = learning->options;
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

static size_t positives_count(const struct learn_sample *sample, const struct learn_subset *subset)
{
    size_t positives = 0;
    for (size_t i = 0; i < subset->count; i++) {
        positives += sample->labels[subset->rows[i]];
    }
    return positives;
}

static bool classes_check(struct learning *learning, const struct learn_subset *subset,
                          size_t needed, const char *where)
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

static bool subset_init(struct learn_subset *subset, size_t rows)
{
    subset->rows = malloc((rows + 1) * sizeof *subset->rows);
    subset->count = 0;
    return subset->rows != NULL;
}

/* A split by time passes over later rows of accounts that earlier ones are of: to meet again whom
 * one has learned by heart is no evidence. */
static bool known_pass(struct learning *learning, const struct learn_split_rows *rows,
                       const bool *held_out, bool *passed)
{
    size_t count = 0;
    if (learning->groups.of_row == NULL || learning->options->time_field_id < 0) {
        return true;
    }
    if (!learn_split_pass_known(rows, held_out, passed, &count)) {
        return false;
    }
    if (count > 0) {
        learn_report_warn(&learning->report,
                          "%zu of the latest rows are of accounts that earlier rows are of: the "
                          "evidence does not count them",
                          count);
    }
    return true;
}

static bool rows_divide(struct learning *learning)
{
    struct learn_sample *sample = &learning->sample;
    const struct learn_options *options = learning->options;
    struct learn_split_rows rows = {sample->rows, sample->labels, learning->groups.of_row,
                                    learning->groups.count};
    bool *held_out = calloc(sample->rows + 1, sizeof *held_out);
    bool *passed = calloc(sample->rows + 1, sizeof *passed);
    bool ok = held_out != NULL && passed != NULL && subset_init(&learning->learned, sample->rows) &&
              subset_init(&learning->held_out, sample->rows);
    bool by_time = options->time_field_id >= 0;
    learning->report.split = by_time ? "time" : "random";
    ok = ok && (by_time ? learn_split_time(sample->times, sample->rows, HELD_OUT_SHARE, held_out)
                        : learn_split_random(&rows, HELD_OUT_SHARE, options->seed, held_out));
    ok = ok && known_pass(learning, &rows, held_out, passed);
    for (size_t i = 0; ok && i < sample->rows; i++) {
        struct learn_subset *side = held_out[i] ? &learning->held_out : &learning->learned;
        if (!passed[i]) {
            side->rows[side->count++] = (uint32_t)i;
        }
    }
    free(held_out);
    free(passed);
    return ok || no_memory(learning);
}

static void weights_tell(struct learning *learning)
{
    const struct learn_sample *sample = &learning->sample;
    if (sample->unweighted > 0) {
        learn_report_warn(&learning->report,
                          "%zu of %zu rows have no weight: each counts as the average row",
                          sample->unweighted, sample->rows);
    }
}

/* What is done with rows that have no outcome. */
static void blanks_tell(struct learning *learning)
{
    const struct learn_sample *sample = &learning->sample;
    if (sample->blanks > 0) {
        learn_report_warn(
            &learning->report,
            sample->blanks_negative
                ? "no row says that the outcome is not there: the %zu rows without a "
                  "value of what the label reads count as negatives"
                : "%zu rows have no value of what the label reads, so no outcome: they "
                  "are left out; 'is missing' in the label counts them",
            sample->blanks);
    }
}

static void groups_tell(struct learning *learning)
{
    const struct learn_groups *groups = &learning->groups;
    char how[160];
    (void)snprintf(how, sizeof how, "%s%s%s%s", groups->name != NULL ? "the same '" : "",
                   groups->name != NULL ? groups->name : "", groups->name != NULL ? "'" : "",
                   groups->alike ? groups->name != NULL ? ", or nearly the same values"
                                                        : "nearly the same values"
                                 : "");
    if (how[0] == '\0') {
        (void)snprintf(how, sizeof how, "as they are told");
    }
    learning->report.grouped = true;
    learn_report_warn(
        &learning->report,
        "%zu of %zu rows are of an account that other rows are of too (%s; %zu "
        "accounts in all): rows of one account are kept together, and intervals count "
        "accounts",
        groups->rows_repeated, learning->sample.rows, how, groups->count);
}

static bool rows_read(struct learning *learning, const struct learn_population *population)
{
    if (!learn_sample_read(population, learning->options, &learning->sample, learning->fault)) {
        return false;
    }
    if (!subset_init(&learning->all, learning->sample.rows)) {
        return no_memory(learning);
    }
    for (size_t i = 0; i < learning->sample.rows; i++) {
        learning->all.rows[learning->all.count++] = (uint32_t)i;
    }
    blanks_tell(learning);
    weights_tell(learning);
    if (!classes_check(learning, &learning->all, CLASS_ROWS_MIN, "in the population") ||
        !learn_groups_find(&learning->sample, &learning->groups, learning->fault)) {
        return false;
    }
    if (learning->groups.of_row != NULL) {
        groups_tell(learning);
    }
    return rows_divide(learning) && classes_check(learning, &learning->learned, CLASS_LEARNED_MIN,
                                                  "in the part to learn from");
}

/* One row of each account among those learned from. */
static bool accounts_pick(struct learning *learning, struct learn_subset *subset)
{
    const struct learn_subset *learned = &learning->learned;
    bool *seen = calloc(learning->groups.count + 1, sizeof *seen);
    bool ok = seen != NULL && subset_init(subset, learned->count);
    for (size_t i = 0; ok && i < learned->count; i++) {
        uint32_t row = learned->rows[i];
        bool *mark = &seen[learning->groups.of_row == NULL ? 0 : learning->groups.of_row[row]];
        if (learning->groups.of_row == NULL || !*mark) {
            subset->rows[subset->count++] = row;
        }
        *mark = true;
    }
    free(seen);
    return ok;
}

static bool values_check(struct learning *learning)
{
    struct learn_subset accounts = {0};
    bool ok = (accounts_pick(learning, &accounts) || no_memory(learning)) &&
              learn_guard_values(&learning->sample, &accounts, learning->checked,
                                 learning->checked_count, learning->fault);
    free(accounts.rows);
    return ok;
}

static bool is_kept(const struct learn_options *options, uint16_t field_id)
{
    for (size_t i = 0; i < options->keep_field_count; i++) {
        if (options->keep_field_ids[i] == field_id) {
            return true;
        }
    }
    return false;
}

static void verdicts_apply(struct learning *learning)
{
    for (size_t i = 0; i < learning->checked_count; i++) {
        struct learn_field_report *report = &learning->checked[i];
        const struct feature_field *field =
            feature_schema_by_id(learning->options->schema, report->field_id);
        report->name = field->name;
        report->kept =
            learn_verdict_is_leak(report->verdict) && is_kept(learning->options, report->field_id);
        if (!learn_field_refused(report)) {
            learning->field_ids[learning->field_count++] = report->field_id;
        }
        if (report->verdict == LEARN_FIELD_WARNED || report->kept) {
            char reason[512];
            learn_leakage_reason(report, reason, sizeof reason);
            learn_report_warn(&learning->report, "%s: %s", report->name, reason);
        }
    }
}

/* "; refused as suspected leaks: a, b", or nothing. */
static void leaks_name(const struct learning *learning, char *text, size_t text_bytes)
{
    size_t at = 0;
    text[0] = '\0';
    for (size_t i = 0; i < learning->checked_count && at + 1 < text_bytes; i++) {
        const struct learn_field_report *report = &learning->checked[i];
        if (learn_verdict_is_leak(report->verdict) && !report->kept) {
            int bytes = snprintf(text + at, text_bytes - at, "%s%s",
                                 at == 0 ? "; refused as suspected leaks: " : ", ", report->name);
            at += bytes > 0 ? (size_t)bytes : 0;
        }
    }
}

static bool fields_check(struct learning *learning)
{
    const struct learn_options *options = learning->options;
    struct learn_block block;
    uint8_t *folds = malloc(learning->learned.count + 1);
    learning->field_ids = calloc(options->field_count + 1, sizeof *learning->field_ids);
    learning->checked = calloc(options->field_count + 1, sizeof *learning->checked);
    bool ok =
        block_init(&block, learning, &learning->learned, options->field_ids, options->field_count);
    if (ok && (folds == NULL || learning->field_ids == NULL || learning->checked == NULL)) {
        ok = no_memory(learning);
    }
    if (ok) {
        ok =
            learn_split_folds(&block.rows, LEARN_BAGS, options->seed, folds) || no_memory(learning);
    }
    ok = ok && learn_leakage_check(block.grid, block.codebook, folds, LEARN_BAGS, learning->checked,
                                   &learning->checked_count, learning->fault);
    ok = ok && values_check(learning);
    if (ok) {
        verdicts_apply(learning);
    }
    learn_block_fini(&block);
    free(folds);
    if (ok && learning->field_count == 0) {
        char leaks[256];
        leaks_name(learning, leaks, sizeof leaks);
        return proto_fault_set(learning->fault, PROTO_BAD_FIELD, "fields",
                               "none of the %zu fields can be learned from: each is constant, an "
                               "identifier, a time or a suspected leak%s",
                               options->field_count, leaks);
    }
    return ok;
}

static bool block_fit(struct learning *learning, const struct learn_block *block,
                      struct learn_fit *fit)
{
    struct learn_fit_options options = {.codebook = block->codebook,
                                        .rows = &block->rows,
                                        .seed = learning->options->seed,
                                        .pairs_max = learning->options->pairs_max,
                                        .threads = learning->options->threads,
                                        .on_progress = on_fit_progress,
                                        .progress_context = learning};
    return learn_fit_run(block->grid, &options, fit, learning->fault);
}

static bool evidence_refuse(struct learning *learning)
{
    const struct learn_evidence *e = &learning->evidence;
    char leaks[160];
    double error = fmax(e->auc.error, e->out_of_fold.error);
    leaks_name(learning, leaks, sizeof leaks);
    return proto_fault_set(
        learning->fault, PROTO_NO_EVIDENCE, "label",
        "on %zu rows held out (%zu positives, split %s) the AUC is %.3f, 95 %% interval %.3f to "
        "%.3f, and %.3f (%.3f to %.3f) out of fold on the others, which does not beat chance: the "
        "fields do not tell positives from negatives%s; of so few rows an AUC of %.2f would be "
        "found "
        "four times in five",
        e->rows, e->auc.positives, learning->report.split, e->auc.auc, e->auc.low, e->auc.high,
        e->out_of_fold.auc, e->out_of_fold.low, e->out_of_fold.high, leaks,
        fmin(0.5 + POWER_ERRORS * error, 1.0));
}

/* Scores the held-out rows and compares with what happened. */
static bool held_out_measure(struct learning *learning, const struct learn_block *learned,
                             const struct learn_fit *fit)
{
    const struct learn_subset *rows = &learning->held_out;
    uint8_t *labels = malloc(rows->count + 1);
    uint32_t *groups = malloc((rows->count + 1) * sizeof *groups);
    if (labels == NULL || groups == NULL) {
        free(labels);
        free(groups);
        return no_memory(learning);
    }
    for (size_t i = 0; i < rows->count; i++) {
        labels[i] = learning->sample.labels[rows->rows[i]];
        groups[i] = learning->groups.of_row == NULL ? 0 : learning->groups.of_row[rows->rows[i]];
    }
    uint8_t *codes =
        learn_sample_encode(&learning->sample, rows, learned->codebook, learning->fault);
    bool ok = codes != NULL &&
              learn_evidence_measure(fit->scorecard, codes, learned->codebook->row_bytes, labels,
                                     rows->count, learning->groups.of_row == NULL ? NULL : groups,
                                     learning->groups.count, &learning->evidence, learning->fault);
    learning->evidence.out_of_fold = fit->out_of_fold;
    free(codes);
    free(labels);
    free(groups);
    return ok;
}

/* Learns from one part and looks once at the other. */
static bool evidence_take(struct learning *learning)
{
    struct learn_block block;
    struct learn_fit fit = {0};
    bool ok = block_init(&block, learning, &learning->learned, learning->field_ids,
                         learning->field_count) &&
              block_fit(learning, &block, &fit) && held_out_measure(learning, &block, &fit);
    if (ok && !learn_evidence_holds(&learning->evidence)) {
        ok = evidence_refuse(learning);
    }
    model_destroy(fit.scorecard);
    learn_block_fini(&block);
    return ok;
}

/* The second scorecard, over the columns of the first. */
static bool value_take(struct learning *learning, const struct learn_block *block)
{
    struct learn_report *report = &learning->report;
    char note[320];
    if (learning->options->value_field_id == NULL) {
        return true;
    }
    const struct learn_value_asking asking = {.sample = &learning->sample,
                                              .groups = &learning->groups,
                                              .all = &learning->all,
                                              .learned = &learning->learned,
                                              .held_out = &learning->held_out,
                                              .codebook = block->codebook,
                                              .field_id = *learning->options->value_field_id,
                                              .seed = learning->options->seed};
    report->value = learn_value_learn(&asking, note, sizeof note, learning->fault);
    if (note[0] != '\0') {
        learn_report_warn(report, "%s", note);
    }
    return report->value != NULL;
}

/* Learns again from all rows with the same settings, and writes everything down. */
static char *document_make(struct learning *learning)
{
    struct learn_block block;
    struct learn_fit fit = {0};
    struct learn_report *report = &learning->report;
    bool ok =
        block_init(&block, learning, &learning->all, learning->field_ids, learning->field_count) &&
        block_fit(learning, &block, &fit);
    learning->weights = calloc(learning->checked_count + 1, sizeof *learning->weights);
    if (ok && learning->weights == NULL) {
        ok = no_memory(learning);
    }
    ok = ok &&
         learn_weights_measure(&block, fit.scorecard, learning->checked, learning->checked_count,
                               learning->weights, &report->field_count, learning->fault);
    struct learn_support *support = NULL;
    if (ok) {
        support = learn_support_count(fit.scorecard, block.codes, block.codebook->row_bytes,
                                      block.rows.labels, block.rows.rows, learning->fault);
        ok = support != NULL && value_take(learning, &block);
    }
    char *text = NULL;
    if (ok) {
        report->support = support;
        report->held_out_share = HELD_OUT_SHARE;
        report->rows = learning->all.count;
        report->positives = positives_count(&learning->sample, &learning->all);
        report->evidence = &learning->evidence;
        report->fields = learning->weights;
        report->checked = learning->checked;
        report->checked_count = learning->checked_count;
        text = learn_report_print(report, block.codebook, &fit, learning->fault);
        report->support = NULL;
    }
    json_decref(report->value);
    report->value = NULL;
    learn_support_destroy(support);
    model_destroy(fit.scorecard);
    learn_block_fini(&block);
    return text;
}

static bool options_check(const struct learn_options *options, struct proto_fault *fault)
{
    if (options->seed > INT64_MAX) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "seed", "it must be below 2^63");
    }
    if (options->field_count == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "fields", "there is no field to learn from");
    }
    return true;
}

char *learn_run(const struct learn_population *population, const struct learn_options *options,
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
    learn_sample_fini(&learning.sample);
    learn_report_fini(&learning.report);
    learn_groups_fini(&learning.groups);
    free(learning.all.rows);
    free(learning.learned.rows);
    free(learning.held_out.rows);
    free(learning.checked);
    free(learning.weights);
    free(learning.field_ids);
    return text;
}
