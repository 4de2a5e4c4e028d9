/* SPDX-License-Identifier: Apache-2.0 */
/* A tree of one split, x > 1 is +2 and else −1, completed by a hundred rows. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/adopt.h"

#define ROWS 100

static const char schema_text[] = "{\"fields\":[{\"name\":\"x\",\"type\":\"number\"}]}";

struct adopted {
    struct feature_schema *schema;
    struct learn_document *draft;
    uint8_t codes[ROWS * 64];
    uint8_t labels[ROWS];
    struct learn_adopt adopt;
    struct proto_fault fault;
};

static char *draft_print(const char *link)
{
    static const char form[] =
        "{\"format\":1,\"name\":\"theirs\",\"created\":\"\",\"schema\":1,"
        "\"label\":{\"expression\":\"\",\"where\":\"\",\"population\":0,\"positives\":0,"
        "\"base_rate\":0.0},\"settings\":{\"trainer\":\"xgboost\"},\"evidence\":{\"holdout\":"
        "{\"split\":\"none\",\"n\":0,\"positives\":0,\"auc\":0.5,\"auc_low\":0.0,\"auc_high\":1.0,"
        "\"brier\":0.0,\"brier_reference\":0.0,\"log_loss\":0.0,\"ece\":0.0,\"ks\":0.0,"
        "\"lift_top_decile\":0.0},\"fields\":[],\"refused\":[],\"warnings\":[]},"
        "\"codebook\":{\"columns\":[{\"field\":\"x\",\"type\":\"number\",\"edges\":[1.0]}]},"
        "\"scorecard\":{\"intercept\":500000,\"terms\":[],\"calibration\":{\"raw\":[0],\"p\":[0.5]}"
        ","
        "\"reference\":[%s],\"grades\":{\"A\":90.0,\"B\":70.0,\"C\":40.0},\"trees\":{\"base\":0,"
        "\"link\":\"%s\",\"sets\":[],\"trees\":[{\"column\":[0,-1,-1],\"upto\":[1,0,0],"
        "\"missing\":[1,0,0],\"right\":[2,0,0],\"share\":[500000000,0,0],"
        "\"value\":[0,-1000000000,2000000000]}]}}}";
    char *points = calloc(MODEL_REFERENCE_POINTS, 2);
    assert_non_null(points);
    for (size_t i = 0; i + 1 < MODEL_REFERENCE_POINTS; i++) {
        memcpy(points + 2 * i, "0,", 2);
    }
    points[2 * (MODEL_REFERENCE_POINTS - 1)] = '0';
    char *text = NULL;
    assert_true(asprintf(&text, form, points, link) > 0);
    free(points);
    return text;
}

/* Rows 0 … 59 have x ≤ 1, the others x > 1; every tenth and every second have the outcome. */
static void adopted_open(struct adopted *adopted, const char *link)
{
    char *text = draft_print(link);
    memset(adopted, 0, sizeof *adopted);
    adopted->schema = feature_schema_parse(proto_span_text(schema_text), 1, NULL, &adopted->fault);
    assert_non_null(adopted->schema);
    adopted->draft =
        learn_document_parse(proto_span_text(text), 0, adopted->schema, &adopted->fault);
    if (adopted->draft == NULL) {
        fail_msg("%s: %s", adopted->fault.field, adopted->fault.message);
    }
    free(text);
    for (size_t i = 0; i < ROWS; i++) {
        adopted->codes[i * 64] = i < 60 ? 1 : 2;
        adopted->labels[i] = i < 60 ? i % 10 == 0 : i % 2 == 0;
    }
    adopted->adopt = (struct learn_adopt){.codes = adopted->codes,
                                          .labels = adopted->labels,
                                          .rows = ROWS,
                                          .label_text = "won = 1",
                                          .where_text = "",
                                          .created = "2026-11-29T10:00:00Z"};
}

static void adopted_close(struct adopted *adopted)
{
    learn_document_release(adopted->draft);
    feature_schema_release(adopted->schema);
}

/* The completed document, which must be one. */
static struct learn_document *adopted_take(struct adopted *adopted)
{
    char *text = learn_adopt_print(adopted->draft, &adopted->adopt, &adopted->fault);
    if (text == NULL) {
        fail_msg("%s: %s", adopted->fault.field, adopted->fault.message);
    }
    struct learn_document *document =
        learn_document_parse(proto_span_text(text), 1, adopted->schema, &adopted->fault);
    assert_non_null(document);
    free(text);
    return document;
}

static void fit_is_by_the_rows_and_evidence_by_their_outcomes(void **state)
{
    (void)state;
    struct adopted adopted;
    adopted_open(&adopted, "logistic");
    struct learn_document *document = adopted_take(&adopted);
    const struct model_scorecard *scorecard = document->scorecard;
    const json_t *evidence = json_object_get(document->json, "evidence");
    const json_t *holdout = json_object_get(evidence, "holdout");
    assert_int_equal(scorecard->reference[0], -1000000);
    assert_int_equal(scorecard->reference[MODEL_REFERENCE_POINTS - 1], 2000000);
    assert_true(fabs(model_p(scorecard, 2000000) - 1 / (1 + exp(-2.0))) < 1e-12);
    /* Of 26 · 74 pairs, 20 · 54 stand right and 20 · 20 + 6 · 54 are ties. */
    double auc = (20.0 * 54 + (20.0 * 20 + 6.0 * 54) / 2) / (26.0 * 74);
    assert_true(fabs(json_number_value(json_object_get(holdout, "auc")) - auc) < 1e-12);
    assert_string_equal(json_string_value(json_object_get(holdout, "split")), "imported");
    const json_t *field = json_array_get(json_object_get(evidence, "fields"), 0);
    assert_true(fabs(json_number_value(json_object_get(field, "importance")) - 1.5) < 1e-9);
    assert_non_null(document->support);
    assert_int_equal(document->support->rows[1], 60);
    assert_int_equal(document->support->positives[2], 20);
    learn_document_release(document);
    adopted_close(&adopted);
}

static void without_an_outcome_nothing_is_claimed(void **state)
{
    (void)state;
    struct adopted adopted;
    adopted_open(&adopted, "logistic");
    adopted.adopt.labels = NULL;
    adopted.adopt.label_text = "";
    struct learn_document *document = adopted_take(&adopted);
    const json_t *evidence = json_object_get(document->json, "evidence");
    assert_int_equal(json_integer_value(json_object_get(json_object_get(evidence, "holdout"), "n")),
                     0);
    assert_non_null(strstr(
        json_string_value(json_array_get(json_object_get(evidence, "warnings"), 0)), "not known"));
    assert_null(document->support);
    learn_document_release(document);
    adopted_close(&adopted);
}

static void a_margin_becomes_a_chance_by_the_outcomes(void **state)
{
    (void)state;
    struct adopted adopted;
    adopted_open(&adopted, "none");
    struct learn_document *document = adopted_take(&adopted);
    assert_true(fabs(model_p(document->scorecard, -1000000) - 0.1) < 0.02);
    assert_true(fabs(model_p(document->scorecard, 2000000) - 0.5) < 0.02);
    learn_document_release(document);
    adopted_close(&adopted);
}

static void what_cannot_be_measured_is_refused(void **state)
{
    (void)state;
    struct adopted adopted;
    adopted_open(&adopted, "none");
    adopted.adopt.labels = NULL;
    assert_null(learn_adopt_print(adopted.draft, &adopted.adopt, &adopted.fault));
    assert_int_equal(adopted.fault.code, PROTO_MISSING_FIELD);
    adopted.adopt.labels = adopted.labels;
    adopted.adopt.rows = 0;
    assert_null(learn_adopt_print(adopted.draft, &adopted.adopt, &adopted.fault));
    assert_int_equal(adopted.fault.code, PROTO_NO_EVIDENCE);
    adopted.adopt.rows = ROWS;
    memset(adopted.labels, 1, ROWS);
    assert_null(learn_adopt_print(adopted.draft, &adopted.adopt, &adopted.fault));
    assert_int_equal(adopted.fault.code, PROTO_NO_EVIDENCE);
    assert_string_equal(adopted.fault.field, "label");
    adopted_close(&adopted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fit_is_by_the_rows_and_evidence_by_their_outcomes),
        cmocka_unit_test(without_an_outcome_nothing_is_claimed),
        cmocka_unit_test(a_margin_becomes_a_chance_by_the_outcomes),
        cmocka_unit_test(what_cannot_be_measured_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
