/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tests/unit/base/config_fixture.h"

#define TOKEN "0123456789abcdef"

static void write_token(const struct fixture *fixture, const char *text)
{
    fixture_write(fixture, text, strlen(text));
}

static bool set(struct fixture *fixture, const char *name, const char *text)
{
    return base_config_set(&fixture->config, name, text, BASE_ORIGIN_FLAG, "--flag",
                           &fixture->fault);
}

static void defaults_resolve(void **state)
{
    struct fixture *fixture = *state;
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
}

static void token_is_the_first_line_of_its_file(void **state)
{
    struct fixture *fixture = *state;
    write_token(fixture, TOKEN "\r\nmore\n");
    assert_true(set(fixture, "admin_token_file", fixture->path));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
    assert_string_equal(fixture->config.admin_token, TOKEN);
    const struct base_origin *origin = &fixture->config.origins[BASE_OPTION_ADMIN_TOKEN];
    assert_int_equal(origin->kind, BASE_ORIGIN_DERIVED);
    assert_string_equal(origin->place, "admin_token_file");
    /* Once more, as a reload does: what was derived may be derived again. */
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
}

static void token_file_that_is_absent_or_empty_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_true(set(fixture, "admin_token_file", fixture->path));
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_string_equal(fixture->fault.field, "admin_token_file");
    write_token(fixture, "\nlate\n");
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_non_null(strstr(fixture->fault.message, "is empty"));
    write_token(fixture, "");
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
}

static void token_file_that_others_may_use_or_that_has_a_nul_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static const mode_t refused[] = {0602, 0604, 0606, 0620, 0666, 0777};
    assert_true(set(fixture, "admin_token_file", fixture->path));
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        write_token(fixture, TOKEN "\n");
        assert_int_equal(chmod(fixture->path, refused[i]), 0);
        assert_false(base_config_resolve(&fixture->config, &fixture->fault));
        assert_string_equal(fixture->fault.field, "admin_token_file");
        assert_non_null(strstr(fixture->fault.message, "chmod 600"));
    }
    /* A group may read it where it is root's. */
    assert_int_equal(chmod(fixture->path, 0640), 0);
    assert_int_equal(base_config_resolve(&fixture->config, &fixture->fault), geteuid() == 0);
    fixture_write(fixture, "0123456789abcdef\0ghi\n", 21);
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_non_null(strstr(fixture->fault.message, "has a NUL, byte 17"));
}

static void token_that_can_be_guessed_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_true(set(fixture, "admin_token", "0123456789abcde"));
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_string_equal(fixture->fault.field, "admin_token");
    assert_non_null(strstr(fixture->fault.message, "has 15 bytes"));
    assert_true(set(fixture, "admin_token", TOKEN));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
}

static void token_and_token_file_together_are_refused(void **state)
{
    struct fixture *fixture = *state;
    write_token(fixture, "a\n");
    assert_true(set(fixture, "admin_token", TOKEN));
    assert_true(set(fixture, "admin_token_file", fixture->path));
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_string_equal(fixture->fault.message,
                        "admin_token and admin_token_file are both given; one of them is enough");
}

static void same_token_for_two_roles_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_true(set(fixture, "read_token", "the same for both"));
    assert_true(set(fixture, "admin_token", "the same for both"));
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_true(set(fixture, "read_token", "another of this one"));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
}

static void lesser_token_without_an_admin_token_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_true(set(fixture, "read_token", TOKEN));
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_string_equal(fixture->fault.field, "admin_token");
}

static void open_address_needs_a_token_and_loopback_does_not(void **state)
{
    struct fixture *fixture = *state;
    static const char *const closed[] = {"127.0.0.1", "127.8.8.8", "::1", "localhost"};
    static const char *const open[] = {"0.0.0.0", "::", "10.0.0.1", "example.org", "127.evil.org"};
    for (size_t i = 0; i < sizeof closed / sizeof *closed; i++) {
        assert_true(set(fixture, "host", closed[i]));
        assert_true(base_config_resolve(&fixture->config, &fixture->fault));
    }
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_true(set(fixture, "host", open[i]));
        assert_false(base_config_resolve(&fixture->config, &fixture->fault));
        assert_string_equal(fixture->fault.field, "host");
    }
    assert_true(set(fixture, "admin_token", TOKEN));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
}

static void http_address_that_others_reach_needs_a_token_too(void **state)
{
    struct fixture *fixture = *state;
    assert_true(set(fixture, "http_host", "0.0.0.0"));
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_string_equal(fixture->fault.field, "http_host");
    assert_true(set(fixture, "http_host", ""));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
}

static void http_port_follows_the_port_unless_it_is_named(void **state)
{
    struct fixture *fixture = *state;
    assert_true(set(fixture, "port", "5000"));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
    assert_int_equal(fixture->config.http_port, 5001);
    assert_true(set(fixture, "port", "0"));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
    assert_int_equal(fixture->config.http_port, 0);
    assert_true(set(fixture, "port", "65535"));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
    assert_int_equal(fixture->config.http_port, 0);
    assert_true(set(fixture, "http_port", "9100"));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
    assert_int_equal(fixture->config.http_port, 9100);
}

static void nothing_to_listen_on_is_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_true(set(fixture, "host", ""));
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_true(set(fixture, "socket_path", "/tmp/x"));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
}

static void sizes_that_do_not_fit_each_other_are_refused(void **state)
{
    struct fixture *fixture = *state;
    assert_true(set(fixture, "out_bytes_max", "1M"));
    assert_true(set(fixture, "out_bytes_high", "2M"));
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_string_equal(fixture->fault.message,
                        "out_bytes_max must be at least out_bytes_high, which is 2M");
    assert_true(set(fixture, "out_bytes_high", "1M"));
    assert_true(set(fixture, "queue_bytes_max", "1M"));
    assert_false(base_config_resolve(&fixture->config, &fixture->fault));
    assert_true(set(fixture, "frame_bytes_max", "1M"));
    assert_true(base_config_resolve(&fixture->config, &fixture->fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_FIXTURE(defaults_resolve),
        WITH_FIXTURE(token_is_the_first_line_of_its_file),
        WITH_FIXTURE(token_file_that_is_absent_or_empty_is_refused),
        WITH_FIXTURE(token_file_that_others_may_use_or_that_has_a_nul_is_refused),
        WITH_FIXTURE(token_that_can_be_guessed_is_refused),
        WITH_FIXTURE(token_and_token_file_together_are_refused),
        WITH_FIXTURE(same_token_for_two_roles_is_refused),
        WITH_FIXTURE(lesser_token_without_an_admin_token_is_refused),
        WITH_FIXTURE(open_address_needs_a_token_and_loopback_does_not),
        WITH_FIXTURE(http_address_that_others_reach_needs_a_token_too),
        WITH_FIXTURE(http_port_follows_the_port_unless_it_is_named),
        WITH_FIXTURE(nothing_to_listen_on_is_refused),
        WITH_FIXTURE(sizes_that_do_not_fit_each_other_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
