/* SPDX-License-Identifier: Apache-2.0 */
/* Segments: the search against trying every conjunction, chance alone finds none but rarely, what
 * was planted is found, and no condition is in a segment that changes nothing. ICP_LONG=1 draws all
 * sets. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/math/random.h"
#include "server/segment/segment_mine.h"

enum { ROWS = 1000, COLUMNS = 6, BINS = 4, CONDITIONS = COLUMNS * BINS, WORDS = (ROWS + 63) / 64 };

struct set {
    uint8_t codes[ROWS][COLUMNS];
    bool outcome[ROWS], searched[ROWS];
    uint64_t maps[CONDITIONS][WORDS], outcomes[WORDS], first[WORDS];
    const uint64_t *pointers[CONDITIONS];
    uint32_t columns[CONDITIONS];
    struct segment_data data;
};

static void bit_set(uint64_t *map, size_t row)
{
    map[row / 64] |= UINT64_C(1) << row % 64;
}

static void set_close(struct set *set)
{
    memset(set->maps, 0, sizeof set->maps);
    memset(set->outcomes, 0, sizeof set->outcomes);
    memset(set->first, 0, sizeof set->first);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            bit_set(set->maps[c * BINS + set->codes[row][c]], row);
        }
        if (set->outcome[row]) {
            bit_set(set->outcomes, row);
        }
        if (set->searched[row]) {
            bit_set(set->first, row);
        }
    }
    for (uint32_t i = 0; i < CONDITIONS; i++) {
        set->pointers[i] = set->maps[i];
        set->columns[i] = i / BINS;
    }
    set->data = (struct segment_data){.rows = ROWS,
                                      .words = WORDS,
                                      .searched = set->first,
                                      .outcomes = set->outcomes,
                                      .conditions = set->pointers,
                                      .columns = set->columns,
                                      .condition_count = CONDITIONS};
}

/* Rates of a row: `base`, and `lift` more where the first two columns have code 1 (planted). */
static void set_draw(struct set *set, uint64_t seed, double base, double lift)
{
    struct math_random random;
    math_random_init(&random, seed);
    for (size_t row = 0; row < ROWS; row++) {
        for (size_t c = 0; c < COLUMNS; c++) {
            set->codes[row][c] = (uint8_t)math_random_below(&random, BINS - c % 2);
        }
        bool planted = set->codes[row][0] == 1 && set->codes[row][1] == 1;
        double rate = base + (planted ? lift : 0);
        set->outcome[row] = (double)math_random_below(&random, 1000000) < 1e6 * rate;
        set->searched[row] = math_random_below(&random, 10) < 6;
    }
    set_close(set);
}

static const struct segment_options plain = {.depth = 3, .accounts_min = 15, .most = 8};

static struct segment_counts counts_of(const struct set *set, const uint32_t *conditions,
                                       unsigned depth, unsigned which)
{
    struct segment_counts counts = {0};
    for (size_t row = 0; row < ROWS; row++) {
        bool in = set->searched[row];
        for (unsigned d = 0; d < depth; d++) {
            uint32_t i = conditions[d];
            in = in && ((which >> d & 1) == 0 || set->codes[row][i / BINS] == i % BINS);
        }
        counts.accounts += in;
        counts.outcomes += in && set->outcome[row];
    }
    return counts;
}

/* By the definition, from rows. */
static bool counts_by_hand(const struct set *set, const uint32_t *conditions, unsigned depth,
                           struct segment_counts *own)
{
    unsigned whole = (1U << depth) - 1;
    *own = counts_of(set, conditions, depth, whole);
    for (unsigned which = 0; which < whole && own->accounts > 0; which++) {
        struct segment_counts wider = counts_of(set, conditions, depth, which);
        double n = (double)own->accounts;
        double m = (double)(wider.accounts - own->accounts);
        double p = (double)own->outcomes / n;
        double q = (double)(wider.outcomes - own->outcomes) / m;
        double both = (double)wider.outcomes / (double)wider.accounts;
        double error = sqrt(both * (1 - both) * (1 / n + 1 / m));
        if (m < 1 || !(p - q > 1.96 * error && error > 0)) {
            return false;
        }
    }
    return own->accounts > 0;
}

static int down(const void *a, const void *b)
{
    double x = *(const double *)a;
    double y = *(const double *)b;
    return (x < y) - (x > y);
}

/* Qualities of all that count, the best first. */
static size_t try_all(const struct set *set, bool pure, double *qualities)
{
    struct segment_counts all = counts_of(set, NULL, 0, 0);
    size_t count = 0;
    for (uint32_t a = 0; a < CONDITIONS; a++) {
        for (uint32_t b = a; b < CONDITIONS; b++) {
            for (uint32_t c = b; c < CONDITIONS; c++) {
                uint32_t conditions[3] = {a, b, c};
                struct segment_counts own;
                unsigned depth = a == b ? 1 : b == c ? 2 : 3;
                bool form = (depth > 1 || b == c) && (depth < 2 || a / BINS != b / BINS) &&
                            (depth < 3 || (b / BINS != c / BINS && a / BINS != c / BINS));
                if (!form || !counts_by_hand(set, conditions, depth, &own) ||
                    own.accounts < plain.accounts_min) {
                    continue;
                }
                double quality = segment_quality(&all, &own, pure);
                if (quality > 0) {
                    qualities[count++] = quality;
                }
            }
        }
    }
    qsort(qualities, count, sizeof *qualities, down);
    return count;
}

static bool is_long(void)
{
    const char *asked = getenv("ICP_LONG");
    return asked && strcmp(asked, "1") == 0;
}

static void the_search_is_exact(void **state)
{
    (void)state;
    static struct set set;
    static double qualities[CONDITIONS * CONDITIONS * CONDITIONS];
    int sets = is_long() ? 100 : 3;
    uint64_t tried_all = 0;
    for (int seed = 0; seed < sets; seed++) {
        struct segment_found found[SEGMENT_CANDIDATES];
        struct proto_fault fault = {0};
        struct segment_options options = plain;
        size_t count;
        uint64_t tried;
        options.pure = seed % 2;
        set_draw(&set, (uint64_t)seed + 1, 0.3, seed % 3 ? 0.3 : 0);
        size_t all = try_all(&set, options.pure, qualities);
        assert_true(segment_search(&set.data, &options, found, 10, &count, &tried, &fault));
        assert_int_equal(count, all < 10 ? all : 10);
        for (size_t i = 0; i < count; i++) {
            assert_true(fabs(found[i].quality - qualities[i]) < 1e-9);
        }
        tried_all += tried;
    }
    /* 24 conditions of 6 columns: 24 + 240 + 1,280 conjunctions. */
    assert_true(tried_all < (uint64_t)sets * 1544);
}

/* The lady who tastes tea: all four cups of eight, and three of them. */
static void the_test_is_fishers(void **state)
{
    (void)state;
    const struct segment_counts all = {8, 4};
    assert_true(fabs(segment_fisher(&all, &(struct segment_counts){4, 4}) - 1.0 / 70) < 1e-12);
    assert_true(fabs(segment_fisher(&all, &(struct segment_counts){4, 3}) - 17.0 / 70) < 1e-12);
    assert_true(fabs(segment_fisher(&all, &(struct segment_counts){4, 0}) - 1) < 1e-12);
}

static size_t confirmed(const struct segment_result *result)
{
    size_t count = 0;
    for (size_t i = 0; i < result->count; i++) {
        count += result->found[i].confirmed;
    }
    return count;
}

static void mine(struct set *set, struct segment_result *result)
{
    struct proto_fault fault = {0};
    assert_true(segment_mine(&set->data, &plain, result, &fault));
    assert_int_equal(result->searched.accounts + result->held.accounts, ROWS);
}

/* At most 5 % of sets: of 100 at most 11 with probability .9985 if it were 5 %. The control is the
 * test below, by the same hands. */
static void chance_alone_finds_none_but_rarely(void **state)
{
    (void)state;
    static struct set set;
    int sets = is_long() ? 200 : 25;
    int with = 0;
    for (int seed = 0; seed < sets; seed++) {
        struct segment_result result;
        set_draw(&set, 1000 + (uint64_t)seed, 0.3, 0);
        mine(&set, &result);
        with += confirmed(&result) > 0;
    }
    if (is_long()) {
        print_message("%d of %d sets of chance with a segment\n", with, sets);
    }
    assert_true(with <= (is_long() ? 10 : 4));
}

/* The two conditions together, and no third beside them. */
static void what_is_planted_is_found(void **state)
{
    (void)state;
    static struct set set;
    int sets = is_long() ? 100 : 10;
    int found = 0;
    for (int seed = 0; seed < sets; seed++) {
        struct segment_result result;
        set_draw(&set, 5000 + (uint64_t)seed, 0.2, 0.6);
        mine(&set, &result);
        for (size_t i = 0; i < result.count; i++) {
            const struct segment_found *segment = &result.found[i];
            found += segment->confirmed && segment->depth == 2 && segment->conditions[0] == 1 &&
                     segment->conditions[1] == BINS + 1;
        }
    }
    assert_true(found >= sets * 9 / 10);
}

static bool refuse(void *context, struct proto_fault *fault)
{
    (void)context;
    return proto_fault_set(fault, PROTO_CANCELLED, "", "cancelled");
}

static void it_ends_when_it_is_told_to(void **state)
{
    (void)state;
    static struct set set;
    struct segment_result result;
    struct proto_fault fault = {0};
    struct segment_options options = plain;
    options.goes_on = refuse;
    set_draw(&set, 1, 0.3, 0.3);
    assert_false(segment_mine(&set.data, &options, &result, &fault));
    assert_int_equal(fault.code, PROTO_CANCELLED);
}

/* Nobody, or everybody, had the outcome; a condition that is true of all. */
static void there_is_nothing_to_find(void **state)
{
    (void)state;
    static struct set set;
    struct segment_result result;
    for (int all = 0; all < 2; all++) {
        set_draw(&set, 1, 0.3, 0.3);
        for (size_t row = 0; row < ROWS; row++) {
            set.outcome[row] = all;
        }
        set_close(&set);
        mine(&set, &result);
        assert_int_equal(result.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_search_is_exact),
        cmocka_unit_test(the_test_is_fishers),
        cmocka_unit_test(chance_alone_finds_none_but_rarely),
        cmocka_unit_test(what_is_planted_is_found),
        cmocka_unit_test(it_ends_when_it_is_told_to),
        cmocka_unit_test(there_is_nothing_to_find),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
