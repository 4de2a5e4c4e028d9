/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a backup: what was written is read, and whatever is done to a file is noticed. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/backup/backup_set.h"

enum { BATCHES = 300, TEXT_BYTES = 700 };

struct place {
    char path[64];
    int folder;
};

static void place_open(struct place *place)
{
    snprintf(place->path, sizeof place->path, "/tmp/icpd-backup-XXXXXX");
    assert_non_null(mkdtemp(place->path));
    place->folder = open(place->path, O_RDONLY | O_DIRECTORY);
    assert_true(place->folder >= 0);
}

static void place_close(struct place *place, const char *name)
{
    unlinkat(place->folder, name, 0);
    close(place->folder);
    assert_int_equal(rmdir(place->path), 0); /* nothing else was left */
}

static void text_make(uint64_t seq, uint8_t text[TEXT_BYTES])
{
    for (size_t i = 0; i < TEXT_BYTES; i++) {
        text[i] = (uint8_t)(i % (seq % 97 + 3) * 7 + seq);
    }
}

static void log_make(const struct place *place, const char *name, struct backup_foot *foot)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct backup_head head = {BACKUP_LOG, 77, 5, 99, 1234};
    struct backup_writer *writer = backup_writer_open(place->folder, &head, &fault);
    assert_non_null(writer);
    for (uint64_t seq = 6; seq < 6 + BATCHES; seq++) {
        uint8_t text[TEXT_BYTES];
        text_make(seq, text);
        const struct store_logged logged = {seq, 1000 + (int64_t)seq, 3, {text, seq % TEXT_BYTES}};
        assert_true(backup_write_batch(writer, &logged, &fault));
    }
    *foot = (struct backup_foot){0};
    uint64_t bytes = 0;
    struct stat told;
    assert_true(backup_writer_finish(writer, foot, name, &bytes, &fault));
    assert_int_equal(fstatat(place->folder, name, &told, 0), 0);
    assert_int_equal(bytes, told.st_size); /* with what the compressor held back */
}

/* Whether the file is whole, with the very batches of log_make. */
static bool log_is_good(const struct place *place, const char *name, struct proto_fault *fault)
{
    struct backup_record record;
    enum backup_got got;
    uint64_t seq = 6;
    bool same = true;
    struct backup_reader *reader = backup_reader_open(place->folder, name, fault);
    if (reader == NULL) {
        return false;
    }
    while ((got = backup_reader_next(reader, &record, fault)) == BACKUP_GOT_BATCH) {
        uint8_t text[TEXT_BYTES];
        text_make(seq, text);
        same = same && record.logged.seq == seq && record.logged.time_ms == 1000 + (int64_t)seq &&
               record.logged.commands == 3 && record.logged.text.bytes == seq % TEXT_BYTES &&
               memcmp(record.logged.text.data, text, record.logged.text.bytes) == 0;
        seq++;
    }
    backup_reader_close(reader);
    return got == BACKUP_GOT_END && same && seq == 6 + BATCHES;
}

static void a_file_is_read_as_it_was_written(void **state)
{
    struct place place;
    struct backup_foot foot;
    struct backup_foot seen;
    struct backup_head head;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    place_open(&place);
    log_make(&place, "x.icpb", &foot);
    assert_int_equal(foot.seq, 5 + BATCHES);
    assert_int_equal(foot.batches, BATCHES);
    assert_true(log_is_good(&place, "x.icpb", &fault));
    assert_true(backup_peek(place.folder, "x.icpb", &head, &seen, &fault));
    assert_int_equal(head.identity, 77);
    assert_int_equal(head.after, 5);
    assert_int_equal(head.after_link, 99);
    assert_int_equal(seen.link, foot.link);
    assert_int_equal(seen.time_ms, 1000 + 5 + BATCHES);
    place_close(&place, "x.icpb");
}

static size_t file_load(const struct place *place, const char *name, uint8_t **bytes)
{
    struct stat info;
    int fd = openat(place->folder, name, O_RDONLY);
    assert_true(fd >= 0 && fstat(fd, &info) == 0);
    *bytes = malloc((size_t)info.st_size + 8);
    assert_non_null(*bytes);
    assert_int_equal(read(fd, *bytes, (size_t)info.st_size), info.st_size);
    close(fd);
    return (size_t)info.st_size;
}

static void file_store(const struct place *place, const char *name, const uint8_t *bytes,
                       size_t count)
{
    int fd = openat(place->folder, name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, bytes, count), count);
    close(fd);
}

static void every_flip_and_every_cut_is_noticed(void **state)
{
    struct place place;
    struct backup_foot foot;
    struct proto_fault fault = {.code = PROTO_OK};
    uint8_t *bytes;
    int harmless = 0;
    (void)state;
    place_open(&place);
    log_make(&place, "x.icpb", &foot);
    size_t count = file_load(&place, "x.icpb", &bytes);
    for (size_t at = 0; at < count; at += 1 + at / 300) {
        bytes[at] ^= (uint8_t)(1u << at % 8);
        file_store(&place, "x.icpb", bytes, count);
        harmless += log_is_good(&place, "x.icpb", &fault);
        bytes[at] ^= (uint8_t)(1u << at % 8);
        file_store(&place, "x.icpb", bytes, at);
        assert_false(log_is_good(&place, "x.icpb", &fault));
    }
    /* The head of a zstd frame has bits that change nothing; the contents are the same then. */
    assert_in_range(harmless, 0, 8);
    /* More than there should be is noticed, too. */
    file_store(&place, "x.icpb", bytes, count);
    assert_true(log_is_good(&place, "x.icpb", &fault)); /* the control */
    memmove(bytes + count - BACKUP_FOOT_BYTES + 1, bytes + count - BACKUP_FOOT_BYTES,
            BACKUP_FOOT_BYTES);
    file_store(&place, "x.icpb", bytes, count + 1);
    assert_false(log_is_good(&place, "x.icpb", &fault));
    free(bytes);
    place_close(&place, "x.icpb");
}

static void what_is_given_up_leaves_nothing(void **state)
{
    struct place place;
    struct proto_fault fault = {.code = PROTO_OK};
    const struct backup_head head = {BACKUP_LOG, 1, 0, 0, 0};
    const struct store_logged logged = {1, 1, 1, {(const uint8_t *)"abc", 3}};
    (void)state;
    place_open(&place);
    struct backup_writer *writer = backup_writer_open(place.folder, &head, &fault);
    assert_non_null(writer);
    assert_true(backup_write_batch(writer, &logged, &fault));
    backup_writer_abort(writer);
    place_close(&place, "none");
}

static void a_name_that_says_something_else_is_not_believed(void **state)
{
    struct place place;
    struct backup_foot foot;
    struct backup_set set;
    struct proto_fault fault = {.code = PROTO_OK};
    char name[BACKUP_NAME_BYTES];
    (void)state;
    place_open(&place);
    backup_log_name(name, 5, 5 + BATCHES);
    log_make(&place, name, &foot);
    assert_true(backup_set_open(&set, place.path, false, &fault));
    assert_int_equal(set.count, 1);
    assert_int_equal(set.items[0].fault.code, PROTO_OK);
    backup_set_close(&set);
    char other[BACKUP_NAME_BYTES];
    backup_log_name(other, 5, 6 + BATCHES);
    assert_int_equal(renameat(place.folder, name, place.folder, other), 0);
    assert_true(backup_set_open(&set, place.path, false, &fault));
    assert_int_equal(set.items[0].fault.code, PROTO_CORRUPT);
    backup_set_close(&set);
    place_close(&place, other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_read_as_it_was_written),
        cmocka_unit_test(every_flip_and_every_cut_is_noticed),
        cmocka_unit_test(what_is_given_up_leaves_nothing),
        cmocka_unit_test(a_name_that_says_something_else_is_not_believed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
