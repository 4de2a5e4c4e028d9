/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "bench/load/load_replay.h"
#include "proto/frame.h"
#include "server/capture/capture_file.h"

static void record_add(struct proto_writer *body, uint64_t at_ns, uint32_t connection,
                       uint8_t opcode, const char *name, const char *text)
{
    struct proto_writer payload;
    proto_writer_init(&payload);
    proto_write_map(&payload, 1);
    proto_write_text(&payload, name);
    proto_write_text(&payload, text);
    const struct capture_record record = {.at_ns = at_ns,
                                          .connection = connection,
                                          .payload_bytes = (uint32_t)payload.bytes,
                                          .opcode = opcode,
                                          .flags = PROTO_FLAG_CHECKSUM,
                                          .left_out = opcode == PROTO_OP_FILTER,
                                          .payload = payload.data};
    capture_write_record(body, &record);
    proto_writer_fini(&payload);
}

/* Seven requests: of two accounts, one by its domain, a stranger, a write, one left out. */
static void capture_write(char path[32], bool whole)
{
    struct proto_writer body;
    struct proto_writer file;
    const struct capture_totals totals = {7, 1, 5, 4000000000};
    proto_writer_init(&body);
    proto_writer_init(&file);
    record_add(&body, 1000000000, 77, PROTO_OP_SCORE, "id", "aaaaaaaa");
    record_add(&body, 1500000000, 88, PROTO_OP_SCORE, "id", "bbbbbbbb");
    record_add(&body, 1400000000, 77, PROTO_OP_SCORE, "id", "aaaaaaaa"); /* a little late */
    record_add(&body, 2000000000, 99, PROTO_OP_SCORE, "email", "xyz@ccccccc");
    record_add(&body, 2500000000, 77, PROTO_OP_SCORE, "id", "STRANGER");
    record_add(&body, 3000000000, 77, PROTO_OP_ACCOUNT_DELETE, "source", "crmcrm");
    record_add(&body, 3500000000, 77, PROTO_OP_FILTER, "filter", "gone");
    capture_write_header(&file, 1700000000000);
    capture_write_block(&file, proto_writer_span(&body), 7, 0);
    proto_write_raw(&file, proto_writer_span(&body));
    if (whole) {
        capture_write_last(&file, &totals, 1);
    }
    snprintf(path, 32, "/tmp/icpd-replay-XXXXXX");
    int fd = mkstemp(path);
    assert_true(fd >= 0 && proto_writer_ok(&file));
    assert_int_equal(write(fd, file.data, file.bytes), file.bytes);
    close(fd);
    proto_writer_fini(&body);
    proto_writer_fini(&file);
}

static struct proto_frame frame_at(const struct load_replay *replay, uint32_t index)
{
    struct proto_frame frame;
    struct proto_fault fault = {0};
    size_t used = 0;
    const struct load_traffic *traffic = &replay->traffic;
    struct proto_span bytes = {traffic->bytes + traffic->offsets[index],
                               traffic->offsets[index + 1] - traffic->offsets[index]};
    assert_int_equal(proto_frame_split(bytes, PROTO_FRAME_BYTES_MAX, false, &frame.header,
                                       &frame.payload, &used, &fault),
                     PROTO_FRAME_WHOLE);
    assert_int_equal(used, bytes.bytes);
    assert_int_equal(frame.header.request_id, index);
    return frame;
}

static bool holds(struct proto_frame frame, const char *text)
{
    return memmem(frame.payload.data, frame.payload.bytes, text, strlen(text)) != NULL;
}

static void requests_come_at_their_times_for_accounts_of_the_target(void **state)
{
    (void)state;
    struct load_replay replay;
    struct proto_fault fault = {0};
    char path[32];
    capture_write(path, true);
    const struct load_replay_options options = {
        .path = path, .speed = 1, .accounts = 1000, .connections_max = 100};
    assert_true(load_replay_make(&replay, &options, &fault));
    const struct load_schedule *schedule = &replay.schedule;
    assert_int_equal(schedule->count, 6);
    assert_int_equal(replay.traffic.count, 8); /* a power of two, the rest without bytes */
    assert_int_equal(replay.traffic.offsets[6], replay.traffic.offsets[8]);
    assert_true(schedule->at_ns[0] == 1000000000 && schedule->at_ns[1] == 1500000000);
    assert_true(schedule->at_ns[2] == 1500000000); /* never back */
    assert_int_equal(schedule->connections, 3);
    assert_int_equal(schedule->connection[0], schedule->connection[2]);
    assert_int_not_equal(schedule->connection[0], schedule->connection[1]);
    struct proto_frame first = frame_at(&replay, 0);
    struct proto_frame third = frame_at(&replay, 2);
    assert_true(holds(first, "acct-") && proto_span_equal(first.payload, third.payload));
    assert_int_equal(first.header.flags, PROTO_FLAG_CHECKSUM);
    assert_false(proto_span_equal(first.payload, frame_at(&replay, 1).payload));
    assert_true(holds(frame_at(&replay, 3), "xyz@acct"));
    assert_true(holds(frame_at(&replay, 3), ".example"));
    assert_true(holds(frame_at(&replay, 4), "STRANGER"));
    assert_true(replay.left_out == 1 && replay.lost == 5 && replay.writes == 0);
    assert_int_equal(replay.accounts, 3);
    load_replay_fini(&replay);
    unlink(path);
}

static void a_replay_can_be_faster_narrower_and_without_writes(void **state)
{
    (void)state;
    struct load_replay replay;
    struct proto_fault fault = {0};
    char path[32];
    capture_write(path, true);
    const struct load_replay_options options = {
        .path = path, .speed = 4, .no_writes = true, .accounts = 1, .connections_max = 2};
    assert_true(load_replay_make(&replay, &options, &fault));
    assert_int_equal(replay.schedule.count, 5);
    assert_int_equal(replay.writes, 1);
    assert_int_equal(replay.schedule.connections, 2);
    assert_true(replay.schedule.at_ns[0] == 250000000);
    for (uint32_t i = 0; i < 5; i++) {
        assert_true(replay.schedule.connection[i] < 2);
    }
    assert_true(holds(frame_at(&replay, 1), "acct-00000000"));
    load_replay_fini(&replay);
    unlink(path);
}

static void what_is_cut_off_or_not_there_is_refused(void **state)
{
    (void)state;
    struct load_replay replay;
    struct proto_fault fault = {0};
    char path[32];
    capture_write(path, false);
    struct load_replay_options options = {
        .path = path, .speed = 1, .accounts = 1000, .connections_max = 100};
    assert_false(load_replay_make(&replay, &options, &fault));
    assert_non_null(strstr(fault.message, "cut off"));
    assert_non_null(strstr(fault.message, path));
    unlink(path);
    assert_false(load_replay_make(&replay, &options, &fault));
    assert_int_equal(fault.code, PROTO_BAD_CONFIG);
    options.names = "/nowhere/at/all";
    assert_false(load_replay_make(&replay, &options, &fault));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_come_at_their_times_for_accounts_of_the_target),
        cmocka_unit_test(a_replay_can_be_faster_narrower_and_without_writes),
        cmocka_unit_test(what_is_cut_off_or_not_there_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
