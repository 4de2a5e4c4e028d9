/* SPDX-License-Identifier: Apache-2.0 */
/* Connections and wrong tokens by address, on a clock of the test's own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
// clang-format off
#include <cmocka.h>
// clang-format on

#include <arpa/inet.h>
#include <string.h>

#include "server/auth/address_book.h"

#define SECOND UINT64_C(1000000000)

static struct auth_source source(const char *text)
{
    struct sockaddr_in four = {.sin_family = AF_INET};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6};
    struct auth_source result;
    if (inet_pton(AF_INET, text, &four.sin_addr) == 1) {
        assert_true(auth_source_of((const struct sockaddr *)&four, &result));
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &six.sin6_addr), 1);
        assert_true(auth_source_of((const struct sockaddr *)&six, &result));
    }
    return result;
}

static struct auth_addresses *create(uint32_t connections_max, uint32_t wrong_max, size_t places)
{
    struct proto_fault fault = {0};
    const struct auth_addresses_options options = {
        .connections_max = connections_max, .wrong_max = wrong_max, .places = places, .seed = 42};
    struct auth_addresses *all = auth_addresses_create(&options, &fault);
    assert_non_null(all);
    return all;
}

static bool same(const char *a, const char *b)
{
    const struct auth_source one = source(a);
    const struct auth_source two = source(b);
    return memcmp(&one, &two, sizeof one) == 0;
}

static void an_address_of_six_counts_by_its_network(void **state)
{
    (void)state;
    assert_true(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::2"));
    assert_false(same("2001:db8:1:2::1", "2001:db8:1:3::1"));
    assert_false(same("10.0.0.1", "10.0.0.2"));
    assert_true(same("10.0.0.1", "::ffff:10.0.0.1"));
    assert_false(same("::ffff:10.0.0.1", "::ffff:10.0.0.2"));
    const struct sockaddr local = {.sa_family = AF_UNIX};
    struct auth_source none;
    assert_false(auth_source_of(&local, &none));
    static const char *const loopback[] = {"127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"};
    static const char *const far[] = {"128.0.0.1", "10.0.0.1", "::2", "2001:db8::1", "7f00::1"};
    for (size_t i = 0; i < 4; i++) {
        const struct auth_source at = source(loopback[i]);
        assert_true(auth_source_is_loopback(&at));
    }
    for (size_t i = 0; i < 5; i++) {
        const struct auth_source at = source(far[i]);
        assert_false(auth_source_is_loopback(&at));
    }
}

static void an_address_has_so_many_connections_and_others_theirs(void **state)
{
    (void)state;
    struct auth_addresses *all = create(2, 0, 100);
    const struct auth_source a = source("10.0.0.1");
    const struct auth_source b = source("10.0.0.2");
    auth_guest guests[3];
    assert_true(auth_guest_enter(all, &a, SECOND, &guests[0]));
    assert_true(auth_guest_enter(all, &a, SECOND, &guests[1]));
    assert_int_equal(guests[0], guests[1]);
    assert_false(auth_guest_enter(all, &a, SECOND, &guests[2]));
    assert_int_equal(guests[2], 0);
    assert_true(auth_guest_enter(all, &b, SECOND, &guests[2]));
    auth_guest_leave(all, guests[0]);
    assert_true(auth_guest_enter(all, &a, SECOND, &guests[0]));
    auth_addresses_destroy(all);
}

static void wrong_tokens_are_held_against_the_address_until_paid_off(void **state)
{
    (void)state;
    struct auth_addresses *all = create(0, 3, 100);
    const struct auth_source a = source("10.0.0.1");
    auth_guest guest;
    uint64_t wait_ns = 0;
    for (int i = 0; i < 3; i++) { /* on a connection each */
        assert_true(auth_guest_enter(all, &a, SECOND, &guest));
        assert_true(auth_guest_may_try(all, guest, SECOND, &wait_ns));
        auth_guest_was_wrong(all, guest, SECOND);
        auth_guest_leave(all, guest);
    }
    assert_true(auth_guest_enter(all, &a, SECOND, &guest));
    assert_false(auth_guest_may_try(all, guest, SECOND, &wait_ns));
    assert_int_equal(wait_ns, 20 * SECOND);
    assert_false(auth_guest_may_try(all, guest, 21 * SECOND - 1, &wait_ns));
    assert_true(auth_guest_may_try(all, guest, 21 * SECOND, &wait_ns));
    /* Who is not counted is not held. */
    auth_guest_was_wrong(all, 0, SECOND);
    assert_true(auth_guest_may_try(all, 0, SECOND, &wait_ns));
    auth_addresses_destroy(all);
}

/* However many other addresses come, good or bad, what one did is remembered. */
static void nobody_is_forgotten_by_bringing_many_addresses(void **state)
{
    (void)state;
    struct auth_addresses *all = create(0, 3, 1); /* one set: the worst case of a hash */
    const struct auth_source bad = source("10.9.9.9");
    auth_guest first;
    uint64_t wait_ns = 0;
    assert_true(auth_guest_enter(all, &bad, SECOND, &first));
    for (int i = 0; i < 3; i++) {
        auth_guest_was_wrong(all, first, SECOND);
    }
    auth_guest_leave(all, first);
    for (uint32_t i = 0; i < 10000; i++) {
        struct auth_source other = source("10.0.0.0");
        auth_guest guest;
        memcpy(other.bytes + 12, &i, 2);
        assert_true(auth_guest_enter(all, &other, SECOND, &guest));
        if (i % 2 == 0) {
            auth_guest_was_wrong(all, guest, SECOND);
        }
        auth_guest_leave(all, guest);
    }
    assert_true(auth_guest_enter(all, &bad, SECOND, &first));
    assert_false(auth_guest_may_try(all, first, SECOND, &wait_ns));
    auth_guest_leave(all, first);
    /* Once all is paid off there is room again, and nothing against anybody. */
    uint64_t later = 10000 * 60 * SECOND;
    assert_true(auth_guest_enter(all, &bad, later, &first));
    assert_true(auth_guest_may_try(all, first, later, &wait_ns));
    auth_addresses_destroy(all);
}

static void those_who_find_no_place_share_one_and_its_limits(void **state)
{
    (void)state;
    struct auth_addresses *all = create(2, 0, 1);
    auth_guest guest[AUTH_ADDRESS_WAYS + 2];
    for (uint8_t i = 0; i < AUTH_ADDRESS_WAYS + 2; i++) {
        struct auth_source other = source("10.0.0.0");
        other.bytes[15] = i;
        assert_true(auth_guest_enter(all, &other, SECOND, &guest[i]));
    }
    assert_int_equal(guest[AUTH_ADDRESS_WAYS], guest[AUTH_ADDRESS_WAYS + 1]);
    const struct auth_source late = source("10.1.1.1");
    auth_guest none;
    assert_false(auth_guest_enter(all, &late, SECOND, &none));
    auth_guest_leave(all, guest[3]);
    assert_true(auth_guest_enter(all, &late, SECOND, &none));
    assert_int_equal(none, guest[3]);
    auth_addresses_destroy(all);
}

/* Over all its connections, and not anew after the last of them has gone. */
static void requests_of_an_address_have_one_rate(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    const struct auth_addresses_options options = {.requests = {10, 10}, .places = 64, .seed = 42};
    struct auth_addresses *all = auth_addresses_create(&options, &fault);
    assert_non_null(all);
    assert_true(auth_addresses_meter(all));
    const struct auth_source one = source("10.0.0.1");
    const struct auth_source other = source("10.0.0.2");
    auth_guest guests[3];
    uint64_t wait_ns = 0;
    assert_true(auth_guest_enter(all, &one, SECOND, &guests[0]));
    assert_true(auth_guest_enter(all, &one, SECOND, &guests[1]));
    assert_true(auth_guest_enter(all, &other, SECOND, &guests[2]));
    for (unsigned i = 0; i < 10; i++) {
        assert_true(auth_guest_admit(all, guests[i % 2], SECOND, &wait_ns));
    }
    assert_false(auth_guest_admit(all, guests[0], SECOND, &wait_ns));
    assert_true(wait_ns > 0 && wait_ns <= SECOND / 10);
    assert_true(auth_guest_admit(all, guests[2], SECOND, &wait_ns));
    assert_true(auth_guest_admit(all, 0, SECOND, &wait_ns)); /* who is not counted */
    auth_guest_leave(all, guests[0]);
    auth_guest_leave(all, guests[1]);
    assert_true(auth_guest_enter(all, &one, SECOND, &guests[0]));
    assert_false(auth_guest_admit(all, guests[0], SECOND, &wait_ns));
    assert_true(auth_guest_admit(all, guests[0], SECOND + wait_ns, &wait_ns));
    auth_addresses_destroy(all);
    all = create(1, 1, 64);
    assert_false(auth_addresses_meter(all));
    auth_addresses_destroy(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_address_of_six_counts_by_its_network),
        cmocka_unit_test(an_address_has_so_many_connections_and_others_theirs),
        cmocka_unit_test(wrong_tokens_are_held_against_the_address_until_paid_off),
        cmocka_unit_test(requests_of_an_address_have_one_rate),
        cmocka_unit_test(nobody_is_forgotten_by_bringing_many_addresses),
        cmocka_unit_test(those_who_find_no_place_share_one_and_its_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
