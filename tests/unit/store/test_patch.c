/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/unit/store/store_fixture.h"

#include <stdio.h>
#include <stdlib.h>

struct spec {
    const char *keys[4];
    const char *sources[4];
    int numbers[6]; /* by field id; 0: absent */
    uint8_t number_source[6];
    int64_t times_ms[6];
    int64_t changed_s;
};

static size_t encode_spec(const struct spec *spec, uint8_t *out, size_t room)
{
    struct proto_span keys[4];
    struct proto_span sources[4];
    struct feature_value values[6];
    struct proto_fault fault;
    struct feature_record record = {.id = span("acme"),
                                    .created_s = 11,
                                    .changed_s = spec->changed_s,
                                    .keys = keys,
                                    .sources = sources,
                                    .values = values,
                                    .value_slots = 6};
    while (record.key_count < 4 && spec->keys[record.key_count] != NULL) {
        keys[record.key_count] = span(spec->keys[record.key_count]);
        record.key_count++;
    }
    while (record.source_count < 4 && spec->sources[record.source_count] != NULL) {
        sources[record.source_count] = span(spec->sources[record.source_count]);
        record.source_count++;
    }
    for (size_t i = 0; i < 6; i++) {
        values[i] = (struct feature_value){.present = spec->numbers[i] != 0,
                                           .type = FEATURE_NUMBER,
                                           .source = spec->number_source[i],
                                           .time_ms = spec->times_ms[i],
                                           .number = spec->numbers[i]};
    }
    size_t bytes = feature_record_encode(&record, out, room, &fault);
    assert_in_range(bytes, 1, room);
    return bytes;
}

/* "keys; field=number(source) …" of the joined record. */
static void patched_text(const struct spec *base, const struct spec *over, const uint16_t *removed,
                         size_t removed_count, unsigned flags, char *text, size_t text_bytes)
{
    uint8_t a[1024];
    uint8_t b[1024];
    size_t a_bytes = encode_spec(base, a, sizeof a);
    size_t b_bytes = encode_spec(over, b, sizeof b);
    struct store_patch_room room = {0};
    struct proto_fault fault;
    size_t bytes;
    struct store_command patch = {.kind = STORE_COMMAND_PATCH,
                                  .patch = flags,
                                  .text = {b, b_bytes},
                                  .extra = {(const uint8_t *)removed, removed_count * 2}};
    uint8_t *out = store_patch(&room, (struct proto_span){a, a_bytes}, &patch, &bytes, &fault);
    assert_non_null(out);
    struct feature_record record;
    struct feature_value values[6];
    assert_true(feature_record_open((struct proto_span){out, bytes}, true, &record, &fault));
    assert_int_equal(record.created_s, 11);
    feature_record_values(&record, values, 6);
    size_t used = 0;
    size_t at = 0;
    struct proto_span key;
    while (feature_record_key_next(&record, &at, &key)) {
        used += (size_t)snprintf(text + used, text_bytes - used, "%.*s ", (int)key.bytes,
                                 (const char *)key.data);
    }
    used += (size_t)snprintf(text + used, text_bytes - used, ";");
    for (unsigned i = 0; i < 6; i++) {
        struct proto_span source = feature_record_source(&record, values[i].source);
        if (values[i].present) {
            used += (size_t)snprintf(text + used, text_bytes - used, " %u=%d(%.*s)", i,
                                     (int)values[i].number, (int)source.bytes,
                                     (const char *)source.data);
        }
    }
    snprintf(text + used, text_bytes - used, " [%zu]", record.source_count);
    free(out);
    store_patch_room_fini(&room);
}

static void joined_text(const struct spec *base, const struct spec *over, const uint16_t *removed,
                        size_t removed_count, char *text, size_t text_bytes)
{
    patched_text(base, over, removed, removed_count, 0, text, text_bytes);
}

/* Field 0 is newer than what is stored, 1 as old, 2 older, 3 not stored; 4 and 5 are taken away as
 * of second 6. */
static void a_dated_patch_takes_no_place_of_what_is_newer(void **state)
{
    (void)state;
    char text[256];
    uint16_t removed[] = {4, 5};
    struct spec base = {{NULL}, {"crm"}, {1, 2, 3, 0, 5, 6}, {0}, {5000, 6000, 7000, 0, 6000, 7000},
                        0};
    struct spec over = {{"k"}, {"old"}, {10, 20, 30, 40}, {0}, {6000, 6000, 6000, 6000}, 6};
    patched_text(&base, &over, removed, 2, STORE_PATCH_DATED, text, sizeof text);
    assert_string_equal(text, "k ; 0=10(old) 1=20(old) 2=3(crm) 3=40(old) 5=6(crm) [2]");
    /* Without a date the last one wins. */
    patched_text(&base, &over, removed, 2, 0, text, sizeof text);
    assert_string_equal(text, "k ; 0=10(old) 1=20(old) 2=30(old) 3=40(old) [1]");
}

static void values_keys_and_sources_are_joined(void **state)
{
    (void)state;
    char text[256];
    struct spec base = {{"k1", "k2"}, {"crm", "web"}, {1, 2, 3}, {0, 1, 1}, {0}, 0};
    struct spec over = {{"k2", "k3"}, {"web", "map"}, {0, 20, 0, 40}, {0, 1, 0, 0}, {0}, 0};
    joined_text(&base, &over, NULL, 0, text, sizeof text);
    assert_string_equal(text, "k1 k2 k3 ; 0=1(crm) 1=20(map) 2=3(web) 3=40(web) [3]");
}

static void sources_that_nothing_refers_to_any_more_go(void **state)
{
    (void)state;
    char text[256];
    struct spec base = {{NULL}, {"crm", "web"}, {1, 2}, {0, 1}, {0}, 0};
    struct spec over = {{NULL}, {"map"}, {0, 20}, {0, 0}, {0}, 0};
    joined_text(&base, &over, NULL, 0, text, sizeof text);
    assert_string_equal(text, "; 0=1(crm) 1=20(map) [2]");
}

static void removed_fields_go_even_if_the_patch_sets_them(void **state)
{
    (void)state;
    char text[256];
    uint16_t removed[] = {0, 4, 60000};
    struct spec base = {{NULL}, {"crm"}, {1, 2}, {0}, {0}, 0};
    struct spec over = {{NULL}, {"crm"}, {0, 0, 0, 0, 50}, {0}, {0}, 0};
    joined_text(&base, &over, removed, 3, text, sizeof text);
    assert_string_equal(text, "; 1=2(crm) [1]");
}

/* A value without a source must not pass as one of the other record's source. */
static void values_of_no_source_stay_apart(void **state)
{
    (void)state;
    char text[256];
    struct spec base = {{NULL}, {NULL}, {1}, {0}, {0}, 0};
    struct spec over = {{NULL}, {"crm"}, {0, 2}, {0}, {0}, 0};
    joined_text(&base, &over, NULL, 0, text, sizeof text);
    assert_string_equal(text, "; 0=1(unknown) 1=2(crm) [2]");
    over.sources[0] = NULL;
    joined_text(&base, &over, NULL, 0, text, sizeof text);
    assert_string_equal(text, "; 0=1() 1=2() [0]");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dated_patch_takes_no_place_of_what_is_newer),
        cmocka_unit_test(values_keys_and_sources_are_joined),
        cmocka_unit_test(sources_that_nothing_refers_to_any_more_go),
        cmocka_unit_test(removed_fields_go_even_if_the_patch_sets_them),
        cmocka_unit_test(values_of_no_source_stay_apart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
