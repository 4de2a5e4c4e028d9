/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/event/event_fixture.h"

#include <stdio.h>

#include "server/event/event_block.h"

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
        cmocka_unit_test(the_largest_event_fits_an_empty_block),
        cmocka_unit_test(damage_is_refused_or_read_within_the_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
