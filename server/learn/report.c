/* SPDX-License-Identifier: Apache-2.0 */
#include "server/learn/report.h"

#include "server/feature/json_text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

void learn_report_warn(struct learn_report *report, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (report->warning_count == LEARN_WARNINGS_MAX) {
        return;
    }
    char *copy = strdup(text);
    if (copy != NULL) {
        report->warnings[report->warning_count++] = copy;
    } else {
        report->warnings_lost = true;
    }
}

void learn_report_fini(struct learn_report *report)
{
    for (size_t i = 0; i < report->warning_count; i++) {
        free(report->warnings[i]);
    }
    report->warning_count = 0;
}

/* json_pack and json_object_set_new take their values even when they fail, so a NULL anywhere makes
 * the whole NULL and nothing leaks. */
static json_t *reliability_json(const struct learn_evidence *evidence)
{
    json_t *array = json_array();
    for (size_t b = 0; b < LEARN_RELIABILITY_BINS; b++) {
        const struct learn_reliability *bin = &evidence->reliability[b];
        if (bin->rows == 0) {
            continue;
        }
        feature_json_append(&array, json_pack("{s:f, s:I, s:I, s:f, s:f}", "p", bin->p_mean, "n",
                                              (json_int_t)bin->rows, "positives",
                                              (json_int_t)bin->positives, "rate_low", bin->low,
                                              "rate_high", bin->high));
    }
    return array;
}

static json_t *grades_json(const struct learn_evidence *evidence)
{
    json_t *array = json_array();
    for (size_t g = 0; g < LEARN_GRADES; g++) {
        const struct learn_grade_rows *rows = &evidence->grades[g];
        const char name[2] = {(char)('A' + g), '\0'};
        feature_json_append(&array, json_pack("{s:s, s:I, s:I, s:f, s:f}", "grade", name, "n",
                                              (json_int_t)rows->rows, "positives",
                                              (json_int_t)rows->positives, "rate_low", rows->low,
                                              "rate_high", rows->high));
    }
    return array;
}

json_t *learn_holdout_json(const struct learn_evidence *e, const char *split)
{
    json_t *json = json_pack(
        "{s:s, s:I, s:I, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f, s:f}", "split",
        split, "n", (json_int_t)e->rows, "positives", (json_int_t)e->auc.positives, "auc",
        e->auc.auc, "auc_low", e->auc.low, "auc_high", e->auc.high, "brier", e->brier,
        "brier_reference", e->brier_reference, "log_loss", e->log_loss, "log_loss_low",
        e->log_loss_interval.low, "log_loss_high", e->log_loss_interval.high, "ece", e->ece,
        "ece_low", e->ece_interval.low, "ece_high", e->ece_interval.high, "lift_top_decile",
        e->lift_top_decile, "ks", e->ks);
    json_t *out_of_fold = e->out_of_fold.positives == 0
                              ? NULL
                              : json_pack("{s:f, s:f, s:f}", "auc", e->out_of_fold.auc, "auc_low",
                                          e->out_of_fold.low, "auc_high", e->out_of_fold.high);
    if ((e->out_of_fold.positives > 0 &&
         json_object_set_new(json, "out_of_fold", out_of_fold) != 0) ||
        json_object_set_new(json, "reliability", reliability_json(e)) != 0 ||
        json_object_set_new(json, "grades", grades_json(e)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static json_t *fields_json(const struct learn_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->field_count; i++) {
        const struct learn_field_weight *field = &report->fields[i];
        feature_json_append(&array, json_pack("{s:s, s:f, s:f}", "field", field->name, "importance",
                                              field->importance, "auc_alone", field->auc_alone));
    }
    return array;
}

static json_t *refused_json(const struct learn_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->checked_count; i++) {
        const struct learn_field_report *field = &report->checked[i];
        char reason[512];
        if (learn_field_refused(field)) {
            learn_leakage_reason(field, reason, sizeof reason);
            feature_json_append(&array,
                                json_pack("{s:s, s:s}", "field", field->name, "reason", reason));
        }
    }
    return array;
}

static json_t *warnings_json(const struct learn_report *report)
{
    json_t *array = json_array();
    if (report->warnings_lost) {
        json_decref(array);
        array = NULL;
    }
    for (size_t i = 0; i < report->warning_count; i++) {
        feature_json_append(&array, json_string(report->warnings[i]));
    }
    return array;
}

/* Suspected leaks that were learned from because the caller keeps them. */
static json_t *kept_json(const struct learn_report *report)
{
    json_t *array = json_array();
    for (size_t i = 0; i < report->checked_count; i++) {
        if (report->checked[i].kept) {
            feature_json_append(&array, json_string(report->checked[i].name));
        }
    }
    return array;
}

/* Numbers whose points go one way, by name: "+" or "-". */
static json_t *monotone_json(const struct learn_report *report)
{
    const struct learn_options *options = report->options;
    json_t *object = json_object();
    for (size_t i = 0; options->directions != NULL && i < options->field_count; i++) {
        int8_t direction = options->directions[options->field_ids[i]];
        const struct feature_field *field =
            feature_schema_by_id(options->schema, options->field_ids[i]);
        if (direction != 0 && object != NULL &&
            json_object_set_new(object, field->name, json_string(direction > 0 ? "+" : "-")) != 0) {
            json_decref(object);
            object = NULL;
        }
    }
    return object;
}

static json_t *settings_json(const struct learn_report *report, const struct learn_fit *fit)
{
    const struct learn_options *options = report->options;
    const struct feature_field *time =
        options->time_field_id < 0
            ? NULL
            : feature_schema_by_id(options->schema, (uint16_t)options->time_field_id);
    const struct feature_field *weight =
        options->weight_field_id == NULL
            ? NULL
            : feature_schema_by_id(options->schema, *options->weight_field_id);
    json_t *json = json_pack(
        "{s:I, s:s, s:s, s:s, s:f, s:b, s:b, s:o, s:o, s:i, s:i, s:i, s:f, s:f, s:f, s:f, s:i, "
        "s:i, "
        "s:i, s:i, s:f, s:b}",
        "seed", (json_int_t)options->seed, "trainer", "boosting-3", "time_field",
        time == NULL ? "" : time->name, "weight_field", weight == NULL ? "" : weight->name,
        "held_out_share", report->held_out_share, "grouped", report->grouped, "keep_leaks",
        options->keep_field_count > 0, "kept_leaks", kept_json(report), "monotone",
        monotone_json(report), "pairs_max", (int)options->pairs_max, "pairs", (int)fit->pairs,
        "bags", (int)fit->bags, "rate", LEARN_RATE, "l2", LEARN_L2, "l2_category",
        LEARN_L2_CATEGORY, "hessian_min", LEARN_HESSIAN_MIN, "leaves_max", LEARN_LEAVES_MAX,
        "rounds_max", LEARN_ROUNDS_MAX, "patience", LEARN_PATIENCE, "rounds_mean", (int)fit->rounds,
        "ridge", LEARN_RIDGE, "greedy", fit->greedy);
    if (report->value != NULL && json_object_set(json, "value", report->value) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

/* Counts of cells are left out of a document that they make too large. */
static json_t *evidence_json(const struct learn_report *report, const struct learn_fit *fit,
                             bool counts)
{
    json_t *json = json_pack("{s:o, s:o, s:o, s:o}", "holdout",
                             learn_holdout_json(report->evidence, report->split), "fields",
                             fields_json(report), "refused", refused_json(report), "warnings",
                             warnings_json(report));
    const char *ready = report->options->readiness;
    if (ready != NULL && json_object_set_new(json, "readiness", json_loads(ready, 0, NULL)) != 0) {
        json_decref(json);
        return NULL;
    }
    if (counts && report->support != NULL &&
        json_object_set_new(json, "support", learn_support_json(fit->scorecard, report->support)) !=
            0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

/* The label's members, and what is told of cases if it was learned from some. */
static json_t *label_json(const struct learn_report *report)
{
    const struct learn_options *options = report->options;
    json_t *label =
        json_pack("{s:s, s:s, s:I, s:I, s:f}", "expression", options->label_text, "where",
                  options->where_text == NULL ? "" : options->where_text, "population",
                  (json_int_t)report->rows, "positives", (json_int_t)report->positives, "base_rate",
                  (double)report->positives / (double)report->rows);
    if (options->policy != NULL &&
        json_object_set_new(label, "policy", json_loads(options->policy, 0, NULL)) != 0) {
        json_decref(label);
        return NULL;
    }
    return label;
}

static json_t *report_json(const struct learn_report *report,
                           const struct feature_codebook *codebook, const struct learn_fit *fit,
                           bool counts)
{
    const struct learn_options *options = report->options;
    return json_pack("{s:i, s:s, s:s, s:I, s:o, s:o, s:o, s:o, s:o}", "format",
                     LEARN_DOCUMENT_FORMAT, "name", options->name == NULL ? "" : options->name,
                     "created", options->created == NULL ? "" : options->created, "schema",
                     (json_int_t)options->schema->version, "label", label_json(report), "settings",
                     settings_json(report, fit), "evidence", evidence_json(report, fit, counts),
                     "codebook", feature_codebook_to_json(codebook), "scorecard",
                     model_to_json(fit->scorecard, codebook));
}

char *learn_report_print(const struct learn_report *report, const struct feature_codebook *codebook,
                         const struct learn_fit *fit, struct proto_fault *fault)
{
    char *text = NULL;
    bool fits = false;
    for (int counts = 1; counts >= 0 && !fits; counts--) {
        json_t *json = report_json(report, codebook, fit, counts != 0);
        free(text);
        text = json == NULL ? NULL : json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
        json_decref(json);
        fits = text == NULL || strlen(text) <= PROTO_DOCUMENT_BYTES_MAX;
    }
    if (text == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to write the document");
        return NULL;
    }
    if (!fits) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "",
                        "the document has %zu bytes, at most %d are allowed: leave out fields",
                        strlen(text), PROTO_DOCUMENT_BYTES_MAX);
        free(text);
        return NULL;
    }
    return text;
}
