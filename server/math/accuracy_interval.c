/* SPDX-License-Identifier: Apache-2.0 */
/* Both are means of columns of rows: the log loss of one column, the ECE of one for each bin. */
#include "server/math/accuracy_interval.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>

#include "server/math/accuracy.h"
#include "server/math/auc.h"
#include "server/math/portable.h"
#include "server/math/random.h"

#define BINS MATH_ECE_BINS
#define SEED 1 /* any: the draws are of the same law for every set of rows */

/* What a row adds: to one column, or to that of its bin. */
struct entry {
    unsigned column;
    double value;
};

/* Means of the columns, and the covariance of those means. */
struct means {
    double mean[BINS];
    double covariance[BINS][BINS];
};

typedef struct entry (*entry_maker)(double p, uint8_t label);

static struct entry loss_entry(double p, uint8_t label)
{
    return (struct entry){0, math_log_loss(&p, &label, 1)};
}

static struct entry gap_entry(double p, uint8_t label)
{
    unsigned bin = (unsigned)(p * BINS);
    return (struct entry){bin < BINS ? bin : BINS - 1, p - (label != 0 ? 1.0 : 0.0)};
}

static void square_add(struct means *means, const double *sums, double rows)
{
    for (unsigned a = 0; a < BINS; a++) {
        double off = sums[a] - rows * means->mean[a];
        for (unsigned b = 0; b <= a; b++) {
            means->covariance[a][b] += off * (sums[b] - rows * means->mean[b]);
        }
    }
}

/* Sums of squares of what groups are off: each group's sums about as many means as it has rows. */
static bool groups_add(const double *p, const uint8_t *labels, size_t count, entry_maker entry_of,
                       const uint32_t *groups, size_t group_count, struct means *means)
{
    double(*sums)[BINS + 1] = calloc(group_count + 1, sizeof *sums);
    if (sums == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        assert(groups[i] < group_count);
        struct entry entry = entry_of(p[i], labels[i]);
        sums[groups[i]][entry.column] += entry.value;
        sums[groups[i]][BINS] += 1.0;
    }
    for (size_t g = 0; g < group_count; g++) {
        square_add(means, sums[g], sums[g][BINS]);
    }
    free(sums);
    return true;
}

static bool means_make(const double *p, const uint8_t *labels, size_t count, entry_maker entry_of,
                       const uint32_t *groups, size_t group_count, struct means *means)
{
    double n = (double)count;
    *means = (struct means){0};
    for (size_t i = 0; i < count; i++) {
        struct entry entry = entry_of(p[i], labels[i]);
        means->mean[entry.column] += entry.value / n;
    }
    for (size_t i = 0; groups == NULL && i < count; i++) {
        double sums[BINS] = {0.0};
        struct entry entry = entry_of(p[i], labels[i]);
        sums[entry.column] = entry.value;
        square_add(means, sums, 1.0);
    }
    if (groups != NULL && !groups_add(p, labels, count, entry_of, groups, group_count, means)) {
        return false;
    }
    double independent = groups == NULL ? n : (double)group_count;
    for (unsigned a = 0; a < BINS; a++) {
        for (unsigned b = 0; b <= a; b++) {
            means->covariance[a][b] *= independent / (independent - 1.0) / (n * n);
            means->covariance[b][a] = means->covariance[a][b];
        }
    }
    return true;
}

/* Rows of the rarer class, or groups if those are fewer. */
static size_t rarer_of(const uint8_t *labels, size_t count, const uint32_t *groups,
                       size_t group_count)
{
    size_t positives = 0;
    for (size_t i = 0; i < count; i++) {
        positives += labels[i] != 0;
    }
    size_t rarer = positives < count - positives ? positives : count - positives;
    return groups == NULL || rarer < group_count ? rarer : group_count;
}

bool math_log_loss_interval(const double *p, const uint8_t *labels, size_t count,
                            const uint32_t *groups, size_t group_count,
                            struct math_interval *interval)
{
    struct means means;
    size_t rarer = rarer_of(labels, count, groups, group_count);
    *interval = (struct math_interval){0.0, MATH_LOG_LOSS_MAX};
    if (rarer < 2) {
        return true;
    }
    if (!means_make(p, labels, count, loss_entry, groups, group_count, &means)) {
        return false;
    }
    double loss = means.mean[0];
    double half = math_student_95((double)rarer - 1.0) * sqrt(means.covariance[0][0]) / loss;
    interval->low = loss * math_exp(-half);
    interval->high = fmin(MATH_LOG_LOSS_MAX, loss * math_exp(half));
    return true;
}

/* The lower triangle L with L Lᵀ = the covariance; a bin that nothing is left of has a column of
 * zeros. */
static void root_make(const struct means *means, double root[BINS][BINS])
{
    for (unsigned a = 0; a < BINS; a++) {
        for (unsigned b = 0; b <= a; b++) {
            double left = means->covariance[a][b];
            for (unsigned c = 0; c < b; c++) {
                left -= root[a][c] * root[b][c];
            }
            if (a == b) {
                root[a][a] = left > 1e-12 * means->covariance[a][a] ? sqrt(left) : 0.0;
            } else {
                root[a][b] = root[b][b] > 0.0 ? left / root[b][b] : 0.0;
            }
        }
    }
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The 97.5 % point of Σ|ε|, ε normal with that covariance; negative: no memory. */
static double noise_point(const struct means *means)
{
    double root[BINS][BINS] = {{0.0}};
    struct math_random random;
    double *sums = malloc(MATH_ECE_DRAWS * sizeof *sums);
    if (sums == NULL) {
        return -1.0;
    }
    root_make(means, root);
    math_random_init(&random, SEED);
    for (unsigned d = 0; d < MATH_ECE_DRAWS; d++) {
        double normal[BINS];
        sums[d] = 0.0;
        for (unsigned a = 0; a < BINS; a++) {
            double off = 0.0;
            normal[a] = math_random_normal(&random);
            for (unsigned b = 0; b <= a; b++) {
                off += root[a][b] * normal[b];
            }
            sums[d] += fabs(off);
        }
    }
    qsort(sums, MATH_ECE_DRAWS, sizeof *sums, ascending);
    double point = sums[MATH_ECE_DRAWS / 1000 * 975];
    free(sums);
    return point;
}

/* Variance of Σ s·ε, s the signs of the gaps. */
static double signed_variance(const struct means *means)
{
    double variance = 0.0;
    for (unsigned a = 0; a < BINS; a++) {
        for (unsigned b = 0; b < BINS; b++) {
            bool same = (means->mean[a] < 0.0) == (means->mean[b] < 0.0);
            variance += same ? means->covariance[a][b] : -means->covariance[a][b];
        }
    }
    return fmax(0.0, variance);
}

bool math_ece_interval(const double *p, const uint8_t *labels, size_t count, const uint32_t *groups,
                       size_t group_count, struct math_interval *interval)
{
    struct means means;
    *interval = (struct math_interval){0.0, 1.0};
    if (rarer_of(labels, count, groups, group_count) < 2) {
        return true;
    }
    if (!means_make(p, labels, count, gap_entry, groups, group_count, &means)) {
        return false;
    }
    double noise = noise_point(&means);
    double ece = 0.0;
    for (unsigned b = 0; b < BINS; b++) {
        ece += fabs(means.mean[b]);
    }
    interval->low = fmax(0.0, ece - noise);
    interval->high = fmin(1.0, ece + MATH_Z_95 * sqrt(signed_variance(&means)));
    return noise >= 0.0;
}
