/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/log/log_fixture.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Counts a call; true: it is to fail, with errno set (0: short). */
static bool call_fails(struct log_fixture *fixture, enum log_call kind)
{
    fixture->made[kind]++;
    if (fixture->fail_kinds != 0 && (fixture->fail_kinds & (1U << kind)) == 0) {
        return false;
    }
    uint64_t number = ++fixture->calls;
    bool fails = fixture->fail_from != 0 && number >= fixture->fail_from &&
                 number - fixture->fail_from < fixture->fail_count;
    errno = fails ? fixture->fail_code : errno;
    return fails;
}

static int fake_open(void *context, int folder, const char *name, int flags)
{
    const struct log_io *system = log_io_system();
    if (call_fails(context, CALL_OPEN) && errno != 0) {
        return -1;
    }
    return system->open(system->context, folder, name, flags);
}

static int fake_rename(void *context, int folder, const char *from, const char *to)
{
    const struct log_io *system = log_io_system();
    if (call_fails(context, CALL_RENAME) && errno != 0) {
        return -1;
    }
    return system->rename(system->context, folder, from, to);
}

static int fake_unlink(void *context, int folder, const char *name)
{
    const struct log_io *system = log_io_system();
    if (call_fails(context, CALL_UNLINK) && errno != 0) {
        return -1;
    }
    return system->unlink(system->context, folder, name);
}

static ssize_t fake_pread(void *context, int fd, void *bytes, size_t count, off_t at)
{
    const struct log_io *system = log_io_system();
    if (call_fails(context, CALL_PREAD)) {
        if (errno != 0) {
            return -1;
        }
        count = (count + 1) / 2;
    }
    return system->pread(system->context, fd, bytes, count, at);
}

/* One that fails may have written a part: half of it is there. */
static ssize_t fake_pwrite(void *context, int fd, const void *bytes, size_t count, off_t at)
{
    const struct log_io *system = log_io_system();
    if (call_fails(context, CALL_PWRITE)) {
        int code = errno;
        ssize_t done = system->pwrite(system->context, fd, bytes, (count + 1) / 2, at);
        errno = code;
        return code != 0 ? -1 : done;
    }
    return system->pwrite(system->context, fd, bytes, count, at);
}

static int fake_ftruncate(void *context, int fd, off_t bytes)
{
    const struct log_io *system = log_io_system();
    if (call_fails(context, CALL_FTRUNCATE) && errno != 0) {
        return -1;
    }
    return system->ftruncate(system->context, fd, bytes);
}

static int fake_fallocate(void *context, int fd, off_t bytes)
{
    const struct log_io *system = log_io_system();
    if (call_fails(context, CALL_FALLOCATE) && errno != 0) {
        return -1;
    }
    return system->fallocate(system->context, fd, bytes);
}

/* No test of these sees a disk: what a sync is good for is shown by tests/power. */
static int fake_fdatasync(void *context, int fd)
{
    (void)fd;
    return call_fails(context, CALL_FDATASYNC) && errno != 0 ? -1 : 0;
}

static int fake_fsync(void *context, int fd)
{
    (void)fd;
    return call_fails(context, CALL_FSYNC) && errno != 0 ? -1 : 0;
}

void log_fixture_init_in(struct log_fixture *fixture, const char *folder)
{
    *fixture = (struct log_fixture){.io = {.context = fixture,
                                           .open = fake_open,
                                           .rename = fake_rename,
                                           .unlink = fake_unlink,
                                           .pread = fake_pread,
                                           .pwrite = fake_pwrite,
                                           .ftruncate = fake_ftruncate,
                                           .fallocate = fake_fallocate,
                                           .fdatasync = fake_fdatasync,
                                           .fsync = fake_fsync}};
    snprintf(fixture->path, sizeof fixture->path, "%s/icp_log_XXXXXX", folder);
    assert_non_null(mkdtemp(fixture->path));
    fixture->options = (struct log_options){.path = fixture->path,
                                            .identity = 77,
                                            .segment_bytes = (size_t)64 << 10,
                                            .io = &fixture->io,
                                            .prepare_inline = true};
}

void log_fixture_init(struct log_fixture *fixture)
{
    log_fixture_init_in(fixture, access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
}

void log_fixture_fini(struct log_fixture *fixture)
{
    log_close(fixture->log);
    DIR *folder = opendir(fixture->path);
    assert_non_null(folder);
    for (const struct dirent *item = readdir(folder); item != NULL; item = readdir(folder)) {
        (void)unlinkat(dirfd(folder), item->d_name, 0);
    }
    closedir(folder);
    assert_int_equal(rmdir(fixture->path), 0);
}

void log_fixture_open(struct log_fixture *fixture)
{
    struct proto_fault fault;
    fixture->log = log_open(&fixture->options, &fault);
    if (fixture->log == NULL) {
        fail_msg("%s", fault.message);
    }
}

void log_fixture_close(struct log_fixture *fixture)
{
    log_close(fixture->log);
    fixture->log = NULL;
}

void log_fixture_kill(struct log_fixture *fixture)
{
    if (fixture->log != NULL && fixture->log->fd >= 0) {
        close(fixture->log->fd);
        fixture->log->fd = -1;
    }
    log_fixture_close(fixture);
}

void log_fixture_drop(struct log_fixture *fixture)
{
    char name[96];
    log_fixture_kill(fixture);
    snprintf(name, sizeof name, "%s/head.check", fixture->path);
    (void)unlink(name);
}

void log_fixture_fail(struct log_fixture *fixture, uint64_t after, uint64_t count, int code,
                      unsigned kinds)
{
    fixture->calls = 0;
    fixture->fail_from = after + 1;
    fixture->fail_count = count;
    fixture->fail_code = code;
    fixture->fail_kinds = kinds;
}

static void payload_fill(uint8_t *payload, size_t bytes, uint64_t sequence, uint8_t salt)
{
    for (size_t i = 0; i < bytes; i++) {
        payload[i] = (uint8_t)(sequence * 31 + i * 7 + salt);
    }
}

bool log_fixture_append(struct log_fixture *fixture, size_t count, size_t bytes, uint8_t salt,
                        struct proto_fault *fault)
{
    struct log_entry *entries = calloc(count, sizeof *entries);
    uint8_t *payloads = malloc(count * (bytes + 1));
    assert_true(entries != NULL && payloads != NULL);
    uint64_t head = log_head(fixture->log);
    for (size_t i = 0; i < count; i++) {
        uint64_t sequence = head + 1 + i;
        uint8_t *payload = payloads + i * bytes;
        payload_fill(payload, bytes, sequence, salt);
        entries[i] = (struct log_entry){.time_ms = (int64_t)sequence * 10,
                                        .commands = (uint32_t)i + 1,
                                        .flags = salt,
                                        .operation = {(uint8_t)sequence, salt},
                                        .payload = {payload, bytes}};
    }
    bool good = log_append(fixture->log, entries, count, fault);
    if (good) {
        assert_int_equal(entries[0].sequence, head + 1);
        assert_int_equal(log_head(fixture->log), head + count);
    } else {
        assert_int_equal(log_head(fixture->log), head);
    }
    free(entries);
    free(payloads);
    return good;
}

uint64_t log_fixture_read(struct log_fixture *fixture, uint64_t after, size_t bytes, uint8_t salt)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct log_entry entry;
    enum log_got got;
    struct log_reader *reader = log_reader_open(fixture->log, after, &fault);
    uint8_t *payload = malloc(bytes + 1);
    assert_true(reader != NULL && payload != NULL);
    while ((got = log_reader_next(reader, &entry, &fault)) == LOG_GOT_ENTRY) {
        assert_int_equal(entry.sequence, after + 1);
        after = entry.sequence;
        payload_fill(payload, bytes, after, salt);
        assert_int_equal(entry.time_ms, (int64_t)after * 10);
        assert_int_equal(entry.flags, salt);
        assert_int_equal(entry.operation[0], (uint8_t)after);
        assert_int_equal(entry.payload.bytes, bytes);
        assert_memory_equal(entry.payload.data, payload, bytes);
    }
    if (got == LOG_GOT_FAULT) {
        fail_msg("%s", fault.message);
    }
    free(payload);
    log_reader_close(reader);
    return after;
}

static void file_path(const struct log_fixture *fixture, uint64_t first, char path[128])
{
    char name[LOG_NAME_BYTES];
    log_segment_name(first, name);
    snprintf(path, 128, "%s/%s", fixture->path, name);
}

int log_fixture_file(const struct log_fixture *fixture, uint64_t first, int flags)
{
    char path[128];
    file_path(fixture, first, path);
    int fd = open(path, flags);
    assert_true(fd >= 0);
    return fd;
}

uint64_t log_fixture_length(const struct log_fixture *fixture, uint64_t first)
{
    struct stat file;
    char path[128];
    file_path(fixture, first, path);
    assert_int_equal(stat(path, &file), 0);
    return (uint64_t)file.st_size;
}

bool log_fixture_exists(const struct log_fixture *fixture, uint64_t first)
{
    char path[128];
    file_path(fixture, first, path);
    return access(path, F_OK) == 0;
}

void log_fixture_flip(const struct log_fixture *fixture, uint64_t first, uint64_t at, unsigned bit)
{
    uint8_t byte;
    int fd = log_fixture_file(fixture, first, O_RDWR);
    assert_int_equal(pread(fd, &byte, 1, (off_t)at), 1);
    byte ^= (uint8_t)(1U << bit);
    assert_int_equal(pwrite(fd, &byte, 1, (off_t)at), 1);
    close(fd);
}

void log_fixture_put(const struct log_fixture *fixture, uint64_t first, uint64_t at,
                     const void *bytes, size_t count)
{
    int fd = log_fixture_file(fixture, first, O_RDWR);
    assert_int_equal(pwrite(fd, bytes, count, (off_t)at), (ssize_t)count);
    close(fd);
}
