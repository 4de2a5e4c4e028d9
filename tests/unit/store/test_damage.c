/* SPDX-License-Identifier: Apache-2.0 */
/* Flips single bits anywhere in the file of a small store and reads everything: each answer must be
 * right or refused. A child does the reading, so that a crash is counted and not suffered.
 * ICP_FLIPS and ICP_SEED in the environment make a longer run, or another. */
#include "tests/unit/store/store_fixture.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ACCOUNTS = 400, FLIPS = 600 / TEST_SHORTER, MISSING = 40 };
enum outcome { RIGHT = 0, REFUSED = 10, WRONG = 11 };

struct file {
    uint8_t *bytes;
    size_t count;
};

struct world {
    struct fixture fixture;
    struct file data;
    struct file witness;
    uint8_t salt;
    int lie; /* number by which the truth is off: the control */
};

static void text_of(char text[32], const char *prefix, int i)
{
    snprintf(text, 32, "%s%d", prefix, i);
}

static bool is_deleted(int i)
{
    return i % 17 == 3;
}

static void build(struct world *world)
{
    struct fixture *fixture = &world->fixture;
    struct store_result result;
    struct proto_fault fault;
    uint8_t salts[] = {1, 2};
    for (int round = 0; round < 2; round++) {
        struct store_encoder encoder = fixture_encoder(30 + (uint64_t)round, 40, &salts[round]);
        store_set_encoder(fixture->store, &encoder);
        for (int i = 0; i < ACCOUNTS; i += 20) {
            struct store_batch *batch = store_batch_create();
            for (int j = i; j < i + 20; j++) {
                struct made made;
                char id[32];
                char key[32];
                text_of(id, "id", j);
                text_of(key, "crm:", j);
                const char *keys[] = {key, NULL};
                make_record(&made, id, keys, (j + round) % 200, "some category that is stored");
                assert_true(store_batch_put(batch, made_span(&made), &fault));
            }
            assert_true(store_submit_wait(fixture->store, batch, &result));
        }
        settle(fixture, encoder.digest);
    }
    for (int i = 0; i < ACCOUNTS; i++) {
        char id[32];
        text_of(id, "id", i);
        if (is_deleted(i)) {
            assert_true(delete_one(fixture, id, &result));
        }
    }
    for (int i = 1; i <= 3; i++) {
        struct store_batch *batch = store_batch_create();
        char text[32];
        text_of(text, "schema", i);
        assert_true(batch_schema(batch, (uint32_t)i, span(text), &fault));
        text_of(text, "icp", i);
        assert_true(batch_icp(batch, span(text), true, span(text), &fault));
        assert_true(store_submit_wait(fixture->store, batch, &result));
    }
    must_be_sound(fixture);
}

static struct file file_read(const char *directory, const char *name)
{
    char path[128];
    struct file file = {0};
    struct stat info = {0};
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    file.count = (size_t)info.st_size < 4000000 ? (size_t)info.st_size : 4000000;
    file.bytes = malloc(file.count + 1);
    assert_int_equal(pread(fd, file.bytes, file.count, 0), file.count);
    close(fd);
    return file;
}

static void file_write(const char *directory, const char *name, const struct file *file)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, file->bytes, file->count), file->count);
    close(fd);
}

/* All of one account, by every way that leads to it. */
static enum outcome look_at(struct world *world, struct store_view *view, int i)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct proto_span bytes;
    struct feature_record record = {0};
    struct feature_value values[2];
    char id[32];
    char key[32];
    bool refused = false;
    uint32_t expected = i >= ACCOUNTS || is_deleted(i) ? STORE_NO_SLOT : (uint32_t)i;
    double number = (i + 1 + world->lie) % 200; /* the second round of build() */
    text_of(id, "id", i);
    text_of(key, "crm:", i);
    struct proto_span id_span = span(id);
    uint32_t slot = store_find_id(view, id_span, &fault);
    if (fault.code == PROTO_OK && slot != expected) {
        return WRONG;
    }
    refused |= fault.code != PROTO_OK;
    fault.code = PROTO_OK;
    slot = store_find_key(view, span(key), &fault);
    if (fault.code == PROTO_OK && slot != expected) {
        return WRONG;
    }
    refused |= fault.code != PROTO_OK;
    const uint8_t *row;
    store_find_many(view, &id_span, 1, &slot, &row);
    if (slot != expected && slot != STORE_BAD_SLOT) {
        return WRONG;
    }
    if (row != NULL &&
        (slot != expected || row[0] != (uint8_t)number || row[1] != 's' || row[2] != 2)) {
        return WRONG;
    }
    refused |= slot == STORE_BAD_SLOT || (row == NULL && expected != STORE_NO_SLOT);
    if (i >= ACCOUNTS) {
        return refused ? REFUSED : RIGHT;
    }
    fault.code = PROTO_OK;
    bool got = store_record(view, (uint32_t)i, &bytes, &fault);
    if (!got) {
        return fault.code == PROTO_NOT_FOUND ? (is_deleted(i) ? RIGHT : WRONG) : REFUSED;
    }
    if (is_deleted(i) || !feature_record_open(bytes, true, &record, &fault)) {
        return WRONG;
    }
    feature_record_values(&record, values, 2);
    if (!proto_span_is(record.id, id) || values[0].number != number ||
        !proto_span_is(values[1].text, "some category that is stored")) {
        return WRONG;
    }
    return refused ? REFUSED : RIGHT;
}

static void worst(enum outcome *outcome, enum outcome found)
{
    if (found > *outcome) {
        *outcome = found;
    }
}

static void each_switch(void *context, const struct store_change *change)
{
    char text[32];
    uint32_t *next = context;
    text_of(text, "icp", (int)*next);
    if (change->version != *next || change->previous != *next - 1 ||
        !proto_span_is(change->text, text)) {
        *next = 1000;
    }
    ++*next;
}

static enum outcome look_at_documents(struct store_view *view)
{
    struct proto_fault fault;
    struct proto_span text;
    char expected[32];
    enum outcome outcome = RIGHT;
    for (int i = 1; i <= 3; i++) {
        text_of(expected, "schema", i);
        if (!document_text(STORE_DOCUMENT_SCHEMA, view, (uint32_t)i, &text)) {
            worst(&outcome, REFUSED);
        } else if (!proto_span_is(text, expected)) {
            return WRONG;
        }
        text_of(expected, "icp", i);
        if (!document_text(STORE_DOCUMENT_ICP, view, (uint32_t)i, &text)) {
            worst(&outcome, REFUSED);
        } else if (!proto_span_is(text, expected)) {
            return WRONG;
        }
    }
    uint32_t next = 1;
    if (!store_switches(view, each_switch, &next, &fault)) {
        worst(&outcome, REFUSED);
    } else if (next != 4) {
        return WRONG;
    }
    return outcome;
}

static enum outcome look_at_all(struct world *world, struct store *store)
{
    struct proto_fault fault;
    enum outcome outcome = RIGHT;
    struct store_view *view = store_view_open(store, &fault);
    if (view == NULL) {
        return REFUSED;
    }
    if (store_view_accounts(view) != ACCOUNTS - (ACCOUNTS + 13) / 17 ||
        store_view_slots(view) != ACCOUNTS) {
        return WRONG;
    }
    /* Twice: through the file, then through the index once it is filled. */
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < ACCOUNTS + MISSING; i++) {
            worst(&outcome, look_at(world, view, i));
        }
        worst(&outcome, look_at_documents(view));
        for (int wait = 0; round == 0 && wait < 1000; wait++) {
            struct store_stats stats;
            store_stats(store, &stats);
            if (stats.index_ready != 0) {
                break;
            }
            usleep(200);
        }
        if (!store_view_refresh(view, &fault)) {
            worst(&outcome, REFUSED);
        }
    }
    store_view_close(view);
    return outcome;
}

/* As it was, or as damaged: without a text. */
static bool told_right(const struct store_change *change, const char *text)
{
    return change->text.bytes == 0 || proto_span_is(change->text, text);
}

/* In a child: opens, reads, and tells by its exit. */
static enum outcome read_all(struct world *world)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct proto_fault fault;
        struct fixture *fixture = &world->fixture;
        fixture->change_count = 0;
        fclose(stderr);
        signal(SIGSEGV, SIG_DFL); /* cmocka's handlers would hide how it died */
        signal(SIGBUS, SIG_DFL);
        signal(SIGABRT, SIG_DFL);
        fixture->store = store_open_tuned(&fixture->options, NULL, &fault);
        if (fixture->store == NULL) {
            _exit(REFUSED);
        }
        enum outcome outcome = look_at_all(world, fixture->store);
        /* What the engine was told at open must be right as well. */
        if (fixture->change_count != 7 || !told_right(&fixture->changes[2], "schema3") ||
            fixture->changes[6].version != 3 || !told_right(&fixture->changes[6], "icp3")) {
            outcome = WRONG;
        }
        _exit((int)outcome);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? (enum outcome)WEXITSTATUS(status)
                             : (enum outcome)(-WTERMSIG(status));
}

static void restore(struct world *world)
{
    file_write(world->fixture.path, "data.mdb", &world->data);
    file_write(world->fixture.path, "store.check", &world->witness);
}

static int setup(void **state)
{
    static struct world world;
    fixture_init(&world.fixture);
    world.fixture.options.map_bytes_max = (size_t)256 << 20;
    fixture_open(&world.fixture);
    build(&world);
    fixture_close(&world.fixture); /* folds everything */
    world.data = file_read(world.fixture.path, "data.mdb");
    uint64_t pages = 0;
    for (size_t i = 0; i < 2; i++) { /* each meta page names the last page of its transaction */
        uint64_t last = disk_get_u64(world.data.bytes + i * DISK_PAGE_BYTES + 136);
        pages = last + 1 > pages ? last + 1 : pages;
    }
    world.witness = file_read(world.fixture.path, "store.check");
    assert_true(pages * DISK_PAGE_BYTES <= world.data.count);
    world.data.count = pages * DISK_PAGE_BYTES;
    world.lie = 0;
    *state = &world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    free(world->data.bytes);
    free(world->witness.bytes);
    fixture_remove(world->fixture.path);
    return 0;
}

static long number_from(const char *name, long otherwise)
{
    const char *text = getenv(name);
    return text == NULL ? otherwise : strtol(text, NULL, 10);
}

static void no_flipped_bit_is_ever_served(void **state)
{
    struct world *world = *state;
    long counts[4] = {0};
    uint64_t seed = (uint64_t)number_from("ICP_SEED", 20);
    long flips = number_from("ICP_FLIPS", FLIPS);
    assert_int_equal(read_all(world), RIGHT);
    for (long flip = 0; flip < flips; flip++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407;
        uint64_t bit = (seed >> 16) % (world->data.count * 8);
        world->data.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        restore(world);
        enum outcome outcome = read_all(world);
        world->data.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        if (outcome == RIGHT || outcome == REFUSED) {
            counts[outcome == REFUSED]++;
        } else if (outcome == WRONG) {
            counts[2]++;
        } else {
            counts[3]++;
        }
        if (outcome != RIGHT && outcome != REFUSED) {
            print_message("bit %llu (page %llu, byte %llu): outcome %d\n", (unsigned long long)bit,
                          (unsigned long long)(bit / 8 / DISK_PAGE_BYTES),
                          (unsigned long long)(bit / 8 % DISK_PAGE_BYTES), (int)outcome);
        }
    }
    print_message(
        "%ld flips in %zu pages: %ld without effect, %ld refused, %ld wrong, %ld crashed\n", flips,
        world->data.count / DISK_PAGE_BYTES, counts[0], counts[1], counts[2], counts[3]);
    assert_int_equal(counts[2], 0);
    assert_true(counts[1] >= flips / 30);
    restore(world);
    assert_int_equal(read_all(world), RIGHT);
}

/* The control: when the truth is another one, the harness must see it. */
static void the_harness_sees_a_wrong_answer(void **state)
{
    struct world *world = *state;
    restore(world);
    assert_int_equal(read_all(world), RIGHT);
    world->lie = 1;
    assert_int_equal(read_all(world), WRONG);
    world->lie = 0;
}

static void count_bad(void *context, const char *what)
{
    (void)what;
    ++*(int *)context;
}

static void the_scrub_finds_a_flip_in_every_table(void **state)
{
    struct world *world = *state;
    struct proto_fault fault;
    static const char *const texts[] = {"some category", "schema2", "icp2"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        /* Every copy in the file, old pages and the log too: some of them are in use. */
        struct file broken = {malloc(world->data.count), world->data.count};
        memcpy(broken.bytes, world->data.bytes, broken.count);
        uint8_t *at = broken.bytes;
        while ((at = memmem(at, broken.count - (size_t)(at - broken.bytes), texts[i],
                            strlen(texts[i]))) != NULL) {
            *at++ ^= 4;
        }
        file_write(world->fixture.path, "data.mdb", &broken);
        free(broken.bytes);
        world->fixture.change_count = 0;
        struct store *store = store_open_tuned(&world->fixture.options, NULL, &fault);
        int bad = 0;
        uint64_t least = i == 0 ? ACCOUNTS / 2 : 1; /* a document costs itself alone */
        assert_non_null(store);
        assert_true(store_scrub(store, count_bad, &bad, &fault) >= least);
        assert_true((uint64_t)bad >= least);
        store_close(store);
    }
    restore(world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_harness_sees_a_wrong_answer),
        cmocka_unit_test(no_flipped_bit_is_ever_served),
        cmocka_unit_test(the_scrub_finds_a_flip_in_every_table),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
