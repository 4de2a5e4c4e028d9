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
#define BINS ((size_t)200)

static void every_kernel_equals_the_plain_sum(void **state)
{
    (void)state;
    size_t count;
    const struct model_kernel *const *kernels = model_kernels(&count);
    struct math_random random;
    math_random_init(&random, 2);
    int32_t *tables = calloc(COLUMNS * BINS + 256, sizeof *tables);
    uint32_t offsets[COLUMNS];
    for (size_t i = 0; i < COLUMNS * BINS; i++) {
        /* The extremes included: the sum needs more than 32 bits. */
        tables[i] = (int32_t)math_random_below(&random, (UINT64_C(1) << 31) + 1) - (1 << 30);
    }
    for (size_t c = 0; c < COLUMNS; c++) {
        offsets[c] = (uint32_t)(c % 7 == 3 ? COLUMNS * BINS : c * BINS);
    }
    for (size_t columns = 0; columns <= COLUMNS; columns += MODEL_DENSE_STEP) {
        /* The row is a block of its very size, so that a sanitizer sees a read past its end. */
        uint8_t *row = malloc(columns + 1);
        int64_t wanted = 0;
        for (size_t c = 0; c < columns; c++) {
            row[c] = (uint8_t)math_random_below(&random, BINS);
            wanted += tables[offsets[c] + row[c]];
        }
        for (size_t k = 0; k < count; k++) {
            assert_int_equal(kernels[k]->sum(tables, offsets, columns, row), wanted);
        }
        free(row);
    }
    for (size_t k = 0; k < 3; k++) {
        print_message("%s\n", k < count ? kernels[k]->name : "a kernel is not supported here");
    }
    free(tables);
}

/* Models that use all, some and hardly any of the columns give what their contributions add up to.
 */
static void raw_equals_the_contributions_whatever_the_plan(void **state)
{
    (void)state;
    static struct feature_column columns[300];
    struct feature_codebook codebook = {.columns = columns, .column_count = 300, .row_bytes = 320};
    for (size_t c = 0; c < 300; c++) {
        columns[c].bin_count = (unsigned)(2 + c % 5);
    }
    const size_t steps[] = {1, 3, 60};
    for (size_t s = 0; s < 3; s++) {
        size_t entries = 0;
        size_t terms = 0;
        for (size_t c = 0; c < 300; c += steps[s]) {
            entries += columns[c].bin_count;
            terms++;
        }
        struct model_scorecard *scorecard = model_create(terms, entries);
        struct math_random random;
        struct proto_fault fault;
        math_random_init(&random, s);
        size_t offset = 0;
        for (size_t t = 0; t < terms; t++) {
            uint16_t column = (uint16_t)(t * steps[s]);
            uint16_t bins = (uint16_t)columns[column].bin_count;
            scorecard->terms[t] =
                (struct model_term){column, MODEL_NO_COLUMN, bins, 1, (uint32_t)offset};
            offset += bins;
        }
        for (size_t e = 0; e < entries; e++) {
            scorecard->tables[e] = (int32_t)math_random_below(&random, 2000001) - 1000000;
        }
        scorecard->calibration_count = 1;
        assert_true(model_seal(scorecard, &codebook, &fault));
        assert_true((scorecard->walked == 0) == (steps[s] == 60));
        for (size_t i = 0; i < 50; i++) {
            uint8_t row[320] = {0};
            int32_t parts[300];
            for (size_t c = 0; c < 300; c++) {
                row[c] = (uint8_t)math_random_below(&random, columns[c].bin_count);
            }
            model_contributions(scorecard, row, parts);
            int64_t sum = scorecard->intercept;
            for (size_t t = 0; t < terms; t++) {
                sum += parts[t];
            }
            assert_int_equal(model_raw(scorecard, row), sum);
        }
        model_destroy(scorecard);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kernel_equals_the_plain_sum),
        cmocka_unit_test(raw_equals_the_contributions_whatever_the_plan),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
