/* SPDX-License-Identifier: Apache-2.0 */
#include "server/feature/vectorizer.h"

#include <math.h>
#include <stdlib.h>
#include <xxhash.h>

#include "server/feature/vector_word.h"
#include "server/math/portable.h"

#define QUARTER_PI 0x1.921fb54442d18p-1
#define CLIP 2.0                  /* in IQRs */
#define RARE 0x1.ba2909ce4f864p+2 /* ln 1001: one in a thousand is as rare as it gets */

static const char *const metric_names[] = {"cosine", "dot", "l2"};

const char *feature_vector_metric_name(enum feature_vector_metric metric)
{
    return metric_names[metric];
}

bool feature_vector_metric_parse(struct proto_span name, enum feature_vector_metric *metric)
{
    for (size_t i = 0; i < sizeof metric_names / sizeof *metric_names; i++) {
        if (proto_span_compare(name, proto_span_text(metric_names[i])) == 0) {
            *metric = (enum feature_vector_metric)i;
            return true;
        }
    }
    return false;
}

struct feature_vectorizer *feature_vectorizer_create(void)
{
    struct feature_vectorizer *plan = calloc(1, sizeof *plan);
    if (plan != NULL) {
        plan->references = 1;
    }
    return plan;
}

struct feature_vectorizer *feature_vectorizer_retain(struct feature_vectorizer *plan)
{
    __atomic_add_fetch(&plan->references, 1, __ATOMIC_RELAXED);
    return plan;
}

void feature_vectorizer_release(struct feature_vectorizer *plan)
{
    if (plan == NULL || __atomic_sub_fetch(&plan->references, 1, __ATOMIC_ACQ_REL) > 0) {
        return;
    }
    for (size_t i = 0; i < plan->field_count; i++) {
        for (size_t k = 0; k < plan->fields[i].word_count; k++) {
            free(plan->fields[i].words[k].text);
        }
        free(plan->fields[i].words);
        free(plan->fields[i].name);
    }
    for (size_t i = 0; i < plan->left_count; i++) {
        free(plan->left[i].name);
        free(plan->left[i].reason);
    }
    free(plan->left);
    free(plan->fields);
    free(plan);
}

uint64_t feature_vector_seed(const char *name)
{
    return XXH3_64bits(name, strlen(name));
}

double feature_vector_rarity(uint32_t rows_of_field, uint32_t rows_of_word)
{
    if (rows_of_word == 0) {
        return 1;
    }
    double rarity = math_log(1 + (double)rows_of_field / rows_of_word) / RARE;
    return rarity < 1 ? rarity : 1;
}

double feature_vector_transform(enum feature_transform transform, double number)
{
    if (transform == FEATURE_TRANSFORM_NONE) {
        return number;
    }
    /* 1 + |x| is normal for every finite x. */
    return copysign(math_log(1 + fabs(number)), number);
}

/* Taylor series about 0, good to 1e-12 for |x| ≤ π/2: far below the rounding of a float. */
static void cosine_sine(double x, double *cosine, double *sine)
{
    double square = x * x;
    double term = 1;
    double sum = 1;
    for (int n = 1; n <= 10; n++) {
        term *= -square / ((2.0 * n - 1) * (2.0 * n));
        sum += term;
    }
    *cosine = sum;
    term = x;
    sum = x;
    for (int n = 1; n <= 10; n++) {
        term *= -square / ((2.0 * n) * (2.0 * n + 1));
        sum += term;
    }
    *sine = sum;
}

void feature_vector_angle(const struct feature_vector_field *field, double number, double *cosine,
                          double *sine)
{
    double z = (feature_vector_transform(field->transform, number) - field->center) / field->scale;
    z = z > CLIP ? CLIP : z < -CLIP ? -CLIP : z;
    cosine_sine(z * QUARTER_PI, cosine, sine);
}

bool feature_vector_present(const struct feature_vector_field *field,
                            const struct feature_value *values, size_t slots)
{
    if (field->field_id >= slots) {
        return false;
    }
    const struct feature_value *value = &values[field->field_id];
    if (!value->present || value->type != field->type) {
        return false;
    }
    if (field->type != FEATURE_VECTOR) {
        return true;
    }
    if (value->vector.bytes != (size_t)field->dims * sizeof(float)) {
        return false;
    }
    double length = feature_vector_length(value, field->dims);
    return length > 0 &&
           (!(field->scale > 0) || length <= FEATURE_VECTOR_LENGTH_MAX * field->scale);
}

static const struct feature_vector_word *word_find(const struct feature_vector_field *field,
                                                   struct proto_span text)
{
    size_t low = 0;
    size_t high = field->word_count;
    while (low < high) {
        size_t middle = (low + high) / 2;
        int order = proto_span_compare(proto_span_text(field->words[middle].text), text);
        if (order == 0) {
            return &field->words[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static void part_add(const struct feature_vector_field *field, struct proto_span text,
                     struct feature_vector_part *part)
{
    *part = (struct feature_vector_part){.text = text, .word = word_find(field, text)};
    part->rarity = part->word == NULL ? 1 : part->word->rarity;
}

size_t feature_vector_parts(const struct feature_vector_field *field,
                            const struct feature_value *value,
                            struct feature_vector_part parts[PROTO_TAGS_MAX])
{
    size_t count = 0;
    size_t at = 0;
    struct proto_span tag;
    if (field->type == FEATURE_CATEGORY) {
        part_add(field, value->text, &parts[count++]);
    } else if (field->type == FEATURE_FLAG) {
        part_add(field, proto_span_text(value->flag ? "true" : "false"), &parts[count++]);
    } else {
        while (count < PROTO_TAGS_MAX && feature_tags_next(value->tags, &at, &tag)) {
            part_add(field, tag, &parts[count++]);
        }
    }
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += parts[i].rarity;
    }
    double scale = sum > 0 ? sqrt(field->share / sum) : 0;
    for (size_t i = 0; i < count; i++) {
        parts[i].amplitude = parts[i].rarity * scale;
    }
    return count;
}

float feature_vector_number(const struct feature_value *value, size_t index)
{
    float number;
    memcpy(&number, value->vector.data + index * sizeof number, sizeof number);
    return number;
}

double feature_vector_divisor(const struct feature_vector_field *field,
                              const struct feature_value *value)
{
    return field->scale > 0 ? field->scale : feature_vector_length(value, field->dims);
}

double feature_vector_length(const struct feature_value *value, uint16_t dims)
{
    double sum = 0;
    for (size_t i = 0; i < dims; i++) {
        double number = (double)feature_vector_number(value, i);
        sum += number * number;
    }
    return sqrt(sum);
}

/* Two different places, each with a sign of its own. */
static void add_hashed(const struct feature_vectorizer *plan,
                       const struct feature_vector_field *field,
                       const struct feature_vector_part *part, float *vector)
{
    uint32_t places = plan->dims - plan->hashed_place;
    if (places < 2) {
        return;
    }
    uint64_t hash = XXH3_64bits_withSeed(part->text.data, part->text.bytes, field->seed);
    uint32_t first = (uint32_t)(hash & 0xFFFFFF) % places;
    uint32_t second = (first + 1 + (uint32_t)(hash >> 24 & 0xFFFFFF) % (places - 1)) % places;
    float amplitude = (float)(part->amplitude * 0x1.6a09e667f3bcdp-1); /* √½ */
    vector[plan->hashed_place + first] += (hash >> 62 & 1) != 0 ? amplitude : -amplitude;
    vector[plan->hashed_place + second] += (hash >> 63 & 1) != 0 ? amplitude : -amplitude;
}

static void add_words(const struct feature_vectorizer *plan,
                      const struct feature_vector_field *field, const struct feature_value *value,
                      float *vector)
{
    struct feature_vector_part parts[PROTO_TAGS_MAX];
    size_t count = feature_vector_parts(field, value, parts);
    for (size_t i = 0; i < count; i++) {
        if (parts[i].word != NULL && parts[i].word->place >= 0) {
            vector[parts[i].word->place] += (float)parts[i].amplitude;
        } else {
            add_hashed(plan, field, &parts[i], vector);
        }
    }
}

static void add_dense(const struct feature_vector_field *field, const struct feature_value *value,
                      float *vector)
{
    double scale = sqrt(field->share) / feature_vector_divisor(field, value);
    for (size_t i = 0; i < field->dims; i++) {
        vector[field->place + i] = (float)((double)feature_vector_number(value, i) * scale);
    }
}

void feature_vectorizer_vector(const struct feature_vectorizer *plan,
                               const struct feature_value *values, size_t slots, float *vector)
{
    memset(vector, 0, plan->dims * sizeof *vector);
    for (size_t i = 0; i < plan->field_count; i++) {
        const struct feature_vector_field *field = &plan->fields[i];
        if (!feature_vector_present(field, values, slots)) {
            continue;
        }
        const struct feature_value *value = &values[field->field_id];
        if (field->type == FEATURE_VECTOR) {
            add_dense(field, value, vector);
        } else if (field->type == FEATURE_NUMBER) {
            double cosine;
            double sine;
            feature_vector_angle(field, value->number, &cosine, &sine);
            double length = sqrt(field->share * FEATURE_VECTOR_NUMBER);
            vector[field->place] = (float)(cosine * length);
            vector[field->place + 1] = (float)(sine * length);
        } else {
            add_words(plan, field, value, vector);
        }
    }
}
