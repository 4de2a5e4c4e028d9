/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <cmocka.h>

#include "bench/gate/gate_ingest.h"
#include "bench/load/load_workload.h"
#include "bench/peer/peer_process.h"
#include "proto/request.h"

static const struct gate_ingest_work updates = {
    .mode = GATE_INGEST_UPDATE, .accounts = 5000, .batch = 1000, .fields = 20, .seed = 1};

static void updates_reach_every_account_before_they_come_to_one_again(void **state)
{
    (void)state;
    unsigned char seen[5000] = {0};
    unsigned steps = 0;
    for (uint32_t request = 0; request < 5; request++) {
        for (unsigned i = 0; i < 1000; i++) {
            uint64_t number = gate_ingest_number(&updates, request, i);
            assert_true(number < 5000 && !seen[number]);
            seen[number] = 1;
            steps += i > 0 && number == gate_ingest_number(&updates, request, i - 1) + 1;
        }
    }
    assert_true(steps < 50); /* scattered, not in turn */
}

static void new_accounts_stand_behind_all_others_and_never_repeat(void **state)
{
    (void)state;
    struct gate_ingest_work work = updates;
    work.mode = GATE_INGEST_NEW;
    work.first = 300;
    for (uint32_t request = 0; request < 5; request++) {
        for (unsigned i = 0; i < 1000; i++) {
            assert_int_equal(gate_ingest_number(&work, request, i),
                             5000 + 300 + request * UINT64_C(1000) + i);
        }
    }
}

static void records_have_the_size_that_was_asked_for(void **state)
{
    (void)state;
    unsigned fields = load_record_fields(512);
    struct proto_writer out;
    proto_writer_init(&out);
    for (uint64_t number = 0; number < 1000; number++) {
        load_record_write(&out, 9, number, fields);
    }
    assert_in_range(out.bytes / 1000, 480, 560);
    proto_writer_fini(&out);
    assert_int_equal(load_record_fields(1 << 20), LOAD_RECORD_FIELDS);
}

static void every_contender_is_sent_the_same_records(void **state)
{
    (void)state;
    struct load_traffic icp;
    struct load_traffic redis;
    struct proto_fault fault = {0};
    struct proto_request request;
    struct proto_header header;
    struct proto_span payload;
    size_t used = 0;
    struct gate_ingest_work work = updates;
    work.batch = 10;
    assert_true(gate_ingest_traffic(GATE_INGEST_ICP, &work, 16, &icp, &fault));
    assert_true(gate_ingest_traffic(GATE_INGEST_REDIS_ALWAYS, &work, 16, &redis, &fault));
    assert_int_equal(icp.count, 16);
    struct proto_span bytes = {icp.bytes + icp.offsets[3], icp.offsets[4] - icp.offsets[3]};
    assert_int_equal(
        proto_frame_split(bytes, PROTO_FRAME_BYTES_MAX, false, &header, &payload, &used, &fault),
        PROTO_FRAME_WHOLE);
    assert_true(proto_request_decode(proto_op_find(header.code), payload, &request, &fault));
    const uint8_t *mset = redis.bytes + redis.offsets[3];
    assert_memory_equal(mset, "*21\r\n$4\r\nMSET\r\n$13\r\nacct-", 25);
    /* The first record, as Redis keeps it, is among the bytes that icpd gets. */
    const uint8_t *record = memmem(mset + 25, 200, "\r\n$", 3);
    assert_non_null(record);
    size_t record_bytes = strtoul((const char *)record + 3, NULL, 10);
    record = (const uint8_t *)memmem(record + 3, 16, "\r\n", 2) + 2;
    assert_in_range(record_bytes, 200, 2000);
    assert_non_null(memmem(payload.data, payload.bytes, record, record_bytes));
    load_traffic_fini(&icp);
    load_traffic_fini(&redis);
}

static void sqlite_stores_or_says_why_not(void **state)
{
    (void)state;
    char folder[] = "/tmp/icpd-ingest-XXXXXX";
    char path[64];
    struct stat about;
    struct proto_fault fault = {0};
    if (gate_sqlite_missing()) {
        skip();
    }
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/db", folder);
    struct gate_sqlite *sqlite = gate_sqlite_open(path, true, &fault);
    assert_non_null(sqlite);
    for (uint32_t request = 0; request < 3; request++) {
        assert_true(gate_sqlite_put(sqlite, &updates, request, &fault));
    }
    gate_sqlite_close(sqlite);
    assert_int_equal(stat(path, &about), 0);
    assert_true(about.st_size > 100000);
    assert_null(gate_sqlite_open("/nowhere/at/all", true, &fault));
    assert_non_null(strstr(fault.message, "SQLite"));
    peer_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(updates_reach_every_account_before_they_come_to_one_again),
        cmocka_unit_test(new_accounts_stand_behind_all_others_and_never_repeat),
        cmocka_unit_test(records_have_the_size_that_was_asked_for),
        cmocka_unit_test(every_contender_is_sent_the_same_records),
        cmocka_unit_test(sqlite_stores_or_says_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
