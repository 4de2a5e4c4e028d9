/* SPDX-License-Identifier: Apache-2.0 */
/* Pairs by equal values and by names, against every two of them looked at; the order that they come
 * in; values that too many have. The control leaves one pair out and must be seen. Then which pairs
 * somebody called never, and which sheets are of pairs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tools/cli/match_pairs.h"
#include "tools/cli/stored_pairs.h"

enum { ACCOUNTS = 60, SAMES = 3, VALUES = 12, ROUNDS = 30 };

static uint32_t random_of(uint32_t *seed, uint32_t below)
{
    *seed = *seed * 1664525U + 1013904223U;
    return (*seed >> 8) % below;
}

/* What everybody has of each value; 0: none. */
struct base {
    uint32_t values[ACCOUNTS][SAMES];
    double scores[ACCOUNTS][ACCOUNTS];
};

static void base_make(struct base *base, uint32_t seed)
{
    memset(base, 0, sizeof *base);
    for (int i = 0; i < ACCOUNTS; i++) {
        for (int s = 0; s < SAMES; s++) {
            /* Of the last some have so many accounts that they pair nobody. */
            base->values[i][s] = random_of(&seed, s == SAMES - 1 ? 3 : VALUES * 3);
        }
        for (int j = 0; j < i; j++) {
            base->scores[j][i] = random_of(&seed, 10) == 0 ? (double)random_of(&seed, 11) / 10 : 0;
        }
    }
}

static uint32_t agree_of(const struct base *base, int a, int b)
{
    uint32_t agree = 0;
    for (int s = 0; s < SAMES; s++) {
        uint32_t value = base->values[a][s];
        int count = 0;
        for (int i = 0; i < ACCOUNTS; i++) {
            count += base->values[i][s] == value;
        }
        bool same = value != 0 && value == base->values[b][s] && count <= STORED_GROUP_MOST;
        agree |= same ? 1U << s : 0;
    }
    return agree;
}

static void pairs_find(const struct base *base, struct stored_pairs *pairs, char texts[][8])
{
    for (int s = 0; s < SAMES; s++) {
        struct stored_value values[ACCOUNTS];
        size_t count = 0;
        for (int i = 0; i < ACCOUNTS; i++) {
            if (base->values[i][s] != 0) {
                values[count++] = (struct stored_value){texts[base->values[i][s]], (uint32_t)i};
            }
        }
        assert_true(stored_pairs_group(pairs, values, count, (unsigned)s));
    }
    for (int i = 0; i < ACCOUNTS; i++) {
        for (int j = i + 1; j < ACCOUNTS; j++) {
            /* Each is found from both sides, and once with less. */
            for (int side = 0; base->scores[i][j] > 0 && side < 3; side++) {
                const struct stored_pair pair = {.a = (uint32_t)i,
                                                 .b = (uint32_t)j,
                                                 .score = base->scores[i][j] / (side == 1 ? 2 : 1),
                                                 .why = strdup(side == 1 ? "less" : "most")};
                assert_true(stored_pairs_add(pairs, &pair));
            }
        }
    }
    stored_pairs_join(pairs);
}

/* Pairs that are not there, are there though they should not be, or say something else. */
static int faults_of(const struct base *base, const struct stored_pairs *pairs)
{
    int faults = 0;
    size_t expected = 0;
    for (int i = 0; i < ACCOUNTS; i++) {
        for (int j = i + 1; j < ACCOUNTS; j++) {
            uint32_t agree = agree_of(base, i, j);
            const struct stored_pair *found = NULL;
            for (size_t p = 0; p < pairs->count; p++) {
                if ((int)pairs->list[p].a == i && (int)pairs->list[p].b == j) {
                    faults += found != NULL;
                    found = &pairs->list[p];
                }
            }
            bool wanted = agree != 0 || base->scores[i][j] > 0;
            expected += wanted;
            faults += wanted != (found != NULL);
            if (found == NULL) {
                continue;
            }
            const char *why = base->scores[i][j] > 0 ? "most" : NULL;
            bool reason = why == NULL ? found->why == NULL
                                      : found->why != NULL && strcmp(found->why, why) == 0;
            faults += found->agree != agree || found->score != base->scores[i][j] || !reason;
        }
    }
    return faults + (expected != pairs->count);
}

static double likeness(const struct stored_pair *pair)
{
    double sum = pair->score;
    for (int s = 0; s < SAMES; s++) {
        sum += pair->agree >> s & 1U;
    }
    return sum;
}

static void pairs_are_those_of_every_two_looked_at(void **state)
{
    (void)state;
    static struct base base;
    static char texts[VALUES * 3][8];
    size_t crowds = 0;
    for (int i = 0; i < VALUES * 3; i++) {
        snprintf(texts[i], sizeof texts[i], "v%d", i);
    }
    for (uint32_t round = 0; round < ROUNDS; round++) {
        struct stored_pairs pairs = {.count = 0};
        base_make(&base, round + 1);
        pairs_find(&base, &pairs, texts);
        if (faults_of(&base, &pairs) != 0) {
            fail_msg("seed %u: %d faults", round + 1, faults_of(&base, &pairs));
        }
        for (size_t i = 1; i < pairs.count; i++) {
            const struct stored_pair *x = &pairs.list[i - 1];
            const struct stored_pair *y = &pairs.list[i];
            bool first = x->a < y->a || (x->a == y->a && x->b < y->b);
            assert_true(likeness(x) > likeness(y) || (likeness(x) == likeness(y) && first));
        }
        crowds += pairs.crowds;
        free(pairs.list[--pairs.count].why); /* the control */
        assert_true(faults_of(&base, &pairs) > 0);
        stored_pairs_fini(&pairs);
    }
    assert_true(crowds > 0);
}

static void nothing_pairs_nobody(void **state)
{
    (void)state;
    struct stored_pairs pairs = {.count = 0};
    assert_true(stored_pairs_group(&pairs, NULL, 0, 0));
    stored_pairs_join(&pairs);
    assert_int_equal(pairs.count, 0);
    stored_pairs_fini(&pairs);
}

static void a_never_is_found_in_either_order(void **state)
{
    (void)state;
    static char first[] = "a\x1f"
                          "b";
    static char second[] = "a\x1f"
                           "bc";
    char *list[] = {first, second};
    const struct match_nevers nevers = {.list = list, .count = 2};
    const struct match_nevers nobody = {.count = 0};
    assert_true(match_nevers_has(&nevers, "a", "b"));
    assert_true(match_nevers_has(&nevers, "b", "a"));
    assert_true(match_nevers_has(&nevers, "bc", "a"));
    assert_false(match_nevers_has(&nevers, "ab", "c"));
    assert_false(match_nevers_has(&nevers, "a", "a"));
    assert_false(match_nevers_has(&nobody, "a", "b"));
}

static void a_sheet_of_pairs_is_told_from_one_of_rows(void **state)
{
    (void)state;
    static const char *const keys[] = {"account:a", "crm:account", ""};
    for (size_t i = 0; i < 3; i++) {
        struct sheet sheet = {.count = 0};
        const char *texts[SHEET_COLUMNS] = {"1", "A", keys[i], "maybe", "b", "B", "0.9", "x", ""};
        assert_false(match_pairs_are(&sheet));
        assert_true(sheet_add(&sheet, texts));
        assert_int_equal(match_pairs_are(&sheet), i == 0);
        sheet_fini(&sheet);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pairs_are_those_of_every_two_looked_at),
        cmocka_unit_test(nothing_pairs_nobody),
        cmocka_unit_test(a_never_is_found_in_either_order),
        cmocka_unit_test(a_sheet_of_pairs_is_told_from_one_of_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
