/* SPDX-License-Identifier: Apache-2.0 */
/* A store that is compacted is the same store in fewer pages, or untouched. */
#include "tests/unit/store/store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/compact.h"
#include "server/store/dump.h"

enum { ACCOUNTS = 600, ROUNDS = 4 };
static const size_t map_bytes = (size_t)1 << 30;

/* Each round is folded by itself, so that pages of the rounds before are left free. */
static void fill(struct fixture *fixture)
{
    static const char *const ids[] = {"id4", "id1"};
    struct proto_fault fault;
    struct store_result result;
    fixture_open(fixture);
    struct store_batch *batch = store_batch_create();
    assert_true(batch_schema(batch, 1, span("a schema"), &fault));
    assert_true(batch_icp(batch, span("an icp"), true, span("the first"), &fault));
    assert_true(batch_tal(batch, 1, "a list", ids, 2, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < ACCOUNTS; i++) {
            char id[32];
            char key[32];
            snprintf(id, sizeof id, "id%d", i);
            snprintf(key, sizeof key, "crm:%d", i);
            fixture->now_ms += 1000;
            assert_true(put_one(fixture, id, key, i + round, &result));
        }
        fixture_close(fixture);
        fixture_open(fixture);
    }
    for (int i = 0; i < ACCOUNTS; i += 3) {
        char id[32];
        snprintf(id, sizeof id, "id%d", i);
        assert_true(delete_one(fixture, id, &result));
    }
}

static void file_of(const struct fixture *fixture, const char *name, char file[128])
{
    snprintf(file, 128, "%s/%s", fixture->path, name);
}

static bool is_there(const struct fixture *fixture, const char *name)
{
    char file[128];
    file_of(fixture, name, file);
    return access(file, F_OK) == 0;
}

/* Of the first pages, which is where the meta pages are, and the length. */
static uint64_t data_hash(const struct fixture *fixture)
{
    char file[128];
    struct stat stat = {0};
    static uint8_t bytes[1 << 20];
    file_of(fixture, "data.mdb", file);
    int fd = open(file, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    ssize_t got = pread(fd, bytes, sizeof bytes, 0);
    close(fd);
    assert_true(got > 0);
    return XXH3_64bits_withSeed(bytes, (size_t)got, (uint64_t)stat.st_size);
}

static bool batch_count(void *context, const struct store_logged *logged)
{
    (void)logged;
    ++*(uint64_t *)context;
    return true;
}

static uint64_t log_count(struct store *store)
{
    struct proto_fault fault = {.code = PROTO_OK};
    uint64_t count = 0;
    uint64_t floor = store_log_floor(store, &fault);
    assert_true(store_log_read(store, floor - 1, store_log_head(store, &fault), batch_count, &count,
                               &fault));
    return count;
}

static void a_compacted_store_is_the_same_in_fewer_pages(void **state)
{
    struct fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_compacted compacted;
    struct store_result result;
    (void)state;
    fixture_init(&fixture);
    fill(&fixture);
    uint64_t digest = store_digest(fixture.store, true);
    uint64_t identity = store_identity(fixture.store);
    uint64_t seq = store_view_seq(viewed(&fixture));
    uint64_t logged = log_count(fixture.store);
    fixture_close(&fixture);
    assert_true(store_compact(fixture.path, map_bytes, &compacted, &fault));
    assert_true(compacted.bytes_after < compacted.bytes_before);
    assert_true(compacted.entries > ACCOUNTS);
    assert_false(is_there(&fixture, "data.compact"));
    fixture_open(&fixture);
    must_be_sound(&fixture);
    assert_int_equal(store_digest(fixture.store, true), digest);
    assert_int_equal(store_identity(fixture.store), identity);
    assert_int_equal(store_view_seq(viewed(&fixture)), seq);
    assert_int_equal(log_count(fixture.store), logged);
    /* And goes on, and again. */
    assert_true(put_one(&fixture, "later", "crm:later", 7, &result));
    assert_int_equal(result.seq, seq + 1);
    fixture_close(&fixture);
    assert_true(store_compact(fixture.path, map_bytes, &compacted, &fault));
    fixture_open(&fixture);
    must_be_sound(&fixture);
    assert_float_equal((float)number_of(&fixture, "later"), 7, 0);
    fixture_fini(&fixture);
}

/* What is not folded yet stays in the log, and is read from there. */
static void what_is_in_the_log_alone_is_kept(void **state)
{
    struct fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_compacted compacted;
    struct store_result result;
    char other[64] = "/tmp/icp_compact_XXXXXX";
    char command[256];
    (void)state;
    fixture_init(&fixture);
    fill(&fixture);
    assert_true(put_one(&fixture, "unfolded", "crm:unfolded", 9, &result));
    /* As it would be after kill -9. */
    assert_non_null(mkdtemp(other));
    snprintf(command, sizeof command, "cp -r --sparse=always %s/. %s", fixture.path, other);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c) */
    assert_true(store_compact(other, map_bytes, &compacted, &fault));
    fixture_close(&fixture);
    fixture_remove(fixture.path);
    snprintf(fixture.path, sizeof fixture.path, "%s", other);
    fixture_open(&fixture);
    must_be_sound(&fixture);
    assert_float_equal((float)number_of(&fixture, "unfolded"), 9, 0);
    fixture_fini(&fixture);
}

static void one_that_is_open_is_refused(void **state)
{
    struct fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_compacted compacted;
    (void)state;
    fixture_init(&fixture);
    fill(&fixture);
    uint64_t digest = store_digest(fixture.store, true);
    assert_false(store_compact(fixture.path, map_bytes, &compacted, &fault));
    assert_int_equal(fault.code, PROTO_LOCKED);
    assert_int_equal(store_digest(fixture.store, true), digest);
    fixture_fini(&fixture);
}

static void where_no_store_is_none_is_made(void **state)
{
    struct fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_compacted compacted;
    (void)state;
    fixture_init(&fixture);
    assert_false(store_compact(fixture.path, map_bytes, &compacted, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    assert_false(is_there(&fixture, "data.mdb"));
    fixture_remove(fixture.path);
}

/* A flip within what an account holds: its id is found nowhere else in the file. */
static void text_spoil(const struct fixture *fixture, const char *text)
{
    char file[128];
    struct stat stat = {0};
    file_of(fixture, "data.mdb", file);
    int fd = open(file, O_RDWR);
    assert_true(fd >= 0 && fstat(fd, &stat) == 0);
    uint8_t *bytes = malloc((size_t)stat.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, (size_t)stat.st_size, 0), stat.st_size);
    size_t found = 0;
    for (const uint8_t *at = bytes;
         (at = memmem(at, (size_t)(bytes + stat.st_size - at), text, strlen(text))) != NULL; at++) {
        uint8_t flipped = (uint8_t)(*at ^ 1);
        assert_int_equal(pwrite(fd, &flipped, 1, at - bytes), 1);
        found++;
    }
    assert_true(found > 0);
    free(bytes);
    close(fd);
}

static void a_damaged_store_is_refused_and_left_as_it_is(void **state)
{
    struct fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_compacted compacted;
    struct store_result result;
    (void)state;
    fixture_init(&fixture);
    fill(&fixture);
    assert_true(put_one(&fixture, "a-marked-account", "crm:marked", 1, &result));
    fixture_close(&fixture);
    text_spoil(&fixture, "a-marked-account");
    uint64_t before = data_hash(&fixture);
    assert_false(store_compact(fixture.path, map_bytes, &compacted, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    assert_int_equal(data_hash(&fixture), before);
    assert_false(is_there(&fixture, "data.compact"));
    fixture_remove(fixture.path);
}

static void on_a_full_disk_the_store_stays_as_it_is(void **state)
{
    struct fixture fixture;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_compacted compacted;
    struct rlimit limit;
    (void)state;
    fixture_init(&fixture);
    fill(&fixture);
    uint64_t digest = store_digest(fixture.store, true);
    fixture_close(&fixture);
    uint64_t before = data_hash(&fixture);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    const struct rlimit low = {64 << 10, limit.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &low), 0);
    bool done = store_compact(fixture.path, map_bytes, &compacted, &fault);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
    assert_false(done);
    assert_int_equal(fault.code, PROTO_DISK_FULL);
    assert_int_equal(data_hash(&fixture), before);
    assert_false(is_there(&fixture, "data.compact"));
    /* What a cut leaves of an earlier one is written over. */
    char file[128];
    file_of(&fixture, "data.compact", file);
    int fd = open(file, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0 && write(fd, "half", 4) == 4 && close(fd) == 0);
    assert_true(store_compact(fixture.path, map_bytes, &compacted, &fault));
    fixture_open(&fixture);
    must_be_sound(&fixture);
    assert_int_equal(store_digest(fixture.store, true), digest);
    fixture_fini(&fixture);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compacted_store_is_the_same_in_fewer_pages),
        cmocka_unit_test(what_is_in_the_log_alone_is_kept),
        cmocka_unit_test(one_that_is_open_is_refused),
        cmocka_unit_test(where_no_store_is_none_is_made),
        cmocka_unit_test(a_damaged_store_is_refused_and_left_as_it_is),
        cmocka_unit_test(on_a_full_disk_the_store_stays_as_it_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
