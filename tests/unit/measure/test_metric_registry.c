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

#include "server/measure/metric_registry.h"

#define DAY MEASURE_DAY_MS

/* One account whose trial and subscription ended, one that is flagged, one with two events. */
static void churn_is_what_the_definition_takes_as_evidence(void **state)
{
    (void)state;
    struct measure_subscription s[] = {
        measure_subscription_open(0, 0, 500, 1), measure_subscription_open(0, 0, 500, 1),
        measure_subscription_open(1, 0, 500, 1), measure_subscription_open(2, 0, 500, 1)};
    s[0].end_ms = s[1].end_ms = 20 * DAY;
    s[0].trial = true;
    s[2].end_ms = 25 * DAY;
    s[3].end_ms = 60 * DAY;
    const bool flagged[] = {false, true, true};
    const uint32_t churned[] = {2, 2, 0};
    const int64_t churned_ms[] = {12 * DAY, 13 * DAY, 90 * DAY};
    const struct measure_company company = {.subscriptions = s,
                                            .count = 4,
                                            .accounts = 3,
                                            .flagged = flagged,
                                            .churned = churned,
                                            .churned_ms = churned_ms,
                                            .churned_count = 3,
                                            .from_ms = 10 * DAY,
                                            .to_ms = 40 * DAY};
    static const struct {
        const char *evidence, *unit, *trials;
        int64_t right;
    } cases[] = {{"account-zero", "account", "excluded", 2},
                 {"account-zero", "each", "counted", 2},
                 {"subscription-end", "each", "excluded", 2},
                 {"subscription-end", "each", "counted", 3},
                 {"subscription-end", "account", "counted", 2},
                 {"flag", "account", "excluded", 2},
                 {"event", "each", "excluded", 2},
                 {"event", "account", "excluded", 1}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        struct measure_rules rules;
        int64_t now[3];
        int64_t then[3];
        measure_rules_default(&rules);
        assert_true(measure_rules_set(&rules, proto_span_text("churn-evidence"),
                                      proto_span_text(cases[i].evidence), &fault));
        assert_true(measure_rules_set(&rules, proto_span_text("churn-unit"),
                                      proto_span_text(cases[i].unit), &fault));
        assert_true(measure_rules_set(&rules, proto_span_text("trials"),
                                      proto_span_text(cases[i].trials), &fault));
        assert_true(measure_metric_accounts(&company, MEASURE_METRIC_CHURN_COUNT, &rules, now, then,
                                            &fault));
        assert_int_equal(now[0] + now[1] + now[2], cases[i].right);
    }
}

static void a_definition_is_read_as_it_was_printed(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_definition definition = {
        .metric = MEASURE_METRIC_NRR_COHORT, .version = 3, .name = "board"};
    struct measure_definition read;
    measure_rules_default(&definition.rules);
    assert_true(measure_rules_set_text(&definition.rules, "churn-at=paid-end", &fault));
    assert_true(measure_rules_set_text(&definition.rules, "currency=USD", &fault));
    assert_true(measure_rules_set_text(&definition.rules, "rate-EUR=1.08", &fault));
    char *text = measure_definition_print(&definition);
    assert_non_null(text);
    assert_true(measure_definition_read(proto_span_text(text), &read, &fault));
    assert_int_equal(measure_rules_differ(&read.rules, &definition.rules), 0);
    assert_int_equal(read.metric, definition.metric);
    assert_int_equal(read.version, 3);
    assert_string_equal(read.name, "board");
    char *again = measure_definition_print(&read);
    assert_string_equal(text, again);
    free(again);
    free(text);
}

/* One change to a good document, and what is said of it. */
static void refused(const char *from, const char *to, const char *field, const char *part)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_definition definition = {
        .metric = MEASURE_METRIC_MRR, .version = 1, .name = "usual"};
    measure_rules_default(&definition.rules);
    char *text = measure_definition_print(&definition);
    char *at = strstr(text, from);
    assert_non_null(at);
    char changed[2048];
    snprintf(changed, sizeof changed, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    free(text);
    assert_false(measure_definition_read(proto_span_text(changed), &definition, &fault));
    assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
    if (strcmp(fault.field, field) != 0 || strstr(fault.message, part) == NULL) {
        fail_msg("%s: %s", fault.field, fault.message);
    }
}

static void what_a_document_leaves_open_is_refused_by_name(void **state)
{
    (void)state;
    refused("\"churn-at\": \"end\",", "", "rules.churn-at", "here is none");
    refused("\"churn-at\": \"end\"", "\"churn-at\": \"later\"", "rules.churn-at",
            "end, cancel, paid-end");
    refused("\"churn-at\"", "\"churn-on\"", "rules.churn-at", "here is none");
    refused("\"metric\": \"mrr\"", "\"metric\": \"arr\"", "metric", "no metric 'arr'");
    refused("\"version\": 1", "\"version\": 0", "version", "whole number from 1");
    refused("\"name\": \"usual\"", "\"name\": \"\"", "name", "1 to 63 bytes");
    refused("\"rates\": {}", "\"rates\": {\"EUR\": 1.08}", "rates", "is a text");
    refused("\"metric\"", "\"metrik\"", "metrik", "metric");
}

static void who_put_it_and_why_are_kept_with_it(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_definition definition = {.metric = MEASURE_METRIC_MRR,
                                            .version = 2,
                                            .name = "board",
                                            .author = "ada",
                                            .note = "as finance has it"};
    struct measure_definition read;
    measure_rules_default(&definition.rules);
    char *text = measure_definition_print(&definition);
    assert_non_null(text);
    assert_true(measure_definition_read(proto_span_text(text), &read, &fault));
    assert_string_equal(read.author, "ada");
    assert_string_equal(read.note, "as finance has it");
    free(text);
}

/* A draft need not say its version; what was stored before a rule was there has the usual choice.
 */
static void a_draft_and_what_was_stored_leave_open_what_they_may(void **state)
{
    (void)state;
    static const char *const stored =
        "{\"metric\":\"mrr\",\"version\":4,\"name\":\"board\",\"currency\":\"\",\"rates\":{},"
        "\"rules\":{\"churn-at\":\"cancel\"}}";
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_definition definition = {.metric = MEASURE_METRIC_MRR, .name = "draft"};
    struct measure_definition read;
    struct measure_rules usual;
    measure_rules_default(&definition.rules);
    char *text = measure_definition_print(&definition);
    assert_null(strstr(text, "version"));
    assert_false(measure_definition_read(proto_span_text(text), &read, &fault));
    assert_string_equal(fault.field, "version");
    assert_true(measure_definition_draft(proto_span_text(text), &read, &fault));
    assert_int_equal(read.version, 0);
    free(text);
    assert_false(measure_definition_draft(proto_span_text(stored), &read, &fault));
    assert_string_equal(fault.field, "rules.end-day");
    assert_true(measure_definition_stored(proto_span_text(stored), &read, &fault));
    measure_rules_default(&usual);
    assert_int_equal(measure_rules_differ(&read.rules, &usual), 1U << MEASURE_RULE_CHURN_AT);
}

static void a_fault_says_line_and_column(void **state)
{
    (void)state;
    static const char *const text = "{\"metric\":\"mrr\",\n \"version\":1,\n  \"name\":7}";
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_definition read;
    assert_false(measure_definition_read(proto_span_text(text), &read, &fault));
    assert_string_equal(fault.field, "name");
    assert_non_null(strstr(fault.message, "line 3, column 3: "));
}

static void a_kept_definition_is_called_by_a_plain_name(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "board-nrr", "Q1.2024", "x_1"};
    static const char *const bad[] = {"",    "usual", "board nrr", "-a",         "a-",  "a@1",
                                      "a/b", ".x",    "f.json",    "n\xc3\xa4m", "a\nb"};
    static const char *const no_reference[] = {
        "", "@1", "a@", "a@0", "a@-1", "a@1.0", "a@99999999999", "a@1@2", "a b"};
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_reference reference;
    char longest[MEASURE_NAME_BYTES + 1];
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(measure_name_check(good[i], &fault));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(measure_name_check(bad[i], &fault));
        assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
        assert_string_equal(fault.field, "name");
    }
    memset(longest, 'a', sizeof longest);
    longest[MEASURE_NAME_BYTES] = '\0';
    assert_false(measure_name_check(longest, &fault));
    longest[MEASURE_NAME_BYTES - 1] = '\0';
    assert_true(measure_name_check(longest, &fault));
    for (size_t i = 0; i < sizeof no_reference / sizeof *no_reference; i++) {
        assert_false(measure_reference_read(proto_span_text(no_reference[i]), &reference, &fault));
    }
    assert_true(measure_reference_read(proto_span_text("board-nrr@12"), &reference, &fault));
    assert_int_equal(reference.version, 12);
    assert_true(proto_span_is(reference.name, "board-nrr"));
    assert_true(measure_reference_read(proto_span_text("usual"), &reference, &fault));
    assert_int_equal(reference.version, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(churn_is_what_the_definition_takes_as_evidence),
        cmocka_unit_test(a_definition_is_read_as_it_was_printed),
        cmocka_unit_test(what_a_document_leaves_open_is_refused_by_name),
        cmocka_unit_test(who_put_it_and_why_are_kept_with_it),
        cmocka_unit_test(a_draft_and_what_was_stored_leave_open_what_they_may),
        cmocka_unit_test(a_fault_says_line_and_column),
        cmocka_unit_test(a_kept_definition_is_called_by_a_plain_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
