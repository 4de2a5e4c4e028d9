/* SPDX-License-Identifier: Apache-2.0 */
/* Learns an ICP from outcomes: sample in, document text out; no store, no threads of its own, no
 * clock. Helper threads, where options ask for them, end before it returns.
 *
 * Steps: label every row; find rows that repeat one account, or are told to be of one, and keep
 * them together; split off a
 * held-out part (by time where options name a time field, else seeded random, stratified); leakage
 * guard; fit the codebook on the part to learn from; cyclic gradient boosting of one-column shape
 * functions on the logistic loss in bags with early stopping on inner folds; pairs where they earn
 * it; round to micrologits; calibrate on out-of-fold scores; measure on the held-out part. If the
 * 95 % interval (DeLong) of the held-out AUC or of the out-of-fold AUC is not above 0.5:
 * PROTO_NO_EVIDENCE with the figures. Then refit on all rows with the same settings (the evidence
 * stays that of the held-out part), freeze the reference population (all rows) and grades (A: fit ≥
 * 90, B: ≥ 70, C: ≥ 40).
 * Same sample in the same order and same seed: the same document, byte for byte, on every machine
 * (IEEE 754 doubles, no fused operations, exp and log of server/math/portable.h).
 * Cost: some 1 to 1.5 s of one core for 6,500 rows of 30 fields. Memory: about 100 bytes a row and
 * 2 bytes a row and column, beside 40 bytes a field for each of at most 100,000 rows.
 * Method pages: docs/methods/. Source: as scorecard.h; DeLong 1988; Obuchowski 1997; Platt 1999. */
#ifndef LEARN_H
#define LEARN_H

#include "server/filter/filter.h"
#include "server/learn/document.h"

struct learn_options {
    const struct feature_schema *schema;
    const char *name;           /* "" if none */
    const char *created;        /* RFC 3339 text, by the caller's clock */
    const struct filter *label; /* true = positive; NULL: the population has labels */
    const char *label_text;
    const char *policy;    /* JSON object that the document has under label.policy; NULL: none */
    const char *readiness; /* JSON array that it has under evidence.readiness; NULL: none */
    const struct filter *where; /* NULL: every row */
    const char *where_text;     /* "" if none */
    const uint16_t
        *field_ids; /* candidates: the caller has taken out the label's own and excluded fields */
    size_t field_count;
    int32_t time_field_id; /* -1: none */
    /* A number of 0 or more by which a row counts while tables are learned, the average where there
     * is none: whom the profile has to get right first. Calibration, evidence and reference count
     * each row once, so that p stays the chance of an account. NULL: each counts once. Nothing is
     * learned from it: the caller has taken it out of field_ids. */
    const uint16_t *weight_field_id;
    /* A number of what an account with the outcome is worth: a second scorecard is learned of it
     * (value_learn.h). NULL: none. The caller has taken it out of field_ids. */
    const uint16_t *value_field_id;
    uint64_t seed;
    unsigned pairs_max; /* 0: none */
    unsigned threads;   /* to learn with, the caller's included; 0: 1. Any number gives the same */
    /* By field id: 1 where the points of a number never fall as it grows, -1 where they never rise,
     * 0 as they come; NULL: all as they come. */
    const int8_t *directions;
    /* Fields to learn from although they may be suspected leaks; they are warned of then. */
    const uint16_t *keep_field_ids;
    size_t keep_field_count;
    /* Fields that say who an account is, not what it is like, such as its name or its parent:
     * nothing is learned from them, but rows that agree in one of them stay together. May be NULL.
     */
    const uint16_t *same_field_ids;
    size_t same_field_count;
    /* Called often from the learning thread; done is 0 … 1. Returning false cancels:
     * PROTO_CANCELLED. */
    bool (*on_progress)(void *context, double done, const char *stage);
    void *progress_context;
};

/* Rows of the population: values of all fields of one row at once, repeatable. */
struct learn_population {
    void *context;
    size_t rows;
    /* Fills values[0 … slots) by field id; spans stay valid until the population is closed by the
     * caller. */
    bool (*values)(void *context, size_t row, struct feature_value *values, size_t slots);
    const uint8_t *labels;    /* by row; NULL: the label says */
    const uint32_t *accounts; /* by row: whose it is, where accounts have several; NULL: not told */
};

/* JSON text of the document (returned, caller frees), or NULL with *fault: NO_EVIDENCE, BAD_FIELD
 * (too few positives or negatives: at least 20 each, no usable field), CANCELLED, NO_MEMORY. */
char *learn_run(const struct learn_population *population, const struct learn_options *options,
                struct proto_fault *fault);

#endif
