/* SPDX-License-Identifier: Apache-2.0 */
/* Lines of named tokens: what is read, what is refused and where, and whom a token fits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include <stdlib.h>

#include "server/auth/named_token.h"

#define HASH                                                                                       \
    "000102030405060708090a0b0c0d0e0f:000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1" \
    "d1e1f"

static void a_line_has_all_that_it_says(void **state)
{
    (void)state;
    struct auth_token token;
    struct proto_fault fault = {0};
    size_t column = 0;
    assert_true(
        auth_token_parse(proto_span_text("  eu-router_2\thash=" HASH " role=write  connections=7 "
                                         "expires=2027-02-28T23:59:59Z requests=500 bytes=64K/1M"),
                         &token, &column, &fault));
    assert_string_equal(token.name, "eu-router_2");
    assert_int_equal(token.role, PROTO_ROLE_WRITE);
    assert_int_equal(token.salt[15], 15);
    assert_int_equal(token.hash[31], 31);
    assert_int_equal(token.expires_s, 1803859199);
    assert_int_equal(token.requests.per_s, 500);
    assert_int_equal(token.requests.burst, 500);
    assert_int_equal(token.bytes.per_s, 65536);
    assert_int_equal(token.bytes.burst, 1048576);
    assert_int_equal(token.connections, 7);
    assert_true(
        auth_token_parse(proto_span_text("a role=read hash=" HASH), &token, &column, &fault));
    assert_int_equal(token.expires_s, 0);
    assert_int_equal(token.requests.per_s, 0);
    assert_int_equal(token.connections, 0);
}

static void every_bad_line_is_refused_at_its_column(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        size_t column;
        const char *says;
    } bad[] = {
        {"", 1, "a name"},
        {"  \303\251 role=read hash=" HASH, 3, "a name"},
        {"a.b role=read hash=" HASH, 1, "a name"},
        {"a23456789012345678901234567890123 role=read hash=" HASH, 1, "a name"},
        {"a", 2, "missing: role"},
        {"a role=read", 12, "missing: hash"},
        {"a hash=" HASH, 105, "missing: role"},
        {"a role", 3, "= must follow role"},
        {"a role=", 8, "score, read, write, admin or metrics"},
        {"a role=scorer", 8, "score, read, write, admin or metrics"},
        {"a role=none", 8, "score, read, write, admin or metrics"},
        {"a role=Read", 8, "score, read, write, admin or metrics"},
        {"a  role=read role=read", 14, "given twice: role"},
        {"a rule=read", 3, "not one of"},
        {"a =read", 3, "not one of"},
        {"a read", 3, "not one of"},
        {"a hash=00", 8, "hex digits"},
        {"a hash=0001020304050607 role=read", 8, "hex digits"},
        {"a "
         "hash=000102030405060708090A0B0C0D0E0F:000102030405060708090a0b0c0d0e0f101112131415161718"
         "191a1b1c1d1e1f",
         8, "lower case"},
        {"a "
         "hash=000102030405060708090a0b0c0d0e0f.000102030405060708090a0b0c0d0e0f101112131415161718"
         "191a1b1c1d1e1f",
         8, "a colon"},
        {"a hash=" HASH "00", 8, "hex digits"},
        {"a expires=2027-02-30", 11, "a time such as"},
        {"a expires=2027-13-01", 11, "a time such as"},
        {"a expires=2027-01-01T24:00:00Z", 11, "a time such as"},
        {"a expires=2027-01-01T00:00:00", 11, "a time such as"},
        {"a expires=2027-01-01T00:00:00+", 11, "a time such as"},
        {"a expires=1969-01-01", 11, "a time such as"},
        {"a expires=90d", 11, "a time such as"},
        {"a expires=", 11, "a time such as"},
        {"a requests=0", 12, "1 to 1000000000"},
        {"a requests=1K", 12, "1 to 1000000000"},
        {"a requests=-1", 12, "1 to 1000000000"},
        {"a requests=1/", 12, "1 to 1000000000"},
        {"a requests=1/0", 12, "1 to 1000000000"},
        {"a requests=1/2/3", 12, "1 to 1000000000"},
        {"a requests=1000000001", 12, "1 to 1000000000"},
        {"a requests=99999999999999999999999999", 12, "1 to 1000000000"},
        {"a bytes=1G", 9, "1 to 1000000000"},
        {"a bytes=1MB", 9, "1 to 1000000000"},
        {"a bytes=1m", 9, "1 to 1000000000"},
        {"a connections=0", 15, "1 to 1000000"},
        {"a connections=1000001", 15, "1 to 1000000"},
        {"a connections=5/6", 15, "1 to 1000000"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct auth_token token;
        struct proto_fault fault = {0};
        size_t column = 0;
        bool good = auth_token_parse(proto_span_text(bad[i].line), &token, &column, &fault);
        if (good || column != bad[i].column || strstr(fault.message, bad[i].says) == NULL) {
            print_error("%s: %s, column %zu: %s\n", bad[i].line, good ? "taken" : "refused", column,
                        fault.message);
        }
        assert_false(good);
        assert_int_equal(fault.code, PROTO_BAD_CONFIG);
        assert_int_equal(column, bad[i].column);
        assert_non_null(strstr(fault.message, bad[i].says));
    }
}

static void a_line_that_is_too_long_is_refused_where_it_is(void **state)
{
    (void)state;
    struct auth_token token;
    struct proto_fault fault = {0};
    size_t column = 0;
    char line[AUTH_LINE_BYTES_MAX + 2];
    memset(line, 'a', sizeof line);
    line[sizeof line - 1] = '\0';
    assert_false(auth_token_parse(proto_span_text(line), &token, &column, &fault));
    assert_int_equal(column, AUTH_LINE_BYTES_MAX + 1);
}

static void a_fault_never_repeats_a_hash(void **state)
{
    (void)state;
    struct auth_token token;
    struct proto_fault fault = {0};
    size_t column = 0;
    assert_false(
        auth_token_parse(proto_span_text("a hash=5ec2e700000000000000"), &token, &column, &fault));
    assert_null(strstr(fault.message, "5ec2e7"));
}

static void what_is_printed_is_read_back(void **state)
{
    (void)state;
    struct auth_token token = {.name = "etl",
                               .role = PROTO_ROLE_ADMIN,
                               .expires_s = 1803859199,
                               .requests = {5, 10},
                               .bytes = {1 << 20, 1 << 24},
                               .connections = 3};
    struct auth_token again;
    struct proto_fault fault = {0};
    char text[AUTH_TEXT_BYTES];
    char *line = NULL;
    size_t bytes = 0;
    size_t column = 0;
    assert_true(auth_token_draw(&token, text, &fault));
    FILE *out = open_memstream(&line, &bytes);
    assert_non_null(out);
    auth_token_print(&token, out);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(line[bytes - 1], '\n');
    assert_true(auth_token_parse((struct proto_span){(const uint8_t *)line, bytes - 1}, &again,
                                 &column, &fault));
    assert_memory_equal(token.hash, again.hash, sizeof token.hash);
    char *second = NULL;
    out = open_memstream(&second, &bytes);
    assert_non_null(out);
    auth_token_print(&again, out);
    assert_int_equal(fclose(out), 0);
    assert_string_equal(line, second);
    free(second);
    assert_null(strstr(line, strchr(text, '.') + 1));
    free(line);
}

static void a_token_fits_its_own_line_alone(void **state)
{
    (void)state;
    struct auth_token one = {.name = "one"};
    struct auth_token two = {.name = "two"};
    struct proto_fault fault = {0};
    char text[AUTH_TEXT_BYTES];
    char other[AUTH_TEXT_BYTES];
    assert_true(auth_token_draw(&one, text, &fault));
    assert_true(auth_token_draw(&two, other, &fault));
    assert_int_equal(strlen(text), 3 + 1 + 64);
    assert_memory_equal(text, "one.", 4);
    assert_string_not_equal(text + 4, other + 4);
    assert_int_equal(auth_token_matches(&one, proto_span_text(text), &fault), 1);
    assert_int_equal(auth_token_matches(&two, proto_span_text(text), &fault), 0);
    for (size_t i = 0; i < strlen(text); i++) {
        char wrong[AUTH_TEXT_BYTES];
        memcpy(wrong, text, sizeof wrong);
        wrong[i] ^= 1;
        assert_int_equal(auth_token_matches(&one, proto_span_text(wrong), &fault), 0);
        assert_int_equal(
            auth_token_matches(&one, (struct proto_span){(const uint8_t *)text, i}, &fault), 0);
    }
    assert_int_equal(auth_token_matches(&one, (struct proto_span){0}, &fault), 0);
    char longer[AUTH_TEXT_BYTES + 10] = {0};
    assert_int_equal(auth_token_matches(
                         &one, (struct proto_span){(const uint8_t *)longer, sizeof longer}, &fault),
                     0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_has_all_that_it_says),
        cmocka_unit_test(every_bad_line_is_refused_at_its_column),
        cmocka_unit_test(a_line_that_is_too_long_is_refused_where_it_is),
        cmocka_unit_test(a_fault_never_repeats_a_hash),
        cmocka_unit_test(what_is_printed_is_read_back),
        cmocka_unit_test(a_token_fits_its_own_line_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
