/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes that were away, come with another store or read something else than the others had: they
 * catch up, wait, or go into quarantine and say why. */
#include "tests/unit/cluster/cluster_world.h"

#include <string.h>
#include <unistd.h>

static void a_node_that_was_away_catches_up(void **state)
{
    struct world *world = *state;
    world_start(world);
    for (unsigned i = 0; i < 40; i++) {
        if (i % 10 == 5) {
            world->nodes[2].store.tuning.abandon = i == 15; /* as if killed */
            world_node_end(world, 2);
        }
        assert_int_equal(world_write(world, i % 2, world_put_batch("a", i, NULL)).seq, i + 1);
        if (i % 10 == 9) {
            world_node_start(world, 2);
        }
    }
    world_must_be_level(world, 40);
}

static void quarantined(struct world *world, unsigned place, const char *words)
{
    struct answer answer;
    struct proto_fault fault = {.code = PROTO_OK};
    world_wait_state(world, place, CLUSTER_QUARANTINE);
    assert_non_null(strstr(world_look(world, place).reason, words));
    assert_false(world_give(world, place, world_put_batch("z", 1, NULL), &answer, &fault));
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_non_null(strstr(fault.message, "quarantine"));
    assert_int_equal(cluster_refuses(world->nodes[place].cluster, &fault), world->unread);
}

/* The entry that one node reads is another than the others had. */
static void an_altered_entry_puts_its_reader_into_quarantine(void **state)
{
    struct world *world = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    world_start(world);
    world_node_end(world, 2);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 1, NULL)).seq, 1);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 2, NULL)).seq, 2);
    world_wait_applied(world, 1, 2);
    uint8_t *byte = (uint8_t *)(uintptr_t)&world->log.entries[1].payload.data[40];
    *byte ^= 1;
    world_node_start(world, 2);
    quarantined(world, 2, "does not match its digest");
    assert_int_equal(world_look(world, 2).applied, 1);
    assert_int_equal(world_write(world, 1, world_put_batch("a", 3, NULL)).seq,
                     3); /* others go on */
    world_node_end(world, 2);
    world->unread = true; /* by option */
    world_node_start(world, 2);
    quarantined(world, 2, "does not match its digest");
    assert_true(cluster_refuses(world->nodes[2].cluster, &fault));
    assert_int_equal(fault.code, PROTO_BEHIND);
    assert_non_null(strstr(fault.message, "does not match its digest"));
    assert_false(cluster_refuses(world->nodes[1].cluster, &fault));
    *byte ^= 1;
}

/* Others may apply it: a client that reads "nothing was done" would do it twice. */
static void a_write_that_may_be_in_the_log_is_not_refused_as_undone(void **state)
{
    struct world *world = *state;
    struct answer answer;
    struct proto_fault fault = {.code = PROTO_OK};
    world_start(world);
    pthread_mutex_lock(&world->log.lock);
    world->log.alters = true;
    pthread_mutex_unlock(&world->log.lock);
    assert_true(world_give(world, 0, world_put_batch("a", 1, NULL), &answer, &fault));
    struct store_result result = world_await(&answer);
    assert_int_equal(result.fault.code, PROTO_CANCELLED);
    assert_non_null(strstr(result.fault.message, "may be in the shared log"));
    assert_non_null(strstr(result.fault.message, "does not match its digest"));
}

static void a_log_that_is_another_is_not_followed(void **state)
{
    struct world *world = *state;
    world_start(world);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 1, NULL)).seq, 1);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 2, NULL)).seq, 2);
    world_wait_applied(world, 2, 2);
    world_node_end(world, 2);
    world->log.entries[1].chain[3] ^= 1;
    world_node_start(world, 2);
    quarantined(world, 2, "is not what stands in the shared log");
    world->log.entries[1].chain[3] ^= 1;
}

static void a_log_that_lost_its_end_is_waited_for(void **state)
{
    struct world *world = *state;
    world_start(world);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 1, NULL)).seq, 1);
    assert_int_equal(world_write(world, 0, world_put_batch("a", 2, NULL)).seq, 2);
    world_wait_applied(world, 2, 2);
    world_node_end(world, 2);
    world_head_set(world, 1);
    world_node_start(world, 2);
    world_wait_state(world, 2, CLUSTER_AHEAD);
    world_head_set(world, 2);
    world_wait_state(world, 2, CLUSTER_FOLLOWING);
}

static void a_store_that_the_log_did_not_begin_with_is_not_taken(void **state)
{
    struct world *world = *state;
    struct store_result result;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t base;
    for (unsigned i = 0; i < 2; i++) {
        fixture_open(&world->nodes[i].store);
        assert_true(put_one(&world->nodes[i].store, "old", NULL, i, &result));
    }
    struct cluster_options options = world_options(world, &world->nodes[0]);
    assert_true(cluster_found(&options, &base, &fault));
    assert_int_equal(base, 1);
    fixture_close(&world->nodes[0].store);
    fixture_close(&world->nodes[1].store);
    for (unsigned i = 0; i < WORLD_NODES; i++) {
        world_node_start(world, i);
    }
    world_wait_state(world, 0, CLUSTER_FOLLOWING);
    quarantined(world, 1, "is not the one that it began with");
    quarantined(world, 2, "or a backup of a node"); /* it is empty, and the log begins later */
}

/* No more views are given for a while, as when memory is short: that says nothing of the store. */
static void a_store_that_cannot_be_looked_at_is_tried_again(void **state)
{
    struct world *world = *state;
    struct store_view *views[4096];
    size_t count = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    memory_log_away(&world->log, true);
    world_node_start(world, 0);
    world_wait_state(world, 0, CLUSTER_AWAY);
    while ((views[count] = store_view_open(world->nodes[0].store.store, &fault)) != NULL) {
        assert_true(++count < 4096);
    }
    memory_log_away(&world->log, false);
    while (strstr(world_look(world, 0).reason, "planted") != NULL) {
        usleep(WORLD_LOOK_US);
    }
    assert_int_equal(world_look(world, 0).state, CLUSTER_AWAY);
    assert_memory_equal(world_look(world, 0).reason, fault.message, 20);
    while (count > 0) {
        store_view_close(views[--count]);
    }
    world_wait_state(world, 0, CLUSTER_FOLLOWING);
}

static void of_stores_that_came_apart_the_odd_one_is_found(void **state)
{
    struct world *world = *state;
    world->check_entries = 10;
    world_start(world);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(world_write(world, 0, world_put_batch("a", i, NULL)).seq, i + 1);
    }
    for (unsigned i = 0; i < WORLD_NODES; i++) {
        for (int looks = 0; world_look(world, i).checks < 1; looks++) {
            assert_true(looks < WORLD_LOOKS);
            base_clock_advance(&world->clock, 500);
            usleep(WORLD_LOOK_US);
        }
        assert_int_equal(world_look(world, i).state, CLUSTER_FOLLOWING);
    }
    /* The control: two others say otherwise of that moment. */
    for (int looks = 0; world_look(world, 1).state != CLUSTER_QUARANTINE; looks++) {
        assert_true(looks < WORLD_LOOKS);
        base_clock_advance(&world->clock, 500);
        usleep(WORLD_LOOK_US);
        pthread_mutex_lock(&world->log.lock);
        for (size_t i = 0; i < world->log.vote_count; i++) {
            struct memory_vote *vote = &world->log.votes[i];
            vote->check.content[1] = strcmp(vote->node, "n1") == 0 ? vote->check.content[1] : 99;
        }
        pthread_mutex_unlock(&world->log.lock);
    }
    quarantined(world, 1, "holds something else");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(a_node_that_was_away_catches_up),
        WORLD_TEST(an_altered_entry_puts_its_reader_into_quarantine),
        WORLD_TEST(a_write_that_may_be_in_the_log_is_not_refused_as_undone),
        WORLD_TEST(a_log_that_is_another_is_not_followed),
        WORLD_TEST(a_log_that_lost_its_end_is_waited_for),
        WORLD_TEST(a_store_that_the_log_did_not_begin_with_is_not_taken),
        WORLD_TEST(a_store_that_cannot_be_looked_at_is_tried_again),
        WORLD_TEST(of_stores_that_came_apart_the_odd_one_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
