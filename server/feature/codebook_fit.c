/* SPDX-License-Identifier: Apache-2.0 */
/* Fits a codebook to a sample: bins of numbers, categories and tags with enough support. */
#include <assert.h>
#include <stdlib.h>

#include "server/feature/codebook_index.h"
#include "server/feature/edges.h"
#include "server/feature/span_text.h"

#define BINS_DEFAULT 64
#define SUPPORT_MIN_DEFAULT 5
#define SUPPORT_SHARE_DEFAULT 1000
/* Code 0 is missing; one more is the bin below the first edge, or the rare categories. */
#define NUMBER_BINS_MOST (PROTO_BINS_MAX - 1)
#define CATEGORIES_MOST (PROTO_BINS_MAX - 2)
/* Different texts that are counted per field. A field with more is an identifier, no category;
 * texts first seen after that many others are not counted. Bounds the memory of a fit. */
#define DISTINCT_MAX 1048576

static_assert(NUMBER_BINS_MOST == 254, "codes 1 to 254");

/* What one fit works with: options with their defaults filled in. */
struct fit {
    const struct feature_schema *schema;
    const struct feature_sample *sample;
    unsigned number_bins_max;
    unsigned category_bins_max;
    size_t support_min;
    struct feature_codebook *codebook;
    struct proto_fault *fault;
};

static bool no_memory(struct fit *fit)
{
    return proto_fault_set(fit->fault, PROTO_NO_MEMORY, "", "no memory to fit a codebook");
}

static bool sample_value(const struct fit *fit, size_t row, const struct feature_field *field,
                         struct feature_value *value)
{
    *value = (struct feature_value){0};
    return fit->sample->value(fit->sample->context, row, field->id, value) && value->present &&
           value->type == field->type;
}

static struct feature_column *column_add(struct fit *fit, const struct feature_field *field)
{
    if (fit->codebook->column_count == PROTO_COLUMNS_MAX) {
        proto_fault_set(fit->fault, PROTO_LIMIT, field->name,
                        "a row has at most %d columns, and this field needs one more; use fewer "
                        "fields or tags",
                        PROTO_COLUMNS_MAX);
        return NULL;
    }
    struct feature_column *column = feature_codebook_column_add(fit->codebook);
    if (column == NULL) {
        no_memory(fit);
        return NULL;
    }
    column->field_id = field->id;
    column->type = field->type;
    column->field_name = feature_text_copy(proto_span_text(field->name));
    if (column->field_name == NULL) {
        no_memory(fit);
        return NULL;
    }
    return column;
}

static bool number_fit(struct fit *fit, const struct feature_field *field)
{
    struct feature_column *column = column_add(fit, field);
    if (column == NULL) {
        return false;
    }
    column->bin_count = 2;
    double *numbers = calloc(fit->sample->rows + 1, sizeof *numbers);
    column->edges = calloc(fit->number_bins_max, sizeof *column->edges);
    if (numbers == NULL || column->edges == NULL) {
        free(numbers);
        return no_memory(fit);
    }
    size_t count = 0;
    for (size_t row = 0; row < fit->sample->rows; row++) {
        struct feature_value value;
        if (sample_value(fit, row, field, &value)) {
            numbers[count++] = value.number + 0.0; /* -0 becomes 0: one value, one text */
        }
    }
    column->bin_count +=
        (unsigned)feature_edges_place(numbers, count, fit->number_bins_max, column->edges);
    free(numbers);
    return true;
}

static bool flag_fit(struct fit *fit, const struct feature_field *field)
{
    struct feature_column *column = column_add(fit, field);
    if (column == NULL) {
        return false;
    }
    column->bin_count = 3;
    return true;
}

/* Texts and in how many rows they occur. */
struct tally_entry {
    char *text;
    size_t rows;
};

struct tally {
    struct feature_lookup lookup; /* text → index of the entry */
    struct tally_entry *entries;
    size_t count;
    size_t capacity;
};

static void tally_fini(struct tally *tally)
{
    for (size_t i = 0; i < tally->count; i++) {
        free(tally->entries[i].text);
    }
    free(tally->entries);
    feature_lookup_fini(&tally->lookup);
}

static bool tally_add(struct tally *tally, struct proto_span text)
{
    uint32_t at = feature_lookup_find(&tally->lookup, text);
    if (at != FEATURE_LOOKUP_NONE) {
        tally->entries[at].rows++;
        return true;
    }
    /* A zero byte would cut the text; no stored value has one. */
    if (tally->count == DISTINCT_MAX || memchr(text.data, 0, text.bytes) != NULL) {
        return true;
    }
    if (tally->count == tally->capacity) {
        size_t capacity = tally->capacity == 0 ? 64 : tally->capacity * 2;
        struct tally_entry *wider = realloc(tally->entries, capacity * sizeof *wider);
        if (wider == NULL) {
            return false;
        }
        tally->entries = wider;
        tally->capacity = capacity;
    }
    char *copy = feature_text_copy(text);
    if (copy == NULL) {
        return false;
    }
    tally->entries[tally->count] = (struct tally_entry){copy, 1};
    return feature_lookup_add(&tally->lookup,
                              (struct proto_span){(const uint8_t *)copy, text.bytes},
                              (uint32_t)tally->count++, NULL);
}

static bool tally_rows(struct fit *fit, const struct feature_field *field, struct tally *tally)
{
    for (size_t row = 0; row < fit->sample->rows; row++) {
        struct feature_value value;
        size_t at = 0;
        struct proto_span tag;
        if (!sample_value(fit, row, field, &value)) {
            continue;
        }
        if (field->type == FEATURE_CATEGORY && !tally_add(tally, value.text)) {
            return no_memory(fit);
        }
        while (field->type == FEATURE_TAGS && feature_tags_next(value.tags, &at, &tag)) {
            if (!tally_add(tally, tag)) {
                return no_memory(fit);
            }
        }
    }
    return true;
}

/* Most rows first, ties bytewise. */
static int support_order(const void *a, const void *b)
{
    const struct tally_entry *x = a;
    const struct tally_entry *y = b;
    return x->rows != y->rows ? (x->rows < y->rows) - (x->rows > y->rows)
                              : strcmp(x->text, y->text);
}

static int text_order(const void *a, const void *b)
{
    return strcmp(((const struct tally_entry *)a)->text, ((const struct tally_entry *)b)->text);
}

/* Leaves the entries that earn a code at the front, bytewise; returns how many. */
static size_t tally_select(const struct fit *fit, struct tally *tally)
{
    size_t kept = 0;
    if (tally->count == 0) {
        return 0;
    }
    qsort(tally->entries, tally->count, sizeof *tally->entries, support_order);
    while (kept < tally->count && kept < fit->category_bins_max &&
           tally->entries[kept].rows >= fit->support_min) {
        kept++;
    }
    qsort(tally->entries, kept, sizeof *tally->entries, text_order);
    return kept;
}

static bool category_columns(struct fit *fit, const struct feature_field *field,
                             struct tally *tally, size_t kept)
{
    struct feature_column *column = column_add(fit, field);
    if (column == NULL) {
        return false;
    }
    column->bin_count = 2;
    column->categories = calloc(kept + 1, sizeof *column->categories);
    if (column->categories == NULL) {
        return no_memory(fit);
    }
    for (size_t i = 0; i < kept; i++) {
        column->categories[i] = tally->entries[i].text;
        tally->entries[i].text = NULL;
        column->bin_count++;
    }
    return true;
}

static bool tag_columns(struct fit *fit, const struct feature_field *field, struct tally *tally,
                        size_t kept)
{
    for (size_t i = 0; i < kept; i++) {
        struct feature_column *column = column_add(fit, field);
        if (column == NULL) {
            return false;
        }
        column->bin_count = 3;
        column->tag = tally->entries[i].text;
        tally->entries[i].text = NULL;
    }
    return true;
}

static bool text_fit(struct fit *fit, const struct feature_field *field)
{
    struct tally tally = {0};
    bool ok = tally_rows(fit, field, &tally);
    if (ok) {
        size_t kept = tally_select(fit, &tally);
        ok = field->type == FEATURE_CATEGORY ? category_columns(fit, field, &tally, kept)
                                             : tag_columns(fit, field, &tally, kept);
    }
    tally_fini(&tally);
    return ok;
}

static bool field_fit(struct fit *fit, const struct feature_field *field)
{
    switch (field->type) {
    case FEATURE_NUMBER:
        return number_fit(fit, field);
    case FEATURE_CATEGORY:
    case FEATURE_TAGS:
        return text_fit(fit, field);
    case FEATURE_FLAG:
        return flag_fit(fit, field);
    case FEATURE_VECTOR:
    case FEATURE_DATE: /* says when, not what like */
        return true;
    }
    return true;
}

static unsigned option_or(unsigned option, unsigned otherwise, unsigned most)
{
    option = option == 0 ? otherwise : option;
    return option > most ? most : option;
}

/* The fields named in the options, or all of the schema; each at most once. */
static bool fields_fit(struct fit *fit, const struct feature_codebook_options *options)
{
    const uint16_t *ids = options->field_ids; /* NULL: all */
    size_t count = ids == NULL ? fit->schema->field_count : options->field_count;
    for (size_t i = 0; i < count; i++) {
        const struct feature_field *field =
            ids == NULL ? &fit->schema->fields[i] : feature_schema_by_id(fit->schema, ids[i]);
        if (field == NULL) {
            return proto_fault_set(fit->fault, PROTO_BAD_FIELD, "",
                                   "field %zu of those named is not in the schema", i + 1);
        }
        for (size_t j = 0; ids != NULL && j < i; j++) {
            if (ids[j] == field->id) {
                return proto_fault_set(fit->fault, PROTO_BAD_FIELD, field->name,
                                       "the field is named twice");
            }
        }
        if (!field_fit(fit, field)) {
            return false;
        }
    }
    return true;
}

struct feature_codebook *feature_codebook_build(const struct feature_schema *schema,
                                                const struct feature_sample *sample,
                                                const struct feature_codebook_options *options,
                                                struct proto_fault *fault)
{
    static const struct feature_codebook_options defaults = {0};
    const struct feature_codebook_options *given = options != NULL ? options : &defaults;
    size_t support = sample->rows / SUPPORT_SHARE_DEFAULT;
    if (sample->rows > PROTO_ACCOUNTS_MAX) {
        proto_fault_set(fault, PROTO_TOO_LARGE, "", "a sample of %zu rows; at most %d are allowed",
                        sample->rows, PROTO_ACCOUNTS_MAX);
        return NULL;
    }
    struct fit fit = {
        .schema = schema,
        .sample = sample,
        .number_bins_max = option_or(given->number_bins_max, BINS_DEFAULT, NUMBER_BINS_MOST),
        .category_bins_max = option_or(given->category_bins_max, BINS_DEFAULT, CATEGORIES_MOST),
        .support_min = given->support_min,
        .codebook = calloc(1, sizeof *fit.codebook),
        .fault = fault,
    };
    if (fit.support_min == 0) {
        fit.support_min = support > SUPPORT_MIN_DEFAULT ? support : SUPPORT_MIN_DEFAULT;
    }
    if (fit.codebook == NULL) {
        no_memory(&fit);
        return NULL;
    }
    if (fields_fit(&fit, given) && feature_codebook_finish(fit.codebook, fault)) {
        return fit.codebook;
    }
    feature_codebook_destroy(fit.codebook);
    return NULL;
}
