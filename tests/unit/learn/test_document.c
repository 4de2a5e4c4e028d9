/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "server/learn/document.h"
#include "tests/unit/learn/learn_example.h"

struct fixture {
    struct example *example;
    char *text;
};

static int fixture_make(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct proto_fault fault;
    fixture->example = example_create(&(struct example_options){.rows = 1200, .seed = 1});
    fixture->example->options.pairs_max = 2;
    fixture->text = learn_run(&fixture->example->population, &fixture->example->options, &fault);
    *state = fixture;
    return fixture->text == NULL;
}

static int fixture_drop(void **state)
{
    struct fixture *fixture = *state;
    example_destroy(fixture->example);
    free(fixture->text);
    free(fixture);
    return 0;
}

static struct learn_document *parse(const struct fixture *fixture, const char *text,
                                    struct proto_fault *fault)
{
    *fault = (struct proto_fault){0};
    return learn_document_parse(proto_span_text(text), 7, fixture->example->schema, fault);
}

static void a_learned_document_parses_and_keeps_its_text(void **state)
{
    const struct fixture *fixture = *state;
    struct proto_fault fault;
    struct learn_document *document = parse(fixture, fixture->text, &fault);
    assert_non_null(document);
    assert_string_equal(document->text, fixture->text);
    assert_int_equal(document->version, 7);
    assert_int_equal(document->references, 1);
    assert_ptr_equal(learn_document_retain(document), document);
    learn_document_release(document);
    assert_int_equal(document->references, 1);
    learn_document_release(document);
    learn_document_release(NULL);
}

static void the_digest_is_of_the_meaning_not_of_the_layout(void **state)
{
    const struct fixture *fixture = *state;
    struct proto_fault fault;
    json_t *json = json_loads(fixture->text, 0, NULL);
    char *indented = json_dumps(json, JSON_INDENT(2) | JSON_SORT_KEYS | JSON_REAL_PRECISION(17));
    struct learn_document *a = parse(fixture, fixture->text, &fault);
    struct learn_document *b = parse(fixture, indented, &fault);
    assert_non_null(a);
    assert_non_null(b);
    assert_true(a->digest == b->digest);
    json_object_set_new(json, "name", json_string("another"));
    char *renamed = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    struct learn_document *c = parse(fixture, renamed, &fault);
    assert_non_null(c);
    assert_true(a->digest != c->digest);
    learn_document_release(a);
    learn_document_release(b);
    learn_document_release(c);
    json_decref(json);
    free(indented);
    free(renamed);
}

/* Replaces (or with NULL removes) the member at a path such as "evidence.holdout.auc". */
static void change(json_t *json, const char *path, json_t *value)
{
    char part[64];
    const char *dot;
    while ((dot = strchr(path, '.')) != NULL) {
        (void)snprintf(part, sizeof part, "%.*s", (int)(dot - path), path);
        json = json_object_get(json, part);
        path = dot + 1;
    }
    if (value == NULL) {
        assert_int_equal(json_object_del(json, path), 0);
    } else {
        assert_int_equal(json_object_set_new(json, path, value), 0);
    }
}

static void expect(const struct fixture *fixture, const char *path, json_t *value,
                   const char *field)
{
    struct proto_fault fault;
    json_t *json = json_loads(fixture->text, 0, NULL);
    change(json, path, value);
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(17));
    struct learn_document *document = parse(fixture, text, &fault);
    assert_null(document);
    assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
    assert_string_equal(fault.field, field);
    free(text);
    json_decref(json);
}

static void every_member_that_is_missing_is_named(void **state)
{
    const char *const members[] = {"format",
                                   "name",
                                   "created",
                                   "schema",
                                   "label",
                                   "settings",
                                   "evidence",
                                   "codebook",
                                   "scorecard",
                                   "label.expression",
                                   "label.population",
                                   "evidence.holdout",
                                   "evidence.holdout.auc_low",
                                   "evidence.fields",
                                   "scorecard.intercept",
                                   "scorecard.calibration.raw",
                                   "scorecard.grades.C"};
    for (size_t i = 0; i < sizeof members / sizeof members[0]; i++) {
        expect(*state, members[i], NULL, members[i]);
    }
}

static void hostile_members_are_refused_by_their_path(void **state)
{
    expect(*state, "format", json_integer(2), "format");
    expect(*state, "format", json_integer(-1), "format");
    expect(*state, "format", json_string("1"), "format");
    expect(*state, "extra", json_true(), "extra");
    expect(*state, "evidence.extra", json_true(), "evidence.extra");
    expect(*state, "label.positives", json_real(0.5), "label.positives");
    expect(*state, "evidence.holdout.auc", json_null(), "evidence.holdout.auc");
    expect(*state, "evidence.fields", json_pack("[{s:s}]", "field", "x"),
           "evidence.fields[0].importance");
    expect(*state, "evidence.warnings", json_pack("[i]", 1), "evidence.warnings[0]");
    expect(*state, "evidence.holdout.reliability", json_pack("[i]", 1),
           "evidence.holdout.reliability[0]");
    expect(*state, "codebook.columns", json_array(), "codebook.digest");
    expect(*state, "codebook", json_pack("{s:[]}", "columns"), "scorecard.terms[0].columns");
    expect(*state, "codebook", json_array(), "codebook");
    expect(*state, "scorecard.intercept", json_integer(INT64_MAX), "scorecard.intercept");
    expect(*state, "scorecard.reference", json_array(), "scorecard.reference");
}

static void text_that_is_not_json_is_refused_with_its_place(void **state)
{
    const struct fixture *fixture = *state;
    struct proto_fault fault;
    const char *const texts[] = {"", "{", "[]", "null", "{\"format\":1,\"format\":1}", "{} x"};
    for (size_t i = 0; i < 6; i++) {
        assert_null(parse(fixture, texts[i], &fault));
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
    }
    /* Cut short at any place, a document is refused and nothing leaks. */
    size_t bytes = strlen(fixture->text);
    for (size_t cut = 1; cut < bytes; cut += 1 + bytes / 60) {
        struct proto_span span = {(const uint8_t *)fixture->text, bytes - cut};
        assert_null(learn_document_parse(span, 1, fixture->example->schema, &fault));
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
    }
}

static void a_text_above_the_limit_is_refused_unread(void **state)
{
    const struct fixture *fixture = *state;
    struct proto_fault fault;
    struct proto_span span = {(const uint8_t *)"{", (size_t)PROTO_DOCUMENT_BYTES_MAX + 1};
    assert_null(learn_document_parse(span, 1, fixture->example->schema, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_learned_document_parses_and_keeps_its_text),
        cmocka_unit_test(the_digest_is_of_the_meaning_not_of_the_layout),
        cmocka_unit_test(every_member_that_is_missing_is_named),
        cmocka_unit_test(hostile_members_are_refused_by_their_path),
        cmocka_unit_test(text_that_is_not_json_is_refused_with_its_place),
        cmocka_unit_test(a_text_above_the_limit_is_refused_unread),
    };
    return cmocka_run_group_tests(tests, fixture_make, fixture_drop);
}
