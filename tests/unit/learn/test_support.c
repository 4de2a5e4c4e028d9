/* SPDX-License-Identifier: Apache-2.0 */
/* Counts against a count by hand, there and back through JSON, and documents whose counts do not
 * fit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <string.h>

#include "server/learn/support.h"
#include "server/math/random.h"

enum { ROWS = 500, STRIDE = 64 };

static struct feature_column columns[2] = {{.bin_count = 5}, {.bin_count = 4}};
static const struct feature_codebook codebook = {
    .columns = columns, .column_count = 2, .row_bytes = STRIDE};
static uint8_t codes[ROWS * STRIDE];
static uint8_t labels[ROWS];
static struct model_scorecard *scorecard;

/* Two columns and their pair. */
static int setup(void **state)
{
    (void)state;
    struct proto_fault fault;
    struct math_random random;
    scorecard = model_create(3, 5 + 4 + 20);
    assert_non_null(scorecard);
    scorecard->terms[0] = (struct model_term){0, MODEL_NO_COLUMN, 5, 1, 0};
    scorecard->terms[1] = (struct model_term){1, MODEL_NO_COLUMN, 4, 1, 5};
    scorecard->terms[2] = (struct model_term){0, 1, 5, 4, 9};
    scorecard->calibration_count = 1;
    assert_true(model_seal(scorecard, &codebook, &fault));
    math_random_init(&random, 7);
    for (size_t i = 0; i < ROWS; i++) {
        codes[i * STRIDE] = (uint8_t)math_random_below(&random, 4); /* bin 4 is empty */
        codes[i * STRIDE + 1] = (uint8_t)math_random_below(&random, 4);
        labels[i] = math_random_below(&random, 3) == 0;
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    model_destroy(scorecard);
    return 0;
}

static void must_be_the_count_by_hand(const struct learn_support *support)
{
    for (unsigned a = 0; a < 5; a++) {
        for (unsigned b = 0; b < 4; b++) {
            uint32_t rows = 0;
            uint32_t won = 0;
            for (size_t i = 0; i < ROWS; i++) {
                bool here = codes[i * STRIDE] == a && codes[i * STRIDE + 1] == b;
                rows += here;
                won += here && labels[i];
            }
            assert_int_equal(support->rows[9 + a * 4 + b], rows);
            assert_int_equal(support->positives[9 + a * 4 + b], won);
        }
    }
    for (unsigned a = 0; a < 5; a++) {
        uint32_t rows = 0;
        for (unsigned b = 0; b < 4; b++) {
            rows += support->rows[9 + a * 4 + b];
        }
        assert_int_equal(support->rows[a], rows);
    }
    assert_int_equal(support->rows[4], 0);
}

static void what_is_counted_comes_back_from_the_document(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct learn_support *support =
        learn_support_count(scorecard, codes, STRIDE, labels, ROWS, &fault);
    assert_non_null(support);
    must_be_the_count_by_hand(support);
    json_t *json = learn_support_json(scorecard, support);
    assert_int_equal(json_array_size(json), 3);
    /* Of a pair only cells that hold rows. */
    assert_int_equal(json_array_size(json_object_get(json_array_get(json, 2), "cells")), 16);
    struct learn_support *again =
        learn_support_parse(json, scorecard, ROWS, support->positives_all, &fault);
    assert_non_null(again);
    assert_memory_equal(again->rows, support->rows, 29 * sizeof *again->rows);
    assert_memory_equal(again->positives, support->positives, 29 * sizeof *again->positives);
    assert_true(again->known[0] && again->known[1] && again->known[2]);
    learn_support_destroy(again);
    learn_support_destroy(support);
    json_decref(json);
}

static void a_term_that_is_not_named_is_not_known(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    json_t *json =
        json_loads("[{\"columns\":[1],\"n\":[1,2,3,4],\"positives\":[1,0,3,2]}]", 0, NULL);
    struct learn_support *support = learn_support_parse(json, scorecard, 10, 6, &fault);
    assert_non_null(support);
    assert_false(support->known[0] || support->known[2]);
    assert_true(support->known[1]);
    assert_int_equal(support->rows[5 + 3], 4);
    assert_int_equal(support->positives[5 + 3], 2);
    learn_support_destroy(support);
    json_decref(json);
}

static void counts_that_do_not_fit_are_refused_with_their_place(void **state)
{
    (void)state;
    static const struct {
        const char *text, *field;
    } cases[] = {
        {"[7]", "support[0]"},
        {"[{\"columns\":[1],\"n\":[1,2,3,4]}]", "support[0].positives"},
        {"[{\"columns\":[1],\"n\":[1,2,3],\"positives\":[0,0,0]}]", "support[0].n"},
        {"[{\"columns\":[1],\"n\":[1,2,3,4],\"positives\":[2,0,0,0]}]", "support[0].positives"},
        {"[{\"columns\":[1],\"n\":[1,2,-3,4],\"positives\":[0,0,0,0]}]", "support[0].n"},
        {"[{\"columns\":[1],\"n\":[1,2,3,4.5],\"positives\":[0,0,0,0]}]", "support[0].n"},
        {"[{\"columns\":[3],\"n\":[],\"positives\":[]}]", "support[0].columns"},
        {"[{\"columns\":[0,1],\"n\":[],\"positives\":[]}]", "support[0].cells"},
        {"[{\"columns\":[1],\"cells\":[0],\"n\":[1],\"positives\":[1]}]", "support[0].cells"},
        {"[{\"columns\":[0,1],\"cells\":[3,3],\"n\":[1,1],\"positives\":[1,1]}]",
         "support[0].cells"},
        {"[{\"columns\":[0,1],\"cells\":[20],\"n\":[1],\"positives\":[1]}]", "support[0].cells"},
        {"[{\"columns\":[1],\"rows\":4,\"n\":[1,2,3,4],\"positives\":[0,0,0,0]}]",
         "support[0].rows"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_fault fault = {0};
        json_t *json = json_loads(cases[i].text, 0, NULL);
        assert_non_null(json);
        assert_null(learn_support_parse(json, scorecard, 10, 5, &fault));
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
        assert_string_equal(fault.field, cases[i].field);
        json_decref(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_counted_comes_back_from_the_document),
        cmocka_unit_test(a_term_that_is_not_named_is_not_known),
        cmocka_unit_test(counts_that_do_not_fit_are_refused_with_their_place),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
