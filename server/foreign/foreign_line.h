/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of numbers of a model file, each with the place where it stands, so that what only shows
 * itself later can be told by line and column. Ownership: init to zero, fini frees. Threads: one.
 */
#ifndef FOREIGN_LINE_H
#define FOREIGN_LINE_H

#include "server/foreign/foreign_read.h"

struct foreign_numbers {
    double *values;
    uint32_t *places; /* offsets in the file */
    size_t count, room;
    size_t place; /* where the list begins */
};

/* False: no memory, or more than `most`, with a fault in the latter case. */
bool foreign_numbers_add(struct foreign_numbers *numbers, size_t most,
                         struct foreign_reader *reader, size_t at, double value);
void foreign_numbers_clear(struct foreign_numbers *numbers);
void foreign_numbers_fini(struct foreign_numbers *numbers);

/* The next value, an array of numbers (true and false are 1 and 0); what was there is gone. */
bool foreign_numbers_read(struct foreign_reader *reader, const char *what, size_t most,
                          struct foreign_numbers *numbers);

/* Element i as a whole number within bounds; false with a fault at its place. */
bool foreign_numbers_whole(struct foreign_reader *reader, const struct foreign_numbers *numbers,
                           const char *what, size_t i, int64_t low, int64_t high, int64_t *value);

#endif
