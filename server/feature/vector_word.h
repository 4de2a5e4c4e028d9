/* SPDX-License-Identifier: Apache-2.0 */
/* What the files of the vectorizer share: the parts that one value has in a vector. Ownership:
 * borrows from values and plan. Errors: none. Threads: pure. Cost: a binary search a word. */
#ifndef FEATURE_VECTOR_WORD_H
#define FEATURE_VECTOR_WORD_H

#include "server/feature/vectorizer.h"

/* One word of a value, with what it weighs. */
struct feature_vector_part {
    struct proto_span text;
    const struct feature_vector_word *word; /* NULL: the plan does not know it */
    double rarity;
    double amplitude; /* √s · r / √Σr */
};

/* The words of a category, flag or tags value: at most PROTO_TAGS_MAX parts, in order of the text.
 */
size_t feature_vector_parts(const struct feature_vector_field *field,
                            const struct feature_value *value,
                            struct feature_vector_part parts[PROTO_TAGS_MAX]);
/* cos θ and sin θ of a number, as the header defines θ. */
void feature_vector_angle(const struct feature_vector_field *field, double number, double *cosine,
                          double *sine);
double feature_vector_transform(enum feature_transform transform, double number);
double feature_vector_rarity(uint32_t rows_of_field, uint32_t rows_of_word);
/* Whether the field has a value here that counts. */
bool feature_vector_present(const struct feature_vector_field *field,
                            const struct feature_value *values, size_t slots);
/* |x| of a vector value. */
double feature_vector_length(const struct feature_value *value, uint16_t dims);
/* What a vector value is divided by. */
double feature_vector_divisor(const struct feature_vector_field *field,
                              const struct feature_value *value);
float feature_vector_number(const struct feature_value *value, size_t index);

/* Squared norm of a number, as a part of its share. */
#define FEATURE_VECTOR_NUMBER 0.4

/* vector_place.c: gives each field and word its place and divides the shares; false: no memory. */
bool feature_vector_places(struct feature_vectorizer *plan, uint32_t structured_dims,
                           double vector_share);
/* Notes a field that the plan leaves out; false: no memory. */
bool feature_vector_leave_out(struct feature_vectorizer *plan, const char *name,
                              const char *reason);
void feature_vector_words_free(struct feature_vector_word *words, size_t count);

/* Fills what follows from the rest: rarities, seeds, digest. vector_json.c. */
bool feature_vectorizer_finish(struct feature_vectorizer *plan, struct proto_fault *fault);
uint64_t feature_vector_seed(const char *name);
struct feature_vectorizer *feature_vectorizer_create(void);

#endif
