/* SPDX-License-Identifier: Apache-2.0 */
/* Accounts as vectors: what look-alike search compares. A plan is fitted once on a sample and then
 * turns the values of any account into `dims` floats whose cosine (or product, or distance: the
 * metric) says how alike two accounts are.
 *
 * Shares. Field f has a share s(f) of the squared norm, Σ s(f) = 1 over the fields in use. Vector
 * fields divide `vector_share` among themselves (all of it if there are no others), the others
 * divide the rest by their weights. A missing value is nothing at all: zeros.
 *
 *   number    θ = π/4 · clip((t(x) − median) / IQR, ±2), as √(⅖ s) · (cos θ, sin θ): equal
 *             numbers agree fully, numbers two IQRs apart not at all, four apart are opposite. t is
 *             the field's transform; ⅖ is the rarity of a word that one in sixteen has, so that a
 *             number weighs like such a word.
 *   category, flag, tags   word w of rarity r(w) = min(1, ln(1 + N/n) / ln(1001)), n of the N
 *             sampled accounts with a value having it: 1 if one in a thousand or fewer has it, 0.16
 *             for one in two. A list of words has a(w) = √s · r(w) / √Σ r, so a rare word weighs
 *             more than a common one beside it, and a common word alone has less than the share.
 *   vector    √s · x / |x|
 *
 * Metric. The above is for the cosine. For dot and L2, lengths of vector fields count: √s · x / c,
 * c being the median of |x| in the sample, of those that are not 0; and a vector field that is
 * alone in the plan is compared as it is. A vector longer than 10^12 · c counts as missing.
 *
 * Places. Vector fields come first, then numbers (two places each), then the words that carry most
 * of the sample (share · r² · n) with one place each, then a hashed part of at least a quarter of
 * the structured places: each other word takes two places there, by XXH3-64 of field and word, with
 * a sign (Weinberger et al. 2009, twice over against collisions).
 *
 * Left out, with a reason: fields that hardly ever have a value or only one, words that name an
 * account rather than describe it (more than half of the sampled values differ), vectors that do
 * not fit.
 *
 * Ownership: the plan owns its texts; reference counted with atomics. Errors: PROTO_BAD_FIELD (no
 * field can be used), PROTO_BAD_DOCUMENT, PROTO_NO_MEMORY. Threads: immutable. Deterministic: the
 * same sample in any order gives the same plan, and the same plan the same floats on every machine
 * (no libm; docs/methods/lookalike-vectors.md). Cost: fitting some 200 ns a value, a vector about
 * 100 ns a word. */
#ifndef FEATURE_VECTORIZER_H
#define FEATURE_VECTORIZER_H

#include <jansson.h>

#include "proto/table.h"
#include "server/feature/schema.h"

#define FEATURE_VECTOR_DIMS_MAX 2048u /* of all: what look-alike search takes */
#define FEATURE_VECTOR_STRUCTURED_DEFAULT 128u
#define FEATURE_VECTOR_WORDS_MAX                                                                   \
    4096u /* of one field that a plan knows; rarer ones count as                                   \
             rare */
#define FEATURE_VECTOR_SAMPLE_MAX                                                                  \
    100000u /* rows that a fit should be given: beyond, the                                        \
               statistics no longer move */

#define FEATURE_VECTOR_WEIGHT_MAX ((double)PROTO_WEIGHT_MAX)
#define FEATURE_VECTOR_LENGTH_MAX 1e12 /* of a vector over its scale: squares stay in a float */

enum feature_vector_metric { FEATURE_VECTOR_COSINE, FEATURE_VECTOR_DOT, FEATURE_VECTOR_L2 };

/* "cosine", "dot", "l2". */
const char *feature_vector_metric_name(enum feature_vector_metric metric);
bool feature_vector_metric_parse(struct proto_span name, enum feature_vector_metric *metric);

struct feature_vector_word {
    char *text;
    uint32_t rows; /* of the sample that have it */
    int32_t place; /* in the vector, −1: hashed */
    double rarity; /* follows from rows */
};

struct feature_vector_field {
    uint16_t field_id;
    char *name;
    enum feature_type type;
    enum feature_transform transform;
    double share;
    uint32_t rows;                     /* of the sample that have a value */
    double center;                     /* number: after the transform */
    double scale;                      /* number: > 0; vector: c, 0 for the cosine */
    uint32_t place;                    /* number, vector: first place */
    uint16_t dims;                     /* vector */
    struct feature_vector_word *words; /* sorted bytewise */
    size_t word_count;
    uint64_t seed; /* of hashed words; follows from the name */
};

struct feature_vectorizer {
    enum feature_vector_metric metric;
    uint32_t dims;                       /* a multiple of 64 unless the limit forbids it */
    uint32_t hashed_place;               /* the hashed part: hashed_place … dims − 1 */
    uint32_t rows;                       /* sampled */
    struct feature_vector_field *fields; /* by field id */
    size_t field_count;
    struct feature_vector_left {
        char *name;
        char *reason;
    } * left; /* fields that are not in the vector */
    size_t left_count;
    uint64_t digest; /* XXH3-64 of the canonical JSON text */
    int references;
};

struct feature_vectorizer_options {
    enum feature_vector_metric metric;
    uint32_t structured_dims; /* for all that is no vector field; 0: the default */
    double vector_share;      /* above 0 and below 1; 0: one half */
    /* By field id; NULL: by family (firmographic and technographic 1, behavioural ½, lifecycle ¼).
     * 0 leaves a field out. Vector fields: relative to each other. */
    const double *weights;
    size_t weight_slots;
    /* By field id, stands before the weights where it is not negative; NULL: none. */
    const double *own_weights;
    size_t own_weight_slots;
};

/* A sample, read row by row; false: the row is passed over. */
struct feature_vector_sample {
    void *context;
    size_t rows;
    bool (*values)(void *context, size_t row, struct feature_value *values, size_t slots);
};

/* options may be NULL. Returned with one reference. */
struct feature_vectorizer *feature_vectorizer_fit(const struct feature_schema *schema,
                                                  const struct feature_vector_sample *sample,
                                                  const struct feature_vectorizer_options *options,
                                                  struct proto_fault *fault);
struct feature_vectorizer *feature_vectorizer_retain(struct feature_vectorizer *plan);
void feature_vectorizer_release(struct feature_vectorizer *plan); /* NULL is fine */

/* JSON text, exact in both directions: the same digest comes back. Returned, caller frees; NULL: no
 * memory. Names are resolved against the schema, retired fields included. */
char *feature_vectorizer_print(const struct feature_vectorizer *plan);
struct feature_vectorizer *feature_vectorizer_parse(struct proto_span json,
                                                    const struct feature_schema *schema,
                                                    struct proto_fault *fault);

/* values by field id, `slots` entries; writes dims floats, all finite. Allocates nothing. */
void feature_vectorizer_vector(const struct feature_vectorizer *plan,
                               const struct feature_value *values, size_t slots, float *vector);

/* What two accounts share. */
struct feature_vector_shared {
    const struct feature_vector_field *field;
    struct proto_span word;    /* of the first account's values; empty for numbers and vectors */
    uint32_t rows;             /* sampled accounts that have the word */
    double number_a, number_b; /* of a number field: both accounts' numbers */
    double part; /* of the similarity; all parts add up to it, but for what hashed words
                    that meet in one place add or take; with L2, of the cosine */
};

struct feature_vector_explanation {
    double similarity; /* exact for the values, without collisions */
    size_t shared_count;
    const struct feature_vector_field *difference; /* costs the most similarity; NULL: none */
    double difference_part;                        /* what it costs */
};

/* The strongest `shared_max` positive parts, strongest first (ties by field id, then word), and the
 * field that sets the two apart the most: one that both have, if there is any. */
void feature_vectorizer_explain(const struct feature_vectorizer *plan,
                                const struct feature_value *a, const struct feature_value *b,
                                size_t slots, struct feature_vector_shared *shared,
                                size_t shared_max, struct feature_vector_explanation *explanation);

#endif
