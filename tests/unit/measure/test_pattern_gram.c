/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns of a sequence beside all ways of choosing its places, and which is a part of which. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>

#include "server/math/random.h"
#include "server/measure/pattern_parts.h"

static struct proto_fault fault;

enum { NAMES = 6, LONG = 12 };

/* Whether a sequence has a pattern, by trying every place. */
static bool has(const uint16_t *steps, size_t count, const struct measure_grams *grams,
                const struct measure_gram *gram, unsigned *times)
{
    *times = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = i; j < count; j++) {
            for (size_t k = j; k < count; k++) {
                const size_t at[3] = {i, j, k};
                bool fits = gram->length == 1   ? j == i && k == i
                            : gram->length == 2 ? j > i && k == j
                                                : j > i && k > j;
                for (unsigned s = 0; s < gram->length && fits; s++) {
                    fits = grams->named[gram->steps[s]] == steps[at[s]] &&
                           (gram->gapped || s == 0 || at[s] == at[s - 1] + 1);
                }
                *times += fits;
            }
        }
    }
    return *times > 0;
}

static struct measure_pattern_options usual(void)
{
    return (struct measure_pattern_options){
        .first = LONG, .longest = 3, .adjacent = true, .gapped = true, .least = 1, .top = 10};
}

static void patterns_are_those_of_all_places(void **state)
{
    (void)state;
    struct math_random random;
    struct measure_patterns patterns = {.options = usual()};
    struct measure_grams grams;
    uint16_t steps[200][LONG];
    size_t counts[200];
    unsigned seen = 0;
    math_random_init(&random, 5);
    for (int c = 0; c < 200; c++) {
        counts[c] = math_random_below(&random, LONG + 1);
        for (size_t i = 0; i < counts[c]; i++) {
            steps[c][i] = (uint16_t)(100 + math_random_below(&random, NAMES));
        }
        assert_true(measure_patterns_sequence(&patterns, steps[c], counts[c], c, false, &fault));
    }
    assert_true(measure_grams_make(&patterns, &grams, &fault));
    assert_int_equal(grams.seen, NAMES);
    for (int c = 0; c < 200; c++) {
        uint64_t *before = calloc(grams.total, sizeof *before);
        memcpy(before, grams.times, grams.total * sizeof *before);
        measure_grams_of(&grams, steps[c], counts[c]);
        for (uint32_t p = 0; p < grams.total; p++) {
            struct measure_gram gram = measure_gram_read(&grams, p);
            unsigned times = 0;
            bool there = has(steps[c], counts[c], &grams, &gram, &times);
            assert_int_equal(measure_gram_number(&grams, &gram), p);
            assert_int_equal(grams.mark[p] == grams.run, there);
            assert_int_equal(grams.times[p] - before[p], gram.gapped ? 0 : times);
            seen += there;
        }
        seen -= grams.found_count; /* each is in the list, once */
        free(before);
    }
    assert_int_equal(seen, 0);
    measure_grams_fini(&grams);
    measure_patterns_fini(&patterns);
}

/* Names beyond the most frequent take their places and make no pattern. */
static void rare_steps_part_what_is_beside_them(void **state)
{
    (void)state;
    struct measure_patterns patterns = {.options = usual()};
    struct measure_grams grams;
    for (uint16_t n = 0; n < MEASURE_STEPS_SEEN + 3; n++) {
        for (int times = 0; times < 3 - (n >= MEASURE_STEPS_SEEN); times++) {
            assert_true(measure_patterns_sequence(&patterns, &n, 1, 0, false, &fault));
        }
    }
    assert_true(measure_grams_make(&patterns, &grams, &fault));
    assert_int_equal(grams.seen, MEASURE_STEPS_SEEN);
    const uint16_t steps[] = {0, MEASURE_STEPS_SEEN + 1, 1};
    measure_grams_of(&grams, steps, 3);
    assert_int_equal(grams.found_count, 3); /* 0; 1; 0 … 1 */
    assert_true(measure_gram_read(&grams, grams.found[2]).gapped);
    measure_grams_fini(&grams);
    measure_patterns_fini(&patterns);
}

static struct measure_gram gram_of(const char *text, bool gapped)
{
    struct measure_gram gram = {.length = (unsigned)strlen(text), .gapped = gapped};
    memcpy(gram.steps, text, gram.length);
    return gram;
}

static void a_part_is_had_by_whoever_has_the_whole(void **state)
{
    (void)state;
    static const struct {
        const char *part;
        bool part_gapped;
        const char *whole;
        bool whole_gapped, within;
    } cases[] = {
        {"a", false, "ab", false, true},   {"a", false, "ab", true, true},
        {"c", false, "ab", true, false},   {"ab", true, "ab", false, true},
        {"ab", false, "ab", true, false},  {"ab", true, "ab", true, false},
        {"ab", false, "ab", false, false}, {"ab", false, "abc", false, true},
        {"bc", false, "abc", false, true}, {"ac", false, "abc", false, false},
        {"ac", true, "abc", false, true},  {"ab", false, "abc", true, false},
        {"bc", true, "abc", true, true},   {"ca", true, "abc", true, false},
        {"abc", true, "abc", false, true}, {"abc", false, "ab", false, false},
        {"ab", false, "aab", false, true}, {"aa", false, "aba", false, false},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct measure_gram part = gram_of(cases[i].part, cases[i].part_gapped);
        struct measure_gram whole = gram_of(cases[i].whole, cases[i].whole_gapped);
        assert_int_equal(measure_gram_within(&part, &whole), cases[i].within);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(patterns_are_those_of_all_places),
        cmocka_unit_test(rare_steps_part_what_is_beside_them),
        cmocka_unit_test(a_part_is_had_by_whoever_has_the_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
