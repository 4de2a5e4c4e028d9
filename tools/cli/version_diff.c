/* SPDX-License-Identifier: Apache-2.0 */
/* Figures and fields come from the evidence, points from the tables. A bin is named by its words;
 * stretches of numbers that only one version divides are looked up in both. */
#include "tools/cli/version_diff.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/json_text.h"
#include "server/feature/span_text.h"

static const json_t *at(const json_t *json, const char *outer, const char *inner)
{
    return json_object_get(json_object_get(json, outer), inner);
}

static void text_add(json_t *diff, const char *name, const json_t *a, const json_t *b)
{
    const char *x = json_string_value(a) != NULL ? json_string_value(a) : "";
    const char *y = json_string_value(b) != NULL ? json_string_value(b) : "";
    if (strcmp(x, y) != 0) {
        (void)json_object_set_new(diff, name, json_pack("[s, s]", x, y));
    }
}

static void figure_add(json_t **figures, const char *name, const json_t *a, const json_t *b)
{
    if (json_is_number(a) && json_is_number(b)) {
        feature_json_append(figures, json_pack("{s:s, s:f, s:f}", "figure", name, "a",
                                               json_number_value(a), "b", json_number_value(b)));
    }
}

static json_t *figures_make(const json_t *a, const json_t *b)
{
    static const char *const holdout[] = {"n",        "auc",   "auc_low", "auc_high",
                                          "log_loss", "brier", "ece",     "lift_top_decile"};
    json_t *figures = json_array();
    figure_add(&figures, "accounts", at(a, "label", "population"), at(b, "label", "population"));
    figure_add(&figures, "outcomes", at(a, "label", "positives"), at(b, "label", "positives"));
    figure_add(&figures, "base_rate", at(a, "label", "base_rate"), at(b, "label", "base_rate"));
    for (size_t i = 0; i < sizeof holdout / sizeof *holdout; i++) {
        figure_add(&figures, holdout[i], json_object_get(at(a, "evidence", "holdout"), holdout[i]),
                   json_object_get(at(b, "evidence", "holdout"), holdout[i]));
    }
    return figures;
}

/* Mean points of a field; NAN if the version does not have it. */
static double points_of(const json_t *document, const char *field)
{
    size_t index;
    json_t *entry;
    json_array_foreach(at(document, "evidence", "fields"), index, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "field"));
        if (name != NULL && strcmp(name, field) == 0) {
            return 100 * json_number_value(json_object_get(entry, "importance"));
        }
    }
    return (double)NAN;
}

struct field {
    const char *name;
    double a, b; /* points; NAN: not in that version */
};

static double field_difference(const struct field *field)
{
    return fabs((isnan(field->a) ? 0 : field->a) - (isnan(field->b) ? 0 : field->b));
}

static int by_difference(const void *x, const void *y)
{
    double a = field_difference(x);
    double b = field_difference(y);
    if (a != b) {
        return a < b ? 1 : -1;
    }
    return strcmp(((const struct field *)x)->name, ((const struct field *)y)->name);
}

static void fields_add(const json_t *document, const json_t *other, bool second,
                       struct field *fields, size_t *count)
{
    size_t index;
    json_t *entry;
    json_array_foreach(at(document, "evidence", "fields"), index, entry)
    {
        const char *name = json_string_value(json_object_get(entry, "field"));
        if (name == NULL || (second && !isnan(points_of(other, name)))) {
            continue;
        }
        double own = 100 * json_number_value(json_object_get(entry, "importance"));
        double theirs = points_of(other, name);
        fields[(*count)++] = (struct field){name, second ? theirs : own, second ? own : theirs};
    }
}

static json_t *points_json(double points)
{
    return isnan(points) ? json_null() : json_real(points);
}

/* The column of a field, of tags of one tag; column_count if there is none. */
static size_t column_find(const struct version_side *side, const struct feature_column *like)
{
    size_t c = 0;
    for (; c < side->codebook->column_count; c++) {
        const struct feature_column *column = &side->codebook->columns[c];
        bool same_tag = like->tag == NULL
                            ? column->tag == NULL
                            : column->tag != NULL && strcmp(column->tag, like->tag) == 0;
        if (strcmp(column->field_name, like->field_name) == 0 && column->type == like->type &&
            same_tag) {
            break;
        }
    }
    return c;
}

/* The term of one column; NULL if it contributes nothing alone. */
static const struct model_term *term_find(const struct version_side *side, size_t column)
{
    for (size_t t = 0; t < side->scorecard->term_count; t++) {
        const struct model_term *term = &side->scorecard->terms[t];
        if (term->column_a == column && term->column_b == MODEL_NO_COLUMN) {
            return term;
        }
    }
    return NULL;
}

static double points_at(const struct version_side *side, const struct model_term *term, size_t code)
{
    return term == NULL ? 0 : (double)side->scorecard->tables[term->table_offset + code] / 1e4;
}

static json_t *bin_json(const char *words, double a, double b, const struct version_side *side,
                        const struct model_term *term, size_t code)
{
    json_t *bin = json_pack("{s:s, s:f, s:f}", "bin", words, "a", a, "b", b);
    if (bin != NULL && term != NULL && side->support != NULL &&
        side->support->known[term - side->scorecard->terms]) {
        (void)json_object_set_new(
            bin, "accounts",
            json_integer((json_int_t)side->support->rows[term->table_offset + code]));
    }
    return bin;
}

/* Two columns of one field, and their terms. */
struct both {
    const struct version_side *a, *b;
    const struct feature_column *column_a, *column_b;
    const struct model_term *term_a, *term_b;
};

static size_t code_of(const struct feature_column *column, double number)
{
    size_t code = 1;
    while (code - 1 < column->bin_count - 2 && column->edges[code - 1] < number) {
        code++;
    }
    return code;
}

static int by_number(const void *x, const void *y)
{
    double a = *(const double *)x;
    double b = *(const double *)y;
    return (a > b) - (a < b);
}

/* Stretches between the edges of both; neighbours with the same points in both are one. */
static void numbers_add(const struct both *both, json_t **bins)
{
    double edges[2 * PROTO_BINS_MAX + 1];
    size_t count = 0;
    for (size_t i = 0; i + 2 < both->column_a->bin_count; i++) {
        edges[count++] = both->column_a->edges[i];
    }
    for (size_t i = 0; i + 2 < both->column_b->bin_count; i++) {
        edges[count++] = both->column_b->edges[i];
    }
    qsort(edges, count, sizeof *edges, by_number);
    char low[FEATURE_NUMBER_TEXT_BYTES] = "";
    for (size_t i = 0; i <= count; i++) {
        double number = i < count ? edges[i] : (double)INFINITY;
        size_t code_a = code_of(both->column_a, number);
        size_t code_b = code_of(both->column_b, number);
        double a = points_at(both->a, both->term_a, code_a);
        double b = points_at(both->b, both->term_b, code_b);
        double next = i + 1 < count ? edges[i + 1] : (double)INFINITY;
        bool goes_on = i < count &&
                       points_at(both->a, both->term_a, code_of(both->column_a, next)) == a &&
                       points_at(both->b, both->term_b, code_of(both->column_b, next)) == b;
        if (goes_on || (i < count && next == number)) {
            continue;
        }
        char high[FEATURE_NUMBER_TEXT_BYTES] = "";
        char words[2 * FEATURE_NUMBER_TEXT_BYTES + 16];
        if (i < count) {
            feature_number_print(number, high);
        }
        (void)snprintf(words, sizeof words, "%s%s%s%s", low,
                       low[0] != '\0' && high[0] != '\0' ? " < x ≤ "
                       : high[0] != '\0'                 ? "x ≤ "
                       : low[0] != '\0'                  ? " < x"
                                                         : "any number",
                       high, "");
        feature_json_append(bins, json_pack("{s:s, s:f, s:f}", "bin", words, "a", a, "b", b));
        memcpy(low, high, sizeof low);
    }
}

/* The code of a's that means the same as b's; 1 (rare or unseen) if it has none. */
static size_t category_code(const struct feature_column *column, const char *category)
{
    for (size_t i = 0; i + 2 < column->bin_count; i++) {
        if (strcmp(column->categories[i], category) == 0) {
            return i + 2;
        }
    }
    return 1;
}

static void codes_add(const struct both *both, json_t **bins)
{
    for (size_t code = 1; code < both->column_b->bin_count; code++) {
        bool category = both->column_b->type == FEATURE_CATEGORY;
        size_t code_a = !category ? code
                        : code == 1
                            ? 1
                            : category_code(both->column_a, both->column_b->categories[code - 2]);
        char words[200];
        feature_bin_text(both->column_b, (uint8_t)code, words, sizeof words);
        feature_json_append(bins, bin_json(words, points_at(both->a, both->term_a, code_a),
                                           points_at(both->b, both->term_b, code), both->b,
                                           both->term_b, code));
    }
}

/* Categories that a alone has a bin for. */
static void categories_lost_add(const struct both *both, json_t **bins)
{
    for (size_t i = 0; i + 2 < both->column_a->bin_count; i++) {
        const char *category = both->column_a->categories[i];
        if (category_code(both->column_b, category) == 1) {
            feature_json_append(bins, json_pack("{s:s, s:f, s:f}", "bin", category, "a",
                                                points_at(both->a, both->term_a, i + 2), "b",
                                                points_at(both->b, both->term_b, 1)));
        }
    }
}

/* Bins of one field that both versions have. */
static json_t *bins_make(const struct version_side *a, const struct version_side *b,
                         const char *field)
{
    json_t *bins = json_array();
    for (size_t c = 0; c < b->codebook->column_count; c++) {
        const struct feature_column *column = &b->codebook->columns[c];
        size_t other = column_find(a, column);
        if (strcmp(column->field_name, field) != 0 || other == a->codebook->column_count) {
            continue;
        }
        struct both both = {
            a, b, &a->codebook->columns[other], column, term_find(a, other), term_find(b, c)};
        if (feature_type_is_number(column->type)) {
            numbers_add(&both, &bins);
        } else {
            codes_add(&both, &bins);
        }
        if (column->type == FEATURE_CATEGORY) {
            categories_lost_add(&both, &bins);
        }
        feature_json_append(&bins, bin_json("missing", points_at(a, both.term_a, 0),
                                            points_at(b, both.term_b, 0), b, both.term_b, 0));
    }
    return bins;
}

/* How far the points of bins lie apart in the mean: over accounts where they are known, else over
 * bins. */
static double bins_difference(const json_t *bins)
{
    double sum = 0;
    double weights = 0;
    size_t index;
    json_t *bin;
    json_array_foreach(bins, index, bin)
    {
        const json_t *accounts = json_object_get(bin, "accounts");
        double weight = accounts != NULL ? json_number_value(accounts) : 1;
        sum += weight * fabs(json_number_value(json_object_get(bin, "a")) -
                             json_number_value(json_object_get(bin, "b")));
        weights += weight;
    }
    return weights > 0 ? sum / weights : 0;
}

/* The bins of a field that both versions have. */
struct bins {
    const char *field;
    json_t *list;
    double difference;
};

static int by_bins(const void *x, const void *y)
{
    double a = ((const struct bins *)x)->difference;
    double b = ((const struct bins *)y)->difference;
    if (a != b) {
        return a < b ? 1 : -1;
    }
    return strcmp(((const struct bins *)x)->field, ((const struct bins *)y)->field);
}

/* Of the fields whose points differ, those that differ most; none if a version is of trees, whose
 * bins have no points. NULL: no memory. */
static json_t *bins_list(const struct version_side *a, const struct version_side *b,
                         const struct field *fields, size_t count, size_t most)
{
    struct bins *all = calloc(count + 1, sizeof *all);
    bool trees = a->scorecard->trees != NULL || b->scorecard->trees != NULL;
    size_t used = 0;
    if (all == NULL) {
        return NULL;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count; i++) {
        if (!trees && !isnan(fields[i].a) && !isnan(fields[i].b)) {
            json_t *bins = bins_make(a, b, fields[i].name);
            all[used++] = (struct bins){fields[i].name, bins, bins_difference(bins)};
        }
    }
    qsort(all, used, sizeof *all, by_bins);
    for (size_t i = 0; i < used; i++) {
        if (i < most && all[i].difference > 0) {
            feature_json_append(&list,
                                json_pack("{s:s, s:f, s:O}", "field", all[i].field, "difference",
                                          all[i].difference, "bins", all[i].list));
        }
        json_decref(all[i].list);
    }
    free(all);
    return list;
}

json_t *version_diff(const struct version_side *a, const struct version_side *b, size_t fields_most)
{
    size_t room = json_array_size(at(a->document, "evidence", "fields")) +
                  json_array_size(at(b->document, "evidence", "fields"));
    struct field *fields = calloc(room + 1, sizeof *fields);
    json_t *diff = json_object();
    json_t *listed = json_array();
    json_t *bins = NULL;
    size_t count = 0;
    if (fields != NULL) {
        fields_add(a->document, b->document, false, fields, &count);
        fields_add(b->document, a->document, true, fields, &count);
        qsort(fields, count, sizeof *fields, by_difference);
        bins = bins_list(a, b, fields, count, fields_most);
    }
    text_add(diff, "label", at(a->document, "label", "expression"),
             at(b->document, "label", "expression"));
    text_add(diff, "where", at(a->document, "label", "where"), at(b->document, "label", "where"));
    for (size_t i = 0; i < count; i++) {
        feature_json_append(&listed,
                            json_pack("{s:s, s:o, s:o}", "field", fields[i].name, "a",
                                      points_json(fields[i].a), "b", points_json(fields[i].b)));
    }
    bool ok = fields != NULL &&
              json_object_set_new(diff, "figures", figures_make(a->document, b->document)) == 0;
    ok = json_object_set_new(diff, "fields", listed) == 0 && ok;
    ok = json_object_set_new(diff, "bins", bins) == 0 && ok;
    free(fields);
    if (!ok) {
        json_decref(diff);
        return NULL;
    }
    return diff;
}
