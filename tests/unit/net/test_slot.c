/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/net/net_fixture.h"

#include "server/net/net_worker.h"

#define CONNS 300

static struct net_ticket ticket_of(const struct net_conn *conn)
{
    return (struct net_ticket){0, conn->slot, conn->generation};
}

static void ticket_finds_its_connection_and_no_later_one(void **state)
{
    (void)state;
    struct net_worker worker = {.slots_free = UINT32_MAX};
    static struct net_conn conns[CONNS];
    struct net_ticket old[CONNS];
    for (size_t i = 0; i < CONNS; i++) {
        assert_true(net_slot_take(&worker, &conns[i]));
        old[i] = ticket_of(&conns[i]);
    }
    for (size_t i = 0; i < CONNS; i++) {
        assert_ptr_equal(net_slot_find(&worker, old[i]), &conns[i]);
    }
    for (size_t i = 0; i < CONNS; i += 3) {
        net_slot_release(&worker, &conns[i]);
    }
    for (size_t i = 0; i < CONNS; i += 3) {
        assert_null(net_slot_find(&worker, old[i]));
    }
    for (size_t i = 0; i < CONNS; i += 3) {
        assert_true(net_slot_take(&worker, &conns[i]));
    }
    assert_int_equal(worker.slots_count, CONNS); /* slots are used again */
    for (size_t i = 0; i < CONNS; i++) {
        assert_ptr_equal(net_slot_find(&worker, ticket_of(&conns[i])), &conns[i]);
        assert_ptr_equal(net_slot_find(&worker, old[i]), i % 3 == 0 ? NULL : &conns[i]);
    }
    free(worker.slots);
}

static void ticket_that_was_never_given_out_finds_nothing(void **state)
{
    (void)state;
    struct net_worker worker = {.slots_free = UINT32_MAX};
    struct net_conn conn = {0};
    assert_null(net_slot_find(&worker, (struct net_ticket){0, 0, 0}));
    assert_true(net_slot_take(&worker, &conn));
    assert_null(net_slot_find(&worker, (struct net_ticket){0, 0, 0}));
    assert_null(net_slot_find(&worker, (struct net_ticket){0, UINT32_MAX, 1}));
    net_slot_release(&worker, &conn);
    assert_null(net_slot_find(&worker, (struct net_ticket){0, 0, 0})); /* a free slot is nobody */
    free(worker.slots);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticket_finds_its_connection_and_no_later_one),
        cmocka_unit_test(ticket_that_was_never_given_out_finds_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
