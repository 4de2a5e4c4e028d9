/* SPDX-License-Identifier: Apache-2.0 */
/* Where each field and word stands in a vector: dense vectors first, then numbers, then the words
 * that matter most; what is left over is shared by hashing. */
#include <stdlib.h>

#include "server/feature/vector_word.h"

#define HASHED_PART 4u  /* a quarter of the structured places at least */
#define PLACES_STEP 64u /* what the engine pads to */

void feature_vector_words_free(struct feature_vector_word *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(words[i].text);
    }
    free(words);
}

bool feature_vector_leave_out(struct feature_vectorizer *plan, const char *name, const char *reason)
{
    struct feature_vector_left *left = &plan->left[plan->left_count];
    left->name = strdup(name);
    left->reason = strdup(reason);
    plan->left_count++;
    return left->name != NULL && left->reason != NULL;
}

static bool vectors_place(struct feature_vectorizer *plan, uint32_t *places)
{
    size_t kept = 0;
    *places = 0;
    for (size_t i = 0; i < plan->field_count; i++) {
        struct feature_vector_field *field = &plan->fields[i];
        if (field->type == FEATURE_VECTOR && *places + field->dims > FEATURE_VECTOR_DIMS_MAX) {
            if (!feature_vector_leave_out(plan, field->name, "the vectors together are too long")) {
                return false;
            }
            free(field->name);
            continue;
        }
        if (field->type == FEATURE_VECTOR) {
            field->place = *places;
            *places += field->dims;
        }
        plan->fields[kept++] = *field;
    }
    plan->field_count = kept;
    return true;
}

static void shares_divide(struct feature_vectorizer *plan, double vector_share)
{
    double vectors = 0;
    double others = 0;
    for (size_t i = 0; i < plan->field_count; i++) {
        *(plan->fields[i].type == FEATURE_VECTOR ? &vectors : &others) += plan->fields[i].share;
    }
    double of_vectors = others > 0 ? vector_share : 1;
    double of_others = vectors > 0 ? 1 - of_vectors : 1;
    for (size_t i = 0; i < plan->field_count; i++) {
        struct feature_vector_field *field = &plan->fields[i];
        field->share *= field->type == FEATURE_VECTOR ? of_vectors / vectors : of_others / others;
        if (plan->field_count == 1 && field->scale > 0 && field->type == FEATURE_VECTOR) {
            field->scale = 1; /* alone: as it is */
        }
    }
}

/* A word that may have a place of its own. */
struct candidate {
    double energy;
    struct feature_vector_field *field;
    struct feature_vector_word *word;
};

static int compare_energy(const void *a, const void *b)
{
    const struct candidate *x = a;
    const struct candidate *y = b;
    if (x->energy != y->energy) {
        return x->energy < y->energy ? 1 : -1;
    }
    if (x->field != y->field) {
        return x->field->field_id < y->field->field_id ? -1 : 1;
    }
    return strcmp(x->word->text, y->word->text);
}

static bool words_place(struct feature_vectorizer *plan, uint32_t *places, uint32_t end)
{
    size_t count = 0;
    for (size_t i = 0; i < plan->field_count; i++) {
        count += plan->fields[i].word_count;
    }
    struct candidate *list = calloc(count + 1, sizeof *list);
    if (list == NULL) {
        return false;
    }
    size_t at = 0;
    for (size_t i = 0; i < plan->field_count; i++) {
        struct feature_vector_field *field = &plan->fields[i];
        for (size_t k = 0; k < field->word_count; k++) {
            double rarity = feature_vector_rarity(field->rows, field->words[k].rows);
            list[at++] = (struct candidate){field->share * rarity * rarity * field->words[k].rows,
                                            field, &field->words[k]};
        }
    }
    qsort(list, count, sizeof *list, compare_energy);
    for (size_t i = 0; i < count && *places < end; i++) {
        list[i].word->place = (int32_t)(*places)++;
    }
    free(list);
    return true;
}

static bool others_leave(struct feature_vectorizer *plan)
{
    size_t kept = 0;
    for (size_t i = 0; i < plan->field_count; i++) {
        struct feature_vector_field *field = &plan->fields[i];
        if (field->type == FEATURE_VECTOR) {
            plan->fields[kept++] = *field;
            continue;
        }
        if (!feature_vector_leave_out(plan, field->name,
                                      "the vectors leave no room for other fields")) {
            return false;
        }
        free(field->name);
        feature_vector_words_free(field->words, field->word_count);
    }
    plan->field_count = kept;
    return true;
}

static size_t others_count(const struct feature_vectorizer *plan, size_t *numbers)
{
    size_t count = 0;
    *numbers = 0;
    for (size_t i = 0; i < plan->field_count; i++) {
        count += plan->fields[i].type != FEATURE_VECTOR;
        *numbers += plan->fields[i].type == FEATURE_NUMBER;
    }
    return count;
}

bool feature_vector_places(struct feature_vectorizer *plan, uint32_t structured_dims,
                           double vector_share)
{
    uint32_t places;
    if (!vectors_place(plan, &places)) {
        return false;
    }
    uint32_t structured = structured_dims;
    if (structured > FEATURE_VECTOR_DIMS_MAX - places) {
        structured = FEATURE_VECTOR_DIMS_MAX - places;
    }
    size_t numbers;
    size_t others = others_count(plan, &numbers);
    if (others > 0 && structured < 2 * numbers + 2 * HASHED_PART) {
        if (!others_leave(plan)) {
            return false;
        }
        others = 0;
    }
    shares_divide(plan, vector_share);
    plan->hashed_place = places;
    plan->dims = places;
    if (others == 0) {
        return true;
    }
    plan->dims = (places + structured + PLACES_STEP - 1) / PLACES_STEP * PLACES_STEP;
    uint32_t words_end = plan->dims - (plan->dims - places) / HASHED_PART;
    for (size_t i = 0; i < plan->field_count; i++) {
        if (plan->fields[i].type == FEATURE_NUMBER) {
            plan->fields[i].place = places;
            places += 2;
        }
    }
    if (!words_place(plan, &places, words_end)) {
        return false;
    }
    plan->hashed_place = places;
    return true;
}
