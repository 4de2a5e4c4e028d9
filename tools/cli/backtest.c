/* SPDX-License-Identifier: Apache-2.0 */
/* Orders are arrays of places; nothing is moved once accounts are in the order of their ids. */
#include "tools/cli/backtest.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/base/hash.h"
#include "server/math/accuracy.h"
#include "server/math/order.h"

#define TOP_TENTH 0.1

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct backtest_account *)a)->id,
                  ((const struct backtest_account *)b)->id);
}

void backtest_sort(struct backtest_account *accounts, size_t count)
{
    if (count > 0) {
        qsort(accounts, count, sizeof *accounts, by_id);
    }
}

struct backtest_account *backtest_find(struct backtest_account *accounts, size_t count,
                                       const char *id, size_t id_bytes)
{
    size_t low = 0;
    size_t high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const char *at = accounts[middle].id;
        int order = strncmp(at, id, id_bytes);
        order = order == 0 ? (unsigned char)at[id_bytes] : order;
        if (order == 0) {
            return &accounts[middle];
        }
        if (order < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return NULL;
}

static void rate_add(struct backtest_rate *rate, const struct backtest_account *account)
{
    rate->accounts++;
    rate->outcomes += account->outcome;
    rate->p += account->p;
}

static void rate_end(struct backtest_rate *rate)
{
    if (rate->accounts > 0) {
        rate->p /= (double)rate->accounts;
        math_wilson(rate->outcomes, rate->accounts, &rate->low, &rate->high);
    }
}

struct backtest_rate backtest_rate_of(const struct backtest_account *accounts, size_t count)
{
    struct backtest_rate rate = {0};
    for (size_t i = 0; i < count; i++) {
        rate_add(&rate, &accounts[i]);
    }
    rate_end(&rate);
    return rate;
}

/* What is sorted: a place by a number, ties by place, which is by id. */
struct ranked {
    uint64_t key;
    uint32_t place;
};

static int by_key(const void *a, const void *b)
{
    const struct ranked *x = a;
    const struct ranked *y = b;
    if (x->key != y->key) {
        return x->key < y->key ? -1 : 1;
    }
    return (x->place > y->place) - (x->place < y->place);
}

/* Ascending keys are the order of a list. */
static uint64_t key_of(const struct backtest_account *account, int list, uint64_t seed)
{
    uint64_t raw = (uint64_t)account->raw ^ (UINT64_C(1) << 63); /* ascending as unsigned */
    return list == BACKTEST_BEST   ? ~raw
           : list == BACKTEST_POOR ? raw
                                   : base_hash(account->id, strlen(account->id), seed);
}

static bool list_make(const struct backtest_account *accounts, size_t count, int list,
                      uint64_t seed, struct ranked *ranked, struct backtest_lists *lists)
{
    lists->places[list] = calloc(lists->count + 1, sizeof *lists->places[list]);
    if (lists->places[list] == NULL) {
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        ranked[i] = (struct ranked){key_of(&accounts[i], list, seed), (uint32_t)i};
    }
    qsort(ranked, count, sizeof *ranked, by_key);
    for (size_t i = 0; i < lists->count; i++) {
        lists->places[list][i] = ranked[i].place;
        rate_add(&lists->rates[list], &accounts[ranked[i].place]);
    }
    rate_end(&lists->rates[list]);
    return true;
}

bool backtest_lists_make(const struct backtest_account *accounts, size_t count, size_t k,
                         uint64_t seed, struct backtest_lists *lists)
{
    struct ranked *ranked = calloc(count + 1, sizeof *ranked);
    *lists = (struct backtest_lists){.count = k < count ? k : count};
    bool ok = ranked != NULL;
    for (int list = 0; ok && list < BACKTEST_LISTS; list++) {
        ok = list_make(accounts, count, list, seed, ranked, lists);
    }
    free(ranked);
    if (!ok) {
        backtest_lists_free(lists);
    }
    return ok;
}

void backtest_lists_free(struct backtest_lists *lists)
{
    for (int list = 0; list < BACKTEST_LISTS; list++) {
        free(lists->places[list]);
        lists->places[list] = NULL;
    }
}

bool backtest_auc(const struct backtest_account *accounts, size_t count, bool by_points,
                  struct math_auc *auc, double *lift_top_tenth)
{
    double *scores = calloc(count + 1, sizeof *scores);
    uint8_t *labels = calloc(count + 1, sizeof *labels);
    uint32_t *order = NULL;
    for (size_t i = 0; scores != NULL && labels != NULL && i < count; i++) {
        scores[i] = by_points ? accounts[i].points : (double)accounts[i].raw;
        labels[i] = accounts[i].outcome;
    }
    if (scores != NULL && labels != NULL) {
        order = math_order_create(scores, count);
    }
    bool ok = order != NULL && math_auc(scores, labels, order, count, auc);
    if (ok) {
        *lift_top_tenth = math_lift(scores, labels, order, count, TOP_TENTH);
    }
    free(scores);
    free(labels);
    free(order);
    return ok;
}

static double rate_of(const struct backtest_rate *rate)
{
    return (double)rate->outcomes / (double)rate->accounts;
}

void backtest_condition_judge(const struct backtest_account *accounts, const bool *meets,
                              size_t count, struct backtest_condition *condition)
{
    struct backtest_rate *with = &condition->with;
    struct backtest_rate *without = &condition->without;
    for (size_t i = 0; i < count; i++) {
        rate_add(meets[i] ? with : without, &accounts[i]);
    }
    rate_end(with);
    rate_end(without);
    if (with->accounts == 0 || without->accounts == 0) {
        return;
    }
    condition->effect = rate_of(with) - rate_of(without);
    condition->low =
        condition->effect - hypot(rate_of(with) - with->low, without->high - rate_of(without));
    condition->high =
        condition->effect + hypot(with->high - rate_of(with), rate_of(without) - without->low);
    condition->evidence =
        condition->points > 0 ? condition->low > 0 : condition->points < 0 && condition->high < 0;
}

double backtest_weight_with_evidence(const struct backtest_condition *conditions, size_t count)
{
    double all = 0;
    double with = 0;
    for (size_t i = 0; i < count; i++) {
        all += fabs(conditions[i].points);
        with += conditions[i].evidence ? fabs(conditions[i].points) : 0;
    }
    return all > 0 ? with / all : 0;
}

static int by_value(const void *a, const void *b)
{
    const struct backtest_account *const *x = a;
    const struct backtest_account *const *y = b;
    return strcmp((*x)->value, (*y)->value);
}

static int by_accounts(const void *a, const void *b)
{
    const struct backtest_part *x = a;
    const struct backtest_part *y = b;
    if (x->rate.accounts != y->rate.accounts) {
        return x->rate.accounts < y->rate.accounts ? 1 : -1;
    }
    return strcmp(x->value, y->value);
}

/* Sums over one value: between is what of the spread its mean explains. */
static void part_take(const struct backtest_account *const *sorted, size_t count, double mean,
                      struct backtest_part *part, double *between)
{
    double raw = 0;
    *part = (struct backtest_part){.value = sorted[0]->value};
    for (size_t i = 0; i < count; i++) {
        rate_add(&part->rate, sorted[i]);
        part->fit += sorted[i]->fit;
        raw += (double)sorted[i]->raw;
    }
    rate_end(&part->rate);
    part->fit /= (double)count;
    raw = raw / (double)count - mean;
    *between += (double)count * raw * raw;
}

static double raw_spread(const struct backtest_account *accounts, size_t count, double *mean)
{
    double sum = 0;
    double spread = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)accounts[i].raw;
    }
    *mean = count > 0 ? sum / (double)count : 0;
    for (size_t i = 0; i < count; i++) {
        double off = (double)accounts[i].raw - *mean;
        spread += off * off;
    }
    return spread;
}

bool backtest_parts_make(const struct backtest_account *accounts, size_t count,
                         struct backtest_part **parts, size_t *part_count, double *eta_squared)
{
    double mean;
    double between = 0;
    double spread = raw_spread(accounts, count, &mean);
    const struct backtest_account **sorted = calloc(count + 1, sizeof *sorted);
    *parts = calloc(count + 1, sizeof **parts);
    *part_count = 0;
    if (sorted == NULL || *parts == NULL) {
        free(sorted);
        free(*parts);
        *parts = NULL;
        return false;
    }
    for (size_t i = 0; i < count; i++) {
        sorted[i] = &accounts[i];
    }
    qsort(sorted, count, sizeof *sorted, by_value);
    for (size_t from = 0; from < count;) {
        size_t end = from + 1;
        while (end < count && strcmp(sorted[end]->value, sorted[from]->value) == 0) {
            end++;
        }
        part_take(sorted + from, end - from, mean, &(*parts)[(*part_count)++], &between);
        from = end;
    }
    qsort(*parts, *part_count, sizeof **parts, by_accounts);
    *eta_squared = spread > 0 ? between / spread : 0;
    free(sorted);
    return true;
}
