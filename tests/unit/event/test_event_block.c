/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/event/event_fixture.h"

#include <stdio.h>

#include "server/event/event_block_id.h"
#include "server/event/event_number.h"

enum { MANY = 400 };

struct told {
    struct event events[MANY];
    char ids[MANY][24];
    unsigned count;
};

/* Random events until the block is full. */
static void fill(struct event_block_writer *writer, struct told *told, uint64_t seed)
{
    event_block_begin(writer);
    for (told->count = 0; told->count < MANY; told->count++) {
        struct event event = event_of(&seed, event_random(&seed) % 100000, told->ids[told->count]);
        event.known_ms = (int64_t)(1700000000000 + event_random(&seed) % 100000000);
        event.seq =
            told->count == 0 ? 7 : told->events[told->count - 1].seq + event_random(&seed) % 3;
        if (!event_block_add(writer, &event)) {
            return;
        }
        told->events[told->count] = event;
    }
}

static void must_read(struct proto_span bytes, const struct told *told)
{
    struct event_block block;
    struct event event;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_true(event_block_open(&block, bytes, &fault));
    assert_int_equal(block.events, told->count);
    for (unsigned i = 0; i < told->count; i++) {
        assert_true(event_block_next(&block, &event, &fault));
        assert_true(event_same(&event, &told->events[i]));
        assert_int_equal(event.known_ms, told->events[i].known_ms);
        assert_int_equal(event.seq, told->events[i].seq);
    }
    assert_false(event_block_next(&block, &event, &fault));
    assert_int_equal(fault.code, PROTO_OK);
}

static void a_full_block_comes_back_event_by_event(void **state)
{
    static struct event_block_writer writer;
    static struct told told;
    (void)state;
    for (uint64_t seed = 1; seed < 200; seed++) {
        uint8_t bytes[EVENT_BLOCK_BYTES_MAX];
        fill(&writer, &told, seed);
        assert_true(told.count > 20 && told.count < MANY);
        event_block_write(&writer, bytes);
        must_read((struct proto_span){bytes, event_block_bytes(&writer)}, &told);
    }
}

static void what_is_resumed_ends_as_if_it_had_gone_on(void **state)
{
    static struct event_block_writer whole;
    static struct event_block_writer part;
    static struct told told;
    (void)state;
    for (uint64_t seed = 1; seed < 50; seed++) {
        uint8_t bytes[EVENT_BLOCK_BYTES_MAX];
        uint8_t again[EVENT_BLOCK_BYTES_MAX];
        struct proto_fault fault = {.code = PROTO_OK};
        fill(&whole, &told, seed);
        event_block_write(&whole, bytes);
        event_block_begin(&part);
        for (unsigned i = 0; i < told.count; i++) {
            if (i % 7 == 3) {
                size_t count = event_block_bytes(&part);
                event_block_write(&part, again);
                memset(&part, 0xab, sizeof part);
                assert_true(event_block_resume(&part, (struct proto_span){again, count}, &fault));
            }
            assert_true(event_block_add(&part, &told.events[i]));
        }
        assert_int_equal(event_block_bytes(&part), event_block_bytes(&whole));
        event_block_write(&part, again);
        assert_memory_equal(bytes, again, event_block_bytes(&whole));
    }
}

static void events_are_found_by_their_mark(void **state)
{
    static struct event_block_writer writer;
    static struct told told;
    uint8_t bytes[EVENT_BLOCK_BYTES_MAX];
    struct event_block block;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    fill(&writer, &told, 5);
    event_block_write(&writer, bytes);
    assert_true(
        event_block_open(&block, (struct proto_span){bytes, event_block_bytes(&writer)}, &fault));
    for (unsigned i = 0; i < told.count; i++) {
        uint64_t hash = event_hash(told.events[i].source, told.events[i].id);
        assert_true(event_block_find(&block, 0, hash) <= i);
        assert_int_equal(event_block_find(&block, i, hash), i);
    }
    /* A mark that no event has is not found; of 65,536 most are none. */
    unsigned found = 0;
    for (uint64_t hash = 0; hash < 65536; hash++) {
        found += event_block_find(&block, 0, hash) < block.events;
    }
    assert_true(found > 0 && found <= told.count);
}

static void alike_events_take_less_than_20_bytes(void **state)
{
    static struct event_block_writer writer;
    unsigned count = 0;
    (void)state;
    event_block_begin(&writer);
    for (;; count++) {
        char id[24];
        struct event event = event_example(EVENT_USAGE);
        (void)snprintf(id, sizeof id, "U-%06x", count * 7919 % 0xffffff);
        event.id = event.subject = proto_span_text(id);
        event.has = EVENT_HAS_KIND | EVENT_HAS_SUBJECT | EVENT_HAS_QUANTITY;
        event.label = event.person = (struct proto_span){NULL, 0};
        event.end_ms = 0;
        event.time_ms += (int64_t)count * 86400000 * 3;
        event.quantity = count % 20 * 1000;
        event.known_ms = INT64_C(1700000000000);
        event.seq = 1 + count / 20;
        if (!event_block_add(&writer, &event)) {
            break;
        }
    }
    assert_true(event_block_bytes(&writer) < (size_t)count * 20);
}

static void the_largest_event_fits_an_empty_block(void **state)
{
    static struct event_block_writer writer;
    static struct told told;
    uint8_t text[300];
    uint8_t bytes[EVENT_BLOCK_BYTES_MAX];
    (void)state;
    event_block_begin(&writer);
    told.count = 1;
    for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++) {
        struct event event = event_example((enum event_type)i);
        memset(text, 'x', sizeof text);
#define T(NAME, name, word, most, meaning)                                                         \
    if ((event.has & EVENT_HAS_##NAME) != 0 && EVENT_MEMBER_##NAME != EVENT_MEMBER_CURRENCY) {     \
        event.name = (struct proto_span){text + EVENT_MEMBER_##NAME, most};                        \
    }
#define N(NAME, name, word, low, high, meaning)                                                    \
    if ((event.has & EVENT_HAS_##NAME) != 0) {                                                     \
        event.name = high;                                                                         \
    }
#include "server/event/event_member.def"
#undef T
#undef N
        event.id = (struct proto_span){text + 20, EVENT_ID_BYTES_MAX};
        event.source = (struct proto_span){text, EVENT_SOURCE_BYTES_MAX};
        event.time_ms = EVENT_MS_MIN + 1;
        event.known_ms = INT64_MAX;
        event.seq = UINT64_MAX;
        event_block_begin(&writer);
        assert_true(event_block_add(&writer, &event));
        told.events[0] = event;
        event_block_write(&writer, bytes);
        must_read((struct proto_span){bytes, event_block_bytes(&writer)}, &told);
    }
}

/* An event with nothing but what `has` says, a kind and a quantity at most. */
static struct event counted(unsigned number, const char *id, enum event_type type, uint32_t has)
{
    struct event event = {.type = type,
                          .has = has,
                          .time_ms = INT64_C(1700000000000),
                          .known_ms = INT64_C(1700000000000),
                          .seq = 1 + number,
                          .source = proto_span_text("crm"),
                          .id = proto_span_text(id)};
    if ((has & EVENT_HAS_KIND) != 0) {
        event.kind = proto_span_text("email");
    }
    event.quantity = (has & EVENT_HAS_QUANTITY) != 0 ? number * 1000 : 0;
    return event;
}

/* Bytes that the last of the ids takes behind the others, whatever else its row has. */
static size_t id_bytes(const char *const *ids, size_t count)
{
    static struct event_block_writer writer;
    static struct told told;
    uint8_t bytes[EVENT_BLOCK_BYTES_MAX];
    size_t before = 0;
    event_block_begin(&writer);
    for (told.count = 0; told.count < count; told.count++) {
        before = event_block_bytes(&writer);
        told.events[told.count] = counted(told.count, ids[told.count], EVENT_TOUCH, EVENT_HAS_KIND);
        assert_true(event_block_add(&writer, &told.events[told.count]));
    }
    event_block_write(&writer, bytes);
    must_read((struct proto_span){bytes, event_block_bytes(&writer)}, &told);
    /* Mark, shape, time, known time, sequence, kind. */
    return event_block_bytes(&writer) - before - 2 - 5;
}

static void ids_take_what_they_tell_and_come_back(void **state)
{
    (void)state;
#define TAKES(bytes, ...)                                                                          \
    do {                                                                                           \
        const char *const ids[] = {__VA_ARGS__};                                                   \
        assert_int_equal(id_bytes(ids, sizeof ids / sizeof *ids), bytes);                          \
    } while (false)
    TAKES(3, "9", "41234");
    TAKES(4, "12345678", "9234567");
    TAKES(3, "inv-77", "inv-54321");
    TAKES(2, "inv-77", "inv-78");                   /* one letter behind what is shared */
    TAKES(8, "inv-77", "inv-0054321");              /* zeros before: text */
    TAKES(9, "1", "999999999999999999");            /* 18 digits */
    TAKES(22, "1", "9999999999999999999");          /* 19 */
    TAKES(4, "123456789012345678901", "123777777"); /* 18 digits of the one before are looked at */
    TAKES(2, "a", "0");
    TAKES(3, "a", "a00");
    TAKES(17, "x", "0f8fad5b-d9cb-469f-a165-70867728950e");
    TAKES(33 + 6, "x", "0F8fad5b-d9cb-469f-a165-70867728950e");
    TAKES(39, "x", "0f8fad5b+d9cb-469f-a165-70867728950e");
    TAKES(15, "evt_00", "evt_0123456789abcdef01234567");
    TAKES(15, "evt_10", "evt_f123456789abcdef01234567");
    TAKES(14, "evt_1", "evt_1f23456789abcdef0123456"); /* an odd number of digits */
#undef TAKES
}

static void round_numbers_take_less_and_come_back(void **state)
{
    static const int64_t numbers[] = {0,
                                      1,
                                      -1,
                                      99,
                                      100,
                                      -100,
                                      1000,
                                      24000,
                                      -24000,
                                      10000,
                                      123456,
                                      120000,
                                      1000000,
                                      -999000000,
                                      EVENT_AMOUNT_MAX,
                                      -EVENT_AMOUNT_MAX,
                                      12345678901};
    (void)state;
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        int64_t again = 0;
        assert_true(event_round_open(event_round(numbers[i]), &again));
        assert_true(again == numbers[i]);
    }
    assert_true(event_round(24000) < 1 << 14);
    assert_true(event_round(7000) < 128);
    assert_true(event_round(120000) == (24 << 3 | 2 << 1 | 1));
    int64_t none;
    assert_false(event_round_open(UINT64_MAX, &none));
    assert_false(event_round_open(UINT64_MAX - 1, &none));
}

/* As builds wrote it that knew no packed blocks. */
static void a_block_of_before_is_read_and_goes_on_as_it_began(void **state)
{
    static struct event_block_writer writer;
    static struct told told;
    uint8_t bytes[EVENT_BLOCK_BYTES_MAX];
    struct event_block block;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    event_block_begin(&writer);
    writer.packed = false;
    static const char *const ids[] = {"7", "1000001", "1000002", "77"};
    for (told.count = 0; told.count < 4; told.count++) {
        if (told.count == 2) {
            event_block_write(&writer, bytes);
            size_t count = event_block_bytes(&writer);
            assert_int_equal(bytes[1] & 0x80, 0);
            memset(&writer, 0xab, sizeof writer);
            assert_true(event_block_resume(&writer, (struct proto_span){bytes, count}, &fault));
        }
        told.events[told.count] =
            counted(told.count, ids[told.count], EVENT_USAGE, EVENT_HAS_KIND | EVENT_HAS_QUANTITY);
        assert_true(event_block_add(&writer, &told.events[told.count]));
    }
    event_block_write(&writer, bytes);
    assert_int_equal(bytes[1] & 0x80, 0);
    must_read((struct proto_span){bytes, event_block_bytes(&writer)}, &told);
    /* The same rows are no packed block: its numbers would be others. */
    bytes[1] |= 0x80;
    assert_true(
        event_block_open(&block, (struct proto_span){bytes, event_block_bytes(&writer)}, &fault));
    bool same = true;
    for (unsigned i = 0; i < told.count; i++) {
        struct event event;
        same =
            same && event_block_next(&block, &event, &fault) && event_same(&event, &told.events[i]);
    }
    assert_false(same);
}

/* Codes of packed blocks are none in a block of before. */
static void a_code_that_is_not_of_the_block_is_damage(void **state)
{
    struct event_block_last last = {.id = "e-1", .id_bytes = 3};
    static const uint8_t number[] = {241, 7};
    static const uint8_t none[] = {251, 1, 1, 1};
    static const uint8_t long_number[] = {248, 255, 255, 255, 255, 255, 255, 255, 255};
    (void)state;
    assert_int_equal(event_block_id_get(number, sizeof number, false, &last), 0);
    assert_int_equal(event_block_id_get(none, sizeof none, true, &last), 0);
    assert_int_equal(event_block_id_get(long_number, sizeof long_number, true, &last), 0);
    assert_int_equal(event_block_id_get(number, 1, true, &last), 0);
    assert_memory_equal(last.id, "e-1", 3);
    assert_int_equal(event_block_id_get(number, sizeof number, true, &last), 2);
    assert_int_equal(last.id_bytes, 3);
    assert_memory_equal(last.id, "e-7", 3);
}

/* Every bit of a block turned over: it is read to its end or refused, and never leaves its bytes.
 */
static void damage_is_refused_or_read_within_the_bytes(void **state)
{
    static struct event_block_writer writer;
    static struct told told;
    uint8_t bytes[EVENT_BLOCK_BYTES_MAX];
    unsigned refused = 0;
    (void)state;
    fill(&writer, &told, 9);
    event_block_write(&writer, bytes);
    size_t count = event_block_bytes(&writer);
    for (size_t bit = 0; bit < count * 8; bit++) {
        struct event_block block;
        struct event event;
        struct proto_fault fault = {.code = PROTO_OK};
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        if (event_block_open(&block, (struct proto_span){bytes, count}, &fault)) {
            while (event_block_next(&block, &event, &fault)) {
                assert_true(event.type < EVENT_TYPE_COUNT && event.id.bytes > 0);
            }
        }
        refused += fault.code == PROTO_CORRUPT;
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(refused > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_full_block_comes_back_event_by_event),
        cmocka_unit_test(what_is_resumed_ends_as_if_it_had_gone_on),
        cmocka_unit_test(events_are_found_by_their_mark),
        cmocka_unit_test(alike_events_take_less_than_20_bytes),
        cmocka_unit_test(ids_take_what_they_tell_and_come_back),
        cmocka_unit_test(round_numbers_take_less_and_come_back),
        cmocka_unit_test(a_block_of_before_is_read_and_goes_on_as_it_began),
        cmocka_unit_test(a_code_that_is_not_of_the_block_is_damage),
        cmocka_unit_test(the_largest_event_fits_an_empty_block),
        cmocka_unit_test(damage_is_refused_or_read_within_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
