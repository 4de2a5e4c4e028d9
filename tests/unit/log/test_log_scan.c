/* SPDX-License-Identifier: Apache-2.0 */
#include "server/log/log_scan.h"

#include <stdlib.h>
#include <string.h>

#include "tests/unit/log/log_fixture.h"

/* A segment in memory, read through the table of calls. */
struct memory {
    uint8_t bytes[32768];
    size_t count;
    struct log_page page;
    uint64_t chain;
    uint64_t sequence;
};

static ssize_t memory_pread(void *context, int fd, void *bytes, size_t count, off_t at)
{
    const struct memory *memory = context;
    (void)fd;
    size_t left = (size_t)at < memory->count ? memory->count - (size_t)at : 0;
    size_t got = count < left ? count : left;
    memcpy(bytes, memory->bytes + at, got);
    return (ssize_t)got;
}

static void memory_begin(struct memory *memory)
{
    memset(memory, 0, sizeof *memory);
    memory->page = (struct log_page){.seed = 99, .identity = 7, .first = 10, .chain = 0};
    log_page_seal(&memory->page);
    memcpy(memory->bytes, &memory->page, sizeof memory->page);
    memory->count = LOG_PAGE_BYTES;
    memory->sequence = 10;
}

static void memory_add(struct memory *memory, uint32_t place, const char *payload)
{
    struct log_head head = {.sequence = memory->sequence++, .chain = memory->chain, .place = place};
    size_t bytes = strlen(payload);
    log_head_seal(&head, memory->page.seed, (struct proto_span){(const uint8_t *)payload, bytes});
    memcpy(memory->bytes + memory->count, &head, sizeof head);
    memcpy(memory->bytes + memory->count + sizeof head, payload, bytes);
    memory->count += (size_t)log_entry_bytes(bytes);
    memory->chain = head.check;
}

static bool scanned(struct memory *memory, struct log_scan *scan, struct proto_fault *fault)
{
    struct log_io io = {.context = memory, .pread = memory_pread};
    struct log_window window;
    struct log_page page;
    log_window_init(&window, &io, -1);
    bool good = log_scan_page(&window, 7, 10, &page, fault) &&
                log_scan_all(&window, &page, UINT64_MAX, scan, fault);
    log_window_fini(&window);
    return good;
}

static void the_last_group_is_found_with_its_beginning(void **state)
{
    static struct memory memory;
    struct log_scan scan;
    struct proto_fault fault;
    (void)state;
    memory_begin(&memory);
    memory_add(&memory, 0, "one");
    size_t group = memory.count;
    memory_add(&memory, 0, "two");
    memory_add(&memory, 1, "three");
    size_t end = memory.count;
    memory.count += 500; /* zeros */
    assert_true(scanned(&memory, &scan, &fault));
    assert_int_equal(scan.last, 12);
    assert_int_equal(scan.end, end);
    assert_int_equal(scan.group_at, group);
    assert_int_equal(scan.chain, memory.chain);
    assert_false(scan.closed);
}

static void a_copy_of_a_good_entry_in_a_value_proves_nothing(void **state)
{
    static struct memory memory;
    struct log_scan scan;
    struct proto_fault fault;
    (void)state;
    memory_begin(&memory);
    memory_add(&memory, 0, "one");
    memory_add(&memory, 0, "two, which is torn");
    memory.bytes[memory.count - 20] ^= 1;
    /* Behind it lies the first entry again, as a value might hold it. */
    memcpy(memory.bytes + memory.count, memory.bytes + LOG_PAGE_BYTES, 80);
    memory.count += 80;
    assert_true(scanned(&memory, &scan, &fault));
    assert_int_equal(scan.last, 10);
}

static void a_later_group_far_behind_proves_damage(void **state)
{
    static struct memory memory;
    struct log_scan scan;
    struct proto_fault fault;
    (void)state;
    memory_begin(&memory);
    memory_add(&memory, 0, "one");
    memory_add(&memory, 0, "two");
    size_t torn = memory.count - 5;
    for (int i = 0; i < 100; i++) {
        memory_add(&memory, 1 + (uint32_t)i, "of the group of two");
    }
    memory.bytes[torn] ^= 1;
    assert_true(scanned(&memory, &scan, &fault));
    memory_add(&memory, 0, "of a later group");
    assert_false(scanned(&memory, &scan, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
    assert_non_null(strstr(fault.message, "entry 11 of the log"));
    assert_non_null(strstr(fault.message, "entry 112 at byte"));
}

static void an_end_mark_behind_a_bad_entry_proves_damage(void **state)
{
    static struct memory memory;
    struct log_scan scan;
    struct log_head mark;
    struct proto_fault fault;
    (void)state;
    memory_begin(&memory);
    memory_add(&memory, 0, "one");
    memory_add(&memory, 0, "two");
    log_end_seal(&mark, memory.page.seed, 11, memory.chain);
    memcpy(memory.bytes + memory.count, &mark, sizeof mark);
    memory.count += sizeof mark;
    assert_true(scanned(&memory, &scan, &fault));
    assert_true(scan.closed);
    assert_int_equal(scan.last, 11);
    memory.bytes[LOG_PAGE_BYTES + 80 + 20] ^= 1;
    assert_false(scanned(&memory, &scan, &fault));
    assert_int_equal(fault.code, PROTO_CORRUPT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_last_group_is_found_with_its_beginning),
        cmocka_unit_test(a_copy_of_a_good_entry_in_a_value_proves_nothing),
        cmocka_unit_test(a_later_group_far_behind_proves_damage),
        cmocka_unit_test(an_end_mark_behind_a_bad_entry_proves_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
