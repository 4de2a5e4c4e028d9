/* SPDX-License-Identifier: Apache-2.0 */
/* Tokens in force: who enters, what a file that is read anew changes, and the limits of each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include <stdlib.h>
#include <unistd.h>

#include "server/auth/token_book.h"

#define SECOND UINT64_C(1000000000)
enum { NOW_MS = 1000000 };

struct desk {
    char path[64];
    struct auth_token one, two;
    char one_text[AUTH_TEXT_BYTES], two_text[AUTH_TEXT_BYTES];
    char ended[256];
};

/* The file has these tokens from now on. */
static void put(const struct desk *desk, const struct auth_token *first,
                const struct auth_token *second)
{
    FILE *out = fopen(desk->path, "we");
    assert_non_null(out);
    if (first != NULL) {
        auth_token_print(first, out);
    }
    if (second != NULL) {
        auth_token_print(second, out);
    }
    assert_int_equal(fclose(out), 0);
}

static int setup(void **state)
{
    static struct desk desk;
    struct proto_fault fault = {0};
    desk = (struct desk){.one = {.name = "one", .role = PROTO_ROLE_READ},
                         .two = {.name = "two", .role = PROTO_ROLE_ADMIN, .expires_s = 5000}};
    snprintf(desk.path, sizeof desk.path, "/tmp/icpd-book-XXXXXX");
    int fd = mkstemp(desk.path);
    assert_true(fd >= 0);
    close(fd);
    assert_true(auth_token_draw(&desk.one, desk.one_text, &fault));
    assert_true(auth_token_draw(&desk.two, desk.two_text, &fault));
    put(&desk, &desk.one, &desk.two);
    *state = &desk;
    return 0;
}

static int teardown(void **state)
{
    const struct desk *desk = *state;
    return unlink(desk->path);
}

static void note_end(void *context, const char *name)
{
    struct desk *desk = context;
    strncat(desk->ended, name, sizeof desk->ended - strlen(desk->ended) - 2);
    strcat(desk->ended, " ");
}

static struct auth_book *open_book(const struct desk *desk)
{
    struct proto_fault fault = {0};
    struct auth_book *book = auth_book_create(desk->path, &fault);
    if (book == NULL) {
        print_error("%s\n", fault.message);
    }
    assert_non_null(book);
    return book;
}

static struct auth_grant *enter(struct auth_book *book, const char *text)
{
    struct proto_fault fault = {0};
    return auth_book_enter(book, proto_span_text(text), NOW_MS, &fault);
}

static void who_shows_a_token_has_its_role_and_name(void **state)
{
    struct desk *desk = *state;
    struct auth_book *book = open_book(desk);
    struct auth_grant *grant = enter(book, desk->two_text);
    assert_non_null(grant);
    assert_string_equal(auth_grant_name(grant), "two");
    assert_int_equal(auth_grant_role(grant), PROTO_ROLE_ADMIN);
    auth_grant_leave(grant);
    assert_int_equal(auth_book_role(book, proto_span_text(desk->one_text), NOW_MS),
                     PROTO_ROLE_READ);
    assert_int_equal(auth_book_count(book), 2);
    /* The right name with another's secret, the secret alone, an unknown name, nothing. */
    char mixed[AUTH_TEXT_BYTES];
    snprintf(mixed, sizeof mixed, "one%s", strchr(desk->two_text, '.'));
    assert_null(enter(book, mixed));
    assert_null(enter(book, strchr(desk->one_text, '.')));
    assert_null(enter(book, strchr(desk->one_text, '.') + 1));
    snprintf(mixed, sizeof mixed, "six%s", strchr(desk->two_text, '.'));
    assert_null(enter(book, mixed));
    assert_null(enter(book, ""));
    auth_book_destroy(book);
}

static void what_has_expired_neither_enters_nor_stands(void **state)
{
    struct desk *desk = *state;
    struct proto_fault fault = {0};
    struct auth_book *book = open_book(desk);
    struct auth_grant *grant = enter(book, desk->two_text);
    assert_true(auth_grant_stands(grant, 4999999, &fault));
    assert_false(auth_grant_stands(grant, 5000000, &fault));
    assert_int_equal(fault.code, PROTO_DENIED);
    assert_non_null(strstr(fault.message, "two has expired"));
    assert_null(auth_book_enter(book, proto_span_text(desk->two_text), 5000000, &fault));
    assert_int_equal(fault.code, PROTO_BAD_TOKEN);
    assert_int_equal(auth_book_role(book, proto_span_text(desk->two_text), 5000000),
                     PROTO_ROLE_NONE);
    auth_grant_leave(grant);
    auth_book_destroy(book);
}

static void reading_anew_ends_what_is_gone_and_keeps_the_rest(void **state)
{
    struct desk *desk = *state;
    struct proto_fault fault = {0};
    struct auth_change change = {.on_end = note_end, .context = desk};
    struct auth_book *book = open_book(desk);
    struct auth_grant *one = enter(book, desk->one_text);
    struct auth_grant *two = enter(book, desk->two_text);
    struct auth_token more = {.name = "more", .role = PROTO_ROLE_READ};
    char text[AUTH_TEXT_BYTES];
    assert_true(auth_token_draw(&more, text, &fault));
    desk->one.connections = 1;
    desk->one.requests = (struct auth_rate){1, 1};
    put(desk, &more, &desk->one);
    assert_true(auth_book_reload(book, &change, &fault));
    assert_int_equal(change.kept, 1);
    assert_int_equal(change.added, 1);
    assert_int_equal(change.ended, 1);
    assert_string_equal(desk->ended, "two ");
    assert_true(auth_grant_stands(one, NOW_MS, &fault));
    assert_false(auth_grant_stands(two, NOW_MS, &fault));
    assert_non_null(strstr(fault.message, "two was taken away"));
    assert_null(enter(book, desk->two_text));
    /* The new limits hold for those who are there. */
    uint64_t wait_ns = 0;
    assert_true(auth_grant_admit(one, 1, SECOND, &wait_ns));
    assert_false(auth_grant_admit(one, 1, SECOND, &wait_ns));
    assert_null(auth_book_enter(book, proto_span_text(desk->one_text), NOW_MS, &fault));
    assert_int_equal(fault.code, PROTO_BUSY);
    auth_grant_leave(one);
    auth_grant_leave(two);
    one = enter(book, desk->one_text);
    assert_non_null(one);
    /* Another role or another secret is another token. */
    desk->one.role = PROTO_ROLE_ADMIN;
    put(desk, &desk->one, NULL);
    assert_true(auth_book_reload(book, &change, &fault));
    assert_false(auth_grant_stands(one, NOW_MS, &fault));
    assert_int_equal(change.added, 1);
    auth_grant_leave(one);
    auth_book_destroy(book);
}

static void a_file_that_cannot_be_used_changes_nothing(void **state)
{
    struct desk *desk = *state;
    struct proto_fault fault = {0};
    struct auth_change change = {.on_end = note_end, .context = desk};
    struct auth_book *book = open_book(desk);
    FILE *out = fopen(desk->path, "we");
    assert_non_null(out);
    assert_true(fputs("one role=king\n", out) >= 0);
    assert_int_equal(fclose(out), 0);
    assert_false(auth_book_reload(book, &change, &fault));
    assert_non_null(strstr(fault.message, ":1:10: role must be"));
    assert_string_equal(desk->ended, "");
    assert_int_equal(auth_book_count(book), 2);
    struct auth_grant *one = enter(book, desk->one_text);
    assert_non_null(one);
    auth_book_destroy(book); /* who holds a grant may outlive the book */
    assert_true(auth_grant_stands(one, NOW_MS, &fault));
    auth_grant_leave(one);
    assert_null(auth_book_create(desk->path, &fault));
}

static void bytes_and_requests_are_limited_each(void **state)
{
    struct desk *desk = *state;
    uint64_t wait_ns = 0;
    desk->one.requests = (struct auth_rate){2, 2};
    desk->one.bytes = (struct auth_rate){100, 100};
    put(desk, &desk->one, NULL);
    struct auth_book *book = open_book(desk);
    struct auth_grant *grant = enter(book, desk->one_text);
    assert_true(auth_grant_admit(grant, 90, SECOND, &wait_ns));
    assert_false(auth_grant_admit(grant, 90, SECOND, &wait_ns)); /* bytes; the request is free */
    assert_int_equal(wait_ns, SECOND * 8 / 10);
    assert_true(auth_grant_admit(grant, 10, SECOND, &wait_ns));
    assert_false(auth_grant_admit(grant, 1, SECOND, &wait_ns)); /* requests */
    assert_int_equal(wait_ns, SECOND / 2);
    auth_grant_leave(grant);
    auth_book_destroy(book);
}

int main(void)
{
#define EACH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        EACH(who_shows_a_token_has_its_role_and_name),
        EACH(what_has_expired_neither_enters_nor_stands),
        EACH(reading_anew_ends_what_is_gone_and_keeps_the_rest),
        EACH(a_file_that_cannot_be_used_changes_nothing),
        EACH(bytes_and_requests_are_limited_each),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
