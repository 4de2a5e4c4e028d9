/* SPDX-License-Identifier: Apache-2.0 */
/* What tests of the language share: one account, and an expression that must be one.
 *
 * Ownership: what parse_or_fail gives is destroyed by the caller. Errors: the test fails. Threads:
 * one. */
#ifndef TESTS_UNIT_FILTER_FILTER_FIXTURE_H
#define TESTS_UNIT_FILTER_FILTER_FIXTURE_H

#include "tests/unit/feature/feature_fixture.h"

#include "server/filter/filter.h"

/* One account: employees 250, activity Email Opened, stack {CRM, Stripe}, public true, the rest
 * missing. */
static const uint8_t fixture_stack[] = "\x03\x00"
                                       "CRM\x06\x00Stripe";

static inline void account_fill(struct feature_value values[6])
{
    memset(values, 0, 6 * sizeof *values);
    values[0] = (struct feature_value){.present = true, .type = FEATURE_NUMBER, .number = 250};
    values[1] = (struct feature_value){
        .present = true, .type = FEATURE_CATEGORY, .text = proto_span_text("Email Opened")};
    values[2] = (struct feature_value){
        .present = true, .type = FEATURE_TAGS, .tags = {fixture_stack, sizeof fixture_stack - 1}};
    values[3] = (struct feature_value){.present = true, .type = FEATURE_FLAG, .flag = true};
}

static inline struct filter *parse_or_fail(const struct feature_schema *schema, const char *text)
{
    struct proto_fault fault = {0};
    struct filter *filter = filter_parse(schema, proto_span_text(text), &fault, NULL);
    if (filter == NULL) {
        fail_msg("%s: %s", text, fault.message);
    }
    return filter;
}

#endif
