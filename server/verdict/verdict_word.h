/* SPDX-License-Identifier: Apache-2.0 */
/* A verdict in words: the answer first, then what it rests on, what cannot be said, and a draft of
 * what to do next. The same words stand on the command line, in the report and in a plan.
 *
 * Ownership: plain values; texts are borrowed for the call. Errors: none; a text that is too long
 * is cut. Threads: pure. */
#ifndef VERDICT_VERDICT_WORD_H
#define VERDICT_VERDICT_WORD_H

#include "server/measure/measure.h"
#include "server/verdict/verdict_table.h"

enum { VERDICT_WORDS_MAX = 12, VERDICT_WORD_BYTES = 480 };

struct verdict_words {
    char text[VERDICT_WORDS_MAX][VERDICT_WORD_BYTES];
    size_t count;
};
void verdict_words_add(struct verdict_words *words, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* What words are made of. */
struct verdict_said {
    const char *list;
    enum term_verdict verdict;
    bool asked[VERDICT_AGAINSTS]; /* there are accounts of the other side */
    struct verdict_lift lifts[VERDICT_AGAINSTS];
    bool compares;     /* the list froze what it is to be compared with */
    bool effort_asked; /* strata of effort are wanted */
    bool effort_told;  /* some touch was told */
    bool early;        /* cases count from a day before the list was made */
    bool held_out, has_last, by_hand;
    uint64_t cases, open, before; /* before: began before the list was made */
    double alpha;
};

/* The rule over the comparisons that there are. */
enum term_verdict verdict_decide(const struct verdict_said *said);
/* Each comparison's alpha: halved where some are held out. */
double verdict_alpha(const struct verdict_said *said);

void verdict_words_make(const struct verdict_said *said, struct verdict_words *words);
/* What no such list can answer, or not this one. */
void verdict_cannot_make(const struct verdict_said *said, struct verdict_words *cannot);
/* What to do next: forecast and promise are the tables of those names. */
void verdict_next_make(const struct verdict_said *said, const struct measure_table *forecast,
                       const struct measure_table *promise, struct verdict_words *next);

#endif
