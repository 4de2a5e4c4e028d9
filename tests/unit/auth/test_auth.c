/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens and the roles that they give. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include "server/auth/auth.h"

static const struct auth_tokens tokens = {.read = "reader", .write = "", .admin = "root"};

static enum proto_role role(const char *given)
{
    return auth_role(&tokens, proto_span_text(given));
}

static void each_secret_gives_its_role(void **state)
{
    (void)state;
    assert_int_equal(role("reader"), PROTO_ROLE_READ);
    assert_int_equal(role("root"), PROTO_ROLE_ADMIN);
}

static void what_is_no_secret_gives_no_role(void **state)
{
    (void)state;
    assert_int_equal(role(""), PROTO_ROLE_NONE);
    assert_int_equal(role("reade"), PROTO_ROLE_NONE);
    assert_int_equal(role("readerr"), PROTO_ROLE_NONE);
    assert_int_equal(role("rootroot"), PROTO_ROLE_NONE);
    const struct proto_span cut = {(const uint8_t *)"root\0x", 6};
    assert_int_equal(auth_role(&tokens, cut), PROTO_ROLE_NONE);
}

static void a_role_without_a_secret_cannot_be_had(void **state)
{
    (void)state;
    const struct auth_tokens none = {.read = NULL, .write = "", .admin = "root"};
    assert_int_equal(auth_role(&none, (struct proto_span){0}), PROTO_ROLE_NONE);
}

static void a_secret_that_two_roles_share_gives_the_higher_one(void **state)
{
    (void)state;
    const struct auth_tokens same = {.read = "x", .write = "x", .admin = NULL};
    assert_int_equal(auth_role(&same, proto_span_text("x")), PROTO_ROLE_WRITE);
}

static void open_means_that_no_secret_is_set(void **state)
{
    (void)state;
    const struct auth_tokens none = {.read = NULL, .write = "", .admin = ""};
    assert_true(auth_is_open(&none));
    assert_false(auth_is_open(&tokens));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_secret_gives_its_role),
        cmocka_unit_test(what_is_no_secret_gives_no_role),
        cmocka_unit_test(a_role_without_a_secret_cannot_be_had),
        cmocka_unit_test(a_secret_that_two_roles_share_gives_the_higher_one),
        cmocka_unit_test(open_means_that_no_secret_is_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
