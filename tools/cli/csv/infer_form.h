/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of single texts that infer_census.c counts: dates, codes, ranges. Ownership:
 * borrows. Errors: none, a text is of a form or not. Threads: pure. */
#ifndef INFER_INFER_FORM_H
#define INFER_INFER_FORM_H

#include "proto/span.h"

/* Digits that name something: with a sign or groups within that no quantity has (a ZIP+4, a
 * telephone number). */
bool infer_is_code(struct proto_span text);
/* "11-50", "1,001-5,000", "500+". */
bool infer_is_range(struct proto_span text);
/* "Feb-10" and "10-Feb": what a spreadsheet makes of 2-10. */
bool infer_is_spoilt_range(struct proto_span text);
/* Two or three capital letters. */
bool infer_is_short_code(struct proto_span text, size_t letters_max);
/* A name of a column of identifiers: it has a word such as id, number, code. */
bool infer_name_is_id(const char *name);
/* A name of a column whose digits are codes: zip, naics, phone. */
bool infer_name_is_code(const char *name);
/* How surely a column of this name names companies, 0 the most; SIZE_MAX if it does not. */
size_t infer_name_rank(const char *name);
/* A name of a column in which NA stands for a part of the world. */
bool infer_name_is_region(const char *name);
/* The word stands in the name as a word of its own. */
bool infer_name_has_word(const char *name, const char *word);

#endif
