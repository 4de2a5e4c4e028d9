/* SPDX-License-Identifier: Apache-2.0 */
/* The scorecard: an additive model over binned columns, evaluated exactly in integers.
 *
 *   raw = intercept + Σ term.table[bin]        in millionths of a logit ("micrologits"), i64
 *
 * A term reads one column, or two (a pair: index = bin_a · bins_b + bin_b). Because all is integer,
 * the sum is the same in every order and on every instruction set, and contributions add up to the
 * last digit. |table entry| ≤ 2^30 and at most 4,096 terms, so a sum stays below 2^43.
 *
 * p comes from a calibration map (monotone, piecewise linear on raw), fit from the frozen reference
 * population (1,001 quantiles of raw; see model_fit), grade from thresholds on fit.
 *
 * Or an ensemble of trees from elsewhere stands in place of the tables (trees.h). Then there is a
 * term for each column that the trees ask, whose table is zero: what a column adds depends on the
 * others, so it is worked out row by row (model_contributions), and nothing can be read off a
 * table.
 *
 * Threads: immutable once sealed. Ownership: owns its arrays. Cost: raw of 32 columns 6 to 18 ns.
 * Source: Lou, Caruana, Gehrke 2012; Lou et al. 2013; Nori et al. 2019 (explainable boosting
 * machine). */
#ifndef MODEL_SCORECARD_H
#define MODEL_SCORECARD_H

#include <jansson.h>

#include "server/feature/codebook.h"
#include "server/model/dense.h"
#include "server/model/guide.h"
#include "server/model/strong.h"
#include "server/model/trees.h"

#define MODEL_NO_COLUMN UINT16_MAX
#define MODEL_REFERENCE_POINTS 1001
#define MODEL_CALIBRATION_POINTS_MAX 64
#define MODEL_TERMS_MAX 4096
#define MODEL_ENTRY_MAX (INT32_C(1) << 30) /* of |table entry|: 4,096 of them stay below 2^42 */
#define MODEL_RAW_MAX (INT64_C(1) << 42)   /* of |intercept|: any raw stays within 2^43 */
#define MODEL_TABLE_ENTRIES_MAX (1U << 22) /* 16 MiB; the text of a document holds fewer */

struct model_term {
    uint16_t column_a;
    uint16_t column_b; /* MODEL_NO_COLUMN: a term of one column */
    uint16_t bins_a;
    uint16_t bins_b;       /* 1 for a term of one column */
    uint32_t table_offset; /* into tables; bins_a · bins_b entries */
};

struct model_grades {
    double a_min, b_min, c_min; /* fit at or above; below c_min is D */
};

struct model_scorecard {
    int64_t intercept;
    struct model_term *terms;
    size_t term_count;
    int32_t *tables;
    size_t table_count;
    /* calibration: raw ascending, p ascending; flat outside */
    int64_t calibration_raw[MODEL_CALIBRATION_POINTS_MAX];
    double calibration_p[MODEL_CALIBRATION_POINTS_MAX];
    size_t calibration_count;
    /* reference[i]: the i/10-th percentile of raw in the frozen reference population, ascending */
    int64_t reference[MODEL_REFERENCE_POINTS];
    struct model_grades grades;
    struct model_trees *trees; /* NULL: an additive model. Sealed; owned */
    /* Derived by model_seal: of each term the least and largest entry. */
    int32_t *lows;
    int32_t *highs;
    struct model_guide calibration_guide;
    struct model_guide reference_guide;
    /* Derived too: how model_raw sums (dense.h). Terms before `walked` are in the walk over
     * columns. */
    const struct model_kernel *kernel;
    const struct model_strong_kernel *strong;
    uint32_t *offsets;
    size_t offset_count; /* columns of the walk; 0 if the model uses too few columns for one */
    size_t walked;
};

/* An empty scorecard with room for that many terms and table entries, all zero, for a builder to
 * fill and then seal. NULL: no memory or above a limit. */
struct model_scorecard *model_create(size_t term_count, size_t table_count);
/* One that holds sealed trees, which it takes; the builder fills calibration, reference and grades
 * and seals it. NULL: no memory or above a limit, and the trees are gone. */
struct model_scorecard *model_create_trees(struct model_trees *trees,
                                           const struct feature_codebook *codebook);
/* Checks everything that scoring relies on and derives what it needs; nothing may be changed
 * afterwards. Terms of one column stand first, by column; then pairs, by (column_a, column_b),
 * column_a < column_b; no term twice; tables lie one after another in that order.
 * PROTO_BAD_DOCUMENT with the path. */
bool model_seal(struct model_scorecard *scorecard, const struct feature_codebook *codebook,
                struct proto_fault *fault);
void model_destroy(struct model_scorecard *scorecard); /* NULL is fine */

/* One row of codes (codebook->row_bytes). Codes at or above a column's bins do not occur in rows
 * encoded by the codebook of the same document. */
int64_t model_raw(const struct model_scorecard *scorecard, const uint8_t *row);
/* `count` rows, `stride` bytes apart. Same results as model_raw. */
void model_raw_many(const struct model_scorecard *scorecard, const uint8_t *rows, size_t stride,
                    size_t count, int64_t *raw);

double model_p(const struct model_scorecard *scorecard, int64_t raw);
/* Percentile 0–100: mid-rank of raw among the reference points, linear between them. */
double model_fit(const struct model_scorecard *scorecard, int64_t raw);
char model_grade(const struct model_scorecard *scorecard, double fit);

/* Contribution of each term, term_count entries; Σ + intercept = raw, exactly. Cost of trees: some
 * 20 ns a leaf. */
void model_contributions(const struct model_scorecard *scorecard, const uint8_t *row,
                         int32_t *contributions);

/* One contribution that counts. */
struct model_part {
    uint32_t
        entry; /* its place in tables: says term and bins, and with them all that is said of it */
    int32_t contribution; /* tables[entry]; of trees what this row has */
    uint16_t column_a;
    uint16_t column_b; /* MODEL_NO_COLUMN: a term of one column */
};

/* What model_strongest works in: model_strong_room() elements each.
 * Borrowed; nothing in it is of use afterwards. */
struct model_strong_scratch {
    int32_t *entries;
    uint16_t *marks;
    uint64_t *keys;
};
size_t model_strong_room(const struct model_scorecard *scorecard);

/* The strongest `most` contributions of each sign: by size, of equal ones the earlier term first;
 * none that is zero. parts has room for 2 · most or term_count of them, whichever is less. Returns
 * how many, and *raw as model_raw gives it. Cost: 80 columns, 3 of each sign: some 60 ns; beyond
 * MODEL_STRONG_MOST of each sign all contributions are sorted. */
size_t model_strongest(const struct model_scorecard *scorecard, const uint8_t *row, unsigned most,
                       const struct model_strong_scratch *scratch, struct model_part *parts,
                       int64_t *raw);

/* What raw would be with each code of one column, all else staying: raws[bins of the column].
 * Exact. */
void model_moved(const struct model_scorecard *scorecard, const uint8_t *row, uint16_t column,
                 size_t bins, int64_t *raws);

/* Lowest and highest raw that the row could have if each column whose code is 0 (missing) stayed so
 * or had any other code of its column, so *low ≤ raw ≤ *high. Exact where no pair misses both of
 * its columns; there it is a bound, and so it is of trees. */
void model_interval(const struct model_scorecard *scorecard, const uint8_t *row, int64_t *low,
                    int64_t *high);
/* The part of it that pairs make, for who knows the rest: *low and *high are on entry what terms of
 * one column could come to, each at its least and most, with pairs as they are in the row. Pairs
 * are the terms from first_pair on. Cost: some 50 ns for each pair of which one column is missing.
 */
void model_interval_pairs(const struct model_scorecard *scorecard, size_t first_pair,
                          const uint8_t *row, int64_t *low, int64_t *high);

/* JSON, exact in both directions; the codebook gives columns by position. PROTO_BAD_DOCUMENT with
 * the path of what is wrong (bins that do not match, entries out of range, points not ascending).
 */
json_t *model_to_json(const struct model_scorecard *scorecard,
                      const struct feature_codebook *codebook);
struct model_scorecard *model_from_json(const json_t *json, const struct feature_codebook *codebook,
                                        struct proto_fault *fault);

#endif
