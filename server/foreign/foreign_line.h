/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers of a model file, each with the place where it stands, so that what only shows itself
 * later can be told by line and column: in lists of tokens (XGBoost), or as words of a line with
 * blanks between (LightGBM).
 *
 * Shapes: places are offsets in the file, which has FOREIGN_BYTES_MAX at most. Ownership: numbers
 * are the caller's, init to zero, and fini frees; all else borrows. Errors: false with a fault of
 * the reader at the place, PROTO_BAD_DOCUMENT; without one there is no memory, and what the numbers
 * held is still there to be freed. Threads: one. Cost: some 10 ns a number. */
#ifndef FOREIGN_LINE_H
#define FOREIGN_LINE_H

#include "server/foreign/foreign_read.h"

struct foreign_numbers {
    double *values;
    uint32_t *places;
    size_t count, room;
    size_t place; /* where the list begins */
};

/* Appends one; false: no memory, or more than `most`. */
bool foreign_numbers_add(struct foreign_numbers *numbers, size_t most,
                         struct foreign_reader *reader, size_t at, double value);
void foreign_numbers_clear(struct foreign_numbers *numbers);
void foreign_numbers_fini(struct foreign_numbers *numbers);

/* The next value, an array of numbers (true and false are 1 and 0); what was there is gone. */
bool foreign_numbers_read(struct foreign_reader *reader, const char *what, size_t most,
                          struct foreign_numbers *numbers);
/* The words of a line, all numbers; what was there is gone. */
bool foreign_numbers_split(struct foreign_reader *reader, const char *what, size_t most,
                           struct proto_span line, struct foreign_numbers *numbers);

/* Element i as a whole number within bounds. */
bool foreign_numbers_whole(struct foreign_reader *reader, const struct foreign_numbers *numbers,
                           const char *what, size_t i, int64_t low, int64_t high, int64_t *value);
/* A text as one. */
bool foreign_whole_read(struct foreign_reader *reader, const char *what, struct proto_span text,
                        int64_t low, int64_t high, int64_t *value);

/* The next word of a line, which then begins behind it; false: there is none. */
bool foreign_word_next(struct proto_span *line, struct proto_span *word);
/* Where a text of the file stands. */
size_t foreign_place_of(const struct foreign_reader *reader, struct proto_span text);

#endif
