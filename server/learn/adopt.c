/* SPDX-License-Identifier: Apache-2.0 */
/* The rows are scored by a copy of the draft's scorecard, which gets its reference and perhaps its
 * curve from them; then evidence is measured by that copy and the document printed. No row, an
 * outcome that tells nothing apart, a curve that falls, memory and a text too long end it. */
#include "server/learn/adopt.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/feature/json_text.h"
#include "server/learn/calibrate.h"
#include "server/learn/report.h"
#include "server/math/order.h"

#define FEW 20 /* rows of either kind that learning asks for; below it evidence says little */

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the evidence");
}

static size_t positives_of(const struct learn_adopt *adopt)
{
    size_t positives = 0;
    for (size_t i = 0; adopt->labels != NULL && i < adopt->rows; i++) {
        positives += adopt->labels[i];
    }
    return positives;
}

/* Platt's curve over the raw scores of rows with outcomes. */
static bool curve_fit(const struct learn_adopt *adopt, const int64_t *raws,
                      struct model_scorecard *scorecard, struct proto_fault *fault)
{
    double *scores = malloc(adopt->rows * sizeof *scores);
    if (scores == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < adopt->rows; i++) {
        scores[i] = 1e-6 * (double)raws[i];
    }
    learn_calibrate(scores, adopt->labels, adopt->rows, 0.0, scorecard);
    free(scores);
    size_t last = scorecard->calibration_count - 1;
    return scorecard->calibration_p[last] >= scorecard->calibration_p[0] ||
           proto_fault_set(fault, PROTO_BAD_DOCUMENT, "label",
                           "accounts with the outcome score lower than those without it: the model "
                           "predicts something else, or its opposite");
}

/* What the scores of the rows say of the scorecard: where fit stands, and p if the model does not.
 */
static bool scores_take(const struct learn_adopt *adopt, struct model_scorecard *scorecard,
                        const struct feature_codebook *codebook, struct proto_fault *fault)
{
    int64_t *raws = malloc(adopt->rows * sizeof *raws);
    if (raws == NULL) {
        return no_memory(fault);
    }
    model_raw_many(scorecard, adopt->codes, codebook->row_bytes, adopt->rows, raws);
    bool linked = scorecard->trees == NULL || scorecard->trees->logistic;
    bool ok = linked || curve_fit(adopt, raws, scorecard, fault);
    math_sort_i64(raws, adopt->rows);
    for (unsigned i = 0; i < MODEL_REFERENCE_POINTS; i++) {
        scorecard->reference[i] =
            math_quantile_i64(raws, adopt->rows, i, MODEL_REFERENCE_POINTS - 1);
    }
    free(raws);
    return ok && model_seal(scorecard, codebook, fault);
}

static int by_importance(const void *a, const void *b)
{
    const struct learn_field_weight *x = a;
    const struct learn_field_weight *y = b;
    return x->importance != y->importance ? (x->importance > y->importance ? -1 : 1)
                                          : strcmp(x->name, y->name);
}

/* Mean size of what each field adds, all its columns together, in logits. */
static void row_weigh(const struct model_scorecard *scorecard,
                      const struct feature_codebook *codebook, const int32_t *parts, double share,
                      double *sums, struct learn_field_weight *weights)
{
    for (size_t t = 0; t < scorecard->term_count; t++) {
        size_t field = codebook->columns[scorecard->terms[t].column_a].field_id;
        sums[field] += 1e-6 * (double)parts[t];
    }
    for (size_t t = 0; t < scorecard->term_count; t++) {
        size_t field = codebook->columns[scorecard->terms[t].column_a].field_id;
        weights[field].importance += share * fabs(sums[field]);
        sums[field] = 0; /* once for each field */
    }
}

static json_t *fields_json(const struct model_scorecard *scorecard,
                           const struct feature_codebook *codebook, const struct learn_adopt *adopt)
{
    json_t *array = json_array();
    size_t slots = 1;
    for (size_t c = 0; c < codebook->column_count; c++) {
        size_t field = codebook->columns[c].field_id;
        slots = field >= slots ? field + 1 : slots;
    }
    struct learn_field_weight *weights = calloc(slots, sizeof *weights);
    double *sums = calloc(slots, sizeof *sums);
    int32_t *parts = calloc(scorecard->term_count + 1, sizeof *parts);
    size_t weighed = adopt->rows < LEARN_ADOPT_WEIGHED ? adopt->rows : LEARN_ADOPT_WEIGHED;
    if (weights == NULL || sums == NULL || parts == NULL) {
        json_decref(array);
        array = NULL;
        weighed = 0;
    }
    for (size_t c = 0; array != NULL && c < codebook->column_count; c++) {
        weights[codebook->columns[c].field_id].name = codebook->columns[c].field_name;
    }
    for (size_t i = 0; i < weighed; i++) {
        size_t row = (size_t)((double)i * (double)adopt->rows / (double)weighed);
        model_contributions(scorecard, adopt->codes + row * codebook->row_bytes, parts);
        row_weigh(scorecard, codebook, parts, 1.0 / (double)weighed, sums, weights);
    }
    size_t used = 0;
    for (size_t f = 0; array != NULL && f < slots; f++) {
        if (weights[f].name != NULL) {
            weights[used++] = weights[f];
        }
    }
    if (used > 0) {
        qsort(weights, used, sizeof *weights, by_importance);
    }
    for (size_t f = 0; f < used; f++) {
        feature_json_append(&array, json_pack("{s:s, s:f}", "field", weights[f].name, "importance",
                                              weights[f].importance));
    }
    free(parts);
    free(sums);
    free(weights);
    return array;
}

static json_t *warnings_json(const struct learn_adopt *adopt, size_t positives)
{
    json_t *array = json_array();
    if (adopt->labels == NULL) {
        feature_json_append(&array,
                            json_string("no outcome was named: how well the model predicts here is "
                                        "not known, and p is what it says itself"));
        return array;
    }
    feature_json_append(
        &array, json_string("the model was trained elsewhere: if it has seen these accounts, "
                            "the evidence flatters it"));
    if (positives < FEW || adopt->rows - positives < FEW) {
        feature_json_append(&array,
                            json_sprintf("%zu of %zu accounts have the outcome: that is too "
                                         "few for the evidence to say much",
                                         positives, adopt->rows));
    }
    return array;
}

/* All of the evidence; NULL with *fault. */
static json_t *evidence_json(const struct model_scorecard *scorecard,
                             const struct learn_document *draft, const struct learn_adopt *adopt,
                             size_t positives, struct proto_fault *fault)
{
    const struct feature_codebook *codebook = draft->codebook;
    json_t *holdout =
        json_copy(json_object_get(json_object_get(draft->json, "evidence"), "holdout"));
    json_t *support_json = NULL;
    if (adopt->labels != NULL) {
        struct learn_evidence evidence = {0};
        struct learn_support *support = learn_support_count(
            scorecard, adopt->codes, codebook->row_bytes, adopt->labels, adopt->rows, fault);
        json_decref(holdout);
        holdout = NULL;
        if (support != NULL &&
            learn_evidence_measure(scorecard, adopt->codes, codebook->row_bytes, adopt->labels,
                                   adopt->rows, NULL, 0, &evidence, fault)) {
            holdout = learn_holdout_json(&evidence, "imported");
            support_json = learn_support_json(scorecard, support);
        }
        learn_support_destroy(support);
        if (holdout == NULL) {
            json_decref(support_json);
            return NULL;
        }
    }
    json_t *json = json_pack("{s:o, s:o, s:[], s:o}", "holdout", holdout, "fields",
                             fields_json(scorecard, codebook, adopt), "refused", "warnings",
                             warnings_json(adopt, positives));
    if (support_json != NULL && json_object_set_new(json, "support", support_json) != 0) {
        json_decref(json);
        json = NULL;
    }
    if (json == NULL) {
        no_memory(fault);
    }
    return json;
}

static char *text_print(const struct model_scorecard *scorecard, const struct learn_document *draft,
                        const struct learn_adopt *adopt, size_t positives,
                        struct proto_fault *fault)
{
    json_t *evidence = evidence_json(scorecard, draft, adopt, positives, fault);
    json_t *json = evidence != NULL ? json_copy(draft->json) : NULL;
    if (json == NULL) {
        json_decref(evidence);
        if (evidence != NULL) {
            no_memory(fault);
        }
        return NULL;
    }
    json_t *label =
        json_pack("{s:s, s:s, s:I, s:I, s:f}", "expression", adopt->label_text, "where",
                  adopt->where_text, "population", (json_int_t)adopt->rows, "positives",
                  (json_int_t)positives, "base_rate", (double)positives / (double)adopt->rows);
    int failed = 0;
    failed |= json_object_set_new(json, "created", json_string(adopt->created));
    failed |= json_object_set_new(json, "label", label);
    failed |= json_object_set_new(json, "evidence", evidence);
    failed |= json_object_set_new(json, "scorecard", model_to_json(scorecard, draft->codebook));
    char *text = failed == 0 ? json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(json);
    if (text == NULL) {
        no_memory(fault);
    } else if (strlen(text) > PROTO_DOCUMENT_BYTES_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "",
                        "the document has %zu bytes, at most %d are allowed: train fewer trees",
                        strlen(text), PROTO_DOCUMENT_BYTES_MAX);
        free(text);
        text = NULL;
    }
    return text;
}

char *learn_adopt_print(const struct learn_document *draft, const struct learn_adopt *adopt,
                        struct proto_fault *fault)
{
    size_t positives = positives_of(adopt);
    bool linked = draft->scorecard->trees == NULL || draft->scorecard->trees->logistic;
    if (adopt->rows == 0) {
        proto_fault_set(fault, PROTO_NO_EVIDENCE, "where",
                        "no account is there to measure fit against: store accounts first");
        return NULL;
    }
    if (adopt->labels == NULL && !linked) {
        proto_fault_set(fault, PROTO_MISSING_FIELD, "label",
                        "the model does not give chances: name the outcome, so that they can be "
                        "worked out from the accounts");
        return NULL;
    }
    if (adopt->labels != NULL && (positives == 0 || positives == adopt->rows)) {
        proto_fault_set(fault, PROTO_NO_EVIDENCE, "label", "%s of %zu accounts has the outcome",
                        positives == 0 ? "none" : "every one", adopt->rows);
        return NULL;
    }
    struct model_scorecard *scorecard =
        model_from_json(json_object_get(draft->json, "scorecard"), draft->codebook, fault);
    char *text = NULL;
    if (scorecard != NULL && scores_take(adopt, scorecard, draft->codebook, fault)) {
        text = text_print(scorecard, draft, adopt, positives, fault);
    }
    model_destroy(scorecard);
    return text;
}
