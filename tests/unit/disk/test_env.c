/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <lmdb.h>

enum { META_TXN = 144, META_LAST_PAGE = 136 };

static int setup(void **state)
{
    static struct fixture fixture;
    fixture_init(&fixture);
    fixture_open(&fixture);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    fixture_fini(*state);
    return 0;
}

static enum proto_error open_again(struct fixture *fixture, struct proto_fault *fault)
{
    fault->code = PROTO_OK;
    struct store *store = store_open(&fixture->options, fault);
    store_close(store);
    assert_int_equal(store == NULL, fault->code != PROTO_OK);
    return fault->code;
}

static void a_second_opening_in_this_process_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    assert_int_equal(open_again(fixture, &fault), PROTO_LOCKED);
    assert_non_null(strstr(fault.message, "this process"));
    /* It did no harm, and a closed store can be opened. */
    struct store_result result;
    assert_true(put_one(fixture, "acme", NULL, 1, &result));
    fixture_close(fixture);
    fixture_open(fixture);
    assert_true(number_of(fixture, "acme") == 1);
}

static void a_second_process_is_refused(void **state)
{
    struct fixture *fixture = *state;
    pid_t child = fork();
    if (child == 0) {
        /* A program of its own: the store of the parent is not touched. */
        struct proto_fault fault;
        enum proto_error code = open_again(fixture, &fault);
        _exit(code == PROTO_LOCKED && strstr(fault.message, "another process") != NULL ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void data_path(const struct fixture *fixture, char *path, size_t bytes)
{
    snprintf(path, bytes, "%s/data.mdb", fixture->path);
}

static uint64_t last_page(const struct fixture *fixture)
{
    char path[128];
    uint8_t pages[2 * DISK_PAGE_BYTES];
    data_path(fixture, path, sizeof path);
    int fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, pages, sizeof pages, 0), sizeof pages);
    close(fd);
    uint64_t a = disk_get_u64(pages + META_LAST_PAGE);
    uint64_t b = disk_get_u64(pages + DISK_PAGE_BYTES + META_LAST_PAGE);
    return a > b ? a : b;
}

static void a_file_that_is_cut_off_is_refused_at_open(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    char path[128];
    for (int i = 0; i < 50; i++) {
        char id[8];
        snprintf(id, sizeof id, "a%d", i);
        assert_true(put_one(fixture, id, NULL, i, &result));
    }
    fixture_close(fixture);
    data_path(fixture, path, sizeof path);
    off_t used = (off_t)((last_page(fixture) + 1) * DISK_PAGE_BYTES);
    /* The control: the tail behind the last page may go. */
    assert_int_equal(truncate(path, used), 0);
    assert_int_equal(open_again(fixture, &fault), PROTO_OK);
    static const off_t cuts[] = {1, 100, DISK_PAGE_BYTES, 20000};
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++) {
        assert_int_equal(truncate(path, used - cuts[i]), 0);
        assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
        assert_non_null(strstr(fault.message, "cut off"));
    }
    assert_int_equal(truncate(path, 2 * (off_t)DISK_PAGE_BYTES), 0);
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    assert_int_equal(truncate(path, 5000), 0);
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    assert_int_equal(truncate(path, 10), 0);
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    fixture_remove(fixture->path);
    fixture_open(fixture);
}

static void a_file_that_is_no_store_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    char path[128];
    fixture_close(fixture);
    data_path(fixture, path, sizeof path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 20000; i++) {
        fputc('x', file);
    }
    fclose(file);
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    fixture_remove(fixture->path);
    fixture_open(fixture);
}

static void flip(const char *path, off_t at, unsigned bit)
{
    uint8_t byte;
    int fd = open(path, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= (uint8_t)(1u << bit);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    close(fd);
}

/* LMDB itself would start from an older state, or lose the last commit, without a word. */
static void a_flipped_transaction_number_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    char path[128];
    for (int i = 0; i < 5; i++) {
        assert_true(put_one(fixture, "acme", NULL, i, &result));
    }
    fixture_close(fixture);
    data_path(fixture, path, sizeof path);
    for (int page = 0; page < 2; page++) {
        for (unsigned bit = 0; bit < 64; bit++) {
            off_t at = page * (off_t)DISK_PAGE_BYTES + META_TXN + bit / 8;
            flip(path, at, bit % 8);
            assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
            flip(path, at, bit % 8);
        }
    }
    fixture_open(fixture);
    assert_true(number_of(fixture, "acme") == 4);
}

static void data_that_is_gone_beside_a_witness_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    char path[128];
    char witness[128];
    assert_true(put_one(fixture, "acme", NULL, 1, &result));
    fixture_close(fixture);
    data_path(fixture, path, sizeof path);
    snprintf(witness, sizeof witness, "%s/store.check", fixture->path);
    assert_int_equal(truncate(path, 0), 0);
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    assert_non_null(strstr(fault.message, "missing or empty"));
    assert_int_equal(access(path, F_OK), -1); /* and nothing was made in its place */
    assert_int_equal(unlink(witness), 0);
    /* The log that is left is of the store that is gone. */
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    assert_non_null(strstr(fault.message, "the log of a store lies beside it"));
    assert_int_equal(access(path, F_OK), -1);
    fixture_remove(fixture->path);
    fixture->options.must_exist = true;
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    assert_non_null(strstr(fault.message, "require_data"));
    assert_int_equal(access(path, F_OK), -1);
    fixture->options.must_exist = false; /* the control */
    fixture_open(fixture);
    assert_true(number_of(fixture, "acme") == -1);
}

/* A crash while a store is made leaves what has no name yet, in any state. */
static void what_an_unfinished_creation_left_is_made_anew(void **state)
{
    struct fixture *fixture = *state;
    char path[128];
    struct store_result result;
    fixture_close(fixture);
    fixture_remove(fixture->path);
    assert_int_equal(mkdir(fixture->path, 0700), 0);
    snprintf(path, sizeof path, "%s/data.new", fixture->path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = 0; i < 5000; i++) {
        fputc('x', file);
    }
    fclose(file);
    fixture_open(fixture);
    assert_true(put_one(fixture, "acme", NULL, 1, &result));
    assert_int_equal(access(path, F_OK), -1);
}

/* Where the meta page begins that the store would start from. */
static off_t meta_in_use(const char *path)
{
    uint8_t pages[2 * DISK_PAGE_BYTES];
    int fd = open(path, O_RDONLY);
    assert_int_equal(pread(fd, pages, sizeof pages, 0), sizeof pages);
    close(fd);
    bool first = disk_get_u64(pages + META_TXN) > disk_get_u64(pages + DISK_PAGE_BYTES + META_TXN);
    return first ? 0 : (off_t)DISK_PAGE_BYTES;
}

/* What a failed write of a meta page may leave: the numbers of before, and roots that mean nothing.
 */
static void a_spoilt_meta_page_that_is_not_in_use_costs_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    char path[128];
    for (int i = 0; i < 5; i++) {
        assert_true(put_one(fixture, "acme", NULL, i, &result));
    }
    fixture_close(fixture);
    data_path(fixture, path, sizeof path);
    off_t unused = (off_t)DISK_PAGE_BYTES - meta_in_use(path);
    for (off_t at = 48; at < META_LAST_PAGE; at += 8) {
        flip(path, unused + at, 2);
    }
    fixture_open(fixture);
    assert_true(number_of(fixture, "acme") == 4);
    assert_true(put_one(fixture, "acme", NULL, 9, &result));
    fixture_close(fixture);
    fixture_open(fixture);
    assert_true(number_of(fixture, "acme") == 9);
    /* The control: the page in use is judged to the bit. */
    fixture_close(fixture);
    off_t used = meta_in_use(path);
    flip(path, used + 100, 2);
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    flip(path, used + 100, 2);
    fixture_open(fixture);
}

static void an_environment_that_cannot_be_opened_is_a_fault(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault;
    char path[128];
    fixture_close(fixture);
    snprintf(path, sizeof path, "%s/lock.mdb", fixture->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(open_again(fixture, &fault), PROTO_IO);
    assert_int_equal(rmdir(path), 0);
    fixture_open(fixture);
}

static void another_format_version_is_refused_by_its_number(void **state)
{
    (void)state;
    struct disk_format format = {.seeds = {1, 2}, .version = DISK_FORMAT_VERSION};
    struct proto_fault fault;
    uint8_t bytes[DISK_FORMAT_BYTES];
    disk_format_encode(&format, bytes);
    assert_true(disk_format_decode((struct proto_span){bytes, sizeof bytes}, &format, &fault));
    disk_set_u32(bytes + 12, DISK_FORMAT_VERSION + 1);
    disk_set_u64(bytes,
                 disk_check(DISK_TABLE_META, DISK_FORMAT_KEY, bytes + 8, DISK_FORMAT_BYTES - 8));
    assert_false(disk_format_decode((struct proto_span){bytes, sizeof bytes}, &format, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    assert_non_null(strstr(fault.message, "version 3"));
}

/* Writes the state as builds before lists and vectors did, 256 bytes, and takes their tables away.
 */
static void make_older(const struct fixture *fixture, bool with_accounts)
{
    MDB_env *mdb;
    MDB_txn *txn;
    MDB_dbi meta;
    uint64_t key = DISK_STATE_KEY;
    MDB_val name = {sizeof key, &key};
    MDB_val value;
    uint8_t bytes[DISK_STATE_BYTES_FIRST];
    assert_int_equal(mdb_env_create(&mdb), 0);
    assert_int_equal(mdb_env_set_maxdbs(mdb, DISK_TABLE_COUNT), 0);
    assert_int_equal(mdb_env_open(mdb, fixture->path, MDB_NOTLS, 0600), 0);
    assert_int_equal(mdb_txn_begin(mdb, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, "meta", MDB_INTEGERKEY, &meta), 0);
    assert_int_equal(mdb_get(txn, meta, &name, &value), 0);
    assert_int_equal(value.mv_size, DISK_STATE_BYTES);
    memcpy(bytes, value.mv_data, sizeof bytes);
    disk_set_u64(bytes + 8, mdb_txn_id(txn));
    disk_set_u64(bytes, disk_check(DISK_TABLE_META, DISK_STATE_KEY, bytes + 8, sizeof bytes - 8));
    value = (MDB_val){sizeof bytes, bytes};
    assert_int_equal(mdb_put(txn, meta, &name, &value, 0), 0);
    static const char *const tables[] = {"operation", "tal", "vector", "account"};
    for (size_t i = 0; i < (with_accounts ? 3 : 4); i++) {
        MDB_dbi table;
        assert_int_equal(mdb_dbi_open(txn, tables[i], MDB_INTEGERKEY, &table), 0);
        assert_int_equal(mdb_drop(txn, table, 1), 0);
    }
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(mdb);
}

static void a_store_of_before_lists_and_vectors_is_opened_and_goes_on(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    assert_true(put_one(fixture, "acme", "k:1", 4, &result));
    fixture_close(fixture);
    make_older(fixture, true);
    fixture_open(fixture);
    assert_true(number_of(fixture, "acme") == 4);
    assert_true(put_one(fixture, "later", "k:2", 5, &result));
    struct store_batch *batch = store_batch_create();
    assert_true(batch_tal(batch, 1, "{}", (const char *const[]){"acme"}, 1, &fault));
    assert_true(store_submit_wait(fixture->store, batch, &result));
    fixture_close(fixture);
    fixture_open(fixture);
    assert_true(number_of(fixture, "acme") == 4);
    assert_true(number_of(fixture, "later") == 5);
    must_be_sound(fixture);
}

static void a_table_that_should_hold_something_and_is_gone_is_damage(void **state)
{
    struct fixture *fixture = *state;
    struct store_result result;
    struct proto_fault fault;
    assert_true(put_one(fixture, "acme", "k:1", 4, &result));
    fixture_close(fixture);
    make_older(fixture, false);
    assert_int_equal(open_again(fixture, &fault), PROTO_CORRUPT);
    assert_string_equal(fault.field, "account");
    assert_non_null(strstr(fault.message, "missing"));
    fixture_remove(fixture->path);
    fixture_open(fixture);
}

static void a_path_that_cannot_be_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {.code = PROTO_OK};
    struct store_options options = fixture->options;
    options.path = "/proc/no/such/place";
    assert_null(store_open(&options, &fault));
    assert_int_equal(fault.code, PROTO_IO);
    assert_string_equal(fault.field, "path");
}

static void a_directory_that_others_may_write_to_is_refused(void **state)
{
    struct fixture *fixture = *state;
    fixture_close(fixture);
    static const mode_t modes[] = {0702, 0720, 0777, 01777};
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        assert_int_equal(chmod(fixture->path, modes[i]), 0);
        struct proto_fault fault = {0};
        assert_null(store_open(&fixture->options, &fault));
        assert_int_equal(fault.code, PROTO_BAD_CONFIG);
        assert_non_null(strstr(fault.message, "chmod 700"));
    }
    assert_int_equal(chmod(fixture->path, 0755), 0);
    fixture_open(fixture);
}

static void files_are_for_their_owner_alone(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    char path[128];
    data_path(fixture, path, sizeof path);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
}

/* Another program reads the file with LMDB, and dies with a snapshot open. */
static void a_reader_that_died_is_cleared(void **state)
{
    struct fixture *fixture = *state;
    int ready[2];
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        MDB_env *env;
        MDB_txn *txn;
        char byte = 1;
        bool good = mdb_env_create(&env) == 0 && mdb_env_set_mapsize(env, (size_t)1 << 30) == 0 &&
                    mdb_env_open(env, fixture->path, MDB_NOTLS, 0600) == 0 &&
                    mdb_txn_begin(env, NULL, MDB_RDONLY, &txn) == 0;
        _exit(!good || write(ready[1], &byte, 1) != 1 ? 1 : (pause(), 0));
    }
    char byte;
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(disk_env_clear_readers(&fixture->store->env), 0); /* it lives */
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_int_equal(disk_env_clear_readers(&fixture->store->env), 1);
    assert_int_equal(disk_env_clear_readers(&fixture->store->env), 0);
    close(ready[0]);
    close(ready[1]);
}

#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_second_opening_in_this_process_is_refused),
        T(a_second_process_is_refused),
        T(a_file_that_is_cut_off_is_refused_at_open),
        T(a_file_that_is_no_store_is_refused),
        T(a_flipped_transaction_number_is_refused),
        T(data_that_is_gone_beside_a_witness_is_refused),
        T(what_an_unfinished_creation_left_is_made_anew),
        T(a_spoilt_meta_page_that_is_not_in_use_costs_nothing),
        T(an_environment_that_cannot_be_opened_is_a_fault),
        T(another_format_version_is_refused_by_its_number),
        T(a_store_of_before_lists_and_vectors_is_opened_and_goes_on),
        T(a_table_that_should_hold_something_and_is_gone_is_damage),
        T(a_path_that_cannot_be_is_refused),
        T(a_directory_that_others_may_write_to_is_refused),
        T(files_are_for_their_owner_alone),
        T(a_reader_that_died_is_cleared),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
