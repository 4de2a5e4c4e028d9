/* SPDX-License-Identifier: Apache-2.0 */
/* Whole numbers as a column: each is base + unit · n, n of 0, 1, 2, 4 or 8 bytes, the fewest that
 * all of them fit. Days are of two bytes, whole seconds of four, numbers that are all the same of
 * none; a column is read in one run, a number a cycle or two.
 *
 * Shapes: `data` has width · count bytes, little-endian, not aligned; base is the least number,
 * unit the greatest that divides every distance to it (1 where the column has no distance at all).
 * Ownership: borrows. Errors: none; any numbers fit. Threads: pure. Cost: 5 ns a number to plan,
 * 1 to write, under 1 to read. Source: frame of reference (Goldstein, Ramakrishnan, Shaft, ICDE
 * 1998), with a divisor. */
#ifndef EVENT_EVENT_COLUMN_H
#define EVENT_EVENT_COLUMN_H

#include <stddef.h>
#include <stdint.h>

struct event_column {
    int64_t base;
    uint64_t unit;
    unsigned width;
    const uint8_t *data;
};

/* Base, unit and width of the numbers; count 0: width 0. Returns the bytes that they take. */
size_t event_column_plan(struct event_column *column, const int64_t *numbers, size_t count);
/* Writes what _plan counted; data is set to out. */
void event_column_write(struct event_column *column, const int64_t *numbers, size_t count,
                        uint8_t *out);
void event_column_read(const struct event_column *column, size_t from, size_t count,
                       int64_t *numbers);

#endif
