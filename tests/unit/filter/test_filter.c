/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/feature/feature_fixture.h"

#include "server/filter/filter.h"

/* One account: employees 250, activity Email Opened, stack {CRM, Stripe}, public true, the rest
 * missing. */
static const uint8_t stack[] = "\x03\x00"
                               "CRM\x06\x00Stripe";

static void account_fill(struct feature_value values[6])
{
    memset(values, 0, 6 * sizeof *values);
    values[0] = (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = 250};
    values[1] = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text("Email Opened")};
    values[2] = (struct feature_value){
        .present = true, .type = FEATURE_TAGS, .tags = {stack, sizeof stack - 1}};
    values[3] = (struct feature_value){.present = true, .type = FEATURE_FLAG, .flag = true};
}

static struct filter *parse_or_fail(const struct feature_schema *schema, const char *text)
{
    struct proto_fault fault = {0};
    struct filter *filter = filter_parse(schema, proto_span_text(text), &fault, NULL);
    if (filter == NULL)
        fail_msg("%s: %s", text, fault.message);
    return filter;
}

/* What holds and what does not for that account. */
static const struct {
    const char *text;
    bool match;
} matches[] = {
    {"employees = 250", true},
    {"employees = '250'", true},
    {"employees = '$250'", true},
    {"employees != 250", false},
    {"employees <> 251", true},
    {"employees < 250", false},
    {"employees <= 250", true},
    {"employees > 249.5", true},
    {"employees >= 251", false},
    {"employees between 100 and 250", true},
    {"employees between 251 and 300", false},
    {"employees in (1, 250, 3)", true},
    {"employees in (1, 2, 3)", false},
    {"employees not in (1, 2)", true},
    {"EMPLOYEES IN (250)", true},
    {"employees = 2.5e2", true},
    {"employees = -250", false},
    {"Last Activity = 'Email Opened'", true},
    {"last   activity = 'Email Opened'", true},
    {"\"Last Activity\" = 'Email Opened'", true},
    {"`Last Activity` = 'email opened'", false},
    {"Last Activity in ('SMS', 'Email Opened')", true},
    {"Last Activity < 'F'", true},
    {"Last Activity between 'A' and 'E'", false},
    {"Last Activity != 'It''s'", true},
    {"stack has 'Stripe'", true},
    {"stack has 'stripe'", false},
    {"stack = 'CRM'", true},
    {"stack != 'CRM'", false},
    {"stack in ('X', 'CRM')", true},
    {"stack has any ('X', 'CRM')", true},
    {"stack has all ('X', 'CRM')", false},
    {"stack has all ('Stripe', 'CRM')", true},
    {"stack not in ('X')", true},
    {"public", true},
    {"not public", false},
    {"public = 1", true},
    {"public = false", false},
    {"public != 'no'", true},
    {"GICS Sub-Industry is missing", true},
    {"GICS Sub-Industry is not missing", false},
    {"GICS Sub-Industry = 'x'", false},
    {"GICS Sub-Industry != 'x'", true},
    {"not GICS Sub-Industry = 'x'", true},
    {"GICS Sub-Industry not in ('x')", true},
    {"embedding is missing", true},
    {"employees = 1 or employees = 2 or public", true},
    {"employees = 250 and public and stack has 'CRM'", true},
    {"employees = 1 and public or public", true},
    {"employees = 1 and (public or public)", false},
    {"not (employees = 1 or not public)", true},
    {"not not public", true},
    {"public and not (public and (public and not public))", true},
};

static void match_follows_the_language(void **state)
{
    (void)state;
    struct feature_schema *schema = fixture_schema();
    struct feature_value values[6];
    account_fill(values);
    for (size_t i = 0; i < sizeof matches / sizeof matches[0]; i++) {
        struct filter *filter = parse_or_fail(schema, matches[i].text);
        if (filter_match(filter, values, 6) != matches[i].match)
            fail_msg("%s: not %d", matches[i].text, matches[i].match);
        filter_destroy(filter);
    }
    feature_schema_release(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(match_follows_the_language),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
