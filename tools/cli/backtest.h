/* SPDX-License-Identifier: Apache-2.0 */
/* A profile held against what came of accounts: three lists, the values of a field, and a profile
 * that was written by hand beside it. Pure: accounts with their scores and outcomes in, figures
 * out; backtest_read.h fetches them.
 *
 * Lists of k accounts: best (highest raw score), poor (lowest), control (drawn by a hash of the id
 * keyed with the seed, so that it can be drawn again). Ties go by id.
 * A condition of a hand-written profile has evidence if the rate of the outcome of accounts that
 * meet it differs from that of the others on the side that its points say, by more than chance
 * (Newcombe's interval of the difference, 95 %).
 * Blindness: share of the spread of raw scores that lies between the values of a field (eta
 * squared); 0: the score does not know the field.
 *
 * Shapes: rates 0 to 1. Ownership: results are plain; accounts are borrowed and sorted by id.
 * Errors: false is no memory. Threads: pure. Cost: n log n. Source: Newcombe 1998. */
#ifndef CLI_BACKTEST_H
#define CLI_BACKTEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/math/auc.h"

struct backtest_account {
    char *id;
    char *value; /* of the field that is asked for; "" if it is missing */
    int64_t raw;
    double p, fit;
    double points; /* of the hand-written profile */
    char grade;
    uint8_t outcome;
};

/* Accounts, outcomes, the mean of p, and the interval of the rate. */
struct backtest_rate {
    size_t accounts, outcomes;
    double p, low, high;
};

enum { BACKTEST_BEST, BACKTEST_POOR, BACKTEST_CONTROL, BACKTEST_LISTS };

struct backtest_lists {
    struct backtest_rate rates[BACKTEST_LISTS];
    uint32_t *places[BACKTEST_LISTS]; /* of their accounts, by rank; the caller frees them */
    size_t count;                     /* of each: k, or all there are */
};

/* In order of ids, in which all else is done. */
void backtest_sort(struct backtest_account *accounts, size_t count);
/* NULL if there is none. */
struct backtest_account *backtest_find(struct backtest_account *accounts, size_t count,
                                       const char *id, size_t id_bytes);

struct backtest_rate backtest_rate_of(const struct backtest_account *accounts, size_t count);
bool backtest_lists_make(const struct backtest_account *accounts, size_t count, size_t k,
                         uint64_t seed, struct backtest_lists *lists);
void backtest_lists_free(struct backtest_lists *lists);

/* by_points: of the hand-written profile instead of the version. */
bool backtest_auc(const struct backtest_account *accounts, size_t count, bool by_points,
                  struct math_auc *auc, double *lift_top_tenth);

/* One condition of a hand-written profile. */
struct backtest_condition {
    double points;
    struct backtest_rate with, without;
    double effect, low, high; /* difference of the rates; 0 where one side is empty */
    bool evidence;
};
/* meets[count]: which accounts meet it. */
void backtest_condition_judge(const struct backtest_account *accounts, const bool *meets,
                              size_t count, struct backtest_condition *condition);
/* Share of the points of all that have evidence, by their size; 0 without points. */
double backtest_weight_with_evidence(const struct backtest_condition *conditions, size_t count);

/* One value of the field. */
struct backtest_part {
    const char *value;
    struct backtest_rate rate;
    double fit; /* mean */
};
/* Most accounts first; the caller frees *parts. */
bool backtest_parts_make(const struct backtest_account *accounts, size_t count,
                         struct backtest_part **parts, size_t *part_count, double *eta_squared);

#endif
