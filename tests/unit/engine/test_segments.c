/* SPDX-License-Identifier: Apache-2.0 */
/* Which segments are in force, in which order, and what one that cannot be read does to the others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka needs the four above before it. */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "server/engine/segments.h"

/* What was put; version 0: damaged, or with a name gone. */
struct entry {
    const char *name;
    uint32_t version;
    const char *filter; /* "": dropped */
};

static struct engine_segment *made(uint32_t number, const struct entry *entry)
{
    char text[512];
    struct proto_fault fault = {.code = PROTO_OK};
    (void)snprintf(text, sizeof text,
                   "{\"name\":\"%s\",\"version\":%u,\"filter\":\"%s\"%s,\"by\":\"\",\"note\":\"\"}",
                   entry->name, entry->version, entry->filter,
                   entry->filter[0] == '\0' ? ",\"dropped\":true" : "");
    struct engine_segment *read = engine_segment_read(
        number, 1000 + number, proto_span_text(entry->version > 0 ? text : ""), &fault);
    assert_non_null(read);
    return read;
}

static struct engine_segments *set_of(const struct entry *entries)
{
    struct engine_segments *set = NULL;
    for (uint32_t i = 0; entries[i].name != NULL; i++) {
        bool damaged = entries[i].version == 0 && entries[i].name[0] == '\0';
        struct engine_segments *next =
            engine_segments_with(set, i + 1, damaged ? NULL : made(i + 1, &entries[i]));
        assert_non_null(next);
        engine_segments_release(set);
        set = next;
    }
    return set;
}

static void names_are(const struct engine_segments *set, const char *expected)
{
    char names[256] = "";
    const struct filter_names *told = engine_segments_names(set);
    for (size_t i = 0; i < told->count; i++) {
        size_t used = strlen(names);
        (void)snprintf(names + used, sizeof names - used, "%s%.*s", i > 0 ? " " : "",
                       (int)told->items[i].name.bytes, (const char *)told->items[i].name.data);
        assert_ptr_equal(told->items[i].name.data, set->named[i]->name.data);
    }
    assert_string_equal(names, expected);
}

static enum proto_error code_of(const struct engine_segments *set, const char *name)
{
    struct proto_fault fault = {.code = PROTO_OK};
    const struct engine_segment *found = engine_segments_find(set, proto_span_text(name), &fault);
    assert_int_equal(found == NULL, fault.code != PROTO_OK);
    return fault.code;
}

static void the_order_is_that_in_which_names_came_into_force(void **state)
{
    (void)state;
    const struct entry entries[] = {{"b", 1, "x = 1"}, {"a", 1, "x = 2"}, {"b", 2, "x = 3"},
                                    {"c", 1, "x = 4"}, {"a", 2, ""},      {"a", 3, "x = 5"},
                                    {NULL, 0, NULL}};
    struct engine_segments *set = set_of(entries);
    names_are(set, "b c a");
    assert_true(proto_span_is(set->names.items[0].text, "x = 3"));
    assert_int_equal(code_of(set, "a"), PROTO_OK);
    assert_int_equal(code_of(set, "d"), PROTO_NOT_FOUND);
    assert_int_equal(code_of(NULL, "d"), PROTO_NOT_FOUND);
    assert_int_equal(engine_segments_next(set, proto_span_text("a")), 4);
    assert_int_equal(engine_segments_next(set, proto_span_text("d")), 1);
    assert_int_equal(engine_segments_next(NULL, proto_span_text("d")), 1);
    assert_true(engine_segments_in_force(set, set->items[2]));
    assert_false(engine_segments_in_force(set, set->items[0]));
    assert_false(engine_segments_in_force(set, set->items[4]));
    assert_int_equal(engine_segments_names(NULL)->count, 0);
    engine_segments_release(set);
}

static void one_that_is_damaged_leaves_those_before_it_unsure(void **state)
{
    (void)state;
    const struct entry entries[] = {
        {"a", 1, "x = 1"}, {"b", 1, "x = 2"}, {"", 0, ""}, {"c", 1, "x = 3"}, {NULL, 0, NULL}};
    struct engine_segments *set = set_of(entries);
    names_are(set, "c");
    assert_int_equal(set->damaged, 1);
    assert_int_equal(set->names.unsure, 3);
    assert_int_equal(code_of(set, "a"), PROTO_CORRUPT);
    assert_int_equal(code_of(set, "z"), PROTO_CORRUPT); /* the damaged one may be it */
    assert_int_equal(code_of(set, "c"), PROTO_OK);
    /* Put anew it is sure again, in its place, and leaves out the version that the damaged one may
     * have had. */
    assert_int_equal(engine_segments_next(set, proto_span_text("b")), 3);
    struct engine_segments *mended =
        engine_segments_with(set, 5, made(5, &(struct entry){"b", 3, "x = 4"}));
    assert_non_null(mended);
    names_are(mended, "b c");
    assert_int_equal(mended->names.unsure, 2);
    engine_segments_release(mended);
    names_are(set, "c"); /* the old set is as it was */
    engine_segments_release(set);
}

static void a_name_that_is_not_there_is_told_with_those_that_are(void **state)
{
    (void)state;
    const struct entry entries[] = {{"b", 1, "x = 1"}, {"a", 1, "x = 2"}, {NULL, 0, NULL}};
    struct engine_segments *set = set_of(entries);
    struct proto_fault fault = {.code = PROTO_OK};
    assert_null(engine_segments_find(set, proto_span_text("d"), &fault));
    assert_string_equal(fault.message, "there is no segment 'd'; there are 'b', 'a'");
    assert_null(engine_segments_find(NULL, proto_span_text("d"), &fault));
    assert_string_equal(fault.message, "there is no segment 'd'; none is kept");
    engine_segments_release(set);
}

static void one_that_was_given_up_counts_for_nothing_else(void **state)
{
    (void)state;
    const struct entry entries[] = {
        {"a", 1, "x = 1"}, {"gone", 0, ""}, {"a", 3, "x = 2"}, {NULL, 0, NULL}};
    struct engine_segments *set = set_of(entries);
    names_are(set, "a");
    assert_int_equal(set->damaged, 0);
    assert_int_equal(set->names.unsure, 0);
    assert_int_equal(code_of(set, "z"), PROTO_NOT_FOUND);
    engine_segments_release(set);
}

static void names_that_cannot_be_are_refused(void **state)
{
    (void)state;
    static const char *const good[] = {"a", "Mid-size software", "ü ☃", "a@b", "@", "a@2b"};
    static const char *const bad[] = {"", " a", "a ", "a\tb", "a\x7f", "a@2", "x@20", "\xff"};
    struct proto_fault fault = {.code = PROTO_OK};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_true(engine_segment_name_check(proto_span_text(good[i]), &fault));
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        fault = (struct proto_fault){.code = PROTO_OK};
        assert_false(engine_segment_name_check(proto_span_text(bad[i]), &fault));
        assert_int_equal(fault.code, PROTO_BAD_FIELD);
        assert_string_equal(fault.field, "name");
    }
}

static void what_is_no_segment_is_told(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "{",
        "[]",
        "{\"name\":\"a\"}",
        "{\"name\":\"a\",\"version\":0,\"filter\":\"x = 1\",\"by\":\"\",\"note\":\"\"}",
        "{\"name\":\"a\",\"version\":1,\"filter\":\"\",\"by\":\"\",\"note\":\"\"}",
        "{\"name\":\"a \",\"version\":1,\"filter\":\"x = 1\",\"by\":\"\",\"note\":\"\"}"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct proto_fault fault = {.code = PROTO_OK};
        assert_null(engine_segment_read(1, 0, proto_span_text(texts[i]), &fault));
        assert_true(fault.code == PROTO_BAD_DOCUMENT || fault.code == PROTO_BAD_FIELD);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_that_in_which_names_came_into_force),
        cmocka_unit_test(one_that_is_damaged_leaves_those_before_it_unsure),
        cmocka_unit_test(a_name_that_is_not_there_is_told_with_those_that_are),
        cmocka_unit_test(one_that_was_given_up_counts_for_nothing_else),
        cmocka_unit_test(names_that_cannot_be_are_refused),
        cmocka_unit_test(what_is_no_segment_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
