/* SPDX-License-Identifier: Apache-2.0 */
/* Ranks are doubled so that those of ties are whole. All ways to give them to the items are counted
 * as a walk from ranking to ranking over the vectors of rank sums, each sorted: which item has
 * which sum does not matter, as every order is as likely. Where there are too many, they are drawn.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/random.h"
#include "server/math/special.h"
#include "server/measure/agreement.h"

enum {
    EXACT_ITEMS_MAX = 8,   /* sums of a vector lie in the bytes of one number */
    EXACT_PEOPLE_MAX = 15, /* 2 · 8 · 15 is below 256 */
    DRAWS = 20000
};
#define EXACT_STEPS_MAX ((size_t)20000000)

/* Twice the mid-ranks of a row; the sum of t³ − t of its ties. */
static double row_rank(const double *row, size_t items, int *ranks)
{
    double ties = 0;
    for (size_t i = 0; i < items; i++) {
        int below = 0;
        int same = 0;
        for (size_t j = 0; j < items; j++) {
            below += row[j] < row[i];
            same += row[j] == row[i];
        }
        ranks[i] = 2 * below + same + 1;
        ties += (double)same * same - 1; /* each of t items brings t² − 1 */
    }
    return ties;
}

/* Four times S of sums of doubled ranks. */
static double spread_of(const int *sums, size_t items)
{
    double total = 0;
    double squares = 0;
    for (size_t i = 0; i < items; i++) {
        total += sums[i];
        squares += (double)sums[i] * sums[i];
    }
    return squares - total * total / (double)items;
}

static int ascending(const void *a, const void *b)
{
    int x = *(const int *)a;
    int y = *(const int *)b;
    return (x > y) - (x < y);
}

/* Vectors of sums with their shares of all ways. */
struct ways {
    uint64_t *keys;
    double *shares;
    size_t cells, count;
};

static bool ways_open(struct ways *ways, size_t cells)
{
    *ways = (struct ways){calloc(cells, sizeof *ways->keys), calloc(cells, sizeof *ways->shares),
                          cells, 0};
    return ways->keys != NULL && ways->shares != NULL;
}

static void ways_close(struct ways *ways)
{
    free(ways->keys);
    free(ways->shares);
}

static bool ways_add(struct ways *ways, uint64_t key, double share);

static bool ways_grow(struct ways *ways)
{
    struct ways more;
    if (!ways_open(&more, 2 * ways->cells)) {
        ways_close(&more);
        return false;
    }
    for (size_t i = 0; i < ways->cells; i++) {
        if (ways->keys[i] != 0) {
            (void)ways_add(&more, ways->keys[i], ways->shares[i]);
        }
    }
    ways_close(ways);
    *ways = more;
    return true;
}

/* No key is 0: every rank is 2 at least. */
static bool ways_add(struct ways *ways, uint64_t key, double share)
{
    if (2 * ways->count >= ways->cells && !ways_grow(ways)) {
        return false;
    }
    size_t at = (size_t)((key * 0x9e3779b97f4a7c15ULL) >> 20) & (ways->cells - 1);
    while (ways->keys[at] != 0 && ways->keys[at] != key) {
        at = (at + 1) & (ways->cells - 1);
    }
    ways->count += ways->keys[at] == 0;
    ways->keys[at] = key;
    ways->shares[at] += share;
    return true;
}

static uint64_t key_of(const int *sums, size_t items)
{
    int sorted[EXACT_ITEMS_MAX];
    uint64_t key = 0;
    for (size_t i = 0; i < items; i++) {
        size_t at = i;
        for (; at > 0 && sorted[at - 1] > sums[i]; at--) {
            sorted[at] = sorted[at - 1];
        }
        sorted[at] = sums[i];
    }
    for (size_t i = 0; i < items; i++) {
        key = key << 8 | (uint64_t)sorted[i];
    }
    return key;
}

static void sums_of(uint64_t key, size_t items, int *sums)
{
    for (size_t i = 0; i < items; i++) {
        sums[items - 1 - i] = (int)(key >> (8 * i) & 0xff);
    }
}

/* The next order of ranks in the order of words, each different one once; false after the last. */
static bool order_next(int *ranks, size_t items)
{
    size_t i = items - 1;
    while (i > 0 && ranks[i - 1] >= ranks[i]) {
        i--;
    }
    if (i == 0) {
        return false;
    }
    size_t j = items - 1;
    while (ranks[j] <= ranks[i - 1]) {
        j--;
    }
    int kept = ranks[i - 1];
    ranks[i - 1] = ranks[j];
    ranks[j] = kept;
    for (size_t a = i, b = items - 1; a < b; a++, b--) {
        kept = ranks[a];
        ranks[a] = ranks[b];
        ranks[b] = kept;
    }
    return true;
}

static double orders_count(const int *sorted, size_t items)
{
    double orders = 1;
    size_t same = 0;
    for (size_t i = 0; i < items; i++) {
        same = i > 0 && sorted[i] == sorted[i - 1] ? same + 1 : 1;
        orders *= (double)(i + 1) / (double)same;
    }
    return floor(orders + .5);
}

/* One more ranking, in each of its orders, onto each way. 1: done, 0: too many steps, −1: memory.
 */
static int ranking_add(struct ways *ways, const int *ranks, size_t items, size_t *steps)
{
    int sorted[EXACT_ITEMS_MAX];
    int order[EXACT_ITEMS_MAX];
    int sums[EXACT_ITEMS_MAX];
    struct ways next;
    memcpy(sorted, ranks, items * sizeof *sorted);
    qsort(sorted, items, sizeof *sorted, ascending);
    double orders = orders_count(sorted, items);
    *steps += (size_t)(orders * (double)ways->count);
    if (*steps > EXACT_STEPS_MAX) {
        return 0;
    }
    bool good = ways_open(&next, 1024);
    for (size_t i = 0; good && i < ways->cells; i++) {
        if (ways->keys[i] == 0) {
            continue;
        }
        memcpy(order, sorted, items * sizeof *order);
        do {
            sums_of(ways->keys[i], items, sums);
            for (size_t k = 0; k < items; k++) {
                sums[k] += order[k];
            }
            good = ways_add(&next, key_of(sums, items), ways->shares[i] / orders);
        } while (good && order_next(order, items));
    }
    if (!good) {
        ways_close(&next);
        return -1;
    }
    ways_close(ways);
    *ways = next;
    return 1;
}

/* The share of ways whose spread is no less; NAN where they are too many. */
static bool exact_find(const int *ranks, size_t people, size_t items, double spread, double *p,
                       struct proto_fault *fault)
{
    struct ways ways;
    size_t steps = 0;
    int went = 1;
    *p = MATH_NAN;
    bool good = ways_open(&ways, 1024) && ways_add(&ways, key_of(ranks, items), 1);
    for (size_t row = 1; good && went == 1 && row < people; row++) {
        went = ranking_add(&ways, ranks + row * items, items, &steps);
        good = went >= 0;
    }
    if (good && went == 1) {
        *p = 0;
        for (size_t i = 0; i < ways.cells; i++) {
            int sums[EXACT_ITEMS_MAX];
            sums_of(ways.keys[i], items, sums);
            *p += ways.keys[i] != 0 && spread_of(sums, items) >= spread - 1e-6 ? ways.shares[i] : 0;
        }
        *p = *p > 1 ? 1 : *p;
    }
    ways_close(&ways);
    return good || proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for rankings");
}

static double drawn_find(int *ranks, size_t people, size_t items, double spread, uint64_t seed)
{
    struct math_random random;
    int sums[MEASURE_ITEMS_MAX];
    size_t reached = 0;
    math_random_init(&random, seed);
    for (size_t draw = 0; draw < DRAWS; draw++) {
        memset(sums, 0, sizeof sums);
        for (size_t row = 0; row < people; row++) {
            int *of = ranks + row * items;
            for (size_t i = items; i > 1; i--) {
                size_t j = (size_t)math_random_below(&random, i);
                int kept = of[i - 1];
                of[i - 1] = of[j];
                of[j] = kept;
            }
            for (size_t i = 0; i < items; i++) {
                sums[i] += of[i];
            }
        }
        reached += spread_of(sums, items) >= spread - 1e-6;
    }
    return (double)(1 + reached) / (1 + DRAWS);
}

bool measure_concordance_of(const double *ranks, size_t people, size_t items, uint64_t seed,
                            struct measure_concordance *concordance, struct proto_fault *fault)
{
    int sums[MEASURE_ITEMS_MAX] = {0};
    double ties = 0;
    *concordance = (struct measure_concordance){
        .w = MATH_NAN, .p = MATH_NAN, .people = people, .items = items};
    if (people > MEASURE_PEOPLE_MAX || items > MEASURE_ITEMS_MAX) {
        return proto_fault_set(fault, PROTO_LIMIT, "", "at most %d rankings of %d items",
                               MEASURE_PEOPLE_MAX, MEASURE_ITEMS_MAX);
    }
    if (people < 2 || items < 2) {
        return true;
    }
    int *doubled = calloc(people * items, sizeof *doubled);
    if (doubled == NULL) {
        return proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory for rankings");
    }
    for (size_t row = 0; row < people; row++) {
        ties += row_rank(ranks + row * items, items, doubled + row * items);
        for (size_t i = 0; i < items; i++) {
            sums[i] += doubled[row * items + i];
        }
    }
    double m = (double)people;
    double n = (double)items;
    double spread = spread_of(sums, items);
    double most = m * m * (n * n * n - n) - m * ties;
    bool good = true;
    if (most > 0) {
        concordance->w = 3 * spread / most; /* 12 S, and spread is 4 S */
        if (items <= EXACT_ITEMS_MAX && people <= EXACT_PEOPLE_MAX) {
            good = exact_find(doubled, people, items, spread, &concordance->p, fault);
        }
        concordance->exact = good && !isnan(concordance->p);
        if (good && !concordance->exact) {
            concordance->p = drawn_find(doubled, people, items, spread, seed);
        }
    }
    free(doubled);
    return good;
}
