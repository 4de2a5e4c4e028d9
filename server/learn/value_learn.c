/* SPDX-License-Identifier: Apache-2.0 */
/* The rows with a value are picked out of each part, the one is learned from and the other held
 * against it, and what serves is learned from both. Too few rows are refused; rows that say nothing
 * give the mean, and a note. */
#include "server/learn/value_learn.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/json_text.h"
#include "server/learn/split.h"
#include "server/learn/value_fit.h"
#include "server/math/auc.h"
#include "server/math/order.h"
#include "server/math/portable.h"

#define RATIO_SHARE                                                                                \
    0.1 /* of rows that come to less than ratio_low, and to more than ratio_high                   \
         */

/* Rows with the outcome and a value. */
struct winners {
    struct learn_subset rows;
    double *values;
    double mean;
    struct learn_grid *grid;
};

struct gained {
    size_t rows;
    double mean, low, high, total;
};

static bool no_memory(const struct learn_value_asking *asking, struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to learn values of %zu rows",
                           asking->sample->rows);
}

static void winners_fini(struct winners *winners)
{
    learn_grid_destroy(winners->grid);
    free(winners->rows.rows);
    free(winners->values);
}

static bool winners_pick(const struct learn_value_asking *asking, const struct learn_subset *subset,
                         struct winners *winners, struct proto_fault *fault)
{
    struct learn_sample *sample = asking->sample;
    *winners = (struct winners){.mean = 0};
    winners->rows.rows = malloc((subset->count + 1) * sizeof *winners->rows.rows);
    winners->values = malloc((subset->count + 1) * sizeof *winners->values);
    if (winners->rows.rows == NULL || winners->values == NULL) {
        return no_memory(asking, fault);
    }
    for (size_t i = 0; i < subset->count; i++) {
        uint32_t row = subset->rows[i];
        if (sample->labels[row] == 0) {
            continue;
        }
        if (!learn_sample_fetch(sample, row)) {
            return no_memory(asking, fault);
        }
        const struct feature_value *value = &sample->values[asking->field_id];
        if (value->present && value->type == FEATURE_NUMBER && value->number > 0) {
            winners->values[winners->rows.count] = value->number;
            winners->rows.rows[winners->rows.count++] = row;
            winners->mean += value->number;
        }
    }
    winners->mean /= winners->rows.count > 0 ? (double)winners->rows.count : 1;
    uint8_t *codes = learn_sample_encode(sample, &winners->rows, asking->codebook, fault);
    if (codes != NULL) {
        winners->grid = learn_sample_grid(sample, &winners->rows, asking->codebook, codes, fault);
    }
    free(codes);
    return winners->grid != NULL;
}

/* Folds with as many large values as small ones in each, rows of one account together. */
static bool folds_make(const struct learn_value_asking *asking, const struct winners *winners,
                       uint8_t *folds)
{
    size_t count = winners->rows.count;
    double *sorted = malloc((count + 1) * sizeof *sorted);
    uint8_t *large = malloc(count + 1);
    uint32_t *groups = malloc((count + 1) * sizeof *groups);
    bool ok = sorted != NULL && large != NULL && groups != NULL;
    if (ok) {
        memcpy(sorted, winners->values, count * sizeof *sorted);
        qsort(sorted, count, sizeof *sorted, math_ascending);
        for (size_t i = 0; i < count; i++) {
            large[i] = winners->values[i] > sorted[count / 2];
            groups[i] = asking->groups->of_row ? asking->groups->of_row[winners->rows.rows[i]] : 0;
        }
        const struct learn_split_rows rows = {count, large, asking->groups->of_row ? groups : NULL,
                                              asking->groups->count};
        ok = learn_split_folds(&rows, LEARN_VALUE_FOLDS, asking->seed, folds);
    }
    free(sorted);
    free(large);
    free(groups);
    return ok;
}

static bool winners_fit(const struct learn_value_asking *asking, const struct winners *winners,
                        struct learn_value_fit *fit, struct proto_fault *fault)
{
    uint8_t *folds = malloc(winners->rows.count + 1);
    bool ok = folds != NULL && folds_make(asking, winners, folds);
    *fit = (struct learn_value_fit){.columns = 0};
    ok = ok ? learn_value_fit_run(winners->grid, winners->values, folds, LEARN_VALUE_FOLDS, fit,
                                  fault)
            : no_memory(asking, fault);
    free(folds);
    return ok;
}

/* Mean gain of the held-out rows, with its interval over accounts. */
static bool gain_measure(const struct learn_value_asking *asking, const struct winners *learned,
                         const struct winners *held, const struct learn_value_fit *fit,
                         struct gained *gained, struct proto_fault *fault)
{
    size_t count = held->rows.count;
    size_t accounts = asking->groups->of_row ? asking->groups->count : count;
    double n = (double)count;
    double *gains = calloc(count + 1, sizeof *gains);
    double *sums = calloc(accounts + 1, sizeof *sums);
    double said = 0;
    double spread = 0;
    *gained = (struct gained){.rows = count};
    if (gains == NULL || sums == NULL) {
        free(gains);
        free(sums);
        return no_memory(asking, fault);
    }
    for (size_t i = 0; i < count; i++) {
        double logarithm = learn_value_fit_row(fit, held->grid, i);
        gains[i] = learn_value_deviance(held->values[i], math_log(learned->mean)) -
                   learn_value_deviance(held->values[i], logarithm);
        gained->mean += gains[i] / n;
        said += math_exp(logarithm);
    }
    for (size_t i = 0; i < count; i++) {
        size_t account = asking->groups->of_row ? asking->groups->of_row[held->rows.rows[i]] : i;
        sums[account] += gains[i] - gained->mean;
    }
    for (size_t a = 0; a < accounts; a++) {
        spread += sums[a] * sums[a];
    }
    double error = sqrt(spread) / n;
    gained->low = gained->mean - MATH_Z_95 * error;
    gained->high = gained->mean + MATH_Z_95 * error;
    gained->total = held->mean * n / said;
    free(gains);
    free(sums);
    return true;
}

static json_int_t micro(double logarithm)
{
    double most = LEARN_VALUE_POINTS_MAX;
    double points = round(logarithm * 1e6);
    return (json_int_t)(points > most ? most : points < -most ? -most : points);
}

/* NULL: no memory. Columns that say nothing are left out. */
static json_t *terms_json(const struct learn_value_fit *fit)
{
    json_t *terms = json_array();
    for (size_t c = 0; c < fit->columns; c++) {
        json_t *points = json_array();
        bool any = false;
        for (size_t i = fit->offsets[c]; i < fit->offsets[c + 1]; i++) {
            any = any || micro(fit->tables[i]) != 0;
            feature_json_append(&points, json_integer(micro(fit->tables[i])));
        }
        if (any) {
            feature_json_append(&terms,
                                json_pack("{s:I, s:o}", "column", (json_int_t)c, "points", points));
        } else {
            json_decref(points);
        }
    }
    return terms;
}

/* What eight of ten rows came to, over what was said of them. */
static bool ratios_find(const struct winners *winners, const struct learn_value_fit *fit,
                        double *low, double *high)
{
    size_t count = winners->rows.count;
    double *ratios = malloc((count + 1) * sizeof *ratios);
    if (ratios == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        double said = fit != NULL ? math_exp(fit->out_of_fold[i]) : winners->mean;
        ratios[i] = winners->values[i] / said;
    }
    qsort(ratios, count, sizeof *ratios, math_ascending);
    *low = math_quantile(ratios, count, RATIO_SHARE);
    *high = math_quantile(ratios, count, 1 - RATIO_SHARE);
    free(ratios);
    return true;
}

/* fit NULL: the mean. */
static json_t *value_json(const struct learn_value_asking *asking, const struct winners *winners,
                          const struct learn_value_fit *fit, const struct gained *gained,
                          struct proto_fault *fault)
{
    const struct feature_field *field =
        feature_schema_by_id(asking->sample->options->schema, asking->field_id);
    double low = 1;
    double high = 1;
    json_t *json = NULL;
    if (ratios_find(winners, fit, &low, &high)) {
        double intercept = fit != NULL ? fit->intercept : math_log(winners->mean);
        json =
            json_pack("{s:s, s:I, s:f, s:I, s:f, s:f, s:o, s:{s:I, s:f, s:f, s:f, s:f}}", "field",
                      field->name, "n", (json_int_t)winners->rows.count, "mean", winners->mean,
                      "intercept", micro(intercept), "ratio_low", low, "ratio_high", high, "terms",
                      fit != NULL ? terms_json(fit) : json_array(), "evidence", "n",
                      (json_int_t)gained->rows, "gain", gained->mean, "gain_low", gained->low,
                      "gain_high", gained->high, "total", gained->total);
    }
    if (json == NULL) {
        no_memory(asking, fault);
    }
    return json;
}

static bool enough(const struct learn_value_asking *asking, const struct winners *all,
                   const struct winners *learned, const struct winners *held,
                   struct proto_fault *fault)
{
    if (all->rows.count >= LEARN_VALUE_ROWS_MIN && held->rows.count >= LEARN_VALUE_HELD_OUT_MIN &&
        learned->rows.count > held->rows.count / 2) {
        return true;
    }
    const struct feature_field *field =
        feature_schema_by_id(asking->sample->options->schema, asking->field_id);
    return proto_fault_set(fault, PROTO_BAD_FIELD, "value",
                           "%zu rows with the outcome have a '%s' above 0, %zu of them held out; "
                           "%d and %d are needed: learn without a value",
                           all->rows.count, field->name, held->rows.count, LEARN_VALUE_ROWS_MIN,
                           LEARN_VALUE_HELD_OUT_MIN);
}

static void note_make(const struct learn_value_asking *asking, const struct winners *all,
                      const struct gained *gained, char *note, size_t note_bytes)
{
    const struct feature_field *field =
        feature_schema_by_id(asking->sample->options->schema, asking->field_id);
    (void)snprintf(note, note_bytes,
                   "%s: no evidence that the fields tell values apart (gain %.3f, %.3f to %.3f, on "
                   "%zu rows held out): the mean, %.6g, stands for all",
                   field->name, gained->mean, gained->low, gained->high, gained->rows, all->mean);
}

json_t *learn_value_learn(const struct learn_value_asking *asking, char *note, size_t note_bytes,
                          struct proto_fault *fault)
{
    struct winners all = {.mean = 0};
    struct winners learned = {.mean = 0};
    struct winners held = {.mean = 0};
    struct learn_value_fit first = {.columns = 0};
    struct learn_value_fit whole = {.columns = 0};
    struct gained gained;
    json_t *json = NULL;
    note[0] = '\0';
    if (winners_pick(asking, asking->all, &all, fault) &&
        winners_pick(asking, asking->learned, &learned, fault) &&
        winners_pick(asking, asking->held_out, &held, fault) &&
        enough(asking, &all, &learned, &held, fault) &&
        winners_fit(asking, &learned, &first, fault) &&
        gain_measure(asking, &learned, &held, &first, &gained, fault)) {
        if (!(gained.low > 0)) {
            note_make(asking, &all, &gained, note, note_bytes);
            json = value_json(asking, &all, NULL, &gained, fault);
        } else if (winners_fit(asking, &all, &whole, fault)) {
            json = value_json(asking, &all, &whole, &gained, fault);
        }
    }
    learn_value_fit_fini(&first);
    learn_value_fit_fini(&whole);
    winners_fini(&all);
    winners_fini(&learned);
    winners_fini(&held);
    return json;
}
