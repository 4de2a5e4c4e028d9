/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "tools/cli/csv/text_count.h"

#include <stdio.h>

static void counts_and_remembers_the_first_line(void **state)
{
    (void)state;
    struct text_count count;
    text_count_init(&count, 100);
    assert_null(text_count_find(&count, proto_span_text("a")));
    assert_true(text_count_add(&count, proto_span_text("a"), 5, NULL));
    assert_true(text_count_add(&count, proto_span_text(""), 6, NULL));
    assert_true(text_count_add(&count, proto_span_text("a"), 7, NULL));
    const struct text_entry *found = text_count_find(&count, proto_span_text("a"));
    assert_non_null(found);
    assert_int_equal(found->count, 2);
    assert_int_equal(found->line, 5);
    assert_int_equal(text_count_find(&count, proto_span_text(""))->line, 6);
    assert_int_equal(count.count, 2);
    text_count_fini(&count);
}

static void keeps_a_hundred_thousand_apart(void **state)
{
    (void)state;
    struct text_count count;
    char text[32];
    text_count_init(&count, UINT32_MAX);
    for (unsigned i = 0; i < 200000; i++) {
        snprintf(text, sizeof text, "id-%u", i % 100000);
        assert_true(text_count_add(&count, proto_span_text(text), i, NULL));
    }
    assert_int_equal(count.count, 100000);
    for (unsigned i = 0; i < 100000; i += 999) {
        snprintf(text, sizeof text, "id-%u", i);
        assert_int_equal(text_count_find(&count, proto_span_text(text))->count, 2);
        assert_true(proto_span_is(count.entries[i].text, text));
    }
    text_count_fini(&count);
}

static void stops_taking_new_texts_at_its_bound(void **state)
{
    (void)state;
    struct text_count count;
    const struct text_entry *entry = NULL;
    text_count_init(&count, 2);
    assert_true(text_count_add(&count, proto_span_text("a"), 1, NULL));
    assert_true(text_count_add(&count, proto_span_text("b"), 2, NULL));
    assert_true(text_count_add(&count, proto_span_text("c"), 3, &entry));
    assert_null(entry);
    assert_true(text_count_add(&count, proto_span_text("a"), 4, &entry));
    assert_int_equal(entry->count, 2);
    assert_int_equal(count.overflow, 1);
    text_count_fini(&count);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts_and_remembers_the_first_line),
        cmocka_unit_test(keeps_a_hundred_thousand_apart),
        cmocka_unit_test(stops_taking_new_texts_at_its_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
