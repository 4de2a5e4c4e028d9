/* SPDX-License-Identifier: Apache-2.0 */
/* The labelled rows of a population, and the ways to turn them into codes.
 * Rows stand in the order of a hash of what learning reads of them, so that the order in which the
 * population gives them is of no matter. A row in which every field that the label reads is missing
 * has no outcome and is left out, unless the label itself speaks of missing values or of tags; if
 * no other row is a negative, such rows are the negatives (blanks_negative).
 * Shapes: row i of the sample is row index[i] of the population. Ownership: learn_sample_fini frees
 * what reading made; population and options are borrowed. Errors: PROTO_NO_MEMORY, PROTO_CANCELLED,
 * PROTO_TOO_LARGE. Threads: one at a time (a scratch row of values). Cost: one pass over the
 * population to read, one to fit a codebook (a part of the rows), one to encode. */
#ifndef LEARN_SAMPLE_H
#define LEARN_SAMPLE_H

#include "server/learn/grid.h"
#include "server/learn/learn.h"

/* Rows that a codebook is fitted on, evenly spread, when there are more: quantiles of 100,000 rows
 * are within 0.4 % of rank of the true ones, and a category of 1 in 1,000 is still seen some 100
 * times. */
#define LEARN_CODEBOOK_ROWS_MAX 100000
/* Rows of the codebook's that a category or tag needs for a bin of its own; as many bins as a byte
 * has, the most frequent first. What few rows say is drawn to the average (leaf.h). */
#define LEARN_CATEGORY_ROWS_MIN 5
/* Rows that a fit can number with 32 bits, and some 100 GB of memory away from practice. */
#define LEARN_SAMPLE_ROWS_MAX 1000000000U

struct learn_sample {
    const struct learn_population *population;
    const struct learn_options *options;
    struct feature_value *values; /* scratch: one row by field id */
    size_t slots;
    size_t rows;
    uint32_t *index;
    uint8_t *labels;
    uint64_t *profiles;   /* hash of the values of the fields that are read, and of the label */
    double *times;        /* the time field, NaN where missing; NULL without one */
    double *weights;      /* the weight field, NaN where missing; NULL without one */
    size_t unweighted;    /* rows without a weight: they count as the average */
    size_t blanks;        /* rows without an outcome */
    bool blanks_negative; /* they are among the rows, as negatives */
};

bool learn_sample_read(const struct learn_population *population,
                       const struct learn_options *options, struct learn_sample *sample,
                       struct proto_fault *fault);
void learn_sample_fini(struct learn_sample *sample);

/* Fetches the values of row i of the sample into sample->values; false if the population fails. */
bool learn_sample_fetch(struct learn_sample *sample, size_t i);
/* Equal values give equal hashes; a missing value has one too. */
uint64_t learn_value_hash(const struct feature_value *value, uint64_t seed);

/* Rows of the sample, by position. */
struct learn_subset {
    uint32_t *rows;
    size_t count;
};

/* The values of a number field in the subset, at most `most` of them from evenly spread rows;
 * returns how many were written. */
size_t learn_sample_numbers(struct learn_sample *sample, const struct learn_subset *subset,
                            uint16_t field_id, size_t most, double *numbers);
/* A codebook of these fields fitted on the subset. */
struct feature_codebook *learn_sample_codebook(struct learn_sample *sample,
                                               const struct learn_subset *subset,
                                               const uint16_t *field_ids, size_t field_count,
                                               struct proto_fault *fault);
/* Codes of the subset, row after row, codebook->row_bytes apart (returned, caller frees). */
uint8_t *learn_sample_encode(struct learn_sample *sample, const struct learn_subset *subset,
                             const struct feature_codebook *codebook, struct proto_fault *fault);
/* The same codes by column, with labels. */
struct learn_grid *learn_sample_grid(const struct learn_sample *sample,
                                     const struct learn_subset *subset,
                                     const struct feature_codebook *codebook, const uint8_t *codes,
                                     struct proto_fault *fault);

#endif
