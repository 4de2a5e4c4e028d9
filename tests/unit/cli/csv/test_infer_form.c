/* SPDX-License-Identifier: Apache-2.0 */
/* Forms of single texts, and words in names of columns, each with what is nearly one and is none.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tools/cli/csv/infer_form.h"

struct row {
    const char *text;
    bool is;
};

#define EACH(rows, verdict)                                                                        \
    for (size_t i = 0; i < sizeof(rows) / sizeof *(rows); i++) {                                   \
        if ((verdict) != (rows)[i].is) {                                                           \
            fail_msg("'%s' is %s", (rows)[i].text, (rows)[i].is ? "not known" : "taken for one");  \
        }                                                                                          \
    }

static void digits_that_name_something_are_codes(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"12345-6789", true},         {"+49 30 1234567", true}, {"(030) 123-4567", true},
        {"+1.212.555.0100", true},    {"12345", false},         {"12345-678", false},
        {"+123456", false},           {"030 1234567", false},   {"12345-678x", false},
        {"+1234567890123456", false}, {"1234-56789", false},
    };
    EACH(rows, infer_is_code(proto_span_text(rows[i].text)))
}

static void ranges_have_two_numbers_or_an_open_end(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"11-50", true},
        {"1,001-5,000", true},
        {"11 - 50", true},
        {"500+", true},
        {"11\xe2\x80\x93"
         "50",
         true},
        {"11", false},
        {"+", false},
        {"1-2-3", false},
        {"11 to 50", false},
        {"10-Feb", false},
        {"", false},
    };
    EACH(rows, infer_is_range(proto_span_text(rows[i].text)))
}

static void what_a_spreadsheet_made_of_a_range_is_known(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"Feb-10", true},   {"10-Feb", true},  {"2-Oct", true},
        {"Dez-11", true},   {"Feb10", false},  {"Foo-10", false},
        {"10-Febr", false}, {"Feb-1x", false}, {"", false},
    };
    EACH(rows, infer_is_spoilt_range(proto_span_text(rows[i].text)))
}

static void short_codes_are_capitals_alone(void **state)
{
    (void)state;
    static const struct row rows[] = {{"US", true},  {"DEU", true}, {"A", false},
                                      {"us", false}, {"U2", false}, {"EMEA", false}};
    EACH(rows, infer_is_short_code(proto_span_text(rows[i].text), 3))
}

static void a_word_stands_in_a_name_as_a_word(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"id", true},    {"lead_id", true}, {"leadId", true}, {"ID of the lead", true},
        {"paid", false}, {"idle", false},   {"video", false}, {"account-id2", true},
    };
    EACH(rows, infer_name_has_word(rows[i].text, "id"))
}

static void names_of_codes_and_of_parts_of_the_world_are_known(void **state)
{
    (void)state;
    static const struct row codes[] = {
        {"ZIP code", true}, {"billing_phone", true}, {"PLZ", true},    {"vat", true},
        {"private", false}, {"hotel", false},        {"amount", false}};
    static const struct row regions[] = {{"Region", true},   {"sales_territory", true},
                                         {"geo", true},      {"regional manager", false},
                                         {"geology", false}, {"industry", false}};
    EACH(codes, infer_name_is_code(codes[i].text))
    EACH(regions, infer_name_is_region(regions[i].text))
}
#undef EACH

static void the_name_that_names_accounts_most_surely_ranks_first(void **state)
{
    (void)state;
    static const char *const surer[] = {"Account Name", "company_name", "Company", "name",
                                        "client"};
    for (size_t i = 0; i + 1 < sizeof surer / sizeof *surer; i++) {
        assert_true(infer_name_rank(surer[i]) < infer_name_rank(surer[i + 1]));
    }
    assert_int_equal(infer_name_rank("COMPANY-NAME"), infer_name_rank("companyname"));
    assert_true(infer_name_rank("first name") == SIZE_MAX);
    assert_true(infer_name_rank("") == SIZE_MAX);
    assert_true(infer_name_rank("a name that is longer than any that is known") == SIZE_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(digits_that_name_something_are_codes),
        cmocka_unit_test(ranges_have_two_numbers_or_an_open_end),
        cmocka_unit_test(what_a_spreadsheet_made_of_a_range_is_known),
        cmocka_unit_test(short_codes_are_capitals_alone),
        cmocka_unit_test(a_word_stands_in_a_name_as_a_word),
        cmocka_unit_test(names_of_codes_and_of_parts_of_the_world_are_known),
        cmocka_unit_test(the_name_that_names_accounts_most_surely_ranks_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
