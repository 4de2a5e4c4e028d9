/* SPDX-License-Identifier: Apache-2.0 */
/* Who is signed in, and for how long. Times are given, nothing waits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "server/console/console_session.h"

#define SECOND UINT64_C(1000000000)
#define START (1000 * SECOND)

struct fixture {
    struct console_sessions *all;
    char id[CONSOLE_ID_BYTES];
    char token[CONSOLE_TOKEN_BYTES];
};

static int setup(void **state)
{
    static struct fixture fixture;
    fixture.all = console_sessions_create();
    assert_non_null(fixture.all);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    console_sessions_destroy(fixture->all);
    return 0;
}

static bool stands(struct fixture *fixture, const char *id, uint64_t now_ns)
{
    return console_session_find(fixture->all, proto_span_text(id), now_ns, fixture->token);
}

static void a_session_gives_back_its_token(void **state)
{
    struct fixture *fixture = *state;
    assert_true(console_session_begin(fixture->all, "a token", START, fixture->id));
    assert_int_equal(strlen(fixture->id), CONSOLE_ID_BYTES - 1);
    assert_true(stands(fixture, fixture->id, START));
    assert_string_equal(fixture->token, "a token");
}

static void no_two_sessions_are_called_the_same(void **state)
{
    struct fixture *fixture = *state;
    char other[CONSOLE_ID_BYTES];
    assert_true(console_session_begin(fixture->all, "a", START, fixture->id));
    assert_true(console_session_begin(fixture->all, "b", START, other));
    assert_string_not_equal(fixture->id, other);
    assert_true(stands(fixture, other, START));
    assert_string_equal(fixture->token, "b");
}

static void another_id_finds_nobody(void **state)
{
    struct fixture *fixture = *state;
    static const char zeros[] = "0000000000000000000000000000000000000000000000000000000000000000";
    assert_false(stands(fixture, zeros, START));
    assert_true(console_session_begin(fixture->all, "a", START, fixture->id));
    assert_false(stands(fixture, "", START));
    assert_false(stands(fixture, zeros, START));
    fixture->id[63] ^= 1;
    assert_false(stands(fixture, fixture->id, START));
    fixture->id[63] ^= 1;
    fixture->id[10] = '\0';
    assert_false(stands(fixture, fixture->id, START));
}

static void it_ends_some_time_after_its_last_page(void **state)
{
    struct fixture *fixture = *state;
    assert_true(console_session_begin(fixture->all, "a", START, fixture->id));
    uint64_t later = START + CONSOLE_IDLE_S * SECOND;
    assert_true(stands(fixture, fixture->id, later));
    assert_true(stands(fixture, fixture->id, later + CONSOLE_IDLE_S * SECOND));
    assert_false(stands(fixture, fixture->id, later + 2 * CONSOLE_IDLE_S * SECOND + 1));
    assert_false(stands(fixture, fixture->id, START));
}

static void it_ends_however_much_it_is_used(void **state)
{
    struct fixture *fixture = *state;
    assert_true(console_session_begin(fixture->all, "a", START, fixture->id));
    uint64_t now = START;
    for (; now <= START + CONSOLE_LIFE_S * SECOND; now += CONSOLE_IDLE_S * SECOND) {
        assert_true(stands(fixture, fixture->id, now));
    }
    assert_false(stands(fixture, fixture->id, now));
}

static void signing_out_ends_that_one_alone(void **state)
{
    struct fixture *fixture = *state;
    char other[CONSOLE_ID_BYTES];
    assert_true(console_session_begin(fixture->all, "a", START, fixture->id));
    assert_true(console_session_begin(fixture->all, "b", START, other));
    console_session_end(fixture->all, proto_span_text(fixture->id), START);
    console_session_end(fixture->all, proto_span_text("nobody"), START);
    assert_false(stands(fixture, fixture->id, START));
    assert_true(stands(fixture, other, START));
}

static void one_too_many_takes_the_place_of_the_least_used(void **state)
{
    struct fixture *fixture = *state;
    char ids[CONSOLE_SESSIONS_MAX][CONSOLE_ID_BYTES];
    for (unsigned i = 0; i < CONSOLE_SESSIONS_MAX; i++) {
        assert_true(console_session_begin(fixture->all, "a", START + i, ids[i]));
    }
    assert_true(stands(fixture, ids[0], START + 100));
    assert_true(console_session_begin(fixture->all, "b", START + 101, fixture->id));
    assert_true(stands(fixture, ids[0], START + 102));
    assert_false(stands(fixture, ids[1], START + 102));
    assert_true(stands(fixture, ids[2], START + 102));
    assert_true(stands(fixture, fixture->id, START + 102));
}

static void a_token_that_is_too_long_is_refused(void **state)
{
    struct fixture *fixture = *state;
    char token[CONSOLE_TOKEN_BYTES + 1];
    memset(token, 'a', sizeof token);
    token[CONSOLE_TOKEN_BYTES] = '\0';
    assert_false(console_session_begin(fixture->all, token, START, fixture->id));
    token[CONSOLE_TOKEN_BYTES - 1] = '\0';
    assert_true(console_session_begin(fixture->all, token, START, fixture->id));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_session_gives_back_its_token),
        TEST(no_two_sessions_are_called_the_same),
        TEST(another_id_finds_nobody),
        TEST(it_ends_some_time_after_its_last_page),
        TEST(it_ends_however_much_it_is_used),
        TEST(signing_out_ends_that_one_alone),
        TEST(one_too_many_takes_the_place_of_the_least_used),
        TEST(a_token_that_is_too_long_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
