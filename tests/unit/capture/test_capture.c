/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "server/capture/capture.h"
#include "server/capture/capture_file.h"

struct fixture {
    char folder[32];
    _Atomic uint64_t now_ns;
    struct capture *capture;
};

static uint64_t now_ns(void *context)
{
    struct fixture *fixture = context;
    return atomic_load(&fixture->now_ns);
}

static int64_t now_ms(void *context)
{
    (void)context;
    return 1700000000000;
}

static bool no_random(void *context, uint8_t *bytes, size_t count)
{
    (void)context;
    (void)bytes;
    (void)count;
    return false;
}

static void capture_open(struct fixture *fixture, bool random)
{
    struct proto_fault fault = {0};
    const struct capture_options options = {.data = fixture->folder,
                                            .now_ns = now_ns,
                                            .now_ms = now_ms,
                                            .now_context = fixture,
                                            .random = random ? NULL : no_random};
    fixture->capture = capture_create(&options, &fault);
    assert_non_null(fixture->capture);
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    assert_non_null(fixture);
    snprintf(fixture->folder, sizeof fixture->folder, "/tmp/icpd-capture-XXXXXX");
    assert_non_null(mkdtemp(fixture->folder));
    atomic_store(&fixture->now_ns, 1000000000);
    capture_open(fixture, true);
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;
    char command[128];
    capture_destroy(fixture->capture);
    snprintf(command, sizeof command, "rm -rf '%s'", fixture->folder);
    assert_int_equal(system(command), 0); // NOLINT(cert-env33-c)
    free(fixture);
    return 0;
}

static const uint8_t lead[] = "\x81\xa2id\xa9secret-id";

static void take(struct fixture *fixture, uint64_t at_ns, size_t count)
{
    const struct proto_frame frame = {
        .header = {.version = 1, .code = PROTO_OP_SCORE, .payload_bytes = sizeof lead - 1},
        .payload = {lead, sizeof lead - 1}};
    const struct capture_batch batch = {
        .connection = {3, 4}, .read_ns = at_ns, .frames = &frame, .count = 1};
    for (size_t i = 0; i < count; i++) {
        if (capture_is_on(capture_switch(fixture->capture))) {
            capture_take(fixture->capture, &batch);
        }
    }
}

/* Reads a file whole and counts its records; -1 if it is refused. */
static int64_t file_count(const char *path, struct capture_totals *totals)
{
    struct capture_reader reader;
    struct capture_record record;
    struct proto_fault fault = {0};
    struct stat about;
    assert_int_equal(stat(path, &about), 0);
    assert_int_equal(about.st_mode & 0777, 0600);
    uint8_t *bytes = malloc((size_t)about.st_size);
    FILE *file = fopen(path, "re");
    assert_true(bytes != NULL && file != NULL);
    assert_int_equal(fread(bytes, 1, (size_t)about.st_size, file), about.st_size);
    fclose(file);
    assert_null(memmem(bytes, (size_t)about.st_size, "secret", 6));
    int64_t count = -1;
    if (capture_reader_init(&reader, (struct proto_span){bytes, (size_t)about.st_size}, &fault)) {
        for (count = 0; capture_reader_next(&reader, &record, &fault);) {
            count++;
        }
        if (!reader.ended) {
            count = -1;
        }
        *totals = reader.totals;
    }
    free(bytes);
    return count;
}

static void what_was_taken_is_in_the_file_and_unreadable(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    struct capture_state told;
    struct capture_totals totals;
    take(fixture, 5, 10); /* off: nothing is recorded */
    assert_true(capture_start(fixture->capture, "first", 60, 1 << 20, &fault));
    take(fixture, 1500000000, 100);
    atomic_store(&fixture->now_ns, 2000000000);
    assert_true(capture_stop(fixture->capture, &told, &fault));
    assert_int_equal(told.records, 100);
    assert_int_equal(told.lost + told.left_out, 0);
    assert_false(told.running);
    assert_int_equal(file_count(told.file, &totals), 100);
    assert_true(totals.duration_ns == 1000000000);
    take(fixture, 5, 10); /* off again */
    capture_state(fixture->capture, &told);
    assert_int_equal(told.records, 100);
}

static void awaits_its_end(struct fixture *fixture, struct capture_state *told)
{
    const struct timespec rest = {0, 5000000};
    for (capture_state(fixture->capture, told); told->running;
         capture_state(fixture->capture, told)) {
        nanosleep(&rest, NULL);
    }
}

static void a_capture_ends_by_itself_at_either_bound(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    struct capture_state told;
    struct capture_totals totals;
    assert_true(capture_start(fixture->capture, "bytes", 60, 1000, &fault));
    take(fixture, 1500000000, 1000);
    awaits_its_end(fixture, &told);
    assert_in_range(told.bytes, 1000, 1000 + CAPTURE_RECORD_HEADER_BYTES + sizeof lead);
    assert_int_equal(file_count(told.file, &totals), told.records);
    assert_true(capture_stop(fixture->capture, &told, &fault)); /* told of once more */
    assert_false(capture_stop(fixture->capture, &told, &fault));
    assert_int_equal(fault.code, PROTO_NOT_FOUND);
    fault = (struct proto_fault){0};
    assert_true(capture_start(fixture->capture, "seconds", 5, 1 << 20, &fault));
    take(fixture, 1500000000, 3);
    atomic_store(&fixture->now_ns, 7000000000);
    awaits_its_end(fixture, &told); /* without a request that would show the time */
    assert_int_equal(file_count(told.file, &totals), 3);
}

static void refused(struct fixture *fixture, const char *name, uint64_t seconds, uint64_t bytes,
                    enum proto_error code)
{
    struct proto_fault fault = {0};
    assert_false(capture_start(fixture->capture, name, seconds, bytes, &fault));
    assert_int_equal(fault.code, code);
    assert_false(capture_is_on(capture_switch(fixture->capture)) && code != PROTO_CONFLICT);
}

static void what_is_out_of_bounds_is_refused(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    struct capture_state told;
    char name[PROTO_CAPTURE_NAME_BYTES_MAX + 2];
    memset(name, 'a', sizeof name);
    name[sizeof name - 1] = '\0';
    refused(fixture, "", 1, 1, PROTO_BAD_FIELD);
    refused(fixture, "../../etc/passwd", 1, 1, PROTO_BAD_FIELD);
    refused(fixture, name, 1, 1, PROTO_BAD_FIELD);
    refused(fixture, "x", 0, 1, PROTO_BAD_FIELD);
    refused(fixture, "x", PROTO_CAPTURE_SECONDS_MAX + 1, 1, PROTO_BAD_FIELD);
    refused(fixture, "x", 1, 0, PROTO_BAD_FIELD);
    refused(fixture, "x", 1, (uint64_t)PROTO_CAPTURE_BYTES_MAX + 1, PROTO_BAD_FIELD);
    assert_true(capture_start(fixture->capture, "x", 60, 1000, &fault));
    refused(fixture, "y", 1, 1, PROTO_CONFLICT); /* one runs */
    assert_true(capture_stop(fixture->capture, &told, &fault));
    refused(fixture, "x", 1, 1, PROTO_CONFLICT); /* the file is there */
    capture_destroy(fixture->capture);
    capture_open(fixture, false);
    refused(fixture, "z", 1, 1, PROTO_IO); /* without random numbers there is no key */
}

static void a_folder_that_cannot_be_written_is_a_fault(void **state)
{
    struct fixture *fixture = *state;
    char path[64];
    snprintf(path, sizeof path, "%s/captures", fixture->folder);
    FILE *file = fopen(path, "we"); /* a file where the folder should be */
    assert_non_null(file);
    fclose(file);
    refused(fixture, "x", 1, 1, PROTO_IO);
}

static void a_capture_ends_with_its_server(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    struct capture_state told;
    struct capture_totals totals;
    assert_true(capture_start(fixture->capture, "end", 60, 1 << 20, &fault));
    take(fixture, 1500000000, 4);
    capture_state(fixture->capture, &told);
    capture_destroy(fixture->capture);
    assert_int_equal(file_count(told.file, &totals), 4);
    capture_open(fixture, true);
}

static void *takes(void *argument)
{
    take(argument, 1500000000, 20000);
    return NULL;
}

static void several_threads_lose_nothing_between_them(void **state)
{
    struct fixture *fixture = *state;
    struct proto_fault fault = {0};
    struct capture_state told;
    struct capture_totals totals;
    pthread_t threads[3];
    assert_true(capture_start(fixture->capture, "threads", 60, 1 << 30, &fault));
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, takes, fixture), 0);
    }
    for (unsigned i = 0; i < 3; i++) {
        pthread_join(threads[i], NULL);
    }
    assert_true(capture_stop(fixture->capture, &told, &fault));
    assert_int_equal(told.records + told.lost, 60000);
    assert_int_equal(file_count(told.file, &totals), told.records);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_taken_is_in_the_file_and_unreadable, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_capture_ends_by_itself_at_either_bound, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_out_of_bounds_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_folder_that_cannot_be_written_is_a_fault, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_capture_ends_with_its_server, setup, teardown),
        cmocka_unit_test_setup_teardown(several_threads_lose_nothing_between_them, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
