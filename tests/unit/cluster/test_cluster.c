/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes on a log in memory: what is written through one is on all, once, whatever is lost on the
 * way; what does not fit puts a node into quarantine; and a clock that is moved by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/cluster/cluster.h"
#include "server/store/position.h"
#include "tests/unit/cluster/memory_log.h"
#include "tests/unit/store/store_fixture.h"

enum { NODES = 3, LOOK_US = 2000, LOOKS = 30000, BEGUN_MS = 1000 };

struct world;

struct node {
    struct world *world;
    struct fixture store;
    struct cluster *cluster;
    char name[8];
};

struct world {
    struct memory_log log;
    char where[32];
    struct base_clock_manual clock;
    struct node nodes[NODES];
    uint64_t check_entries;
    bool unread; /* in quarantine */
    _Atomic uint64_t log_told;
};

static void on_log(void *context, uint64_t log)
{
    const struct node *node = context;
    atomic_store(&node->world->log_told, log);
}

static struct cluster_options options_of(struct world *world, struct node *node)
{
    return (struct cluster_options){.node = node->name,
                                    .where = world->where,
                                    .store = node->store.store,
                                    .clock = base_clock_manual(&world->clock),
                                    .queue_bytes_max = 1 << 20,
                                    .check_entries = world->check_entries,
                                    .quarantine_reads = !world->unread,
                                    .make = memory_log_make,
                                    .on_log = on_log,
                                    .context = node};
}

static void node_start(struct world *world, unsigned place)
{
    struct node *node = &world->nodes[place];
    struct proto_fault fault = {.code = PROTO_OK};
    (void)snprintf(node->name, sizeof node->name, "n%u", place);
    fixture_open(&node->store);
    struct cluster_options options = options_of(world, node);
    node->cluster = cluster_create(&options, &fault);
    assert_non_null(node->cluster);
}

static void node_end(struct world *world, unsigned place)
{
    struct node *node = &world->nodes[place];
    cluster_stop(node->cluster);
    cluster_destroy(node->cluster);
    node->cluster = NULL;
    fixture_close(&node->store);
}

static struct cluster_look look_at(struct world *world, unsigned place)
{
    struct cluster_look look;
    cluster_look(world->nodes[place].cluster, &look);
    return look;
}

static uint64_t age_ms(const struct node *node)
{
    return cluster_age_ms(node->cluster, cluster_as_of(node->cluster));
}

static void wait_state(struct world *world, unsigned place, enum cluster_state state)
{
    for (int i = 0; look_at(world, place).state != state; i++) {
        assert_true(i < LOOKS);
        usleep(LOOK_US);
    }
}

static void wait_applied(struct world *world, unsigned place, uint64_t seq)
{
    for (int i = 0; look_at(world, place).applied < seq; i++) {
        assert_true(i < LOOKS);
        usleep(LOOK_US);
    }
}

static void set_head(struct world *world, uint64_t head)
{
    pthread_mutex_lock(&world->log.lock);
    world->log.head.head = head;
    pthread_mutex_unlock(&world->log.lock);
}

static void plant(struct world *world, unsigned lose, bool forgetful)
{
    pthread_mutex_lock(&world->log.lock);
    world->log.lose = lose;
    world->log.forgetful = forgetful;
    pthread_mutex_unlock(&world->log.lock);
}

struct answer {
    sem_t ready;
    struct store_result result;
};

static void answer_done(void *context, const struct store_result *result)
{
    struct answer *answer = context;
    answer->result = *result;
    sem_post(&answer->ready);
}

static struct store_batch *put_batch(const char *id, double number, const char *operation)
{
    struct made made;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    make_record(&made, id, NULL, number, NULL);
    assert_true(store_batch_put(batch, made_span(&made), &fault));
    if (operation != NULL) {
        assert_true(store_batch_operation(batch, span(operation), 7, &fault));
    }
    return batch;
}

static bool give(struct world *world, unsigned place, struct store_batch *batch,
                 struct answer *answer, struct proto_fault *fault)
{
    sem_init(&answer->ready, 0, 0);
    bool taken = cluster_submit(world->nodes[place].cluster, batch, answer_done, answer, fault);
    if (!taken) {
        store_batch_destroy(batch);
    }
    return taken;
}

static struct store_result await(struct answer *answer)
{
    sem_wait(&answer->ready);
    sem_destroy(&answer->ready);
    return answer->result;
}

static struct store_result write_one(struct world *world, unsigned place, struct store_batch *batch)
{
    struct answer answer;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(give(world, place, batch, &answer, &fault));
    return await(&answer);
}

static void all_start(struct world *world)
{
    for (unsigned i = 0; i < NODES; i++) {
        node_start(world, i);
        wait_state(world, i, CLUSTER_FOLLOWING);
    }
}

static void must_be_level(struct world *world, uint64_t seq)
{
    struct store_position first;
    for (unsigned i = 0; i < NODES; i++) {
        struct store_position position;
        wait_applied(world, i, seq);
        store_position_get(world->nodes[i].store.store, &position);
        first = i == 0 ? position : first;
        assert_int_equal(position.seq, seq);
        assert_memory_equal(&position, &first, sizeof position);
        must_be_sound(&world->nodes[i].store);
    }
}

static void what_one_writes_all_have(void **state)
{
    struct world *world = *state;
    all_start(world);
    for (unsigned i = 0; i < 30; i++) {
        char id[16];
        (void)snprintf(id, sizeof id, "a%u", i % 11);
        struct store_result result = write_one(world, i % NODES, put_batch(id, i, NULL));
        assert_int_equal(result.fault.code, PROTO_OK);
        assert_int_equal(result.seq, i + 1);
        assert_int_equal(result.created, i < 11);
    }
    must_be_level(world, 30);
    assert_int_equal(atomic_load(&world->log_told), 7);
    for (int i = 0; age_ms(&world->nodes[0]) > 0; i++) {
        assert_true(i < LOOKS); /* a reading that finds nothing more comes soon */
        usleep(LOOK_US);
    }
    for (unsigned i = 0; i < NODES; i++) {
        assert_true(number_of(&world->nodes[i].store, "a7") == 29);
    }
}

static void a_refusal_is_what_the_store_says(void **state)
{
    struct world *world = *state;
    struct made made;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_batch *batch = store_batch_create();
    all_start(world);
    make_record(&made, "nobody", NULL, 1, NULL);
    assert_true(store_batch_patch(batch, made_span(&made), NULL, 0, &fault));
    struct store_result result = write_one(world, 1, batch);
    assert_int_equal(result.fault.code, PROTO_NOT_FOUND);
    assert_int_equal(write_one(world, 2, put_batch("b", 1, NULL)).fault.code, PROTO_OK);
    must_be_level(world, 2);
}

static void an_operation_repeated_through_another_node_is_applied_once(void **state)
{
    struct world *world = *state;
    all_start(world);
    struct store_result first = write_one(world, 0, put_batch("a", 1, "op-1"));
    assert_int_equal(write_one(world, 1, put_batch("a", 2, NULL)).fault.code, PROTO_OK);
    struct store_result again = write_one(world, 2, put_batch("a", 1, "op-1"));
    assert_true(again.repeated);
    assert_int_equal(again.seq, first.seq);
    must_be_level(world, 3);
    assert_true(number_of(&world->nodes[0].store, "a") == 2);
}

static void a_lost_answer_is_asked_again_and_found(void **state)
{
    struct world *world = *state;
    all_start(world);
    plant(world, 3, false);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(write_one(world, 0, put_batch("a", i, NULL)).seq, i + 1);
    }
    must_be_level(world, 5);
    assert_true(look_at(world, 0).appends_again > 0);
}

/* The control: without ids of entries the same is in the log twice. */
static void without_ids_of_entries_a_lost_answer_doubles(void **state)
{
    struct world *world = *state;
    all_start(world);
    plant(world, 1, true);
    assert_int_equal(write_one(world, 0, put_batch("a", 1, NULL)).fault.code, PROTO_OK);
    must_be_level(world, 2);
}

static void while_the_log_is_away_writes_are_refused_and_it_says_why(void **state)
{
    struct world *world = *state;
    struct answer answer;
    struct proto_fault fault = {.code = PROTO_OK};
    all_start(world);
    assert_int_equal(write_one(world, 0, put_batch("a", 1, NULL)).fault.code, PROTO_OK);
    memory_log_away(&world->log, true);
    wait_state(world, 0, CLUSTER_AWAY);
    assert_true(give(world, 0, put_batch("a", 2, NULL), &answer, &fault));
    base_clock_advance(&world->clock, 6000);
    struct store_result result = await(&answer);
    assert_int_equal(result.fault.code, PROTO_BUSY);
    assert_non_null(strstr(result.fault.message, "the planted log is away"));
    assert_true(number_of(&world->nodes[0].store, "a") == 1);               /* reads go on */
    assert_false(give(world, 0, put_batch("a", 2, NULL), &answer, &fault)); /* at once, by now */
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_non_null(strstr(fault.message, "the planted log is away"));
    memory_log_away(&world->log, false);
    wait_state(world, 0, CLUSTER_FOLLOWING);
    assert_int_equal(write_one(world, 0, put_batch("a", 3, NULL)).seq, 2);
    must_be_level(world, 2);
}

static void a_deadline_counts_while_a_write_waits(void **state)
{
    struct world *world = *state;
    struct answer answer;
    struct proto_fault fault = {.code = PROTO_OK};
    all_start(world);
    memory_log_away(&world->log, true);
    wait_state(world, 0, CLUSTER_AWAY);
    struct store_batch *batch = put_batch("a", 2, NULL);
    store_batch_deadline(batch, 1500);
    assert_true(give(world, 0, batch, &answer, &fault));
    base_clock_advance(&world->clock, 2000);
    assert_int_equal(await(&answer).fault.code, PROTO_DEADLINE);
    memory_log_away(&world->log, false);
    must_be_level(world, 0);
}

static void beyond_its_bytes_the_queue_is_busy(void **state)
{
    struct world *world = *state;
    struct answer answers[64];
    unsigned taken = 0;
    struct proto_fault fault = {.code = PROTO_OK};
    all_start(world);
    memory_log_away(&world->log, true);
    wait_state(world, 0, CLUSTER_AWAY);
    for (; taken < 64; taken++) {
        struct store_batch *batch = store_batch_create();
        for (unsigned i = 0; i < 1000; i++) {
            struct made made;
            make_record(&made, "a", NULL, i, NULL);
            assert_true(store_batch_put(batch, made_span(&made), &fault));
        }
        if (!give(world, 0, batch, &answers[taken], &fault)) {
            break;
        }
    }
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_true(taken > 1 && taken < 64);
    node_end(world, 0);
    for (unsigned i = 0; i < taken; i++) {
        assert_int_equal(await(&answers[i]).fault.code, PROTO_SHUTTING_DOWN);
    }
    memory_log_away(&world->log, false);
    node_start(world, 0);
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
    all_start(world);
    assert_int_equal(write_one(world, 0, put_batch("a", 1, NULL)).seq, 1);
    wait_applied(world, 2, 1);
    base_clock_advance(&world->clock, 3600000);
    for (int i = 0; age_ms(&world->nodes[2]) > 0; i++) {
        assert_true(i < LOOKS); /* a reading found nothing since */
        usleep(LOOK_US);
    }
    leave_unread(world, "n2");
    assert_int_equal(write_one(world, 0, put_batch("a", 2, NULL)).seq, 2);
    while (look_at(world, 2).lag_entries == 0) {
        usleep(LOOK_US);
    }
    base_clock_advance(&world->clock, 2000);
    struct cluster_look look = look_at(world, 2);
    assert_in_range(look.lag_ns, UINT64_C(1000000), UINT64_C(4000000000));
    leave_unread(world, "");
    wait_applied(world, 2, 2);
}

static void a_wall_clock_that_is_set_makes_no_answer_younger(void **state)
{
    struct world *world = *state;
    memory_log_away(&world->log, true);
    node_start(world, 0);
    wait_state(world, 0, CLUSTER_AWAY);
    assert_int_equal(age_ms(&world->nodes[0]), BEGUN_MS); /* nobody knows */
    memory_log_away(&world->log, false);
    for (int i = 0; age_ms(&world->nodes[0]) > 0; i++) {
        assert_true(i < LOOKS);
        usleep(LOOK_US);
    }
    memory_log_away(&world->log, true);
    wait_state(world, 0, CLUSTER_AWAY);
    base_clock_advance(&world->clock, 2000);
    assert_int_equal(age_ms(&world->nodes[0]), 2000);
    atomic_fetch_sub(&world->clock.ms, 3600000);
    assert_int_equal(age_ms(&world->nodes[0]), 2000);
    atomic_fetch_add(&world->clock.ms, 2 * 3600000);
    assert_int_equal(age_ms(&world->nodes[0]), 2000);
}

static void what_no_snapshot_needs_is_trimmed_and_no_more(void **state)
{
    struct world *world = *state;
    all_start(world);
    for (unsigned i = 0; i < 12; i++) {
        assert_int_equal(write_one(world, 0, put_batch("a", i, NULL)).seq, i + 1);
    }
    assert_int_equal(look_at(world, 0).base, 0);
    cluster_keep(world->nodes[0].cluster, 7, 9);
    assert_int_equal(look_at(world, 0).snapshot, 9);
    for (int i = 0; look_at(world, 0).base < 7; i++) {
        assert_true(i < LOOKS);
        base_clock_advance(&world->clock, 200);
        usleep(LOOK_US);
    }
    for (unsigned i = 12; i < 20; i++) {
        assert_int_equal(write_one(world, 0, put_batch("a", i, NULL)).seq, i + 1);
        base_clock_advance(&world->clock, 1000);
    }
    must_be_level(world, 20);
    assert_int_equal(look_at(world, 0).base, 7);
}

/* Who sends clients to nodes asks for this. */
static void a_node_is_level_once_it_has_applied_what_it_found(void **state)
{
    struct world *world = *state;
    node_start(world, 0);
    wait_state(world, 0, CLUSTER_FOLLOWING);
    assert_true(look_at(world, 0).level);
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(write_one(world, 0, put_batch("a", i, NULL)).seq, i + 1);
    }
    leave_unread(world, "n1");
    node_start(world, 1);
    while (look_at(world, 1).connects == 0) {
        usleep(LOOK_US);
    }
    assert_false(look_at(world, 1).level);
    assert_int_equal(look_at(world, 1).lag_entries, 5);
    leave_unread(world, "");
    wait_applied(world, 1, 5);
    assert_true(look_at(world, 1).level);
    leave_unread(world, "n1");
    assert_int_equal(write_one(world, 0, put_batch("a", 9, NULL)).seq, 6);
    assert_true(look_at(world, 1).level); /* behind by one, like any */
    leave_unread(world, "");
}

static void a_node_that_was_away_catches_up(void **state)
{
    struct world *world = *state;
    all_start(world);
    for (unsigned i = 0; i < 40; i++) {
        if (i % 10 == 5) {
            world->nodes[2].store.tuning.abandon = i == 15; /* as if killed */
            node_end(world, 2);
        }
        assert_int_equal(write_one(world, i % 2, put_batch("a", i, NULL)).seq, i + 1);
        if (i % 10 == 9) {
            node_start(world, 2);
        }
    }
    must_be_level(world, 40);
}

static void quarantined(struct world *world, unsigned place, const char *words)
{
    struct answer answer;
    struct proto_fault fault = {.code = PROTO_OK};
    wait_state(world, place, CLUSTER_QUARANTINE);
    assert_non_null(strstr(look_at(world, place).reason, words));
    assert_false(give(world, place, put_batch("z", 1, NULL), &answer, &fault));
    assert_int_equal(fault.code, PROTO_BUSY);
    assert_non_null(strstr(fault.message, "quarantine"));
    assert_int_equal(cluster_refuses(world->nodes[place].cluster, &fault), world->unread);
}

/* The entry that one node reads is another than the others had. */
static void an_altered_entry_puts_its_reader_into_quarantine(void **state)
{
    struct world *world = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    all_start(world);
    node_end(world, 2);
    assert_int_equal(write_one(world, 0, put_batch("a", 1, NULL)).seq, 1);
    assert_int_equal(write_one(world, 0, put_batch("a", 2, NULL)).seq, 2);
    wait_applied(world, 1, 2);
    uint8_t *byte = (uint8_t *)(uintptr_t)&world->log.entries[1].payload.data[40];
    *byte ^= 1;
    node_start(world, 2);
    quarantined(world, 2, "does not match its digest");
    assert_int_equal(look_at(world, 2).applied, 1);
    assert_int_equal(write_one(world, 1, put_batch("a", 3, NULL)).seq, 3); /* others go on */
    node_end(world, 2);
    world->unread = true; /* by option */
    node_start(world, 2);
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
    all_start(world);
    pthread_mutex_lock(&world->log.lock);
    world->log.alters = true;
    pthread_mutex_unlock(&world->log.lock);
    assert_true(give(world, 0, put_batch("a", 1, NULL), &answer, &fault));
    struct store_result result = await(&answer);
    assert_int_equal(result.fault.code, PROTO_CANCELLED);
    assert_non_null(strstr(result.fault.message, "may be in the shared log"));
    assert_non_null(strstr(result.fault.message, "does not match its digest"));
}

static void a_log_that_is_another_is_not_followed(void **state)
{
    struct world *world = *state;
    all_start(world);
    assert_int_equal(write_one(world, 0, put_batch("a", 1, NULL)).seq, 1);
    assert_int_equal(write_one(world, 0, put_batch("a", 2, NULL)).seq, 2);
    wait_applied(world, 2, 2);
    node_end(world, 2);
    world->log.entries[1].chain[3] ^= 1;
    node_start(world, 2);
    quarantined(world, 2, "is not what stands in the shared log");
    world->log.entries[1].chain[3] ^= 1;
}

static void a_log_that_lost_its_end_is_waited_for(void **state)
{
    struct world *world = *state;
    all_start(world);
    assert_int_equal(write_one(world, 0, put_batch("a", 1, NULL)).seq, 1);
    assert_int_equal(write_one(world, 0, put_batch("a", 2, NULL)).seq, 2);
    wait_applied(world, 2, 2);
    node_end(world, 2);
    set_head(world, 1);
    node_start(world, 2);
    wait_state(world, 2, CLUSTER_AHEAD);
    set_head(world, 2);
    wait_state(world, 2, CLUSTER_FOLLOWING);
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
    struct cluster_options options = options_of(world, &world->nodes[0]);
    assert_true(cluster_found(&options, &base, &fault));
    assert_int_equal(base, 1);
    fixture_close(&world->nodes[0].store);
    fixture_close(&world->nodes[1].store);
    for (unsigned i = 0; i < NODES; i++) {
        node_start(world, i);
    }
    wait_state(world, 0, CLUSTER_FOLLOWING);
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
    node_start(world, 0);
    wait_state(world, 0, CLUSTER_AWAY);
    while ((views[count] = store_view_open(world->nodes[0].store.store, &fault)) != NULL) {
        assert_true(++count < 4096);
    }
    memory_log_away(&world->log, false);
    while (strstr(look_at(world, 0).reason, "planted") != NULL) {
        usleep(LOOK_US);
    }
    assert_int_equal(look_at(world, 0).state, CLUSTER_AWAY);
    assert_memory_equal(look_at(world, 0).reason, fault.message, 20);
    while (count > 0) {
        store_view_close(views[--count]);
    }
    wait_state(world, 0, CLUSTER_FOLLOWING);
}

static void of_stores_that_came_apart_the_odd_one_is_found(void **state)
{
    struct world *world = *state;
    world->check_entries = 10;
    all_start(world);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(write_one(world, 0, put_batch("a", i, NULL)).seq, i + 1);
    }
    for (unsigned i = 0; i < NODES; i++) {
        for (int looks = 0; look_at(world, i).checks < 1; looks++) {
            assert_true(looks < LOOKS);
            base_clock_advance(&world->clock, 500);
            usleep(LOOK_US);
        }
        assert_int_equal(look_at(world, i).state, CLUSTER_FOLLOWING);
    }
    /* The control: two others say otherwise of that moment. */
    for (int looks = 0; look_at(world, 1).state != CLUSTER_QUARANTINE; looks++) {
        assert_true(looks < LOOKS);
        base_clock_advance(&world->clock, 500);
        usleep(LOOK_US);
        pthread_mutex_lock(&world->log.lock);
        for (size_t i = 0; i < world->log.vote_count; i++) {
            struct memory_vote *vote = &world->log.votes[i];
            vote->check.content[1] = strcmp(vote->node, "n1") == 0 ? vote->check.content[1] : 99;
        }
        pthread_mutex_unlock(&world->log.lock);
    }
    quarantined(world, 1, "holds something else");
}

static int world_open(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t base;
    memory_log_init(&world->log);
    memory_log_where(&world->log, world->where);
    world->clock.ns = 1;
    world->clock.ms = BEGUN_MS;
    for (unsigned i = 0; i < NODES; i++) {
        world->nodes[i].world = world;
        fixture_init(&world->nodes[i].store);
    }
    fixture_open(&world->nodes[0].store);
    struct cluster_options options = options_of(world, &world->nodes[0]);
    assert_true(cluster_found(&options, &base, &fault));
    fixture_close(&world->nodes[0].store);
    *state = world;
    return 0;
}

static int world_close(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < NODES; i++) {
        if (world->nodes[i].cluster != NULL) {
            node_end(world, i);
        }
        fixture_fini(&world->nodes[i].store);
    }
    memory_log_fini(&world->log);
    free(world);
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)
    const struct CMUnitTest tests[] = {
        TEST(what_one_writes_all_have),
        TEST(a_refusal_is_what_the_store_says),
        TEST(an_operation_repeated_through_another_node_is_applied_once),
        TEST(a_lost_answer_is_asked_again_and_found),
        TEST(without_ids_of_entries_a_lost_answer_doubles),
        TEST(while_the_log_is_away_writes_are_refused_and_it_says_why),
        TEST(a_deadline_counts_while_a_write_waits),
        TEST(beyond_its_bytes_the_queue_is_busy),
        TEST(the_lag_is_the_age_of_what_is_not_applied),
        TEST(a_wall_clock_that_is_set_makes_no_answer_younger),
        TEST(what_no_snapshot_needs_is_trimmed_and_no_more),
        TEST(a_node_is_level_once_it_has_applied_what_it_found),
        TEST(a_node_that_was_away_catches_up),
        TEST(an_altered_entry_puts_its_reader_into_quarantine),
        TEST(a_write_that_may_be_in_the_log_is_not_refused_as_undone),
        TEST(a_log_that_is_another_is_not_followed),
        TEST(a_log_that_lost_its_end_is_waited_for),
        TEST(a_store_that_the_log_did_not_begin_with_is_not_taken),
        TEST(a_store_that_cannot_be_looked_at_is_tried_again),
        TEST(of_stores_that_came_apart_the_odd_one_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
