/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots that are read for long: their age is a figure, beyond a limit whoever reads one is told
 * to end, and the file grows while one is held, in this process or another, and no longer. */
#include "tests/unit/store/store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

#include "server/store/dump.h"

enum { ACCOUNTS = 1000, ROUNDS = 8, SETTLE_ROUNDS = 4, OLD_US = 3000 };

static int setup(void **state)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    assert_non_null(fixture);
    fixture_init(fixture);
    fixture->options.view_ms_max = 1;
    fixture_open(fixture);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

static void all_rewritten(struct fixture *fixture, int number)
{
    static char text[500];
    struct store_result result;
    struct proto_fault fault;
    struct made made;
    char id[16];
    struct store_batch *batch = store_batch_create();
    memset(text, 'x', sizeof text - 1);
    for (int i = 0; i < ACCOUNTS; i++) {
        snprintf(id, sizeof id, "o%d", i);
        make_record(&made, id, NULL, number, text);
        assert_true(store_batch_put(batch, made_span(&made), &fault));
    }
    assert_true(store_submit_wait(fixture->store, batch, &result));
    assert_true(store_fold_wait(fixture->store, &fault));
}

static uint64_t pages_after(struct fixture *fixture, int rounds)
{
    for (int i = 0; i < rounds; i++) {
        store_view_rest(fixture->view);
        all_rewritten(fixture, i);
    }
    return disk_env_pages(&fixture->store->env);
}

/* The folder looks after a fold, behind whoever waits for that. */
static bool grows_old(struct fixture *fixture)
{
    struct store_stats stats = {0};
    for (int i = 0; i < 2000 && stats.view_age_ns == 0; i++) {
        usleep(1000);
        store_stats(fixture->store, &stats);
    }
    return stats.view_age_ns > 0;
}

static void an_old_snapshot_is_told_of(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    viewed(fixture);
    usleep(OLD_US);
    assert_true(store_view_young(fixture->view, &fault)); /* it is the newest */
    all_rewritten(fixture, 1);
    usleep(OLD_US);
    assert_false(store_view_young(fixture->view, &fault));
    assert_int_equal(fault.code, PROTO_LIMIT);
    assert_non_null(strstr(fault.message, "view_ms_max"));
    assert_true(grows_old(fixture));
    viewed(fixture);
    assert_true(store_view_young(fixture->view, &fault));
    store_view_rest(fixture->view);
    assert_true(store_view_young(fixture->view, &fault));
}

static void a_dump_that_takes_too_long_ends(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_entry entry;
    all_rewritten(fixture, 1);
    struct store_dump *dump = store_dump_open(fixture->store, &fault);
    assert_non_null(dump);
    usleep(OLD_US);
    assert_int_equal(store_dump_next(dump, &entry, &fault), DISK_GOT_ONE);
    all_rewritten(fixture, 2);
    usleep(OLD_US);
    assert_int_equal(store_dump_next(dump, &entry, &fault), DISK_GOT_FAULT);
    assert_int_equal(fault.code, PROTO_LIMIT);
    store_dump_close(dump);
}

/* The control is the view that is not renewed. */
static void the_file_grows_under_a_view_that_is_not_renewed(void **state)
{
    struct fixture *fixture = *state;
    uint64_t settled = pages_after(fixture, SETTLE_ROUNDS);
    for (int i = 0; i < ROUNDS; i++) {
        viewed(fixture);
        all_rewritten(fixture, i);
    }
    uint64_t renewed = disk_env_pages(&fixture->store->env);
    assert_true(renewed <= settled * 2);
    viewed(fixture);
    for (int i = 0; i < ROUNDS; i++) {
        all_rewritten(fixture, i);
    }
    uint64_t held = disk_env_pages(&fixture->store->env);
    assert_true(held > renewed * 2);
    assert_true(pages_after(fixture, ROUNDS) <= held + renewed / 4);
}

/* Another process on the same LMDB; says when it reads, and goes on until it is killed. */
static pid_t reader_start(const char *path, int *ready)
{
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        MDB_env *env = NULL;
        MDB_txn *txn = NULL;
        bool good = mdb_env_create(&env) == 0 && mdb_env_set_maxdbs(env, 16) == 0 &&
                    mdb_env_open(env, path, MDB_RDONLY | MDB_NOTLS, 0600) == 0 &&
                    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0;
        (void)!write(ends[1], good ? "y" : "n", 1);
        for (;;) {
            pause();
        }
    }
    close(ends[1]);
    *ready = ends[0];
    return child;
}

static void another_process_that_holds_a_snapshot(void **state)
{
    struct fixture *fixture = *state;
    struct store_stats stats;
    int ready;
    char answer = 'n';
    uint64_t settled = pages_after(fixture, SETTLE_ROUNDS);
    pid_t child = reader_start(fixture->path, &ready);
    assert_int_equal(read(ready, &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_int_equal(kill(child, SIGSTOP), 0);
    uint64_t held = pages_after(fixture, ROUNDS);
    assert_true(grows_old(fixture));
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    close(ready);
    uint64_t after = pages_after(fixture, ROUNDS);
    store_stats(fixture->store, &stats);
    assert_int_equal(stats.readers_cleared, 1);
    assert_true(held > settled * 2);          /* the control: while it is there the file grows */
    assert_true(after <= held + settled / 4); /* and not when it is gone */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_old_snapshot_is_told_of, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dump_that_takes_too_long_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_grows_under_a_view_that_is_not_renewed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(another_process_that_holds_a_snapshot, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
