/* SPDX-License-Identifier: Apache-2.0 */
#include <math.h>

#include "server/feature/vector_word.h"

/* One account's share of the squared norm in a field, and what the two have in common there. */
struct agreement {
    double squared_a;
    double squared_b;
    double common;
};

static int shared_compare(const struct feature_vector_shared *a,
                          const struct feature_vector_shared *b)
{
    if (a->part != b->part) {
        return a->part < b->part ? 1 : -1;
    }
    if (a->field != b->field) {
        return a->field->field_id < b->field->field_id ? -1 : 1;
    }
    return proto_span_compare(a->word, b->word);
}

/* Keeps the strongest, in order. */
static void shared_add(struct feature_vector_shared *list, size_t most, size_t *count,
                       const struct feature_vector_shared *one)
{
    if (most == 0 || one->part <= 0) {
        return;
    }
    size_t at = *count;
    while (at > 0 && shared_compare(one, &list[at - 1]) < 0) {
        at--;
    }
    if (at == most) {
        return;
    }
    size_t end = *count < most ? *count : most - 1;
    memmove(list + at + 1, list + at, (end - at) * sizeof *list);
    list[at] = *one;
    *count = end + 1;
}

struct collector {
    struct feature_vector_shared *list;
    size_t most;
    size_t count;
};

static void add_word(struct collector *to, const struct feature_vector_field *field,
                     const struct feature_vector_part *part, double common)
{
    struct feature_vector_shared one = {.field = field,
                                        .word = part->text,
                                        .rows = part->word == NULL ? 0 : part->word->rows,
                                        .part = common};
    shared_add(to->list, to->most, &to->count, &one);
}

static double squares(const struct feature_vector_part *parts, size_t count)
{
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += parts[i].amplitude * parts[i].amplitude;
    }
    return sum;
}

/* Both lists are sorted, so that one walk finds the words of both. */
static void words_agree(const struct feature_vector_field *field, const struct feature_value *a,
                        const struct feature_value *b, struct collector *to,
                        struct agreement *agreement)
{
    struct feature_vector_part of_a[PROTO_TAGS_MAX];
    struct feature_vector_part of_b[PROTO_TAGS_MAX];
    size_t count_a = a == NULL ? 0 : feature_vector_parts(field, a, of_a);
    size_t count_b = b == NULL ? 0 : feature_vector_parts(field, b, of_b);
    agreement->squared_a = squares(of_a, count_a);
    agreement->squared_b = squares(of_b, count_b);
    for (size_t i = 0, k = 0; i < count_a && k < count_b;) {
        int order = proto_span_compare(of_a[i].text, of_b[k].text);
        if (order == 0) {
            double common = of_a[i].amplitude * of_b[k].amplitude;
            agreement->common += common;
            add_word(to, field, &of_a[i], common);
        }
        i += order <= 0;
        k += order >= 0;
    }
}

static double dense_common(const struct feature_vector_field *field, const struct feature_value *a,
                           const struct feature_value *b)
{
    double sum = 0;
    for (size_t i = 0; i < field->dims; i++) {
        sum += (double)feature_vector_number(a, i) * (double)feature_vector_number(b, i);
    }
    return field->share * sum /
           (feature_vector_divisor(field, a) * feature_vector_divisor(field, b));
}

static double dense_square(const struct feature_vector_field *field, const struct feature_value *a)
{
    double length = feature_vector_length(a, field->dims) / feature_vector_divisor(field, a);
    return field->share * length * length;
}

static double number_common(const struct feature_vector_field *field, const struct feature_value *a,
                            const struct feature_value *b)
{
    double cosine_a;
    double sine_a;
    double cosine_b;
    double sine_b;
    feature_vector_angle(field, a->number, &cosine_a, &sine_a);
    feature_vector_angle(field, b->number, &cosine_b, &sine_b);
    return field->share * FEATURE_VECTOR_NUMBER * (cosine_a * cosine_b + sine_a * sine_b);
}

/* a or b NULL: missing there. */
static struct agreement field_agree(const struct feature_vector_field *field,
                                    const struct feature_value *a, const struct feature_value *b,
                                    struct collector *to)
{
    struct agreement agreement = {0};
    if (field->type != FEATURE_NUMBER && field->type != FEATURE_VECTOR) {
        words_agree(field, a, b, to, &agreement);
        return agreement;
    }
    bool number = field->type == FEATURE_NUMBER;
    double squared = field->share * FEATURE_VECTOR_NUMBER;
    agreement.squared_a = a == NULL ? 0 : number ? squared : dense_square(field, a);
    agreement.squared_b = b == NULL ? 0 : number ? squared : dense_square(field, b);
    if (a != NULL && b != NULL) {
        agreement.common =
            field->type == FEATURE_NUMBER ? number_common(field, a, b) : dense_common(field, a, b);
        struct feature_vector_shared one = {.field = field, .part = agreement.common};
        if (field->type == FEATURE_NUMBER) {
            one.number_a = a->number;
            one.number_b = b->number;
        }
        shared_add(to->list, to->most, &to->count, &one);
    }
    return agreement;
}

void feature_vectorizer_explain(const struct feature_vectorizer *plan,
                                const struct feature_value *a, const struct feature_value *b,
                                size_t slots, struct feature_vector_shared *shared,
                                size_t shared_max, struct feature_vector_explanation *explanation)
{
    struct collector to = {.list = shared, .most = shared_max};
    struct agreement all = {0};
    bool of_both = false; /* the difference so far is of a field that both have */
    *explanation = (struct feature_vector_explanation){0};
    for (size_t i = 0; i < plan->field_count; i++) {
        const struct feature_vector_field *field = &plan->fields[i];
        bool in_a = feature_vector_present(field, a, slots);
        bool in_b = feature_vector_present(field, b, slots);
        struct agreement one = field_agree(field, in_a ? &a[field->field_id] : NULL,
                                           in_b ? &b[field->field_id] : NULL, &to);
        double lost = (one.squared_a + one.squared_b) / 2 - one.common;
        bool both = in_a && in_b;
        if (lost > 1e-9 &&
            (both > of_both || (both == of_both && lost > explanation->difference_part))) {
            explanation->difference = field;
            explanation->difference_part = lost;
            of_both = both;
        }
        all.squared_a += one.squared_a;
        all.squared_b += one.squared_b;
        all.common += one.common;
    }
    double norms = sqrt(all.squared_a * all.squared_b);
    double scale = plan->metric == FEATURE_VECTOR_DOT ? 1 : norms > 0 ? 1 / norms : 0;
    for (size_t i = 0; i < to.count; i++) {
        shared[i].part *= scale;
    }
    explanation->similarity = all.common * scale;
    if (plan->metric == FEATURE_VECTOR_L2) {
        explanation->similarity =
            1 / (1 + sqrt(fmax(all.squared_a + all.squared_b - 2 * all.common, 0)));
    }
    explanation->difference_part *= scale;
    explanation->shared_count = to.count;
}
