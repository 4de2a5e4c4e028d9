/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/event/event_fixture.h"

#include <stdlib.h>

#include "server/event/event_names.h"

static void an_event_of_each_type_comes_back_as_it_went(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++) {
        struct event event = event_example((enum event_type)i);
        struct event back;
        struct proto_fault fault = {0};
        uint8_t bytes[EVENT_BYTES_MAX];
        assert_true(event_check(&event, INT64_MAX, &fault));
        size_t count = event_encode(&event, bytes);
        assert_int_equal(count, event_bytes(&event));
        assert_true(event_decode((struct proto_span){bytes, count}, &back, &fault));
        assert_true(event_same(&event, &back));
        assert_int_equal(back.known_ms, 0);
    }
}

static void random_events_come_back_and_encode_to_the_same_bytes(void **state)
{
    uint64_t seed = 1;
    (void)state;
    for (uint64_t i = 0; i < 20000; i++) {
        char id[24];
        struct event event = event_of(&seed, i, id);
        struct event back;
        struct proto_fault fault = {0};
        uint8_t bytes[EVENT_BYTES_MAX];
        uint8_t again[EVENT_BYTES_MAX];
        if (!event_check(&event, INT64_MAX, &fault)) {
            fail_msg("event %llu: %s: %s", (unsigned long long)i, fault.field, fault.message);
        }
        size_t count = event_encode(&event, bytes);
        assert_true(event_decode((struct proto_span){bytes, count}, &back, &fault));
        assert_true(event_same(&event, &back));
        assert_int_equal(event_encode(&back, again), count);
        assert_memory_equal(bytes, again, count);
        assert_false(event_decode((struct proto_span){bytes, count - 1}, &back, &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
    }
}

static void bytes_behind_an_event_are_refused(void **state)
{
    struct event event = event_example(EVENT_TOUCH);
    struct proto_fault fault = {0};
    uint8_t bytes[EVENT_BYTES_MAX + 1] = {0};
    (void)state;
    size_t count = event_encode(&event, bytes);
    assert_false(event_decode((struct proto_span){bytes, count + 1}, &event, &fault));
}

static void refused(struct event event, const char *field)
{
    struct proto_fault fault = {0};
    if (event_check(&event, INT64_C(1700000000000), &fault)) {
        fail_msg("passed, where %s is wrong", field);
    }
    assert_int_equal(fault.code, PROTO_BAD_FIELD);
    assert_string_equal(fault.field, field);
}

static void source_and_id_are_read_without_the_rest_and_within_the_bytes(void **state)
{
    (void)state;
    for (unsigned type = 0; type < EVENT_TYPE_COUNT; type++) {
        uint8_t bytes[EVENT_BYTES_MAX];
        struct proto_span source;
        struct proto_span id;
        struct event event = event_example((enum event_type)type);
        size_t count = event_encode(&event, bytes);
        size_t names = 12 + 1 + event.source.bytes + 1 + event.id.bytes;
        for (size_t cut = 0; cut <= count; cut++) {
            assert_int_equal(event_names((struct proto_span){bytes, cut}, &source, &id),
                             cut >= names);
        }
        assert_true(proto_span_equal(source, event.source));
        assert_true(proto_span_equal(id, event.id));
    }
}

static void what_a_type_needs_and_does_not_take_is_told_by_member(void **state)
{
    (void)state;
    for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++) {
        for (unsigned m = 0; m < EVENT_MEMBER_COUNT; m++) {
            struct event event = event_example((enum event_type)i);
            uint32_t bit = UINT32_C(1) << m;
            const char *name = event_member_name((enum event_member)m);
            if ((event_type_needs(event.type) & bit) != 0) {
                event.has &= ~bit;
                refused(event, name);
            } else if ((event_type_takes(event.type) & bit) == 0) {
                event.has |= bit;
                refused(event, name);
            }
        }
    }
}

static void bounds_are_told_by_member(void **state)
{
    struct event event = event_example(EVENT_OUTCOME);
    uint8_t long_text[64];
    (void)state;
    memset(long_text, 'x', sizeof long_text);
    event.kind = (struct proto_span){long_text, 64};
    refused(event, "kind");
    event = event_example(EVENT_OUTCOME);
    event.amount = EVENT_AMOUNT_MAX + 1;
    refused(event, "amount");
    event = event_example(EVENT_OUTCOME);
    event.currency = proto_span_text("usd");
    refused(event, "currency");
    event = event_example(EVENT_OUTCOME);
    event.has &= ~(uint32_t)EVENT_HAS_CURRENCY;
    refused(event, "currency");
    event = event_example(EVENT_SUBSCRIPTION);
    event.months = 1201;
    refused(event, "months");
    event.months = 12;
    event.end_ms = event.time_ms - 1;
    refused(event, "end");
    event = event_example(EVENT_TOUCH);
    event.id = (struct proto_span){NULL, 0};
    refused(event, "id");
    event = event_example(EVENT_TOUCH);
    event.source = proto_span_text("two\nlines");
    refused(event, "source");
    event = event_example(EVENT_TOUCH);
    event.label = proto_span_text("\xff");
    refused(event, "label");
    event = event_example(EVENT_RETRACTION);
    event.retracts = event.id;
    refused(event, "retracts");
}

static void what_has_happened_is_not_ahead_of_the_clock(void **state)
{
    struct event event = event_example(EVENT_TOUCH);
    struct proto_fault fault = {0};
    (void)state;
    event.has &= ~(uint32_t)EVENT_HAS_END;
    event.end_ms = 0;
    event.time_ms += EVENT_AHEAD_MS_MAX;
    assert_true(event_check(&event, INT64_C(1700000000000), &fault));
    event.time_ms++;
    refused(event, "time");
    event = event_example(EVENT_SUBSCRIPTION); /* a contract may begin next year */
    event.time_ms += 400 * EVENT_AHEAD_MS_MAX;
    event.end_ms += 400 * EVENT_AHEAD_MS_MAX;
    assert_true(event_check(&event, INT64_C(1700000000000), &fault));
}

static void any_other_member_makes_another_event(void **state)
{
    (void)state;
    for (unsigned m = 0; m < EVENT_MEMBER_COUNT; m++) {
        for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++) {
            struct event event = event_example((enum event_type)i);
            struct event other = event;
            if ((event.has >> m & 1) == 0) {
                continue;
            }
            if (event_member_is_text((enum event_member)m)) {
                event_text(&other, (enum event_member)m)->bytes--;
            } else {
                ++*event_number(&other, (enum event_member)m);
            }
            assert_true(event_same(&event, &event));
            assert_false(event_same(&event, &other));
        }
    }
}

static void names_are_found_and_nothing_else(void **state)
{
    enum event_type type;
    enum event_member member;
    struct proto_fault fault = {.code = PROTO_OK};
    (void)state;
    for (unsigned i = 0; i < EVENT_TYPE_COUNT; i++) {
        assert_true(event_type_read(proto_span_text(event_type_name((enum event_type)i)), "type",
                                    &type, &fault));
        assert_int_equal(type, i);
        assert_true(strlen(event_type_meaning(type)) > 0);
    }
    for (unsigned i = 0; i < EVENT_MEMBER_COUNT; i++) {
        assert_true(
            event_member_find(proto_span_text(event_member_name((enum event_member)i)), &member));
        assert_int_equal(member, i);
    }
    assert_false(event_type_read(proto_span_text("touc"), "types[2]", &type, &fault));
    assert_string_equal(fault.field, "types[2]");
    assert_non_null(
        strstr(fault.message, "\"touc\" is no type of event; there are touch, stage, "));
    assert_false(event_member_find(proto_span_text(""), &member));
}

static void an_id_of_another_source_has_another_hash(void **state)
{
    (void)state;
    assert_int_not_equal(event_hash(proto_span_text("crm"), proto_span_text("1")),
                         event_hash(proto_span_text("billing"), proto_span_text("1")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_of_each_type_comes_back_as_it_went),
        cmocka_unit_test(random_events_come_back_and_encode_to_the_same_bytes),
        cmocka_unit_test(bytes_behind_an_event_are_refused),
        cmocka_unit_test(source_and_id_are_read_without_the_rest_and_within_the_bytes),
        cmocka_unit_test(what_a_type_needs_and_does_not_take_is_told_by_member),
        cmocka_unit_test(bounds_are_told_by_member),
        cmocka_unit_test(what_has_happened_is_not_ahead_of_the_clock),
        cmocka_unit_test(any_other_member_makes_another_event),
        cmocka_unit_test(names_are_found_and_nothing_else),
        cmocka_unit_test(an_id_of_another_source_has_another_hash),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
