/* SPDX-License-Identifier: Apache-2.0 */
/* Whether a profile still holds: what it said of accounts, against what came of them since it was
 * made active, and how the accounts differ from those that it was learned from.
 *
 * Outcomes are those that came after `since`: of a policy, cases that were settled later; of a
 * label, accounts whose value of a field that the label reads is of later. Each account is scored
 * as it was at the moment of its case, or just before its outcome was told (drift_case.h), so that
 * what was filled in with the outcome does not speak for the profile.
 *
 * The verdict rests on two figures, each against what was measured when the version was learned:
 *   skill   mean of (q − y)² − (p − y)², q the base rate that it was learned at: by how much p is
 *           nearer to what happened than always saying q. Its interval may be looked at any day
 *           (math/sequence.h).
 *   AUC     how well it orders, DeLong's interval, rows of one account together.
 *   HOLDS    the interval of skill lies above 0
 *   REBUILD  it does not, and lies at or below 0, or below half the skill that was measured at
 *            first; or the interval of the AUC holds one half and lies below that measured at first
 *   FEW      fewer than DRIFT_OUTCOMES_MIN of either side
 *   UNSURE   none of these: it is too early to say
 *
 * Ownership: a request borrows; a result is the caller's, drift_fini, also after a failure. Errors:
 * PROTO_NO_ICP, PROTO_NOT_FOUND; PROTO_BAD_FILTER of `label`; PROTO_NO_EVIDENCE where no case
 * begins; PROTO_TOO_LARGE beyond DRIFT_BYTES_MAX of codes; those of lifecycle_label.h and as_of.h.
 * Threads: the worker's, whose view must not be refreshed meanwhile. Cost: a record and its history
 * an account, some 2 µs; then some 100 ns a row and column. Source: METHODS in
 * docs/methods/drift.md. */
#ifndef DRIFT_DRIFT_H
#define DRIFT_DRIFT_H

#include "server/engine/engine.h"
#include "server/learn/evidence.h"
#include "server/measure/policy.h"

#define DRIFT_OUTCOMES_MIN 20u            /* of each side: as learning wants */
#define DRIFT_BYTES_MAX ((size_t)8 << 30) /* of rows of codes: more is a mistake */
#define DRIFT_ACTIVATION INT64_MIN        /* since when: whenever it was made active */
enum { DRIFT_WORDS_MAX = 12, DRIFT_WORD_BYTES = 320, DRIFT_BIN_BYTES = 96 };

struct drift_request {
    uint64_t icp;                        /* 0: the active one */
    const struct measure_policy *policy; /* NULL: the label below */
    struct proto_span label;             /* empty, without a policy: the version's own of either */
    int64_t since_ms;
    int64_t at_ms; /* the day of looking, of a policy; MEASURE_NEVER: that of the newest event */
};

enum drift_verdict {
#define X(NAME, name, meaning) DRIFT_##NAME,
#include "server/drift/drift_verdict.def"
#undef X
};
const char *drift_verdict_name(enum drift_verdict verdict);

struct drift_figure {
    double value, low, high;
};

/* What was measured when the version was learned, NAN where its document does not say. */
struct drift_then {
    double base_rate, auc, auc_low, auc_high, skill, lift;
};

/* One column of the scorecard. Shares and AUC are of accounts, those learned from and those since.
 */
struct drift_column {
    const char *field;         /* of the document */
    const char *tag;           /* NULL unless it is one of tags */
    double psi, limit;         /* it has shifted if psi is above limit */
    char bin[DRIFT_BIN_BYTES]; /* whose share moved most, in words */
    double share_then, share_now;
    /* Of the points of this column alone; 0.5 where there is nothing to compare. */
    struct drift_figure auc_then, auc_now;
    bool lost; /* those intervals, widened for the number of columns, do not meet */
};

struct drift_result {
    uint32_t icp;
    struct learn_document *document; /* retained */
    char *label;                     /* what outcomes are of, as text */
    int64_t since_ms, at_ms;
    uint64_t seq;
    uint64_t rows, positives, accounts; /* with an outcome */
    uint64_t open, not_kept;            /* without one yet; whose values of then are not kept */
    struct drift_then then;
    bool both; /* outcomes of both sides: the figures below are there */
    struct drift_figure rate, auc, lift, skill;
    struct drift_figure gap; /* rate less mean p */
    double p_mean;
    struct learn_grade_rows grades[LEARN_GRADES];
    double expected_auc, expected_brier; /* by p alone, before outcomes; of rows and open */
    double brier;
    struct drift_column *columns; /* the farthest beyond its limit first */
    size_t column_count;
    enum drift_verdict verdict;
    char words[DRIFT_WORDS_MAX][DRIFT_WORD_BYTES]; /* the answer first */
    size_t word_count;
};

bool drift_measure(struct engine_worker *worker, const struct engine_job *job,
                   const struct drift_request *request, struct drift_result *result,
                   struct proto_fault *fault);
void drift_fini(struct drift_result *result);

#endif
