/* SPDX-License-Identifier: Apache-2.0 */
/* The leakage guard: finds fields that know the outcome because they were filled in after it, and
 * fields that cannot say anything. It looks at each field alone, on the part to learn from, by
 * cross-fitted rates per bin, so the held-out part stays untouched. Suspected leaks, refused unless
 * the caller keeps them, and warned of then:
 *
 * - too strong: lower end of the 95 % interval of the field's own AUC ≥ LEARN_LEAK_AUC;
 * - a copy: lower end of the 95 % interval of the share of the outcome's deviance that it explains
 *   ≥ LEARN_LEAK_COPY;
 * - decides: no number, explains ≥ LEARN_LEAK_EXPLAINED of the deviance, and has bins of nearly
 *   certain wins (rate ≥ 0.9) with ≥ LEARN_LEAK_SHARE of positives, and of nearly certain losses
 *   (rate ≤ 0.05) with as great a share of negatives: words typed in once the end was known;
 * - sorts: no number; at least half of its values (of LEARN_LEAK_SIDE_ROWS or more) are nearly
 *   certain, some to win and some to lose, and of either kind there are 10 rows, and the lower end
 *   of the odds ratio's 95 % interval is ≥ 2: somebody's verdict;
 * - presence: where it is filled in (or where it is not; or where it has its one usual value, or
 * has not) there is hardly any other outcome: one row in 50 at most, of LEARN_LEAK_SIDE_ROWS or
 * more, and the lower end of the odds ratio's 95 % interval is ≥ LEARN_LEAK_ODDS;
 * - overwritten: another field again, but for rows that one value was written over, which goes with
 *   the outcome (leakage_overwritten.h, guard.h).
 *
 * Refused in any case:
 *
 * - identifier: texts that hardly repeat, or whole numbers that hardly do and lie close;
 * - time: numbers that are times: when, not what like;
 * - constant: one bin holds every row.
 *
 * Warned of:
 *
 * - one-sided: a value with odds as of presence;
 * - strong: explains ≥ LEARN_WARN_EXPLAINED of the deviance.
 *
 * Figures behind the bounds and what the guard cannot see: docs/methods/leakage.md.
 * Errors: PROTO_NO_MEMORY. Threads: pure. Cost: n log n a column. Source: Kaufman et al. 2012;
 * odds ratios with a half added to each cell (Haldane 1956, Anscombe 1956). */
#ifndef LEARN_LEAKAGE_H
#define LEARN_LEAKAGE_H

#include "proto/fault.h"
#include "server/feature/codebook.h"
#include "server/learn/grid.h"
#include "server/learn/leakage_overwritten.h"

#define LEARN_LEAK_AUC 0.85
#define LEARN_LEAK_EXPLAINED 0.20
#define LEARN_LEAK_COPY 0.30
#define LEARN_LEAK_SHARE 0.05
#define LEARN_LEAK_WIN 0.9 /* rates from which on a value nearly always wins, or loses */
#define LEARN_LEAK_LOSS 0.05
#define LEARN_LEAK_ODDS 4.0
#define LEARN_LEAK_SIDE_ROWS 8
#define LEARN_LEAK_OTHERS 0.02 /* share of the other outcome where one rules */
#define LEARN_WARN_EXPLAINED 0.20
/* Rows of a bin before its rate counts as nearly certain. */
#define LEARN_LEAK_BIN_ROWS 20

enum learn_verdict { /* the leaks stand together */
                     LEARN_FIELD_USED,
                     LEARN_FIELD_WARNED,
                     LEARN_FIELD_LEAK_STRONG,
                     LEARN_FIELD_LEAK_COPY,
                     LEARN_FIELD_LEAK_DECIDES,
                     LEARN_FIELD_LEAK_SORTS,
                     LEARN_FIELD_LEAK_PRESENCE,
                     LEARN_FIELD_LEAK_OVERWRITTEN,
                     LEARN_FIELD_IDENTIFIER,
                     LEARN_FIELD_TIME,
                     LEARN_FIELD_CONSTANT,
};

#define LEARN_SIDE_BYTES 96

/* Rows where one outcome rules: of one value, say, or where the field is filled in. */
struct learn_one_side {
    size_t positives, negatives;  /* both 0: there are no such rows */
    char where[LEARN_SIDE_BYTES]; /* "filled in", "missing", "'Reference'", "not 'none'" */
};

/* Values of a field, and those of them that nearly always win or lose, with their rows. */
struct learn_sorted {
    size_t values, winning, losing;
    double won_positives, won_negatives, lost_positives, lost_negatives;
};

struct learn_field_report {
    uint16_t field_id;
    const char *name; /* borrowed from the codebook or schema */
    enum learn_verdict verdict;
    bool kept;                     /* a leak that the caller learns from all the same */
    double auc, auc_low, auc_high; /* of its strongest column alone, cross-fitted */
    double explained;              /* share of deviance, 0 … 1 */
    double explained_low;          /* lower end of its 95 % interval */
    struct learn_one_side side;
    struct learn_sorted sorted;
    struct learn_overwritten overwritten;
    double positives_certain, negatives_certain;
};

/* One report per field of the codebook, in its order, reports[codebook->column_count] at most;
 * *count set. folds as for a fit. */
bool learn_leakage_check(const struct learn_grid *grid, const struct feature_codebook *codebook,
                         const uint8_t *folds, unsigned fold_count,
                         struct learn_field_report *reports, size_t *count,
                         struct proto_fault *fault);
/* Lower end of the 95 % interval of |ln odds ratio| between some rows and all others; above 0 if
 * one outcome rules there beyond chance. */
double learn_leakage_odds_low(double rows, double positives, double all_rows, double all_positives);
/* Counts values from bin 1 on into sorted; true if they sort the rows by their end. */
bool learn_leakage_sorts(const double *rows, const double *positives, size_t bins, double all_rows,
                         double all_positives, struct learn_sorted *sorted);
/* True if numbers (sorted here, in place) look like an identifier: whole, and at most a tenth of
 * the pairs coincide that would if they were drawn freely from their range, n² / (2 · range), which
 * must be 20 or more (chance of none below e^−20). */
#define LEARN_NUMBERED_ROWS_MAX 20000 /* of a field, enough for serial numbers up to 10 million */
bool learn_leakage_numbered(double *numbers, size_t count);
/* True if all are times: seconds or milliseconds since 1970 from 2000 to 2099, or days written
 * YYYYMMDD; 20 or more, of five different ones at least. Sorted as above. */
bool learn_leakage_times(const double *ascending, size_t count);
bool learn_verdict_is_leak(enum learn_verdict verdict);
/* Why, as one sentence with figures. */
void learn_leakage_reason(const struct learn_field_report *report, char *text, size_t text_bytes);
/* True if nothing is learned from the field. */
bool learn_field_refused(const struct learn_field_report *report);

#endif
