/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "server/base/log.h"

struct place {
    char folder[64];
    char path[96];
};

static int64_t fixed_ms(void *context)
{
    (void)context;
    return INT64_C(1767225600123); /* 2026-01-01T00:00:00.123Z */
}

static int place_setup(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    assert_non_null(place);
    snprintf(place->folder, sizeof place->folder, "/tmp/icpd-log-XXXXXX");
    assert_non_null(mkdtemp(place->folder));
    snprintf(place->path, sizeof place->path, "%s/log", place->folder);
    *state = place;
    return 0;
}

static int place_teardown(void **state)
{
    struct place *place = *state;
    char moved[128];
    snprintf(moved, sizeof moved, "%s.1", place->path);
    unlink(place->path);
    unlink(moved);
    rmdir(place->folder);
    free(place);
    return 0;
}

static struct base_log *open_log(const struct place *place, enum base_log_format format)
{
    struct proto_fault fault = {0};
    struct base_log *log = base_log_create(
        &(struct base_log_options){
            .path = place->path, .level = BASE_LOG_INFO, .format = format, .now_ms = fixed_ms},
        &fault);
    assert_non_null(log);
    return log;
}

static char *read_file(const char *path)
{
    FILE *file = fopen(path, "r");
    assert_non_null(file);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    size_t bytes = fread(text, 1, (1 << 20) - 1, file);
    text[bytes] = '\0';
    fclose(file);
    return text;
}

static void expect(const char *path, const char *wanted)
{
    char *text = read_file(path);
    assert_string_equal(text, wanted);
    free(text);
}

static void file_gets_json_lines_with_typed_fields(void **state)
{
    const struct place *place = *state;
    struct base_log *log = open_log(place, BASE_LOG_AUTO);
    base_log(log, BASE_LOG_WARN, "net", "connection refused",
             BASE_FIELDS(base_field_uint("connections", UINT64_MAX), base_field_int("left", -1),
                         base_field_number("share", 0.5), base_field_number("ratio", (double)NAN),
                         base_field_flag("drain", true), base_field_text("peer", "127.0.0.1"),
                         base_field_error(PROTO_BUSY)));
    base_log(log, BASE_LOG_INFO, "main", "draining", BASE_NO_FIELDS);
    base_log_destroy(log);
    expect(
        place->path,
        "{\"time\":\"2026-01-01T00:00:00.123Z\",\"level\":\"warn\",\"area\":\"net\","
        "\"message\":\"connection refused\",\"connections\":18446744073709551615,\"left\":-1,"
        "\"share\":0.5,\"ratio\":null,\"drain\":true,\"peer\":\"127.0.0.1\",\"error\":\"busy\"}\n"
        "{\"time\":\"2026-01-01T00:00:00.123Z\",\"level\":\"info\",\"area\":\"main\","
        "\"message\":\"draining\"}\n");
}

static void text_format_quotes_what_has_spaces(void **state)
{
    const struct place *place = *state;
    setenv("TZ", "UTC", 1);
    struct base_log *log = open_log(place, BASE_LOG_TEXT);
    base_log(log, BASE_LOG_INFO, "net", "listening",
             BASE_FIELDS(base_field_text("host", "::1"), base_field_uint("port", 4273),
                         base_field_text("name", "a b"), base_field_text("none", NULL)));
    base_log_destroy(log);
    expect(place->path, "2026-01-01 00:00:00.123 info  net: listening  host=::1 port=4273 "
                        "name=\"a b\" none=\"\"\n");
}

static void peer_cannot_forge_a_line_or_break_the_encoding(void **state)
{
    const struct place *place = *state;
    struct base_log *log = open_log(place, BASE_LOG_JSON);
    base_log(log, BASE_LOG_INFO, "rpc", "hello",
             BASE_FIELDS(base_field_text("client", "a\n{\"level\":\"\\"
                                                   "\x7f\x1b\xff\xc3\xa9")));
    base_log_destroy(log);
    char *text = read_file(place->path);
    assert_non_null(strstr(text, "\"client\":\"a\\u000a{\\\"level\\\":\\\"\\\\"
                                 "\\u007f\\u001b\\ufffd\xc3\xa9\"}\n"));
    assert_ptr_equal(strchr(text, '\n'), text + strlen(text) - 1);
    free(text);
}

static void long_texts_are_cut_at_a_character_and_the_line_stays_whole(void **state)
{
    const struct place *place = *state;
    struct base_log *log = open_log(place, BASE_LOG_JSON);
    char text[2000];
    for (size_t i = 0; i + 2 < sizeof text; i += 2) {
        memcpy(text + i, "\xc3\xa9", 3);
    }
    memmove(text + 1, text, sizeof text - 2); /* the cut at 512 now goes through a character */
    text[0] = 'x';
    text[sizeof text - 1] = '\0';
    struct base_log_field fields[20];
    for (size_t i = 0; i < 20; i++) {
        fields[i] = base_field_text("text", text);
    }
    base_log_write(log, BASE_LOG_INFO, "rpc", "long", fields, 20);
    base_log_destroy(log);
    char *line = read_file(place->path);
    size_t bytes = strlen(line);
    assert_true(bytes > 3000 && bytes <= 4096);
    assert_string_equal(line + bytes - 6, "...\"}\n");
    assert_null(strstr(line, "ufffd"));
    free(line);
}

static void level_decides_and_can_be_changed_at_run_time(void **state)
{
    const struct place *place = *state;
    struct base_log *log = open_log(place, BASE_LOG_JSON);
    base_log(log, BASE_LOG_DEBUG, "main", "unseen", BASE_NO_FIELDS);
    expect(place->path, "");
    base_log_level_set(log, BASE_LOG_DEBUG);
    assert_int_equal(base_log_level_get(log), BASE_LOG_DEBUG);
    base_log(log, BASE_LOG_DEBUG, "main", "seen", BASE_NO_FIELDS);
    char *text = read_file(place->path);
    assert_non_null(strstr(text, "\"seen\""));
    free(text);
    base_log_destroy(log);
}

static void reopen_writes_to_a_new_file_after_rotation(void **state)
{
    const struct place *place = *state;
    struct proto_fault fault = {0};
    char moved[128];
    snprintf(moved, sizeof moved, "%s.1", place->path);
    struct base_log *log = open_log(place, BASE_LOG_JSON);
    base_log(log, BASE_LOG_INFO, "main", "first", BASE_NO_FIELDS);
    assert_int_equal(rename(place->path, moved), 0);
    base_log(log, BASE_LOG_INFO, "main", "second", BASE_NO_FIELDS);
    assert_true(base_log_reopen(log, &fault));
    base_log(log, BASE_LOG_INFO, "main", "third", BASE_NO_FIELDS);
    base_log_destroy(log);
    char *old = read_file(moved);
    char *new = read_file(place->path);
    assert_non_null(strstr(old, "second"));
    assert_null(strstr(old, "third"));
    assert_non_null(strstr(new, "third"));
    free(old);
    free(new);
}

static void failed_reopen_keeps_the_old_file(void **state)
{
    const struct place *place = *state;
    struct proto_fault fault = {0};
    char moved[128];
    snprintf(moved, sizeof moved, "%s.1", place->path);
    struct base_log *log = open_log(place, BASE_LOG_JSON);
    assert_int_equal(rename(place->path, moved), 0);
    assert_int_equal(mkdir(place->path, 0700), 0);
    assert_false(base_log_reopen(log, &fault));
    assert_int_equal(fault.code, PROTO_BAD_CONFIG);
    assert_string_equal(fault.field, "log_file");
    base_log(log, BASE_LOG_INFO, "main", "still here", BASE_NO_FIELDS);
    base_log_destroy(log);
    rmdir(place->path);
    char *text = read_file(moved);
    assert_non_null(strstr(text, "still here"));
    free(text);
}

static void file_that_cannot_be_opened_is_a_config_fault(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    assert_null(base_log_create(&(struct base_log_options){.path = "/nowhere/at/all"}, &fault));
    assert_int_equal(fault.code, PROTO_BAD_CONFIG);
    assert_string_equal(fault.field, "log_file");
    assert_non_null(strstr(fault.message, "/nowhere/at/all"));
}

static void lines_that_cannot_be_written_are_counted(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    struct base_log *log = base_log_create(
        &(struct base_log_options){.path = "/dev/full", .level = BASE_LOG_INFO}, &fault);
    assert_non_null(log);
    base_log(log, BASE_LOG_INFO, "main", "lost", BASE_NO_FIELDS);
    assert_int_equal(base_log_lost(log), 1);
    base_log_destroy(log);
}

/* Fills what stands behind `reader`, which nobody reads, then reads it. */
static void expect_loss_told(int reader, int writer)
{
    struct proto_fault fault = {0};
    int before = dup(STDERR_FILENO);
    assert_true(dup2(writer, STDERR_FILENO) >= 0);
    struct base_log *log = base_log_create(&(struct base_log_options){.level = BASE_LOG_INFO,
                                                                      .format = BASE_LOG_JSON,
                                                                      .now_ms = fixed_ms},
                                           &fault);
    assert_non_null(log);
    unsigned written = 0;
    for (; written < 1000000 && base_log_lost(log) < 5; written++) {
        base_log(log, BASE_LOG_INFO, "test", "a line", BASE_FIELDS(base_field_uint("n", written)));
    }
    assert_int_equal(base_log_lost(log), 5);
    char bytes[4097];
    size_t lines = 0;
    while (lines < written - 5) {
        ssize_t count = read(reader, bytes, sizeof bytes - 1);
        assert_true(count > 0);
        for (ssize_t i = 0; i < count; i++) {
            lines += bytes[i] == '\n';
        }
    }
    base_log(log, BASE_LOG_INFO, "test", "again", BASE_NO_FIELDS);
    base_log_destroy(log);
    dup2(before, STDERR_FILENO);
    close(before);
    size_t used = 0;
    for (const char *end = NULL; end == NULL || used == 0;) {
        ssize_t count = read(reader, bytes + used, sizeof bytes - 1 - used);
        assert_true(count > 0);
        used += (size_t)count;
        bytes[used] = '\0';
        end = strstr(bytes, "\"lines\":5}");
    }
    assert_non_null(strstr(bytes, "\"message\":\"again\""));
}

static void pipe_that_nobody_reads_costs_lines_and_no_time(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    expect_loss_told(ends[0], ends[1]);
    close(ends[0]);
    close(ends[1]);
}

static void socket_that_nobody_reads_costs_lines_and_no_time(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
    expect_loss_told(ends[0], ends[1]);
    close(ends[0]);
    close(ends[1]);
}

static void no_log_is_silent(void **state)
{
    (void)state;
    base_log(NULL, BASE_LOG_ERROR, "main", "nobody hears", BASE_NO_FIELDS);
}

static void names_are_found_and_others_refused(void **state)
{
    (void)state;
    enum base_log_level level = BASE_LOG_ERROR;
    enum base_log_format format = BASE_LOG_AUTO;
    assert_true(base_log_level_find("debug", &level));
    assert_int_equal(level, BASE_LOG_DEBUG);
    assert_string_equal(base_log_level_name(level), "debug");
    assert_false(base_log_level_find("Debug", &level));
    assert_true(base_log_format_find("json", &format));
    assert_int_equal(format, BASE_LOG_JSON);
    assert_false(base_log_format_find("xml", &format));
}

static void *write_lines(void *log)
{
    for (int i = 0; i < 500; i++) {
        base_log(log, BASE_LOG_INFO, "test", "a line of one of several threads",
                 BASE_FIELDS(base_field_int("i", i)));
    }
    return NULL;
}

static void lines_of_several_threads_never_mix(void **state)
{
    const struct place *place = *state;
    struct base_log *log = open_log(place, BASE_LOG_JSON);
    struct proto_fault fault = {0};
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(pthread_create(&threads[i], NULL, write_lines, log), 0);
    }
    for (int i = 0; i < 20; i++) {
        base_log_level_set(log, BASE_LOG_INFO);
        assert_true(base_log_reopen(log, &fault));
    }
    for (size_t i = 0; i < 4; i++) {
        pthread_join(threads[i], NULL);
    }
    base_log_destroy(log);
    char *text = read_file(place->path);
    size_t lines = 0;
    for (char *at = text; *at != '\0'; lines++) {
        char *end = strchr(at, '\n');
        assert_non_null(end);
        assert_int_equal(strncmp(at, "{\"time\":", 8), 0);
        assert_int_equal(end[-1], '}');
        at = end + 1;
    }
    assert_int_equal(lines, 2000);
    free(text);
}

#define WITH_PLACE(test) cmocka_unit_test_setup_teardown(test, place_setup, place_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH_PLACE(file_gets_json_lines_with_typed_fields),
        WITH_PLACE(text_format_quotes_what_has_spaces),
        WITH_PLACE(peer_cannot_forge_a_line_or_break_the_encoding),
        WITH_PLACE(long_texts_are_cut_at_a_character_and_the_line_stays_whole),
        WITH_PLACE(level_decides_and_can_be_changed_at_run_time),
        WITH_PLACE(reopen_writes_to_a_new_file_after_rotation),
        WITH_PLACE(failed_reopen_keeps_the_old_file),
        cmocka_unit_test(file_that_cannot_be_opened_is_a_config_fault),
        cmocka_unit_test(lines_that_cannot_be_written_are_counted),
        cmocka_unit_test(pipe_that_nobody_reads_costs_lines_and_no_time),
        cmocka_unit_test(socket_that_nobody_reads_costs_lines_and_no_time),
        cmocka_unit_test(no_log_is_silent),
        cmocka_unit_test(names_are_found_and_others_refused),
        WITH_PLACE(lines_of_several_threads_never_mix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
