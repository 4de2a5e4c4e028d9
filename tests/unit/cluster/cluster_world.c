/* SPDX-License-Identifier: Apache-2.0 */
/* Nodes are started and ended one by one, looked at until they are as they should be, and written
 * to; the log between them loses and forgets what it is told to. */
#include "tests/unit/cluster/cluster_world.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void on_log(void *context, uint64_t log)
{
    const struct node *node = context;
    atomic_store(&node->world->log_told, log);
}

struct cluster_options world_options(struct world *world, struct node *node)
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

void world_node_start(struct world *world, unsigned place)
{
    struct node *node = &world->nodes[place];
    struct proto_fault fault = {.code = PROTO_OK};
    (void)snprintf(node->name, sizeof node->name, "n%u", place);
    fixture_open(&node->store);
    struct cluster_options options = world_options(world, node);
    node->cluster = cluster_create(&options, &fault);
    assert_non_null(node->cluster);
}

void world_node_end(struct world *world, unsigned place)
{
    struct node *node = &world->nodes[place];
    cluster_stop(node->cluster);
    cluster_destroy(node->cluster);
    node->cluster = NULL;
    fixture_close(&node->store);
}

struct cluster_look world_look(struct world *world, unsigned place)
{
    struct cluster_look look;
    cluster_look(world->nodes[place].cluster, &look);
    return look;
}

uint64_t world_age_ms(const struct node *node)
{
    return cluster_age_ms(node->cluster, cluster_as_of(node->cluster));
}

void world_wait_state(struct world *world, unsigned place, enum cluster_state state)
{
    for (int i = 0; world_look(world, place).state != state; i++) {
        assert_true(i < WORLD_LOOKS);
        usleep(WORLD_LOOK_US);
    }
}

void world_wait_applied(struct world *world, unsigned place, uint64_t seq)
{
    for (int i = 0; world_look(world, place).applied < seq; i++) {
        assert_true(i < WORLD_LOOKS);
        usleep(WORLD_LOOK_US);
    }
}

void world_head_set(struct world *world, uint64_t head)
{
    pthread_mutex_lock(&world->log.lock);
    world->log.head.head = head;
    pthread_mutex_unlock(&world->log.lock);
}

void world_plant(struct world *world, unsigned lose, bool forgetful)
{
    pthread_mutex_lock(&world->log.lock);
    world->log.lose = lose;
    world->log.forgetful = forgetful;
    pthread_mutex_unlock(&world->log.lock);
}

static void answer_done(void *context, const struct store_result *result)
{
    struct answer *answer = context;
    answer->result = *result;
    sem_post(&answer->ready);
}

struct store_batch *world_put_batch(const char *id, double number, const char *operation)
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

bool world_give(struct world *world, unsigned place, struct store_batch *batch,
                struct answer *answer, struct proto_fault *fault)
{
    sem_init(&answer->ready, 0, 0);
    bool taken = cluster_submit(world->nodes[place].cluster, batch, answer_done, answer, fault);
    if (!taken) {
        store_batch_destroy(batch);
    }
    return taken;
}

struct store_result world_await(struct answer *answer)
{
    sem_wait(&answer->ready);
    sem_destroy(&answer->ready);
    return answer->result;
}

struct store_result world_write(struct world *world, unsigned place, struct store_batch *batch)
{
    struct answer answer;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(world_give(world, place, batch, &answer, &fault));
    return world_await(&answer);
}

void world_start(struct world *world)
{
    for (unsigned i = 0; i < WORLD_NODES; i++) {
        world_node_start(world, i);
        world_wait_state(world, i, CLUSTER_FOLLOWING);
    }
}

void world_must_be_level(struct world *world, uint64_t seq)
{
    struct store_position first;
    for (unsigned i = 0; i < WORLD_NODES; i++) {
        struct store_position position;
        world_wait_applied(world, i, seq);
        store_position_get(world->nodes[i].store.store, &position);
        first = i == 0 ? position : first;
        assert_int_equal(position.seq, seq);
        assert_memory_equal(&position, &first, sizeof position);
        must_be_sound(&world->nodes[i].store);
    }
}

int world_open(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t base;
    memory_log_init(&world->log);
    memory_log_where(&world->log, world->where);
    world->clock.ns = 1;
    world->clock.ms = WORLD_BEGUN_MS;
    for (unsigned i = 0; i < WORLD_NODES; i++) {
        world->nodes[i].world = world;
        fixture_init(&world->nodes[i].store);
    }
    fixture_open(&world->nodes[0].store);
    struct cluster_options options = world_options(world, &world->nodes[0]);
    assert_true(cluster_found(&options, &base, &fault));
    fixture_close(&world->nodes[0].store);
    *state = world;
    return 0;
}

int world_close(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < WORLD_NODES; i++) {
        if (world->nodes[i].cluster != NULL) {
            world_node_end(world, i);
        }
        fixture_fini(&world->nodes[i].store);
    }
    memory_log_fini(&world->log);
    free(world);
    return 0;
}
