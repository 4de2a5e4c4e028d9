/* SPDX-License-Identifier: Apache-2.0 */
/* A challenge of an ICP version, answered from the accounts and outcomes that are stored now.
 *
 * A claim is one of three, of all accounts, of a slice of them, or of those of a period:
 *   condition   accounts that match it have the outcome more often (or less, or either) than the
 *               version says. Compared is the difference of the rates of those who match and of the
 *               others with the difference of the means of p: how the base as a whole has come to
 * do since falls out. Interval: Newcombe's, of two Wilson intervals, 95 %. field       what the
 * version gives for a bin of it is wrong: the same of each bin beside all others, with intervals
 * that hold for all bins together (Bonferroni). neither     the version fails for the slice or
 * period: its rate less the mean of p there (Wilson), and the AUC there (DeLong on the logit
 * scale). Verdict, with the gap, what is so less what the version says, and the margin, the least
 * gap that matters (5 points of a hundred unless the claim says): holds      the gap is at least
 * the margin, and its interval lies beyond 0 on the side claimed; of a slice also: the AUC is below
 * .6 at best does not   the whole interval falls short of the margin; of a slice also: the AUC is
 * above .5 too few    neither; or fewer than 20 accounts, 5 outcomes or 5 others. Told is how many
 * accounts would do, were what is seen so far to go on. Assumptions: accounts are independent, p is
 * taken as certain; of accounts that the version was learned from the answer is in its favour, a
 * period after it is the harder test.
 *
 * Ownership: parts are freed by dispute_finding_fini. Errors: PROTO_BAD_FILTER with the member as
 * field and the column, PROTO_BAD_FIELD, PROTO_NO_SCHEMA, PROTO_NO_ICP, PROTO_NOT_FOUND, those of
 * dispute_column. Threads: that of the lane SCAN. Cost: 30 ns an account once the columns are
 * there; an AUC sorts the slice. Source: Newcombe 1998, method 10; docs/methods/challenge.md. */
#ifndef DISPUTE_CHALLENGE_H
#define DISPUTE_CHALLENGE_H

#include "server/dispute/dispute_column.h"

#define DISPUTE_NORMAL_95 1.959963984540054
#define DISPUTE_MARGIN 0.05

enum dispute_claimed { DISPUTE_EITHER, DISPUTE_MORE, DISPUTE_LESS };

struct dispute_claim {
    uint64_t icp;                /* 0: the active version */
    struct proto_span condition; /* one of condition and field at most */
    struct proto_span field;
    struct proto_span slice, period; /* on values; empty: every account */
    struct proto_span outcome;       /* empty: the label of the version */
    enum dispute_claimed claimed;
    double margin; /* 0 … 1 */
};

enum dispute_verdict { DISPUTE_TOO_FEW, DISPUTE_HOLDS, DISPUTE_HOLDS_NOT };

struct dispute_side {
    uint64_t accounts, outcomes;
    double expected; /* mean of p */
};

/* What is so, less what the version says, in rates. */
struct dispute_gap {
    double gap, low, high;
    enum dispute_verdict verdict;
    uint64_t needed; /* accounts of the first side with which it would be settled; 0: it is, or more
                        than a thousand times as many as there are */
};

#define DISPUTE_BIN_TEXT 128
struct dispute_part {
    char bin[DISPUTE_BIN_TEXT];
    struct dispute_side side;
    double low, high; /* of the rate, Wilson 95 % */
    struct dispute_gap gap;
};

struct dispute_finding {
    uint32_t icp;
    uint64_t icp_digest;
    uint64_t blanks;              /* of the slice, without an outcome: left out */
    struct dispute_side sides[2]; /* of a condition those who match, the others; else all, none */
    double low, high;             /* of the first side's rate, Wilson 95 %; 0 and 1 of nobody */
    struct dispute_gap gap;       /* of a field: of the bin that is farthest off, in its interval */
    bool ranked;                  /* of a slice, with the AUC in it */
    double auc, auc_low, auc_high;
    struct dispute_part *parts; /* of a field: bins that have accounts, by code */
    size_t part_count;
    enum dispute_verdict verdict;
    uint64_t needed;
};

bool dispute_challenge(struct dispute *dispute, struct engine_worker *worker,
                       const struct engine_job *job, const struct dispute_claim *claim,
                       struct dispute_finding *finding, struct proto_fault *fault);
void dispute_finding_fini(struct dispute_finding *finding);

/* dispute_verdict.c, pure. */
const char *dispute_verdict_word(enum dispute_verdict verdict);
const char *dispute_claimed_word(enum dispute_claimed claimed);
/* False for a word that is none of them. */
bool dispute_claimed_read(struct proto_span word, enum dispute_claimed *claimed);
/* Wilson's interval at that point of the normal distribution; total ≥ 1. */
void dispute_wilson(const struct dispute_side *side, double z, double *low, double *high);
/* Two sides, or, with NULL, one beside its own mean of p. */
struct dispute_gap dispute_gap_of(const struct dispute_side *with,
                                  const struct dispute_side *without, double z,
                                  enum dispute_claimed claimed, double margin);
/* The verdict on a slice, of its gap and its AUC. */
void dispute_slice_judge(struct dispute_finding *finding);
/* The verdict on a field, of its parts. */
void dispute_parts_judge(struct dispute_finding *finding);

#endif
