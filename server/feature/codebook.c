/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/codebook.h"

#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <xxhash.h>

#include "server/feature/codebook_index.h"
#include "server/feature/span_text.h"

#define ROW_STEP_BYTES 64

enum code {
    CODE_MISSING = 0,
    CODE_RARE = 1,  /* category */
    CODE_FALSE = 1, /* flag, and tags: absent */
    CODE_TRUE = 2,
};

struct feature_column *feature_codebook_column_add(struct feature_codebook *codebook)
{
    /* The array grows by doubling at powers of two, so that no capacity need be kept. */
    size_t count = codebook->column_count;
    assert(count < PROTO_COLUMNS_MAX);
    if ((count & (count - 1)) == 0) {
        size_t capacity = count == 0 ? 1 : count * 2;
        struct feature_column *wider =
            realloc(codebook->columns, capacity * sizeof *codebook->columns);
        if (wider == NULL) {
            return NULL;
        }
        codebook->columns = wider;
    }
    codebook->columns[count] = (struct feature_column){0};
    codebook->column_count = count + 1;
    return &codebook->columns[count];
}

static void column_fini(struct feature_column *column)
{
    for (unsigned i = 0; column->categories != NULL && i + 2 < column->bin_count; i++) {
        free(column->categories[i]);
    }
    free(column->categories);
    free(column->edges);
    free(column->field_name);
    free(column->tag);
}

void feature_codebook_destroy(struct feature_codebook *codebook)
{
    if (codebook == NULL) {
        return;
    }
    for (size_t i = 0; i < codebook->column_count; i++) {
        column_fini(&codebook->columns[i]);
    }
    if (codebook->index != NULL) {
        for (size_t i = 0; i < codebook->index->plan_count; i++) {
            feature_lookup_fini(&codebook->index->plans[i].lookup);
            free(codebook->index->plans[i].ladder);
        }
        free(codebook->index->plans);
        free(codebook->index);
    }
    free(codebook->columns);
    free(codebook);
}

/* The digest runs over the meaning of the codes: per column its field name, type, tag, edges and
 * categories, each text behind its length. */
static void digest_text(XXH3_state_t *state, const char *text)
{
    uint64_t bytes = text == NULL ? 0 : strlen(text);
    XXH3_64bits_update(state, &bytes, sizeof bytes);
    if (bytes > 0) {
        XXH3_64bits_update(state, text, bytes);
    }
}

static bool codebook_digest(struct feature_codebook *codebook)
{
    XXH3_state_t *state = XXH3_createState();
    if (state == NULL) {
        return false;
    }
    XXH3_64bits_reset(state);
    for (size_t i = 0; i < codebook->column_count; i++) {
        const struct feature_column *column = &codebook->columns[i];
        uint32_t head[2] = {(uint32_t)column->type, column->bin_count};
        XXH3_64bits_update(state, head, sizeof head);
        digest_text(state, column->field_name);
        digest_text(state, column->tag);
        if (column->type == FEATURE_NUMBER && column->bin_count > 2) {
            XXH3_64bits_update(state, column->edges,
                               (column->bin_count - 2) * sizeof *column->edges);
        }
        for (unsigned j = 0; column->type == FEATURE_CATEGORY && j + 2 < column->bin_count; j++) {
            digest_text(state, column->categories[j]);
        }
    }
    codebook->digest = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    return true;
}

/* The edges of a number laid out for ladder_code. */
static bool ladder_make(struct feature_codebook_plan *plan, const struct feature_column *column)
{
    size_t count = column->bin_count - 2;
    if (count > FEATURE_LADDER_EDGES) {
        return true;
    }
    plan->ladder = malloc(FEATURE_LADDER_NUMBERS * sizeof *plan->ladder);
    if (plan->ladder == NULL) {
        return false;
    }
    for (size_t i = 0; i < FEATURE_LADDER_NUMBERS; i++) {
        plan->ladder[i] = HUGE_VAL;
    }
    double *edges = plan->ladder + FEATURE_LADDER_EDGES / FEATURE_LADDER_BLOCK;
    for (size_t i = 0; i < count; i++) {
        edges[i] = column->edges[i];
        if (i % FEATURE_LADDER_BLOCK == FEATURE_LADDER_BLOCK - 1) {
            plan->ladder[i / FEATURE_LADDER_BLOCK] = column->edges[i];
        }
    }
    return true;
}

static bool plan_fill(struct feature_codebook *codebook, struct feature_codebook_plan *plan)
{
    bool ok = true;
    const struct feature_column *first = &codebook->columns[plan->first];
    if (plan->type == FEATURE_CATEGORY) {
        for (unsigned i = 0; ok && i + 2 < first->bin_count; i++) {
            ok = feature_lookup_add(&plan->lookup, proto_span_text(first->categories[i]),
                                    FEATURE_CATEGORY_FIRST + i, NULL);
        }
    } else if (plan->type == FEATURE_TAGS) {
        for (unsigned i = 0; ok && i < plan->count; i++) {
            ok = feature_lookup_add(&plan->lookup, proto_span_text(first[i].tag),
                                    (uint32_t)plan->first + i, NULL);
        }
    } else if (plan->type == FEATURE_NUMBER) {
        ok = ladder_make(plan, first);
    }
    return ok;
}

bool feature_codebook_finish(struct feature_codebook *codebook, struct proto_fault *fault)
{
    struct feature_codebook_index *index = calloc(1, sizeof *index);
    codebook->index = index;
    if (index == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a codebook");
    }
    index->plans = calloc(codebook->column_count + 1, sizeof *index->plans);
    bool ok = index->plans != NULL && codebook_digest(codebook);
    for (size_t i = 0; ok && i < codebook->column_count;) {
        const struct feature_column *column = &codebook->columns[i];
        struct feature_codebook_plan *plan = &index->plans[index->plan_count++];
        *plan = (struct feature_codebook_plan){
            .field_id = column->field_id, .first = (uint16_t)i, .type = column->type};
        while (i < codebook->column_count && codebook->columns[i].field_id == plan->field_id) {
            plan->count++;
            i++;
        }
        assert(plan->count == 1 || plan->type == FEATURE_TAGS);
        ok = plan_fill(codebook, plan);
    }
    codebook->row_bytes =
        (codebook->column_count + ROW_STEP_BYTES - 1) / ROW_STEP_BYTES * ROW_STEP_BYTES;
    return ok || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for a codebook");
}

typedef double pair_of_numbers __attribute__((vector_size(16)));
typedef int64_t pair_of_counts __attribute__((vector_size(16)));

/* -1 in each place whose number is below. */
static inline pair_of_counts pair_below(const double *pair, pair_of_numbers wanted)
{
    pair_of_numbers numbers;
    memcpy(&numbers, pair, sizeof numbers);
    return numbers < wanted;
}

/* How many of a block are below x. */
static inline size_t block_below(const double *block, double x)
{
    const pair_of_numbers wanted = {x, x};
    pair_of_counts below = pair_below(block, wanted) + pair_below(block + 2, wanted) +
                           pair_below(block + 4, wanted) + pair_below(block + 6, wanted);
    return (size_t) - (below[0] + below[1]);
}

/* As number_code, in two steps instead of six that wait for each other: which block, where in it.
 */
static uint8_t ladder_code(const double *ladder, double x)
{
    const double *edges = ladder + FEATURE_LADDER_EDGES / FEATURE_LADDER_BLOCK;
    size_t first = FEATURE_LADDER_BLOCK * block_below(ladder, x);
    return (uint8_t)(1 + first + block_below(edges + first, x));
}

/* 1 + how many edges are below x. The halving has no branch that depends on x: compilers make a
 * conditional move of it, and a wrong guess per level would cost more than the level. */
static uint8_t number_code(const struct feature_column *column, double x)
{
    const double *base = column->edges;
    size_t left = column->bin_count - 2;
    if (left == 0) {
        return 1;
    }
    while (left > 1) {
        size_t half = left / 2;
        base += base[half - 1] < x ? half : 0;
        left -= half;
    }
    return (uint8_t)(1 + (base - column->edges) + (*base < x));
}

const struct feature_codebook_plan *feature_codebook_plan(const struct feature_codebook *codebook,
                                                          uint16_t field_id, enum feature_type type)
{
    const struct feature_codebook_index *index = codebook->index;
    for (size_t i = 0; i < index->plan_count; i++) {
        if (index->plans[i].field_id == field_id) {
            return index->plans[i].type == type ? &index->plans[i] : NULL;
        }
    }
    return NULL;
}

void feature_codebook_encode_number(const struct feature_codebook *codebook,
                                    const struct feature_codebook_plan *plan, double number,
                                    uint8_t *row)
{
    row[plan->first] = plan->ladder != NULL ? ladder_code(plan->ladder, number)
                                            : number_code(&codebook->columns[plan->first], number);
}

void feature_codebook_encode_flag(const struct feature_codebook_plan *plan, bool flag, uint8_t *row)
{
    row[plan->first] = flag ? CODE_TRUE : CODE_FALSE;
}

bool feature_codebook_encode_category(const struct feature_codebook_plan *plan,
                                      struct proto_span text, uint8_t *row)
{
    uint32_t code = feature_lookup_find(&plan->lookup, text);
    row[plan->first] = code == FEATURE_LOOKUP_NONE ? CODE_RARE : (uint8_t)code;
    return code != FEATURE_LOOKUP_NONE;
}

void feature_codebook_encode_no_tags(const struct feature_codebook_plan *plan, uint8_t *row)
{
    memset(row + plan->first, CODE_FALSE, plan->count);
}

bool feature_codebook_encode_tag(const struct feature_codebook_plan *plan, struct proto_span tag,
                                 uint8_t *row)
{
    uint32_t column = feature_lookup_find(&plan->lookup, tag);
    if (column == FEATURE_LOOKUP_NONE) {
        return false;
    }
    row[column] = CODE_TRUE;
    return true;
}

void feature_codebook_encode_value(const struct feature_codebook *codebook,
                                   const struct feature_codebook_plan *plan,
                                   const struct feature_value *value, uint8_t *row)
{
    size_t at = 0;
    struct proto_span tag;
    switch (plan->type) {
    case FEATURE_NUMBER:
        feature_codebook_encode_number(codebook, plan, value->number, row);
        break;
    case FEATURE_CATEGORY:
        (void)feature_codebook_encode_category(plan, value->text, row);
        break;
    case FEATURE_FLAG:
        feature_codebook_encode_flag(plan, value->flag, row);
        break;
    case FEATURE_TAGS:
        feature_codebook_encode_no_tags(plan, row);
        while (feature_tags_next(value->tags, &at, &tag)) {
            (void)feature_codebook_encode_tag(plan, tag, row);
        }
        break;
    case FEATURE_VECTOR:
    case FEATURE_DATE:
        break;
    }
}

void feature_codebook_encode(const struct feature_codebook *codebook,
                             const struct feature_value *values, size_t slots, uint8_t *row)
{
    const struct feature_codebook_index *index = codebook->index;
    memset(row, CODE_MISSING, codebook->row_bytes);
    for (size_t i = 0; i < index->plan_count; i++) {
        const struct feature_codebook_plan *plan = &index->plans[i];
        if (plan->field_id >= slots) {
            continue;
        }
        const struct feature_value *value = &values[plan->field_id];
        /* A value of another type comes from before its field changed: it is missing here. */
        if (value->present && value->type == plan->type) {
            feature_codebook_encode_value(codebook, plan, value, row);
        }
    }
}

static void number_bin_text(const struct feature_column *column, uint8_t code, char *text,
                            size_t text_bytes)
{
    char low[FEATURE_NUMBER_TEXT_BYTES] = "";
    char high[FEATURE_NUMBER_TEXT_BYTES] = "";
    unsigned edges = column->bin_count - 2;
    if (code >= 2) {
        (void)feature_number_print(column->edges[code - 2], low);
    }
    if (code <= edges) {
        (void)feature_number_print(column->edges[code - 1], high);
    }
    if (edges == 0) {
        (void)snprintf(text, text_bytes, "any number");
    } else if (code == 1) {
        (void)snprintf(text, text_bytes, "x \xE2\x89\xA4 %s", high);
    } else if (code > edges) {
        (void)snprintf(text, text_bytes, "x > %s", low);
    } else {
        (void)snprintf(text, text_bytes, "%s < x \xE2\x89\xA4 %s", low, high);
    }
}

void feature_bin_text(const struct feature_column *column, uint8_t code, char *text,
                      size_t text_bytes)
{
    char whole[PROTO_CATEGORY_BYTES_MAX + 32] = "";
    if (code >= column->bin_count) {
        (void)snprintf(whole, sizeof whole, "no such bin");
    } else if (code == CODE_MISSING) {
        (void)snprintf(whole, sizeof whole, "missing");
    } else if (column->type == FEATURE_NUMBER) {
        number_bin_text(column, code, whole, sizeof whole);
    } else if (column->type == FEATURE_TAGS) {
        (void)snprintf(whole, sizeof whole, "%s %s", code == CODE_TRUE ? "has" : "lacks",
                       column->tag);
    } else if (column->type == FEATURE_FLAG) {
        (void)snprintf(whole, sizeof whole, "%s", code == CODE_TRUE ? "true" : "false");
    } else if (code == CODE_RARE) {
        (void)snprintf(whole, sizeof whole, "rare or unseen");
    } else {
        (void)snprintf(whole, sizeof whole, "%s",
                       column->categories[code - FEATURE_CATEGORY_FIRST]);
    }
    feature_text_show(proto_span_text(whole), text, text_bytes);
}
