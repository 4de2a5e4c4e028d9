/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a column of numbers has a decimal point or a decimal comma: "1.234,5" and "1,234.5" are
 * one number in two countries, and "25,507" is two numbers. The column decides where it can:
 * several of the same sign, or both, or another count than three digits behind it, leave one
 * reading only. Where every cell could be both ("141.891"), the other columns of the file decide;
 * where they say nothing either, a file that separates cells with ';' is of a country with a
 * decimal comma. Shapes: votes are cells. Ownership: values. Errors: none. Threads: pure. */
#ifndef CSV_CSV_FORM_H
#define CSV_CSV_FORM_H

#include "tools/cli/csv/csv_input.h"

struct csv_votes {
    size_t point;     /* cells that have one reading, with a decimal point */
    size_t comma;     /* with a decimal comma */
    size_t one_point; /* "141.891": either */
    size_t one_comma; /* "25,507" */
    size_t line;      /* of the first of the two */
};

/* Adds a cell; one that is no number adds nothing, and is false. */
bool csv_form_vote(struct csv_votes *votes, struct proto_span cell, size_t times, size_t line);
/* The decimal sign of a column; file has the votes of all columns. */
enum csv_decimal csv_form_decide(const struct csv_votes *column, const struct csv_votes *file,
                                 char separator);
/* Whether nothing but the file decided. */
bool csv_form_is_open(const struct csv_votes *column);
void csv_form_join(struct csv_votes *file, const struct csv_votes *column);
/* A number with a decimal comma as one with a point, into out (cell.bytes of room); any other text,
 * and with a decimal point, is returned as it is. */
struct proto_span csv_form_plain(enum csv_decimal decimal, struct proto_span cell, uint8_t *out);

#endif
