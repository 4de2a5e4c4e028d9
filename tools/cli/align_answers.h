/* SPDX-License-Identifier: Apache-2.0 */
/* Answers of an audit of alignment, a CSV file with the columns person, function, question, item
 * and answer: a line for each answer, empty where there is none.
 *
 *     segment    item a segment, answer its rank, 1 first, ties equal
 *     account    item 1, 2, …, answer an account, the most important first
 *     statement  item a statement, answer 1 (no) to 5 (yes)
 *     filter     item 1, 2, …, answer a filter that finds the best customers (docs/filter.md)
 *
 * and figures of segments to hold them against, a CSV file with the column segment and one for each
 * measure, more is better.
 *
 * Ownership: align_answers_fini. Errors: false with *fault: line and column of what is wrong, and
 * what would be right. Threads: one. */
#ifndef CLI_ALIGN_ANSWERS_H
#define CLI_ALIGN_ANSWERS_H

#include "proto/fault.h"
#include "server/measure/agreement.h"

struct align_words {
    char **words;
    size_t count;
};

struct align_answers {
    struct align_words people, functions; /* by person */
    struct align_words segments, statements, accounts, measures;
    struct align_words filters; /* as they were stated, each by one person */
    size_t *filter_people;      /* whose it is */
    double *ranks;              /* people rows of MEASURE_ITEMS_MAX; NAN: no answer */
    double *ratings;            /* the same */
    uint32_t *named;            /* people rows of MEASURE_NAMES_MAX: numbers of accounts in order */
    double *figures;            /* segments rows of MEASURE_ITEMS_MAX: of measures */
};

bool align_answers_read(const char *path, struct align_answers *answers, struct proto_fault *fault);
/* After the answers. */
bool align_figures_read(const char *path, struct align_answers *answers, struct proto_fault *fault);
void align_answers_fini(struct align_answers *answers);

#endif
