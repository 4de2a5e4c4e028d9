/* SPDX-License-Identifier: Apache-2.0 */
/* Values learned from a grid in which two columns multiply them and one does nothing, and the value
 * scorecard as a document has it: what it says, and what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/value_card.h"
#include "server/learn/value_fit.h"
#include "server/math/random.h"

enum { ROWS = 600, FOLDS = 5 };

static double normal(struct math_random *random)
{
    double sum = 0;
    for (int i = 0; i < 12; i++) {
        sum += (double)math_random_below(random, 1000001) / 1e6;
    }
    return sum - 6;
}

struct planted {
    struct learn_grid *grid;
    double values[ROWS];
    uint8_t folds[ROWS];
};

/* Column 0 has 3 categories, the last worth three times as much; column 1 is a number of 10 bins,
 * the upper half worth twice as much; column 2 does nothing. */
static void plant(struct planted *planted, double factor, double half)
{
    static const uint16_t bins[] = {4, 11, 6};
    struct math_random random;
    math_random_init(&random, 11);
    planted->grid = learn_grid_create(ROWS, 3);
    assert_non_null(planted->grid);
    for (size_t c = 0; c < 3; c++) {
        planted->grid->bins[c] = bins[c];
        planted->grid->ordered[c] = c == 1;
    }
    for (size_t i = 0; i < ROWS; i++) {
        uint8_t *codes = planted->grid->codes;
        codes[i] = (uint8_t)(1 + math_random_below(&random, 3));
        codes[ROWS + i] = (uint8_t)(1 + math_random_below(&random, 10));
        codes[2 * ROWS + i] = (uint8_t)(1 + math_random_below(&random, 5));
        planted->values[i] = 1000 * (codes[i] == 3 ? factor : 1) *
                             (codes[ROWS + i] > 5 ? half : 1) * exp(0.3 * normal(&random));
        planted->folds[i] = (uint8_t)(i % FOLDS);
    }
}

static double entry(const struct learn_value_fit *fit, size_t column, size_t bin)
{
    return fit->tables[fit->offsets[column] + bin];
}

static void planted_effects_come_back(void **state)
{
    (void)state;
    struct planted planted;
    struct learn_value_fit fit;
    struct proto_fault fault = {0};
    double said = 0;
    double was = 0;
    plant(&planted, 3, 2);
    assert_true(
        learn_value_fit_run(planted.grid, planted.values, planted.folds, FOLDS, &fit, &fault));
    double category = entry(&fit, 0, 3) - (entry(&fit, 0, 1) + entry(&fit, 0, 2)) / 2;
    double number = entry(&fit, 1, 9) - entry(&fit, 1, 2);
    assert_true(fabs(category - log(3)) < 0.15);
    assert_true(fabs(number - log(2)) < 0.15);
    for (size_t b = 1; b <= 5; b++) {
        assert_true(fabs(entry(&fit, 2, b)) < 0.1);
    }
    for (size_t i = 0; i < ROWS; i++) {
        said += exp(fit.out_of_fold[i]);
        was += planted.values[i];
    }
    assert_true(fabs(said / was - 1) < 1e-9);
    learn_value_fit_fini(&fit);
    learn_grid_destroy(planted.grid);
}

/* The control: where nothing multiplies them, hardly anything is said. */
static void noise_gives_the_mean(void **state)
{
    (void)state;
    struct planted planted;
    struct learn_value_fit fit;
    struct proto_fault fault = {0};
    plant(&planted, 1, 1);
    assert_true(
        learn_value_fit_run(planted.grid, planted.values, planted.folds, FOLDS, &fit, &fault));
    for (size_t i = 0; i < fit.offsets[3]; i++) {
        assert_true(fabs(fit.tables[i]) < 0.1);
    }
    learn_value_fit_fini(&fit);
    learn_grid_destroy(planted.grid);
}

static void deviance_is_none_where_it_was_said(void **state)
{
    (void)state;
    assert_true(learn_value_deviance(5, log(5)) < 1e-12);
    assert_true(fabs(learn_value_deviance(10, log(5)) - 2 * (1 - log(2))) < 1e-12);
}

static struct feature_codebook *codebook;

static int setup(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    static const char schema_text[] = "{\"fields\":[{\"name\":\"trial\",\"type\":\"flag\"},"
                                      "{\"name\":\"paid\",\"type\":\"flag\"}]}";
    struct feature_schema *schema =
        feature_schema_parse(proto_span_text(schema_text), 1, NULL, &fault);
    assert_non_null(schema);
    const struct feature_sample none = {.rows = 0};
    codebook = feature_codebook_build(schema, &none, NULL, &fault);
    feature_schema_release(schema);
    return codebook ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    feature_codebook_destroy(codebook);
    return 0;
}

#define CARD                                                                                       \
    "{\"field\":\"arr\",\"n\":50,\"mean\":900.0,\"intercept\":6907755,\"ratio_low\":0.5,"          \
    "\"ratio_high\":2.0,\"terms\":[{\"column\":1,\"points\":[0,0,693147]}],\"evidence\":{}}"

static struct learn_value *card_of(const char *text, struct proto_fault *fault)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    struct learn_value *value = learn_value_parse(json, codebook, fault);
    json_decref(json);
    return value;
}

static void a_card_says_what_its_points_add_up_to(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct learn_value *value = card_of(CARD, &fault);
    assert_non_null(value);
    assert_true(fabs(learn_value_of(value, (const uint8_t[]){2, 1}) - 1000) < 0.01);
    assert_true(fabs(learn_value_of(value, (const uint8_t[]){0, 2}) - 2000) < 0.01);
    assert_string_equal(value->field, "arr");
    learn_value_destroy(value);
}

static void what_is_no_card_is_refused_by_its_path(void **state)
{
    (void)state;
    static const struct {
        const char *from, *to, *field;
    } slips[] = {
        {"\"n\":50", "\"m\":50", "m"},
        {"\"field\":\"arr\"", "\"field\":7", "field"},
        {"6907755", "6907755.5", "intercept"},
        {"6907755", "1000000000", "intercept"},
        {"\"ratio_high\":2.0", "\"ratio_high\":0.1", "ratio_low"},
        {"\"column\":1", "\"column\":2", "terms[0].column"},
        {"[0,0,693147]", "[0,693147]", "terms[0].points"},
        {"[0,0,693147]", "[0,0,1.5]", "terms[0].points"},
        {"{\"column\":1,", "{\"column\":1,\"x\":1,", "terms[0].x"},
    };
    for (size_t i = 0; i < sizeof slips / sizeof *slips; i++) {
        char text[600];
        const char *at = strstr(CARD, slips[i].from);
        struct proto_fault fault = {0};
        assert_non_null(at);
        (void)snprintf(text, sizeof text, "%.*s%s%s", (int)(at - CARD), CARD, slips[i].to,
                       at + strlen(slips[i].from));
        assert_null(card_of(text, &fault));
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
        assert_string_equal(fault.field, slips[i].field);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(planted_effects_come_back),
        cmocka_unit_test(noise_gives_the_mean),
        cmocka_unit_test(deviance_is_none_where_it_was_said),
        cmocka_unit_test(a_card_says_what_its_points_add_up_to),
        cmocka_unit_test(what_is_no_card_is_refused_by_its_path),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
