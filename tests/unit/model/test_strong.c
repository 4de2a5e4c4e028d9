/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "server/math/random.h"
#include "server/model/scorecard.h"

#define COLUMNS ((size_t)320)

/* Contributions of several kinds: wide, small with many ties, mostly zero, one sign only, and the
 * extremes of the range. */
static int32_t contribution_draw(struct math_random *random, unsigned kind)
{
    int32_t wide = (int32_t)math_random_below(random, 2000001) - 1000000;
    switch (kind) {
    case 0:
        return wide;
    case 1:
        return wide % 3;
    case 2:
        return math_random_below(random, 30) == 0 ? wide : 0;
    case 3:
        return wide < 0 ? wide : -wide;
    case 4:
        return wide < 0 ? -wide : wide;
    default:
        return wide < 0 ? -MODEL_ENTRY_MAX : MODEL_ENTRY_MAX;
    }
}

/* Whether fewer than `most` entries of its sign come before it. */
static bool is_among(const int32_t *entries, size_t count, size_t place, unsigned most)
{
    int64_t own = entries[place];
    unsigned before = 0;
    for (size_t i = 0; i < count; i++) {
        int64_t other = entries[i];
        bool same_sign = own < 0 ? other < 0 : other > 0;
        bool larger = own < 0 ? other < own : other > own;
        before += same_sign && (larger || (other == own && i < place));
    }
    return own != 0 && before < most;
}

static void every_kernel_spreads_alike_and_marks_all_that_are_among_the_strongest(void **state)
{
    (void)state;
    size_t kernels;
    const struct model_strong_kernel *const *all = model_strong_kernels(&kernels);
    struct math_random random;
    math_random_init(&random, 3);
    int32_t *tables = calloc(COLUMNS * 4 + 256, sizeof *tables);
    uint32_t offsets[COLUMNS];
    int32_t entries[COLUMNS];
    uint16_t marks[COLUMNS / MODEL_STRONG_STEP];
    for (size_t c = 0; c < COLUMNS; c++) {
        offsets[c] = (uint32_t)(4 * c);
    }
    for (unsigned kind = 0; kind < 6; kind++) {
        for (size_t columns = 16; columns <= COLUMNS; columns += 16) {
            uint8_t *row = malloc(columns); /* of its very size: a sanitizer sees what is beyond */
            int64_t sum = 0;
            for (size_t i = 0; i < 4 * COLUMNS; i++) {
                tables[i] = contribution_draw(&random, kind);
            }
            for (size_t c = 0; c < columns; c++) {
                row[c] = (uint8_t)math_random_below(&random, 4);
                sum += tables[4 * c + row[c]];
            }
            for (size_t k = 0; k < kernels; k++) {
                memset(entries, 0x55, sizeof entries);
                assert_int_equal(all[k]->spread(tables, offsets, columns, row, entries), sum);
                for (size_t c = 0; c < columns; c++) {
                    assert_int_equal(entries[c], tables[4 * c + row[c]]);
                }
                for (unsigned most = 1; most <= MODEL_STRONG_MOST + 1; most++) {
                    all[k]->mark(entries, columns, most, marks);
                    for (size_t c = 0; c < columns; c++) {
                        bool marked = (marks[c / 16] >> c % 16 & 1) != 0;
                        assert_true(marked || !is_among(entries, columns, c, most));
                        assert_false(marked && entries[c] == 0);
                    }
                }
            }
            free(row);
        }
    }
    free(tables);
}

/* Few marks are the point of it: marking all would pass the test above. */
static void of_eighty_columns_few_are_marked(void **state)
{
    (void)state;
    size_t kernels;
    const struct model_strong_kernel *const *all = model_strong_kernels(&kernels);
    struct math_random random;
    math_random_init(&random, 4);
    for (size_t k = 0; k < kernels; k++) {
        size_t marked = 0;
        for (unsigned round = 0; round < 200; round++) {
            int32_t entries[80];
            uint16_t marks[5];
            for (size_t c = 0; c < 80; c++) {
                entries[c] = contribution_draw(&random, 0);
            }
            all[k]->mark(entries, 80, 3, marks);
            for (size_t step = 0; step < 5; step++) {
                marked += (size_t)__builtin_popcount(marks[step]);
            }
        }
        assert_true(marked < 200 * 12); /* 6 are wanted */
    }
}

static struct model_scorecard *scorecard_make(const struct feature_codebook *codebook, size_t step,
                                              size_t pairs, struct math_random *random,
                                              unsigned kind)
{
    size_t singles = (codebook->column_count + step - 1) / step;
    size_t entries = 0;
    for (size_t c = 0; c < codebook->column_count; c += step) {
        entries += codebook->columns[c].bin_count;
    }
    for (size_t p = 0; p < pairs; p++) {
        entries += (size_t)codebook->columns[p].bin_count * codebook->columns[p + 1].bin_count;
    }
    struct model_scorecard *scorecard = model_create(singles + pairs, entries);
    uint32_t offset = 0;
    for (size_t t = 0; t < singles + pairs; t++) {
        struct model_term *term = &scorecard->terms[t];
        bool pair = t >= singles;
        term->column_a = (uint16_t)(pair ? t - singles : t * step);
        term->column_b = pair ? (uint16_t)(term->column_a + 1) : MODEL_NO_COLUMN;
        term->bins_a = (uint16_t)codebook->columns[term->column_a].bin_count;
        term->bins_b = pair ? (uint16_t)codebook->columns[term->column_b].bin_count : 1;
        term->table_offset = offset;
        offset += (uint32_t)term->bins_a * term->bins_b;
    }
    for (size_t e = 0; e < entries; e++) {
        scorecard->tables[e] = contribution_draw(random, kind);
    }
    scorecard->intercept = -12345;
    scorecard->calibration_count = 1;
    struct proto_fault fault;
    assert_true(model_seal(scorecard, codebook, &fault));
    return scorecard;
}

/* Against sorting everything. */
static void strongest_check(const struct model_scorecard *scorecard, const uint8_t *row,
                            unsigned most)
{
    size_t terms = scorecard->term_count;
    size_t room = model_strong_room(scorecard);
    int32_t *contributions = malloc(terms * sizeof *contributions);
    struct model_strong_scratch scratch = {malloc(room * sizeof(int32_t)),
                                           malloc(room * sizeof(uint16_t)),
                                           malloc(room * sizeof(uint64_t))};
    size_t parts_max = 2 * (size_t)most < terms ? 2 * (size_t)most : terms;
    struct model_part *parts = malloc((parts_max + 1) * sizeof *parts);
    int64_t raw;
    model_contributions(scorecard, row, contributions);
    size_t count = model_strongest(scorecard, row, most, &scratch, parts, &raw);
    assert_int_equal(raw, model_raw(scorecard, row));
    size_t wanted = 0;
    for (size_t t = 0; t < terms; t++) {
        wanted += is_among(contributions, terms, t, most);
    }
    assert_int_equal(count, wanted);
    size_t before = 0;
    for (size_t i = 0; i < count; i++) {
        size_t t = 0;
        while (t < terms && (scorecard->terms[t].column_a != parts[i].column_a ||
                             scorecard->terms[t].column_b != parts[i].column_b)) {
            t++;
        }
        assert_true(t < terms);
        assert_int_equal(parts[i].contribution, contributions[t]);
        assert_int_equal(parts[i].contribution, scorecard->tables[parts[i].entry]);
        assert_true(is_among(contributions, terms, t, most));
        if (i > 0) {
            int32_t last = abs(parts[i - 1].contribution);
            assert_true(last > abs(parts[i].contribution) ||
                        (last == abs(parts[i].contribution) && before < t));
        }
        before = t;
    }
    free(parts);
    free(scratch.entries);
    free(scratch.marks);
    free(scratch.keys);
    free(contributions);
}

static void the_strongest_are_those_of_a_full_sort_in_its_order(void **state)
{
    (void)state;
    static struct feature_column columns[300];
    struct feature_codebook codebook = {.columns = columns, .column_count = 300, .row_bytes = 320};
    struct math_random random;
    math_random_init(&random, 5);
    for (size_t c = 0; c < 300; c++) {
        columns[c].bin_count = (unsigned)(2 + c % 5);
    }
    const size_t steps[] = {1, 3, 60}; /* 60: too sparse for a walk */
    for (unsigned round = 0; round < 3 * 6 * 3; round++) {
        struct model_scorecard *scorecard =
            scorecard_make(&codebook, steps[round % 3], round / 3 % 3 * 9, &random, round / 9);
        for (unsigned i = 0; i < 4; i++) {
            uint8_t row[320] = {0};
            for (size_t c = 0; c < 300; c++) {
                row[c] = (uint8_t)math_random_below(&random, columns[c].bin_count);
            }
            const unsigned mosts[] = {1, 3, 8, 9, 40, 5000};
            for (size_t m = 0; m < 6; m++) {
                strongest_check(scorecard, row, mosts[m]);
            }
        }
        model_destroy(scorecard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_spreads_alike_and_marks_all_that_are_among_the_strongest),
        cmocka_unit_test(of_eighty_columns_few_are_marked),
        cmocka_unit_test(the_strongest_are_those_of_a_full_sort_in_its_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
