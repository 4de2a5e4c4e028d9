/* SPDX-License-Identifier: Apache-2.0 */
/* Makes the store, keeps its files. What lies behind the last page of the tables means nothing and
 * is left out; so are locks, which every start makes anew. */
#include "tests/damage/damage_world.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/store/dump.h"
#include "server/store/vector_blocks.h"

enum { STEP = 20, MANY = 160, META_LAST_PAGE = 136 };

void world_text(char text[32], const char *prefix, int i)
{
    snprintf(text, 32, "%s%d", prefix, i);
}

void world_put(struct store_batch *batch, int i, double number)
{
    struct made made;
    struct proto_fault fault;
    char id[32];
    char key[32];
    world_text(id, "id", i);
    world_text(key, "crm:", i);
    const char *keys[] = {key, NULL};
    make_record(&made, id, keys, number, "some category that is stored");
    assert_true(store_batch_put(batch, made_span(&made), &fault));
}

bool world_operation(struct store_batch *batch, int number)
{
    struct proto_fault fault;
    char id[32];
    world_text(id, "op-", number);
    return store_batch_operation(batch, span(id), (uint64_t)number, &fault);
}

void world_block(char bytes[WORLD_BLOCK_BYTES], uint32_t number)
{
    for (uint32_t i = 0; i < WORLD_BLOCK_BYTES; i++) {
        bytes[i] = (char)(number * 31 + i * 7 + i / 256);
    }
}

struct store_encoder world_encoder(struct world *world)
{
    return fixture_encoder(31, 40, &world->salts[1]);
}

/* Every `each`th account from `first` on. */
static void change(struct world *world, int first, int end, int each, int add, int operation)
{
    struct store_result result;
    for (int from = first; from < end; from += STEP) {
        struct store_batch *batch = store_batch_create();
        int count = 0;
        for (int i = from; i < from + STEP && i < end; i++) {
            if ((i - first) % each == 0 && !world->deleted[i]) {
                double number = (i + add) % 200;
                if (world->made[i]) {
                    world_past(&world->pasts[i], world->numbers[i], number);
                }
                world->made[i] = true;
                world->numbers[i] = number;
                world_put(batch, i, world->numbers[i]);
                count++;
            }
        }
        if (count > 0 && operation > 0) {
            assert_true(world_operation(batch, operation++));
        }
        assert_true(store_submit_wait(world->fixture.store, batch, &result));
        if (operation == 2) {
            world->operation_seq = result.seq;
        }
    }
}

/* Of every `each`th account an event or two; with `many`, of a few more than a block holds. */
static void timelines(struct world *world, int first, int end, int each, bool many)
{
    struct store_result result;
    for (int i = first; i < end; i += each) {
        struct store_batch *batch = store_batch_create();
        int count = world->deleted[i] ? 0 : many && i % 120 == 5 ? MANY : 1 + i % 2;
        world_tell(batch, i, world->events[i], count);
        world->events[i] += count;
        if (count > 0) {
            assert_true(store_submit_wait(world->fixture.store, batch, &result));
        } else {
            store_batch_destroy(batch);
        }
    }
}

static void documents(struct world *world)
{
    struct proto_fault fault;
    struct store_result result;
    for (int i = 1; i <= WORLD_DOCUMENTS; i++) {
        struct store_batch *batch = store_batch_create();
        char text[32];
        world_text(text, "schema", i);
        assert_true(batch_schema(batch, (uint32_t)i, span(text), &fault));
        world_text(text, "icp", i);
        assert_true(batch_icp(batch, span(text), true, span(text), &fault));
        assert_true(store_submit_wait(world->fixture.store, batch, &result));
    }
    for (int i = 1; i <= WORLD_LISTS; i++) {
        struct store_batch *batch = store_batch_create();
        char text[32];
        world_text(text, "list", i);
        const char *ids[] = {"id7", "id5", "id9"};
        assert_true(batch_tal(batch, (uint32_t)i, text, ids, 3, &fault));
        assert_true(store_submit_wait(world->fixture.store, batch, &result));
    }
}

static void vectors(struct world *world)
{
    struct proto_fault fault;
    struct store *store = world->fixture.store;
    assert_true(store_vectors_begin(store, &world->generation, &fault));
    for (uint32_t i = 0; i < WORLD_BLOCKS; i++) {
        char bytes[WORLD_BLOCK_BYTES];
        world_block(bytes, i);
        struct store_vector_block block = {3, i, {(const uint8_t *)bytes, sizeof bytes}};
        assert_true(store_vectors_put(store, world->generation, &block, 1, &fault));
    }
    world->vectors_seq = store_view_seq(viewed(&world->fixture));
    assert_true(store_vectors_publish(store, world->generation, world->vectors_seq, span("vectors"),
                                      &fault));
}

/* Bytes of data.mdb that mean something. */
static size_t data_bytes(const uint8_t *bytes)
{
    uint64_t pages = 0;
    for (size_t i = 0; i < 2; i++) {
        uint64_t last = disk_get_u64(bytes + i * DISK_PAGE_BYTES + META_LAST_PAGE);
        pages = last + 1 > pages ? last + 1 : pages;
    }
    return pages * DISK_PAGE_BYTES;
}

static uint8_t *file_read(const struct world *world, const char *name, size_t *count)
{
    char path[160];
    struct stat info = {0};
    snprintf(path, sizeof path, "%s/%s", world->fixture.path, name);
    int fd = open(path, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    *count = (size_t)info.st_size < 8000000 ? (size_t)info.st_size : 8000000;
    uint8_t *bytes = calloc(1, *count + DISK_PAGE_BYTES);
    assert_non_null(bytes);
    assert_int_equal(pread(fd, bytes, *count, 0), *count);
    close(fd);
    if (strcmp(name, "data.mdb") == 0) {
        *count = data_bytes(bytes);
    }
    return bytes;
}

static void file_keep(struct world *world, const char *name)
{
    assert_true(world->file_count < WORLD_FILES);
    struct world_file *file = &world->files[world->file_count++];
    snprintf(file->name, sizeof file->name, "%s", name);
    file->bytes = file_read(world, name, &file->count);
}

static void log_keep(struct world *world)
{
    char path[160];
    char name[64];
    snprintf(path, sizeof path, "%s/log", world->fixture.path);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    for (struct dirent *item = readdir(folder); item != NULL; item = readdir(folder)) {
        if (strstr(item->d_name, ".seg") != NULL || strcmp(item->d_name, "head.check") == 0) {
            snprintf(name, sizeof name, "log/%.50s", item->d_name);
            file_keep(world, name);
        }
    }
    closedir(folder);
}

struct world_file *world_find(struct world *world, const char *name)
{
    for (size_t i = 0; i < world->file_count; i++) {
        if (strcmp(world->files[i].name, name) == 0) {
            return &world->files[i];
        }
    }
    return NULL;
}

/* What stood in the place of each byte at the first moment. */
static void earlier_take(struct world *world, struct world_file *first, size_t first_count)
{
    for (size_t i = 0; i < world->file_count; i++) {
        struct world_file *file = &world->files[i];
        file->earlier = calloc(1, file->count + DISK_PAGE_BYTES);
        assert_non_null(file->earlier);
        for (size_t j = 0; j < first_count; j++) {
            if (strcmp(first[j].name, file->name) == 0) {
                size_t both = first[j].count < file->count ? first[j].count : file->count;
                memcpy(file->earlier, first[j].bytes, both);
            }
        }
    }
    for (size_t j = 0; j < first_count; j++) {
        free(first[j].bytes);
    }
}

/* In memory where there is a place: thousands of stores are opened. */
static void directory_make(struct fixture *fixture)
{
    fixture_init(fixture);
    if (access("/dev/shm", W_OK) == 0) {
        rmdir(fixture->path);
        snprintf(fixture->path, sizeof fixture->path, "/dev/shm/icpd-damage-XXXXXX");
        assert_non_null(mkdtemp(fixture->path));
    }
    fixture->options.map_bytes_max = (size_t)256 << 20;
    fixture->tuning.segment_bytes = 32 << 10;
    fixture->tuning.piece_bytes = 1; /* a piece of a history for each fold */
}

static void first_moment(struct world *world)
{
    struct fixture *fixture = &world->fixture;
    struct store_encoder encoder = fixture_encoder(30, 40, &world->salts[0]);
    struct store_result result;
    fixture_open(fixture);
    store_set_encoder(fixture->store, &encoder);
    change(world, 0, WORLD_FIRST, 1, 0, 0);
    settle(fixture, 30);
    timelines(world, 1, WORLD_FIRST, 2, true); /* some of which are deleted with it */
    for (int i = 3; i < WORLD_FIRST; i += 17) {
        char id[32];
        world_text(id, "id", i);
        assert_true(delete_one(fixture, id, &result));
        world->deleted[i] = true;
        world->events[i] = 0;
    }
    documents(world);
    vectors(world);
    fixture_close(fixture);
}

static void second_moment(struct world *world)
{
    struct fixture *fixture = &world->fixture;
    struct store_encoder encoder = world_encoder(world);
    struct proto_fault fault;
    fixture_open(fixture);
    store_set_encoder(fixture->store, &encoder);
    settle(fixture, 31);
    change(world, 0, WORLD_FIRST, 3, 7, 1);
    change(world, WORLD_FIRST, WORLD_FOLDED, 1, 0, 100);
    timelines(world, 5, WORLD_FOLDED, 4, false);
    assert_true(store_fold_wait(fixture->store, &fault));
    settle(fixture, 31);
    for (int each = 6; each < 25; each *= 2) { /* histories of several pieces */
        change(world, 0, WORLD_FIRST, each, 6 + each, 0);
        assert_true(store_fold_wait(fixture->store, &fault));
    }
    change(world, 0, WORLD_FIRST, 5, 11, 200);
    change(world, WORLD_FOLDED, WORLD_ACCOUNTS, 1, 0, 300);
    timelines(world, 5, WORLD_ACCOUNTS, 10, false);
    must_be_sound(fixture);
    fixture->store->tuning.abandon = true;
    fixture_close(fixture);
}

void world_make(struct world *world)
{
    struct world_file first[WORLD_FILES];
    *world = (struct world){.salts = {1, 2}};
    directory_make(&world->fixture);
    first_moment(world);
    file_keep(world, "data.mdb");
    file_keep(world, "store.check");
    log_keep(world);
    memcpy(first, world->files, sizeof first);
    size_t first_count = world->file_count;
    world->file_count = 0;
    second_moment(world);
    file_keep(world, "data.mdb");
    file_keep(world, "store.check");
    log_keep(world);
    earlier_take(world, first, first_count);
}

void world_free(struct world *world)
{
    for (size_t i = 0; i < world->file_count; i++) {
        free(world->files[i].bytes);
        free(world->files[i].earlier);
    }
    fixture_remove(world->fixture.path);
}

/* What a run has made beside them goes. */
void world_restore(const struct world *world)
{
    char path[160];
    fixture_remove(world->fixture.path);
    assert_int_equal(mkdir(world->fixture.path, 0700), 0);
    snprintf(path, sizeof path, "%s/log", world->fixture.path);
    assert_int_equal(mkdir(path, 0700), 0);
    for (size_t i = 0; i < world->file_count; i++) {
        const struct world_file *file = &world->files[i];
        snprintf(path, sizeof path, "%s/%s", world->fixture.path, file->name);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(write(fd, file->bytes, file->count), file->count);
        close(fd);
    }
}
