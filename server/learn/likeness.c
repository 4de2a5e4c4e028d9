/* SPDX-License-Identifier: Apache-2.0 */
/* Every value is hashed once and weighed by how rare it is. Then rows are dealt into buckets, again
 * and again, by all fields but a few; rows that meet in a bucket are compared field by field. Sure
 * pairs are told at once, probable ones kept until it is known whether they are too many for
 * chance. Failures are those of memory alone, and of a population that cannot be read twice. */
#include "server/learn/likeness.h"

#include <math.h>
#include <stdlib.h>

#include "server/math/portable.h"

#define EIGHTHS_MAX 255
#define DIFFERS_EIGHTHS 34 /* 4.25 bits: log2 of 19 */
#define SURE_EIGHTHS 128
#define PROBABLE_EIGHTHS 32
#define PROBABLE_SHARE 8
/* A rare value says a third of log2(rows) bits or more. */
#define RARE_PART 3.0
#define PARTS 4U
/* Rows of a bucket that a row is compared with: the latest. */
#define MATES_MAX 8
#define NONE UINT32_MAX

/* Fields that a bucket leaves out of its key. */
struct left_out {
    size_t field;       /* this one, or no field */
    unsigned part_mask; /* parts that stay, of field % PARTS; 0: all */
};

struct buckets {
    const struct learn_likeness *likeness;
    uint32_t *heads; /* by hash of the key: the latest row of a bucket, NONE if free */
    uint32_t *older; /* by row: the one before it in its bucket */
    uint64_t *keys;  /* by row */
    size_t mask;
    uint32_t *mates; /* by row: an earlier one that it is probably alike, or NONE */
    size_t probable; /* rows that have one */
    void (*on_pair)(void *context, uint32_t a, uint32_t b);
    void *context;
};

static uint64_t mixed(uint32_t cell, size_t field)
{
    uint64_t x = ((uint64_t)field << 32 | cell) + 0x9e3779b97f4a7c15U;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9U;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebU;
    return x ^ (x >> 31);
}

static size_t power_of_two(size_t least)
{
    size_t size = 16;
    while (size < least) {
        size *= 2;
    }
    return size;
}

/* Hashes that share a place are counted together: a value then looks less rare than it is. */
static void field_weigh(struct learn_likeness *likeness, size_t field, uint32_t *counts,
                        size_t mask)
{
    const uint32_t *cells = likeness->cells + field * likeness->rows;
    uint8_t *weights = likeness->weights + field * likeness->rows;
    memset(counts, 0, (mask + 1) * sizeof *counts);
    for (size_t i = 0; i < likeness->rows; i++) {
        counts[cells[i] & mask]++;
    }
    for (size_t i = 0; i < likeness->rows; i++) {
        double bits = math_log((double)likeness->rows / (double)counts[cells[i] & mask]) / MATH_LN2;
        double eighths = floor(8.0 * bits);
        weights[i] = cells[i] == 0 ? 0 : (uint8_t)(eighths < EIGHTHS_MAX ? eighths : EIGHTHS_MAX);
    }
}

static bool cells_fill(struct learn_likeness *likeness, struct learn_sample *sample)
{
    const uint16_t *fields = sample->options->field_ids;
    for (size_t i = 0; i < likeness->rows; i++) {
        if (!learn_sample_fetch(sample, i)) {
            return false;
        }
        for (size_t f = 0; f < likeness->fields; f++) {
            const struct feature_value *value = &sample->values[fields[f]];
            uint32_t hash = value->present ? (uint32_t)learn_value_hash(value, 0) : 0;
            hash = value->present && hash == 0 ? 1 : hash;
            likeness->cells[f * likeness->rows + i] = hash;
            likeness->wholes[i] += mixed(hash, f);
        }
    }
    return true;
}

bool learn_likeness_init(struct learn_likeness *likeness, struct learn_sample *sample,
                         struct proto_fault *fault)
{
    size_t rows = sample->rows;
    size_t fields = sample->options->field_count;
    size_t mask = power_of_two(4 * rows) - 1;
    *likeness = (struct learn_likeness){.rows = rows, .fields = fields};
    if (fields < 2 || rows > LEARN_LIKENESS_CELLS_MAX / fields) {
        likeness->rows = 0;
        return true;
    }
    likeness->cells = calloc(rows * fields + 1, sizeof *likeness->cells);
    likeness->weights = calloc(rows * fields + 1, sizeof *likeness->weights);
    likeness->wholes = calloc(rows + 1, sizeof *likeness->wholes);
    uint32_t *counts = calloc(mask + 1, sizeof *counts);
    bool ok = likeness->cells != NULL && likeness->weights != NULL && likeness->wholes != NULL &&
              counts != NULL;
    if (!ok) {
        proto_fault_set(fault, PROTO_NO_MEMORY, "", "no memory to compare %zu rows", rows);
    } else if (!cells_fill(likeness, sample)) {
        ok = proto_fault_set(fault, PROTO_INTERNAL, "", "a row could not be read a second time");
    }
    for (size_t f = 0; ok && f < fields; f++) {
        field_weigh(likeness, f, counts, mask);
    }
    free(counts);
    if (!ok) {
        learn_likeness_fini(likeness);
    }
    likeness->bits_least = rows > 0 ? 8.0 * math_log((double)rows) / MATH_LN2 : 0.0;
    return ok;
}

void learn_likeness_fini(struct learn_likeness *likeness)
{
    free(likeness->cells);
    free(likeness->weights);
    free(likeness->wholes);
    *likeness = (struct learn_likeness){0};
}

/* Eighths of a bit beyond log2(rows) for being one company; negative: against it, or too little is
 * the same. */
static double likeness_of(const struct learn_likeness *likeness, uint32_t a, uint32_t b)
{
    unsigned eighths = 0;
    size_t rare = 0; /* that agree */
    size_t agree = 0;
    size_t either = 0;
    size_t differ = 0;
    for (size_t f = 0; f < likeness->fields; f++) {
        size_t at = f * likeness->rows;
        uint32_t left = likeness->cells[at + a];
        uint32_t right = likeness->cells[at + b];
        bool same = left == right && left != 0;
        either += (left | right) != 0;
        agree += same;
        differ += left != right && left != 0 && right != 0;
        eighths += same ? likeness->weights[at + a] : 0;
        rare += same && RARE_PART * (double)likeness->weights[at + a] >= likeness->bits_least;
    }
    if (rare < 2 || (5 * agree < 4 * either && either - agree > 1)) {
        return -1.0;
    }
    return (double)eighths - (double)(DIFFERS_EIGHTHS * differ) - likeness->bits_least;
}

static void pair_judge(struct buckets *buckets, uint32_t a, uint32_t b)
{
    double eighths = likeness_of(buckets->likeness, a, b);
    if (eighths >= SURE_EIGHTHS) {
        buckets->on_pair(buckets->context, a, b);
    } else if (eighths >= PROBABLE_EIGHTHS) { /* b comes after a */
        buckets->probable += buckets->mates[b] == NONE;
        buckets->mates[b] = a;
    }
}

static uint64_t key_of(const struct learn_likeness *likeness, size_t row,
                       const struct left_out *left_out)
{
    if (left_out->part_mask == 0) {
        size_t f = left_out->field;
        return likeness->wholes[row] -
               (f < likeness->fields ? mixed(likeness->cells[f * likeness->rows + row], f) : 0);
    }
    uint64_t key = 0;
    for (size_t f = 0; f < likeness->fields; f++) {
        bool stays = (left_out->part_mask >> (f % PARTS) & 1) != 0;
        key += stays ? mixed(likeness->cells[f * likeness->rows + row], f) : 0;
    }
    return key;
}

/* Deals all rows by one key; each is compared with the latest few of its bucket. */
static void rows_deal(struct buckets *buckets, struct left_out left_out)
{
    const struct learn_likeness *likeness = buckets->likeness;
    size_t mates_max = left_out.part_mask == 0 ? 1 : MATES_MAX;
    memset(buckets->heads, 0xff, (buckets->mask + 1) * sizeof *buckets->heads);
    for (size_t i = 0; i < likeness->rows; i++) {
        uint64_t key = key_of(likeness, i, &left_out);
        size_t at = (size_t)(key ^ (key >> 32)) & buckets->mask;
        while (buckets->heads[at] != NONE && buckets->keys[buckets->heads[at]] != key) {
            at = (at + 1) & buckets->mask;
        }
        uint32_t mate = buckets->heads[at];
        buckets->keys[i] = key;
        buckets->older[i] = mate;
        buckets->heads[at] = (uint32_t)i;
        for (size_t m = 0; m < mates_max && mate != NONE; m++, mate = buckets->older[mate]) {
            pair_judge(buckets, mate, (uint32_t)i);
        }
    }
}

static void fields_leave_out(struct buckets *buckets)
{
    size_t fields = buckets->likeness->fields;
    rows_deal(buckets, (struct left_out){.field = fields});
    for (size_t f = 0; fields > 2 && fields <= LEARN_LIKENESS_FIELDS_MAX && f < fields; f++) {
        rows_deal(buckets, (struct left_out){.field = f});
    }
    for (unsigned mask = 0; fields >= 2 * PARTS && mask < 1U << PARTS; mask++) {
        if (__builtin_popcount(mask) == PARTS / 2) {
            rows_deal(buckets, (struct left_out){.field = fields, .part_mask = mask});
        }
    }
}

bool learn_likeness_pairs(const struct learn_likeness *likeness,
                          void (*on_pair)(void *context, uint32_t a, uint32_t b), void *context)
{
    size_t rows = likeness->rows;
    struct buckets buckets = {.likeness = likeness,
                              .mask = power_of_two(2 * rows) - 1,
                              .on_pair = on_pair,
                              .context = context};
    if (rows == 0) {
        return true;
    }
    buckets.heads = malloc((buckets.mask + 1) * sizeof *buckets.heads);
    buckets.older = malloc(rows * sizeof *buckets.older);
    buckets.keys = malloc(rows * sizeof *buckets.keys);
    buckets.mates = malloc(rows * sizeof *buckets.mates);
    bool ok = buckets.heads != NULL && buckets.older != NULL && buckets.keys != NULL &&
              buckets.mates != NULL;
    if (ok) {
        memset(buckets.mates, 0xff, rows * sizeof *buckets.mates);
        fields_leave_out(&buckets);
        for (size_t i = 0; buckets.probable * PROBABLE_SHARE >= rows && i < rows; i++) {
            if (buckets.mates[i] != NONE) {
                on_pair(context, buckets.mates[i], (uint32_t)i);
            }
        }
    }
    free(buckets.heads);
    free(buckets.older);
    free(buckets.keys);
    free(buckets.mates);
    return ok;
}
