/* SPDX-License-Identifier: Apache-2.0 */
/* Who is connected and what they do: the list and the rings. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "server/rpc/people.h"

static int setup(void **state)
{
    static struct rpc_people people;
    assert_true(rpc_people_init(&people));
    *state = &people;
    return 0;
}

static int teardown(void **state)
{
    rpc_people_fini(*state);
    return 0;
}

static void connections_come_and_go_in_any_order(void **state)
{
    struct rpc_people *people = *state;
    struct rpc_person *a = rpc_person_create(people, "a", 1);
    struct rpc_person *b = rpc_person_create(people, "b", 2);
    struct rpc_person *c = rpc_person_create(people, "c", 3);
    assert_int_equal(people->count, 3);
    assert_ptr_equal(people->first, c);
    rpc_person_destroy(b);
    assert_ptr_equal(c->next, a);
    assert_ptr_equal(a->previous, c);
    rpc_person_destroy(c);
    assert_ptr_equal(people->first, a);
    rpc_person_destroy(a);
    assert_null(people->first);
    assert_int_equal(people->count, 0);
    rpc_person_destroy(NULL);
}

static void numbers_are_never_given_twice(void **state)
{
    struct rpc_people *people = *state;
    struct rpc_person *a = rpc_person_create(people, "a", 1);
    uint64_t first = a->number;
    rpc_person_destroy(a);
    a = rpc_person_create(people, "a", 1);
    assert_true(a->number > first);
    rpc_person_destroy(a);
}

static void what_is_too_long_is_cut(void **state)
{
    struct rpc_people *people = *state;
    char address[300];
    char client[300];
    memset(address, 'x', sizeof address);
    memset(client, 'y', sizeof client);
    address[sizeof address - 1] = client[sizeof client - 1] = '\0';
    struct rpc_person *a = rpc_person_create(people, address, 1);
    rpc_person_name(a, client, "eu-router", PROTO_ROLE_READ);
    assert_int_equal(strlen(a->address), PEOPLE_ADDRESS_BYTES - 1);
    assert_int_equal(strlen(a->names.client), RPC_CLIENT_BYTES_MAX);
    struct rpc_names names;
    rpc_people_names(people, a->number, &names);
    assert_string_equal(names.token, "eu-router");
    assert_string_equal(names.client, a->names.client);
    uint64_t number = a->number;
    char cut[RPC_CLIENT_BYTES_MAX + 1];
    memcpy(cut, a->names.client, sizeof cut);
    rpc_person_destroy(a);
    rpc_people_names(people, number, &names);
    assert_string_equal(names.client, cut);
    assert_string_equal(names.token, "eu-router");
}

static void names_of_the_latest_that_left_are_known(void **state)
{
    struct rpc_people *people = *state;
    char name[RPC_CLIENT_BYTES_MAX + 1];
    struct rpc_names names;
    uint64_t first = 0;
    uint64_t last = 0;
    for (unsigned i = 0; i < PEOPLE_LEFT + 1; i++) {
        struct rpc_person *a = rpc_person_create(people, "a", 1);
        snprintf(name, sizeof name, "client %u", i);
        rpc_person_name(a, name, "", PROTO_ROLE_READ);
        last = a->number;
        first = i == 0 ? last : first;
        rpc_person_destroy(a);
    }
    rpc_people_names(people, last, &names);
    assert_string_equal(names.client, "client 1024");
    rpc_people_names(people, first, &names);
    assert_string_equal(names.client, "");
    struct rpc_person *unnamed = rpc_person_create(people, "a", 1); /* takes nobody's place */
    last = unnamed->number;
    rpc_person_destroy(unnamed);
    rpc_people_names(people, last, &names);
    assert_string_equal(names.client, "");
    rpc_people_names(people, first + 1, &names);
    assert_string_equal(names.client, "client 1");
}

static void what_a_connection_asks_is_counted(void **state)
{
    struct rpc_people *people = *state;
    struct rpc_person *a = rpc_person_create(people, "a", 1);
    rpc_person_asked(a, 64, 16, 5);
    rpc_person_asked(a, 2, 1, 9);
    rpc_person_asked(NULL, 2, 1, 9);
    assert_int_equal(a->requests, 17);
    assert_int_equal(a->last_op, 2);
    assert_int_equal(a->last_ns, 9);
    rpc_person_destroy(a);
}

static void write_some(struct rpc_people *people, unsigned count, bool slow)
{
    for (unsigned i = 0; i < count; i++) {
        const struct rpc_record record = {.opcode = 2, .count = 1, .took_us = i};
        rpc_people_record(people, &record, slow);
    }
}

static void a_ring_is_read_on_from_a_position(void **state)
{
    struct rpc_people *people = *state;
    struct rpc_record out[8];
    uint64_t last;
    assert_int_equal(rpc_people_read(people, &people->slow, 0, out, 8, &last), 0);
    assert_int_equal(last, 0);
    write_some(people, 5, true);
    assert_int_equal(rpc_people_read(people, &people->slow, 0, out, 3, &last), 3);
    assert_int_equal(out[0].position, 1);
    assert_int_equal(out[2].position, 3);
    assert_int_equal(last, 5);
    assert_int_equal(rpc_people_read(people, &people->slow, 3, out, 8, &last), 2);
    assert_int_equal(out[0].position, 4);
    assert_int_equal(rpc_people_read(people, &people->slow, 5, out, 8, &last), 0);
}

static void what_is_overwritten_shows_as_a_gap(void **state)
{
    struct rpc_people *people = *state;
    struct rpc_record out[8];
    uint64_t last;
    write_some(people, PEOPLE_SLOW + 10, true);
    assert_int_equal(rpc_people_read(people, &people->slow, 2, out, 8, &last), 8);
    assert_int_equal(out[0].position, 11);
    assert_int_equal(out[0].took_us, 10);
    assert_int_equal(last, PEOPLE_SLOW + 10);
}

static void a_position_from_before_a_restart_begins_anew(void **state)
{
    struct rpc_people *people = *state;
    struct rpc_record out[8];
    uint64_t last;
    write_some(people, 3, true);
    assert_int_equal(rpc_people_read(people, &people->slow, 1000, out, 8, &last), 3);
    assert_int_equal(out[0].position, 1);
}

static void only_slow_ones_are_among_the_slow(void **state)
{
    struct rpc_people *people = *state;
    write_some(people, 4, false);
    write_some(people, 1, true);
    assert_int_equal(people->seen.written, 1 + 5);
    assert_int_equal(people->slow.written, 1);
}

int main(void)
{
#define WITH_PEOPLE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        WITH_PEOPLE(connections_come_and_go_in_any_order),
        WITH_PEOPLE(numbers_are_never_given_twice),
        WITH_PEOPLE(what_is_too_long_is_cut),
        WITH_PEOPLE(names_of_the_latest_that_left_are_known),
        WITH_PEOPLE(what_a_connection_asks_is_counted),
        WITH_PEOPLE(a_ring_is_read_on_from_a_position),
        WITH_PEOPLE(what_is_overwritten_shows_as_a_gap),
        WITH_PEOPLE(a_position_from_before_a_restart_begins_anew),
        WITH_PEOPLE(only_slow_ones_are_among_the_slow),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
