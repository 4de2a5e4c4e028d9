/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "client/client.h"

/* {"t": "text", "i": -5, "u": 2^63-1, "n": 2.5, "f": true, "b": bin, "l": [1, "two", nil],
 *  "m": {"x": 1}} */
static void sample_write(struct proto_writer *writer)
{
    proto_writer_init(writer);
    proto_write_map(writer, 8);
    proto_write_text(writer, "t");
    proto_write_text(writer, "text");
    proto_write_text(writer, "i");
    proto_write_int(writer, -5);
    proto_write_text(writer, "u");
    proto_write_uint(writer, INT64_MAX);
    proto_write_text(writer, "n");
    proto_write_f64(writer, 2.5);
    proto_write_text(writer, "f");
    proto_write_bool(writer, true);
    proto_write_text(writer, "b");
    proto_write_bin(writer, proto_span_text("\x01\x02"));
    proto_write_text(writer, "l");
    proto_write_array(writer, 3);
    proto_write_uint(writer, 1);
    proto_write_text(writer, "two");
    proto_write_nil(writer);
    proto_write_text(writer, "m");
    proto_write_map(writer, 1);
    proto_write_text(writer, "x");
    proto_write_uint(writer, 1);
}

static struct icp_reply sample_reply(struct proto_writer *writer)
{
    sample_write(writer);
    return (struct icp_reply){.payload = writer->data, .payload_bytes = writer->bytes};
}

static void reply_gives_fields_by_name(void **state)
{
    (void)state;
    struct proto_writer writer;
    struct icp_reply reply = sample_reply(&writer);
    struct icp_text text = icp_reply_text(&reply, "t");
    assert_int_equal(text.bytes, 4);
    assert_memory_equal(text.data, "text", 4);
    assert_int_equal(icp_reply_int(&reply, "i", 0), -5);
    assert_true(icp_reply_int(&reply, "u", 0) == INT64_MAX);
    assert_true(icp_reply_number(&reply, "n", 0) == 2.5);
    assert_true(icp_reply_number(&reply, "i", 0) == -5.0);
    assert_int_equal(icp_reply_int(&reply, "n", 0), 2);
    assert_true(icp_reply_flag(&reply, "f", false));
    struct icp_value value;
    assert_true(icp_reply_get(&reply, "m", &value));
    assert_int_equal(value.kind, ICP_KIND_MAP);
    struct icp_value inner;
    assert_true(icp_value_get(&value, "x", &inner));
    assert_int_equal(inner.integer, 1);
    assert_false(icp_value_get(&value, "y", &inner));
    proto_writer_fini(&writer);
}

static void reply_falls_back_on_what_is_absent_or_of_another_kind(void **state)
{
    (void)state;
    struct proto_writer writer;
    struct icp_reply reply = sample_reply(&writer);
    struct icp_value value;
    assert_false(icp_reply_get(&reply, "nothing", &value));
    assert_int_equal(icp_reply_int(&reply, "t", 42), 42);
    assert_true(icp_reply_number(&reply, "f", 4.5) == 4.5);
    assert_true(icp_reply_flag(&reply, "i", true));
    assert_int_equal(icp_reply_text(&reply, "i").bytes, 0);
    struct icp_reply empty = {0};
    assert_false(icp_reply_get(&empty, "t", &value));
    proto_writer_fini(&writer);
}

static void walk_visits_each_element_once(void **state)
{
    (void)state;
    struct proto_writer writer;
    struct icp_reply reply = sample_reply(&writer);
    struct icp_value list;
    assert_true(icp_reply_get(&reply, "l", &list));
    assert_int_equal(list.count, 3);
    struct icp_walk walk = icp_walk_over(&list);
    struct icp_text key;
    struct icp_value value;
    static const enum icp_kind kinds[] = {ICP_KIND_INT, ICP_KIND_TEXT, ICP_KIND_NIL};
    for (size_t i = 0; i < 3; i++) {
        assert_true(icp_next(&walk, &key, &value));
        assert_int_equal(value.kind, kinds[i]);
        assert_int_equal(key.bytes, 0);
    }
    assert_false(icp_next(&walk, &key, &value));
    struct icp_value all = icp_reply_value(&reply);
    size_t count = 0;
    for (walk = icp_walk_over(&all); icp_next(&walk, NULL, &value); count++)
        ;
    assert_int_equal(count, 8);
    struct icp_value scalar = {.kind = ICP_KIND_INT};
    walk = icp_walk_over(&scalar);
    assert_false(icp_next(&walk, NULL, &value));
    proto_writer_fini(&writer);
}

static void walk_ends_at_bytes_that_are_cut(void **state)
{
    (void)state;
    struct proto_writer writer;
    struct icp_reply reply = sample_reply(&writer);
    for (size_t bytes = 0; bytes < writer.bytes; bytes++) {
        reply.payload_bytes = bytes;
        struct icp_value all = icp_reply_value(&reply);
        struct icp_walk walk = icp_walk_over(&all);
        struct icp_value value;
        size_t count = 0;
        while (icp_next(&walk, NULL, &value)) {
            count++;
        }
        assert_true(count < 8);
    }
    proto_writer_fini(&writer);
}

static void value_prints_for_people_and_is_cut_to_fit(void **state)
{
    (void)state;
    struct proto_writer writer;
    struct icp_reply reply = sample_reply(&writer);
    struct icp_value value;
    char text[64];
    assert_true(icp_reply_get(&reply, "l", &value));
    assert_string_equal(icp_value_print(&value, text, sizeof text), "1, two, ");
    assert_true(icp_reply_get(&reply, "m", &value));
    assert_string_equal(icp_value_print(&value, text, sizeof text), "x: 1");
    assert_true(icp_reply_get(&reply, "n", &value));
    assert_string_equal(icp_value_print(&value, text, sizeof text), "2.5");
    assert_true(icp_reply_get(&reply, "b", &value));
    assert_string_equal(icp_value_print(&value, text, sizeof text), "(2 bytes)");
    assert_true(icp_reply_get(&reply, "t", &value));
    assert_string_equal(icp_value_print(&value, text, 3), "te");
    assert_ptr_equal(icp_value_print(&value, text, 0), text);
    struct icp_value tenth = {.kind = ICP_KIND_NUMBER, .number = 0.1};
    assert_string_equal(icp_value_print(&tenth, text, sizeof text), "0.1");
    proto_writer_fini(&writer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_gives_fields_by_name),
        cmocka_unit_test(reply_falls_back_on_what_is_absent_or_of_another_kind),
        cmocka_unit_test(walk_visits_each_element_once),
        cmocka_unit_test(walk_ends_at_bytes_that_are_cut),
        cmocka_unit_test(value_prints_for_people_and_is_cut_to_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
