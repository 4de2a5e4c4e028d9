/* SPDX-License-Identifier: Apache-2.0 */
/* Which version a name means, also where some of the definitions are damaged. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "server/engine/definitions.h"

static struct engine_definition *made(uint32_t number, const char *name, uint32_t version)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_definition definition = {.metric = MEASURE_METRIC_MRR, .version = version};
    measure_rules_default(&definition.rules);
    (void)snprintf(definition.name, sizeof definition.name, "%s", name);
    char *text = measure_definition_print(&definition);
    assert_non_null(text);
    struct engine_definition *read =
        engine_definition_read(number, 1000 + number, proto_span_text(text), &fault);
    assert_non_null(read);
    free(text);
    return read;
}

/* The set of names at their versions, "" for one that is damaged; ends with NULL. */
struct entry {
    const char *name;
    uint32_t version;
};
static struct engine_definitions *set_of(const struct entry *entries)
{
    struct engine_definitions *set = NULL;
    for (uint32_t i = 0; entries[i].name != NULL; i++) {
        struct engine_definition *one =
            entries[i].name[0] != '\0' ? made(i + 1, entries[i].name, entries[i].version) : NULL;
        struct engine_definitions *next = engine_definitions_with(set, i + 1, one);
        assert_non_null(next);
        engine_definitions_release(set);
        set = next;
    }
    return set;
}

/* The number that a reference means, 0 and the code where it means none. */
static uint32_t found(const struct engine_definitions *set, const char *text,
                      enum proto_error *code)
{
    struct proto_fault fault = {.code = PROTO_OK};
    struct measure_reference reference;
    assert_true(measure_reference_read(proto_span_text(text), &reference, &fault));
    const struct engine_definition *one = engine_definitions_find(set, &reference, &fault);
    *code = fault.code;
    return one != NULL ? one->number : 0;
}

static void expect(const struct engine_definitions *set, const char *text, uint32_t number,
                   enum proto_error code)
{
    enum proto_error told = PROTO_OK;
    assert_int_equal(found(set, text, &told), number);
    assert_int_equal(told, code);
}

static void the_newest_of_a_name_is_in_force(void **state)
{
    (void)state;
    const struct entry entries[] = {{"board", 1}, {"sales", 1}, {"board", 2}, {NULL, 0}};
    struct engine_definitions *set = set_of(entries);
    expect(set, "board", 3, PROTO_OK);
    expect(set, "board@1", 1, PROTO_OK);
    expect(set, "board@3", 0, PROTO_NOT_FOUND);
    expect(set, "sales", 2, PROTO_OK);
    expect(set, "boar", 0, PROTO_NOT_FOUND);
    expect(NULL, "board", 0, PROTO_NOT_FOUND);
    assert_true(engine_definitions_in_force(set, set->items[2]));
    assert_false(engine_definitions_in_force(set, set->items[0]));
    assert_int_equal(engine_definitions_next(set, proto_span_text("board")), 3);
    assert_int_equal(engine_definitions_next(set, proto_span_text("new")), 1);
    assert_int_equal(engine_definitions_next(NULL, proto_span_text("new")), 1);
    assert_int_equal(set->items[1]->time_ms, 1002);
    engine_definitions_release(set);
}

static void a_damaged_one_may_be_any_and_never_passes_in_silence(void **state)
{
    (void)state;
    const struct entry entries[] = {{"board", 1}, {"", 0}, {"sales", 1}, {NULL, 0}};
    struct engine_definitions *set = set_of(entries);
    assert_int_equal(set->damaged, 1);
    expect(set, "board", 0, PROTO_CORRUPT); /* it may be board@2 */
    expect(set, "board@1", 1, PROTO_OK);
    expect(set, "board@2", 0, PROTO_CORRUPT);
    expect(set, "sales", 3, PROTO_OK); /* it was put after the damaged one */
    expect(set, "other", 0, PROTO_CORRUPT);
    assert_false(engine_definitions_in_force(set, set->items[0]));
    /* Put anew it leaves out the version that the damaged one may have had. */
    assert_int_equal(engine_definitions_next(set, proto_span_text("board")), 3);
    struct engine_definitions *mended = engine_definitions_with(set, 4, made(4, "board", 3));
    assert_non_null(mended);
    expect(mended, "board", 4, PROTO_OK);
    engine_definitions_release(mended);
    /* The old set is as it was. */
    assert_int_equal(set->count, 3);
    expect(set, "board", 0, PROTO_CORRUPT);
    engine_definitions_release(set);
}

static void what_is_no_definition_is_told(void **state)
{
    (void)state;
    struct proto_fault fault = {.code = PROTO_OK};
    assert_null(engine_definition_read(1, 0, proto_span_text("{\"metric\":\"mrr\"}"), &fault));
    assert_int_equal(fault.code, PROTO_BAD_DOCUMENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_newest_of_a_name_is_in_force),
        cmocka_unit_test(a_damaged_one_may_be_any_and_never_passes_in_silence),
        cmocka_unit_test(what_is_no_definition_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
