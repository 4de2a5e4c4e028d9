/* SPDX-License-Identifier: Apache-2.0 */
/* Fitting a plan: one pass over the sample gathers numbers and counts words, then shares and places
 * are given out (vector_place.c). Words are counted in full up to a bound; nothing depends on the
 * order of rows below it. */
#include <assert.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "server/feature/lookup.h"
#include "server/feature/vector_word.h"

#define WORDS_COUNTED_MAX 200000u /* different words of one field while counting */
#define ROWS_MIN 20u              /* below, a field is judged by nothing but its presence */

/* What one field showed. */
struct gather {
    const struct feature_field *field;
    uint32_t rows;
    uint32_t lengths; /* vector: of those that are not 0, in numbers */
    double *numbers;
    struct feature_lookup lookup;
    struct feature_vector_word *words;
    size_t word_count, word_room;
};

struct fit {
    const struct feature_schema *schema;
    const struct feature_vectorizer_options *options;
    struct feature_vectorizer *plan;
    struct gather *gathers; /* by position in the schema */
    size_t sample_rows;
};

static bool no_memory(struct proto_fault *fault)
{
    return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to fit vectors");
}

static void fit_fini(struct fit *fit)
{
    for (size_t i = 0; fit->gathers != NULL && i < fit->schema->field_count; i++) {
        free(fit->gathers[i].numbers);
        feature_lookup_fini(&fit->gathers[i].lookup);
        feature_vector_words_free(fit->gathers[i].words, fit->gathers[i].word_count);
    }
    free(fit->gathers);
}

static bool word_count(struct gather *gather, struct proto_span text)
{
    uint32_t at = feature_lookup_find(&gather->lookup, text);
    if (at != FEATURE_LOOKUP_NONE) {
        assert(gather->words != NULL && at < gather->word_count);
        gather->words[at].rows++;
        return true;
    }
    /* A text with a zero byte would not survive as a C string: it stays unknown, so rare. */
    if (gather->word_count == WORDS_COUNTED_MAX || memchr(text.data, 0, text.bytes) != NULL) {
        return true;
    }
    if (gather->word_count == gather->word_room) {
        size_t room = gather->word_room == 0 ? 64 : gather->word_room * 2;
        struct feature_vector_word *words = realloc(gather->words, room * sizeof *words);
        if (words == NULL) {
            return false;
        }
        gather->words = words;
        gather->word_room = room;
    }
    struct feature_vector_word *word = &gather->words[gather->word_count];
    *word = (struct feature_vector_word){.rows = 1, .place = -1};
    word->text = strndup((const char *)text.data, text.bytes);
    if (word->text == NULL) {
        return false;
    }
    gather->word_count++;
    return feature_lookup_add(&gather->lookup, proto_span_text(word->text),
                              (uint32_t)gather->word_count - 1, NULL);
}

static bool value_gather(struct gather *gather, const struct feature_value *value)
{
    size_t at = 0;
    struct proto_span tag;
    gather->rows++;
    switch (gather->field->type) {
    case FEATURE_NUMBER:
        gather->numbers[gather->rows - 1] =
            feature_vector_transform(gather->field->transform, value->number);
        return true;
    case FEATURE_CATEGORY:
        return word_count(gather, value->text);
    case FEATURE_FLAG:
        return word_count(gather, proto_span_text(value->flag ? "true" : "false"));
    case FEATURE_TAGS:
        while (feature_tags_next(value->tags, &at, &tag)) {
            if (!word_count(gather, tag)) {
                return false;
            }
        }
        return true;
    case FEATURE_DATE:
        return true;
    case FEATURE_VECTOR:
        break;
    }
    if (value->vector.bytes == (size_t)gather->field->dims * sizeof(float)) {
        double length = feature_vector_length(value, gather->field->dims);
        gather->numbers[gather->lengths] = length;
        gather->lengths += length > 0;
    }
    return true;
}

static bool sample_gather(struct fit *fit, const struct feature_vector_sample *sample,
                          struct proto_fault *fault)
{
    size_t slots = fit->schema->id_count;
    struct feature_value *values = calloc(slots + 1, sizeof *values);
    bool good = values != NULL;
    for (size_t row = 0; good && row < sample->rows; row++) {
        if (!sample->values(sample->context, row, values, slots)) {
            continue;
        }
        fit->plan->rows++;
        for (size_t i = 0; good && i < fit->schema->field_count; i++) {
            const struct feature_value *value = &values[fit->schema->fields[i].id];
            if (value->present && value->type == fit->schema->fields[i].type) {
                good = value_gather(&fit->gathers[i], value);
            }
        }
    }
    free(values);
    return good || no_memory(fault);
}

static double weight_of(const struct fit *fit, const struct feature_field *field)
{
    const struct feature_vectorizer_options *options = fit->options;
    if (options->own_weights != NULL && field->id < options->own_weight_slots &&
        options->own_weights[field->id] >= 0) {
        return options->own_weights[field->id];
    }
    if (fit->options->weights != NULL) {
        return field->id < fit->options->weight_slots ? fit->options->weights[field->id] : 0;
    }
    if (field->family == FEATURE_BEHAVIOURAL) {
        return 0.5;
    }
    return field->family == FEATURE_LIFECYCLE ? 0.25 : 1;
}

static int compare_number(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The sorted sample at a share, between two neighbours. */
static double quantile(const double *sorted, size_t count, double share)
{
    double at = share * (double)(count - 1);
    size_t low = (size_t)at;
    double rest = at - (double)low;
    return low + 1 < count ? sorted[low] + rest * (sorted[low + 1] - sorted[low]) : sorted[low];
}

/* Half the middle half; where most accounts have one number, ever wider middles. */
static bool number_scale(struct gather *gather, struct feature_vector_field *field)
{
    static const double tails[] = {0.25, 0.1, 0.05, 0.01, 0};
    qsort(gather->numbers, gather->rows, sizeof *gather->numbers, compare_number);
    field->center = quantile(gather->numbers, gather->rows, 0.5);
    for (size_t i = 0; i < sizeof tails / sizeof *tails; i++) {
        field->scale = quantile(gather->numbers, gather->rows, 1 - tails[i]) -
                       quantile(gather->numbers, gather->rows, tails[i]);
        if (field->scale > 0) {
            return true;
        }
    }
    return false;
}

static int compare_common(const void *a, const void *b)
{
    const struct feature_vector_word *x = a;
    const struct feature_vector_word *y = b;
    if (x->rows != y->rows) {
        return x->rows < y->rows ? 1 : -1;
    }
    return strcmp(x->text, y->text);
}

static int compare_text(const void *a, const void *b)
{
    const struct feature_vector_word *x = a;
    const struct feature_vector_word *y = b;
    return strcmp(x->text, y->text);
}

/* The most frequent words stay; one that a single account has is known by its absence. */
static void words_keep(struct gather *gather, struct feature_vector_field *field)
{
    if (gather->word_count > 1) {
        qsort(gather->words, gather->word_count, sizeof *gather->words, compare_common);
    }
    size_t keep = 0;
    while (keep < gather->word_count && keep < FEATURE_VECTOR_WORDS_MAX &&
           (gather->words[keep].rows > 1 || gather->rows < ROWS_MIN)) {
        keep++;
    }
    for (size_t i = keep; i < gather->word_count; i++) {
        free(gather->words[i].text);
    }
    if (keep > 1) {
        qsort(gather->words, keep, sizeof *gather->words, compare_text);
    }
    field->words = gather->words;
    field->word_count = keep;
    gather->words = NULL;
    gather->word_count = 0;
}

/* NULL if the field is of use. */
static const char *useless(struct gather *gather, const struct feature_vector_field *field)
{
    if (gather->rows == 0) {
        return "no account of the sample has a value";
    }
    if (field->type == FEATURE_DATE) {
        return "a date says when, not what like";
    }
    if (field->type == FEATURE_VECTOR || field->type == FEATURE_NUMBER) {
        return NULL;
    }
    if (gather->rows >= ROWS_MIN && field->type == FEATURE_CATEGORY &&
        gather->word_count > gather->rows / 2) {
        return "more than half of its values differ: it names accounts";
    }
    if (gather->rows >= ROWS_MIN && gather->word_count == 1 &&
        gather->words[0].rows == gather->rows) {
        return "all accounts have the same value";
    }
    return NULL;
}

/* The median of lengths, so that one vector, however long, does not make all others look alike; to
 * 16 bits, as it has always been. */
static double vector_scale(const struct gather *gather)
{
    int exponent;
    if (gather->lengths == 0) {
        return 1;
    }
    qsort(gather->numbers, gather->lengths, sizeof *gather->numbers, compare_number);
    double part = frexp(quantile(gather->numbers, gather->lengths, 0.5), &exponent);
    return ldexp(rint(ldexp(part, 16)), exponent - 16);
}

/* Takes a field into the plan, its weight as share for now. */
static bool field_take(struct fit *fit, struct gather *gather)
{
    const struct feature_field *from = gather->field;
    struct feature_vector_field *field = &fit->plan->fields[fit->plan->field_count];
    *field = (struct feature_vector_field){.field_id = from->id,
                                           .type = from->type,
                                           .transform = from->transform,
                                           .share = weight_of(fit, from),
                                           .rows = gather->rows,
                                           .dims = from->dims};
    if (from->type == FEATURE_VECTOR && fit->plan->metric != FEATURE_VECTOR_COSINE) {
        field->scale = vector_scale(gather);
    }
    if (!(field->share > 0)) {
        return feature_vector_leave_out(fit->plan, from->name, "its weight is 0");
    }
    const char *reason =
        from == fit->schema->name ? "it names the account" : useless(gather, field);
    if (reason == NULL && field->type == FEATURE_NUMBER && !number_scale(gather, field)) {
        reason = "all accounts have the same value";
    }
    if (reason != NULL) {
        return feature_vector_leave_out(fit->plan, from->name, reason);
    }
    field->name = strdup(from->name);
    fit->plan->field_count++;
    words_keep(gather, field);
    return field->name != NULL;
}

static int compare_field(const void *a, const void *b)
{
    const struct feature_vector_field *x = a;
    const struct feature_vector_field *y = b;
    return (x->field_id > y->field_id) - (x->field_id < y->field_id);
}

static bool fields_take(struct fit *fit, struct proto_fault *fault)
{
    size_t count = fit->schema->field_count;
    fit->plan->fields = calloc(count + 1, sizeof *fit->plan->fields);
    fit->plan->left = calloc(2 * count + 1, sizeof *fit->plan->left);
    if (fit->plan->fields == NULL || fit->plan->left == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < count; i++) {
        if (!field_take(fit, &fit->gathers[i])) {
            return no_memory(fault);
        }
    }
    qsort(fit->plan->fields, fit->plan->field_count, sizeof *fit->plan->fields, compare_field);
    return true;
}

/* Vectors first, as many as fit. The others that do not fit are left out. */
static bool fit_all(struct fit *fit, const struct feature_vector_sample *sample,
                    struct proto_fault *fault)
{
    size_t count = fit->schema->field_count;
    fit->gathers = calloc(count + 1, sizeof *fit->gathers);
    if (fit->gathers == NULL) {
        return no_memory(fault);
    }
    for (size_t i = 0; i < count; i++) {
        struct gather *gather = &fit->gathers[i];
        gather->field = &fit->schema->fields[i];
        if (gather->field->type == FEATURE_NUMBER || gather->field->type == FEATURE_VECTOR) {
            gather->numbers = calloc(sample->rows + 1, sizeof *gather->numbers);
            if (gather->numbers == NULL) {
                return no_memory(fault);
            }
        }
    }
    if (!sample_gather(fit, sample, fault) || !fields_take(fit, fault)) {
        return false;
    }
    if (!feature_vector_places(fit->plan, fit->options->structured_dims,
                               fit->options->vector_share)) {
        return no_memory(fault);
    }
    if (fit->plan->field_count == 0) {
        return proto_fault_set(fault, PROTO_BAD_FIELD, "",
                               "no field can be used to compare accounts (%zu were left out)",
                               fit->plan->left_count);
    }
    return feature_vectorizer_finish(fit->plan, fault);
}

struct feature_vectorizer *feature_vectorizer_fit(const struct feature_schema *schema,
                                                  const struct feature_vector_sample *sample,
                                                  const struct feature_vectorizer_options *options,
                                                  struct proto_fault *fault)
{
    struct feature_vectorizer_options filled = {0};
    if (options != NULL) {
        filled = *options;
    }
    if (filled.structured_dims == 0) {
        filled.structured_dims = FEATURE_VECTOR_STRUCTURED_DEFAULT;
    }
    if (!(filled.vector_share > 0 && filled.vector_share < 1)) {
        filled.vector_share = 0.5;
    }
    struct fit fit = {.schema = schema, .options = &filled, .plan = feature_vectorizer_create()};
    if (fit.plan == NULL) {
        no_memory(fault);
        return NULL;
    }
    fit.plan->metric = filled.metric;
    bool good = fit_all(&fit, sample, fault);
    fit_fini(&fit);
    if (good) {
        return fit.plan;
    }
    feature_vectorizer_release(fit.plan);
    return NULL;
}
