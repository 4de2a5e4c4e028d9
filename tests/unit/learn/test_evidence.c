/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>

#include "server/learn/evidence.h"

static struct feature_column column = {.bin_count = 4};
static const struct feature_codebook codebook = {
    .columns = &column, .column_count = 1, .row_bytes = 64};

/* One column of three values; p = 0.2, 0.5, 0.8. */
static struct model_scorecard *scorecard_make(void)
{
    struct model_scorecard *scorecard = model_create(1, 4);
    assert_non_null(scorecard);
    scorecard->terms[0] = (struct model_term){0, MODEL_NO_COLUMN, 4, 1, 0};
    for (int32_t i = 0; i < 3; i++) {
        scorecard->tables[1 + i] = (i - 1) * 1000000;
        scorecard->calibration_raw[i] = scorecard->tables[1 + i];
        scorecard->calibration_p[i] = 0.2 + 0.3 * i;
    }
    scorecard->calibration_count = 3;
    struct proto_fault fault;
    assert_true(model_seal(scorecard, &codebook, &fault));
    return scorecard;
}

/* The worked example of docs/methods/evidence.md: of ten rows each at 0.2, 0.5 and 0.8, two, five
 * and eight win. AUC = (8·(8 + ½·2) + … ) by counting pairs: 0.78; perfectly calibrated. */
static void figures_match_the_example_done_by_hand(void **state)
{
    (void)state;
    uint8_t codes[30 * 64] = {0};
    uint8_t labels[30];
    for (size_t i = 0; i < 30; i++) {
        size_t level = i / 10;
        codes[i * 64] = (uint8_t)(1 + level);
        labels[i] = i % 10 < 2 + 3 * level;
    }
    struct model_scorecard *scorecard = scorecard_make();
    struct learn_evidence e;
    struct proto_fault fault;
    assert_true(learn_evidence_measure(scorecard, codes, 64, labels, 30, NULL, 0, &e, &fault));
    /* Pairs won: 8 of 0.8 beat 8 + 5 and tie 2; 5 of 0.5 beat 8 and tie 5; 2 of 0.2 tie 8. */
    double pairs = 8 * (13 + 0.5 * 2) + 5 * (8 + 0.5 * 5) + 2 * (0.5 * 8);
    assert_true(fabs(e.auc.auc - pairs / 225.0) < 1e-15);
    assert_true(fabs(e.auc.auc - 0.766667) < 1e-6);
    assert_true(fabs(e.brier - (0.16 + 0.25 + 0.16) / 3.0) < 1e-12);
    assert_true(e.brier_reference == 0.25);
    assert_true(e.ece < 1e-12);
    assert_true(fabs(e.lift_top_decile - 1.6) < 1e-12);
    assert_true(fabs(e.ks - (8.0 / 15.0 - 2.0 / 15.0)) < 1e-12);
    assert_int_equal(e.reliability[2].rows, 10);
    assert_int_equal(e.reliability[2].positives, 2);
    assert_true(e.reliability[2].low < 0.2 && e.reliability[2].high > 0.2);
    assert_int_equal(e.reliability[0].rows, 0);
    model_destroy(scorecard);
}

static void evidence_needs_both_intervals_above_one_half(void **state)
{
    (void)state;
    struct learn_evidence e = {.auc = {.low = 0.51}, .out_of_fold = {.low = 0.51}};
    assert_true(learn_evidence_holds(&e));
    e.auc.low = 0.5;
    assert_false(learn_evidence_holds(&e));
    e.auc.low = 0.51;
    e.out_of_fold.low = 0.49;
    assert_false(learn_evidence_holds(&e));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(figures_match_the_example_done_by_hand),
        cmocka_unit_test(evidence_needs_both_intervals_above_one_half),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
