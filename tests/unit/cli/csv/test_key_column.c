/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/cli/csv/key_column.h"

static void expect(const char *name_space, const char *cell, enum key_outcome outcome,
                   const char *key)
{
    struct key_column column = {.column = 0};
    char out[PROTO_ID_BYTES_MAX + 1];
    memcpy(column.name_space, name_space, strlen(name_space) + 1);
    assert_int_equal(key_column_make(&column, proto_span_text(cell), out), outcome);
    if (key != NULL) {
        assert_string_equal(out, key);
    }
}

static void websites_become_domains(void **state)
{
    (void)state;
    expect("domain", "https://www.Acme.co.uk/about?x", KEY_MADE, "domain:acme.co.uk");
    expect("domain", "acme.com", KEY_MADE, "domain:acme.com");
    expect("domain", "Ann <ann@acme.com>", KEY_MADE, "domain:acme.com");
}

static void shared_and_free_hosts_give_no_key(void **state)
{
    (void)state;
    expect("domain", "https://www.ycombinator.com/companies/x", KEY_SHARED, "ycombinator.com");
    expect("domain", "https://angel.co/x", KEY_SHARED, "angel.co");
    expect("domain", "ann@gmail.com", KEY_FREE, "gmail.com");
    expect("domain", "http://", KEY_NONSENSE, "http://");
    expect("domain", "", KEY_EMPTY, NULL);
    expect("domain", " N/A ", KEY_EMPTY, NULL);
}

static void other_keys_are_taken_as_they_are(void **state)
{
    (void)state;
    char longer[300];
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    expect("crm", " 0015-7 ", KEY_MADE, "crm:0015-7");
    expect("crm", longer, KEY_NONSENSE, NULL);
    longer[PROTO_ID_BYTES_MAX - 4] = '\0';
    expect("crm", longer, KEY_MADE, NULL);
}

static void key_options_are_parsed_and_checked(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct key_column key;
    struct csv_input *input =
        csv_open_bytes(proto_span_text("id,website\n"), "test.csv", NULL, &fault);
    assert_non_null(input);
    assert_true(key_column_parse(input, "key", "domain=website", &key, &fault));
    assert_int_equal(key.column, 1);
    assert_string_equal(key.name_space, "domain");
    static const char *const bad[] = {"website", "=website", "Domain=website", "domain=websit",
                                      "do main=website"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_false(key_column_parse(input, "key", bad[i], &key, &fault));
        assert_int_equal(fault.code, PROTO_USAGE);
    }
    assert_false(csv_column_absent(input, "id", "websit", &fault));
    assert_non_null(strstr(fault.message, "did you mean 'website'"));
    assert_string_equal(csv_column_nearest(input, "websit"), "website");
    assert_null(csv_column_nearest(input, "employees"));
    csv_close(input);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(websites_become_domains),
        cmocka_unit_test(shared_and_free_hosts_give_no_key),
        cmocka_unit_test(other_keys_are_taken_as_they_are),
        cmocka_unit_test(key_options_are_parsed_and_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
