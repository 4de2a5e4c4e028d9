/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots that are read for long: their age is a figure, beyond a limit whoever reads one is told
 * to end, and the file grows while one is held, in this process or another, and no longer. What
 * another process holds is bounded: then nothing is folded, and writes are busy at last. */
#include "tests/unit/store/store_fixture.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include <lmdb.h>

#include "server/store/dump.h"

enum { ACCOUNTS = 1000, ROUNDS = 8, SETTLE_ROUNDS = 4, OLD_US = 3000, TRIES = 200 };

static void setup_tuned(void **state, size_t overlay_bytes, size_t hold_bytes)
{
    struct fixture *fixture = malloc(sizeof *fixture);
    assert_non_null(fixture);
    fixture_init(fixture);
    fixture->options.view_ms_max = 1;
    fixture->options.overlay_bytes_max = overlay_bytes;
    fixture->tuning.hold_bytes = hold_bytes;
    fixture_open(fixture);
    *state = fixture;
}

static int setup(void **state)
{
    setup_tuned(state, 0, 0);
    return 0;
}

/* A store of a megabyte is large enough for the bound, and its overlay soon full. */
static int setup_bounded(void **state)
{
    setup_tuned(state, (size_t)12 << 20, 1);
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    free(*state);
    return 0;
}

static bool all_written(struct fixture *fixture, int number, struct proto_fault *why)
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
    bool good = store_submit_wait(fixture->store, batch, &result);
    *why = result.fault;
    return good;
}

static void all_rewritten(struct fixture *fixture, int number)
{
    struct proto_fault fault;
    assert_true(all_written(fixture, number, &fault));
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
        for (int fd = 3; fd < 1024; fd++) { /* the lock of the store is not this process's */
            if (fd != ends[1]) {
                (void)close(fd);
            }
        }
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

static pid_t reader_stopped(const char *path)
{
    int ready;
    char answer = 'n';
    pid_t child = reader_start(path, &ready);
    assert_int_equal(read(ready, &answer, 1), 1);
    assert_int_equal(answer, 'y');
    assert_int_equal(kill(child, SIGSTOP), 0);
    close(ready);
    return child;
}

static void reader_killed(pid_t child)
{
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
}

static void another_process_that_holds_a_snapshot(void **state)
{
    struct fixture *fixture = *state;
    struct store_stats stats;
    uint64_t settled = pages_after(fixture, SETTLE_ROUNDS);
    pid_t child = reader_stopped(fixture->path);
    uint64_t held = pages_after(fixture, ROUNDS);
    assert_true(grows_old(fixture));
    reader_killed(child);
    uint64_t after = pages_after(fixture, ROUNDS);
    store_stats(fixture->store, &stats);
    assert_int_equal(stats.readers_cleared, 1);
    assert_true(held > settled * 2);          /* the control: while it is there the file grows */
    assert_true(after <= held + settled / 4); /* and not when it is gone */
}

static void names(const struct proto_fault *fault, pid_t child)
{
    char process[32];
    snprintf(process, sizeof process, "process %d ", child);
    assert_int_equal(fault->code, PROTO_BUSY);
    assert_non_null(strstr(fault->message, process));
}

/* The folder publishes behind whoever waits for a fold. */
static void figures_become(struct fixture *fixture, uint64_t process, uint64_t held)
{
    struct store_stats stats = {.view_process = process + 1};
    for (int i = 0; i < 20000 && (stats.view_process != process || stats.folds_held != held); i++) {
        usleep(1000);
        store_stats(fixture->store, &stats);
    }
    assert_int_equal(stats.view_process, process);
    assert_int_equal(stats.folds_held, held);
}

static int rounds_until_held(struct fixture *fixture, pid_t child)
{
    struct proto_fault fault = {.code = PROTO_OK};
    int round = 0;
    do {
        assert_true(++round < TRIES);
        assert_true(all_written(fixture, round, &fault));
    } while (store_fold_wait(fixture->store, &fault));
    names(&fault, child);
    return round;
}

/* The control is the test before this one: without the bound the same process makes the file more
 * than twice as long. */
static void a_stopped_process_doubles_the_file_and_no_more(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t settled = pages_after(fixture, SETTLE_ROUNDS);
    pid_t child = reader_stopped(fixture->path);
    int round = rounds_until_held(fixture, child);
    figures_become(fixture, (uint64_t)child, 1);
    while (all_written(fixture, ++round, &fault)) {
        assert_true(round < TRIES); /* into log and overlay, as far as that goes */
    }
    names(&fault, child);
    assert_true(number_of(fixture, "o0") == round - 1);
    store_view_rest(fixture->view);
    assert_true(disk_env_pages(&fixture->store->env) <= 2 * settled);
    reader_killed(child);
    while (!store_fold_wait(fixture->store, &fault)) {
        assert_int_equal(fault.code, PROTO_BUSY); /* the table of readers is looked at before */
        assert_true(++round < TRIES);
    }
    figures_become(fixture, 0, 0);
    uint64_t pages = pages_after(fixture, ROUNDS);
    assert_true(pages <= 2 * settled);
    assert_true(number_of(fixture, "o0") == ROUNDS - 1);
}

/* What was refused a fold is in the log: a store that is closed meanwhile has it when it is opened
 * again, beside the same process. */
static void what_was_not_folded_is_there_after_a_restart(void **state)
{
    struct fixture *fixture = *state;
    (void)pages_after(fixture, SETTLE_ROUNDS);
    pid_t child = reader_stopped(fixture->path);
    int round = rounds_until_held(fixture, child);
    fixture_close(fixture);
    fixture_open(fixture);
    assert_true(number_of(fixture, "o0") == round);
    reader_killed(child);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_old_snapshot_is_told_of, setup, teardown),
        cmocka_unit_test_setup_teardown(a_dump_that_takes_too_long_ends, setup, teardown),
        cmocka_unit_test_setup_teardown(the_file_grows_under_a_view_that_is_not_renewed, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(another_process_that_holds_a_snapshot, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stopped_process_doubles_the_file_and_no_more,
                                        setup_bounded, teardown),
        cmocka_unit_test_setup_teardown(what_was_not_folded_is_there_after_a_restart, setup_bounded,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
