/* SPDX-License-Identifier: Apache-2.0 */
/* The scorecard as JSON:
 *   { "intercept": i, "terms": [ { "columns": [a] or [a, b], "bins": [n] or [n, m], "table": [i …]
 * } … ], "calibration": { "raw": [i …], "p": [x …] }, "reference": [1,001 i], "grades": { "A": x,
 * "B": x, "C": x } }, and "trees" if there are any (trees.h); then no term. Columns are positions
 * in the codebook. Unknown members are refused: what is not understood must not be dropped in
 * silence from a document that has to mean the same everywhere. */
#include <stdlib.h>

#include "server/feature/json_text.h"
#include "server/model/scorecard_trees.h"

static json_t *integers_to_json(const int64_t *values, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count && array != NULL; i++) {
        if (json_array_append_new(array, json_integer(values[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static json_t *table_to_json(const int32_t *entries, size_t count)
{
    json_t *array = json_array();
    for (size_t i = 0; i < count && array != NULL; i++) {
        if (json_array_append_new(array, json_integer(entries[i])) != 0) {
            json_decref(array);
            array = NULL;
        }
    }
    return array;
}

static json_t *term_to_json(const struct model_scorecard *scorecard, const struct model_term *term)
{
    json_t *table =
        table_to_json(scorecard->tables + term->table_offset, (size_t)term->bins_a * term->bins_b);
    if (term->column_b == MODEL_NO_COLUMN) {
        return json_pack("{s:[i], s:[i], s:o}", "columns", term->column_a, "bins", term->bins_a,
                         "table", table);
    }
    return json_pack("{s:[i,i], s:[i,i], s:o}", "columns", term->column_a, term->column_b, "bins",
                     term->bins_a, term->bins_b, "table", table);
}

json_t *model_to_json(const struct model_scorecard *scorecard,
                      const struct feature_codebook *codebook)
{
    (void)
        codebook; /* terms name columns by position, which is what the codebook's own JSON keeps */
    json_t *terms = json_array();
    size_t term_count = scorecard->trees != NULL ? 0 : scorecard->term_count;
    for (size_t t = 0; t < term_count && terms != NULL; t++) {
        if (json_array_append_new(terms, term_to_json(scorecard, &scorecard->terms[t])) != 0) {
            json_decref(terms);
            terms = NULL;
        }
    }
    json_t *p = json_array();
    for (size_t i = 0; i < scorecard->calibration_count && p != NULL; i++) {
        if (json_array_append_new(p, json_real(scorecard->calibration_p[i])) != 0) {
            json_decref(p);
            p = NULL;
        }
    }
    json_t *raw = integers_to_json(scorecard->calibration_raw, scorecard->calibration_count);
    json_t *reference = integers_to_json(scorecard->reference, MODEL_REFERENCE_POINTS);
    /* json_pack takes all references even when it fails, a NULL among them included. */
    json_t *json =
        json_pack("{s:I, s:o, s:{s:o, s:o}, s:o, s:{s:f, s:f, s:f}}", "intercept",
                  (json_int_t)scorecard->intercept, "terms", terms, "calibration", "raw", raw, "p",
                  p, "reference", reference, "grades", "A", scorecard->grades.a_min, "B",
                  scorecard->grades.b_min, "C", scorecard->grades.c_min);
    if (scorecard->trees != NULL &&
        json_object_set_new(json, "trees", model_trees_to_json(scorecard->trees)) != 0) {
        json_decref(json);
        return NULL;
    }
    return json;
}

static bool bad(struct proto_fault *fault, const char *field, const char *text)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, field, "%s", text);
}

/* An array of `count` integers within ±limit. */
static bool integers_read(const json_t *array, const char *name, size_t count, int64_t limit,
                          int64_t *values, struct proto_fault *fault)
{
    if (!json_is_array(array) || json_array_size(array) != count) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, name,
                               "an array of %zu integers is wanted", count);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        int64_t value = json_integer_value(item);
        if (!json_is_integer(item) || value > limit || value < -limit) {
            bad(fault, "", "an integer within the limits is wanted");
            return proto_fault_within(fault, "%s[%zu]", name, i);
        }
        values[i] = value;
    }
    return true;
}

static bool calibration_read(const json_t *json, struct model_scorecard *scorecard,
                             struct proto_fault *fault)
{
    static const char *const names[] = {"raw", "p"};
    if (!feature_json_members_exact(json, names, 2, PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    const json_t *p = json_object_get(json, "p");
    size_t count = json_array_size(p);
    if (!json_is_array(p) || count == 0 || count > MODEL_CALIBRATION_POINTS_MAX) {
        return bad(fault, "p", "an array of 1 to 64 numbers is wanted");
    }
    scorecard->calibration_count = count;
    for (size_t i = 0; i < count; i++) {
        if (!json_is_number(json_array_get(p, i))) {
            bad(fault, "", "a number is wanted");
            return proto_fault_within(fault, "p[%zu]", i);
        }
        scorecard->calibration_p[i] = json_number_value(json_array_get(p, i));
    }
    return integers_read(json_object_get(json, "raw"), "raw", count, 2 * MODEL_RAW_MAX,
                         scorecard->calibration_raw, fault);
}

static bool grades_read(const json_t *json, struct model_grades *grades, struct proto_fault *fault)
{
    static const char *const names[] = {"A", "B", "C"};
    if (!feature_json_members_exact(json, names, 3, PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    double *places[] = {&grades->a_min, &grades->b_min, &grades->c_min};
    for (size_t i = 0; i < 3; i++) {
        const json_t *value = json_object_get(json, names[i]);
        if (!json_is_number(value)) {
            return bad(fault, names[i], "a number is wanted");
        }
        *places[i] = json_number_value(value);
    }
    return true;
}

static bool table_read(const json_t *array, int32_t *entries, size_t count,
                       struct proto_fault *fault)
{
    if (!json_is_array(array) || json_array_size(array) != count) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "table",
                               "one entry for each of the %zu bins is wanted", count);
    }
    for (size_t i = 0; i < count; i++) {
        const json_t *item = json_array_get(array, i);
        int64_t value = json_integer_value(item);
        if (!json_is_integer(item) || value > MODEL_ENTRY_MAX || value < -MODEL_ENTRY_MAX) {
            bad(fault, "", "an integer within 2^30 is wanted");
            return proto_fault_within(fault, "table[%zu]", i);
        }
        entries[i] = (int32_t)value;
    }
    return true;
}

/* Columns and bins of one term, so that the size of all tables is known before they are allocated.
 */
static bool term_head_read(const json_t *json, const struct feature_codebook *codebook,
                           struct model_term *term, struct proto_fault *fault)
{
    static const char *const names[] = {"columns", "bins", "table"};
    if (!feature_json_members_exact(json, names, 3, PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    const json_t *columns = json_object_get(json, "columns");
    size_t width = json_array_size(columns);
    if (!json_is_array(columns) || width < 1 || width > 2) {
        return bad(fault, "columns", "an array of one or two columns is wanted");
    }
    int64_t column[2] = {0, MODEL_NO_COLUMN};
    int64_t bins[2] = {0, 1};
    if (!integers_read(columns, "columns", width, PROTO_COLUMNS_MAX - 1, column, fault) ||
        !integers_read(json_object_get(json, "bins"), "bins", width, PROTO_BINS_MAX, bins, fault)) {
        return false;
    }
    for (size_t i = 0; i < width; i++) {
        if (column[i] < 0 || (size_t)column[i] >= codebook->column_count) {
            return bad(fault, "columns", "a column that the codebook does not have");
        }
        if (bins[i] != (int64_t)codebook->columns[column[i]].bin_count) {
            return bad(fault, "bins", "bins differ from those of the codebook");
        }
    }
    term->column_a = (uint16_t)column[0];
    term->column_b = (uint16_t)column[1];
    term->bins_a = (uint16_t)bins[0];
    term->bins_b = (uint16_t)bins[1];
    return true;
}

static struct model_scorecard *
terms_read(const json_t *terms, const struct feature_codebook *codebook, struct proto_fault *fault)
{
    size_t count = json_array_size(terms);
    if (!json_is_array(terms) || count > MODEL_TERMS_MAX) {
        proto_fault_set(fault, PROTO_BAD_DOCUMENT, "terms", "an array of at most %d is wanted",
                        MODEL_TERMS_MAX);
        return NULL;
    }
    size_t entries = 0;
    for (size_t t = 0; t < count; t++) {
        struct model_term term = {0};
        if (!term_head_read(json_array_get(terms, t), codebook, &term, fault)) {
            proto_fault_within(fault, "terms[%zu]", t);
            return NULL;
        }
        entries += (size_t)term.bins_a * term.bins_b;
    }
    if (entries > MODEL_TABLE_ENTRIES_MAX) {
        proto_fault_set(fault, PROTO_BAD_DOCUMENT, "terms", "more than %u table entries in all",
                        MODEL_TABLE_ENTRIES_MAX);
        return NULL;
    }
    struct model_scorecard *scorecard = model_create(count, entries);
    if (scorecard == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the tables");
        return NULL;
    }
    size_t offset = 0;
    for (size_t t = 0; t < count; t++) {
        const json_t *item = json_array_get(terms, t);
        struct model_term *term = &scorecard->terms[t];
        bool ok = term_head_read(item, codebook, term, fault);
        size_t size = (size_t)term->bins_a * term->bins_b;
        term->table_offset = (uint32_t)offset;
        ok = ok &&
             table_read(json_object_get(item, "table"), scorecard->tables + offset, size, fault);
        if (!ok) {
            proto_fault_within(fault, "terms[%zu]", t);
            model_destroy(scorecard);
            return NULL;
        }
        offset += size;
    }
    return scorecard;
}

struct model_scorecard *model_from_json(const json_t *json, const struct feature_codebook *codebook,
                                        struct proto_fault *fault)
{
    static const char *const names[] = {"intercept", "terms",  "calibration",
                                        "reference", "grades", "trees"};
    bool trees = json_object_get(json, "trees") != NULL;
    if (!feature_json_members_exact(json, names, trees ? 6 : 5, PROTO_BAD_DOCUMENT, fault)) {
        return NULL;
    }
    const json_t *intercept = json_object_get(json, "intercept");
    if (!json_is_integer(intercept)) {
        bad(fault, "intercept", "an integer is wanted");
        return NULL;
    }
    struct model_scorecard *scorecard =
        trees ? model_scorecard_trees(json, codebook, fault)
              : terms_read(json_object_get(json, "terms"), codebook, fault);
    if (scorecard == NULL) {
        return NULL;
    }
    scorecard->intercept = json_integer_value(intercept);
    bool ok = true;
    if (!calibration_read(json_object_get(json, "calibration"), scorecard, fault)) {
        ok = proto_fault_within(fault, "calibration");
    }
    ok =
        ok && integers_read(json_object_get(json, "reference"), "reference", MODEL_REFERENCE_POINTS,
                            2 * MODEL_RAW_MAX, scorecard->reference, fault);
    if (ok && !grades_read(json_object_get(json, "grades"), &scorecard->grades, fault)) {
        ok = proto_fault_within(fault, "grades");
    }
    ok = ok && model_seal(scorecard, codebook, fault);
    if (!ok) {
        model_destroy(scorecard);
        return NULL;
    }
    return scorecard;
}
