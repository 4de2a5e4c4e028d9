/* SPDX-License-Identifier: Apache-2.0 */
/* A value scorecard is read strictly, for scores rest on it: every column once, as many points as
 * it has bins. What is wrong is told by its path. */
#include "server/learn/value_card.h"

#include <math.h>
#include <stdlib.h>

#include "server/feature/json_text.h"
#include "server/math/portable.h"

#define MICRO 1e-6

static bool bad(struct proto_fault *fault, const char *field, const char *text)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, field, "%s", text);
}

void learn_value_destroy(struct learn_value *value)
{
    if (value != NULL) {
        free(value->field);
        free(value->terms);
        free(value->points);
        free(value);
    }
}

static bool points_fit(const json_t *json)
{
    json_int_t points = json_integer_value(json);
    return json_is_integer(json) && points >= -LEARN_VALUE_POINTS_MAX &&
           points <= LEARN_VALUE_POINTS_MAX;
}

static bool head_read(const json_t *json, struct learn_value *value, struct proto_fault *fault)
{
    static const char *const names[] = {"field",     "n",          "mean",  "intercept",
                                        "ratio_low", "ratio_high", "terms", "evidence"};
    const char *field = json_string_value(json_object_get(json, "field"));
    const json_t *low = json_object_get(json, "ratio_low");
    const json_t *high = json_object_get(json, "ratio_high");
    if (!json_is_object(json)) {
        return bad(fault, "", "an object is wanted");
    }
    if (!feature_json_members_known(json, names, 8, PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    if (field == NULL) {
        return bad(fault, "field", "a text is wanted");
    }
    if (!points_fit(json_object_get(json, "intercept"))) {
        return bad(fault, "intercept", "an integer of at most 2^28 is wanted");
    }
    if (!json_is_number(low) || !(json_number_value(low) >= 0) || !json_is_number(high) ||
        !(json_number_value(high) >= json_number_value(low))) {
        return bad(fault, "ratio_low", "numbers are wanted, 0 <= ratio_low <= ratio_high");
    }
    value->intercept = json_integer_value(json_object_get(json, "intercept"));
    value->ratio_low = json_number_value(low);
    value->ratio_high = json_number_value(high);
    value->field = strdup(field);
    return value->field != NULL ||
           proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the value");
}

/* One term; terms stand by column. */
static bool term_read(const json_t *json, const struct feature_codebook *codebook,
                      int64_t least_column, int32_t *points, struct learn_value_term *term,
                      struct proto_fault *fault)
{
    static const char *const names[] = {"column", "points"};
    const json_t *column = json_object_get(json, "column");
    const json_t *list = json_object_get(json, "points");
    json_int_t c = json_integer_value(column);
    if (!json_is_object(json) ||
        !feature_json_members_known(json, names, 2, PROTO_BAD_DOCUMENT, fault)) {
        return json_is_object(json) ? false : bad(fault, "", "an object is wanted");
    }
    if (!json_is_integer(column) || c < least_column || c >= (json_int_t)codebook->column_count) {
        return bad(fault, "column", "a column of the codebook is wanted, each once, ascending");
    }
    if (!json_is_array(list) || json_array_size(list) != codebook->columns[c].bin_count) {
        return bad(fault, "points", "as many points as the column has bins are wanted");
    }
    for (size_t b = 0; b < json_array_size(list); b++) {
        if (!points_fit(json_array_get(list, b))) {
            return bad(fault, "points", "integers of at most 2^28 are wanted");
        }
        points[b] = (int32_t)json_integer_value(json_array_get(list, b));
    }
    *term = (struct learn_value_term){.column = (uint16_t)c, .points = points};
    return true;
}

static bool terms_read(const json_t *json, const struct feature_codebook *codebook,
                       struct learn_value *value, struct proto_fault *fault)
{
    const json_t *terms = json_object_get(json, "terms");
    size_t bins = 0;
    int64_t least = 0;
    for (size_t c = 0; c < codebook->column_count; c++) {
        bins += codebook->columns[c].bin_count;
    }
    if (!json_is_array(terms) || json_array_size(terms) > codebook->column_count) {
        return bad(fault, "terms", "an array of a term a column at most is wanted");
    }
    value->terms = calloc(json_array_size(terms) + 1, sizeof *value->terms);
    value->points = calloc(bins + 1, sizeof *value->points);
    if (value->terms == NULL || value->points == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the value");
    }
    int32_t *points = value->points;
    for (size_t t = 0; t < json_array_size(terms); t++) {
        struct learn_value_term *term = &value->terms[t];
        if (!term_read(json_array_get(terms, t), codebook, least, points, term, fault)) {
            return proto_fault_within(fault, "terms[%zu]", t);
        }
        points += codebook->columns[term->column].bin_count;
        least = term->column + 1;
        value->term_count++;
    }
    return true;
}

struct learn_value *learn_value_parse(const json_t *json, const struct feature_codebook *codebook,
                                      struct proto_fault *fault)
{
    struct learn_value *value = calloc(1, sizeof *value);
    if (value == NULL) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for the value");
        return NULL;
    }
    if (!head_read(json, value, fault) || !terms_read(json, codebook, value, fault)) {
        learn_value_destroy(value);
        return NULL;
    }
    return value;
}

int64_t learn_value_sum(const struct learn_value *value, const uint8_t *codes)
{
    int64_t sum = value->intercept;
    for (size_t t = 0; t < value->term_count; t++) {
        const struct learn_value_term *term = &value->terms[t];
        sum += term->points[codes[term->column]];
    }
    return sum;
}

double learn_value_of_sum(int64_t sum)
{
    /* Beyond what a double holds nothing is worth anything. */
    double logarithm = (double)sum * MICRO;
    return math_exp(logarithm > 700 ? 700 : logarithm < -700 ? -700 : logarithm);
}

double learn_value_of(const struct learn_value *value, const uint8_t *codes)
{
    return learn_value_of_sum(learn_value_sum(value, codes));
}
