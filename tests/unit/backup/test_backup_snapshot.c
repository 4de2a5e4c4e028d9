/* SPDX-License-Identifier: Apache-2.0 */
/* A directory of snapshots that two stores of one history share: one writes when it is due, the
 * newest few stay, and what is damaged neither counts nor goes. */
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/backup/backup_restore.h"
#include "server/backup/backup_snapshot.h"
#include "tests/unit/engine/engine_contents.h"
#include "tests/unit/engine/engine_fixture.h"

enum { EVERY = 10, KEPT = 2 };

static struct engine_fixture fixture;
static char folder[96], restored_to[96];

static int setup(void **state)
{
    (void)state;
    engine_fixture_open(&fixture);
    snprintf(folder, sizeof folder, "%s-snapshots", fixture.directory);
    snprintf(restored_to, sizeof restored_to, "%s-restored", fixture.directory);
    engine_fixture_fill(&fixture, 20);
    return 0;
}

static int entry_remove(const char *path, const struct stat *info, int type, struct FTW *walk)
{
    (void)info;
    (void)type;
    (void)walk;
    return remove(path);
}

static int teardown(void **state)
{
    (void)state;
    engine_fixture_close(&fixture);
    nftw(folder, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    nftw(restored_to, entry_remove, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static uint64_t head(void)
{
    struct proto_fault fault = {.code = PROTO_OK};
    return store_log_head(engine_store(fixture.engine), &fault);
}

/* So many batches more. */
static void put(unsigned count)
{
    static const char *const words[] = {"industry", "Steel", NULL};
    for (unsigned i = 0; i < count; i++) {
        engine_fixture_put(&fixture, "a1", words);
    }
}

static bool snapshot(uint64_t every, struct backup_snapshots *found, struct proto_fault *fault)
{
    const struct backup_making making = {
        .store = engine_store(fixture.engine), .path = folder, .now_ms = 1};
    const struct backup_snapshot_rule rule = {every, KEPT};
    return backup_snapshot(&making, &rule, found, fault);
}

static struct backup_snapshots look(void)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct backup_snapshots found;
    assert_true(snapshot(EVERY, &found, &fault));
    return found;
}

static void path_of(char path[160], uint64_t seq)
{
    char name[BACKUP_NAME_BYTES];
    backup_base_name(name, seq);
    snprintf(path, 160, "%s/%s", folder, name);
}

static bool is_there(uint64_t seq)
{
    char path[160];
    path_of(path, seq);
    return access(path, F_OK) == 0;
}

static void damage(uint64_t seq)
{
    char path[160];
    path_of(path, seq);
    assert_int_equal(truncate(path, 100), 0);
}

static void one_is_written_when_it_is_due_and_the_newest_stay(void **state)
{
    (void)state;
    uint64_t seqs[4];
    put(EVERY);
    for (unsigned i = 0; i < 4; i++) {
        struct backup_snapshots found = look();
        seqs[i] = head();
        assert_true(found.made && found.bytes > 0);
        assert_int_equal(found.newest, seqs[i]);
        assert_int_equal(found.count, i == 0 ? 1 : KEPT);
        assert_int_equal(found.oldest, i == 0 ? seqs[0] : seqs[i - 1]);
        found = look(); /* as another node would a moment later */
        assert_false(found.made);
        assert_int_equal(found.newest, seqs[i]);
        put(EVERY - 1);
        assert_false(look().made);
        put(1);
    }
    assert_false(is_there(seqs[0]) || is_there(seqs[1]));
    assert_true(is_there(seqs[2]) && is_there(seqs[3]));
    /* The newest is damaged: neither counted nor removed, and another is due. */
    damage(seqs[3]);
    struct backup_snapshots found = look();
    assert_true(found.made);
    assert_int_equal(found.count, KEPT);
    assert_int_equal(found.oldest, seqs[2]);
    assert_true(is_there(seqs[2]) && is_there(seqs[3]));
}

static void a_store_that_is_behind_writes_none(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct backup_snapshots found;
    uint64_t newest = look().newest;
    assert_true(snapshot(head() + 1, &found, &fault));
    assert_false(found.made);
    assert_int_equal(found.newest, newest);
}

static void the_newest_is_restored_to_the_same(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct backup_restored restored;
    put(EVERY);
    struct backup_snapshots found = look();
    assert_true(found.made);
    const struct backup_restore_options options = {.backups = folder,
                                                   .path = restored_to,
                                                   .map_bytes = (size_t)1 << 30,
                                                   .until = {found.newest, INT64_MAX}};
    assert_true(backup_restore(&options, &restored, &fault));
    assert_int_equal(restored.seq, found.newest);
    assert_int_equal(restored.batches, 0); /* a base alone */
}

static void one_at_a_time_writes(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct backup_snapshots found;
    int other = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(other >= 0 && flock(other, LOCK_EX) == 0);
    assert_false(snapshot(EVERY, &found, &fault));
    assert_int_equal(fault.code, PROTO_LOCKED);
    close(other);
    assert_true(snapshot(EVERY, &found, &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_is_written_when_it_is_due_and_the_newest_stay),
        cmocka_unit_test(a_store_that_is_behind_writes_none),
        cmocka_unit_test(the_newest_is_restored_to_the_same),
        cmocka_unit_test(one_at_a_time_writes),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
