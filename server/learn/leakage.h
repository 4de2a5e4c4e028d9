/* SPDX-License-Identifier: Apache-2.0 */
/* The leakage guard: finds fields that know the outcome because they were filled in after it, and
 * fields that cannot say anything. It looks at each field alone, on the part to learn from, by
 * cross-fitted rates per bin, so the held-out part stays untouched.
 *
 *   too strong    refused: lower end of the 95 % interval of the field's own AUC ≥ LEARN_LEAK_AUC
 *   decides       refused: no number, explains ≥ LEARN_LEAK_EXPLAINED of the outcome's deviance,
 * and has bins of nearly certain wins (rate ≥ 0.9) with ≥ LEARN_LEAK_SHARE of positives as well as
 * bins of nearly certain losses (rate ≤ 0.05) with as great a share of negatives: words typed in
 * once the end was known identifier    refused: texts that hardly repeat, or whole numbers that
 * never do and lie close constant      refused: one bin holds every row strong        warned of:
 * explains ≥ LEARN_WARN_EXPLAINED of the deviance
 *
 * With keep set, the first two are warned of instead. Figures behind the bounds and what the guard
 * cannot see: docs/methods/leakage.md.
 * Errors: PROTO_NO_MEMORY. Threads: pure. Cost: n log n a column. Source: Kaufman et al. 2012. */
#ifndef LEARN_LEAKAGE_H
#define LEARN_LEAKAGE_H

#include "proto/fault.h"
#include "server/feature/codebook.h"
#include "server/learn/grid.h"

#define LEARN_LEAK_AUC 0.85
#define LEARN_LEAK_EXPLAINED 0.20
#define LEARN_LEAK_SHARE 0.05
#define LEARN_WARN_EXPLAINED 0.20
/* Rows of a bin before its rate counts as nearly certain. */
#define LEARN_LEAK_BIN_ROWS 20

enum learn_verdict {
    LEARN_FIELD_USED,
    LEARN_FIELD_WARNED,
    LEARN_FIELD_LEAK_STRONG,
    LEARN_FIELD_LEAK_DECIDES,
    LEARN_FIELD_IDENTIFIER,
    LEARN_FIELD_CONSTANT,
};

struct learn_field_report {
    uint16_t field_id;
    const char *name; /* borrowed from the codebook or schema */
    enum learn_verdict verdict;
    double auc, auc_low, auc_high; /* of its strongest column alone, cross-fitted */
    double explained;              /* share of deviance, 0 … 1 */
    double positives_certain, negatives_certain;
};

/* One report per field of the codebook, in its order, reports[codebook->column_count] at most;
 * *count set. folds as for a fit. */
bool learn_leakage_check(const struct learn_grid *grid, const struct feature_codebook *codebook,
                         const uint8_t *folds, unsigned fold_count,
                         struct learn_field_report *reports, size_t *count,
                         struct proto_fault *fault);
/* True if numbers (sorted here, in place) look like an identifier: whole, none twice, although n
 * numbers drawn freely from their range would make n² / (2 · range) ≥ 20 pairs coincide (chance
 * below e^−20). */
#define LEARN_NUMBERED_ROWS_MAX 20000 /* of a field, enough for serial numbers up to 10 million */
bool learn_leakage_numbered(double *numbers, size_t count);
/* Why, as one sentence with figures. */
void learn_leakage_reason(const struct learn_field_report *report, char *text, size_t text_bytes);
bool learn_verdict_refuses(enum learn_verdict verdict, bool keep_leaks);

#endif
