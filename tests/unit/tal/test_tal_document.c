/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#include "proto/table.h"
#include "server/tal/tal_document.h"

/* The text of a list with these ids, by rank; caller frees. */
static char *list_print(const char *name, const char *const *ids, size_t *bytes)
{
    struct proto_fault fault = {0};
    json_t *entries = json_array();
    for (int rank = 0; ids[rank]; rank++) {
        json_array_append_new(entries, json_pack("{s:i, s:s, s:f}", "rank", rank + 1, "id",
                                                 ids[rank], "fit", 0.1 + rank));
    }
    json_t *body =
        json_pack("{s:i, s:s, s:s, s:o, s:{s:[s]}}", "format", TAL_FORMAT, "name", name, "filter",
                  "a = ',\"entries\":['", "entries", entries, "exclude", "ids", "x");
    assert_non_null(body);
    char *text = tal_document_print(body, bytes, &fault);
    json_decref(body);
    assert_non_null(text);
    return text;
}

static struct proto_span span_of(const char *text, size_t bytes)
{
    return (struct proto_span){(const uint8_t *)text, bytes};
}

static void a_document_opens_as_it_was_printed(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    size_t bytes = 0;
    char digest[TAL_DIGEST_CHARS + 1];
    char *text = list_print("first", (const char *const[]){"a", "b", NULL}, &bytes);
    assert_int_equal(strlen(text), bytes);
    assert_true(tal_document_sound(span_of(text, bytes)));
    json_t *json = tal_document_open(span_of(text, bytes), &fault);
    assert_non_null(json);
    assert_string_equal(json_string_value(json_object_get(json, "name")), "first");
    tal_document_digest(span_of(text, bytes), digest);
    assert_string_equal(json_string_value(json_object_get(json, "digest")), digest);
    const json_t *entry = json_array_get(json_object_get(json, "entries"), 1);
    assert_true(json_real_value(json_object_get(entry, "fit")) == 1.1);
    json_decref(json);
    free(text);
}

static void every_flipped_bit_and_every_cut_is_found(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    size_t bytes = 0;
    char *text = list_print("first", (const char *const[]){"a", "b", NULL}, &bytes);
    for (size_t bit = 0; bit < 8 * bytes; bit++) {
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
        assert_false(tal_document_sound(span_of(text, bytes)));
        assert_null(tal_document_open(span_of(text, bytes), &fault));
        assert_int_equal(fault.code, PROTO_CORRUPT);
        text[bit / 8] = (char)(text[bit / 8] ^ 1 << bit % 8);
    }
    for (size_t cut = 0; cut < bytes; cut++) {
        assert_false(tal_document_sound(span_of(text, cut)));
    }
    /* The control: as it was it passes. */
    assert_true(tal_document_sound(span_of(text, bytes)));
    free(text);
}

static void the_head_is_read_without_the_entries(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    size_t bytes = 0;
    char *text = list_print("a \",\"entries\":[ b", (const char *const[]){"a", NULL}, &bytes);
    json_t *head = tal_document_head(span_of(text, bytes), &fault);
    assert_non_null(head);
    assert_string_equal(json_string_value(json_object_get(head, "name")), "a \",\"entries\":[ b");
    assert_null(json_object_get(head, "entries"));
    assert_non_null(json_object_get(head, "digest"));
    json_decref(head);
    assert_null(tal_document_head(span_of("{}", 2), &fault));
    assert_null(tal_document_head((struct proto_span){0}, &fault));
    free(text);
}

static void a_list_beyond_the_limit_is_refused(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    size_t bytes = 0;
    char *note = malloc(PROTO_DOCUMENT_BYTES_MAX);
    assert_non_null(note);
    memset(note, 'x', PROTO_DOCUMENT_BYTES_MAX - 1);
    note[PROTO_DOCUMENT_BYTES_MAX - 1] = '\0';
    json_t *body = json_pack("{s:s}", "note", note);
    assert_null(tal_document_print(body, &bytes, &fault));
    assert_int_equal(fault.code, PROTO_TOO_LARGE);
    json_decref(body);
    free(note);
}

static void lists_are_compared_by_account_and_rank(void **state)
{
    (void)state;
    struct proto_fault fault = {0};
    size_t bytes = 0;
    char *text = list_print("a", (const char *const[]){"p", "q", "r", NULL}, &bytes);
    json_t *a = tal_document_open(span_of(text, bytes), &fault);
    free(text);
    text = list_print("b", (const char *const[]){"z", "r", "y", "p", NULL}, &bytes);
    json_t *b = tal_document_open(span_of(text, bytes), &fault);
    free(text);
    struct tal_difference difference;
    assert_true(tal_compare(a, b, &difference, &fault));
    static const struct tal_pair wanted[] = {{0, 3}, {1, -1}, {2, 1}, {-1, 0}, {-1, 2}};
    assert_int_equal(difference.count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(difference.pairs[i].a, wanted[i].a);
        assert_int_equal(difference.pairs[i].b, wanted[i].b);
    }
    assert_int_equal(difference.both, 2);
    assert_int_equal(difference.only_a, 1);
    assert_int_equal(difference.only_b, 2);
    tal_difference_fini(&difference);
    json_decref(a);
    json_decref(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_document_opens_as_it_was_printed),
        cmocka_unit_test(every_flipped_bit_and_every_cut_is_found),
        cmocka_unit_test(the_head_is_read_without_the_entries),
        cmocka_unit_test(a_list_beyond_the_limit_is_refused),
        cmocka_unit_test(lists_are_compared_by_account_and_rank),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
