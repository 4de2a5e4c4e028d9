/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes on a log in memory: what is written through one is on all, once, whatever is lost on the
 * way, and each knows how far and how old it is. */
#include "tests/unit/cluster/cluster_world.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void what_one_writes_all_have(void **state)
{
    struct world *world = *state;
    world_start(world);
    for (unsigned i = 0; i < 30; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "a%u", i % 11);
        struct store_result result =
            world_write(world, i % WORLD_NODES, world_put_batch(id, i, NULL));
        assert_int_equal(result.fault.code, PROTO_OK);
        assert_int_equal(result.seq, i + 1);
        assert_int_equal(result.created, i < 11);
    }
    world_must_be_level(world, 30);
    assert_int_equal(atomic_load(&world->log_told), 7);
    for (int i = 0; world_age_ms(&world->nodes[0]) > 0; i++) {
        assert_true(i < WORLD_LOOKS); /* a reading that finds nothing more comes soon */
        usleep(WORLD_LOOK_US);
    }
    for (unsigned i = 0; i < WORLD_NODES; i++) {
        assert_true(number_of(&world->nodes[i].store, "a7") == 29);
    }
}

static void a_refusal_is_what_the_store_says(void **state)
{
    struct world *world = *state;
    struct made made;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    world_start(world);
    make_record(&made, "nobody", NULL, 1, NULL);
    assert_true(store_batch_patch(batch, made_span(&made), NULL, 0, &fault));
    struct store_result result = world_write(world, 1, batch);
    assert_int_equal(result.fault.code, PROTO_NOT_FOUND);
    assert_int_equal(world_write(world, 2, world_put_batch("b", 1, NULL)).fault.code, PROTO_OK);
    world_must_be_level(world, 2);
}

static void an_operation_repeated_through_another_node_is_applied_once(void **state)
{
    struct world *world = *state;
    world_start(world);
    struct store_result first = world_write(world, 0, world_put_batch("a", 1, "op-1"));
    assert_int_equal(world_write(world, 1, world_put_batch("a", 2, NULL)).fault.code, PROTO_OK);
    struct store_result again = world_write(world, 2, world_put_batch("a", 1, "op-1"));
    assert_true(again.repeated);
    assert_int_equal(again.seq, first.seq);
    world_must_be_level(world, 3);
    assert_true(number_of(&world->nodes[0].store, "a") == 2);
}

static void a_lost_answer_is_asked_again_and_found(void **state)
{
    struct world *world = *state;
    world_start(world);
    world_plant(world, 3, false);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(world_write(world, 0, world_put_batch("a", i, NULL)).seq, i + 1);
    }
    world_must_be_level(world, 5);
    assert_true(world_look(world, 0).appends_again > 0);
}

/* The control: without ids of entries the same is in the log twice. */
static void without_ids_of_entries_a_lost_answer_doubles(void **state)
{
    struct world *world = *state;
    world_start(world);
    world_plant(world, 1, true);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 1, NULL)).fault.code, PROTO_OK);
    world_must_be_level(world, 2);
}

static void while_the_log_is_away_writes_are_refused_and_it_says_why(void **state)
{
    struct world *world = *state;
    struct answer answer;
    struct proto_fault fault = {.code = PROTO_OK};
    world_start(world);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 1, NULL)).fault.code, PROTO_OK);
    memory_log_away(&world->log, true);
    world_wait_state(world, 0, CLUSTER_AWAY);
    assert_true(world_give(world, 0, world_put_batch("a", 2, NULL), &answer, &fault));
    base_clock_advance(&world->clock, 6000);
    struct store_result result = world_await(&answer);
    assert_int_equal(result.fault.code, PROTO_BUSY);
    assert_non_null(strstr(result.fault.message, "the planted log is away"));
    assert_true(number_of(&world->nodes[0].store, "a") == 1); /* reads go on */
    assert_false(
        world_give(world, 0, world_put_batch("a", 2, NULL), &answer, &fault)); /* at once, by now */
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_non_null(strstr(fault.message, "the planted log is away"));
    memory_log_away(&world->log, false);
    world_wait_state(world, 0, CLUSTER_FOLLOWING);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 3, NULL)).seq, 2);
    world_must_be_level(world, 2);
}

static void a_deadline_counts_while_a_write_waits(void **state)
{
    struct world *world = *state;
    struct answer answer;
    struct proto_fault fault = {.code = PROTO_OK};
    world_start(world);
    memory_log_away(&world->log, true);
    world_wait_state(world, 0, CLUSTER_AWAY);
    struct store_batch *batch = world_put_batch("a", 2, NULL);
    store_batch_deadline(batch, 1500);
    assert_true(world_give(world, 0, batch, &answer, &fault));
    base_clock_advance(&world->clock, 2000);
    assert_int_equal(world_await(&answer).fault.code, PROTO_DEADLINE);
    memory_log_away(&world->log, false);
    world_must_be_level(world, 0);
}

static void beyond_its_bytes_the_queue_is_busy(void **state)
{
    struct world *world = *state;
    struct answer answers[64];
    unsigned taken = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    world_start(world);
    memory_log_away(&world->log, true);
    world_wait_state(world, 0, CLUSTER_AWAY);
    for (; taken < 64; taken++) {
        struct store_batch *batch = store_batch_create();
        for (unsigned i = 0; i < 1000; i++) {
            struct made made;
            make_record(&made, "a", NULL, i, NULL);
            assert_true(store_batch_put(batch, made_span(&made), &fault));
        }
        if (!world_give(world, 0, batch, &answers[taken], &fault)) {
            break;
        }
    }
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_true(taken > 1 && taken < 64);
    world_node_end(world, 0);
    for (unsigned i = 0; i < taken; i++) {
        assert_int_equal(world_await(&answers[i]).fault.code, PROTO_SHUTTING_DOWN);
    }
    memory_log_away(&world->log, false);
    world_node_start(world, 0);
}

static void leave_unread(struct world *world, const char *node)
{
    pthread_mutex_lock(&world->log.lock);
    (void)snprintf(world->log.unread, sizeof world->log.unread, "%s", node);
    pthread_mutex_unlock(&world->log.lock);
}

/* Not the hour in which nobody wrote. */
static void the_lag_is_the_age_of_what_is_not_applied(void **state)
{
    struct world *world = *state;
    world_start(world);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 1, NULL)).seq, 1);
    world_wait_applied(world, 2, 1);
    base_clock_advance(&world->clock, 3600000);
    for (int i = 0; world_age_ms(&world->nodes[2]) > 0; i++) {
        assert_true(i < WORLD_LOOKS); /* a reading found nothing since */
        usleep(WORLD_LOOK_US);
    }
    leave_unread(world, "n2");
    assert_int_equal(world_write(world, 0, world_put_batch("a", 2, NULL)).seq, 2);
    while (world_look(world, 2).lag_entries == 0) {
        usleep(WORLD_LOOK_US);
    }
    base_clock_advance(&world->clock, 2000);
    struct cluster_look look = world_look(world, 2);
    assert_in_range(look.lag_ns, UINT64_C(1000000), UINT64_C(4000000000));
    leave_unread(world, "");
    world_wait_applied(world, 2, 2);
}

static void a_wall_clock_that_is_set_makes_no_answer_younger(void **state)
{
    struct world *world = *state;
    memory_log_away(&world->log, true);
    world_node_start(world, 0);
    world_wait_state(world, 0, CLUSTER_AWAY);
    assert_int_equal(world_age_ms(&world->nodes[0]), WORLD_BEGUN_MS); /* nobody knows */
    memory_log_away(&world->log, false);
    for (int i = 0; world_age_ms(&world->nodes[0]) > 0; i++) {
        assert_true(i < WORLD_LOOKS);
        usleep(WORLD_LOOK_US);
    }
    memory_log_away(&world->log, true);
    world_wait_state(world, 0, CLUSTER_AWAY);
    base_clock_advance(&world->clock, 2000);
    assert_int_equal(world_age_ms(&world->nodes[0]), 2000);
    atomic_fetch_sub(&world->clock.ms, 3600000);
    assert_int_equal(world_age_ms(&world->nodes[0]), 2000);
    atomic_fetch_add(&world->clock.ms, 2 * 3600000);
    assert_int_equal(world_age_ms(&world->nodes[0]), 2000);
}

static void what_no_snapshot_needs_is_trimmed_and_no_more(void **state)
{
    struct world *world = *state;
    world_start(world);
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(world_write(world, 0, world_put_batch("a", i, NULL)).seq, i + 1);
    }
    assert_int_equal(world_look(world, 0).base, 0);
    cluster_keep(world->nodes[0].cluster, 7, 9);
    assert_int_equal(world_look(world, 0).snapshot, 9);
    for (int i = 0; world_look(world, 0).base < 7; i++) {
        assert_true(i < WORLD_LOOKS);
        base_clock_advance(&world->clock, 200);
        usleep(WORLD_LOOK_US);
    }
    for (unsigned i = 12; i < 20; i++) {
        assert_int_equal(world_write(world, 0, world_put_batch("a", i, NULL)).seq, i + 1);
        base_clock_advance(&world->clock, 1000);
    }
    world_must_be_level(world, 20);
    assert_int_equal(world_look(world, 0).base, 7);
}

/* Who sends clients to nodes asks for this. */
static void a_node_is_level_once_it_has_applied_what_it_found(void **state)
{
    struct world *world = *state;
    world_node_start(world, 0);
    world_wait_state(world, 0, CLUSTER_FOLLOWING);
    assert_true(world_look(world, 0).level);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(world_write(world, 0, world_put_batch("a", i, NULL)).seq, i + 1);
    }
    leave_unread(world, "n1");
    world_node_start(world, 1);
    while (world_look(world, 1).connects == 0) {
        usleep(WORLD_LOOK_US);
    }
    assert_false(world_look(world, 1).level);
    assert_int_equal(world_look(world, 1).lag_entries, 5);
    leave_unread(world, "");
    world_wait_applied(world, 1, 5);
    assert_true(world_look(world, 1).level);
    leave_unread(world, "n1");
    assert_int_equal(world_write(world, 0, world_put_batch("a", 9, NULL)).seq, 6);
    assert_true(world_look(world, 1).level); /* behind by one, like any */
    leave_unread(world, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(what_one_writes_all_have),
        WORLD_TEST(a_refusal_is_what_the_store_says),
        WORLD_TEST(an_operation_repeated_through_another_node_is_applied_once),
        WORLD_TEST(a_lost_answer_is_asked_again_and_found),
        WORLD_TEST(without_ids_of_entries_a_lost_answer_doubles),
        WORLD_TEST(while_the_log_is_away_writes_are_refused_and_it_says_why),
        WORLD_TEST(a_deadline_counts_while_a_write_waits),
        WORLD_TEST(beyond_its_bytes_the_queue_is_busy),
        WORLD_TEST(the_lag_is_the_age_of_what_is_not_applied),
        WORLD_TEST(a_wall_clock_that_is_set_makes_no_answer_younger),
        WORLD_TEST(what_no_snapshot_needs_is_trimmed_and_no_more),
        WORLD_TEST(a_node_is_level_once_it_has_applied_what_it_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
