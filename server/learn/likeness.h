/* SPDX-License-Identifier: Apache-2.0 */
/* How much two rows of a sample look like one company, in bits, and the pairs that do.
 *
 * A field in which two rows agree counts log2(rows / rows with that value): a revenue that two rows
 * in ten thousand share says 12 bits, a country that half of them share says one, a value that both
 * lack says nothing. A field in which they differ takes LEARN_LIKENESS_DIFFERS off, as much as one
 * slip in twenty is worth. Two rows are alike
 *
 *   surely    from log2(rows) + 16 bits: by chance one row in 65,536 would meet another like it
 *   probably  from log2(rows) + 4 bits: by chance one row in 16 would
 *
 * provided that they agree in four of five of the fields that either has, and in two rare values or
 * more, of log2(rows) / 3 bits each: many common values that go together say little.
 * Pairs that agree in every field but one, or in two parts of four of the fields, are the ones that
 * are looked at; pairs that differ in more are not found.
 *
 * Bounds: LEARN_LIKENESS_CELLS_MAX cells; rows times fields beyond it are not compared (false finds
 * nothing). Errors: false is "no memory", or a row that could not be read again. Threads: as
 * sample. Memory: 5 bytes a cell and some 40 a row while it runs. Cost: some 60 ns a row and field.
 * Source: Fellegi and Sunter 1969; docs/methods/evidence.md. */
#ifndef LEARN_LIKENESS_H
#define LEARN_LIKENESS_H

#include "server/learn/sample.h"

#define LEARN_LIKENESS_CELLS_MAX ((size_t)1 << 27)
/* Fields up to which each is left out in turn. */
#define LEARN_LIKENESS_FIELDS_MAX 24

struct learn_likeness {
    size_t rows, fields;
    uint32_t *cells;  /* field · rows + row: hash of the value, 0 if it is missing */
    uint8_t *weights; /* beside cells: eighths of a bit that agreeing there says */
    uint64_t *wholes; /* by row: the sum of what its cells hash to */
    double bits_least;
};

bool learn_likeness_init(struct learn_likeness *likeness, struct learn_sample *sample,
                         struct proto_fault *fault);
void learn_likeness_fini(struct learn_likeness *likeness);

/* Calls on_pair for pairs of rows that are alike, in an order that depends on the sample alone;
 * probable ones are told only if there are so many that chance cannot have made most of them (one
 * for every eight rows). */
bool learn_likeness_pairs(const struct learn_likeness *likeness,
                          void (*on_pair)(void *context, uint32_t a, uint32_t b), void *context);

#endif
