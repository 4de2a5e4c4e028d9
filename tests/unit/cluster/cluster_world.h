/* SPDX-License-Identifier: Apache-2.0 */
/* Three nodes on a log in memory, and a clock that is moved by hand: what the tests of the cluster
 * have in common. A failure of what is not tested ends the test.
 * Ownership: world_open makes the world and the log, world_close ends nodes that still run.
 * Threads: the test's own; nodes have theirs. */
#ifndef UNIT_CLUSTER_WORLD_H
#define UNIT_CLUSTER_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <semaphore.h>

#include "server/cluster/cluster.h"
#include "server/store/position.h"
#include "tests/unit/cluster/memory_log.h"
#include "tests/unit/store/store_fixture.h"

enum { WORLD_NODES = 3, WORLD_LOOK_US = 2000, WORLD_LOOKS = 30000, WORLD_BEGUN_MS = 1000 };

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
    struct node nodes[WORLD_NODES];
    uint64_t check_entries;
    bool unread; /* in quarantine */
    _Atomic uint64_t log_told;
};

/* What came of a write, once it is settled. */
struct answer {
    sem_t ready;
    struct store_result result;
};

/* cmocka: *state is the world. */
int world_open(void **state);
int world_close(void **state);
#define WORLD_TEST(name) cmocka_unit_test_setup_teardown(name, world_open, world_close)

struct cluster_options world_options(struct world *world, struct node *node);
void world_node_start(struct world *world, unsigned place);
void world_node_end(struct world *world, unsigned place);
/* All, each once the one before follows. */
void world_start(struct world *world);
struct cluster_look world_look(struct world *world, unsigned place);
uint64_t world_age_ms(const struct node *node);
/* At most a minute. */
void world_wait_state(struct world *world, unsigned place, enum cluster_state state);
void world_wait_applied(struct world *world, unsigned place, uint64_t seq);
/* All have applied the sequence, are at one position, and their stores are sound. */
void world_must_be_level(struct world *world, uint64_t seq);

/* What the log says its head is; answers that it loses next, and whether it forgets ids. */
void world_head_set(struct world *world, uint64_t head);
void world_plant(struct world *world, unsigned lose, bool forgetful);

/* An account with a number; operation may be NULL. */
struct store_batch *world_put_batch(const char *id, double number, const char *operation);
/* Takes the batch. False with *fault: it is refused at once, and nothing is to be awaited. */
bool world_give(struct world *world, unsigned place, struct store_batch *batch,
                struct answer *answer, struct proto_fault *fault);
struct store_result world_await(struct answer *answer);
struct store_result world_write(struct world *world, unsigned place, struct store_batch *batch);

#endif
