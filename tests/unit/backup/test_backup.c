/* SPDX-License-Identifier: Apache-2.0 */
/* Backups of a running engine and what a restore makes of them: the same contents, or a refusal. */
#include <dirent.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/backup/backup_restore.h"
#include "tests/unit/engine/engine_contents.h"
#include "tests/unit/engine/engine_fixture.h"

struct world {
    struct engine_fixture fixture;
    char backups[80], restored[80];
    struct backup_result result;
};

static void world_open(struct world *world)
{
    engine_fixture_open(&world->fixture);
    snprintf(world->backups, sizeof world->backups, "%s-backups", world->fixture.directory);
    snprintf(world->restored, sizeof world->restored, "%s-restored", world->fixture.directory);
    engine_fixture_fill(&world->fixture, 300);
}

static int entry_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static void world_close(struct world *world)
{
    engine_fixture_close(&world->fixture);
    nftw(world->backups, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    nftw(world->restored, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
}

static struct engine_job_info backup(struct world *world, bool full)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct backup_request request = {.path = world->backups,
                                           .full = full,
                                           .on_done = engine_fixture_ended,
                                           .context = &world->fixture,
                                           .result = &world->result};
    size_t before = world->fixture.ended_count;
    assert_true(backup_start(world->fixture.engine, &request, &fault) > 0);
    return engine_fixture_wait(&world->fixture, before + 1);
}

static void put(struct world *world, const char *id, const char *industry)
{
    const char *const words[] = {"industry", industry, NULL};
    world->fixture.now_ms += 60000;
    engine_fixture_put(&world->fixture, id, words);
}

static uint64_t digest_of(struct store *store)
{
    uint64_t digest = engine_contents_digest(store);
    assert_true(digest != 0);
    return digest;
}

static uint64_t digest_now(struct world *world)
{
    return digest_of(engine_store(world->fixture.engine));
}

static int64_t no_time(void *context)
{
    (void)context;
    return 1;
}

static void no_change(void *context, const struct store_change *change)
{
    (void)context;
    (void)change;
}

static void print_bad(void *context, const char *what)
{
    (void)context;
    print_error("scrub: %s\n", what);
}

/* Restores and gives the digest of what came of it; 0 with *fault. The store is removed again. */
static uint64_t restore(struct world *world, struct backup_moment until,
                        struct backup_restored *restored, struct proto_fault *fault)
{
    const struct backup_restore_options options = {.backups = world->backups,
                                                   .path = world->restored,
                                                   .map_bytes = (size_t)1 << 30,
                                                   .until = until};
    fault->code = PROTO_OK;
    if (!backup_restore(&options, restored, fault)) {
        return 0;
    }
    const struct store_options store_options = {.path = world->restored,
                                                .map_bytes_max = (size_t)1 << 30,
                                                .now_ms = no_time,
                                                .on_change = no_change};
    struct store *store = store_open(&store_options, fault);
    assert_non_null(store);
    uint64_t digest = digest_of(store);
    assert_int_equal(store_scrub(store, print_bad, NULL, fault), 0);
    store_close(store);
    nftw(world->restored, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    return digest;
}

static const struct backup_moment everything = {UINT64_MAX, INT64_MAX};

static void a_base_is_restored_to_the_same(void **state)
{
    struct world world;
    struct backup_restored restored;
    struct proto_fault fault;
    (void)state;
    world_open(&world);
    engine_fixture_learn(&world.fixture);
    uint64_t digest = digest_now(&world);
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    assert_string_equal(world.result.kind, "base");
    assert_int_equal(restore(&world, everything, &restored, &fault), digest);
    assert_int_equal(restored.seq, world.result.seq);
    world_close(&world);
}

static void what_is_new_is_added_and_any_moment_can_be_restored(void **state)
{
    struct world world;
    struct backup_restored restored;
    struct proto_fault fault;
    uint64_t digests[8];
    uint64_t seqs[8];
    int64_t times[8];
    (void)state;
    world_open(&world);
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    assert_string_equal(world.result.kind, "none");
    for (int i = 0; i < 8; i++) {
        char id[16];
        snprintf(id, sizeof id, "a%d", i * 11);
        put(&world, id, i % 2 == 0 ? "Steel" : "Retail");
        if (i == 5) {
            assert_true(engine_fixture_delete(&world.fixture, "a7"));
        }
        digests[i] = digest_now(&world);
        times[i] = world.fixture.now_ms;
        seqs[i] = store_log_head(engine_store(world.fixture.engine), &fault);
        if (i % 3 == 2) {
            assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
            assert_string_equal(world.result.kind, "log");
        }
    }
    assert_int_equal(backup(&world, true).state, ENGINE_JOB_DONE);
    assert_string_equal(world.result.kind, "base");
    for (int i = 0; i < 8; i++) {
        const struct backup_moment by_seq = {seqs[i], INT64_MAX};
        const struct backup_moment by_time = {UINT64_MAX, times[i] + 1000};
        assert_int_equal(restore(&world, by_seq, &restored, &fault), digests[i]);
        assert_int_equal(restored.seq, seqs[i]);
        assert_int_equal(restore(&world, by_time, &restored, &fault), digests[i]);
    }
    /* Neither before the first base nor beyond the end. */
    const struct backup_moment early = {1, INT64_MAX};
    const struct backup_moment late = {seqs[7] + 1, INT64_MAX};
    assert_int_equal(restore(&world, early, &restored, &fault), 0);
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_int_equal(restore(&world, late, &restored, &fault), 0);
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    world_close(&world);
}

static void a_directory_of_another_store_or_history_is_refused(void **state)
{
    struct world world;
    struct world other;
    char own[80];
    (void)state;
    world_open(&world);
    world_open(&other);
    snprintf(own, sizeof own, "%s", other.backups);
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    snprintf(other.backups, sizeof other.backups, "%s", world.backups);
    struct engine_job_info info = backup(&other, false);
    assert_int_equal(info.state, ENGINE_JOB_FAILED);
    assert_int_equal(info.fault.code, PROTO_CONFLICT);
    info = backup(&other, true);
    assert_int_equal(info.fault.code, PROTO_CONFLICT);
    snprintf(other.backups, sizeof other.backups, "%s", own);
    world_close(&other);
    world_close(&world);
}

static void a_store_that_is_there_is_not_written_over(void **state)
{
    struct world world;
    struct backup_restored restored;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    world_open(&world);
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    const struct backup_restore_options options = {.backups = world.backups,
                                                   .path = world.fixture.directory,
                                                   .map_bytes = (size_t)1 << 30,
                                                   .until = everything};
    assert_false(backup_restore(&options, &restored, &fault));
    assert_int_equal(fault.code, PROTO_CONFLICT);
    world_close(&world);
}

static void file_flip(const struct world *world, const char *name)
{
    char path[200];
    struct stat info;
    uint8_t byte;
    snprintf(path, sizeof path, "%s/%s", world->backups, name);
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    assert_int_equal(pread(fd, &byte, 1, info.st_size / 2), 1);
    byte ^= 16;
    assert_int_equal(pwrite(fd, &byte, 1, info.st_size / 2), 1);
    close(fd);
}

static void bad_count(void *context, const struct backup_item *item)
{
    *(int *)context += item->fault.code != PROTO_OK;
}

static void a_damaged_backup_is_found_and_not_restored(void **state)
{
    struct world world;
    struct backup_restored restored;
    struct proto_fault fault = {.code = PROTO_OK};
    int bad = 0;
    (void)state;
    world_open(&world);
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    assert_true(backup_verify(world.backups, bad_count, &bad, &fault));
    put(&world, "a1", "Steel");
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    file_flip(&world, world.result.file);
    assert_false(backup_verify(world.backups, bad_count, &bad, &fault));
    assert_int_equal(bad, 1);
    assert_int_equal(restore(&world, everything, &restored, &fault), 0);
    assert_int_equal(fault.code, PROTO_CORRUPT);
    /* The store is not there, and the base alone still can be restored. */
    char path[200];
    snprintf(path, sizeof path, "%s/data.mdb", world.restored);
    assert_int_not_equal(access(path, F_OK), 0);
    snprintf(path, sizeof path, "%s/%s", world.backups, world.result.file);
    assert_int_equal(unlink(path), 0);
    assert_int_not_equal(restore(&world, everything, &restored, &fault), 0);
    world_close(&world);
}

static void dropped_batches_lead_to_a_base(void **state)
{
    struct world world;
    struct backup_restored restored;
    struct proto_fault fault;
    (void)state;
    world_open(&world);
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    /* The store is opened again with a short log. */
    engine_destroy(world.fixture.engine);
    struct store_options options = {.path = world.fixture.directory,
                                    .map_bytes_max = (size_t)1 << 30,
                                    .log_bytes_max = 1,
                                    .now_ms = no_time,
                                    .on_change = no_change};
    struct store *store = store_open(&options, &fault);
    assert_non_null(store);
    for (int i = 0; i < 3; i++) {
        struct store_result result;
        struct store_batch *batch = store_batch_create();
        assert_true(store_batch_delete(batch,
                                       engine_fixture_span(i == 0   ? "a1"
                                                           : i == 1 ? "a2"
                                                                    : "a3"),
                                       &fault));
        assert_true(store_submit_wait(store, batch, &result));
    }
    uint64_t digest = digest_of(store);
    store_close(store);
    world.fixture.engine = NULL;
    const struct engine_options engine_options = {
        .store = {.path = world.fixture.directory, .map_bytes_max = (size_t)1 << 30},
        .now_ms = no_time};
    world.fixture.engine = engine_create(&engine_options, &fault);
    assert_non_null(world.fixture.engine);
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    assert_string_equal(world.result.kind, "base");
    assert_int_equal(restore(&world, everything, &restored, &fault), digest);
    world_close(&world);
}

static void writes_go_on_beside_a_backup(void **state)
{
    struct world world;
    struct backup_restored restored;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    world_open(&world);
    for (int round = 0; round < 5; round++) {
        const struct backup_request request = {.path = world.backups,
                                               .full = true,
                                               .on_done = engine_fixture_ended,
                                               .context = &world.fixture,
                                               .result = &world.result};
        size_t before = world.fixture.ended_count;
        assert_true(backup_start(world.fixture.engine, &request, &fault) > 0);
        for (int i = 0; i < 20; i++) {
            put(&world, i % 2 == 0 ? "a5" : "new", i % 3 == 0 ? "Steel" : "Retail");
        }
        assert_int_equal(engine_fixture_wait(&world.fixture, before + 1).state, ENGINE_JOB_DONE);
    }
    assert_int_equal(backup(&world, false).state, ENGINE_JOB_DONE);
    assert_int_equal(restore(&world, everything, &restored, &fault), digest_now(&world));
    world_close(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_base_is_restored_to_the_same),
        cmocka_unit_test(what_is_new_is_added_and_any_moment_can_be_restored),
        cmocka_unit_test(a_directory_of_another_store_or_history_is_refused),
        cmocka_unit_test(a_store_that_is_there_is_not_written_over),
        cmocka_unit_test(a_damaged_backup_is_found_and_not_restored),
        cmocka_unit_test(dropped_batches_lead_to_a_base),
        cmocka_unit_test(writes_go_on_beside_a_backup),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
