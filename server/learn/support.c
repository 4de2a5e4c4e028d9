/* SPDX-License-Identifier: Apache-2.0 */
/* Each row is counted once in every table; what is counted goes into the document cell by cell, and
 * comes back by the columns that it names. A document whose counts do not fit its tables is
 * refused: a bin must not be shown with the accounts of another. */
#include "server/learn/support.h"

#include <stdlib.h>

#include "server/feature/json_text.h"

void learn_support_destroy(struct learn_support *support)
{
    if (support != NULL) {
        free(support->rows);
        free(support->positives);
        free(support->known);
        free(support);
    }
}

static struct learn_support *support_create(const struct model_scorecard *scorecard,
                                            struct proto_fault *fault)
{
    struct learn_support *support = calloc(1, sizeof *support);
    if (support != NULL) {
        support->rows = calloc(scorecard->table_count + 1, sizeof *support->rows);
        support->positives = calloc(scorecard->table_count + 1, sizeof *support->positives);
        support->known = calloc(scorecard->term_count + 1, sizeof *support->known);
    }
    if (support == NULL || support->rows == NULL || support->positives == NULL ||
        support->known == NULL) {
        learn_support_destroy(support);
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to count %zu cells",
                        scorecard->table_count);
        return NULL;
    }
    return support;
}

static size_t term_cells(const struct model_term *term)
{
    return (size_t)term->bins_a * term->bins_b;
}

static size_t cells_held(const struct learn_support *support, const struct model_term *term)
{
    size_t held = 0;
    for (size_t i = 0; i < term_cells(term); i++) {
        held += support->rows[term->table_offset + i] > 0;
    }
    return held;
}

struct learn_support *learn_support_count(const struct model_scorecard *scorecard,
                                          const uint8_t *codes, size_t stride,
                                          const uint8_t *labels, size_t rows,
                                          struct proto_fault *fault)
{
    struct learn_support *support = support_create(scorecard, fault);
    if (support == NULL) {
        return NULL;
    }
    support->rows_all = rows;
    for (size_t i = 0; i < rows; i++) {
        support->positives_all += labels[i] != 0;
    }
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        bool pair = term->column_b != MODEL_NO_COLUMN;
        for (size_t i = 0; i < rows; i++) {
            const uint8_t *row = codes + i * stride;
            size_t cell = (size_t)row[term->column_a] * term->bins_b +
                          (pair ? row[term->column_b] : (size_t)0);
            support->rows[term->table_offset + cell]++;
            support->positives[term->table_offset + cell] += labels[i] != 0;
        }
        support->known[t] = !pair || cells_held(support, term) <= LEARN_SUPPORT_CELLS_MAX;
    }
    return support;
}

/* One term, with the cells that hold rows or, of one column, with all. */
static json_t *term_json(const struct model_term *term, const struct learn_support *support)
{
    bool pair = term->column_b != MODEL_NO_COLUMN;
    json_t *columns = pair ? json_pack("[i, i]", term->column_a, term->column_b)
                           : json_pack("[i]", term->column_a);
    json_t *cells = json_array();
    json_t *n = json_array();
    json_t *positives = json_array();
    for (size_t i = 0; i < term_cells(term); i++) {
        json_int_t held = support->rows[term->table_offset + i];
        if (!pair || held > 0) {
            feature_json_append(&cells, json_integer((json_int_t)i));
            feature_json_append(&n, json_integer(held));
            feature_json_append(&positives,
                                json_integer(support->positives[term->table_offset + i]));
        }
    }
    if (pair) {
        return json_pack("{s:o, s:o, s:o, s:o}", "columns", columns, "cells", cells, "n", n,
                         "positives", positives);
    }
    json_decref(cells);
    return json_pack("{s:o, s:o, s:o}", "columns", columns, "n", n, "positives", positives);
}

json_t *learn_support_json(const struct model_scorecard *scorecard,
                           const struct learn_support *support)
{
    json_t *array = json_array();
    for (size_t t = 0; t < scorecard->term_count; t++) {
        if (support->known[t]) {
            feature_json_append(&array, term_json(&scorecard->terms[t], support));
        }
    }
    return array;
}

static bool bad(struct proto_fault *fault, const char *field, const char *text)
{
    return proto_fault_set(fault, PROTO_BAD_DOCUMENT, field, "%s", text);
}

/* The term of these columns; NULL if the scorecard has none. Terms are in order, but few. */
static const struct model_term *term_find(const struct model_scorecard *scorecard,
                                          const json_t *columns)
{
    json_int_t a = json_integer_value(json_array_get(columns, 0));
    json_int_t b = json_array_size(columns) == 2 ? json_integer_value(json_array_get(columns, 1))
                                                 : MODEL_NO_COLUMN;
    for (size_t t = 0; t < scorecard->term_count; t++) {
        const struct model_term *term = &scorecard->terms[t];
        if (term->column_a == a && term->column_b == b) {
            return term;
        }
    }
    return NULL;
}

/* An integer of an array, 0 … most; false if it is none. */
static bool count_read(const json_t *array, size_t i, json_int_t most, uint32_t *count)
{
    const json_t *item = json_array_get(array, i);
    json_int_t value = json_integer_value(item);
    *count = json_is_integer(item) && value >= 0 && value <= most ? (uint32_t)value : UINT32_MAX;
    return *count != UINT32_MAX;
}

/* The cells of one term; `cells` is NULL for a term of one column. */
static bool cells_read(const json_t *json, const struct model_term *term,
                       struct learn_support *support, struct proto_fault *fault)
{
    const json_t *cells = json_object_get(json, "cells");
    const json_t *n = json_object_get(json, "n");
    const json_t *positives = json_object_get(json, "positives");
    size_t count = cells != NULL ? json_array_size(cells) : term_cells(term);
    if (!json_is_array(n) || json_array_size(n) != count) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "n", "an array of %zu counts is wanted",
                               count);
    }
    if (!json_is_array(positives) || json_array_size(positives) != count) {
        return proto_fault_set(fault, PROTO_BAD_DOCUMENT, "positives",
                               "an array of %zu counts is wanted", count);
    }
    uint32_t next = 0;
    for (size_t i = 0; i < count; i++) {
        uint32_t cell = (uint32_t)i;
        uint32_t rows;
        uint32_t won;
        if (cells != NULL &&
            (!count_read(cells, i, (json_int_t)term_cells(term) - 1, &cell) || cell < next)) {
            return bad(fault, "cells", "cells of the table, ascending, are wanted");
        }
        if (!count_read(n, i, INT32_MAX, &rows)) {
            return bad(fault, "n", "integers from 0 up are wanted");
        }
        if (!count_read(positives, i, rows, &won)) {
            return bad(fault, "positives", "integers from 0 to those of n are wanted");
        }
        support->rows[term->table_offset + cell] = rows;
        support->positives[term->table_offset + cell] = won;
        next = cell + 1;
    }
    return true;
}

static bool term_read(const json_t *json, const struct model_scorecard *scorecard,
                      struct learn_support *support, struct proto_fault *fault)
{
    static const char *const names[] = {"columns", "cells", "n", "positives"};
    const json_t *columns = json_object_get(json, "columns");
    size_t width = json_array_size(columns);
    if (!json_is_object(json)) {
        return bad(fault, "", "an object is wanted");
    }
    if (!feature_json_members_known(json, names, 4, PROTO_BAD_DOCUMENT, fault)) {
        return false;
    }
    const struct model_term *term = width == 1 || width == 2 ? term_find(scorecard, columns) : NULL;
    if (term == NULL) {
        return bad(fault, "columns", "the columns of a term of the scorecard are wanted");
    }
    if (json_is_array(json_object_get(json, "cells")) != (width == 2)) {
        return bad(fault, "cells", "an array is wanted of a pair, and of no other term");
    }
    support->known[term - scorecard->terms] = true;
    return cells_read(json, term, support, fault);
}

struct learn_support *learn_support_parse(const json_t *array,
                                          const struct model_scorecard *scorecard, size_t rows,
                                          size_t positives, struct proto_fault *fault)
{
    struct learn_support *support = support_create(scorecard, fault);
    if (support == NULL) {
        return NULL;
    }
    support->rows_all = rows;
    support->positives_all = positives;
    for (size_t i = 0; i < json_array_size(array); i++) {
        if (!term_read(json_array_get(array, i), scorecard, support, fault)) {
            proto_fault_within(fault, "support[%zu]", i);
            learn_support_destroy(support);
            return NULL;
        }
    }
    return support;
}
