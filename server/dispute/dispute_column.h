/* SPDX-License-Identifier: Apache-2.0 */
/* A column: one u32 for each slot, of all accounts, as they are in a worker's view.
 *   SCORE    raw score of a version + 2^31; 0: no account
 *   WORTH    sum of a version's second scorecard (learn/value_card.h) + 2^31; 0: no account
 *   MATCH    2: a filter matches
 *   OUTCOME  3: it had the outcome; 2: it had not; 4: every field of the outcome is missing; 1: it
 * is not of those that the outcome is asked of BIN      code of a field of one column in a
 * version's codebook, from 2 VALUE    place of a category's or flag's value in the column's words,
 * from 2; 1: missing Raw scores beyond ±2,147 logits are taken at that end: fit and p are the same.
 *
 * The first question works a column out: with rows of codes where they say it (20 ns an account),
 * else from records (a microsecond or two). A follower of commits then notes which slots change,
 * and the next question works those out anew. A column of another version of the schema, or of a
 * text that is another, is another column; the one that was not asked for longest gives way.
 * What a score comes to as a probability is kept beside it by who works it out (dispute_p), so that
 * a question after another sums doubles.
 *
 * Ownership: cells and words are the column's, until the next call. Errors: those of engine_walk.
 * Threads: that of the lane SCAN, alone; commits are noted from the writer's. Cost: 4 bytes a slot,
 * of scores 12, and 16 bytes for each change that is noted. */
#ifndef DISPUTE_DISPUTE_COLUMN_H
#define DISPUTE_DISPUTE_COLUMN_H

#include <math.h>

#include "server/dispute/dispute.h"
#include "server/filter/filter.h"

#define DISPUTE_COLUMNS 12
#define DISPUTE_LABEL UINT16_MAX /* in the place of a field's id */
#define DISPUTE_WORDS_MAX 1024   /* different values of one field; more share the last place */

enum dispute_kind {
    DISPUTE_SCORE,
    DISPUTE_MATCH,
    DISPUTE_VALUE,
    DISPUTE_OUTCOME,
    DISPUTE_BIN,
    DISPUTE_WORTH,
};

enum {
    DISPUTE_MATCHES = 2,
    DISPUTE_MISSING = 1,
    DISPUTE_WORD_FIRST = 2,
    DISPUTE_NEGATIVE = 2,
    DISPUTE_POSITIVE = 3,
    DISPUTE_BLANK = 4,
    DISPUTE_BIN_FIRST = 2,
};

/* Which column is wanted. What a kind does not need is NULL or empty. */
struct dispute_wish {
    enum dispute_kind kind;
    const struct learn_document *document; /* SCORE, BIN, WORTH */
    const struct filter *filter;           /* MATCH, OUTCOME */
    struct proto_span text;                /* of the filter */
    const struct filter *where;            /* OUTCOME: of whom it is asked; NULL: of all */
    struct proto_span where_text;
    uint16_t field_id; /* VALUE; DISPUTE_LABEL: the label of an account (server/engine/labels.h) */
    size_t column;     /* BIN: of the codebook */
};

struct dispute_cells {
    const uint32_t *cells;
    size_t count;             /* slots */
    double *p;                /* SCORE: NAN where nobody has worked it out yet */
    const char *const *words; /* VALUE: by place - DISPUTE_WORD_FIRST */
    size_t word_count;
    const void *column; /* it stays as long as it is asked for again, with others, by this */
};

/* `held` are columns of this question that must not give way. */
bool dispute_column(struct dispute *dispute, struct engine_worker *worker,
                    const struct engine_job *job, const struct dispute_wish *wish,
                    const struct dispute_cells *held, size_t held_count,
                    struct dispute_cells *cells, struct proto_fault *fault);

static inline int64_t dispute_raw(uint32_t cell)
{
    return (int64_t)cell + INT32_MIN;
}

/* Of the scores of a version, that of a slot which has one. */
static inline double dispute_p(const struct dispute_cells *scores,
                               const struct model_scorecard *scorecard, uint32_t slot)
{
    double p = scores->p[slot];
    if (isnan(p)) {
        p = scores->p[slot] = model_p(scorecard, dispute_raw(scores->cells[slot]));
    }
    return p;
}

#endif
