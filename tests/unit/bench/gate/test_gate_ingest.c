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
#include "bench/peer/peer_process.h"
#include "proto/request.h"

static void records_of_a_request_differ_and_all_are_reached(void **state)
{
    (void)state;
    enum { ACCOUNTS = 5000, BATCH = 1000 };
    unsigned char seen[ACCOUNTS] = {0};
    for (uint32_t request = 0; request < 5; request++) {
        unsigned char within[ACCOUNTS] = {0};
        for (unsigned i = 0; i < BATCH; i++) {
            uint64_t number = gate_ingest_number(ACCOUNTS, BATCH, request, i);
            assert_true(number < ACCOUNTS && !within[number]);
            within[number] = seen[number] = 1;
        }
    }
    for (unsigned i = 0; i < ACCOUNTS; i++)
        assert_true(seen[i]);
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
    assert_true(gate_ingest_traffic(GATE_INGEST_ICP, 5000, 10, &icp, &fault));
    assert_true(gate_ingest_traffic(GATE_INGEST_REDIS_ALWAYS, 5000, 10, &redis, &fault));
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
    assert_in_range(record_bytes, 300, 2000);
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
    if (gate_sqlite_missing())
        skip();
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/db", folder);
    struct gate_sqlite *sqlite = gate_sqlite_open(path, true, &fault);
    assert_non_null(sqlite);
    for (uint32_t request = 0; request < 3; request++)
        assert_true(gate_sqlite_put(sqlite, 5000, request, 100, &fault));
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
        cmocka_unit_test(records_of_a_request_differ_and_all_are_reached),
        cmocka_unit_test(every_contender_is_sent_the_same_records),
        cmocka_unit_test(sqlite_stores_or_says_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
